"""Companies that a vendor stands on."""

from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.vendors import supply_chain_queries
from vendorrisk.vendors.normalise import normalised
from vendorrisk.vendors.service import vendor
from vendorrisk.vendors.supply_chain_model import (
    FourthParty,
    FourthPartyChanges,
    NewFourthParty,
)


async def fourth_parties(work: Work, vendor_id: UUID, page: PageRequest) -> Page[FourthParty]:
    await vendor(work, vendor_id)
    return await work.page(supply_chain_queries.LIST_FOURTH_PARTIES, page.within("vendor_id", vendor_id))


async def fourth_party(work: Work, fourth_party_id: UUID) -> FourthParty:
    return found(await supply_chain_queries.find_fourth_party(work, fourth_party_id))


async def add_fourth_party(work: Work, vendor_id: UUID, new: NewFourthParty) -> FourthParty:
    await vendor(work, vendor_id)
    wanted = msgspec.convert(normalised(new), NewFourthParty)
    await _check_links(work, vendor_id, wanted.service_id, wanted.provider_id)
    added = await supply_chain_queries.insert_fourth_party(work, vendor_id, wanted)
    await audit.record(work, Action.FOURTH_PARTY_ADDED, Target("fourth_party", added.id), after=added)
    return added


async def change_fourth_party(
    work: Work, fourth_party_id: UUID, changes: FourthPartyChanges, expected: int
) -> FourthParty:
    given = normalised(changes)
    before = found(await supply_chain_queries.lock_fourth_party(work, fourth_party_id))
    check_version(before, expected)
    wanted = msgspec.structs.replace(before, **given)
    await _check_links(work, before.vendor_id, wanted.service_id, wanted.provider_id)
    if wanted == before:
        return before
    after = await supply_chain_queries.update_fourth_party(work, wanted)
    target = Target("fourth_party", fourth_party_id)
    await audit.record(work, Action.FOURTH_PARTY_CHANGED, target, before=before, after=after)
    return after


async def remove_fourth_party(work: Work, fourth_party_id: UUID, expected: int) -> None:
    before = found(await supply_chain_queries.lock_fourth_party(work, fourth_party_id))
    check_version(before, expected)
    await supply_chain_queries.delete_fourth_party(work, fourth_party_id)
    await audit.record(work, Action.FOURTH_PARTY_REMOVED, Target("fourth_party", fourth_party_id), before=before)


async def _check_links(work: Work, vendor_id: UUID, service_id: UUID | None, provider_id: UUID | None) -> None:
    if provider_id == vendor_id:
        raise Refusal(Code.FOURTH_PARTY_IS_THE_VENDOR, "Name another company.", pointer="/provider_id")
    if service_id is not None:
        used = await supply_chain_queries.find_service(work, service_id)
        if used is None or used.vendor_id != vendor_id:
            detail = "The vendor has no such service. Send the id of one of its own."
            raise Refusal(Code.REFERENCE_UNKNOWN, detail, pointer="/service_id")


async def all_fourth_parties(work: Work, page: PageRequest) -> Page[FourthParty]:
    return await work.page(supply_chain_queries.LIST_FOURTH_PARTIES, page)
