"""Headings are matched, cells become values, and every problem names its row, its column and what to do."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sheets import make
from vendorrisk.imports.columns import ReadRow, letters_of, match_headings, read_rows
from vendorrisk.normal_form import UnfitError, clean_line, written_amount
from vendorrisk.sheets.reading import Limits, read_csv, read_workbook
from vendorrisk.sheets.writing import as_csv, as_workbook
from vendorrisk.vendors import export, import_columns
from vendorrisk.vendors.import_columns import LAYOUT


def rows(text: str) -> list[ReadRow]:
    table = read_csv(text.encode(), Limits())
    return list(read_rows(LAYOUT, table, match_headings(LAYOUT, table.headings, {})))


def told(read: list[ReadRow]) -> list[tuple[int, str | None, str]]:
    return [(p.row, p.column, p.code) for row in read for p in row.problems]


def test_headings_are_known_by_field_name_export_heading_or_synonym() -> None:
    matched = match_headings(
        LAYOUT, ["Supplier Name", "data_classes", "VAT number", "Web-Site", "Colour", "", "Tier source"], {}
    )
    assert [field for _, _, field in matched.columns] == ["name", "data_classes", "vat", "domains"]
    assert matched.notices == ("Left out, because no field goes by these names: 'Colour'.",)


def test_no_two_fields_go_by_one_heading() -> None:
    names = [
        letters_of(t)
        for f, c in import_columns.COLUMNS.items()
        for t in {letters_of(x) for x in (f, c.heading, *c.synonyms)}
    ]
    assert len(names) == len(set(names))


def test_cells_become_stored_values_and_blanks_stay_out() -> None:
    (row,) = rows(
        "Name;Status;Tier;Website;Country;Data classes;Spend;Currency;Tags;Last review;Owner\n"
        " Acme  Ltd;Live;HIGH;https://www.acme.com/ , acme.io;germany;PII, Card data;125.000,50;eur;B, a ,b;4.3.2026;\n"
    )
    assert row.problems == []
    assert row.given == {
        "name": "Acme Ltd",
        "lifecycle": "active",
        "tier": "high",
        "domains": ["acme.com", "acme.io"],
        "country": "DE",
        "data_classes": ["card", "personal"],
        "annual_spend": "125000.50",
        "currency": "EUR",
        "tags": ["a", "b"],
        "last_reviewed_on": "2026-03-04",
    }


def test_every_problem_of_a_row_is_told_at_once() -> None:
    read = rows("Name,Country,LEI,Tier\n\u202eAcme,Atlantis,123,huge\nGlobex,DE,,low\n")
    assert told(read) == [
        (2, "Name", "name_invalid"),
        (2, "Country", "country_invalid"),
        (2, "LEI", "lei_invalid"),
        (2, "Tier", "tier_invalid"),
    ]
    assert all(problem.detail.endswith(".") for problem in read[0].problems)
    assert read[1].given == {"name": "Globex", "country": "DE", "tier": "low"}


def test_a_row_without_a_name_and_money_without_currency_are_problems_of_the_row() -> None:
    assert told(rows("Name,Spend,Currency\n,,\n,5,\nAcme,,EUR\n")) == [
        (3, None, "name_missing"),
        (3, None, "currency_missing"),
        (4, None, "annual_spend_missing"),
    ]


def test_the_same_vendor_or_domain_twice_in_a_file_is_a_problem_of_the_second_row() -> None:
    read = rows("Name,Domains\nAcme,acme.com\nACME ,acme.io\nGlobex,globex.com;acme.com\n")
    assert told(read) == [(3, "Name", "name_repeated"), (4, "Domains", "domains_repeated")]
    assert "Row 2" in read[1].problems[0].detail


def test_numbers_and_truths_of_a_workbook_are_read_as_they_were_typed() -> None:
    content = make.workbook(
        [["Name", "DUNS number", "Spend", "Currency", "Next review"], [3, 50483782, 1250.1, "EUR", date(2026, 9, 1)]]
    )
    table = read_workbook(content, Limits())
    (row,) = read_rows(LAYOUT, table, match_headings(LAYOUT, table.headings, {}))
    assert row.given == {
        "name": "3",
        "duns": "050483782",
        "annual_spend": "1250.10",
        "currency": "EUR",
        "next_review_on": "2026-09-01",
    }


def _line(longest: int) -> st.SearchStrategy[str]:
    def clean(text: str) -> str | None:
        try:
            return clean_line(text, longest)
        except UnfitError:
            return None

    risky = st.text(alphabet="=+-@'\uff1d ,;\"|ab\t_x0041_", min_size=1, max_size=20)
    return (st.text(min_size=1, max_size=longest) | risky).map(clean).filter(lambda t: t is not None)


NAMES = _line(60)
VENDORS = st.fixed_dictionaries(
    {
        "id": st.none() | st.uuids().map(str),
        "reference": st.none() | NAMES,
        "name": NAMES,
        "aliases": st.lists(NAMES.filter(lambda t: ";" not in t), unique=True, max_size=3).map(sorted),
        "description": st.none() | st.lists(NAMES, min_size=1, max_size=3).map("\n".join),
        "lifecycle": st.sampled_from(["prospect", "active"]),
        "tier": st.none() | st.sampled_from(["critical", "low"]),
        "business_owner": st.none() | st.just("o'neil+=@acme.com"),
        "security_owner": st.none(),
        "domains": st.sampled_from([[], ["acme.com"], ["acme.com", "xn--bcher-kva.de"]]),
        "country": st.none() | st.sampled_from(["DE", "NO"]),
        "data_countries": st.sampled_from([[], ["DE", "NO"]]),
        "data_classes": st.sampled_from([[], ["card", "special_category"]]),
        "legal_name": st.none() | NAMES,
        "lei": st.none() | st.just("213800KUD8LAJWSQ9D15"),
        "vat": st.none() | st.just("DE136695976"),
        "duns": st.none() | st.just("050483782"),
        "annual_spend": st.none() | st.decimals(min_value=0, max_value=Decimal("999999999999999.9999"), places=4),
        "currency": st.just("EUR"),
        "tags": st.sampled_from([[], ["a b", "eu"], ["-x", "=y"]]),
        "contact_name": st.none() | NAMES,
        "contact_email": st.none() | st.just("=x@acme.com"),
        "contact_phone": st.none() | st.just("+49 30 1234"),
        "last_reviewed_on": st.none() | st.dates(date(1900, 1, 1), date(2200, 12, 31)),
        "next_review_on": st.none() | st.dates(date(1900, 3, 1), date(2200, 12, 31)),
        "inherent_score": st.none() | st.integers(0, 100),
        "tier_source": st.none() | st.just("declared"),
    }
)


def _expected(vendor: dict[str, Any]) -> dict[str, Any]:
    wanted = {k: v for k, v in vendor.items() if v not in (None, []) and k in import_columns.COLUMNS}
    if vendor["annual_spend"] is None:
        wanted.pop("currency")
    else:
        wanted["annual_spend"] = written_amount(vendor["annual_spend"])
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in wanted.items()}


async def _exported(vendor: dict[str, Any], kind: str) -> bytes:
    shown = vendor if vendor["annual_spend"] is not None else {**vendor, "currency": None}

    async def batches() -> AsyncIterator[Any]:
        yield [list(export.as_cells(SimpleNamespace(**shown)))]

    stream = as_csv(export.HEADING, batches()) if kind == "csv" else as_workbook(export.HEADING, batches())
    return b"".join([piece async for piece in stream])


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@given(vendor=VENDORS)
def test_what_is_exported_reads_back_as_it_was(kind: str, vendor: dict[str, Any]) -> None:
    content = asyncio.run(_exported(vendor, kind))
    table = read_csv(content, Limits()) if kind == "csv" else read_workbook(content, Limits())
    matched = match_headings(LAYOUT, table.headings, {})
    assert matched.notices == ()
    (row,) = read_rows(LAYOUT, table, matched)
    assert row.problems == []
    assert row.given == _expected(vendor)
