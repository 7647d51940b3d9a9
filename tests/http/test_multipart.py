"""Files as one part of a form, beside the raw body: the part is stored, and whatever else is sent is refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.evidence.make import vendor
from tests.http.make import chunk, pieces, send_raw
from vendorrisk.app import Api
from vendorrisk.http.multipart_file import part_of

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n\r\n--not the boundary\r\n%%EOF\n"
CSV = b"name,country\nFrom a form,DE\n"
FORM = {"content-type": "multipart/form-data; boundary=edge"}


def form(*parts: bytes, end: bytes = b"--edge--\r\n") -> bytes:
    return b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + end


def part(content: bytes, name: str = "report.pdf", media: str = "application/octet-stream", more: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {media}\r\n{more}\r\n'
    return head.encode() + content


FIELD = b'Content-Disposition: form-data; name="title"\r\n\r\nA report'


@pytest.fixture
async def place(client: Client) -> str:
    body = {"vendor_id": await vendor(client), "kind": "policy", "title": "A policy"}
    return str((await client.post("/v1/documents", body)).headers["location"])


@pytest.mark.parametrize("crumb", [1, 7, 100_000])
async def test_a_document_keeps_the_bytes_and_the_name_of_the_part(client: Client, place: str, crumb: int) -> None:
    body = form(part(PDF, "Übersicht 2026.pdf", "application/pdf"))
    headers = {**FORM, "if-match": '"1"'}
    stored = await client.http.put(f"{place}/file", content=pieces(body, crumb), headers=headers)
    assert stored.status_code == 200, stored.text
    assert (stored.json()["file_name"], stored.json()["media_type"]) == ("Übersicht 2026.pdf", "application/pdf")
    assert stored.json()["file_bytes"] == len(PDF)
    assert (await client.get(f"{place}/file")).content == PDF


async def test_a_name_in_the_query_goes_before_the_name_of_the_part(client: Client, place: str) -> None:
    headers = {**FORM, "if-match": '"1"'}
    stored = await client.http.put(f"{place}/file?file_name=mine.pdf", content=form(part(PDF)), headers=headers)
    assert (stored.status_code, stored.json()["file_name"]) == (200, "mine.pdf")


async def test_the_same_file_by_form_and_by_body_is_one_file_and_no_new_version(client: Client, place: str) -> None:
    headers = {**FORM, "if-match": '"1"'}
    first = await client.http.put(f"{place}/file", content=form(part(PDF)), headers=headers)
    raw = {"content-type": "application/pdf", "if-match": first.headers["etag"]}
    again = await client.http.put(f"{place}/file?file_name=report.pdf", content=PDF, headers=raw)
    assert (again.status_code, again.json()["version"]) == (200, first.json()["version"])


WRONG = {
    "no part": form(),
    "nothing": b"",
    "a field without a file": form(FIELD),
    "a field before the file": form(FIELD, part(PDF)),
    "a field after the file": form(part(PDF), FIELD),
    "two files": form(part(PDF), part(PDF)),
    "no end": form(part(PDF), end=b""),
    "half of the last boundary": form(part(PDF), end=b"--ed"),
    "another boundary": form(part(PDF)).replace(b"--edge", b"--hedge"),
    "a part without a disposition": form(b"Content-Type: text/plain\r\n\r\nx"),
    "a part in base64": form(part(b"JVBERi0=", more="Content-Transfer-Encoding: base64\r\n")),
    "a head that never ends": form(b"X: " + b"x" * 20_000),
    "too many heads": form(b"".join(b"X-%d: x\r\n" % n for n in range(50)) + part(PDF)),
    "a name that is no text": form(part(PDF).replace(b"report", b"\xff\xfe")),
    "bare line breaks": form(part(PDF)).replace(b"\r\n", b"\n"),
    "noise": bytes(range(256)) * 100,
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG.keys())
async def test_none_two_or_broken_parts_are_refused_and_nothing_is_stored(
    client: Client, place: str, body: bytes
) -> None:
    headers = {**FORM, "if-match": '"1"'}
    for step in (3, 100_000):
        refused = await client.http.put(f"{place}/file", content=pieces(body, step), headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (400, "file_part_invalid"), refused.text
        assert "Send exactly one part, the file" in refused.json()["detail"]
    imported = await client.http.post("/v1/vendor-imports", content=body, headers=FORM)
    assert (imported.status_code, imported.json()["code"]) == (400, "file_part_invalid"), imported.text
    stored = (await client.get(place)).json()
    assert (stored["file_sha256"], stored["version"]) == (None, 1)
    assert await client.items("/v1/vendor-imports") == []


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", f"multipart/form-data; boundary={'x' * 300}"],
)
async def test_a_form_whose_boundary_is_not_said_is_refused(client: Client, place: str, content_type: str) -> None:
    headers = {"content-type": content_type, "if-match": '"1"'}
    refused = await client.http.put(f"{place}/file", content=form(part(PDF)), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "file_part_invalid"), refused.text


async def test_an_empty_file_in_a_form_is_refused_as_an_empty_body_is(client: Client, place: str) -> None:
    headers = {**FORM, "if-match": '"1"'}
    refused = await client.http.put(f"{place}/file", content=form(part(b"")), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "file_empty")


async def test_an_import_takes_a_form_as_curl_sends_it(client: Client) -> None:
    for number, media in enumerate(("text/csv", "application/octet-stream")):
        content = CSV.replace(b"a form", b"form %d" % number)
        body = form(part(content, "vendors.csv", media))
        made = await client.http.post("/v1/vendor-imports?dry_run=false", content=body, headers=FORM)
        assert (made.status_code, made.json()["state"], made.json()["file_name"]) == (201, "applied", "vendors.csv")
    named = {one["name"] for one in await client.items("/v1/vendors")}
    assert named == {"From form 0", "From form 1"}
    refused = await client.http.post("/v1/vendor-imports", content=form(part(CSV, media="image/png")), headers=FORM)
    assert (refused.status_code, refused.json()["code"]) == (415, "media_type_unsupported")


async def test_ratings_in_a_form_are_told_by_the_ending_of_the_name(client: Client) -> None:
    await client.post("/v1/vendors", {"name": "Acme", "domains": ["example.com"]})
    row = b"domain,provider,date,score\nexample.com,Rater,2026-01-31,87\n"
    made = await client.http.post("/v1/vendor-rating-imports", content=form(part(row, "r.csv")), headers=FORM)
    assert made.status_code == 200, made.text


async def test_a_form_under_an_idempotency_key_is_answered_again_as_it_was(client: Client) -> None:
    headers = {**FORM, "idempotency-key": "k1"}
    first, again = [
        await client.http.post("/v1/vendor-imports", content=form(part(CSV, "v.csv")), headers=headers)
        for _ in range(2)
    ]
    assert (first.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_form_that_is_too_large_is_refused_on_the_way(api: Api, company: Company, place: str) -> None:
    headers = [("authorization", f"Bearer {company.key.secret}"), ("if-match", '"1"'), *FORM.items()]
    sent = 0

    def endless() -> Iterator[dict[str, Any]]:
        nonlocal sent
        yield chunk(b"--edge\r\n" + part(b"x" * 1_000_000), more=True)
        while sent < 200:
            sent += 1
            yield chunk(b"x" * 1_000_000, more=True)

    large = await send_raw(api, "PUT", f"{place}/file", headers, endless())
    assert (large.status, large.json()["code"]) == (413, "body_too_large")
    preamble = [chunk(b"x" * 1_000_000, more=True) for _ in range(200)]
    never = await send_raw(api, "PUT", f"{place}/file", headers, preamble)
    assert (never.status, never.json()["code"]) == (413, "body_too_large")
    assert (await company.client.get(place)).json()["file_sha256"] is None


async def test_a_part_passes_piece_by_piece() -> None:
    """Each piece leaves before the next one is asked for, so that memory does not follow the size of a file."""
    asked = 0

    async def body() -> Any:
        nonlocal asked
        yield b"--edge\r\n" + part(b"")
        for _ in range(50):
            asked += 1
            yield b"y" * 65_536
        yield b"\r\n--edge--\r\n"

    sent = await part_of(body(), FORM["content-type"], 10_000_000)
    passed, largest = 0, 0
    async for piece in sent.chunks:
        passed, largest = passed + len(piece), max(largest, len(piece))
        assert passed > (asked - 2) * 65_536
    assert (passed, largest <= 2 * 65_536) == (50 * 65_536, True)
