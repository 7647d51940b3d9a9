"""Search among all vendors by a name with one letter wrong, another one each time."""

from urllib.parse import quote

from tests.bench import bare, sampling
from tests.bench.driving import inlined
from tests.bench.rounds import DATABASE, SAME, Bench, over_http
from tests.bench.table import Line

GOALS = {SAME: ">= 0.90", DATABASE: ">= 0.80"}


async def run(bench: Bench) -> list[Line]:
    texts = [mistyped(row["name"]) for row in await sampling.vendors(bench.data, 200)]
    return over_http(
        bench,
        "search",
        [f"/v1/vendors/search?q={quote(text)}" for text in texts],
        [f"/search?q={quote(text)}" for text in texts],
        [inlined(bare.SEARCH, f"'{bench.data.tenant_id}'", f"'{text}'", "20", "0.3") for text in texts[:64]],
        GOALS,
    )


def mistyped(name: str) -> str:
    """Return the first two words in lower case with the third letter replaced."""
    text = " ".join(name.lower().split()[:2])
    return f"{text[:2]}q{text[3:]}"
