"""Register a vendor: checked, under row-level security, with its domain, its deadline and its audit entry."""

import json

from tests.bench import bare
from tests.bench.driving import inlined
from tests.bench.rounds import DATABASE, PLAIN, SAME, Bench, lines_of, side_by_side
from tests.bench.table import Line

GOALS = {SAME: ">= 0.60"}
_BODY = {
    "name": "Created Bench @ Systems",
    "domains": ["created-@.example"],
    "country": "DE",
    "data_classes": ["personal"],
    "tags": ["hosting"],
}


BODIES = [json.dumps(_BODY)]


async def run(bench: Bench) -> list[Line]:
    found = side_by_side(
        bench,
        {
            "ours": lambda: bench.wrk.posts(bench.api, "/v1/vendors", BODIES, bench.seconds),
            SAME: lambda: bench.wrk.posts(bench.asgi, "/create", BODIES, bench.seconds),
            PLAIN: lambda: bench.wrk.posts(bench.litestar, "/create", BODIES, bench.seconds),
            DATABASE: lambda: bench.pgbench.runs([_script(bench)], bench.seconds),
        },
    )
    return lines_of("create", found, "a second", GOALS)


def _script(bench: Bench) -> str:
    tenant = f"'{bench.data.tenant_id}'"
    name = "'Created by pgbench ' || :n"
    insert = inlined(
        bare.INSERT, tenant, "new_id_at(now())", "null", name, name, "'{}'", "null", "'prospect'", "'open'", "null",
        "null", "null", "'[]'", "array['pgbench-' || :n || '.example']", "'DE'", "'{}'", "'{personal}'", "null", "null",
        "null", "null", "null", "null", "'{hosting}'", "null", "null", "null", "null", "now()", "'{}'",
    )  # fmt: skip
    content = "array[repeat('x', 900)]"
    audit = inlined(
        bare.AUDIT,
        "now()",
        tenant,
        "array['vendor-registered']",
        "array['vendor']",
        "array[gen_random_uuid()]",
        content,
    )
    return (
        "\\set n random(1, 9000000000000000)\nbegin;\n"
        f"set local vendorrisk.tenant_id = {tenant};\n{insert}{audit}commit;\n"
    )
