"""Writes the fiction through the services, in one transaction: it is all there, or nothing is."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from vendorrisk.access.permissions import Role
from vendorrisk.access.work import Work
from vendorrisk.alerts import service as alerts
from vendorrisk.alerts.receiver_model import ConsoleTarget, NewReceiver
from vendorrisk.demo.fiction import PEOPLE, Character, Told
from vendorrisk.evidence import documents, reports
from vendorrisk.evidence.coverage import ReportType
from vendorrisk.evidence.document_model import DocumentKind, NewDocument
from vendorrisk.evidence.report_model import (
    NewBridgeLetter,
    NewCuec,
    NewSoc2Exception,
    NewSoc2Report,
    NewSubserviceOrganisation,
    SubserviceMethod,
)
from vendorrisk.findings import service as findings
from vendorrisk.findings.model import FindingSeverity, NewFinding
from vendorrisk.identity import service as identity
from vendorrisk.identity.model import NewMember
from vendorrisk.keys import Keyring
from vendorrisk.vendors import inherent_risk, intake, lifecycle, offboarding, services
from vendorrisk.vendors import service as vendors
from vendorrisk.vendors.inherent_risk_model import InherentRiskAnswers
from vendorrisk.vendors.lifecycle_model import (
    NewIntakeRequest,
    OffboardingStepKind,
    OffboardingStepResolution,
    OffboardingStepState,
)
from vendorrisk.vendors.model import DataClass, Lifecycle, NewVendor, Tier, TrustCategory, VendorTransition
from vendorrisk.vendors.supply_chain_model import NewVendorService

_TAKEN_OVER = "In use before this tool. Taken over from the old list."


async def fill(work: Work, keyring: Keyring, cast: list[Character], step: Callable[[], None]) -> None:
    """Fill a new tenant. `step` is called after each vendor, for a progress bar."""
    people = await _people(work)
    for character in cast:
        await _vendor(work, character, people)
        step()
    for name in ("Halcyon Video", "Ostrich Survey", "Pelican Travel"):
        new = NewIntakeRequest(name=name, purpose=f"The sales team wants to try {name}.")
        await intake.ask(work, new)
    await alerts.add_receiver(work, keyring, NewReceiver(name="Console", target=ConsoleTarget()))


async def _people(work: Work) -> list[UUID]:
    """Add the members. Return the owners among them."""
    owners = []
    for name, local, roles in PEOPLE:
        new = NewMember(name=name, email=f"{local}@northwind.example", roles=[Role(r) for r in roles])
        member = await identity.add_member(work, new)
        if "owner" in roles:
            owners.append(member.id)
    return owners


async def _vendor(work: Work, who: Character, owners: list[UUID]) -> None:
    new_here = who.lifecycle in {"prospect", "onboarding"}
    made = await vendors.register(
        work,
        NewVendor(
            name=who.name,
            reference=f"NW-{who.number:04}",
            lifecycle=Lifecycle(who.lifecycle) if new_here else Lifecycle.ACTIVE,
            intake_note=None if new_here else _TAKEN_OVER,
            business_owner_id=owners[who.number % len(owners)],
            security_owner_id=owners[(who.number + 1) % len(owners)],
            domains=[who.domain],
            data_classes=[DataClass(c) for c in who.data_classes],
            country="DE" if who.number % 3 else "US",
            annual_spend=who.spend,
            currency="EUR",
            tier=None if new_here else Tier.MEDIUM,
            last_reviewed_on=None if new_here else work.today - timedelta(days=who.reviewed_days_ago),
        ),
    )
    service = await services.add_service(
        work,
        made.id,
        NewVendorService(
            name=who.service,
            data_classes=[DataClass(c) for c in who.data_classes],
            is_uptime_critical=who.answers["criticality"] >= 4,  # noqa: PLR2004 - minutes of outage
        ),
    )
    if who.lifecycle != "prospect":
        assessed = await vendors.vendor(work, made.id)
        await inherent_risk.assess(work, made.id, InherentRiskAnswers(**who.answers), assessed.version)
        await _evidence(work, who, made.id, service.id)
    await _lifecycle(work, who, made.id)


async def _evidence(work: Work, who: Character, vendor_id: UUID, service_id: UUID) -> None:
    for told in who.reports:
        await reports.record(work, _report(told, vendor_id, service_id))
    for kind, title, dates in who.documents:
        new = NewDocument(
            vendor_id=vendor_id,
            kind=DocumentKind(kind),
            title=title,
            issued_on=dates["issued_on"],
            stated_until_on=dates.get("stated_until_on"),
            surveillance_on=dates.get("surveillance_on"),
        )
        await documents.add(work, new)
    if who.number % 11 == 6:  # noqa: PLR2004 - fiction
        late = NewFinding(
            vendor_id=vendor_id,
            title="No multi-factor authentication for administrators",
            severity=FindingSeverity.HIGH,
            due_on=work.today - timedelta(days=2),
        )
        await findings.open_manually(work, late)


def _report(told: Told, vendor_id: UUID, service_id: UUID) -> NewSoc2Report:
    more: dict[str, Any] = {"as_of_on": told.first}
    if told.report_type is ReportType.TYPE_2:
        more = {"period_start_on": told.first, "period_end_on": told.last}
    every = [TrustCategory.SECURITY, TrustCategory.AVAILABILITY, TrustCategory.CONFIDENTIALITY]
    return NewSoc2Report(
        vendor_id=vendor_id,
        service_ids=[service_id],
        report_type=told.report_type,
        opinion=told.opinion,
        opinion_reason="Access of leavers was not removed in time." if told.exceptions else None,
        categories=every if told.all_categories else [TrustCategory.SECURITY],
        auditor="Larkspur & Finch CPA LLP",
        exceptions=[NewSoc2Exception(criterion=c, control=t, deviation=d) for c, t, d in told.exceptions],
        cuecs=[NewCuec(control="Review who has access each quarter.", criterion="CC6.2")],
        subservice_organisations=[NewSubserviceOrganisation(name="Stratus Regions", method=SubserviceMethod.CARVE_OUT)],
        bridge_letters=[NewBridgeLetter(ends_on=told.letter_on)] if told.letter_on else [],
        **more,
    )


async def _lifecycle(work: Work, who: Character, vendor_id: UUID) -> None:
    """Transition a vendor to where its story has it."""
    if who.lifecycle == "suspended":
        await _transition(work, vendor_id, Lifecycle.SUSPENDED, "Under investigation after an incident.")
    if who.lifecycle in {"offboarding", "terminated"}:
        await _transition(work, vendor_id, Lifecycle.OFFBOARDING, "Replaced.")
    if who.lifecycle == "terminated":
        for name in OffboardingStepKind:
            step = await offboarding.step(work, vendor_id, name)
            done = OffboardingStepResolution(state=OffboardingStepState.DONE, note="Confirmed in writing.")
            await offboarding.resolve_step(work, vendor_id, name, done, step.version)
        await _transition(work, vendor_id, Lifecycle.TERMINATED, "All steps resolved.")


async def _transition(work: Work, vendor_id: UUID, to: Lifecycle, reason: str) -> None:
    vendor = await vendors.vendor(work, vendor_id)
    await lifecycle.transition(work, vendor_id, VendorTransition(to=to, reason=reason), vendor.version)
