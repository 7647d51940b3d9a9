"""What the edge says while a disk is full, files are another user's, or the log cannot be written."""

import errno
import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock, client_of
from tests.evidence.make import vendor
from tests.http.make import chunk, send_raw
from tests.storage.make import chunks
from vendorrisk.app import Api, create_app
from vendorrisk.http import outer_middleware, spool
from vendorrisk.http.client_address import network_of
from vendorrisk.identity import queries
from vendorrisk.settings import Settings
from vendorrisk.storage import disk
from vendorrisk.storage.port import DeniedError, FullError, UnreachableError

pytestmark = pytest.mark.anyio
CSV = {"content-type": "text/csv"}


def full(*_arguments: Any, **_more: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_a_full_disk_of_the_store_is_503_with_a_code_of_its_own(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"vendor_id": await vendor(client), "kind": "policy", "title": "A policy"}
    place = (await client.post("/v1/documents", body)).headers["location"]
    monkeypatch.setattr(disk, "_finish", full)
    text = {"content-type": "text/plain"}
    refused = await client.put(f"{place}/file", b"We keep.\n", etag='"1"', headers=text)
    assert (refused.status_code, refused.json()["code"]) == (503, "disk_full"), refused.text
    assert int(refused.headers["retry-after"]) >= 1
    assert (await client.get(place)).json()["file_name"] is None


async def test_a_full_disk_under_bodies_on_their_way_in_is_503_and_leaves_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool.Spool, "_to_disk", full)
    refused = await client.post("/v1/vendor-imports", b"name\n" + b"Acme\n" * 100_000, headers=CSV)
    assert (refused.status_code, refused.json()["code"]) == (503, "disk_full"), refused.text
    assert await client.items("/v1/vendor-imports") == []


