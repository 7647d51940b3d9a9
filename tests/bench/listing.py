"""A page of 50 vendors: the first of all, the first of a tier, and one from deep inside a tier."""

from typing import Any
from urllib.parse import quote

import msgspec

from tests.bench import bare, sampling
from tests.bench.driving import inlined
from tests.bench.rounds import SAME, Bench, over_http
from tests.bench.stack import SECRET_KEYS
from tests.bench.table import Line
from vendorrisk.db.paging import PageRequest, paged, read_filters
from vendorrisk.keys import Keyring
from vendorrisk.vendors.queries import LIST
from vendorrisk.vendors.vendor_list import VENDORS

GOALS = {SAME: ">= 0.90"}
TIER = "filter=tier:eq:medium"


class _Place(msgspec.Struct):
    id: object
    name: str


async def run(bench: Bench) -> list[Line]:
    tenant = f"'{bench.data.tenant_id}'"
    places = await _places(bench)
    deep = [
        inlined(bare.PAGES["deep"], tenant, "'medium'", f"'{row['name']}'", f"'{row['id']}'") for row in places[:64]
    ]
    pages = [
        ("page: first", ["/v1/vendors"], ["/page"], [inlined(bare.PAGES["first"], tenant)]),
        (
            "page: of a tier",
            [f"/v1/vendors?{TIER}"],
            ["/page?tier=medium"],
            [inlined(bare.PAGES["tier"], tenant, "'medium'")],
        ),
        (
            "page: deep in a tier",
            await deep_pages(bench),
            [f"/page?tier=medium&name={quote(row['name'])}&id={row['id']}" for row in places],
            deep,
        ),
    ]
    return [line for page in pages for line in over_http(bench, *page, GOALS)]


async def deep_pages(bench: Bench) -> list[str]:
    """Return the addresses of pages that begin anywhere in the tier, the same places as `_places`."""
    places = [_Place(row["id"], row["name"]) for row in await _places(bench)]
    return [f"/v1/vendors?{TIER}&cursor={_cursor(bench, place)}" for place in places]


async def _places(bench: Bench) -> list[Any]:
    return await sampling.vendors(bench.data, 500, "tier = 'medium'")


def _cursor(bench: Bench, place: _Place) -> str:
    """Return the cursor that a page which ends at this place would have given."""
    request = PageRequest(VENDORS, read_filters(VENDORS, ["tier:eq:medium"]), "name", 1)
    secrets = tuple(Keyring.from_setting(SECRET_KEYS).derive_all("cursor"))
    statement = paged(LIST.sql, request, first=2, tenant_id=bench.data.tenant_id, secrets=secrets)
    return statement.page([place, place]).next or ""
