"""Statements keep to one tenant, so that queues are fair and the database may be spread over machines.

A statement with a row lock names one tenant. A statement over all tenants only reads, or stands in `across_tenants.sql`
and says so. A queue has one small row for each tenant.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from vendorrisk.db.queries import blocks, sql_folder
from vendorrisk.worker import SCHEDULE

pytestmark = pytest.mark.anyio

ACROSS = "across_tenants"
_LOCKS = re.compile(r"\bfor\s+(?:no\s+key\s+)?(?:update|share)\b|\bfor\s+key\s+share\b")
_INTO = r"insert into \w+(?: as \w+)? \( ?tenant_id.*?\)"
_WRITES = re.compile(r"\b(?:insert into|update|delete from)\s+(\w+)")


QUEUES_OF_NO_TENANT = {"fetch_signal_feeds", "complete_signal_schedule", "maintain_signal_partitions", "sweep_files"}
"""Jobs that work through rows of no tenant, or through the file store. May only shrink."""


def statements() -> Iterator[tuple[str, str, str]]:
    """Yield (file, name, statement without comments and with single blanks)."""
    for path in sorted((sql_folder() / "queries").glob("*.sql")):
        for name, text in blocks(path.stem).items():
            plain = re.sub(r"--[^\n]*", "", text)
            yield path.stem, name, re.sub(r"\s+", " ", plain).strip()


async def tables_of_tenants(owner: Any) -> set[str]:
    rows = await owner.fetch(
        "select table_name::text as name from information_schema.columns"
        " where table_schema = 'public' and column_name = 'tenant_id'"
    )
    return {row["name"] for row in rows}


def names_one(sql: str) -> bool:
    return re.search(r"\b(?:\w+\.)?tenant_id = \$\d", sql) is not None or "from tenants where id = $1" in sql


async def test_a_statement_that_locks_rows_names_one_tenant(owner: Any) -> None:
    tenants = await tables_of_tenants(owner)
    faults = []
    for file, name, sql in statements():
        touched = set(re.findall(r"\b(?:from|join|update|into)\s+(\w+)", sql)) & (tenants | {"tenants"})
        if _LOCKS.search(sql) and touched and not names_one(sql):
            faults.append(f"{file}.{name}")
    assert faults == []


async def test_a_statement_that_writes_rows_of_tenants_names_one_tenant_or_stands_in_one_file(owner: Any) -> None:
    tenants = await tables_of_tenants(owner)
    faults = []
    for file, name, sql in statements():
        written = set(_WRITES.findall(sql)) & tenants
        by_values = re.search(rf"{_INTO} (?:values \( ?\$1|select (?:distinct )?\$1)", sql)
        if written and file != ACROSS and not names_one(sql) and not by_values:
            faults.append(f"{file}.{name} writes {sorted(written)}")
    assert faults == []


def test_what_crosses_tenants_says_so() -> None:
    text = (sql_folder() / "queries" / f"{ACROSS}.sql").read_text(encoding="utf-8")
    for block in text.split("-- name: ")[1:]:
        name, _, rest = block.partition("\n")
        assert rest.startswith("-- Across tenants"), name


def test_every_job_has_a_queue_with_a_row_for_each_tenant() -> None:
    """Dispatch, deliveries and the others are noted by the name of their job."""
    noted = set(re.findall(r"select t\.id, '(\w+)'", " ".join(sql for file, _, sql in statements() if file == ACROSS)))
    jobs = {job.name for job in SCHEDULE}
    assert noted - jobs == set()
    assert jobs - noted == QUEUES_OF_NO_TENANT


async def test_each_note_looks_into_an_index_of_each_tenant(owner: Any) -> None:
    """The plan of a note has no scan of a table of work, however large that is."""
    await owner.execute("set enable_seqscan = off")
    faults = []
    for file, name, sql in statements():
        if file != ACROSS or not name.startswith("note_") or name == "note_key_use":
            continue
        count = len(set(re.findall(r"\$(\d+)", sql)))
        given = ["'2026-03-02T08:00:00Z'::timestamptz", "array['alert']"][:count]
        text = sql
        for place, value in enumerate(given, 1):
            text = text.replace(f"${place}", value)
        plan = "\n".join(row[0] for row in await owner.fetch(f"explain {text}"))
        scanned = set(re.findall(r"Seq Scan on (\w+)", plan)) - {"tenants"}
        faults += [f"{name}: {table}" for table in scanned]
    assert faults == []