async def test_a_full_disk_of_the_database_is_503_and_not_our_fault(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_room(*_arguments: Any) -> Any:
        raise asyncpg.DiskFullError("could not extend file")

    monkeypatch.setattr(queries, "insert_member", no_room)
    body = {"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}
    refused = await client.post("/v1/members", body)
    assert (refused.status_code, refused.json()["code"]) == (503, "disk_full"), refused.text
    assert "extend" not in refused.text


@pytest.mark.parametrize(
    ("fault", "status", "told"),
    [
        (DeniedError("canary"), 503, "are denied to the user of this process"),
        (FullError("canary"), 200, "are full"),
        (UnreachableError("canary"), 200, "cannot be reached (UnreachableError)"),
        (None, 200, "ok"),
    ],
)
async def test_readiness_looks_at_the_files(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch, fault: Exception | None, status: int, told: str
) -> None:
    async def check() -> None:
        if fault is not None:
            raise fault

    monkeypatch.setattr(api.service.file_store, "check", check)
    ready = await client.get("/health/ready")
    assert (ready.status_code, ready.json()["checks"]["files"]) == (status, told)


async def test_files_of_another_user_are_denied_and_an_own_folder_is_not(tmp_path: Path) -> None:
    await disk.DiskStore(tmp_path / "own").check()
    assert list((tmp_path / "own" / ".incoming").iterdir()) == []
    if os.geteuid() == 0:
        child = "import asyncio, concurrent.futures.thread, os, sys; from pathlib import Path; "
        child += "from vendorrisk.storage.disk import DiskStore; "
        child += "os.setegid(65534); os.seteuid(65534); asyncio.run(DiskStore(Path(sys.argv[1])).check())"
        ran = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
            [sys.executable, "-c", child, str(tmp_path / "own")], capture_output=True, text=True, check=False
        )
        assert "DeniedError" in ran.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write files of others")
async def test_what_root_writes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "files"
    root.mkdir(mode=0o700)
    os.chown(root, 65534, 65534)
    store = disk.DiskStore(root)
    await store.check()
    await store.put("bodies/a/bc", chunks(b"evidence"))
    owners = {path.lstat().st_uid for path in root.rglob("*")}
    assert owners == {65534}
    assert len(list(root.rglob("*"))) == 5


def test_a_log_that_cannot_be_written_loses_lines_and_nothing_else() -> None:
    child = (
        "import structlog; from vendorrisk import logs; from vendorrisk.settings import Settings; "
        "logs.configure(Settings()); log = structlog.get_logger(); "
        "[log.warning('a line', name='\\ud800', number=n) for n in range(20_000)]; "
        "import sys, os; print('went on', file=sys.stderr, flush=True); os._exit(0)"
    )
    with Path("/dev/full").open("wb") as nowhere:
        ran = subprocess.run(
            [sys.executable, "-c", child], stdout=nowhere, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ran.stderr.strip().endswith("went on"), ran.stderr[-500:]


async def test_a_probe_that_is_content_is_not_logged_and_one_that_fails_is(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []

    class Log:
        def __getattr__(self, level: str) -> Any:
            return lambda event, **more: told.append((level, f"{event} {more.get('status')}"))

    monkeypatch.setattr(outer_middleware, "_log", Log())
    assert (await client.get("/health/ready")).status_code == 200
    assert (await client.get("/health/live")).status_code == 200
    assert [level for level, _ in told] == ["debug", "debug"]
    api.service.is_shutting_down = True
    assert (await client.get("/health/ready")).status_code == 503
    assert told[-1] == ("info", "request 503")


async def test_the_document_is_packed_and_sent_once(client: Client) -> None:
    plain = await client.get("/openapi.json", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    packed = await client.http.get("/openapi.json", headers={"accept-encoding": "br;q=1, gzip;q=0.5"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < len(plain.content) / 4
    assert len(gzip.compress(plain.content)) < len(plain.content) / 4
    unwanted = await client.http.get("/openapi.json", headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in unwanted.headers
    for known in (plain.headers["etag"], f'"other", {plain.headers["etag"]}', "*"):
        again = await client.get("/openapi.json", headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b"")
    assert (await client.get("/openapi.json", headers={"if-none-match": '"other"'})).status_code == 200


@pytest.mark.parametrize(
    ("asked", "told"), [(False, "max-age=31536000"), (True, "max-age=31536000; includeSubDomains")]
)
async def test_hosts_below_ours_are_promised_only_where_the_operator_asks(
    settings: Settings, clock: FakeClock, *, asked: bool, told: str
) -> None:
    made = create_app(msgspec.structs.replace(settings, hsts_include_subdomains=asked), clock=clock)
    async with made.running():
        response = await client_of(made, None).get("/health/live")
    assert response.headers["strict-transport-security"] == told


@pytest.mark.parametrize(
    ("media", "status"),
    [
        ("application/json; charset=utf-8", 201),
        ('application/json; charset="UTF-8"; x=y', 201),
        ("application/json; charset=utf-8; charset=utf-8", 415),
        ("application/json; charset=utf-8; charset=latin-1", 415),
        ("application/json; charset=latin-1", 415),
        ("application/json, application/json", 415),
    ],
)
async def test_a_content_type_names_at_most_one_charset(client: Client, media: str, status: int) -> None:
    body = b'{"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}'
    sent = await client.post("/v1/members", body, headers={"content-type": media})
    assert sent.status_code == status, sent.text


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_a_caller_is_counted_by_the_network_that_is_its_own(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_guesses_from_one_ipv6_network_are_counted_together(settings: Settings, clock: FakeClock) -> None:
    made = create_app(msgspec.structs.replace(settings, rate_limit_unauthenticated_per_minute=5), clock=clock)
    async with made.running():
        guess = [("authorization", "Bearer vr_key_x")]
        statuses = [
            (await send_raw(made, "GET", "/v1/me", guess, [chunk(b"")], peer=(f"2001:db8::{n:x}", 4000))).status
            for n in range(8)
        ]
        assert statuses == [401] * 5 + [429] * 3
        elsewhere = await send_raw(made, "GET", "/v1/me", guess, [chunk(b"")], peer=("2001:db8:0:1::1", 4000))
        assert elsewhere.status == 401


async def test_a_stranger_who_reads_nothing_leaves_places_to_others(api: Api, company: Company) -> None:
    share = api.service.places.strangers.share
    for _ in range(share):
        api.service.places.strangers.take_now("192.0.2.7")
    refused = await send_raw(api, "GET", "/openapi.json", [], [chunk(b"")])
    assert (refused.status, refused.json()["code"]) == (429, "rate_limited")
    assert (await send_raw(api, "GET", "/health/live", [], [chunk(b"")], peer=("192.0.2.8", 1))).status == 200
    assert (await company.client.get("/v1/me")).status_code == 200
