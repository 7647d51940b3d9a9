"""The tenant, its members and keys, by route."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock, client_of
from vendorrisk.access.permissions import GRANTS, Role
from vendorrisk.app import Api, create_app
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio

DANA = {"name": "Dana Reyes", "email": "dana@example.com", "roles": ["reviewer"]}


async def test_a_member_is_added_and_read_back_with_its_etag_and_place(client: Client) -> None:
    added = await client.post("/v1/members", DANA)
    assert added.status_code == 201, added.text
    assert added.headers["etag"] == '"1"'
    read = await client.get(added.headers["location"])
    assert read.json() == added.json()


async def test_a_second_member_with_the_same_address_is_refused_whatever_its_case(client: Client) -> None:
    await client.post("/v1/members", DANA)
    twin = await client.post("/v1/members", {**DANA, "email": "DANA@example.com"})
    assert twin.status_code == 409
    assert twin.json()["code"] == "member_email_taken"
    assert twin.json()["errors"][0]["pointer"] == "/email"
    assert len(await client.items("/v1/members")) == 1


async def test_a_change_needs_the_version_it_is_meant_for(client: Client) -> None:
    place = (await client.post("/v1/members", DANA)).headers["location"]
    assert (await client.patch(place, {"name": "D."})).status_code == 428
    assert (await client.patch(place, {"name": "D."}, etag='"7"')).status_code == 412
    assert (await client.patch(place, {"name": "D."}, etag="*")).status_code == 400
    changed = await client.patch(place, {"name": "D."}, etag='"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await client.get(place)).json()["name"] == "D."


async def test_every_error_of_a_body_is_told_with_its_pointer(client: Client) -> None:
    refused = await client.post("/v1/members", {"name": "", "email": "no", "rolls": ["admin"]})
    assert refused.status_code == 422
    pointers = {error["pointer"] for error in refused.json()["errors"]}
    assert pointers == {"/name", "/email", "/rolls", "/roles"}
    assert await client.items("/v1/members") == []


async def test_another_tenant_sees_nothing(client: Client, other_company: Company) -> None:
    place = (await client.post("/v1/members", DANA)).headers["location"]
    assert (await other_company.client.get(place)).status_code == 404
    assert (await other_company.client.patch(place, {"name": "X"}, etag='"1"')).status_code == 404
    assert await other_company.client.items("/v1/members") == []


async def test_a_rotated_key_lives_on_for_its_overlap_only(
    api: Api, client: Client, company: Company, clock: FakeClock
) -> None:
    made = (await client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"]})).json()
    old = client_of(api, made["secret"])
    place = f"/v1/api-keys/{made['id']}"
    rotated = await client.post(f"{place}/rotations", {"overlap_seconds": 3600}, etag='"1"')
    assert rotated.status_code == 201, rotated.text
    new = client_of(api, rotated.json()["secret"])
    assert (await old.get("/v1/me")).status_code == 200
    assert (await new.get("/v1/me")).status_code == 200
    clock.advance(hours=2)
    api.service.authenticate.forget_all()  # type: ignore[attr-defined]  # the identity feature's own
    assert (await old.get("/v1/me")).status_code == 401
    assert (await new.get("/v1/me")).status_code == 200


async def rotated(client: Client, key: dict[str, Any], body: dict[str, Any]) -> Any:
    place = f"/v1/api-keys/{key['id']}"
    return await client.post(f"{place}/rotations", body, etag=await client.etag(place))


async def test_the_successor_of_a_key_that_ends_ends_too_and_lives_as_long(client: Client, clock: FakeClock) -> None:
    ends_at = clock.now + timedelta(days=90)
    made = {"name": "ci", "roles": ["auditor"], "expires_at": ends_at.isoformat()}
    old = (await client.post("/v1/api-keys", made)).json()
    clock.advance(days=80)
    first = await rotated(client, old, {"overlap_seconds": 3600})
    assert datetime.fromisoformat(first.json()["expires_at"]) == clock.now + timedelta(days=90)
    chosen = await rotated(client, first.json(), {"expires_at": "2030-01-01T00:00:00Z"})
    assert chosen.json()["expires_at"] == "2030-01-01T00:00:00Z"
    endless = await rotated(client, chosen.json(), {"expires_at": None})
    assert (endless.status_code, endless.json()["expires_at"]) == (201, None)
    again = await rotated(client, endless.json(), {})
    assert (again.status_code, again.json()["expires_at"]) == (201, None)


async def test_a_successor_that_has_ended_is_refused_and_one_that_would_outlive_time_ends_with_it(
    client: Client, clock: FakeClock
) -> None:
    made = {"name": "ci", "roles": ["auditor"], "expires_at": "9999-12-31T23:59:59Z"}
    old = (await client.post("/v1/api-keys", made)).json()
    refused = await rotated(client, old, {"expires_at": clock.now.isoformat()})
    assert (refused.status_code, refused.json()["code"]) == (422, "expiry_in_the_past")
    assert refused.json()["errors"][0]["pointer"] == "/expires_at"
    assert len(await client.items("/v1/api-keys")) == 2
    clock.advance(days=400)
    late = await rotated(client, old, {})
    assert late.status_code == 201, late.text
    assert late.json()["expires_at"].startswith("9999-12-31")


@pytest.mark.parametrize("change", ["the key is revoked", "its member is switched off"])
async def test_a_key_that_may_no_more_is_forgotten_by_every_process_when_the_change_commits(
    settings: Settings, clock: FakeClock, api: Api, client: Client, owner: Any, change: str
) -> None:
    if not api.service.database.keeps_sessions:
        pytest.skip("behind a pooler in transaction mode nobody can listen; a key is then remembered for 20 seconds")
    dana = (await client.post("/v1/members", {**DANA, "roles": ["auditor"]})).json()["id"]
    made = (await client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"], "member_id": dana})).json()
    elsewhere = create_app(settings, clock=clock)
    async with elsewhere.running():
        here, there = client_of(api, made["secret"]), client_of(elsewhere, made["secret"])
        await until_all_listen(owner, 2)
        assert [(await c.get("/v1/me")).status_code for c in (here, there)] == [200, 200]
        if change == "the key is revoked":
            response = await client.delete(f"/v1/api-keys/{made['id']}", etag='"1"')
        else:
            response = await client.patch(f"/v1/members/{dana}", {"is_active": False}, etag='"1"')
        assert response.status_code in {200, 204}, response.text
        for each in (here, there):
            await until_refused(each)


async def test_today_is_that_of_a_new_time_zone_in_every_process_at_once(
    settings: Settings, clock: FakeClock, api: Api, company: Company, owner: Any
) -> None:
    if not api.service.database.keeps_sessions:
        pytest.skip("behind a pooler in transaction mode nobody can listen; a tenant is then remembered for 20 seconds")
    elsewhere = create_app(settings, clock=clock)
    async with elsewhere.running():
        there = client_of(elsewhere, company.key.secret)
        await until_all_listen(owner, 2)
        assert (await there.get("/v1/me")).status_code == 200
        changed = await company.client.patch("/v1/tenant", {"time_zone": "Pacific/Kiritimati"}, etag='"1"')
        assert changed.status_code == 200, changed.text
        for _ in range(100):
            actor = await elsewhere.service.authenticate(f"Bearer {company.key.secret}", clock())
            if actor.tenant.time_zone == "Pacific/Kiritimati":
                return
            await asyncio.sleep(0.05)
    raise AssertionError("the other process still has the old time zone")


async def until_all_listen(owner: Any, count: int) -> None:
    """Wait until that many processes hear of changed keys."""
    sql = "select count(*) from pg_stat_activity where datname = current_database() and query ilike 'listen%'"
    for _ in range(100):
        if await owner.fetchval(sql) >= count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("somebody does not listen")


async def until_refused(client: Client) -> None:
    for _ in range(100):
        if (await client.get("/v1/me")).status_code == 401:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the key is still accepted")


async def test_a_key_cannot_give_what_it_does_not_hold(role_client: object, client: Client) -> None:
    narrow = await role_client("admin", scopes=["keys:manage", "members:manage"])  # type: ignore[operator]  # a fixture that makes
    refused = await narrow.post("/v1/api-keys", {"name": "wide", "roles": ["admin"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert len(await client.items("/v1/api-keys")) == 2


async def test_a_tenant_keeps_a_key_that_may_do_everything_whoever_ends_the_others(
    api: Api, company: Company, role_client: Any
) -> None:
    narrow = await role_client("admin", scopes=sorted(GRANTS[Role.ADMIN]))
    first = f"/v1/api-keys/{company.key.id}"
    refused = await narrow.delete(first, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin_key"), refused.text
    assert (await company.client.get("/v1/me")).status_code == 200
    dana = await company.client.post("/v1/members", {**DANA, "roles": ["admin"]})
    hers = {"name": "hers", "roles": ["admin"], "member_id": dana.json()["id"]}
    made = (await company.client.post("/v1/api-keys", hers)).json()
    ended = await client_of(api, made["secret"]).delete(first, etag='"1"')
    assert ended.status_code == 204, "another key of an admin is left"
    off = await narrow.patch(dana.headers["location"], {"is_active": False}, etag='"1"')
    assert (off.status_code, off.json()["code"]) == (409, "last_admin_key"), off.text
    api.service.authenticate.forget_all()  # type: ignore[attr-defined]  # the port does not forget, the real one does
    assert (await client_of(api, made["secret"]).get("/v1/me")).status_code == 200


async def test_of_two_admins_who_end_each_others_key_at_once_one_is_left(api: Api, company: Company) -> None:
    keys = [(await company.client.post("/v1/api-keys", {"name": "a", "roles": ["admin"]})).json() for _ in "ab"]
    clients = [client_of(api, key["secret"]) for key in keys]
    assert (await clients[0].delete(f"/v1/api-keys/{company.key.id}", etag='"1"')).status_code == 204
    ends = [clients[here].delete(f"/v1/api-keys/{keys[1 - here]['id']}", etag='"1"') for here in (0, 1)]
    statuses = sorted(response.status_code for response in await asyncio.gather(*ends))
    assert statuses in ([204, 401], [204, 409])
    api.service.authenticate.forget_all()  # type: ignore[attr-defined]  # as above
    assert sorted([(await each.get("/v1/me")).status_code for each in clients]) == [200, 401]


async def test_the_key_that_calls_cannot_revoke_itself(company: Company) -> None:
    place = f"/v1/api-keys/{company.key.id}"
    refused = await company.client.delete(place, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (409, "own_access")
    assert (await company.client.get("/v1/me")).status_code == 200


async def test_a_repeated_request_is_one_operation_with_equal_responses(client: Client) -> None:
    headers = {"idempotency-key": "k1"}
    first = await client.post("/v1/members", DANA, headers=headers)
    again = await client.post("/v1/members", DANA, headers=headers)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    other = await client.post("/v1/members", {**DANA, "name": "E."}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(await client.items("/v1/members")) == 1


async def test_every_write_leaves_one_entry_and_a_refused_one_leaves_none(client: Client) -> None:
    before = len(await client.items("/v1/audit-entries"))
    place = (await client.post("/v1/members", DANA)).headers["location"]
    await client.post("/v1/members", DANA)
    await client.patch(place, {"name": "D."}, etag='"1"')
    entries = await client.items("/v1/audit-entries")
    assert len(entries) == before + 2
    assert [e["action"] for e in entries[:2]] == ["member:changed", "member:added"]
    assert entries[0]["before"]["name"] == "Dana Reyes"
    assert entries[0]["after"]["name"] == "D."


async def test_pages_go_forth_and_back_without_losing_or_duplicating_a_row(client: Client) -> None:
    for number in range(7):
        await client.post("/v1/members", {**DANA, "name": f"M{number % 3}", "email": f"m{number}@example.com"})
    for sort in ("name", "-name", "created_at", "-created_at"):
        whole = [m["id"] for m in (await client.get("/v1/members", params={"sort": sort})).json()["items"]]
        first = (await client.get("/v1/members", params={"sort": sort, "limit": 3})).json()
        second = (await client.get("/v1/members", params={"sort": sort, "limit": 3, "cursor": first["next"]})).json()
        third = (await client.get("/v1/members", params={"sort": sort, "limit": 3, "cursor": second["next"]})).json()
        back = (await client.get("/v1/members", params={"sort": sort, "limit": 3, "cursor": third["prev"]})).json()
        walked = [m["id"] for page in (first, second, third) for m in page["items"]]
        assert walked == whole
        assert "next" not in third
        assert "prev" not in first
        assert back["items"] == second["items"]
