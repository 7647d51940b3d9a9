"""One scan from the shell: everything that is seen of a domain, evaluated and scored, with nothing stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from vendorrisk.db.pool import Database
from vendorrisk.errors import Code, Refusal
from vendorrisk.evaluation import evaluate, rules
from vendorrisk.evaluation.evaluate import Datasets
from vendorrisk.evaluation.model import AssetKind, Evaluation, ScanKind, Score, ScoreInput
from vendorrisk.evaluation.results import worst
from vendorrisk.evaluation.score import score
from vendorrisk.feeds import reading as feed_reading
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.feeds.feed_observations import BreachObservation
from vendorrisk.probes.feeds.feed_parser import Breach
from vendorrisk.probes.observation import Unknown
from vendorrisk.probes.scanner import Scanner
from vendorrisk.settings import Settings
from vendorrisk.signals import schedule
from vendorrisk.signals.collectors import Collector, OptedOutError


class Checked(msgspec.Struct, frozen=True):
    """The results of one scan of a domain."""

    domain: str
    at: datetime
    evaluations: tuple[Evaluation, ...]
    score: Score


async def check(
    domain: str,
    *,
    scanner: Scanner,
    settings: Settings,
    now: datetime,
    datasets: Datasets,
    disabled_rules: frozenset[str],
    registries: Mapping[str, str] | None = None,
) -> Checked:
    """Scan a domain once, or refuse one that does not exist.

    Seen once only: a watched vendor's findings need to be seen twice.
    """
    names = await scanner.dns(domain, (f"www.{domain}",), with_contact=False)
    if Answers(names.answers).get(domain, "NS").outcome == "nxdomain":
        raise Refusal(Code.NOT_FOUND, f"{domain} does not exist: its name servers say so.")
    found: list[Evaluation] = []
    if registries is None:
        registries = await _registries(scanner, settings)
    collector = Collector(scanner, settings, registries, Database(settings))
    opted_out = False
    # Web scans come first: they read robots.txt.
    for group in sorted(schedule.groups_of(AssetKind.DOMAIN), key=lambda group: group is not ScanKind.HTTP):
        if group is ScanKind.FEEDS:
            observation = BreachObservation(domain=domain, breaches=await _breaches(scanner, settings, domain))
            found += evaluate.evaluate(observation, now=now, datasets=datasets)
        elif opted_out and group in schedule.ON_THEIR_MACHINES:
            found += evaluate.all_unknown(AssetKind.DOMAIN, group, "opt_out")
        elif group is not ScanKind.DNS:
            try:
                seen = await collector.scan(AssetKind.DOMAIN, domain, group, now, is_opted_out=opted_out)
                found += evaluate.evaluate(seen, now=now, datasets=datasets)
            except OptedOutError:
                opted_out = True
                found += evaluate.all_unknown(AssetKind.DOMAIN, group, "opt_out")
    if not opted_out:  # now that robots.txt was read
        names = await scanner.dns(domain, (f"www.{domain}",))
    found += evaluate.evaluate(names, now=now, datasets=datasets)
    return Checked(domain, now, tuple(found), _scored(domain, found, now, disabled_rules))


def _scored(domain: str, found: Sequence[Evaluation], now: datetime, disabled_rules: frozenset[str]) -> Score:
    """Score the results of one scan, by the worst verdict of each rule."""
    worst_of = worst(found)
    inputs = [
        ScoreInput(
            rule=rule.id,
            asset=domain,
            verdict=worst_of[rule.id].verdict,
            known=worst_of[rule.id].verdict,
            known_at=now,
            confidence_percent=worst_of[rule.id].confidence_percent,
            cap=worst_of[rule.id].cap,
        )
        for rule in rules.rules_of(AssetKind.DOMAIN)
        if rule.id in worst_of
    ]
    return score(inputs, now=now, disabled_rules=disabled_rules)


async def _registries(scanner: Scanner, settings: Settings) -> Mapping[str, str]:
    """Fetch the RDAP bootstrap. Without it, registrations are requested by WHOIS."""
    response = await scanner.feed(settings.signal_rdap_url, etag="", last_modified="")
    if isinstance(response, Unknown):
        return {}
    found = await scanner.read(feed_reading.registries, response.body, about="rdap")
    return found if isinstance(found, dict) else {}


async def _breaches(scanner: Scanner, settings: Settings, domain: str) -> tuple[Breach, ...] | Unknown:
    if not settings.signal_hibp_url:
        return Unknown(reason="feed_off")
    response = await scanner.feed(settings.signal_hibp_url, etag="", last_modified="")
    if isinstance(response, Unknown):
        return response
    found = await scanner.read(feed_reading.breaches, response.body, about="hibp")
    return found if isinstance(found, Unknown) else tuple(one for one in found if one.domain == domain)
