"""The chain: what verification finds when the database's owner meddles, and that writers at once do not break it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from tests.client import Client
from tests.conftest import Company
from vendorrisk.audit import queries, service
from vendorrisk.audit.rules import next_hash
from vendorrisk.db.pool import Database

pytestmark = pytest.mark.anyio

Meddle = Callable[[Any, Company], Awaitable[None]]


async def fault(database: Database, company: Company) -> str | None:
    async with database.system() as connection:
        return (await service.verify(connection, company.tenant.id)).fault


async def write(client: Client, count: int) -> None:
    for number in range(count):
        body = {"name": f"M{number}", "email": f"m{number}@example.com", "roles": ["owner"]}
        assert (await client.post("/v1/members", body)).status_code == 201


async def unlocked(owner: Any, sql: str, *arguments: Any) -> None:
    """Run as the owner, with triggers and row-level security switched off: the worst meddler there is."""
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        await owner.execute("alter table audit_entries disable trigger all, no force row level security")
        await owner.execute("alter table audit_heads no force row level security")
        await owner.execute(sql, *arguments)
        await owner.execute("alter table audit_entries enable trigger all, force row level security")
        await owner.execute("alter table audit_heads force row level security")


async def test_a_chain_that_nobody_touched_is_whole(database: Database, company: Company) -> None:
    await write(company.client, 5)
    assert await fault(database, company) is None


_SWAP = (
    "update audit_entries set sequence = case sequence when 4 then -5 else -4 end where sequence in (4, 5);"
    "update audit_entries set sequence = -sequence where sequence < 0"
)
_PLANT = (
    "update audit_entries set sequence = sequence + 1000 where sequence > 4;"
    "insert into audit_entries select tenant_id, 5, at, actor_kind, actor_id, action, target_kind, target_id,"
    " content, previous_hash, hash from audit_entries where sequence = 4;"
    "update audit_entries set sequence = sequence - 999 where sequence > 1000"
)
_APPEND = (
    "insert into audit_entries select tenant_id, 8, at, actor_kind, actor_id, action, target_kind, target_id,"
    " content, hash, sha256(hash) from audit_entries where sequence = 7"
)
_CHANGE = "update audit_entries set "
MEDDLING = {
    "a changed text": (_CHANGE + "content = replace(content, 'M1', 'Mx') where sequence = 4", "entry 4 "),
    "a changed column": (_CHANGE + "action = 'member:removed' where sequence = 4", "entry 4 "),
    "a changed actor": (_CHANGE + "actor_id = gen_random_uuid() where sequence = 5", "entry 5 "),
    "a changed target": (_CHANGE + "target_id = gen_random_uuid() where sequence = 5", "entry 5 "),
    "a changed instant": (_CHANGE + "at = at - interval '1 day' where sequence = 3", "entry 3 "),
    "a changed hash": (_CHANGE + "hash = sha256(hash) where sequence = 4", "entry 4 "),
    "a removed entry": ("delete from audit_entries where sequence = 4", "entry 4 "),
    "a removed first entry": ("delete from audit_entries where sequence = 1", "entry 1 "),
    "two entries in each other's place": (_SWAP, "entry 4 "),
    "a cut-off tail": ("delete from audit_entries where sequence > 5", "entries after 5 "),
    "everything gone": ("delete from audit_entries", "entries after 0 "),
    "a head set back": ("update audit_heads set sequence = 3", "entry 4 was added past the head"),
    "a head set ahead": ("update audit_heads set sequence = 9", "entries after 7 "),
    "a head's hash changed": ("update audit_heads set hash = sha256(hash)", "the head does not fit entry 7"),
    "an entry past the head": (_APPEND, "entry 8 was added past the head"),
    "an entry before the first": (_APPEND.replace("8, at", "0, at"), "entry 0 stands before the beginning"),
    "everything gone, head and all": ("delete from audit_entries; delete from audit_heads", "the whole chain is gone"),
    "a head gone": ("delete from audit_heads", "the head of the chain is gone"),
    "a text that is no entry": (_CHANGE + "content = '{' where sequence = 4", "entry 4 "),
    "a foreign entry planted": (_PLANT, "entry 5 "),
}


@pytest.mark.parametrize(("sql", "told"), MEDDLING.values(), ids=MEDDLING.keys())
async def test_meddling_is_found_and_the_first_bad_entry_named(
    database: Database, company: Company, owner: Any, sql: str, told: str
) -> None:
    await write(company.client, 5)
    assert await owner.fetchval("select count(*) from audit_entries") == 7
    for statement in sql.split(";"):
        await unlocked(owner, statement)
    found = await fault(database, company)
    assert found is not None
    assert found.startswith(told)


async def test_an_entry_rewritten_with_a_fitting_hash_breaks_the_next_one(
    database: Database, company: Company, owner: Any
) -> None:
    await write(company.client, 5)
    row = await owner.fetchrow("select content, previous_hash from audit_entries where sequence = 4")
    content = row["content"].replace("M1", "Mx")
    fitting = next_hash(row["previous_hash"], 4, content)
    await unlocked(owner, "update audit_entries set content = $1, hash = $2 where sequence = 4", content, fitting)
    assert await fault(database, company) == "entry 5 does not follow the one before it"


async def test_a_chain_written_again_to_its_end_differs_from_its_anchor(
    database: Database, company: Company, owner: Any
) -> None:
    """The database alone cannot tell a chain that was wholly recomputed: the head told before can."""
    await write(company.client, 5)
    async with database.system() as connection:
        anchor = (await service.verify(connection, company.tenant.id)).head
    rows = await owner.fetch("select sequence, content, previous_hash from audit_entries where sequence > 3 order by 1")
    previous = rows[0]["previous_hash"]
    for row in rows:
        content = row["content"].replace("M1", "Mx")
        made = next_hash(previous, row["sequence"], content)
        await unlocked(
            owner,
            "update audit_entries set content = $1, previous_hash = $2, hash = $3 where sequence = $4",
            *(content, previous, made, row["sequence"]),
        )
        previous = made
    await unlocked(owner, "update audit_heads set hash = $1", previous)
    async with database.system() as connection:
        alone = await service.verify(connection, company.tenant.id)
        known = await service.verify(connection, company.tenant.id, anchor=anchor)
    assert alone.fault is None
    assert alone.head != anchor
    assert known.fault == "the chain was written again: entry 7 is not the one that the anchor knows"


async def test_a_last_entry_that_is_no_entry_is_found_though_hash_and_head_fit(
    database: Database, company: Company, owner: Any
) -> None:
    await write(company.client, 5)
    previous = await owner.fetchval("select previous_hash from audit_entries where sequence = 7")
    made = next_hash(previous, 7, "{")
    await unlocked(owner, "update audit_entries set content = '{', hash = $1 where sequence = 7", made)
    await unlocked(owner, "update audit_heads set hash = $1", made)
    assert await fault(database, company) == "entry 7 was changed: its text is not that of an entry"


async def test_a_tail_cut_off_with_its_head_is_found_by_the_anchor(
    database: Database, company: Company, owner: Any
) -> None:
    await write(company.client, 5)
    async with database.system() as connection:
        anchor = (await service.verify(connection, company.tenant.id)).head
    await unlocked(owner, "delete from audit_entries where sequence > 5")
    await unlocked(
        owner, "update audit_heads set sequence = 5, hash = (select hash from audit_entries where sequence = 5)"
    )
    async with database.system() as connection:
        assert (await service.verify(connection, company.tenant.id)).fault is None
        known = await service.verify(connection, company.tenant.id, anchor=anchor)
    assert known.fault == "entries after 5 are gone: the anchor knows entry 7"


async def test_writers_that_go_on_while_a_chain_is_walked_are_no_fault(
    database: Database, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked = queries.chain_slice
    calls: list[int] = []

    async def slice_and_write(*arguments: Any) -> Any:
        batch = await walked(*arguments)
        calls.append(len(batch))
        if len(calls) == 1 or not batch:
            body = {"name": "Late", "email": f"late{len(calls)}@example.com", "roles": ["owner"]}
            assert (await company.client.post("/v1/members", body)).status_code == 201
        return batch

    await write(company.client, 5)
    monkeypatch.setattr(queries, "chain_slice", slice_and_write)
    assert await fault(database, company) is None
    monkeypatch.undo()
    assert calls
    assert await fault(database, company) is None


async def test_even_the_owner_cannot_change_an_entry_in_passing(company: Company, owner: Any) -> None:
    for sql in ("update audit_entries set action = 'x'", "delete from audit_entries", "truncate audit_entries cascade"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(sql)


async def test_twenty_writers_at_once_leave_an_unbroken_chain(
    database: Database, company: Company, other_company: Company
) -> None:
    def body(number: int) -> dict[str, Any]:
        return {"name": f"M{number}", "email": f"m{number}@example.com", "roles": ["owner"]}

    for start in range(0, 100, 20):
        asked = [company.client.post("/v1/members", body(n)) for n in range(start, start + 20)]
        asked += [other_company.client.post("/v1/members", body(start))]
        assert {response.status_code for response in await asyncio.gather(*asked)} == {201}
    for each, count in ((company, 102), (other_company, 7)):
        entries = await each.client.items("/v1/audit-entries", sort="sequence", limit=200)
        assert [e["sequence"] for e in entries] == list(range(1, count + 1))
        assert await fault(database, each) is None


async def test_a_chain_longer_than_one_slice_is_walked_to_its_end(
    database: Database, company: Company, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_SLICE", 3)
    await write(company.client, 6)
    assert await fault(database, company) is None
    await unlocked(owner, "delete from audit_entries where sequence = 8")
    assert await fault(database, company) == "entries after 7 are gone, or the head was changed"


async def test_no_secret_enters_an_entry(company: Company, owner: Any) -> None:
    made = await company.client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"]})
    rotated = await company.client.post(f"/v1/api-keys/{made.json()['id']}/rotations", {}, etag='"1"')
    texts = "".join(row["content"] for row in await owner.fetch("select content from audit_entries"))
    for key in (made.json()["secret"], rotated.json()["secret"], company.key.secret):
        assert key not in texts
        assert key.rpartition("_")[2] not in texts


async def test_entries_tell_who_did_what_with_which_request(company: Company) -> None:
    added = await company.client.post("/v1/members", {"name": "Dana", "email": "dana@example.com", "roles": ["owner"]})
    [entry] = await company.client.items("/v1/audit-entries", filter=f"target_id:eq:{added.json()['id']}")
    assert (entry["action"], entry["target_kind"]) == ("member:added", "member")
    assert (entry["actor_kind"], entry["actor_id"]) == ("api_key", str(company.key.id))
    assert entry["request_id"] == added.headers["x-request-id"]
    assert entry["before"] is None
    assert entry["after"] == added.json()
