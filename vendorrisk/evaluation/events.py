"""Events: breaches, incidents, vulnerabilities in a vendor's products. Events fade by a table of integers."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from vendorrisk.evaluation.model import Evaluation, Facts, RuleSeverity
from vendorrisk.evaluation.product_names import is_named, plain
from vendorrisk.evaluation.results import failed, inapplicable, passed, unknown, warned
from vendorrisk.evaluation.rules import RULES
from vendorrisk.probes.feeds.feed_parser import Breach, KevItem
from vendorrisk.probes.observation import Unknown
from vendorrisk.probes.web.status_page import StatusObservation

_DAY = timedelta(days=1)
_FRESH, _YEAR, _FORGOTTEN = 90 * _DAY, 365 * _DAY, 3 * 365 * _DAY
_OFTEN = 4
_WINDOW = 90 * _DAY
_SERIOUS = frozenset({"major", "critical"})

_FADED_PERCENT = (
    100, 94, 89, 84, 79, 75, 71, 67, 63, 59, 56, 53,
    50, 47, 45, 42, 40, 37, 35, 33, 31, 30, 28, 26,
    25, 24, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12,
)  # fmt: skip
"""100 · 0.5^(months / 12), rounded: a half-life of a year in 365/12-day steps, for three years."""


def faded_percent(age: timedelta) -> int:
    """Return the remaining part of an event's deficit, in percent. 0 once it is three years old."""
    if age >= _FORGOTTEN:
        return 0
    return _FADED_PERCENT[max(0, int(age / _DAY) * 12 // 365)]


def evaluate_breaches(domain: str, listed: Iterable[Breach] | Unknown, *, now: datetime) -> tuple[Evaluation, ...]:
    """Evaluate a domain's breaches: the newest verified one is scored, all of three years are notified."""
    if isinstance(listed, Unknown):
        return tuple(unknown(rule, listed.reason) for rule in ("evt.breach", "evt.breach_unverified"))
    own = [b for b in listed if b.domain == domain and b.counts and timedelta(0) <= now - b.added_at < _FORGOTTEN]
    verified = sorted((b for b in own if b.verified), key=lambda b: (b.added_at, b.name), reverse=True)
    rumoured = sorted((b for b in own if not b.verified), key=lambda b: (b.added_at, b.name), reverse=True)
    return (
        *(_breach(b, now) for b in verified),
        *(() if verified else (passed("evt.breach", "none_listed", "No verified breach in three years."),)),
        *(_rumour(b) for b in rumoured),
        *(() if rumoured else (passed("evt.breach_unverified", "none_listed", "No unverified breach is listed."),)),
    )


def _breach(breach: Breach, now: datetime) -> Evaluation:
    rule, age = "evt.breach", now - breach.added_at
    fresh = age < _FRESH
    severity = RuleSeverity.CRITICAL if fresh else RuleSeverity.HIGH if age < _YEAR else RuleSeverity.MEDIUM
    facts: Facts = {"breach": breach.name, "on": breach.breached_on.isoformat(), "classes": breach.classes,
                    "faded_percent": faded_percent(age)}  # fmt: skip
    words = f"{breach.title}: {breach.accounts} accounts, listed on {breach.added_at:%Y-%m-%d}."
    cap = RULES[rule].cap if fresh else None
    return failed(rule, "listed", words, severity=severity, cap=cap, subject=breach.name, evidence=facts)


def _rumour(breach: Breach) -> Evaluation:
    facts: Facts = {"breach": breach.name}
    words = f"{breach.title} is listed as unverified."
    return warned("evt.breach_unverified", "listed", words, subject=breach.name, evidence=facts)


def evaluate_status(observation: StatusObservation | None, *, now: datetime) -> Evaluation:
    rule = "evt.status"
    if observation is None:
        return inapplicable(rule, "none_named", "No status page is known.")
    if isinstance(observation.status, Unknown):
        return unknown(rule, observation.status.reason)
    if not observation.status.knows_impact:
        return unknown(rule, "impact_not_stated", "The feed does not rate its incidents.")
    serious = [i for i in observation.status.incidents if i.impact in _SERIOUS]
    recent = [i for i in serious if timedelta(0) <= now - i.started_at < _WINDOW]
    running = [i for i in serious if i.resolved_at is None]
    facts: Facts = {"indicator": observation.status.indicator, "serious_in_90_days": len(recent)}
    if running:
        facts["incidents"] = tuple(i.id for i in running)
    if len(recent) >= _OFTEN:
        return failed(rule, "often", f"{len(recent)} major incidents in 90 days.", evidence=facts)
    if running or observation.status.indicator in _SERIOUS:
        return warned(rule, "running", "A major incident is under way.", evidence=facts)
    if observation.history_unknown:
        return unknown(rule, observation.history_unknown)
    return passed(rule, "calm", "No major incident is under way.", evidence=facts)


# ── known exploited vulnerabilities against the vendor's products


def evaluate_products(
    products: Mapping[str, Iterable[str]], catalogue: Iterable[KevItem] | Unknown, *, since: date
) -> tuple[Evaluation, ...]:
    """Evaluate an inventory (manufacturer → products) against KEV entries added on or after `since`."""
    rule = "kev.product"
    if isinstance(catalogue, Unknown):
        return (unknown(rule, catalogue.reason),)
    wanted: dict[str, set[str]] = {}
    for maker, names in products.items():
        wanted.setdefault(plain(maker), set()).update(plain(name) for name in names)
    if not wanted:
        return (inapplicable(rule, "no_inventory", "No products are noted for the vendor."),)
    hits = [item for item in catalogue if item.added_on >= since and _concerns(item, wanted)]
    return tuple(_hit(item) for item in hits) or (
        passed(rule, "none_new", "Nothing in the inventory is newly known to be exploited."),
    )


def _concerns(item: KevItem, wanted: Mapping[str, set[str]]) -> bool:
    """Return True if maker and product are in the inventory.

    "Multiple Products" concerns every product of its maker.
    """
    names = wanted.get(plain(item.vendor))
    if names is None:
        return False
    product = plain(item.product)
    return "multiple products" in product or any(is_named(name, product) for name in names)


def _hit(item: KevItem) -> Evaluation:
    facts: Facts = {"cve": item.cve, "product": f"{item.vendor} {item.product}", "ransomware": item.ransomware}
    words = f"{item.vendor} {item.product}: {item.cve} is being exploited."
    return warned("kev.product", "exploited", words, subject=item.cve, evidence=facts)
