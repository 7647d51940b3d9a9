"""The alerts of a reconciled vendor: dates that end, things that happened, products that are being exploited."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import Any
from uuid import UUID, uuid5

from vendorrisk.access.work import Work
from vendorrisk.alerts import service as alerts
from vendorrisk.alerts.model import AlertClass, Deadline, TimedClass
from vendorrisk.evaluation.events import evaluate_products
from vendorrisk.evaluation.model import Verdict
from vendorrisk.evaluation.product_names import plain
from vendorrisk.evaluation.rules import RULES
from vendorrisk.findings import service as findings
from vendorrisk.findings.model import FindingSeverity
from vendorrisk.probes.feeds.feed_parser import KevItem
from vendorrisk.signals import reconcile_queries
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.reconcile_queries import Event, ReconciledVendor, VendorState
from vendorrisk.signals.shared_assets import awaiting_a_scan, serving_together
from vendorrisk.vendors.model import Lifecycle, Tier

EXPLOIT_SOURCE = "exploited_product"
_NAMESPACE = UUID("b1d9f7d2-0d0e-5c8c-8f60-1b6a7f6f2e90")
_OVERLAP = timedelta(hours=1)
_FIRST_END, _LAST_END = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""An end outside this range is ignored: the year 9999 means "never" (RFC 5280, 4.1.2.5), and the year 1 nothing."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_YEAR = timedelta(days=365)
_OUTAGE_AFTER = timedelta(minutes=15)  # after it was believed, which took a quarter of an hour: half an hour in all
_EVENT_CLASSES: Mapping[str, AlertClass] = {
    "dom.change": AlertClass.DOMAIN_CHANGED,
    "tls.ct_issuer": AlertClass.DOMAIN_CHANGED,
    "tr.subprocessors": AlertClass.SUBPROCESSORS_CHANGED,
    "evt.breach": AlertClass.BREACH_LISTED,
    "evt.breach_unverified": AlertClass.BREACH_LISTED,
}
_DATES = (
    ("tls.cert_expired", "not_after", TimedClass.CERTIFICATE_EXPIRING, "certificate"),
    ("dom.expiry", "expires_at", TimedClass.DOMAIN_EXPIRING, "registration"),
)

Assets = Mapping[UUID, VendorAsset]


async def save_dates(work: Work, vendor: ReconciledVendor, assets: Assets, states: Sequence[VendorState]) -> None:
    """Save the ends of certificates and registrations as deadlines of the tenant, one for each certificate."""
    ended = vendor.lifecycle in {Lifecycle.OFFBOARDING, Lifecycle.TERMINATED}
    together, waiting = serving_together(assets.values(), states), awaiting_a_scan(assets.values(), states)
    for state in states:
        for rule, field, kind, what in _DATES:
            if state.rule != rule:
                continue
            ends_at, asset = _end(state.evidence.get(field)), assets[state.vendor_asset_id]
            named = together.get(asset.id, (asset,)) if kind is TimedClass.CERTIFICATE_EXPIRING else (asset,)
            if ended or ends_at is None or named[0].id != asset.id:
                await forget_dates(work, [asset.id], kind)
                continue
            if kind is TimedClass.CERTIFICATE_EXPIRING and asset.id in waiting:
                continue
            deadline = Deadline(
                alert_class=kind,
                subject_kind=kind.value,
                subject_id=asset.id,
                vendor_id=vendor.id,
                title=f"{_names(named)}: {what} ends",
                due_on=work.by.today(ends_at),
            )
            await alerts.watch(work, deadline)


def _names(assets: Sequence[VendorAsset]) -> str:
    first, *more = [asset.name for asset in assets]
    return " and ".join([first, *more]) if len(more) <= 1 else f"{first} and {len(more)} hosts more"


def _end(given: object) -> datetime | None:
    """Return the instant that evidence gives, where it is one that a calendar holds in every time zone."""
    ends_at = datetime.fromisoformat(given) if isinstance(given, str) else None
    return ends_at if ends_at is not None and _FIRST_END <= ends_at < _LAST_END else None


async def forget_dates(work: Work, assets: Sequence[UUID], *kinds: TimedClass) -> None:
    """Stop tracking deadlines of assets, of all kinds if none is named."""
    for kind in kinds or (TimedClass.CERTIFICATE_EXPIRING, TimedClass.DOMAIN_EXPIRING):
        await alerts.unwatch(work, kind, kind.value, *assets)


async def notify_events(
    work: Work, vendor: ReconciledVendor, notified_until: datetime | None, paused: frozenset[str]
) -> None:
    """Notify of events since the last reconciliation, with an hour's overlap: each is notified once by its key."""
    since = _LONG_AGO if notified_until is None else notified_until - _OVERLAP
    if notified_until is not None and notified_until > work.now:  # a clock that ran ahead was put right
        since = _LONG_AGO
    for event in await reconcile_queries.events(work, vendor.id, since):
        alert_class = _EVENT_CLASSES.get(event.rule)
        if alert_class is None or event.rule in paused or event.verdict not in {Verdict.WARN, Verdict.FAIL}:
            continue
        if event.rule == "tr.subprocessors":
            await _propose(work, vendor, event)
        await alerts.raise_event(
            work,
            alert_class,
            _key(event),
            vendor.id,
            "vendor_asset",
            event.vendor_asset_id,
            f"{event.asset_name}: {event.detail}",
            _facts(event),
        )


