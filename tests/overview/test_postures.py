"""The vendors' postures, their views, and a vendor on one page: figures equal those of the lists behind them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from tests.client import Client
from tests.conftest import Company
from tests.evidence.make import recorded, type_2
from tests.vendors.make import added, member
from vendorrisk.background import JobContext
from vendorrisk.signals.jobs import reconcile_vendors

pytestmark = pytest.mark.anyio


async def in_use(client: Client, name: str, owner: str, tier: str = "high", **more: Any) -> str:
    fields = {"lifecycle": "active", "tier": tier, "business_owner_id": owner, "intake_note": "In use.", **more}
    return str((await added(client, "/v1/vendors", name=name, **fields))["id"])


async def posture(client: Client, vendor_id: str) -> Any:
    found = await client.get("/v1/overview/vendors", params={"filter": f"id:eq:{vendor_id}"})
    assert found.status_code == 200, found.text
    return found.json()["items"][0]


async def test_a_table_of_fifty_vendors_takes_one_call_with_coverage_grade_findings_and_owners(
    company: Company, context: JobContext
) -> None:
    client = company.client
    owner = await member(client, "olga@example.com")
    ids = [await in_use(client, f"Vendor {n:02}", owner) for n in range(50)]
    for n, vendor_id in enumerate(ids):
        await added(client, f"/v1/vendors/{vendor_id}/assets", kind="domain", name=f"v{n}.com")
    for vendor_id in ids[:10]:
        await recorded(client, type_2(vendor_id, end="2026-01-31"))
        await added(client, "/v1/findings", vendor_id=vendor_id, title="No MFA", severity="high")
    while await reconcile_vendors(context):
        pass
    page = await client.get("/v1/overview/vendors", params={"limit": 50})
    rows = page.json()["items"]
    assert [row["id"] for row in rows] == ids
    assert {row["business_owner_name"] for row in rows} == {"olga"}
    assert [row["open_high"] for row in rows] == [1] * 10 + [0] * 40
    assert {row["coverage_state"] for row in rows[:10]} == {"in_reliance"}
    assert {row["coverage_state"] for row in rows[10:]} == {None}
    assert {row["grade"] for row in rows} == {"NR"}
    assert {row["not_rated_reason"] for row in rows} == {"too_little_known"}


async def test_a_vendor_without_anything_says_so_and_shows_nothing_as_good(company: Company) -> None:
    made = await added(company.client, "/v1/vendors", name="Bare")
    row = await posture(company.client, made["id"])
    assert (row["coverage_state"], row["grade"], row["number"], row["next_due_on"]) == (None, None, None, None)
    assert row["not_rated_reason"] == "nothing_attached"
    assert (row["open_findings"], row["overdue_findings"], row["business_owner_name"]) == (0, 0, None)


async def test_several_services_count_as_their_weakest(company: Company) -> None:
    client = company.client
    owner = await member(client, "olga@example.com")
    vendor_id = await in_use(client, "Nimbus", owner)
    services = [
        (await added(client, f"/v1/vendors/{vendor_id}/services", name=name))["id"] for name in ("Mail", "Storage")
    ]
    await recorded(client, type_2(vendor_id, service_ids=services[:1]))
    row = await posture(client, vendor_id)
    assert (row["coverage_state"], row["covered_services"]) == ("none", 2)


async def test_findings_that_are_closed_or_set_aside_are_not_counted_as_open(company: Company) -> None:
    client = company.client
    owner = await member(client, "olga@example.com")
    vendor_id = await in_use(client, "Nimbus", owner)
    for severity in ("critical", "low", "low"):
        await added(client, "/v1/findings", vendor_id=vendor_id, title="x", severity=severity)
    closed = (await client.get("/v1/findings", params={"filter": "severity:eq:critical"})).json()["items"][0]
    place = f"/v1/findings/{closed['id']}"
    await client.post(f"{place}/transitions", {"to": "remediated", "reason": "Done."}, etag=await client.etag(place))
    row = await posture(client, vendor_id)
    assert (row["open_findings"], row["open_critical"], row["open_low"]) == (2, 0, 2)


async def test_each_view_counts_what_the_list_shows_under_its_filters(company: Company, context: JobContext) -> None:
    client = company.client
    owner = await member(client, "olga@example.com")
    lapsed = await in_use(client, "Lapsed", owner, tier="critical")
    await recorded(client, type_2(lapsed, start="2023-01-01", end="2023-12-31"))
    await in_use(client, "Due", owner, tier="low", next_review_on="2026-02-01")
    await added(client, "/v1/vendors", name="Untiered", domains=["untiered.example"])
    await added(client, "/v1/findings", vendor_id=lapsed, title="x", severity="high", due_on="2026-03-02")
    while await reconcile_vendors(context):
        pass
    views = (await client.get("/v1/overview/vendor-views")).json()["items"]
    counts = {}
    for view in views:
        found = await client.get("/v1/overview/vendors", params={"filter": view["filters"], "total": "true"})
        assert found.status_code == 200, found.text
        counts[view["view"]] = (view["vendors"], found.json()["total"])
    assert {name: a for name, (a, b) in counts.items() if a != b} == {}
    assert [counts[name][0] for name in ("all_vendors", "critical", "without_tier", "coverage_lost")] == [3, 1, 1, 1]
    assert [counts[name][0] for name in ("review_overdue", "with_findings", "not_rated")] == [1, 1, 3]


async def test_a_vendor_page_takes_one_call(company: Company, context: JobContext) -> None:
    client = company.client
    owner = await member(client, "olga@example.com")
    vendor_id = await in_use(client, "Nimbus", owner)
    await added(client, f"/v1/vendors/{vendor_id}/assets", kind="domain", name="nimbus.com")
    await recorded(client, type_2(vendor_id))
    for n, severity in enumerate(("low", "critical", "low", "low", "low", "high")):
        await added(client, "/v1/findings", vendor_id=vendor_id, title=f"F{n}", severity=severity)
    await added(client, "/v1/documents", vendor_id=vendor_id, kind="policy", title="A policy")
    await added(client, f"/v1/vendors/{vendor_id}/fourth-parties", name="Borealis")
    while await reconcile_vendors(context):
        pass
    response = await client.get(f"/v1/vendors/{vendor_id}/overview")
    page = response.json()
    assert response.headers["etag"] == await client.etag(f"/v1/vendors/{vendor_id}")
    assert page["vendor"] == (await client.get(f"/v1/vendors/{vendor_id}")).json()
    assert page["posture"] == await posture(client, vendor_id)
    assert page["coverage"] == (await client.get(f"/v1/vendors/{vendor_id}/coverage")).json()
    assert page["score"] == (await client.get(f"/v1/vendors/{vendor_id}/signal-score")).json()
    assert [f["title"] for f in page["findings"]][:2] == ["F1", "F5"]
    assert len(page["findings"]) == 5
    assert page["findings"][0] in (await client.get("/v1/findings")).json()["items"]
    assert [d["due_on"] for d in page["coming_dates"]] == sorted(d["due_on"] for d in page["coming_dates"])
    assert 0 < len(page["coming_dates"]) <= 7
    assert [(d["title"], d["to_confirm"]) for d in page["documents"]] == [("A policy", 0)]
    assert [(f["name"], f["state"]) for f in page["fourth_parties"]] == [("Borealis", "recorded")]


async def test_the_overview_of_another_tenants_vendor_is_not_found(company: Company, other_company: Company) -> None:
    made = await added(company.client, "/v1/vendors", name="Ours")
    assert (await other_company.client.get(f"/v1/vendors/{made['id']}/overview")).status_code == 404
    assert (await other_company.client.get("/v1/overview/vendors")).json()["items"] == []


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Collect what is asked of the database by the routes that are called inside."""
    asked: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval"):
        before = getattr(asyncpg.Connection, name)

        async def counted(self: Any, query: str, *args: Any, _before: Any = before, **more: Any) -> Any:
            asked.append(query)
            return await _before(self, query, *args, **more)

        monkeypatch.setattr(asyncpg.Connection, name, counted)
    yield asked


