"""Operations on watched assets, and reads of observations, evaluations and scores."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Change, Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.egress.hosts import normalise_host
from vendorrisk.egress.reasons import EgressError
from vendorrisk.errors import Code, Refusal
from vendorrisk.evaluation.model import AssetKind, Score, ScoreDeduction, ScoreInput, SignalFactorScore
from vendorrisk.evaluation.rules import MODEL_VERSION, PAGES, RULES, default_disabled_rules, switched_on
from vendorrisk.evaluation.score import score, top_deductions
from vendorrisk.findings import service as findings
from vendorrisk.settings import Settings
from vendorrisk.signals import api_queries, schedule
from vendorrisk.signals.asset_model import (
    AssetSuggestion,
    AssetSuggestions,
    FindingSignalDetail,
    NewVendorAsset,
    PastEvaluation,
    RefreshRequested,
    Signal,
    SignalObservation,
    VendorAsset,
    VendorAssetChanges,
)
from vendorrisk.signals.score_model import LatestSignalScore, ScoreReplay, SignalScore, SignalScoreSummary, Snapshot
from vendorrisk.vendors.model import Vendor
from vendorrisk.vendors.service import vendor

ENROL, RECONCILE, SCAN = "enrol_assets", "reconcile_vendors", "scan_vendors"
"""The names of the jobs, for nudges."""

MOST_ASSETS = 200
_SCORECARDS = "securityscorecards.dev"
_REPOSITORY = re.compile(r"https://(?:github|gitlab)\.com/[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}")
_HTTPS_PORTS = (None, 443)
_LISTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"signal_hibp_url": ("evt.breach", "evt.breach_unverified"), "signal_kev_url": ("kev.product",)}
)
"""Setting with the address of a list → the rules that need the list."""


def configured_disabled_rules(settings: Settings) -> frozenset[str]:
    """Return the rules that do not count here: off by default, or missing the source they need."""
    wanted = set(switched_on(settings.signal_rules_on))
    if settings.signal_ct_url:
        wanted.add("tls.ct_issuer")
    if not settings.signal_exposure_url:
        wanted -= {rule for rule in RULES if rule.startswith("exp.")}
    unlisted = {rule for setting, rules in _LISTS.items() if not getattr(settings, setting) for rule in rules}
    return default_disabled_rules(wanted) | unlisted


# Assets


async def assets(work: Work, vendor_id: UUID, page: PageRequest) -> Page[VendorAsset]:
    await vendor(work, vendor_id)
    return await work.page(api_queries.LIST_ASSETS, page.within("vendor_id", vendor_id))


async def all_assets(work: Work, page: PageRequest) -> Page[VendorAsset]:
    return await work.page(api_queries.LIST_ASSETS, page)


async def asset(work: Work, asset_id: UUID) -> VendorAsset:
    return found(await api_queries.find_asset(work, asset_id))


async def attach(work: Work, vendor_id: UUID, new: NewVendorAsset, *, test_names: bool) -> VendorAsset:
    """Attach an asset to a vendor. It is scanned within minutes, unless it was scanned within the hour."""
    await vendor(work, vendor_id)
    if await api_queries.count_assets(work, vendor_id) >= MOST_ASSETS:
        raise Refusal(Code.ASSETS_TOO_MANY, f"A vendor has {MOST_ASSETS} assets at most. Remove some first.")
    name, registrable_domain = normalised_name(new, test_names=test_names)
    public_id = schedule.asset_id(new.kind, name)
    attached = await api_queries.attach(
        work, vendor_id, public_id, new.kind, name, registrable_domain, is_primary=new.is_primary
    )
    changes = await _demoted(work, vendor_id, attached.id) if new.is_primary else []
    await api_queries.want_reconciliation(work, vendor_id)
    target = Target("vendor_asset", attached.id)
    await audit.record_all(work, [*changes, Change(Action.VENDOR_ASSET_ATTACHED, target, after=attached)])
    work.nudge(ENROL)
    return attached


async def change_asset(work: Work, asset_id: UUID, changes: VendorAssetChanges, expected: int) -> VendorAsset:
    before = found(await api_queries.lock_asset(work, asset_id))
    check_version(before, expected)
    if changes.is_primary == before.is_primary:
        return before
    made = await _demoted(work, before.vendor_id, asset_id) if changes.is_primary else []
    after = await api_queries.update_asset(work, asset_id, is_primary=changes.is_primary)
    await api_queries.want_reconciliation(work, before.vendor_id)
    target = Target("vendor_asset", asset_id)
    await audit.record_all(work, [*made, Change(Action.VENDOR_ASSET_CHANGED, target, before, after)])
    work.nudge(RECONCILE)
    return after


async def _demoted(work: Work, vendor_id: UUID, asset_id: UUID) -> list[Change]:
    """Make an asset the only primary one of its vendor. Return the changes of other assets."""
    made = []
    for before in await api_queries.lock_other_primaries(work, vendor_id, asset_id):
        after = await api_queries.update_asset(work, before.id, is_primary=False)
        made.append(Change(Action.VENDOR_ASSET_CHANGED, Target("vendor_asset", before.id), before, after))
    return made


async def remove_asset(work: Work, asset_id: UUID, expected: int) -> None:
    """Detach an asset from a vendor. Its findings are closed, and its observations stay."""
    before = found(await api_queries.lock_asset(work, asset_id))
    check_version(before, expected)
    await api_queries.remove_asset(work, asset_id)
    await api_queries.want_reconciliation(work, before.vendor_id)
    await audit.record(work, Action.VENDOR_ASSET_REMOVED, Target("vendor_asset", asset_id), before=before)
    work.nudge(RECONCILE)


def normalised_name(new: NewVendorAsset, *, test_names: bool) -> tuple[str, str]:
    """Return the normalised name and its registrable domain, or refuse a name that can never be scanned.

    Addresses, private and special names, homographs that do not survive UTS 46, wildcards: `egress.hosts` gives the
    reasons.
    """
    try:
        if new.kind is AssetKind.REPOSITORY:
            return _repository(new.name)
        if new.kind in PAGES:
            return _page(new.name, test_names=test_names)
        host = normalise_host(new.name, test_names=test_names)
    except (EgressError, ValueError) as error:
        detail = error.detail if isinstance(error, EgressError) else "it cannot be read"
        raise _refused(f"Send a public name: {detail}.") from None
    registrable_domain = schedule.registrable_domain_of(host)
    if new.kind is AssetKind.DOMAIN and registrable_domain != host:
        raise _refused(
            f"{host} is a host of {registrable_domain}: attach it as a host, or attach {registrable_domain}."
        )
    return host, registrable_domain


def _repository(url: str) -> tuple[str, str]:
    """Return a repository's address, and the place where its Scorecard is asked for."""
    if _REPOSITORY.fullmatch(url) is None:
        raise _refused("Send the address of a repository, such as https://github.com/owner/name.")
    return url, _SCORECARDS


