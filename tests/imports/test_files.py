"""Files that are sent: what is no table leaves nothing behind, and what was checked can be cancelled."""

from typing import Any

import pytest

from tests.client import Client
from tests.imports.make import CSV, XLSX, accepted, rows, run_imports, sent
from tests.sheets.make import workbook
from vendorrisk.background import JobContext

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", CSV, 422),
        (b"\x00\x01\x02\x03" * 100, CSV, 422),
        (b"Name\nSo\x81derland\n", CSV, 422),
        (b'Name\n"open', CSV, 422),
        (b"PK\x03\x04 not a zip", XLSX, 422),
        (workbook([["Name"], ["Acme"]])[:900], XLSX, 422),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", XLSX, 422),
        (b"Name\nAcme\n", {"content-type": "application/json"}, 415),
        (b"Name\nAcme\n", {"content-type": "text/html"}, 415),
    ],
    ids=["empty", "binary", "in no encoding", "open quote", "no zip", "cut", "old", "json", "html"],
)
async def test_what_is_no_table_is_refused_and_leaves_nothing(
    client: Client, content: bytes, headers: dict[str, str], status: int
) -> None:
    response = await sent(client, content, headers)
    assert response.status_code == status, response.text
    assert await client.items("/v1/vendor-imports") == []


async def test_bytes_in_no_encoding_are_told_with_their_place_and_both_ways_out(client: Client) -> None:
    response = await sent(client, b"Name\nSo\x81derland\n", CSV)
    assert response.json()["detail"] == (
        "Byte 8 of the file fits neither UTF-8 nor Windows-1252. Save it as CSV UTF-8, or as XLSX, and send it again."
    )


async def test_a_workbook_that_would_fill_memory_is_lost_with_its_child_process_only(
    client: Client, context: JobContext
) -> None:
    def far_corner(book: Any) -> None:
        book.active["A1"] = "Name"
        book.active["XFD1048576"] = "x"

    response = await sent(client, workbook([], change=far_corner), XLSX)
    assert response.status_code == 202, "a job has more memory than a request"
    assert await run_imports(context) == 1
    made = (await client.get(response.headers["location"])).json()
    assert (made["state"], "too much time or memory" in made["rejection_reason"]) == ("rejected", True)
    assert (await client.get("/v1/vendors")).status_code == 200


async def test_an_import_is_called_off_and_its_rows_are_forgotten(client: Client) -> None:
    made = (await sent(client, "Name\nAcme\n")).json()
    place = f"/v1/vendor-imports/{made['id']}"
    assert (await client.delete(place, etag='"1"')).status_code == 412
    assert (await client.delete(place, etag=await client.etag(place))).status_code == 204
    assert (await client.get(place)).json()["state"] == "cancelled"
    assert await rows(client, made) == []
    assert (await accepted(client, made)).json()["code"] == "import_not_ready"


async def test_one_import_is_one_audit_entry_with_a_digest_of_its_rows(client: Client) -> None:
    before = len(await client.items("/v1/audit-entries"))
    made = (await sent(client, "Name\nAcme\nGlobex\n", dry_run=False)).json()
    entries = await client.items("/v1/audit-entries")
    assert [e["action"] for e in entries[: len(entries) - before]] == ["vendor_import:applied"]
    assert entries[0]["after"]["rows_digest"] == made["rows_digest"]
    assert len(made["rows_digest"]) == 64
