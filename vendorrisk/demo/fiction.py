"""The fiction: a company, its people, its vendors, and the story that each vendor's evidence tells."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec

from vendorrisk.evidence.coverage import AuditorOpinion, ReportType, plus_months

COMPANY = "Northwind Trading (demo)"
PEOPLE = (
    ("Amara Lindqvist", "amara", ("admin",)),
    ("Bruno Castellane", "bruno", ("procurement",)),
    ("Chidi Okonjo", "chidi", ("reviewer",)),
    ("Dana Reyes", "dana", ("owner",)),
    ("Elif Aydin", "elif", ("owner",)),
    ("Farid Nasser", "farid", ("owner",)),
    ("Grace Hollis", "grace", ("auditor",)),
)
_SEED = 20260302
_FIRST = (
    "Aster",
    "Brightwell",
    "Cedar",
    "Dunmore",
    "Ember",
    "Fathom",
    "Garnet",
    "Harrow",
    "Indigo",
    "Juniper",
    "Kestrel",
    "Lantern",
    "Meridian",
    "Nimbus",
    "Orchard",
    "Pinnacle",
    "Quarry",
    "Rowan",
    "Saffron",
    "Tamarack",
    "Umber",
    "Verity",
    "Willow",
    "Yarrow",
    "Zephyr",
    "Alder",
    "Beacon",
    "Cobalt",
    "Drift",
    "Echo",
)
_KINDS: tuple[tuple[str, str, tuple[str, ...], dict[str, int]], ...] = (
    ("Cloud", "Hosting", ("confidential", "personal"), {"data_classification": 3, "criticality": 4, "access": 3}),
    ("Payroll", "Payroll", ("personal", "special_category"), {"data_classification": 4, "criticality": 3}),
    ("Analytics", "Product analytics", ("personal",), {"data_classification": 3, "criticality": 1}),
    ("Logistics", "Parcel tracking", ("internal",), {"data_classification": 2, "criticality": 2}),
    ("Health", "Benefits administration", ("health",), {"data_classification": 4, "criticality": 2}),
    ("Payments", "Card processing", ("card",), {"data_classification": 4, "criticality": 4}),
    ("Mail", "Customer mail", ("personal",), {"data_classification": 3, "criticality": 2}),
    ("Signage", "Office signage", ("public",), {"data_classification": 1, "criticality": 0}),
)
VENDORS = 132


class Told(msgspec.Struct, frozen=True):
    """One SOC 2 report of a story, as days before today. `letter_days` is how far a letter reaches from today."""

    report_type: ReportType
    first: date
    last: date
    opinion: AuditorOpinion = AuditorOpinion.UNQUALIFIED
    letter_on: date | None = None
    exceptions: tuple[tuple[str, str, str], ...] = ()
    all_categories: bool = True


class Character(msgspec.Struct, frozen=True):
    """A vendor of the fiction."""

    number: int
    name: str
    domain: str
    service: str
    data_classes: tuple[str, ...]
    answers: dict[str, int]
    lifecycle: str
    reviewed_days_ago: int
    reports: tuple[Told, ...]
    documents: tuple[tuple[str, str, dict[str, date]], ...]
    spend: str


def cast(today: date) -> Iterator[Character]:
    """Return the vendors as of a day, the same for the same day."""
    chance = random.Random(_SEED)  # noqa: S311 - a fixed fiction, no secret
    names = [f"{first} {kind[0]}" for kind in _KINDS for first in _FIRST]
    chance.shuffle(names)
    stories = list(_stories(today))
    for number, name in enumerate(names[:VENDORS]):
        kind = next(k for k in _KINDS if name.endswith(k[0]))
        slug = name.lower().replace(" ", "-")
        yield Character(
            number=number,
            name=name,
            domain=f"{slug}.example",
            service=kind[1],
            data_classes=kind[2],
            answers={**_usual(chance), **kind[3]},
            lifecycle=_lifecycle(number),
            reviewed_days_ago=chance.choice((20, 80, 170, 175, 360, 362)),
            reports=stories[number % len(stories)],
            documents=tuple(_documents(number, today)),
            spend=f"{chance.randrange(2, 900)}000.00",
        )


def _usual(chance: random.Random) -> dict[str, int]:
    asked = ("data_volume", "access", "substitutability", "regulatory_weight", "geography", "fourth_parties")
    return {factor: chance.randrange(0, 4) for factor in asked}


def _lifecycle(number: int) -> str:
    special = {7: "suspended", 23: "offboarding", 41: "terminated", 59: "offboarding", 83: "suspended"}
    if number % 13 == 5:  # noqa: PLR2004 - fiction
        return "prospect"
    if number % 13 == 11:  # noqa: PLR2004 - fiction
        return "onboarding"
    return special.get(number, "active")


def _year(last: date, **more: Any) -> Told:
    return Told(ReportType.TYPE_2, plus_months(last, -12) + timedelta(days=1), last, **more)


def _ending_in(days: int, today: date, **more: Any) -> Told:
    """Return a year's report that can be relied on for so many days."""
    end = plus_months(today + timedelta(days=days), -12)
    while plus_months(end, 12) < today + timedelta(days=days):
        end += timedelta(days=1)
    return _year(end, **more)


def _stories(today: date) -> Iterator[tuple[Told, ...]]:
    def ago(days: int) -> date:
        return today - timedelta(days=days)

    yield (_year(today),)
    yield (_year(ago(45), letter_on=today + timedelta(days=20)),)
    for days in (180, 90, 60, 30, 14, 7, 1, 0):
        yield (_ending_in(days, today),)
    for days in (-3, -10, -40):
        yield (_ending_in(days, today),)
    yield (_year(ago(500)), _year(ago(104)))
    yield (Told(ReportType.TYPE_1, ago(120), ago(120)),)
    yield (Told(ReportType.TYPE_1, ago(250), ago(250)),)
    late = ("CC6.2", "Leavers lose access within one day", "3 of 25 leavers kept access for up to 9 days")
    yield (_year(ago(60), opinion=AuditorOpinion.QUALIFIED, exceptions=(late,)),)
    yield (_year(ago(30), opinion=AuditorOpinion.ADVERSE),)
    yield (_year(ago(100), all_categories=False),)
    yield (_year(ago(465)), _year(ago(100)))
    yield ()
    yield (_year(ago(200)),)


def _documents(number: int, today: date) -> Iterator[tuple[str, str, dict[str, date]]]:
    def day(days: int) -> date:
        return today + timedelta(days=days)

    if number % 4 == 0:
        stale = {} if number % 8 else {"surveillance_on": day(-60)}
        dates = {"issued_on": day(-500), "stated_until_on": day(595), **stale}
        yield ("iso27001_certificate", "ISO/IEC 27001 certificate", dates)
    if number % 5 == 1:
        yield ("insurance_certificate", "Cyber insurance", {"issued_on": day(-360), "stated_until_on": day(5)})
    if number % 6 == 2:  # noqa: PLR2004 - fiction
        yield ("pen_test_report", "Penetration test of the web application", {"issued_on": day(-320)})
    if number % 9 == 3:  # noqa: PLR2004 - fiction
        yield ("pci_aoc", "PCI DSS attestation of compliance", {"issued_on": day(-351)})
    if number % 7 == 4:  # noqa: PLR2004 - fiction
        yield ("dpa", "Data processing agreement", {"issued_on": day(-200)})
