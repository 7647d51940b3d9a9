"""The policy, and coverage kept in step with whatever it follows from."""

from datetime import date
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found, says_already
from vendorrisk.access.work import Work
from vendorrisk.alerts import service as alerts
from vendorrisk.alerts.model import AlertClass, Deadline, TimedClass
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.evidence import coverage as rules_of_coverage
from vendorrisk.evidence import queries, report_part_queries, rules
from vendorrisk.evidence.coverage import Coverage, Letter, Report, Support
from vendorrisk.evidence.coverage_model import EvidencePolicyDetail, ServiceCoverage, StoredCoverage, VendorCoverage
from vendorrisk.evidence.document_model import Assurance, Document, DocumentKind
from vendorrisk.evidence.policy import EvidencePolicy
from vendorrisk.evidence.queries import VendorInBrief
from vendorrisk.ids import new_id
from vendorrisk.vendors.supply_chain_model import VendorService

_SLICE = 500
_FIRST = UUID(int=0)
_ENDED = frozenset({"offboarding", "terminated"})
"""Lifecycles in which nobody needs to be notified that evidence ends."""


SUPPORTING = frozenset({DocumentKind.SOC3, DocumentKind.ISO27001_CERTIFICATE})
"""Kinds of documents that coverage follows from too."""


class _Piece(msgspec.Struct, frozen=True):
    """A report or a supporting document, and the services it names. None means all."""

    by: Report | Support
    services: frozenset[UUID]


Proof = list[_Piece]


async def policy(work: Work) -> EvidencePolicyDetail:
    """Return the policy in force. Version 0 is the default."""
    return await queries.find_policy(work) or EvidencePolicyDetail(version=0)


async def set_policy(work: Work, wanted: EvidencePolicy, expected: int) -> EvidencePolicyDetail:
    """Replace the policy. All dates that depend on it are recalculated in the same transaction."""
    before = await queries.lock_policy(work) or EvidencePolicyDetail(version=0)
    check_version(before, expected)
    if before.version and says_already(before, wanted):
        return before
    after = await queries.save_policy(work, wanted)
    await _evaluate_documents(work, wanted)
    await _cover_all(work, wanted)
    await audit.record(
        work, Action.EVIDENCE_POLICY_CHANGED, Target("evidence_policy", work.tenant_id), before=before, after=after
    )
    return after


async def vendor_coverage(work: Work, vendor_id: UUID, at: date | None) -> VendorCoverage:
    """Compute the coverage of each service of a vendor at a day (today, where none is given), with all reasons."""
    vendor = found(await queries.find_vendor(work, vendor_id))
    day = at or work.today
    in_force = await policy(work)
    proof = await _proof(work, vendor.id, in_force)
    services: list[VendorService | None] = [*await queries.services_of_vendor(work, vendor.id)]
    lanes = [_shown(service, proof, day, in_force) for service in services or [None]]
    return VendorCoverage(vendor.id, vendor.name, day, lanes)


async def coverages(work: Work, page: PageRequest) -> Page[StoredCoverage]:
    return await work.page(queries.LIST_COVERAGE, page)


async def cover(work: Work, vendor_id: UUID, in_force: EvidencePolicy | None = None) -> None:
    """Recalculate a vendor's coverage and store the results: rows, deadlines, and gaps that people are notified of.

    Call it in the transaction of every change that coverage follows from. Writers of one vendor wait for each other.
    """
    vendor = found(await queries.lock_vendor(work, vendor_id))
    in_force = in_force or await policy(work)
    proof = await _proof(work, vendor.id, in_force)
    services: list[VendorService | None] = [*await queries.services_of_vendor(work, vendor.id)]
    kept = {row.service_id: row for row in await queries.coverage_of_vendor(work, vendor.id)}
    wanted = (services or [None]) if proof else []
    for service in wanted:
        row = kept.pop(service.id if service else None, None)
        await _cover_service(work, vendor, service, proof, row, in_force)
    if kept:
        gone = [row.id for row in kept.values()]
        await alerts.unwatch(work, TimedClass.EVIDENCE_EXPIRING, "soc2_coverage", *gone)
        await queries.drop_coverage(work, gone)


