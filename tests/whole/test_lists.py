"""Every list by every field by every operator, and every sort in both directions with a cursor: all of it runs."""

import contextlib
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Company
from tests.whole.surface import Operation, operations, unopened_app
from tests.whole.things import Things
from vendorrisk.app import Api
from vendorrisk.background import JobContext
from vendorrisk.db.paging import Column, ListOf, Operator, PageRequest, paged

pytestmark = pytest.mark.anyio

SAMPLES: dict[Any, Any] = {
    str: "x",
    int: 3,
    bool: True,
    UUID: UUID("018f0000-0000-7000-8000-000000000000"),
    date: date(2026, 2, 28),
    datetime: datetime.fromisoformat("2026-02-28T23:59:59.999999+00:00"),
    Decimal: Decimal("12.50"),
    float: 0.5,
}


def sample(column_kind: Any) -> Any:
    if isinstance(column_kind, type) and issubclass(column_kind, StrEnum):
        return next(iter(column_kind))
    return SAMPLES[column_kind]


FITTING = ("x", "DE", "EUR", "acme.example", "213800KUD8LAJWSQ9D15", "DE136695976", "150483782")
"""Texts, of which each normaliser takes one."""


def taken_by(column: Column) -> Any:
    """Return a value that a filter of the column takes."""
    for text in FITTING if column.normalise is not None else ():
        with contextlib.suppress(ValueError):
            assert column.normalise is not None
            column.normalise(text)
            return text
    return sample(column.kind)


def written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date) else str(value)


def filters(of: ListOf) -> list[str]:
    found = []
    for name, column in of.columns.items():
        for operator in column.allows():
            value = "true" if operator is Operator.NULL else written(taken_by(column))
            found.append(f"{name}:{operator}:{value}")
    return found


def cursor(of: ListOf, sort: str, api: Api, tenant_id: UUID, column: Column, value: Any, *, backwards: bool) -> str:
    """Return a cursor as a page would give it, for a row that need not exist."""
    assert column is of.columns[sort.lstrip("-")]
    request = PageRequest(of, sort=sort, limit=2)
    made = paged("", request, first=2, tenant_id=tenant_id, secrets=api.service.cursor_secrets)
    return made._cursor((value, sample(of.key_kind)), backwards=backwards)


@pytest.fixture
async def things(company: Company, role_client: Any, context: JobContext, owner: Any) -> Things:
    return Things(company, await role_client("admin"), context, owner)


async def lists(api: Api, things: Things) -> list[tuple[Operation, str]]:
    found = [operation for operation in operations(api) if operation.of is not None]
    return [(each, each.path.format(**(await things.known_for(each)))) for each in found]


async def test_every_declared_filter_runs(api: Api, things: Things) -> None:
    faults = []
    for operation, place in await lists(api, things):
        assert operation.of is not None
        for each in filters(operation.of):
            response = await things.client.get(place, params={**operation.query, "filter": each, "limit": 2})
            if response.status_code != 200:
                faults.append(f"{operation.name} {each}: {response.status_code} {response.text[:200]}")
    assert "\n".join(faults) == ""


async def test_every_list_takes_the_examples_of_its_parameters(api: Api, things: Things) -> None:
    faults, cursors = [], 0
    for operation, place in await lists(api, things):
        shown = [p for p in operation.document["parameters"] if p["in"] == "query" and "example" in p]
        response = await things.client.get(place, params={p["name"]: p["example"] for p in shown})
        cursors += sum(p["name"] == "cursor" for p in shown)
        if response.status_code != 200:
            faults.append(f"{operation.name}: {response.status_code} {response.text[:200]}")
    assert "\n".join(faults) == ""
    assert cursors > 20, "an empty cursor is the first page"


async def test_every_declared_sort_runs_with_cursors_in_both_directions(
    api: Api, things: Things, company: Company
) -> None:
    faults = []
    for operation, place in await lists(api, things):
        of = operation.of
        assert of is not None
        if "cursor" not in operation.document_parameters:
            continue
        for name, column in of.columns.items():
            if not column.sortable:
                continue
            for sort in (name, f"-{name}"):
                values = [sample(column.kind), *([None] if column.nullable else [])]
                places = [None] + [
                    cursor(of, sort, api, company.tenant.id, column, value, backwards=backwards)
                    for value in values
                    for backwards in (False, True)
                ]
                for at in places:
                    params = {**operation.query, "sort": sort, "limit": 2, **({"cursor": at} if at else {})}
                    response = await things.client.get(place, params=params)
                    if response.status_code != 200:
                        faults.append(f"{operation.name} {sort} {at}: {response.status_code} {response.text[:200]}")
    assert "\n".join(faults) == ""


async def test_every_list_counts_and_its_default_sort_is_declared(api: Api, things: Things) -> None:
    for operation, place in await lists(api, things):
        assert operation.of is not None
        assert operation.of.columns[operation.of.default_sort.lstrip("-")].sortable, operation.name
        if "total" in operation.document_parameters and "items" in (await things.client.get(place)).text[:10]:
            counted = await things.client.get(place, params={**operation.query, "total": "true", "limit": 1})
            assert counted.json()["total"] >= len(counted.json()["items"]), operation.name


NEVER_CHANGED = {
    "audit_entries",
    "alerts",  # but for its dispatch, at once
    "upcoming_alerts",  # computed, not stored
    "delivery_attempts",
    "inherent_risk",
    "vendor_reviews",
    "evaluations",
    "scores",
    "latest_scores",  # `scored_at` is when its row changed
    "signals",  # `evaluated_at` and `changed_at` say when
    "vendor_ratings",  # `imported_at` says when
    "api_keys",
    "import_rows",
}
"""Lists whose records are only ever added, or say otherwise when they changed. May only shrink."""


def test_every_list_of_records_that_change_can_be_synchronised_by_when_they_changed() -> None:
    lists_declared = {o.of.name: o.of for o in operations(unopened_app()) if o.of is not None}
    lacking = {
        name
        for name, of in lists_declared.items()
        if (column := of.columns.get("updated_at")) is None
        or not column.sortable
        or not {Operator.GT, Operator.GTE} <= column.allows()
    }
    assert lacking - NEVER_CHANGED == set()
    assert NEVER_CHANGED - lacking == set(), "what is excused still needs it"
