"""`vendorrisk doctor` as a process: how it ends, what it prints, and embedded mode running or not."""

import asyncio
import json
import os
from pathlib import Path

import msgspec
import pytest

from tests.commands.make import command
from tests.conftest import Company, entered
from tests.doctor.make import in_production
from tests.embedded.make import Stack, data_folder
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio

WELL = {"ok", "warning"}


async def test_a_service_that_is_well_ends_with_0_and_one_line_for_each_finding(
    settings: Settings, company: Company
) -> None:
    del company
    ran = await command("doctor", settings=in_production(settings))
    assert (ran.code, ran.err) == (0, ""), ran
    *lines, last = ran.out.splitlines()
    assert {line.split()[0] for line in lines} <= WELL
    assert last.endswith("0 failures")
    assert [line for line in lines if "row-level security" in line]


async def test_json_says_the_same_for_programs(settings: Settings, company: Company) -> None:
    del company
    ran = await command("doctor", "--json", settings=in_production(settings))
    told = json.loads(ran.out)
    assert (ran.code, told["healthy"]) == (0, True)
    assert {finding["level"] for finding in told["findings"]} <= WELL
    assert set(told["findings"][0]) == {"check", "level", "said", "todo"}


async def test_any_failure_ends_with_1_and_no_secret_is_printed(settings: Settings) -> None:
    ill = in_production(
        settings,
        database_url="postgresql://app:canary-of-db@127.0.0.1:1/risk",
        redis_url="redis://:canary-of-redis@127.0.0.1:1/0",
        smtp_url="smtps://app:canary-of-mail@127.0.0.1:1",
        storage_url="s3://bucket",
        storage_s3_endpoint="http://127.0.0.1:1",
        storage_s3_access_key_id="id",
        storage_s3_secret_access_key="canary-of-s3",
    )
    for arguments in (["doctor"], ["doctor", "--json"]):
        ran = await command(*arguments, settings=ill)
        assert ran.code == 1
        assert "canary" not in ran.out + ran.err
        assert settings.secret_keys not in ran.out + ran.err
        assert "Traceback" not in ran.err
    assert {f["check"] for f in json.loads(ran.out)["findings"] if f["level"] == "failure"} >= {
        "database",
        "redis",
        "e-mail",
        "storage",
    }


async def test_an_address_of_a_database_that_cannot_be_read_is_told(settings: Settings) -> None:
    ran = await command("doctor", settings=msgspec.structs.replace(settings, database_url="mysql://app:canary@h/x"))
    assert ran.code == 1
    assert "DATABASE_URL" in ran.out + ran.err
    assert "canary" not in ran.out + ran.err
    assert "Traceback" not in ran.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can look with another's eyes")
async def test_root_looks_at_another_users_store_even_where_only_root_may_read_pythons_own_files(
    settings: Settings, company: Company, tmp_path: Path
) -> None:
    del company
    for folder in entered(tmp_path):
        await asyncio.to_thread(folder.chmod, 0o755)
    files = tmp_path / "files"
    await asyncio.to_thread(files.mkdir)
    await asyncio.to_thread(os.chown, files, 65534, 65534)
    ran = await command("doctor", "--json", settings=in_production(settings, storage_url=f"file://{files}"))
    [storage] = [found for found in json.loads(ran.out)["findings"] if found["check"] == "storage"]
    assert (storage["level"], storage["said"]) == ("ok", f"{files}: written, read and removed")


@pytest.mark.embedded_only
async def test_embedded_mode_that_was_never_started_is_told_and_stays_so() -> None:
    with data_folder() as home:
        ran = await command("doctor", VENDORRISK_HOME=str(home))
        assert ran.code == 0, ran
        assert f"none yet: {home} was never started" in ran.out
        assert not await asyncio.to_thread(home.exists)


@pytest.mark.embedded_only
async def test_embedded_mode_is_examined_while_it_runs_and_when_it_is_stopped() -> None:
    with data_folder() as home:
        stack = await asyncio.to_thread(Stack, home)
        try:
            running = json.loads((await command("doctor", "--json", VENDORRISK_HOME=str(home))).out)
            assert await asyncio.to_thread(stack.is_ready)
        finally:
            await asyncio.to_thread(stack.stop)
        ran = await command("doctor", "--json", VENDORRISK_HOME=str(home))
        stopped = json.loads(ran.out)
        assert running["healthy"], running
        assert stopped["healthy"], stopped
        by_check = [{f["check"]: f["level"] for f in told["findings"]} for told in (running, stopped)]
        assert [told["roles"] for told in by_check] == ["ok", "ok"]
        assert by_check[1]["worker"] == "warning"
        assert not await asyncio.to_thread((home / "pg-18" / "postmaster.pid").exists)
