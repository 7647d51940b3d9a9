"""Read one vendor by its id, another one each time."""

from tests.bench import bare, sampling
from tests.bench.driving import inlined
from tests.bench.rounds import PLAIN, SAME, Bench, over_http
from tests.bench.table import Line

GOALS = {SAME: ">= 0.80", PLAIN: ">= 0.80"}


async def run(bench: Bench) -> list[Line]:
    ids = [str(row["id"]) for row in await sampling.vendors(bench.data, 2000)]
    return over_http(
        bench,
        "read one",
        [f"/v1/vendors/{one}" for one in ids],
        [f"/one/{one}" for one in ids],
        [inlined(bare.FIND, f"'{bench.data.tenant_id}'", f"'{one}'") for one in ids[:64]],
        GOALS,
    )