@pytest.mark.parametrize(
    ("place", "most"),
    [("/v1/overview/today", 8), ("/v1/overview/vendors", 1), ("/v1/vendors/{id}/overview", 16)],
)
async def test_a_composite_read_asks_few_statements_however_many_vendors_there_are(
    company: Company, monkeypatch: pytest.MonkeyPatch, place: str, most: int
) -> None:
    for n in range(5):
        made = await added(company.client, "/v1/vendors", name=f"Vendor {n}")
    assert (await company.client.get(place.format(id=made["id"]))).status_code == 200
    with statements(monkeypatch) as asked:
        assert (await company.client.get(place.format(id=made["id"]))).status_code == 200
    own = [sql for sql in asked if "$1" in sql and "set_config" not in sql and "api_keys" not in sql]
    assert 1 <= len(own) <= most, own


async def test_a_key_whose_scopes_leave_out_a_noun_is_refused(company: Company, api: Any) -> None:
    from tests.conftest import client_of

    made = await company.client.post(
        "/v1/api-keys", {"name": "narrow", "roles": ["admin"], "scopes": ["vendors:read", "evidence:read"]}
    )
    assert made.status_code == 201, made.text
    narrow = client_of(api, made.json()["secret"])
    for place in ("today", "vendors", "vendor-views"):
        refused = await narrow.get(f"/v1/overview/{place}")
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
