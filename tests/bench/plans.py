"""Plans at the size of the bench: a page, a search, a sweep or a claim that reads a whole big table fails.

Each statement is planned as the product sends it: as the tenant's role under row-level security, or as the jobs' role.
"""

import json
from typing import Any

import asyncpg
import msgspec

from tests.bench import bare, sampling
from tests.bench.filling import NOW, Filled
from vendorrisk.alerts import queries as alerts
from vendorrisk.evidence import queries as evidence
from vendorrisk.findings import queries as findings
from vendorrisk.overview import queries as overview
from vendorrisk.vendors import queries as vendors

_BIG = 50_000
_BY_DATE = "coming.due_on nulls last, v.id"
_FIRST = "order by {order} limit 51"


class Planned(msgspec.Struct, frozen=True):
    name: str
    rows: int
    milliseconds: float
    buffers: int
    scans: list[str]


PAGES = frozenset(
    {
        *("page of vendors", "page of a tier", "page deep in a tier", "vendors by next review", "vendors newest first"),
        *("page of documents", "page of findings", "page of alerts", "page of postures"),
    }
)
"""What costs as much however many there are."""

GROWING = frozenset({"postures by next date", "counts of views"})
"""What is computed for each vendor of the tenant, so that it costs as much as the tenant has vendors."""


async def planned(data: Filled) -> list[Planned]:
    """Explain and run each statement, in a transaction that is undone."""
    connection = await asyncpg.connect(data.settings.database_url)
    try:
        await connection.execute("set statement_timeout = 0; set jit = off")
        big = await connection.fetch("select relname::text as name from pg_class where reltuples > $1", _BIG)
        names = {row["name"] for row in big}
        found = []
        for name, sql, arguments, is_job in await _statements(data):
            transaction = connection.transaction()
            await transaction.start()
            role = "vendorrisk_system" if is_job else "vendorrisk_tenant"
            tenant = "" if is_job else str(data.tenant_id)
            await connection.execute(f"set local role {role}; set local vendorrisk.tenant_id = '{tenant}'")
            row = await connection.fetchval(f"explain (analyze, buffers, format json) {sql}", *arguments)
            await transaction.rollback()
            found.append(_read(name, json.loads(row)[0], names))
        return found
    finally:
        await connection.close()


async def _statements(data: Filled) -> list[tuple[str, str, tuple[Any, ...], bool]]:
    tenant, place = data.tenant_id, (await sampling.vendors(data, 1, "tier = 'medium'"))[0]

    def first(sql: str, order: str, where: str = "") -> str:
        return sql.replace("/*where*/", where).replace("/*order*/", _FIRST.format(order=order))

    return [
        ("read a vendor", bare.FIND, (tenant, place["id"]), False),
        ("page of vendors", bare.PAGES["first"], (tenant,), False),
        ("page of a tier", bare.PAGES["tier"], (tenant, "medium"), False),
        ("page deep in a tier", bare.PAGES["deep"], (tenant, "medium", place["name"], place["id"]), False),
        ("vendors by next review", first(vendors.LIST.sql, "next_review_on nulls last, id"), (tenant,), False),
        ("vendors newest first", first(vendors.LIST.sql, "created_at desc, id desc"), (tenant,), False),
        ("search", bare.SEARCH, (tenant, "bqba cece", 20, 0.3), False),
        ("page of documents", first(evidence.LIST_DOCUMENTS.sql, "created_at desc, id desc"), (tenant,), False),
        ("page of findings", first(findings.LIST_FINDINGS.sql, "created_at desc, id desc"), (tenant,), False),
        ("page of alerts", first(alerts.LIST_ALERTS.sql, "raised_at desc, id desc"), (tenant,), False),
        ("page of postures", first(overview.LIST_STANDINGS.sql, "v.name, v.id"), (tenant, NOW.date(), NOW), False),
        ("postures by next date", first(overview.LIST_STANDINGS.sql, _BY_DATE), (tenant, NOW.date(), NOW), False),
        ("counts of views", overview._COUNT_VIEWS.sql, (tenant, NOW.date()), False),
        ("sweep, a slice", alerts._RAISE_DUE.sql, (tenant, NOW, 1000, "UTC", None), True),
    ]


def _read(name: str, told: dict[str, Any], big: set[str]) -> Planned:
    scans: list[str] = []

    def walk(node: dict[str, Any]) -> None:
        if node["Node Type"] == "Seq Scan" and node.get("Relation Name") in big:
            scans.append(node["Relation Name"])
        for child in node.get("Plans", ()):
            walk(child)

    walk(told["Plan"])
    buffers = told["Plan"].get("Shared Hit Blocks", 0) + told["Plan"].get("Shared Read Blocks", 0)
    return Planned(name, told["Plan"]["Actual Rows"], told["Execution Time"], buffers, scans)


def told(found: list[Planned]) -> str:
    lines = ["| statement | ms | buffers | whole big tables read |", "|---|---|---|---|"]
    lines += [f"| {p.name} | {p.milliseconds:.2f} | {p.buffers:,} | {', '.join(p.scans) or 'none'} |" for p in found]
    return "\n".join(lines)