def _page(url: str, *, test_names: bool) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.scheme != "https" or "@" in parts.netloc or parts.port not in _HTTPS_PORTS:
        raise _refused("Send an https address without user name and port.")
    if not url.isascii() or any(ord(c) <= ord(" ") or c in '\\\x7f"<>' for c in url):
        raise _refused("Leave out blanks, and write other characters percent-encoded.")
    host = normalise_host(parts.hostname or "", test_names=test_names)
    query = f"?{parts.query}" if parts.query else ""
    return f"https://{host}{parts.path or '/'}{query}", schedule.registrable_domain_of(host)


def _refused(detail: str) -> Refusal:
    return Refusal(Code.ASSET_INVALID, detail, pointer="/name")


async def suggestions(work: Work, vendor_id: UUID) -> AssetSuggestions:
    """Return other names that may be the vendor's: recorded domains, and certificates' names under the same domains."""
    await vendor(work, vendor_id)
    first = PageRequest(api_queries.ASSETS, limit=MOST_ASSETS)
    known = await work.page(api_queries.LIST_ASSETS, first.within("vendor_id", vendor_id))
    names, domains = {a.name for a in known.items}, {a.registrable_domain for a in known.items}
    recorded = await api_queries.domains_recorded(work, vendor_id)
    seen = await api_queries.names_seen(work, vendor_id)
    found_names = [
        *(AssetSuggestion(_kind(name), name, "vendor_record") for name in recorded),
        *(AssetSuggestion(_kind(name), name, "certificate") for name in _attachable(seen, domains)),
    ]
    return AssetSuggestions([each for each in found_names if each.name not in names])


