"""A vendor's list of sub-processors over time: each change is proposed once, and taken over under any spelling."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.test_vendor_events import NAMES, page
from tests.signals.watching import DOMAIN, Watching, watching
from vendorrisk.background import JobContext
from vendorrisk.lab.http import Reply

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


async def shown(on: Watching, *names: str) -> None:
    """Put names on the page, and let scans confirm them."""
    on.good.on("/subs", page(*names))
    on.clock.advance(days=1, hours=13)
    await on.confirmed()


async def listed(on: Watching) -> str:
    """Return a vendor whose list was read once."""
    on.good.on("/subs", page(*NAMES))
    vendor = await on.vendor()
    await on.attach(vendor, f"https://{DOMAIN}/subs", "subprocessor_page")
    await on.run()
    return vendor


async def changes(on: Watching, vendor: str) -> list[tuple[str, str]]:
    found = await on.client.items(f"/v1/vendors/{vendor}/subprocessor-changes", sort="observed_at")
    return [(c["change"], c["name"]) for c in found]


async def accept(on: Watching, vendor: str, change: str) -> dict[str, Any]:
    found = await on.client.items(f"/v1/vendors/{vendor}/subprocessor-changes", filter=f"change:eq:{change}")
    response = await on.client.post(
        f"/v1/subprocessor-changes/{found[0]['id']}/decision", {"decision": "accept"}, etag='"1"'
    )
    assert response.status_code == 200, response.text
    accepted: dict[str, Any] = response.json()
    return accepted


async def test_one_that_comes_goes_and_comes_again_is_proposed_each_time(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await listed(on)
        for names in ((*NAMES, "Ember"), NAMES, (*NAMES, "Ember")):
            await shown(on, *names)
            await shown(on, *names)
        assert await changes(on, vendor) == [("added", "Ember"), ("removed", "Ember"), ("added", "Ember")]
        assert len([kind for kind, _ in await on.notified() if kind == "subprocessors_changed"]) == 3


def table(*rows: tuple[str, ...]) -> Reply:
    """A page whose rows have several cells."""
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return Reply(200, [("Content-Type", "text/html")], f"<html><body><table>{lines}</table></body></html>".encode())


async def test_a_change_says_what_the_row_was_and_what_it_became(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    before = [("Aster", "Mail", "EU"), ("Borealis", "Hosting", "EU"), ("Cobalt", "Logs", "EU"), ("Dune", "", "EU")]
    after = [("Aster", "Mail", "US"), ("Borealis", "Hosting", "EU"), ("Dune", "Billing", "EU"), ("Ember", "Chat", "")]
    async with watching(context, client, clock) as on:
        on.good.on("/subs", table(*before))
        vendor = await on.vendor()
        await on.attach(vendor, f"https://{DOMAIN}/subs", "subprocessor_page")
        await on.run()
        on.good.on("/subs", table(*after))
        clock.advance(days=1, hours=13)
        await on.confirmed()
        found = await client.items(f"/v1/vendors/{vendor}/subprocessor-changes")
        assert {(c["change"], c["name"]): c["details"] for c in found} == {
            ("added", "Ember"): "Chat",
            ("removed", "Cobalt"): "Logs | EU",
            ("changed", "Aster"): "EU → US",
            ("changed", "Dune"): "— → Billing",
        }
        assert (await on.signals(vendor))["tr.subprocessors"]["evidence"]["details"] == [
            "Chat", "Logs | EU", "EU → US", "— → Billing",
        ]  # fmt: skip


async def test_a_cell_that_reads_otherwise_at_every_scan_keeps_no_change_from_being_notified(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    rows = [("Aster", "day 0"), *((name, "Works for us") for name in NAMES)]
    async with watching(context, client, clock) as on:
        on.good.on("/subs", table(*rows))
        vendor = await on.vendor()
        await on.attach(vendor, f"https://{DOMAIN}/subs", "subprocessor_page")
        await on.run()
        clock.advance(days=1, hours=13)
        for day in (1, 2):
            on.good.on("/subs", table(("Aster", f"day {day}"), *rows[1:]))
            await on.run()
            clock.advance(minutes=16)
        found = await client.items(f"/v1/vendors/{vendor}/subprocessor-changes")
        assert [(c["name"], c["details"]) for c in found] == [("Aster", "day 0 → day 2")]


async def test_a_change_seen_before_and_after_the_page_was_down_is_notified_and_proposed(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await listed(on)
        on.good.on("/subs", page(*NAMES, "Ember"))
        clock.advance(days=1, hours=13)
        await on.run()
        on.good.on("/subs", Reply(500))
        for _ in range(4):
            clock.advance(days=1)
            await on.run()
        assert (await on.signals(vendor))["tr.subprocessors"]["verdict"] == "unknown"
        await shown(on, *NAMES, "Ember")
        assert await changes(on, vendor) == [("added", "Ember")]
        assert [kind for kind, _ in await on.notified()].count("subprocessors_changed") == 1


async def test_a_list_that_stays_for_years_is_still_compared_after_its_first_reading_was_dropped(
    context: JobContext, client: Client, clock: FakeClock, owner: Any
) -> None:
    async with watching(context, client, clock, signal_retention_months=2) as on:
        vendor = await listed(on)
        first = (await on.signals(vendor))["tr.subprocessors"]["observation_id"]
        for _ in range(5):
            clock.advance(days=31)
            await on.run()
        assert await owner.fetchval("select count(*) from signal_observations where id = $1", UUID(first)) == 0
        shown_now = (await on.signals(vendor))["tr.subprocessors"]
        assert (shown_now["verdict"], shown_now["reason"]) == ("pass", "same")
        assert (await client.get(f"/v1/signal-observations/{shown_now['observation_id']}")).status_code == 200
        await shown(on, *NAMES, "Ember")
        assert await changes(on, vendor) == [("added", "Ember")]


async def test_an_accepted_change_finds_the_fourth_party_under_its_other_spelling(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock) as on:
        vendor = await listed(on)
        for name in ("BOREALIS HOSTING, Inc.", "ember"):
            response = await client.post(f"/v1/vendors/{vendor}/fourth-parties", {"name": name})
            assert response.status_code == 201, response.text
        await shown(on, *NAMES[1:], "Ember Ltd")
        added, removed = await accept(on, vendor, "added"), await accept(on, vendor, "removed")
        below = await client.items(f"/v1/vendors/{vendor}/fourth-parties")
        assert [one["name"] for one in below] == ["ember"], "none doubled, and the one that left is gone"
        assert added["fourth_party_id"] == below[0]["id"]
        assert removed["state"] == "accepted"
