"""What a vendor runs, whom it says it stands on, and what others think of it."""

from uuid import UUID

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.probes.page_text import entity_key
from vendorrisk.probes.ratings import Rating, RatingsError, read_csv, read_json
from vendorrisk.signals import record_queries
from vendorrisk.signals.names import plain
from vendorrisk.signals.service import SETTLE
from vendorrisk.signals.supply_model import (
    ChangeState,
    ListChange,
    ListDecision,
    NewListDecision,
    NewVendorProduct,
    RatingsImported,
    SubprocessorChange,
    VendorProduct,
    VendorRating,
)
from vendorrisk.vendors import supply as vendor_supply
from vendorrisk.vendors.service import vendor
from vendorrisk.vendors.supply_model import NewFourthParty
from vendorrisk.vendors.supply_queries import FOURTH_PARTIES

_MOST_UNMATCHED = 100
_MOST_FOURTH_PARTIES = 2000


async def products(work: Work, vendor_id: UUID, page: PageRequest) -> Page[VendorProduct]:
    await vendor(work, vendor_id)
    return await work.page(record_queries.LIST_PRODUCTS, page.within("vendor_id", vendor_id))


async def all_products(work: Work, page: PageRequest) -> Page[VendorProduct]:
    return await work.page(record_queries.LIST_PRODUCTS, page)


async def product(work: Work, product_id: UUID) -> VendorProduct:
    return found(await record_queries.find_product(work, product_id))


async def note_product(work: Work, vendor_id: UUID, new: NewVendorProduct) -> VendorProduct:
    """Note a product that the vendor runs; what is known to be exploited in it is told at once."""
    await vendor(work, vendor_id)
    for field in ("maker", "product"):
        if not plain(getattr(new, field)):
            raise Refusal(Code.PRODUCT_NAMELESS, "Write letters or digits.", pointer=f"/{field}")
    noted = await record_queries.insert_product(work, vendor_id, new)
    await record_queries.want_settling(work, vendor_id)
    await audit.record(work, Action.VENDOR_PRODUCT_NOTED, Target("vendor_product", noted.id), after=noted)
    work.nudge(SETTLE)
    return noted


async def remove_product(work: Work, product_id: UUID, expected: int) -> None:
    before = found(await record_queries.lock_product(work, product_id))
    check_version(before, expected)
    await record_queries.delete_product(work, product_id)
    await audit.record(work, Action.VENDOR_PRODUCT_REMOVED, Target("vendor_product", product_id), before=before)


async def subprocessor_changes(work: Work, vendor_id: UUID, page: PageRequest) -> Page[SubprocessorChange]:
    await vendor(work, vendor_id)
    return await work.page(record_queries.LIST_CHANGES, page.within("vendor_id", vendor_id))


async def all_subprocessor_changes(work: Work, page: PageRequest) -> Page[SubprocessorChange]:
    return await work.page(record_queries.LIST_CHANGES, page)


async def subprocessor_change(work: Work, change_id: UUID) -> SubprocessorChange:
    return found(await record_queries.find_change(work, change_id))


async def decide(work: Work, change_id: UUID, decision: NewListDecision, expected: int) -> SubprocessorChange:
    """Take a change over into the vendor's fourth parties, or dismiss it; either way it is decided once."""
    before = found(await record_queries.lock_change(work, change_id))
    check_version(before, expected)
    if before.state is not ChangeState.PROPOSED:
        raise Refusal(Code.SUBPROCESSOR_CHANGE_DECIDED, f"It was {before.state.value} already.")
    fourth_party_id, state = None, ChangeState.DISMISSED
    if decision.decision is ListDecision.ACCEPT:
        fourth_party_id, state = await _accept(work, before), ChangeState.ACCEPTED
    after = await record_queries.decide(work, change_id, state, fourth_party_id)
    target = Target("subprocessor_change", change_id)
    await audit.record(work, Action.SUBPROCESSOR_CHANGE_DECIDED, target, before=before, after=after)
    return after


async def _accept(work: Work, change: SubprocessorChange) -> UUID | None:
    """Add or remove the fourth party of that name, as lists are compared: by its name without the legal form.

    One that is as it should be is left as it is.
    """
    page = PageRequest(FOURTH_PARTIES, limit=_MOST_FOURTH_PARTIES)
    known = (await vendor_supply.fourth_parties(work, change.vendor_id, page)).items
    there = [one for one in known if entity_key(one.name) == entity_key(change.name)]
    there.sort(key=lambda one: one.name != change.name)
    if change.change is ListChange.REMOVED:
        if there:
            await vendor_supply.remove_fourth_party(work, there[0].id, there[0].version)
        return None
    if there:
        return there[0].id
    new = NewFourthParty(name=change.name[:200], purpose="From the vendor's list of sub-processors.")
    return (await vendor_supply.add_fourth_party(work, change.vendor_id, new)).id


async def ratings(work: Work, vendor_id: UUID, page: PageRequest) -> Page[VendorRating]:
    await vendor(work, vendor_id)
    return await work.page(record_queries.LIST_RATINGS, page.within("vendor_id", vendor_id))


async def import_ratings(work: Work, content: bytes, *, is_json: bool) -> RatingsImported:
    """Keep ratings of vendors by their domains. A file with a row that cannot be read changes nothing."""
    if not content.strip():
        raise Refusal(Code.FILE_EMPTY, "Send the ratings as the body.")
    try:
        read = read_json(content) if is_json else read_csv(content)
    except RatingsError as error:
        raise Refusal(Code.RATINGS_UNREADABLE, f"Nothing was imported: {error.args[0]}.") from None
    vendors = await record_queries.vendors_of(work, sorted({rating.domain for rating in read}))
    kept: dict[tuple[UUID, str, object], tuple[UUID, Rating]] = {}
    for rating in read:
        if rating.domain in vendors:
            vendor_id = vendors[rating.domain]
            kept[vendor_id, rating.provider, rating.rated_on] = (vendor_id, rating)
    changed = await record_queries.keep_ratings(work, list(kept.values()))
    unmatched = sorted({rating.domain for rating in read} - set(vendors))
    answer = RatingsImported(changed, len(kept) - changed, unmatched[:_MOST_UNMATCHED])
    await audit.record(work, Action.RATINGS_IMPORTED, Target("tenant", work.tenant_id), after=answer)
    return answer