def evaluate_document(document: Document, in_force: EvidencePolicy, today: date) -> Document:
    """Return the document with its end and assurance by the rule of its kind. Nothing is written."""
    validity = rules.validity_of(document, in_force, today)
    return msgspec.structs.replace(document, expires_on=validity.expires_on, assurance=validity.assurance)


async def follow(work: Work, document: Document, in_force: EvidencePolicy) -> None:
    """Refresh the deadline of a document, and coverage if the document supports it."""
    await watch_document(work, document, in_force)
    if document.kind in SUPPORTING:
        await cover(work, document.vendor_id, in_force)


async def watch_document(work: Work, document: Document, in_force: EvidencePolicy) -> None:
    """Watch the end of a document that counts, of a vendor that stays, and store the day of its next evaluation."""
    counts = document.superseded_at is None and document.withdrawn_at is None
    until = rules.surveyed_until(document, in_force) if document.assurance is Assurance.FULL and counts else None
    await queries.recheck_after(work, document.id, until)
    vendor = found(await queries.find_vendor(work, document.vendor_id))
    if document.expires_on is None or not counts or vendor.lifecycle in _ENDED:
        await alerts.unwatch(work, TimedClass.EVIDENCE_EXPIRING, "document", document.id)
        return
    await alerts.watch(
        work,
        Deadline(
            alert_class=TimedClass.EVIDENCE_EXPIRING,
            subject_kind="document",
            subject_id=document.id,
            vendor_id=document.vendor_id,
            title=document.title,
            due_on=document.expires_on,
        ),
    )


async def _evaluate_documents(work: Work, in_force: EvidencePolicy) -> None:
    after = _FIRST
    while batch := await queries.current_documents(work, after, _SLICE):
        after = batch[-1].id
        for document in batch:
            evaluated = evaluate_document(document, in_force, work.today)
            if evaluated != document:
                evaluated = await queries.update_document(work, evaluated)
            if evaluated != document or rules.surveyed_until(document, in_force) is not None:
                await watch_document(work, evaluated, in_force)


async def age_document(work: Work, document_id: UUID) -> None:
    """Evaluate a document again on its day, or when its vendor has begun to leave or come back."""
    document = await queries.lock_document(work, document_id)
    if document is None:
        return
    in_force = await policy(work)
    evaluated = evaluate_document(document, in_force, work.today)
    if evaluated != document:
        evaluated = await queries.update_document(work, evaluated)
        target = Target("document", document.id)
        await audit.record(work, Action.DOCUMENT_CHANGED, target, before=document, after=evaluated)
    await watch_document(work, evaluated, in_force)


async def _cover_all(work: Work, in_force: EvidencePolicy) -> None:
    after = _FIRST
    while batch := await queries.vendors_with_coverage(work, after, _SLICE):
        after = batch[-1]
        for vendor_id in batch:
            await cover(work, vendor_id, in_force)


async def _proof(work: Work, vendor_id: UUID, in_force: EvidencePolicy) -> Proof:
    """Return a vendor's evidence: its reports, and the documents that support them."""
    stored = await queries.reports_of_vendor(work, vendor_id)
    letters: dict[UUID, list[Letter]] = {}
    for letter in await report_part_queries.letters(work, [r.id for r in stored]):
        letters.setdefault(letter.report_id, []).append(Letter(letter.id, letter.ends_on))
    reports = [
        _Piece(rules.report_for_coverage(r, tuple(letters.get(r.id, ()))), frozenset(r.service_ids)) for r in stored
    ]
    documents = await queries.supporting_documents(work, vendor_id)
    supports = [
        _Piece(support, frozenset({d.service_id} if d.service_id else ()))
        for d in documents
        for support in rules.supports_of(d, in_force)
    ]
    return [*reports, *supports]