def _kind(name: str) -> AssetKind:
    return AssetKind.DOMAIN if schedule.registrable_domain_of(name) == name else AssetKind.HOST


def _attachable(names: Iterable[str], domains: set[str]) -> Iterable[str]:
    """Return the names that stand for a single host (no wildcard) under a watched domain."""
    return (name for name in names if not name.startswith("*.") and schedule.registrable_domain_of(name) in domains)


async def refresh(work: Work, vendor_id: UUID) -> RefreshRequested:
    """Ask for a scan of everything of a vendor that was not scanned within the hour."""
    await vendor(work, vendor_id)
    all_of_it = await api_queries.count_assets(work, vendor_id)
    requested = await api_queries.request_scans(work, vendor_id)
    result = RefreshRequested(requested=requested, recent=all_of_it - requested)
    await audit.record(work, Action.VENDOR_SIGNALS_REFRESH_REQUESTED, Target("vendor", vendor_id), after=result)
    work.nudge(ENROL)
    return result


# Observations and evaluations


async def signals(work: Work, vendor_id: UUID, page: PageRequest) -> Page[Signal]:
    await vendor(work, vendor_id)
    return await work.page(api_queries.LIST_SIGNALS, page, vendor_id)


async def history(work: Work, vendor_id: UUID, page: PageRequest) -> Page[PastEvaluation]:
    await vendor(work, vendor_id)
    return await work.page(api_queries.LIST_EVALUATIONS, page, vendor_id)


async def observation(work: Work, observation_id: UUID) -> SignalObservation:
    stored = found(await api_queries.find_observation(work, observation_id))
    return SignalObservation(
        id=stored.id,
        asset_id=stored.asset_id,
        scan_kind=stored.scan_kind,
        observed_at=stored.observed_at,
        observation=msgspec.json.decode(stored.raw),
        hash=stored.raw_hash.hex(),
        previous_hash=None if stored.previous_hash is None else stored.previous_hash.hex(),
        scanner_version=stored.scanner_version,
        datasets=stored.datasets,
    )


async def signal_of(work: Work, finding_id: UUID) -> FindingSignalDetail:
    """Return the evidence of a finding. A finding that no signal opened is refused with its own code."""
    stored = await api_queries.find_signal(work, finding_id)
    if stored is None:
        await findings.finding(work, finding_id)
        raise Refusal(Code.FINDING_WITHOUT_SIGNAL, "No outside signal opened this finding. Read the finding itself.")
    rule = RULES.get(stored.rule)
    seen_on = (stored.opened_on, stored.seen_on)
    return FindingSignalDetail(
        finding_id=stored.finding_id,
        vendor_id=stored.vendor_id,
        vendor_name=stored.vendor_name,
        vendor_asset_id=stored.vendor_asset_id,
        asset_name=stored.asset_name,
        rule=stored.rule,
        subject=stored.subject,
        criteria=list(rule.criteria) if rule is not None else [],
        remedy=rule.remedy if rule is not None else "",
        model_version=stored.model_version,
        observation_ids=list(dict.fromkeys(one for one in seen_on if one is not None)),
        first_seen_at=stored.opened_at,
        last_seen_at=stored.last_seen_at,
        gone_at=stored.closed_at,
        verdict=stored.verdict,
        reason=stored.reason,
        detail=stored.detail,
        evidence=stored.evidence,
    )


