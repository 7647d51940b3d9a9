"""Findings by route."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock
from tests.findings.make import DUE, finding, transition, vendor

pytestmark = pytest.mark.anyio
DANA = {"name": "Dana Reyes", "email": "dana@example.com", "roles": ["owner"]}


async def _deadlines(owner: Any) -> list[tuple[UUID, str, bool]]:
    """Return what is kept in view of findings: subject, due date, whether it is watched."""
    async with owner.transaction():
        await owner.execute("set local role vendorrisk_system")
        rows = await owner.fetch(
            "select subject_id, due_on, is_watched from deadlines where alert_class = 'finding_due' order by id"
        )
    return [(row["subject_id"], row["due_on"].isoformat(), row["is_watched"]) for row in rows]


@pytest.mark.parametrize("severity", DUE)
async def test_a_finding_is_opened_due_by_its_severity_and_read_back(client: Client, severity: str) -> None:
    made = await client.post(
        "/v1/findings", {"vendor_id": await vendor(client), "title": "No second factor", "severity": severity}
    )
    assert made.status_code == 201, made.text
    assert made.headers["etag"] == '"1"'
    opened = made.json()
    assert (opened["state"], opened["source_kind"], opened["source_id"]) == ("open", "manual", opened["id"])
    assert (opened["opened_on"], opened["due_on"]) == ("2026-03-02", DUE[severity].isoformat())
    assert [each["to_state"] for each in made.json()["transitions"]] == ["open"]
    assert (await client.get(made.headers["location"])).json() == made.json()


async def test_a_finding_needs_a_vendor_and_an_owner_that_exist(client: Client, other_company: Company) -> None:
    theirs = await vendor(other_company.client)
    body = {"vendor_id": theirs, "title": "x", "severity": "low"}
    refused = await client.post("/v1/findings", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "reference_unknown")
    assert refused.json()["errors"][0]["pointer"] == "/vendor_id"
    own = await vendor(client)
    refused = await client.post("/v1/findings", {**body, "vendor_id": own, "owner_id": str(uuid4())})
    assert refused.json()["errors"][0]["pointer"] == "/owner_id"
    assert await client.items("/v1/findings") == []


async def test_the_words_and_dates_of_a_finding_have_bounds(client: Client) -> None:
    own = await vendor(client)
    for wrong in (
        {"title": ""},
        {"title": "x" * 301},
        {"severity": "grave"},
        {"due_on": "0001-01-01"},
        {"due_on": "x"},
    ):
        body = {"vendor_id": own, "title": "x", "severity": "low", **wrong}
        assert (await client.post("/v1/findings", body)).status_code == 422, wrong
    assert await client.items("/v1/findings") == []


async def test_a_finding_goes_its_way_and_every_transition_is_kept(client: Client, clock: FakeClock) -> None:
    opened = await finding(client)
    acknowledged = await transition(client, opened, "acknowledged")
    clock.advance(days=1)
    done = await transition(client, acknowledged, "remediated", reason="A second factor is required.")
    reopened = await transition(client, done, "open", reason="It is switched off again.")
    assert reopened["times_reopened"] == 1
    told = [(each["from_state"], each["to_state"], each["reason"]) for each in reopened["transitions"]]
    assert told == [
        (None, "open", None),
        ("open", "acknowledged", None),
        ("acknowledged", "remediated", "A second factor is required."),
        ("remediated", "open", "It is switched off again."),
    ]
    assert reopened["transitions"][-1]["transitioned_at"].startswith("2026-03-03")


async def test_a_finding_that_is_reopened_has_as_long_as_a_new_one(client: Client, clock: FakeClock) -> None:
    done = await transition(client, await finding(client), "false_positive", reason="Not so.")
    clock.advance(days=100)
    assert (await transition(client, done, "open"))["due_on"] == "2026-07-10"


async def test_transitions_that_there_are_not_or_lack_something_are_refused_and_change_nothing(client: Client) -> None:
    opened = await finding(client)
    place, etag = f"/v1/findings/{opened['id']}/transitions", '"1"'
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({"to": "open"}, 409, "finding_transition_not_allowed"),
        ({"to": "remediated"}, 422, "finding_reason_missing"),
        ({"to": "accepted", "reason": "x"}, 422, "finding_date_invalid"),
        ({"to": "accepted", "reason": "x", "until_on": "2026-03-02"}, 422, "finding_date_invalid"),
        ({"to": "remediated", "reason": "x", "until_on": "2026-04-02"}, 422, "finding_date_invalid"),
        ({"to": "gone"}, 422, "body_invalid"),
    ]
    for body, status, code in wrong:
        refused = await client.post(place, body, etag=etag)
        assert (refused.status_code, refused.json()["code"]) == (status, code), body
    shown = (await client.get(f"/v1/findings/{opened['id']}")).json()
    assert (shown, len(shown["transitions"])) == (opened, 1)


async def test_a_change_or_transition_needs_the_version_it_is_meant_for(client: Client) -> None:
    opened = await finding(client)
    place = f"/v1/findings/{opened['id']}"
    for path, send, body in (
        (place, client.patch, {"title": "y"}),
        (f"{place}/transitions", client.post, {"to": "acknowledged"}),
    ):
        assert (await send(path, body)).status_code == 428
        assert (await send(path, body, etag='"7"')).status_code == 412
    assert (await client.get(place)).json() == opened


async def test_a_new_severity_moves_the_due_date_unless_one_is_sent(client: Client) -> None:
    opened = await finding(client)
    place = f"/v1/findings/{opened['id']}"
    changed = await client.patch(place, {"severity": "critical"}, etag='"1"')
    assert (changed.status_code, changed.json()["due_on"]) == (200, "2026-03-09")
    changed = await client.patch(place, {"severity": "low", "due_on": "2026-03-20"}, etag='"2"')
    assert changed.json()["due_on"] == "2026-03-20"
    changed = await client.patch(place, {"title": "Other words"}, etag='"3"')
    assert changed.json()["due_on"] == "2026-03-20"
    assert (await client.patch(place, {"due_on": "9999-12-31"}, etag='"4"')).json()["code"] == "finding_date_invalid"


async def test_a_finding_alone_is_asked_for_fields_as_in_a_list(client: Client) -> None:
    opened = await finding(client)
    alone = await client.get(f"/v1/findings/{opened['id']}", params={"fields": "title,state"})
    assert alone.json() == {"title": opened["title"], "state": "open"}
    assert await client.items("/v1/findings", fields="title,state") == [alone.json()]


async def test_an_owner_is_set_and_taken_away(client: Client) -> None:
    dana = (await client.post("/v1/members", DANA)).json()["id"]
    opened = await finding(client, owner_id=dana)
    (listed,) = await client.items("/v1/findings", filter=f"owner_id:eq:{dana}")
    assert listed == {field: opened[field] for field in listed}
    changed = await client.patch(f"/v1/findings/{opened['id']}", {"owner_id": None}, etag='"1"')
    assert changed.json()["owner_id"] is None
    assert await client.items("/v1/findings", filter=f"owner_id:eq:{dana}") == []


async def test_findings_are_filtered_sorted_and_paged(client: Client) -> None:
    first, second = await vendor(client, "First"), await vendor(client, "Second")
    for number, severity in enumerate(["low", "critical", "high", "medium", "critical"]):
        await finding(client, (first, second)[number % 2], severity=severity, title=f"F{number}")
    assert [f["title"] for f in await client.items("/v1/findings")] == ["F4", "F3", "F2", "F1", "F0"]
    by_due = await client.items("/v1/findings", sort="due_on", limit=2)
    assert [f["severity"] for f in by_due] == ["critical", "critical", "high", "medium", "low"]
    assert {f["title"] for f in await client.items("/v1/findings", filter=f"vendor_id:eq:{second}")} == {"F1", "F3"}
    severe = await client.items("/v1/findings", filter="severity:in:critical,high")
    assert {f["title"] for f in severe} == {"F1", "F2", "F4"}
    soon = await client.items("/v1/findings", filter="due_on:lte:2026-04-01")
    assert {f["title"] for f in soon} == {"F1", "F2", "F4"}
    assert (await client.get("/v1/findings", params={"filter": "description:eq:x"})).status_code == 400
    assert (await client.get("/v1/findings", params={"sort": "title"})).status_code == 400


async def test_many_are_transitioned_at_once_each_for_itself(client: Client) -> None:
    own = await vendor(client)
    opened = [await finding(client, own, title=f"F{number}") for number in range(4)]
    items = [
        {"id": opened[0]["id"], "version": 1, "to": "remediated", "reason": "Done."},
        {"id": opened[1]["id"], "version": 9, "to": "acknowledged"},
        {"id": opened[2]["id"], "version": 1, "to": "remediated"},
        {"id": str(uuid4()), "version": 1, "to": "acknowledged"},
        {"id": opened[3]["id"], "version": 1, "to": "acknowledged"},
    ]
    response = await client.post("/v1/findings/bulk-transitions", {"items": items})
    assert response.status_code == 200, response.text
    told = response.json()
    assert (told["done"], told["failed"]) == (2, 3)
    codes = [each.get("code") for each in told["items"]]
    assert codes == [None, "version_stale", "finding_reason_missing", "not_found", None]
    states = {f["title"]: f["state"] for f in await client.items("/v1/findings")}
    assert states == {"F0": "remediated", "F1": "open", "F2": "open", "F3": "acknowledged"}
    transitioned = [e for e in await client.items("/v1/audit-entries") if e["action"] == "finding:transitioned"]
    assert len(transitioned) == 2


async def test_the_due_date_is_watched_while_the_finding_stands(client: Client, owner: Any) -> None:
    opened = await finding(client)
    key = UUID(opened["id"])
    assert await _deadlines(owner) == [(key, "2026-04-01", True)]
    changed = await client.patch(f"/v1/findings/{key}", {"due_on": "2026-03-10"}, etag='"1"')
    assert await _deadlines(owner) == [(key, "2026-03-10", True)]
    done = await transition(client, changed.json(), "remediated", reason="Done.")
    assert [(subject, watched) for subject, _, watched in await _deadlines(owner)] in ([], [(key, False)])
    await transition(client, done, "open")
    assert await _deadlines(owner) == [(key, "2026-04-01", True)]


async def test_the_policy_decides_from_then_on_and_only_from_then_on(client: Client) -> None:
    before = await finding(client, severity="critical")
    policy = await client.get("/v1/finding-policy")
    assert policy.json() == {"critical_days": 7, "high_days": 30, "medium_days": 90, "low_days": 180, "version": 0}
    wanted = {"critical_days": 2, "high_days": 5, "medium_days": 10, "low_days": 20}
    assert (await client.put("/v1/finding-policy", wanted)).status_code == 428
    assert (await client.put("/v1/finding-policy", {**wanted, "low_days": 0}, etag='"0"')).status_code == 422
    kept = await client.put("/v1/finding-policy", wanted, etag=policy.headers["etag"])
    assert (kept.status_code, kept.json()) == (200, {**wanted, "version": 1})
    assert (await client.put("/v1/finding-policy", wanted, etag='"0"')).status_code == 412
    after = await finding(client, before["vendor_id"], severity="critical")
    assert after["due_on"] == "2026-03-04"
    assert (await client.get(f"/v1/findings/{before['id']}")).json()["due_on"] == "2026-03-09"


async def test_every_write_leaves_one_entry_and_a_refused_one_leaves_none(client: Client) -> None:
    opened = await finding(client)
    before = len(await client.items("/v1/audit-entries"))
    place = f"/v1/findings/{opened['id']}"
    await client.patch(place, {"title": "Other words"}, etag='"1"')
    await client.patch(place, {"title": "x"}, etag='"1"')
    await client.post(f"{place}/transitions", {"to": "acknowledged"}, etag='"2"')
    await client.post(f"{place}/transitions", {"to": "acknowledged"}, etag='"3"')
    entries = await client.items("/v1/audit-entries")
    assert len(entries) == before + 2
    assert [e["action"] for e in entries[:3]] == ["finding:transitioned", "finding:changed", "finding:opened"]
    assert (entries[1]["before"]["title"], entries[1]["after"]["title"]) == ("No second factor", "Other words")


async def test_another_tenant_sees_and_changes_nothing(client: Client, other_company: Company) -> None:
    opened = await finding(client)
    place, theirs = f"/v1/findings/{opened['id']}", other_company.client
    assert (await theirs.get(place)).status_code == 404
    assert (await theirs.patch(place, {"title": "x"}, etag='"1"')).status_code == 404
    assert (await theirs.post(f"{place}/transitions", {"to": "acknowledged"}, etag='"1"')).status_code == 404
    items = [{"id": opened["id"], "version": 1, "to": "acknowledged"}]
    response = await theirs.post("/v1/findings/bulk-transitions", {"items": items})
    assert response.json()["items"][0]["code"] == "not_found"
    assert await theirs.items("/v1/findings") == []
    assert (await client.get(place)).json() == opened


async def test_reading_is_for_all_roles_and_writing_for_reviewers(client: Client, role_client: Any) -> None:
    opened = await finding(client)
    place = f"/v1/findings/{opened['id']}"
    for role in ("procurement", "owner", "auditor"):
        reader = await role_client(role)
        assert (await reader.get(place)).status_code == 200
        assert (await reader.patch(place, {"title": "x"}, etag='"1"')).status_code == 403
        assert (await reader.post(f"{place}/transitions", {"to": "acknowledged"}, etag='"1"')).status_code == 403
    reviewer = await role_client("reviewer")
    assert (await reviewer.post(f"{place}/transitions", {"to": "acknowledged"}, etag='"1"')).status_code == 200


async def test_a_repeated_opening_opens_one(client: Client) -> None:
    body = {"vendor_id": await vendor(client), "title": "x", "severity": "low"}
    first = await client.post("/v1/findings", body, headers={"idempotency-key": "k"})
    again = await client.post("/v1/findings", body, headers={"idempotency-key": "k"})
    assert again.content == first.content
    assert len(await client.items("/v1/findings")) == 1


_TEXTS = ["a\0b", "\ud800", "   ", "\u202eesrever", "\u0301" * 200, "=1+1", "<!channel>", "'; drop table findings; --"]


@pytest.mark.parametrize("text", _TEXTS)
@pytest.mark.parametrize("field", ["title", "description"])
async def test_a_strange_text_is_kept_as_it_is_or_refused_and_never_an_error(
    client: Client, field: str, text: str
) -> None:
    own = await vendor(client)
    quoted = '"' + "".join(f"\\u{ord(character):04x}" for character in text) + '"'
    other = '"severity": "low"' + (', "title": "x"' if field != "title" else "")
    body = f'{{"vendor_id": "{own}", {other}, "{field}": {quoted}}}'.encode()
    response = await client.post("/v1/findings", body)
    if text in _TEXTS[:3]:
        assert 400 <= response.status_code < 500, response.text
        assert await client.items("/v1/findings") == []
    else:
        assert response.status_code == 201, response.text
        assert response.json()[field] == text


@pytest.mark.parametrize("wrong", [0, -1, 2**31, 2**63, 10**400, "7", None, 1.5, True])
async def test_a_policy_takes_days_within_reason_only(client: Client, wrong: Any) -> None:
    body = {"critical_days": wrong, "high_days": 5, "medium_days": 10, "low_days": 20}
    refused = await client.put("/v1/finding-policy", json.dumps(body).encode(), etag='"0"')
    assert 400 <= refused.status_code < 500
    assert (await client.get("/v1/finding-policy")).json()["version"] == 0


async def test_many_means_one_to_two_hundred_each_known_and_whole(client: Client) -> None:
    item = {"id": str(uuid4()), "version": 1, "to": "acknowledged"}
    for items in ([], [item] * 201, None):
        assert (await client.post("/v1/findings/bulk-transitions", {"items": items})).status_code == 422, items
    items = [{**item, "version": 0}, {**item, "extra": 1}, {"to": "open"}, None]
    told = (await client.post("/v1/findings/bulk-transitions", {"items": items})).json()
    assert [each["code"] for each in told["items"]] == ["body_invalid"] * 4
    pointers = [[error["pointer"] for error in each["errors"]] for each in told["items"]]
    assert pointers == [["/items/0/version"], ["/items/1/extra"], ["/items/2/id", "/items/2/version"], ["/items/3"]]