def _of_service(proof: Proof, service: VendorService | None) -> tuple[list[Report], list[Support]]:
    """Return the reports and supporting documents of a service: those that name it, and those that name none."""
    mine = [one.by for one in proof if not one.services or (service is not None and service.id in one.services)]
    return [by for by in mine if isinstance(by, Report)], [by for by in mine if isinstance(by, Support)]


async def _cover_service(
    work: Work,
    vendor: VendorInBrief,
    service: VendorService | None,
    proof: Proof,
    before: StoredCoverage | None,
    in_force: EvidencePolicy,
) -> None:
    reports, supports = _of_service(proof, service)
    now = rules_of_coverage.coverage(reports, work.today, in_force, supports)
    relied_on = rules_of_coverage.categories_relied_on(reports, work.today, in_force, supports)
    row = StoredCoverage(
        id=before.id if before else new_id(),
        vendor_id=vendor.id,
        vendor_name=vendor.name,
        service_id=service.id if service else None,
        state=now.state,
        is_qualified=now.is_qualified,
        reason=now.reason,
        effective_until_on=now.effective_until_on,
        next_change_on=now.next_change_on,
        gap_days=sum(gap.days for gap in now.gaps),
        missing_categories=rules.missing_categories(service, relied_on),
        computed_on=work.today,
        updated_at=work.now,
        version=1,
    )
    kept = await queries.save_coverage(work, row)
    what = "SOC 2 coverage by a qualified report" if now.is_qualified else "SOC 2 coverage"
    title = f"{what} ({service.name})" if service else what
    await _watch_coverage(work, vendor, kept, title, watched=bool(reports))
    await _notify_of_gaps(work, vendor, kept, now, title)


async def _watch_coverage(
    work: Work, vendor: VendorInBrief, kept: StoredCoverage, title: str, *, watched: bool
) -> None:
    """Watch the end of the proof by reports. The end of a single document is watched by the document itself."""
    if kept.effective_until_on is None or not watched or vendor.lifecycle in _ENDED:
        await alerts.unwatch(work, TimedClass.EVIDENCE_EXPIRING, "soc2_coverage", kept.id)
        return
    await alerts.watch(
        work,
        Deadline(
            alert_class=TimedClass.EVIDENCE_EXPIRING,
            subject_kind="soc2_coverage",
            subject_id=kept.id,
            vendor_id=vendor.id,
            title=title,
            due_on=kept.effective_until_on,
        ),
    )


async def _notify_of_gaps(work: Work, vendor: VendorInBrief, kept: StoredCoverage, now: Coverage, title: str) -> None:
    """Raise an alert for each gap, once: its key is the coverage and the days."""
    if vendor.lifecycle in _ENDED:
        return
    for gap in now.gaps:
        await alerts.raise_event(
            work,
            AlertClass.COVERAGE_GAP,
            f"{kept.id}:{gap.from_on}:{gap.until_on}",
            vendor_id=vendor.id,
            subject_kind="soc2_coverage",
            subject_id=kept.id,
            title=title,
            facts={
                "Gap": f"{gap.from_on} to {gap.until_on}",
                "Days": gap.days,
                "Days under a bridge letter": gap.bridged_days,
            },
        )


def _shown(
    service: VendorService | None,
    proof: Proof,
    at: date,
    in_force: EvidencePolicy,
) -> ServiceCoverage:
    reports, supports = _of_service(proof, service)
    relied_on = rules_of_coverage.categories_relied_on(reports, at, in_force, supports)
    return ServiceCoverage.of(
        rules_of_coverage.coverage(reports, at, in_force, supports),
        service_id=service.id if service else None,
        service_name=service.name if service else None,
        categories_needed=rules.categories_needed(service),
        categories_relied_on=sorted(relied_on),
        missing_categories=rules.missing_categories(service, relied_on),
    )
