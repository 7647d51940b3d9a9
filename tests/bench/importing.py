"""Import a spreadsheet of vendors: checked row by row, compared, written and audited, beside COPY of the same rows.

COPY writes finished rows into a table of the same shape, with the same constraints and indexes, and nothing else.
"""

import csv
import io
import time

import asyncpg
import httpx

from tests.bench.filling import NOW
from tests.bench.job_contexts import job_context_of
from tests.bench.rounds import Bench
from tests.bench.table import Line
from vendorrisk.imports.jobs import run_imports
from vendorrisk.worker import IMPORT_KINDS

GOAL = ">= 0.50"
_SHARE = 10  # a tenth of what is there, 100,000 rows at most


async def run(bench: Bench) -> list[Line]:
    rows = min(100_000, bench.data.vendors // _SHARE)
    imported = await _imported(bench, _sheet(rows), rows)
    copied = await _copied(bench, rows)
    return [Line(f"import {rows:,} rows", rows / imported, rows / copied, "COPY", "rows a second", GOAL)]


def _sheet(rows: int) -> bytes:
    out = io.StringIO()
    sheet = csv.writer(out)
    sheet.writerow(["Name", "Reference", "Website", "Country", "Tags"])
    for number in range(rows):
        sheet.writerow([f"Imported Bench {number} Ltd", f"IMP-{number}", f"imported{number}.example", "DE", "hosting"])
    return out.getvalue().encode()


async def _imported(bench: Bench, sheet: bytes, rows: int) -> float:
    """Send the file, and run the job that checks and applies it; returns its seconds."""
    headers = {"authorization": f"Bearer {bench.data.key}", "content-type": "text/csv"}
    begun = time.perf_counter()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bench.api}", headers=headers, timeout=120) as client:
        sent = await client.post("/v1/vendor-imports", params={"dry_run": "false"}, content=sheet)
        sent.raise_for_status()
        async with job_context_of(bench.data.settings, NOW) as context:
            while await run_imports(context, IMPORT_KINDS):
                pass
        seconds = time.perf_counter() - begun
        made = (await client.get(f"/v1/vendor-imports/{sent.json()['id']}")).json()
    if (made["state"], made["to_create"]) != ("applied", rows):
        raise RuntimeError(f"the import is {made['state']}: {made['refusal']}, {made['with_problems']} problems")
    return seconds


async def _copied(bench: Bench, rows: int) -> float:
    connection = await asyncpg.connect(bench.data.settings.database_url)
    try:
        await connection.execute("set statement_timeout = 0; drop table if exists bench_copied")
        await connection.execute("create table bench_copied (like vendors including all)")
        names = "tenant_id, id, name, name_key, reference, domains, country, tags, lifecycle, lifecycle_changed_at, "
        names += "intake, created_at, updated_at"
        source = f"""
            select tenant_id, new_id_at(now()), 'Copied ' || name, 'copied ' || name_key, 'C' || reference, domains,
                country, tags, lifecycle, lifecycle_changed_at, 'open', created_at, updated_at
            from vendors where tenant_id = '{bench.data.tenant_id}' and reference like 'IMP-%' limit {rows}
        """
        taken = io.BytesIO()
        await connection.copy_from_query(source, output=taken, format="binary")
        taken.seek(0)
        begun = time.perf_counter()
        columns = [name.strip() for name in names.split(",")]
        await connection.copy_to_table("bench_copied", source=taken, columns=columns, format="binary")
        seconds = time.perf_counter() - begun
        await connection.execute("drop table bench_copied")
        return seconds
    finally:
        await connection.close()