# Scores


async def current_score(work: Work, vendor_id: UUID) -> SignalScore:
    """Return the vendor's current score. Until there is one, the number is missing and the reason given."""
    watched = await vendor(work, vendor_id)
    latest = await api_queries.current(work, vendor_id)
    if latest is None or latest.snapshot_id is None:
        return _no_score(watched, is_watched=await api_queries.count_assets(work, vendor_id) > 0)
    return await past_score(work, latest.snapshot_id)


async def latest_scores(work: Work, page: PageRequest) -> Page[LatestSignalScore]:
    return await work.page(api_queries.LIST_LATEST_SCORES, page)


async def past_scores(work: Work, vendor_id: UUID, page: PageRequest) -> Page[SignalScoreSummary]:
    await vendor(work, vendor_id)
    return await work.page(api_queries.LIST_SNAPSHOTS, page, vendor_id)


async def past_score(work: Work, snapshot_id: UUID) -> SignalScore:
    return _shown(found(await api_queries.find_snapshot(work, snapshot_id)))


async def replay(work: Work, snapshot_id: UUID) -> ScoreReplay:
    """Compute a past score again from its stored inputs, by the methodology it names."""
    stored = found(await api_queries.find_snapshot(work, snapshot_id))
    if stored.model_version != MODEL_VERSION:
        detail = f"It was made by {stored.model_version}; this release computes {MODEL_VERSION}."
        raise Refusal(Code.SCORE_NOT_REPLAYABLE, detail)
    inputs = msgspec.convert(stored.inputs["inputs"], list[ScoreInput])
    again = score(inputs, now=stored.scored_at, disabled_rules=frozenset(stored.inputs["disabled_rules"]))
    return ScoreReplay(
        id=stored.id,
        model_version=stored.model_version,
        stored_number=stored.result["number"],
        replayed_number=again.number,
        is_same=again == msgspec.convert(stored.result, Score),
        input_count=len(inputs),
    )


def _no_score(vendor: Vendor, *, is_watched: bool) -> SignalScore:
    return SignalScore(
        id=None,
        vendor_id=vendor.id,
        vendor_name=vendor.name,
        scored_at=None,
        model_version=MODEL_VERSION,
        reason="not_scored_yet" if is_watched else "not_watched",
        score=None,
        grade="NR",
        number=None,
        low=None,
        high=None,
        coverage_bp=0,
        confidence_percent=0,
        factors=[],
        top_deductions=[],
        deductions=[],
        caps=[],
        suppressed=[],
        score_unsuppressed=None,
        disabled_rules=[],
        previous_number=None,
        previous_model_version=None,
    )


def _shown(stored: Snapshot) -> SignalScore:
    result = msgspec.convert(stored.result, Score)
    factors: list[SignalFactorScore] = list(result.factors)
    deductions: list[ScoreDeduction] = list(result.deductions)
    return SignalScore(
        id=stored.id,
        vendor_id=stored.vendor_id,
        vendor_name=stored.vendor_name,
        scored_at=stored.scored_at,
        model_version=stored.model_version,
        reason=stored.reason,
        score=result.score,
        grade=result.grade,
        number=result.number,
        low=result.low,
        high=result.high,
        coverage_bp=result.coverage_bp,
        confidence_percent=result.confidence_percent,
        factors=factors,
        top_deductions=list(top_deductions(result)),
        deductions=deductions,
        caps=list(result.caps),
        suppressed=list(result.suppressed),
        score_unsuppressed=result.score_unsuppressed,
        disabled_rules=list(result.disabled_rules),
        previous_number=stored.previous_number,
        previous_model_version=stored.previous_model_version,
    )
