"""The schema's dump: it can be run, gives itself again, shows what was meddled with, and leaves nothing out unsaid."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.conftest import Servers
from vendorrisk.db import schema

pytestmark = pytest.mark.anyio


@pytest.fixture
async def empty(servers: Servers) -> AsyncIterator[Any]:
    """Connect to a database of its own with nothing in it."""
    name = f"test_{uuid4().hex[:12]}"
    admin = await asyncpg.connect(servers.admin_url)
    await admin.execute(f"create database {name} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'")
    connection = await asyncpg.connect(servers.database(name, admin=True))
    yield connection
    await connection.close()
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()


async def test_what_is_dumped_can_be_run_and_dumps_the_same_again(owner: Any, empty: Any) -> None:
    text = await schema.dump(owner)
    await empty.execute("drop schema public cascade; create schema public authorization pg_database_owner")
    await empty.execute("grant usage on schema public to public")
    await empty.execute(text)
    assert await schema.dump(empty) == text


async def test_nothing_is_changed_by_a_dump_and_the_session_is_left_as_it_was(owner: Any) -> None:
    await owner.execute("set timezone = 'Asia/Tokyo'; set search_path = pg_catalog")
    text = await schema.dump(owner)
    assert await owner.fetchval("show timezone") == "Asia/Tokyo"
    assert not owner.is_in_transaction()
    await owner.execute("reset timezone; reset search_path")
    assert await schema.dump(owner) == text


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("alter table members no force row level security", "-alter table members force row level security;"),
        ("drop policy one_tenant on vendors", "-create policy one_tenant on vendors to vendorrisk_tenant"),
        ("grant delete on vendors to vendorrisk_tenant", "+grant delete, insert, select, update on vendors"),
        ("grant update (action) on audit_entries to public", "+grant update (action) on audit_entries to public;"),
        (
            "alter table audit_entries disable trigger audit_entries_are_append_only",
            "+alter table audit_entries disable trigger audit_entries_are_append_only;",
        ),
        ("alter table vendors alter column name drop not null", "+    name text,"),
        ("alter table vendors drop constraint vendors_tier_is_known", "-    constraint vendors_tier_is_known CHECK"),
        ("drop index vendors_by_tier", "-CREATE INDEX vendors_by_tier"),
        ("alter function current_tenant() security definer", "+ STABLE PARALLEL SAFE SECURITY DEFINER"),
        ("revoke execute on function current_tenant() from public", "+revoke execute on function current_tenant()"),
        ("comment on table vendors is 'it''s changed'", "+comment on table vendors is 'it''s changed';"),
        ("create table extra (id bigint generated always as identity)", "+    id bigint not null generated always as"),
    ],
    ids=[
        "row-level security not forced",
        "a policy gone",
        "a privilege more",
        "a column's privilege",
        "a trigger switched off",
        "a column that may be null",
        "a check gone",
        "an index gone",
        "a definer's function",
        "a function closed",
        "a comment",
        "a table more",
    ],
)
async def test_what_was_changed_by_hand_shows(owner: Any, sql: str, shown: str) -> None:
    before = (await schema.dump(owner)).splitlines()
    await owner.execute(sql)
    after = (await schema.dump(owner)).splitlines()
    changed = [f"-{line}" for line in before if line not in after]
    changed += [f"+{line}" for line in after if line not in before]
    assert [line for line in changed if line.startswith(shown)], changed


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("create view seen as select 1 as one", "view seen"),
        ("create type mood as enum ('well')", "type mood"),
        ("create domain short as text", "type short"),
        ("create sequence counter", "sequence counter"),
        ("create schema aside", "schema aside"),
        ("create statistics s on name, tier from vendors", "statistics s"),
        ("create rule quiet as on delete to vendors do instead nothing", "rule quiet"),
    ],
    ids=["view", "enum", "domain", "sequence", "schema", "statistics", "rule"],
)
async def test_what_the_dump_has_no_words_for_is_refused_by_name(owner: Any, sql: str, named: str) -> None:
    await owner.execute(sql)
    with pytest.raises(schema.UnknownObjectError, match=named):
        await schema.dump(owner)
    assert not owner.is_in_transaction()


async def test_partitions_by_time_are_left_out_and_others_are_shown(empty: Any) -> None:
    await empty.execute("create table seen (at timestamptz not null, kind text not null) partition by range (at)")
    before = await schema.dump(empty)
    assert ") partition by RANGE (at);" in before
    await empty.execute(
        "create table seen_2026_03 partition of seen for values from ('2026-03-01') to ('2026-04-01');"
        "create index seen_by_kind on only seen (kind)"
    )
    await empty.execute("create table seen_else partition of seen default")
    after = await schema.dump(empty)
    assert "seen_2026_03" not in after
    assert "create table seen_else partition of seen DEFAULT;" in after
    assert "CREATE INDEX seen_by_kind ON ONLY seen USING btree (kind);" in after


async def test_tables_that_refer_to_each_other_are_written_so_that_they_can_be_made(empty: Any) -> None:
    await empty.execute(
        "create table a (id int primary key, b int); create table b (id int primary key, a int references a);"
        "alter table a add constraint a_b_is_known foreign key (b) references b"
    )
    text = await schema.dump(empty)
    assert text.index("create table b (") < text.index("create table a (")
    assert text.index("create table a (") < text.index("alter table b add constraint b_a_fkey")
    await empty.execute("drop table a, b cascade")
    await empty.execute(text)
    assert await schema.dump(empty) == text
