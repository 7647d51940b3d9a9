"""How the score is made, shown whole, and the lists it is made with."""

from datetime import datetime

from vendorrisk.access.work import Work
from vendorrisk.evaluation.model import Rule
from vendorrisk.evaluation.rules import FACTOR_WEIGHTS, MODEL_VERSION, READERS_CRITERIA, RULES, SCANNER_VERSION
from vendorrisk.evaluation.score import DEFICITS_BP, GRADES
from vendorrisk.feeds.sources import FEEDS, is_enabled
from vendorrisk.settings import Settings
from vendorrisk.signals import api_queries
from vendorrisk.signals.score_model import SignalFeed, SignalFeeds, SignalMethodology, SignalRule
from vendorrisk.signals.service import configured_disabled_rules


async def methodology(work: Work, settings: Settings) -> SignalMethodology:
    paused, disabled_rules = await api_queries.pauses(work), configured_disabled_rules(settings)
    return SignalMethodology(
        model_version=MODEL_VERSION,
        scanner_version=SCANNER_VERSION,
        factor_weights={factor.value: weight for factor, weight in FACTOR_WEIGHTS.items()},
        verdict_deficits_bp={verdict.value: deficit for verdict, deficit in DEFICITS_BP.items()},
        hold=(
            "While a rule is unknown its last known verdict counts for max(72 hours, three cadences of the vendor's"
            " tier). After that it costs the greater of 5000 and its last known deficit. A known fail counts until"
            " it is seen fixed."
        ),
        overall=(
            "Factor = 10000 - sum(weight x deficit) / sum(weight). Overall = (3 x weighted mean + the worst factor of"
            " weight 10 or more) / 4, lowered to the caps of failing rules of 80 % confidence or more."
        ),
        coverage="No number (NR) below half of the applicable weight. Below four fifths, the score is 89 at most.",
        grades={grade: least for least, grade in GRADES},
        readers_criteria=list(READERS_CRITERIA),
        rules=[_rule(rule, is_enabled=rule.id not in disabled_rules, paused=paused) for rule in RULES.values()],
    )


def _rule(rule: Rule, *, is_enabled: bool, paused: dict[str, datetime]) -> SignalRule:
    return SignalRule(
        id=rule.id,
        factor=rule.factor.value,
        scan_kind=rule.group,
        scope=rule.scope.value,
        observes=rule.observes,
        remedy=rule.remedy,
        cadence_hours=rule.cadence_hours,
        severity=rule.severity,
        weight=rule.weight,
        confidence_percent=rule.confidence_percent,
        cap=rule.cap,
        criteria=list(rule.criteria),
        is_enabled=is_enabled,
        disabled_reason="" if is_enabled else rule.disabled_reason or "Its source is not configured.",
        paused_until=paused.get(rule.id),
    )


async def feeds(work: Work, settings: Settings) -> SignalFeeds:
    """Return the lists with their age and owner."""
    known = {feed.feed: feed for feed in await api_queries.feeds(work)}
    items = []
    for name, kind in FEEDS.items():
        feed, on = known.get(name), is_enabled(name, settings)
        items.append(
            SignalFeed(
                feed=name,
                is_enabled=on,
                disabled_reason="" if on else kind.disabled_reason or "Its address is not set.",
                attribution=kind.attribution,
                version="" if feed is None else feed.version,
                checked_at=None if feed is None else feed.checked_at,
                fetched_at=None if feed is None else feed.fetched_at,
                failure=None if feed is None else feed.failure,
                item_count=0 if feed is None else feed.item_count,
            )
        )
    return SignalFeeds(items)
