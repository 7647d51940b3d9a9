"""A drill: a backup under writes, restored elsewhere; chain, files and counts are equal, and no alert leaves."""

import asyncio
import base64
import hashlib
import json
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import msgspec
import pytest

from tests.alerts.make import Feature, a_receiver, a_vendor, expiry, recording
from tests.client import Client
from tests.commands.make import command
from tests.conftest import Company, FakeClock, Servers, client_of, with_database
from tests.fakes.s3 import s3_fake
from vendorrisk.alerts.jobs import dispatch_alerts, raise_due_alerts
from vendorrisk.app import create_app
from vendorrisk.background import JobContext, run_job
from vendorrisk.backup import programs
from vendorrisk.backup.model import LEFT_OUT, BackupError, Manifest, manifest_of
from vendorrisk.keys import Keyring
from vendorrisk.settings import Settings
from vendorrisk.worker import SCHEDULE, make_job_context

pytestmark = pytest.mark.anyio
PDF = b"%PDF-1.7\n" + b"evidence " * 20_000 + b"\n%%EOF\n"
OTHER_KEY = base64.b64encode(hashlib.sha256(b"another").digest()).decode()


@pytest.fixture
def mine(settings: Settings) -> Settings:
    """Settings of the owner, past any pooler."""
    return msgspec.structs.replace(
        settings, database_url=settings.database_migration_url, database_pooling="session", environment="production"
    )


@asynccontextmanager
async def empty_database(servers: Servers) -> AsyncIterator[str]:
    name = f"drill_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute(f"create database {name} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'")
    try:
        yield with_database(servers.admin_url, name)
    finally:
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()


