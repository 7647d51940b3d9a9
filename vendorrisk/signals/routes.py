"""Watched assets, their observations, evaluations and scores."""

from typing import Any
from uuid import UUID

from litestar import Request, Router
from litestar.params import FromPath, JSONBody

from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.bulk import bulk, part
from vendorrisk.db.paging import Page
from vendorrisk.errors import Code
from vendorrisk.http.app_state import Service
from vendorrisk.http.dependencies import ExpectedVersion, InTransactions, InWork, ListPage, TheService
from vendorrisk.http.file_bodies import received_file
from vendorrisk.http.places import in_turn
from vendorrisk.http.routing import acts, changes, creates, lists, reads, removes
from vendorrisk.signals import api_queries, methodology, products, ratings, subprocessors
from vendorrisk.signals import service as watching
from vendorrisk.signals.asset_model import (
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
from vendorrisk.signals.score_model import (
    LatestSignalScore,
    ScoreReplay,
    SignalFeeds,
    SignalMethodology,
    SignalScore,
    SignalScoreSummary,
)
from vendorrisk.signals.supply_chain_model import (
    NewSubprocessorDecision,
    NewVendorProduct,
    RatingsImported,
    SubprocessorChange,
    VendorProduct,
    VendorProductChanges,
    VendorRating,
)

_READ, _WRITE = Permission.SIGNALS_READ, Permission.SIGNALS_WRITE
_MOST_RATINGS_BYTES = 16 * 1024 * 1024
_RATINGS = ("text/csv", "application/json")


@lists("/vendors/{vendor_id:uuid}/assets", _READ, api_queries.ASSETS)
async def list_vendor_assets(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[VendorAsset]:
    """Return a vendor's scanned assets: recorded domains, the `www` of domains, and assets that people attached."""
    return await watching.assets(work, vendor_id, page)


@lists("/vendor-assets", _READ, api_queries.ASSETS)
async def list_all_assets(work: InWork, page: ListPage) -> Page[VendorAsset]:
    """List the assets of all vendors."""
    return await watching.all_assets(work, page)


@creates(
    "/vendors/{vendor_id:uuid}/assets",
    _WRITE,
    at="/v1/vendor-assets/{id}",
    refuses=[Code.ASSET_INVALID, Code.ASSET_ATTACHED, Code.ASSETS_TOO_MANY],
    example={"kind": "domain", "name": "example.com", "is_primary": True},
)
async def add_vendor_asset(
    work: InWork, service: TheService, vendor_id: FromPath[UUID], data: JSONBody[NewVendorAsset]
) -> VendorAsset:
    """Attach a domain, host or page. It is scanned within minutes and then on its schedule."""
    return await watching.attach(work, vendor_id, data, test_names=bool(service.settings.egress_test_networks))


class AttachedAsset(NewVendorAsset, kw_only=True):
    """An asset, and the vendor it belongs to."""

    vendor_id: UUID


@bulk(
    "/vendor-assets/bulk-additions",
    _WRITE,
    example=[{"vendor_id": "018f2f6e-8d2a-7c31-9d50-6b0d2f3c1a10", "kind": "domain", "name": "example.com"}],
)
async def add_vendor_assets(work: Work, item: AttachedAsset, service: Service) -> VendorAsset:
    """Attach up to 200 domains, hosts or pages. Each is attached or rejected alone."""
    new, test_names = part(item, NewVendorAsset), bool(service.settings.egress_test_networks)
    return await watching.attach(work, item.vendor_id, new, test_names=test_names)


@reads("/vendor-assets/{asset_id:uuid}", _READ)
async def get_vendor_asset(work: InWork, asset_id: FromPath[UUID]) -> VendorAsset:
    """Return a watched asset."""
    return await watching.asset(work, asset_id)


@changes("/vendor-assets/{asset_id:uuid}", _WRITE, example={"is_primary": True})
async def change_vendor_asset(
    work: InWork, expected: ExpectedVersion, asset_id: FromPath[UUID], data: JSONBody[VendorAssetChanges]
) -> VendorAsset:
    """Set or clear the vendor's main asset, whose TLS and web signals no average softens."""
    return await watching.change_asset(work, asset_id, data, expected)


@removes("/vendor-assets/{asset_id:uuid}", _WRITE)
async def remove_vendor_asset(work: InWork, expected: ExpectedVersion, asset_id: FromPath[UUID]) -> None:
    """Detach an asset. Its findings are closed. A recorded domain or `www` that is removed here stays removed."""
    await watching.remove_asset(work, asset_id, expected)


@reads("/vendors/{vendor_id:uuid}/asset-suggestions", _READ)
async def get_asset_suggestions(work: InWork, vendor_id: FromPath[UUID]) -> AssetSuggestions:
    """Return other assets that may be the vendor's. They are scanned only after a person attaches them."""
    return await watching.suggestions(work, vendor_id)


@acts("/vendors/{vendor_id:uuid}/signals/refreshes", _WRITE, match=False, status_code=202)
async def refresh_vendor_signals(work: InWork, vendor_id: FromPath[UUID]) -> RefreshRequested:
    """Request a scan now. Assets that were scanned within the hour are not scanned again."""
    return await watching.refresh(work, vendor_id)


@lists("/vendors/{vendor_id:uuid}/signals", _READ, api_queries.SIGNALS)
async def list_vendor_signals(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[Signal]:
    """Return each rule's state on each asset, with evidence, or the reason why it is unknown."""
    return await watching.signals(work, vendor_id, page)


@lists("/vendors/{vendor_id:uuid}/signals/history", _READ, api_queries.EVALUATIONS)
async def list_vendor_signal_history(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[PastEvaluation]:
    """Return all changes with their times, since each asset was attached."""
    return await watching.history(work, vendor_id, page)


@reads("/signal-observations/{observation_id:uuid}", _READ)
async def get_signal_observation(work: InWork, observation_id: FromPath[UUID]) -> SignalObservation:
    """Return the raw observation that evaluations rest on."""
    return await watching.observation(work, observation_id)


@reads("/findings/{finding_id:uuid}/signal", _READ, refuses=[Code.FINDING_WITHOUT_SIGNAL])
async def get_finding_signal(work: InWork, finding_id: FromPath[UUID]) -> FindingSignalDetail:
    """Return the evidence of a finding of external signals: its rule, its observations, their times."""
    return await watching.signal_of(work, finding_id)


@reads("/vendors/{vendor_id:uuid}/signal-score", _READ)
async def get_signal_score(work: InWork, vendor_id: FromPath[UUID]) -> SignalScore:
    """Return the score with every deduction that led to it. Unknown is never good.

    A vendor that has no score yet is answered with a null `score` and `number`, and `reason` says why.
    """
    return await watching.current_score(work, vendor_id)


@lists("/signal-scores", _READ, api_queries.LATEST_SCORES)
async def list_latest_signal_scores(work: InWork, page: ListPage) -> Page[LatestSignalScore]:
    """List the present score of each vendor that has one, lowest number first."""
    return await watching.latest_scores(work, page)


@lists("/vendors/{vendor_id:uuid}/signal-scores", _READ, api_queries.SNAPSHOTS)
async def list_signal_scores(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[SignalScoreSummary]:
    """Return past scores: one for each change, and one a week."""
    return await watching.past_scores(work, vendor_id, page)


@reads("/signal-scores/{score_id:uuid}", _READ)
async def get_past_signal_score(work: InWork, score_id: FromPath[UUID]) -> SignalScore:
    """Return an earlier score with its parts."""
    return await watching.past_score(work, score_id)


@reads("/signal-scores/{score_id:uuid}/replay", _READ, refuses=[Code.SCORE_NOT_REPLAYABLE])
async def get_signal_score_replay(work: InWork, score_id: FromPath[UUID]) -> ScoreReplay:
    """Compute a past score again from its stored inputs, and return whether it is the same."""
    return await watching.replay(work, score_id)


@reads("/signal-methodology", _READ)
async def get_signal_methodology(work: InWork, service: TheService) -> SignalMethodology:
    """Return every rule, weight and constant of the score, which rules are off, and why."""
    return await methodology.methodology(work, service.settings)


@reads("/signal-feeds", _READ)
async def get_signal_feeds(work: InWork, service: TheService) -> SignalFeeds:
    """Return the lists that are joined with vendors, with age and owner of each."""
    return await methodology.feeds(work, service.settings)


@lists("/vendors/{vendor_id:uuid}/products", _READ, api_queries.PRODUCTS)
async def list_vendor_products(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[VendorProduct]:
    """List the products that a vendor runs."""
    return await products.products(work, vendor_id, page)


@lists("/vendor-products", _READ, api_queries.PRODUCTS)
async def list_all_products(work: InWork, page: ListPage) -> Page[VendorProduct]:
    """List the products of all vendors."""
    return await products.all_products(work, page)


@creates(
    "/vendors/{vendor_id:uuid}/products",
    _WRITE,
    at="/v1/vendor-products/{id}",
    refuses=[Code.PRODUCT_NOTED, Code.PRODUCT_NAMELESS],
    example={"maker": "Ivanti", "product": "Connect Secure"},
)
async def add_vendor_product(
    work: InWork, vendor_id: FromPath[UUID], data: JSONBody[NewVendorProduct]
) -> VendorProduct:
    """Record a product that the vendor runs. It is compared with CISA's catalogue of exploited vulnerabilities."""
    return await products.note_product(work, vendor_id, data)


@reads("/vendor-products/{product_id:uuid}", _READ)
async def get_vendor_product(work: InWork, product_id: FromPath[UUID]) -> VendorProduct:
    """Return a product that a vendor runs."""
    return await products.product(work, product_id)


@changes(
    "/vendor-products/{product_id:uuid}",
    _WRITE,
    refuses=[Code.PRODUCT_NAMELESS, Code.PRODUCT_NOTED],
    example={"product": "Policy Secure"},
)
async def change_vendor_product(
    work: InWork, expected: ExpectedVersion, product_id: FromPath[UUID], data: JSONBody[VendorProductChanges]
) -> VendorProduct:
    """Correct a product that a vendor runs. It is compared with the catalogue of exploited vulnerabilities again."""
    return await products.change_product(work, product_id, data, expected)


@removes("/vendor-products/{product_id:uuid}", _WRITE)
async def remove_vendor_product(work: InWork, expected: ExpectedVersion, product_id: FromPath[UUID]) -> None:
    """Remove a product from a vendor."""
    await products.remove_product(work, product_id, expected)


@lists("/vendors/{vendor_id:uuid}/subprocessor-changes", _READ, api_queries.CHANGES)
async def list_subprocessor_changes(
    work: InWork, vendor_id: FromPath[UUID], page: ListPage
) -> Page[SubprocessorChange]:
    """Return changes seen on the vendor's list of sub-processors, proposed as changes to its fourth parties."""
    return await subprocessors.subprocessor_changes(work, vendor_id, page)


@lists("/subprocessor-changes", _READ, api_queries.CHANGES)
async def list_all_subprocessor_changes(work: InWork, page: ListPage) -> Page[SubprocessorChange]:
    """List the changes seen on the sub-processor lists of all vendors."""
    return await products.all_subprocessor_changes(work, page)


@reads("/subprocessor-changes/{change_id:uuid}", _READ)
async def get_subprocessor_change(work: InWork, change_id: FromPath[UUID]) -> SubprocessorChange:
    """Return a change to a vendor's list of sub-processors."""
    return await subprocessors.subprocessor_change(work, change_id)


@acts(
    "/subprocessor-changes/{change_id:uuid}/decision",
    _WRITE,
    refuses=[Code.SUBPROCESSOR_CHANGE_DECIDED, Code.FOURTH_PARTY_NAME_TAKEN],
    example={"decision": "accept"},
)
async def decide_subprocessor_change(
    work: InWork, expected: ExpectedVersion, change_id: FromPath[UUID], data: JSONBody[NewSubprocessorDecision]
) -> SubprocessorChange:
    """Take a change over into the vendor's fourth parties, or dismiss it."""
    return await subprocessors.decide(work, change_id, data, expected)


@lists("/vendors/{vendor_id:uuid}/ratings", _READ, api_queries.RATINGS)
async def list_vendor_ratings(work: InWork, vendor_id: FromPath[UUID], page: ListPage) -> Page[VendorRating]:
    """Return ratings that others gave, beside our score and never inside it."""
    return await ratings.ratings(work, vendor_id, page)


@acts(
    "/vendor-rating-imports",
    _WRITE,
    match=False,
    refuses=[Code.FILE_EMPTY, Code.FILE_PART_INVALID, Code.RATINGS_UNREADABLE],
    raw=_RATINGS,
    file_example="domain,provider,date,score\nacme.example,Example Ratings,2026-01-31,87\n",
    example=[{"domain": "acme.example", "provider": "Example Ratings", "date": "2026-01-31", "score": 87}],
)
async def import_vendor_ratings(
    request: Request[Any, Any, Any], transactions: InTransactions, service: TheService
) -> RatingsImported:
    """Send ratings as CSV (domain, provider, date, score, grade) or as the JSON list that rating services document.

    An invalid row refuses the whole file. Sending the same file again changes nothing.
    """
    async with (
        received_file(request, most=_MOST_RATINGS_BYTES, accepted=_RATINGS) as sent,
        in_turn(service.places.large_bodies, transactions.tenant_id),
    ):
        content = await sent.spool.read()
        return await ratings.import_ratings(transactions, content, is_json=sent.media_type == "application/json")


router = Router(
    "/",
    route_handlers=[
        list_vendor_assets,
        list_all_assets,
        add_vendor_asset,
        add_vendor_assets,
        get_vendor_asset,
        change_vendor_asset,
        remove_vendor_asset,
        get_asset_suggestions,
        refresh_vendor_signals,
        list_vendor_signals,
        list_vendor_signal_history,
        get_signal_observation,
        get_finding_signal,
        get_signal_score,
        list_latest_signal_scores,
        list_signal_scores,
        get_past_signal_score,
        get_signal_score_replay,
        get_signal_methodology,
        get_signal_feeds,
        list_vendor_products,
        list_all_products,
        add_vendor_product,
        get_vendor_product,
        change_vendor_product,
        remove_vendor_product,
        list_subprocessor_changes,
        list_all_subprocessor_changes,
        get_subprocessor_change,
        decide_subprocessor_change,
        list_vendor_ratings,
        import_vendor_ratings,
    ],
    tags=["Signals"],
)
