"""Bad input, at every place of its kind: each field of each body, each list, each route that takes a file.

What single routes do with malformed bodies, headers and lists is asked in tests/http; here the document is walked, so
that a field, list or route is covered the day it is added.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.client import Client
from tests.conftest import Company
from tests.http import make
from tests.whole.fields import Field, fields_of, with_field
from tests.whole.surface import Operation, operations, unopened_app
from tests.whole.test_routes import entries, rows_of
from tests.whole.things import FILES, ITEMS, MAKERS, Known, Maker, Things, document, finding, member, service, vendor
from vendorrisk.app import Api
from vendorrisk.background import JobContext
from vendorrisk.db.paging import Column, Operator
from vendorrisk.evidence.jobs import read_evidence
from vendorrisk.http.pace import Pace, Paces
from vendorrisk.http.routing import Kind

pytestmark = pytest.mark.anyio

TAKE_JSON = [operation for operation in operations(unopened_app()) if operation.takes_json and not operation.raw]
TAKE_FILES = [operation for operation in operations(unopened_app()) if operation.raw]


@pytest.fixture
async def things(company: Company, role_client: Any, context: JobContext, owner: Any) -> Things:
    return Things(company, await role_client("admin"), context, owner)


class Form:
    """An operation that is ready to be sent well, but for one field."""

    def __init__(self, things: Things, operation: Operation, known: Known, example: Any, etag: str | None) -> None:
        self.things, self.operation, self.known, self.example, self.etag = things, operation, known, example, etag

    @classmethod
    async def of(cls, things: Things, operation: Operation) -> "Form":
        known = await things.known_for(operation)
        etag = await things.etag(operation.path.format(**known)) if operation.match else None
        example = await things.example_of(operation, known)
        if operation.is_bulk:
            del example["items"][1:]
        return cls(things, operation, known, example, etag)

    async def sent_with(self, field: Field, value: Any) -> httpx.Response:
        return await self.sent(make_json(with_field(self.example, field, value)))

    async def sent(self, body: bytes) -> httpx.Response:
        place = self.operation.path.format(**self.known)
        headers = {"content-type": "application/json", **({"if-match": self.etag} if self.etag else {})}
        return await self.things.client.http.request(self.operation.method, place, headers=headers, content=body)


def make_json(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()


def refused_rows(response: httpx.Response) -> list[Any]:
    """Return the refusals of a response: its own, or of a bulk operation those of its rows."""
    if response.status_code >= 400:
        return [response.json()]
    told = response.json() if response.content else {}
    rows = told.get("items", ()) if isinstance(told, dict) else ()
    return [row for row in rows if isinstance(row, dict) and "code" in row]


def code_of(response: httpx.Response) -> tuple[int, str]:
    told = response.json() if "json" in response.headers.get("content-type", "") else {}
    return response.status_code, told.get("code", "")


# --- ids -------------------------------------------------------------------------------------------------------------

OWNERS: dict[str, Maker] = {
    "owner_id": member,
    "owner_ids": member,
    "business_owner_id": member,
    "security_owner_id": member,
    "provider_id": vendor,
    "service_ids": service,
    "supersedes_id": document,
}


def maker_for(operation: Operation, field: Field) -> Maker:
    found = OWNERS.get(field.name) or MAKERS.get(field.name) or ITEMS.get(operation.name)
    assert found is not None, f"say in OWNERS what {field.name} of {operation.name} names"
    return found


def id_fields(operation: Operation) -> list[Field]:
    return [field for field in fields_of(operation) if field.takes("string", "uuid")]


@pytest.mark.parametrize("operation", [o for o in TAKE_JSON if id_fields(o)], ids=lambda o: o.name)
async def test_an_id_of_another_tenant_is_refused_in_every_field_as_one_that_nobody_owns(
    operation: Operation, things: Things, context: JobContext, owner: Any, other_company: Company
) -> None:
    others = Things(other_company, other_company.client, context, owner)
    form = await Form.of(things, operation)
    faults = []
    for field in id_fields(operation):
        foreign = await maker_for(operation, field)(others, {})
        before = (await rows_of(things), await rows_of(others))
        responses = [await form.sent_with(field, value) for value in (foreign, "018f0000-0000-7000-8000-000000000000")]
        told = [[about(row) for row in refused_rows(response)] for response in responses]
        if not all(told) or told[0] != told[1] or any(about_form(row) for rows in told for row in rows):
            faults.append(f"{field.pointer}: {[response.text[:300] for response in responses]}")
        if (await rows_of(things), await rows_of(others)) != before:
            faults.append(f"{field.pointer}: a refused request changed rows")
    assert "\n".join(faults) == ""


def about(row: Any) -> tuple[str, str]:
    return row["code"], row.get("detail", "")


def about_form(told: tuple[str, str]) -> bool:
    return told[0] in {"body_invalid", "body_malformed"}


# --- values of a kind ------------------------------------------------------------------------------------------------

DAYS = ["0000-00-00", "0000-01-01", "10000-01-01", "2027-02-29", "2026-13-01", "2026-1-1", "20260101", "today", "", 1]
NUMBERS = [2**31, -(2**31) - 1, 2**63, -(2**63) - 1, 2**64, 10**400, 0.5, "1", True, [1]]
TEXTS = ["a\x00b", "\ud800", "\udfff\ud800"]
INSTANTS = [
    *("0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "2027-02-29T00:00:00Z", "2026-06-30T23:59:60Z"),
    *("2026-01-01T00:00:00", "2026-01-01", 0),
]
IDS = ["", "x", "{018f}", "018f0000-0000-7000-8000-00000000000", "\u0661" * 36, 7]


def wrong_for(field: Field) -> Iterator[Any]:
    """Yield what no field of this kind takes."""
    if field.takes("string", "date"):
        yield from DAYS
    elif field.takes("string", "date-time"):
        yield from INSTANTS
    elif field.takes("string", "uuid"):
        yield from IDS
    elif field.takes("integer"):
        yield from NUMBERS
    elif field.takes("boolean"):
        yield from ("true", 1, "", [])
    elif field.takes("string") or "enum" in field.schema:
        yield from (*TEXTS, 5, ["x"], {})


@pytest.mark.parametrize("operation", TAKE_JSON, ids=lambda o: o.name)
async def test_a_value_that_no_field_of_its_kind_takes_is_refused_at_its_place(
    operation: Operation, things: Things
) -> None:
    form = await Form.of(things, operation)
    before, faults = await rows_of(things), []
    for field in fields_of(operation):
        for value in wrong_for(field):
            if "enum" in field.schema and value in field.schema["enum"]:
                continue
            response = await form.sent_with(field, value)
            if is_row_of_another_version(response, value):
                continue
            if not is_refused(operation, response) or not named_in(response, field):
                faults.append(f"{field.pointer} = {value!r:.60}: {response.status_code} {response.text[:300]}")
    assert "\n".join(faults) == ""
    assert await rows_of(things) == before


def is_row_of_another_version(response: httpx.Response, value: Any) -> bool:
    """Say whether each row of a bulk operation was refused for a version that it never had."""
    return isinstance(value, int) and response.status_code == 200 and len(refused_rows(response)) > 0


def is_refused(operation: Operation, response: httpx.Response) -> bool:
    """Say whether a request was refused for its form; of a bulk operation, each of its items."""
    if operation.is_bulk and response.status_code == 200:
        return response.json()["done"] == 0
    return response.status_code in {400, 422}


def named_in(response: httpx.Response, field: Field) -> bool:
    """Say whether a refusal names the field, or what it stands in where one of several shapes is meant."""
    told = refused_rows(response)[0]
    if told["code"] == "body_malformed":  # a number that no reader of JSON takes has no place
        return True
    return any(field.pointer.startswith(fault.get("pointer", "?")) for fault in told.get("errors", ()))


@pytest.mark.parametrize("operation", TAKE_JSON, ids=lambda o: o.name)
async def test_no_operation_takes_a_twin_key_an_unknown_field_depth_or_ten_megabytes(
    operation: Operation, things: Things
) -> None:
    form = await Form.of(things, operation)
    good = make_json(form.example)
    name = next(iter(form.example)) if form.example else "x"
    twin = b'{"%s": null, "%s": null}' % (name.encode(), name.encode())
    before = await rows_of(things)
    assert code_of(await form.sent(twin)) == (400, "body_malformed")
    assert code_of(await form.sent(b'{"nope": 1, ' + good.lstrip()[1:].replace(b"}", b"}", 1))) in UNKNOWN
    assert code_of(await form.sent(b'{"%s": %s' % (name.encode(), b"[" * 10_000))) == (400, "body_malformed")
    assert code_of(await form.sent(b" " * 10_000_000)) == (413, "body_too_large")
    assert code_of(await form.sent(good + b" x")) == (400, "body_malformed")
    assert await rows_of(things) == before


UNKNOWN = {(422, "body_invalid"), (400, "body_malformed")}


# --- lists -----------------------------------------------------------------------------------------------------------

BEYOND: dict[str, list[str]] = {
    "date": ["0000-01-01", "10000-01-01", "2027-02-29", "2026-1-1", "4102444800", "", "null"],
    "datetime": ["0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "2026-01-01", "1", ""],
    "int": [str(2**63), str(-(2**63) - 1), "9" * 400, "1e3", "0.5", "\u0661", "0x1", "1_000", "", "null"],
    "Decimal": ["NaN", "Infinity", "-Infinity", "1e400", "9" * 400, "0x1", "1_0", "\u0661", ""],
    "UUID": ["x", "", "{018f}", "null", "018f0000-0000-7000-8000-00000000000"],
    "bool": ["2", "yes", "", "null"],
}


def beyond(column: Column) -> list[str]:
    return BEYOND.get(getattr(column.kind, "__name__", ""), [])


async def test_every_filter_refuses_numbers_beyond_64_bits_and_days_that_are_none(api: Api, things: Things) -> None:
    faults = []
    for operation in operations(api):
        if operation.of is None:
            continue
        place = operation.path.format(**(await things.known_for(operation)))
        for name, column in operation.of.columns.items():
            for operator in sorted(column.allows() - {Operator.NULL}):
                for value in beyond(column):
                    query = {**operation.query, "filter": f"{name}:{operator}:{value}"}
                    response = await things.client.get(place, params=query)
                    if code_of(response) != (400, "filter_invalid"):
                        faults.append(f"{operation.name} {query['filter'][:80]}: {response.status_code}")
    assert "\n".join(faults) == ""


async def test_every_whole_number_in_a_query_refuses_what_it_cannot_hold(api: Api, things: Things) -> None:
    faults, asked = [], 0
    for operation in operations(api):
        place = operation.path.format(**(await things.known_for(operation)))
        for parameter in operation.document.get("parameters", ()):
            if parameter["in"] == "query" and parameter["schema"].get("type") == "integer":
                asked += 1
                for value in (2**31, 2**63, -(2**63) - 1, 2**64, "9" * 5000, "0.5", "1e2", "\u0661", "", "null", -1):
                    query = {**operation.query, parameter["name"]: str(value)}
                    response = await things.client.http.request(operation.method, place, params=query)
                    if code_of(response) != (400, "parameter_invalid"):
                        faults.append(f"{operation.name} {parameter['name']}={value!s:.30}: {response.status_code}")
    assert asked > 10
    assert "\n".join(faults) == ""


async def test_no_list_takes_a_cursor_that_was_changed_or_is_of_another_list_or_tenant(
    api: Api, things: Things, context: JobContext, owner: Any, other_company: Company
) -> None:
    others = Things(other_company, other_company.client, context, owner)
    ours, theirs = await cursors(api, things), await cursors(api, others)
    assert len(ours) > 5
    faults = []
    for name, (place, cursor) in ours.items():
        turned = cursor[:8] + ("A" if cursor[8] != "A" else "B") + cursor[9:]
        elsewhere = [at for other, (_, at) in ours.items() if other != name]
        for odd in (cursor[:-3], turned, cursor * 2, theirs[name][1], "\x00", "9" * 400, *elsewhere):
            response = await things.client.get(place, params={"cursor": odd, "limit": 1})
            if code_of(response) != (400, "cursor_invalid"):
                faults.append(f"{name}: {odd[:40]!r} {response.status_code}")
    assert "\n".join(faults) == ""


async def cursors(api: Api, things: Things) -> dict[str, tuple[str, str]]:
    """Return a place and a cursor of every list that has a second page once there are two of everything."""
    lists = [o for o in operations(api) if o.kind is Kind.LIST and not o.query]
    for _ in range(2):
        for operation in lists:
            await things.known_for(operation)
        for maker in (vendor, member, document, finding, service, *MAKERS.values()):
            await maker(things, await parents(things, maker))
    found = {}
    for operation in lists:
        place = operation.path.format(**(await things.known_for(operation)))
        page = (await things.client.get(place, params={"limit": 1})).json()
        if "next" in page:
            found[operation.name] = (place, page["next"])
    return found


async def parents(things: Things, maker: Maker) -> Known:
    """Return the ids that a maker of a child asks for."""
    names = maker.__code__.co_consts
    known: Known = {}
    if "report_id" in names:
        known["report_id"] = await MAKERS["report_id"](things, {})
    if "document_id" in names and maker is MAKERS["proposal_id"]:
        known["document_id"] = await document(things, {})
    return known


# --- files -----------------------------------------------------------------------------------------------------------


def archive(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return made.getvalue()


def workbook() -> bytes:
    from xlsxwriter import Workbook

    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["name", "country"])
        sheet.write_row(1, 0, ["From a workbook", "DE"])
    return made.getvalue()


def pdf(inside: bytes = b"") -> bytes:
    return b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R" + inside + b">>\nendobj\n"


PARTS = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": b"<x/>"}

BAD_FILES: dict[str, bytes] = {
    "nothing": b"",
    "one NUL": b"\x00",
    "a PDF of its first line": b"%PDF-1.7\n",
    "a PDF without an end": pdf(),
    "a PDF whose pages are itself": pdf() + b"2 0 obj\n<</Type/Pages/Kids[2 0 R]/Count 1000000>>\nendobj\n%%EOF",
    "a PDF of noise": b"%PDF-1.4\n" + bytes(range(256)) * 200 + b"\n%%EOF",
    "a PDF that is HTML": b"<!doctype html><script>alert(1)</script>%PDF-1.7",
    "a PDF deep in brackets": pdf(b"/X" + b"[" * 50_000) + b"%%EOF",
    "a workbook cut in half": workbook()[: len(workbook()) // 2],
    "a workbook without its directory": workbook()[:-60],
    "a workbook of empty parts": archive(PARTS),
    "a workbook with a bomb": archive({**PARTS, "xl/worksheets/sheet1.xml": b"0" * 50_000_000}),
    "a workbook that names itself out": archive({**PARTS, "../../etc/cron.d/x": b"x"}),
    "a bomb of entities": archive({**PARTS, "xl/workbook.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}),
    "an archive of no parts": archive({}),
    "the old kind of workbook": bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000),
    "one line without end": b"x" * 2_000_000,
    "a hundred thousand columns": b"name" + b",x" * 100_000 + b"\n",
    "NULs in a table": b"name\nA\x00B\n",
    "half of UTF-16": "name\nAcme\n".encode("utf-16")[:-1],
    "no text at all": bytes(range(256)),
}
MEDIA = ["text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream"]


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
async def test_a_file_that_is_not_what_it_says_is_no_failure_of_any_route_nor_of_its_reader(
    content: bytes, things: Things, context: JobContext
) -> None:
    faults = []
    for operation in TAKE_FILES:
        for media in MEDIA if operation.name == "import_vendors" else ["application/pdf"]:
            known = await things.known_for(operation)
            known |= {"document_id": await soc2_document(things)} if "document_id" in known else {}
            place = operation.path.format(**known)
            headers = {"content-type": media, **({"if-match": '"1"'} if operation.match else {})}
            response = await things.client.http.request(operation.method, place, headers=headers, content=content)
            if str(response.status_code) not in operation.document["responses"] or response.status_code >= 500:
                faults.append(f"{operation.name} as {media}: {response.status_code} {response.text[:200]}")
            elif response.status_code >= 400 and not response.json()["detail"]:
                faults.append(f"{operation.name} as {media}: says nothing")
    while await read_evidence(context):
        pass
    assert "\n".join(faults) == ""
    for shown in await things.client.items("/v1/documents"):
        assert shown["extraction"] != "waiting"
        assert await things.client.items(f"/v1/documents/{shown['id']}/proposals") == []
    made = [found["name"] for found in await things.client.items("/v1/vendors")]
    assert [name for name in made if "workbook" in name or name.startswith("A")] == []


async def soc2_document(things: Things) -> str:
    body = {"vendor_id": await vendor(things, {}), "kind": "soc2_type2", "title": "A report"}
    return str((await things.made("/v1/documents", body))["id"])


@pytest.mark.parametrize("operation", TAKE_FILES, ids=lambda o: o.name)
async def test_a_file_that_never_ends_breaks_off_or_is_too_large_leaves_nothing(
    operation: Operation, api: Api, things: Things
) -> None:
    api.service.paces = Paces(sending=Pace(0.1, 64 * 1024 * 1024))
    known = await things.known_for(operation)
    place = operation.path.format(**known)
    media = FILES[operation.name][0]
    headers = [("authorization", f"Bearer {things.company.key.secret}"), ("content-type", media), ("if-match", '"1"')]
    before = (await rows_of(things), await entries(things))
    begun = make.chunk(b"name\nHalf a file\n", more=True)
    endless = await make.send_raw(api, operation.method, place, headers, [begun], hang=True)
    broken = await make.send_raw(api, operation.method, place, headers, [begun])
    big = (make.chunk(b"x" * 1_000_000, more=True) for _ in range(200))
    large = await make.send_raw(api, operation.method, place, headers, big)
    for response in (endless, broken):
        assert 400 <= response.status < 500, (response.status, response.body[:300])
    assert (large.status, large.json()["code"]) == (413, "body_too_large")
    assert (await rows_of(things), await entries(things)) == before


async def test_a_nil_id_is_nobody_in_every_path(api: Api, things: Things) -> None:
    client: Client = things.client
    for operation in operations(api):
        if any(name.endswith("_id") for name in operation.parameters):
            known = {
                name: str(UUID(int=0)) if name.endswith("_id") else "access_removed" for name in operation.parameters
            }
            response = await things.send(operation, known, await things.body_of(operation, known), client, '"1"')
            assert code_of(response) == (404, "not_found"), (operation.name, response.text)