@pytest.fixture
async def elsewhere(servers: Servers, mine: Settings, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings of an empty database and a file store that is not there yet."""
    async with empty_database(servers) as url:
        home = str(tmp_path / "elsewhere")
        yield msgspec.structs.replace(mine, database_url=url, database_migration_url=url, home=home)


async def a_document(client: Client) -> str:
    vendor = (await client.post("/v1/vendors", {"name": f"Vendor {uuid4().hex[:8]}"})).json()
    made = (await client.post("/v1/documents", {"vendor_id": vendor["id"], "kind": "dpa", "title": "DPA"})).json()
    place = f"/v1/documents/{made['id']}"
    sent = await client.put(
        f"{place}/file",
        PDF + made["id"].encode(),
        etag=await client.etag(place),
        headers={"content-type": "application/pdf"},
    )
    assert sent.status_code == 200, sent.text
    return place


TABLES = """select c.relname::text as name from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'"""
CONTENT = """select count(*) as rows, coalesce(md5(string_agg(t::text, chr(10) order by t::text)), '') as digest
from only public.{} as t"""
A_ROW_WITHOUT_PARTITION = """insert into signal_scans
values ('2001-01-01', gen_random_uuid(), gen_random_uuid(), 'web', 1, 'seen', 0, 0, '{}')"""
OWNERS = """select format(
    'alter %s public.%I owner to %I', case relkind when 'v' then 'view' else 'table' end, relname, $1::text
) as sql
from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')"""


async def contents(url: str) -> dict[str, tuple[int, str]]:
    """Return rows and a digest of each table, but for those that a backup leaves out."""
    connection = await asyncpg.connect(url)
    try:
        names = {row["name"] for row in await connection.fetch(TABLES)} - {*LEFT_OUT, "installation"}
        found = {}
        for name in sorted(names):
            row = await connection.fetchrow(CONTENT.format(name))
            found[name] = (row["rows"], row["digest"])
        return found
    finally:
        await connection.close()


async def test_a_backup_under_writes_restores_to_the_same_chain_files_and_counts_and_sends_nothing(
    context: JobContext,
    company: Company,
    other_company: Company,
    mine: Settings,
    elsewhere: Settings,
    tmp_path: Path,
    owner: Any,
    clock: FakeClock,
) -> None:
    place = await a_document(company.client)
    await a_document(other_company.client)
    await a_receiver(company)
    await Feature(context, company).watch(expiry(await a_vendor(owner, company), clock.now.date()))
    await raise_due_alerts(context)
    await dispatch_alerts(context)
    over, written = asyncio.Event(), 0

    async def write() -> None:
        nonlocal written
        while not over.is_set():
            await a_document(company.client)
            written += 1

    writer = asyncio.create_task(write())
    while written < 1:  # noqa: ASYNC110 - it writes already when the backup begins
        await asyncio.sleep(0.01)
    folder = tmp_path / "backup"
    ran = await command("backup", str(folder), settings=mine)
    during = written
    over.set()
    await writer
    assert (ran.code, ran.err) == (0, ""), ran
    assert during > 1, "writes went on meanwhile"
    manifest = manifest_of(folder)
    assert manifest.tables["documents"] < await owner.fetchval("select count(*) from documents"), "it is of one moment"
    assert manifest.referenced >= 3
    assert manifest.missing == []
    check_closed(folder, mine, manifest)

    done = await command("restore", str(folder), settings=elsewhere)
    assert (done.code, done.err) == (0, ""), done
    assert f"restored and equal: {sum(manifest.tables.values())} rows, 2 audit chains" in done.out
    copied = {name: count for name, (count, _) in (await contents(elsewhere.database_url)).items()}
    assert copied == {name: count for name, count in manifest.tables.items() if name != "installation"}
    verified = await command("audit", "verify", "--json", settings=elsewhere)
    told = json.loads(verified.out)
    assert told["whole"] is True
    assert {one["head"]["hash"] for one in told["chains"]} == {head.hash for head in manifest.heads}
    await check_in_use(elsewhere, company, place)
    await check_held(elsewhere, clock)


async def test_a_backup_goes_into_a_bucket_and_out_of_it_again(
    company: Company, mine: Settings, elsewhere: Settings, servers: Servers, tmp_path: Path
) -> None:
    place = await a_document(company.client)
    first = await a_backup(mine, tmp_path / "of the disk")
    async with s3_fake() as bucket, empty_database(servers) as url:
        given = bucket.bucket()
        in_bucket = msgspec.structs.replace(
            elsewhere,
            storage_url=f"s3://{given.name}/{given.prefix}",
            storage_s3_endpoint=given.endpoint,
            storage_s3_access_key_id=given.access_key_id,
            storage_s3_secret_access_key=given.secret_access_key,
        )
        done = await command("restore", str(first), settings=in_bucket)
        assert (done.code, done.err) == (0, ""), done
        assert bucket.objects, "the files are in the bucket"
        assert not await asyncio.to_thread(Path(elsewhere.home, "files").exists)
        await check_in_use(in_bucket, company, place)
        second = await a_backup(in_bucket, tmp_path / "of the bucket")
        listed = [(folder / "files.jsonl").read_bytes().splitlines() for folder in (first, second)]
        assert sorted(listed[0]) == sorted(listed[1])
        assert "the file store is not empty" in await refused(
            second, msgspec.structs.replace(in_bucket, database_url=url, database_migration_url=url)
        )
        on_disk = msgspec.structs.replace(
            mine, database_url=url, database_migration_url=url, home=str(tmp_path / "back")
        )
        done = await command("restore", str(second), settings=on_disk)
        assert (done.code, done.err) == (0, ""), done
        await check_in_use(on_disk, company, place)


def check_closed(folder: Path, settings: Settings, manifest: Manifest) -> None:
    """Nobody else reads the folder, and neither a key nor a file in clear is in it."""
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    everything = b"".join(place.read_bytes() for place in folder.rglob("*") if place.is_file())
    assert settings.secret_keys.encode() not in everything
    assert b"evidence evidence" not in everything
    assert manifest.key_ids == list(Keyring.from_setting(settings.secret_keys).ids)


async def check_in_use(settings: Settings, company: Company, place: str) -> None:
    """The copy serves what the original served, with the same key."""
    api = create_app(settings)
    async with api.running():
        client = client_of(api, company.key.secret)
        served = await client.get(f"{place}/file")
        assert served.content.startswith(PDF)
        ready = (await client.get("/health/ready")).json()["checks"]
        assert ready["database"] == "ok"
        assert ready["worker"] == "no worker has given a sign for 45 s", "the original's heartbeats are not the copy's"
        assert (await client.post("/v1/vendors", {"name": f"In the copy {uuid4().hex[:8]}"})).status_code == 201


async def check_held(settings: Settings, clock: FakeClock) -> None:
    """The copy sends nothing until it is activated, and then what was due."""
    context, nudger = make_job_context(settings, clock=clock)
    sent = recording(context)
    await context.database.open()
    [send] = [job for job in SCHEDULE if job.name == "send_deliveries"]
    try:
        clock.advance(hours=1)
        await run_job(send, context)
        assert sent.sent == []
        assert "deliveries are held" in (await command("installation", "show", settings=settings)).out
        assert (await command("installation", "activate", settings=settings)).code == 0
        await run_job(send, context)
        assert len(sent.sent) == 1
        assert (await command("installation", "hold", settings=settings)).code == 0
        assert "deliveries are held" in (await command("installation", "show", settings=settings)).out
    finally:
        await context.database.close()
        await nudger.close()


async def a_backup(settings: Settings, folder: Path, *more: str) -> Path:
    ran = await command("backup", str(folder), *more, settings=settings)
    assert ran.code == 0, ran
    return folder


async def refused(folder: Path, settings: Settings) -> str:
    ran = await command("restore", str(folder), settings=settings)
    assert ran.code == 1, ran
    [line] = ran.err.splitlines()
    return line.removeprefix("vendorrisk: ")


async def tables_of(settings: Settings) -> int:
    connection = await asyncpg.connect(settings.database_url)
    try:
        return int(await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'"))
    finally:
        await connection.close()


async def test_what_must_not_be_restored_is_refused_before_anything_is_written(
    company: Company, mine: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    await a_document(company.client)
    folder = await a_backup(mine, tmp_path / "backup")
    again = await command("backup", str(folder), settings=mine)
    assert "is not empty. Name a new folder" in again.err
    assert "the database is not empty" in await refused(folder, msgspec.structs.replace(mine, home=elsewhere.home))
    assert "the file store is not empty" in await refused(folder, msgspec.structs.replace(elsewhere, home=mine.home))
    assert "is sealed with key" in await refused(folder, msgspec.structs.replace(elsewhere, secret_keys=OTHER_KEY))
    for name, said in (("database.dump", "differs from the manifest"), ("files.jsonl", "differs from the manifest")):
        kept = (folder / name).read_bytes()
        (folder / name).write_bytes(kept[:-1] + b"x")
        assert said in await refused(folder, elsewhere)
        (folder / name).write_bytes(kept)
    one = next(place for place in (folder / "files").rglob("*") if place.is_file())
    kept = one.read_bytes()
    one.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    assert "1 files of the backup are damaged" in await refused(folder, elsewhere)
    one.write_bytes(kept)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    newer = {**manifest, "migrations": [*manifest["migrations"], {"number": 9999, "name": "later", "checksum": "x"}]}
    (folder / "manifest.json").write_text(json.dumps(newer))
    assert "holds migration 9999 (later)" in await refused(folder, elsewhere)
    (folder / "manifest.json").unlink()
    assert "it is no backup, or one that was broken off" in await refused(folder, elsewhere)
    assert await tables_of(elsewhere) == 0
    assert not await asyncio.to_thread(Path(elsewhere.home, "files").exists)


async def test_a_copy_that_is_not_equal_is_named_and_never_in_use(
    company: Company, mine: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    await a_document(company.client)
    folder = await a_backup(mine, tmp_path / "backup")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    manifest["tables"]["vendors"] += 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "vendors has 1 rows after the restore, and had 2" in await refused(folder, elsewhere)
    connection = await asyncpg.connect(elsewhere.database_url)
    try:
        assert await connection.fetchval("select count(*) from schema_migrations") == 0
    finally:
        await connection.close()
    api = create_app(elsewhere)
    async with api.running():
        assert (await client_of(api, None).get("/health/ready")).status_code == 503


async def test_the_keys_are_included_only_where_they_are_asked_for(
    company: Company, mine: Settings, tmp_path: Path
) -> None:
    del company
    plain = await a_backup(mine, tmp_path / "plain")
    assert not (plain / "secret.keys").exists()
    told = await command("restore", str(plain), settings=Settings(home=str(tmp_path / "new")))
    assert told.code == 1
    assert "set VENDORRISK_SECRET_KEYS to what it was" in told.err
    assert not (tmp_path / "new").exists(), "no other keys were made"
    whole = await a_backup(mine, tmp_path / "whole", "--with-keys")
    assert (whole / "secret.keys").read_text() == mine.secret_keys
    assert stat.S_IMODE((whole / "secret.keys").stat().st_mode) == 0o600
    assert manifest_of(whole).holds_keys


@pytest.fixture
async def managed(servers: Servers, owner: Any, elsewhere: Settings) -> AsyncIterator[str]:
    """A login as a managed server gives one: it owns the schema, and passes no row-level security."""
    name = f"managed_{uuid4().hex[:8]}"
    await owner.execute(f"create role {name} login password 'secret'")
    await owner.execute(f"grant vendorrisk_tenant, vendorrisk_system to {name} with admin option")
    for url in (elsewhere.database_url, None):
        connection = owner if url is None else await asyncpg.connect(url)
        database = await connection.fetchval("select current_database()")
        await connection.execute(f'alter database "{database}" owner to {name}')
        if url is not None:
            await connection.close()
    yield name
    await owner.execute(f"reassign owned by {name} to current_user")
    admin = await asyncpg.connect(elsewhere.database_url)
    await admin.execute(f"reassign owned by {name} to current_user")
    await admin.execute(f"drop owned by {name}")
    await admin.close()
    await owner.execute(f"drop owned by {name}")
    await owner.execute(f"drop role {name}")


def with_login(url: str, name: str) -> str:
    there = urlsplit(url)
    host = there.netloc.rpartition("@")[2]
    return there._replace(netloc=f"{name}:secret@{host}").geturl()


async def test_an_owner_under_row_level_security_backs_up_every_row_partitions_too(
    company: Company, mine: Settings, elsewhere: Settings, managed: str, owner: Any, tmp_path: Path
) -> None:
    await a_document(company.client)
    await owner.execute(A_ROW_WITHOUT_PARTITION)
    for row in await owner.fetch(OWNERS, managed):
        await owner.execute(row["sql"])
    theirs = msgspec.structs.replace(mine, database_migration_url=with_login(mine.database_url, managed))
    folder = await a_backup(theirs, tmp_path / "backup")
    manifest = manifest_of(folder)
    assert manifest.tables["documents"] == 1
    target = with_login(elsewhere.database_url, managed)
    restored = await command(
        "restore",
        str(folder),
        settings=msgspec.structs.replace(elsewhere, database_url=target, database_migration_url=target),
    )
    assert (restored.code, restored.err) == (0, "")
    there, here = await contents(elsewhere.database_url), await contents(mine.database_url)
    assert there == here, "every row of every table"
    assert there["signal_scans_default"][0] == 1, "of partitions too"


async def test_a_login_that_does_not_see_every_row_makes_no_backup(
    company: Company, mine: Settings, owner: Any, tmp_path: Path
) -> None:
    del company
    name = f"blind_{uuid4().hex[:8]}"
    await owner.execute(f"create role {name} login noinherit password 'secret'")
    await owner.execute(f"grant vendorrisk_tenant, vendorrisk_system to {name}")
    try:
        theirs = msgspec.structs.replace(mine, database_migration_url=with_login(mine.database_url, name))
        ran = await command("backup", str(tmp_path / "backup"), settings=theirs)
        assert ran.code == 1
        assert not (tmp_path / "backup" / "manifest.json").exists()
    finally:
        await owner.execute(f"drop role {name}")


def test_a_program_is_never_older_than_the_server_and_a_password_never_an_argument(tmp_path: Path) -> None:
    assert programs.program("pg_dump", 150000).name == "pg_dump"
    with pytest.raises(BackupError, match="no pg_dump of PostgreSQL 99 or newer was found"):
        programs.program("pg_dump", 990000)
    seen = tmp_path / "seen"
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\necho "$*" "$PGPASSWORD" "$PGHOST" > {seen}\necho "wrong: $PGPASSWORD" >&2\nexit 1\n')
    spy.chmod(0o755)
    os.environ["PGHOST"] = "elsewhere"
    try:
        with pytest.raises(BackupError) as refused_by:
            programs.run(spy, ["--x"], "postgresql://u:p%2Fw@h:5432/d")
    finally:
        del os.environ["PGHOST"]
    assert seen.read_text() == "--x --no-password --dbname postgresql://u@h:5432/d p/w \n"
    assert "p/w" not in str(refused_by.value)
