"""`vendorrisk audit verify`: what it says and how it ends, with the owner of the database meddling between two runs."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.audit.test_chain import MEDDLING, unlocked, write
from tests.commands.make import Ran, command
from tests.conftest import Company
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio


async def verify(settings: Settings, *arguments: str) -> Ran:
    return await command("audit", "verify", *arguments, settings=settings)


async def test_whole_chains_are_told_with_their_count_and_head(
    settings: Settings, company: Company, other_company: Company, owner: Any
) -> None:
    await write(company.client, 5)
    ran = await verify(settings)
    assert (ran.code, ran.err) == (0, "")
    heads = {r["tenant_id"]: (r["sequence"], r["hash"].hex()) for r in await owner.fetch("select * from audit_heads")}
    told = sorted(f"ok     {tenant}  {count} entries, head {head}" for tenant, (count, head) in heads.items())
    assert ran.out.splitlines() == [*told, f"whole: {sum(count for count, _ in heads.values())} entries"]
    assert {company.tenant.id, other_company.tenant.id} == set(heads)


@pytest.mark.parametrize("kind", ["a changed text", "a removed entry", "two entries in each other's place"])
async def test_meddling_is_named_with_its_place_and_the_exit_code_is_1(
    settings: Settings, company: Company, other_company: Company, owner: Any, kind: str
) -> None:
    await write(company.client, 5)
    sql, told = MEDDLING[kind]
    for statement in sql.split(";"):
        await unlocked(owner, statement.replace(" where ", f" where tenant_id = '{company.tenant.id}' and "))
    ran = await verify(settings)
    assert ran.code == 1
    [fault] = [line for line in ran.out.splitlines() if line.startswith("FAULT")]
    assert fault.startswith(f"FAULT  {company.tenant.id}  {told}")
    assert f"ok     {other_company.tenant.id}" in ran.out
    assert ran.out.endswith("1 of 2 chains are not whole\n")
    alone = await verify(settings, "--tenant", str(other_company.tenant.id))
    assert alone.code == 0
    assert str(company.tenant.id) not in alone.out


async def cut(owner: Any, company: Company, last: int) -> None:
    """Cut a chain off together with its head: what the database alone cannot tell."""
    here = f"tenant_id = '{company.tenant.id}'"
    await unlocked(owner, f"delete from audit_entries where {here} and sequence > {last}")
    await unlocked(
        owner,
        "update audit_heads h set sequence = e.sequence, hash = e.hash from audit_entries e"
        f" where h.{here} and e.{here} and e.sequence = {last}",
    )


async def test_an_anchor_is_written_moves_on_and_finds_a_tail_cut_off_with_its_head(
    settings: Settings, company: Company, owner: Any, tmp_path: Path
) -> None:
    anchor = tmp_path / "heads.json"
    await write(company.client, 3)
    assert (await verify(settings, "--anchor", str(anchor))).code == 0
    first = json.loads(await asyncio.to_thread(anchor.read_bytes))
    assert [(h["tenant_id"], h["sequence"]) for h in first["heads"]] == [(str(company.tenant.id), 5)]
    await company.client.post("/v1/members", {"name": "N", "email": "n@example.com", "roles": ["owner"]})
    assert (await verify(settings, "--anchor", str(anchor))).code == 0
    second = await asyncio.to_thread(anchor.read_bytes)
    assert json.loads(second)["heads"][0]["sequence"] == 6

    await cut(owner, company, 4)
    assert (await verify(settings)).code == 0
    found = await verify(settings, "--anchor", str(anchor))
    assert found.code == 1
    assert "entries after 4 are gone: the anchor knows entry 6" in found.out
    assert await asyncio.to_thread(anchor.read_bytes) == second
    assert [path.name for path in await asyncio.to_thread(lambda: list(tmp_path.iterdir()))] == ["heads.json"]


async def test_a_tenant_that_is_gone_with_everything_is_found_by_the_anchor(
    settings: Settings, company: Company, other_company: Company, owner: Any, tmp_path: Path
) -> None:
    anchor = str(tmp_path / "heads.json")
    assert (await verify(settings, "--anchor", anchor)).code == 0
    for table, column in (("audit_entries", "tenant_id"), ("audit_heads", "tenant_id"), ("tenants", "id")):
        await owner.execute(f"alter table {table} no force row level security")
        await unlocked(owner, f"delete from {table} where {column} = '{company.tenant.id}'")
    assert (await verify(settings)).code == 0
    found = await verify(settings, "--anchor", anchor)
    assert found.code == 1
    assert f"FAULT  {company.tenant.id}  the whole tenant is gone" in found.out
    assert f"ok     {other_company.tenant.id}" in found.out


async def test_json_says_the_same_for_programs(settings: Settings, company: Company, owner: Any) -> None:
    good = json.loads((await verify(settings, "--json")).out)
    assert good["whole"] is True
    assert [c["fault"] for c in good["chains"]] == [None]
    assert len(good["chains"][0]["head"]["hash"]) == 64
    await unlocked(owner, "delete from audit_entries where sequence = 1")
    ran = await verify(settings, "--json")
    assert ran.code == 1
    bad = json.loads(ran.out)
    assert bad["whole"] is False
    assert bad["chains"][0]["fault"] == "entry 1 is gone or out of order"
    assert bad["chains"][0]["head"] is None
    assert bad["chains"][0]["tenant_id"] == str(company.tenant.id)


async def test_wrong_input_is_one_clear_line(settings: Settings, company: Company, tmp_path: Path) -> None:
    del company
    unknown = "00000000-0000-7000-8000-000000000000"
    ran = await verify(settings, "--tenant", unknown)
    assert (ran.code, ran.out, ran.err) == (1, "", f"vendorrisk: there is no tenant {unknown}\n")
    ran = await verify(settings, "--tenant", "acme")
    assert ran.code == 2
    assert "'acme' is not a valid UUID" in ran.err
    for content in (b"not json", b'{"made_at": "2026-01-01T00:00:00Z"}', b"[]", b"\xff\xfe", b""):
        place = tmp_path / "wrong.json"
        await asyncio.to_thread(place.write_bytes, content)
        ran = await verify(settings, "--anchor", str(place))
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith(f"vendorrisk: {place} is not an anchor file")
        assert ran.err.count("\n") == 1
        assert await asyncio.to_thread(place.read_bytes) == content
    ran = await verify(settings, "--anchor", str(tmp_path))
    assert ran.code == 2
    ran = await verify(settings, "--anchor", str(tmp_path / "no" / "folder"))
    assert ran.code == 1
    assert "cannot be written" in ran.err


async def test_a_database_that_was_never_migrated_is_one_line_that_leads_on(settings: Settings, owner: Any) -> None:
    await owner.execute("drop schema public cascade; create schema public")
    ran = await verify(settings)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("vendorrisk: the database is not ready for this release (")
    assert "`vendorrisk doctor`" in ran.err


@pytest.mark.embedded_only
async def test_without_a_database_and_without_data_nothing_is_made(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ran = await command("audit", "verify", VENDORRISK_HOME=str(home))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"vendorrisk: there is nothing in {home} yet")
    assert not await asyncio.to_thread(home.exists)


@pytest.mark.parametrize(
    "sql",
    [
        """update import_rows set before = '{"name": "Never"}' where outcome = 'change'""",
        """update import_rows set given = given || '{"country": "FR"}' where outcome = 'create'""",
        "update import_rows set record_id = gen_random_uuid() where outcome = 'change'",
        "delete from import_rows where row_number = 2",
        "delete from import_rows",
    ],
)
async def test_rows_of_an_import_that_are_not_those_of_its_entry_are_found(
    settings: Settings, company: Company, other_company: Company, owner: Any, sql: str
) -> None:
    csv = {"content-type": "text/csv"}
    for each, sheet in (
        (company, b"name\nAcme\n"),
        (company, b"name,country\nAcme,DE\nGlobex,US\n"),
        (other_company, b"name\nX\n"),
    ):
        made = await each.client.post("/v1/vendor-imports?dry_run=false", sheet, headers=csv)
        assert made.json()["state"] == "applied", made.text
    assert (await verify(settings)).code == 0
    await owner.execute("alter table import_rows no force row level security")
    await owner.execute(f"{sql} {'and' if 'where' in sql else 'where'} tenant_id = '{company.tenant.id}'")
    ran = await verify(settings)
    assert ran.code == 1
    [fault] = [line for line in ran.out.splitlines() if line.startswith("FAULT")]
    assert re.match(rf"FAULT  {company.tenant.id}  entry \d+ tells of other rows than import ", fault), fault
    assert f"ok     {other_company.tenant.id}" in ran.out
