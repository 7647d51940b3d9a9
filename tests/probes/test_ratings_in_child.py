"""Ratings are read where they may be lost."""

from datetime import date

import pytest

from tests.client import Client
from vendorrisk.probes.feeds import ratings
from vendorrisk.probes.feeds.ratings import MOST_ROWS, Rating, csv_ratings, json_ratings, read_csv
from vendorrisk.sandbox.running import Sandbox
from vendorrisk.sandbox.slots import API_ROOM
from vendorrisk.signals.ratings import _LARGE

pytestmark = pytest.mark.anyio


async def test_the_largest_file_of_ratings_is_read_within_the_room_of_the_api() -> None:
    row = "vendor-{}.a-long-name-of-a-vendor.example,Example Ratings and Partners,2026-01-31,87,B{}\n"
    pad = " " * 60
    body = ("domain,provider,date,score,grade\n" + "".join(row.format(n, pad) for n in range(MOST_ROWS))).encode()
    assert len(body) > 14 << 20
    found = await Sandbox(API_ROOM).run(csv_ratings, body, _LARGE)
    assert len(found.ratings) == MOST_ROWS
    last = Rating(
        domain=f"vendor-{MOST_ROWS - 1}.a-long-name-of-a-vendor.example",
        provider="Example Ratings and Partners",
        rated_on=date(2026, 1, 31),
        value_hundredths=8700,
        grade="B",
    )
    assert found.ratings[-1] == last


async def test_a_file_read_in_the_child_gives_what_it_gives_here() -> None:
    body = "\ufeffdomain;provider;date;grade\nacme.test;Ex;2026-01-31;B\n".encode()
    assert tuple((await Sandbox().run(csv_ratings, body)).ratings) == read_csv(body)
    assert (await Sandbox().run(csv_ratings, b"domain,provider\nx,y\n")).fault.startswith("row 1")
    assert (await Sandbox().run(csv_ratings, b"\xff")).fault == "the file is not UTF-8"
    assert (await Sandbox().run(json_ratings, b"[" * 100_000)).fault == "the file is not JSON"


async def test_no_file_of_ratings_is_read_by_the_api_itself(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def here(*_: object) -> None:
        pytest.fail("a file was read on the event loop")

    for name in ("read_csv", "read_json", "_read"):
        monkeypatch.setattr(ratings, name, here)
    sheet = b"domain,provider,date,score\nacme-example.com,Rater,2026-01-31,87.5\n"
    response = await client.post("/v1/vendor-rating-imports", sheet, headers={"content-type": "text/csv"})
    assert response.json() == {"imported": 0, "unchanged": 0, "unmatched": ["acme-example.com"]}
    response = await client.post("/v1/vendor-rating-imports", b"[1]", headers={"content-type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (422, "ratings_unreadable")