def _key(event: Event) -> str:
    """Return the key under which an event is raised once. A breach is one breach, however it fades or is confirmed."""
    if event.rule.startswith("evt.breach"):
        return f"{event.vendor_asset_id}:{event.rule}:{event.subject}"
    return f"{event.vendor_asset_id}:{event.id}"


async def notify_outages(
    work: Work, vendor: ReconciledVendor, assets: Assets, states: Iterable[VendorState]
) -> datetime | None:
    """Notify of a critical vendor's major incident once it has lasted half an hour.

    Return when a younger one will have.
    """
    due_at = None
    for state in states:
        if vendor.tier is not Tier.CRITICAL or not _is_running(state):
            continue
        if work.now - state.changed_at < _OUTAGE_AFTER:
            due_at = min(filter(None, (due_at, state.changed_at + _OUTAGE_AFTER)))
            continue
        incidents = state.believed.get("incidents") or [state.changed_at.isoformat()]
        await alerts.raise_event(
            work,
            AlertClass.VENDOR_OUTAGE,
            f"{state.vendor_asset_id}:{min(map(str, incidents))}",
            vendor.id,
            "vendor_asset",
            state.vendor_asset_id,
            f"{vendor.name}: a major incident is under way",
            {"Status page": assets[state.vendor_asset_id].name, "Since": f"{state.changed_at:%Y-%m-%d %H:%M} UTC"},
        )

    return due_at


def _is_running(state: VendorState) -> bool:
    """Return True if a major incident is in progress, also among several."""
    if state.rule != "evt.status" or state.verdict not in {Verdict.WARN, Verdict.FAIL}:
        return False
    return state.reason == "running" or bool(state.believed.get("incidents"))


async def notify_exploits(work: Work, vendor: ReconciledVendor) -> None:
    """Hold the vendor's products against the catalogue of exploited vulnerabilities."""
    makers: dict[str, list[str]] = {}
    for product in await reconcile_queries.products(work, vendor.id):
        makers.setdefault(plain(product.maker), []).append(product.product)
    if not makers:
        return
    listed = await reconcile_queries.exploited_of(work.db, sorted(makers), KevItem)
    known = await reconcile_queries.known_exploits(work, vendor.id)
    for hit in evaluate_products(makers, listed, since=work.today - _YEAR):
        if hit.verdict is Verdict.WARN and hit.subject not in known:
            await _notify_exploit(work, vendor, hit.subject, hit.detail, hit.evidence)


async def _notify_exploit(
    work: Work, vendor: ReconciledVendor, cve: str, detail: str, evidence: Mapping[str, Any]
) -> None:
    ransomware = bool(evidence.get("ransomware"))
    opened = await findings.open_for(
        work,
        EXPLOIT_SOURCE,
        uuid5(_NAMESPACE, f"{work.tenant_id} {vendor.id} {cve}"),
        vendor_id=vendor.id,
        severity=FindingSeverity.CRITICAL if ransomware else FindingSeverity.HIGH,
        title=f"{vendor.name} runs a product that is being exploited: {cve}",
        description=f"{detail}\n\n{RULES['kev.product'].remedy}",
    )
    await reconcile_queries.note_exploit(work, vendor.id, cve, opened.id)
    await alerts.raise_event(
        work,
        AlertClass.KNOWN_EXPLOITED,
        f"{vendor.id}:{cve}",
        vendor.id,
        "finding",
        opened.id,
        f"{vendor.name}: {detail}",
        {"Product": str(evidence.get("product", "")), "Known in ransomware": "yes" if ransomware else "no"},
    )


async def _propose(work: Work, vendor: ReconciledVendor, event: Event) -> None:
    named = [(k, name) for k in ("added", "removed", "changed") for name in event.evidence.get(k) or ()]
    details = (event.evidence.get("details") or [])[: len(named)]
    changes = [(*one, detail) for one, detail in zip_longest(named, details, fillvalue="")]
    if changes:
        # The key is the evaluation, not its value: each return of the same value is another change.
        await reconcile_queries.propose(work, vendor.id, event.vendor_asset_id, event.id.bytes, changes)


def _facts(event: Event) -> dict[str, str]:
    shown = {"Rule": event.rule, "Seen": f"{event.evaluated_at:%Y-%m-%d %H:%M} UTC"}
    for key in ("before", "now", "added", "removed", "changed", "issuers", "breach", "classes"):
        value = event.evidence.get(key)
        if value:
            shown[key.capitalize()] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return {key: value[:500] for key, value in shown.items()}
