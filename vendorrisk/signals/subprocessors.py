"""Changes on a vendor's sub-processor page, and decisions on them."""

from uuid import UUID

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.probes.web.page_parser import entity_key
from vendorrisk.signals import api_queries
from vendorrisk.signals.supply_chain_model import (
    NewSubprocessorDecision,
    SubprocessorChange,
    SubprocessorChangeKind,
    SubprocessorChangeState,
    SubprocessorDecision,
)
from vendorrisk.vendors import fourth_parties
from vendorrisk.vendors.service import vendor
from vendorrisk.vendors.supply_chain_model import NewFourthParty
from vendorrisk.vendors.supply_chain_queries import FOURTH_PARTIES

_MOST_FOURTH_PARTIES = 2000


async def subprocessor_changes(work: Work, vendor_id: UUID, page: PageRequest) -> Page[SubprocessorChange]:
    await vendor(work, vendor_id)
    return await work.page(api_queries.LIST_CHANGES, page.within("vendor_id", vendor_id))


async def subprocessor_change(work: Work, change_id: UUID) -> SubprocessorChange:
    return found(await api_queries.find_change(work, change_id))


async def decide(work: Work, change_id: UUID, decision: NewSubprocessorDecision, expected: int) -> SubprocessorChange:
    """Accept a change into the vendor's fourth parties, or dismiss it. Either way it is decided once."""
    before = found(await api_queries.lock_change(work, change_id))
    check_version(before, expected)
    if before.state is not SubprocessorChangeState.PROPOSED:
        raise Refusal(Code.SUBPROCESSOR_CHANGE_DECIDED, f"It was {before.state.value} already.")
    fourth_party_id, state = None, SubprocessorChangeState.DISMISSED
    if decision.decision is SubprocessorDecision.ACCEPT:
        fourth_party_id, state = await _accept(work, before), SubprocessorChangeState.ACCEPTED
    after = await api_queries.decide(work, change_id, state, fourth_party_id)
    target = Target("subprocessor_change", change_id)
    await audit.record(work, Action.SUBPROCESSOR_CHANGE_DECIDED, target, before=before, after=after)
    return after


async def _accept(work: Work, change: SubprocessorChange) -> UUID | None:
    """Add or remove the fourth party of that name, as lists are compared: by its name without the legal form.

    One that is as it should be is left as it is.
    """
    page = PageRequest(FOURTH_PARTIES, limit=_MOST_FOURTH_PARTIES)
    known = (await fourth_parties.fourth_parties(work, change.vendor_id, page)).items
    there = [one for one in known if entity_key(one.name) == entity_key(change.name)]
    there.sort(key=lambda one: one.name != change.name)
    if change.change is SubprocessorChangeKind.REMOVED:
        if there:
            await fourth_parties.remove_fourth_party(work, there[0].id, there[0].version)
        return None
    if there:
        return there[0].id
    new = NewFourthParty(name=change.name[:200], purpose="From the vendor's list of sub-processors.")
    return (await fourth_parties.add_fourth_party(work, change.vendor_id, new)).id
