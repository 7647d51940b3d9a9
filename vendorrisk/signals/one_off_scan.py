"""One look from the shell: everything that is seen of a domain, judged and scored, with nothing stored."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from vendorrisk.db.pool import Database
from vendorrisk.errors import Code, Refusal
from vendorrisk.evaluation import evaluate, rules
from vendorrisk.evaluation.evaluate import Datasets
from vendorrisk.evaluation.model import AssetKind, Group, Judgement, Score, Standing
from vendorrisk.evaluation.results import worst
from vendorrisk.evaluation.score import score
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.feeds import feed_parser
from vendorrisk.probes.feeds.feed_observations import BreachLook
from vendorrisk.probes.feeds.feed_parser import Breach, FeedError
from vendorrisk.probes.observation import Unseen
from vendorrisk.probes.registration import rdap
from vendorrisk.probes.registration.rdap import RdapError
from vendorrisk.probes.scanner import Looks
from vendorrisk.settings import Settings
from vendorrisk.signals import schedule
from vendorrisk.signals.collectors import Collector, OptedOutError


class Checked(msgspec.Struct, frozen=True):
    """What one look at a domain brought."""

    domain: str
    at: datetime
    judgements: tuple[Judgement, ...]
    score: Score


async def check(
    domain: str,
    *,
    looks: Looks,
    settings: Settings,
    now: datetime,
    datasets: Datasets,
    off: frozenset[str],
    registries: Mapping[str, str] | None = None,
) -> Checked:
    """Look once at a domain, or refuse one that does not exist.

    Seen once only: a watched vendor's findings need to be seen twice.
    """
    names = await looks.dns(domain, (f"www.{domain}",), with_visits=False)
    if Answers(names.answers).get(domain, "NS").outcome == "nxdomain":
        raise Refusal(Code.NOT_FOUND, f"{domain} does not exist: its name servers say so.")
    found: list[Judgement] = []
    if registries is None:
        registries = await _registries(looks, settings)
    collector = Collector(looks, settings, registries, Database(settings))
    opted_out = False
    # Web looks come first: they read robots.txt.
    for group in sorted(schedule.groups_of(AssetKind.DOMAIN), key=lambda group: group is not Group.HTTP):
        if group is Group.FEEDS:
            look = BreachLook(domain=domain, breaches=await _breaches(looks, settings, domain))
            found += evaluate.judge(look, now=now, datasets=datasets)
        elif opted_out and group in schedule.ON_THEIR_MACHINES:
            found += evaluate.blind(AssetKind.DOMAIN, group, "opt_out")
        elif group is not Group.DNS:
            try:
                seen = await collector.look(AssetKind.DOMAIN, domain, group, now, is_opted_out=opted_out)
                found += evaluate.judge(seen, now=now, datasets=datasets)
            except OptedOutError:
                opted_out = True
                found += evaluate.blind(AssetKind.DOMAIN, group, "opt_out")
    if not opted_out:  # now that robots.txt was read
        names = await looks.dns(domain, (f"www.{domain}",))
    found += evaluate.judge(names, now=now, datasets=datasets)
    return Checked(domain, now, tuple(found), _scored(domain, found, now, off))


def _scored(domain: str, found: Sequence[Judgement], now: datetime, off: frozenset[str]) -> Score:
    """Score what one look said, the worst of each rule."""
    worst_of = worst(found)
    standings = [
        Standing(
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
    return score(standings, now=now, off=off)


async def _registries(looks: Looks, settings: Settings) -> Mapping[str, str]:
    """Fetch the RDAP bootstrap; without it registrations are asked for by WHOIS."""
    answer = await looks.feed(settings.signal_rdap_url, etag="", last_modified="")
    if isinstance(answer, Unseen):
        return {}
    try:
        return rdap.read_bootstrap(answer.body)
    except RdapError:
        return {}


async def _breaches(looks: Looks, settings: Settings, domain: str) -> tuple[Breach, ...] | Unseen:
    if not settings.signal_hibp_url:
        return Unseen(reason="feed_off")
    answer = await looks.feed(settings.signal_hibp_url, etag="", last_modified="")
    if isinstance(answer, Unseen):
        return answer
    try:
        return tuple(one for one in feed_parser.read_breaches(answer.body) if one.domain == domain)
    except FeedError as error:
        return Unseen(reason=str(error.args[0]))
