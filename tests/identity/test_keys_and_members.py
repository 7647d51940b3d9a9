"""A key never outlives what its member may do, an admin always gets in again, and guesses never reach the table."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Company, FakeClock, client_of
from vendorrisk.app import Api
from vendorrisk.identity import authentication, queries, rules

pytestmark = pytest.mark.anyio


async def member(company: Company, *roles: str) -> Any:
    body = {"name": "Dana", "email": "dana@example.com", "roles": list(roles)}
    return (await company.client.post("/v1/members", body)).json()


async def key_of(company: Company, *roles: str, **more: Any) -> Any:
    return await company.client.post("/v1/api-keys", {"name": "hers", "roles": list(roles), **more})


def forget(api: Api) -> None:
    api.service.authenticate.forget_all()  # type: ignore[attr-defined]  # the identity feature's own


async def test_a_demoted_members_key_loses_what_the_member_lost(api: Api, company: Company) -> None:
    dana = await member(company, "admin")
    made = (await key_of(company, "admin", member_id=dana["id"])).json()
    hers = client_of(api, made["secret"])
    assert "keys:manage" in (await hers.get("/v1/me")).json()["permissions"]
    changed = await company.client.patch(f"/v1/members/{dana['id']}", {"roles": ["auditor"]}, etag='"1"')
    assert changed.status_code == 200, changed.text
    forget(api)
    held = (await hers.get("/v1/me")).json()["permissions"]
    assert "keys:manage" not in held
    assert "vendors:write" not in held
    assert "vendors:read" in held
    assert (await hers.post("/v1/vendors", {"name": "Nimbus"})).status_code == 403
    assert await company.client.items("/v1/vendors") == []


async def test_no_key_gets_more_than_its_member_has(company: Company) -> None:
    dana = await member(company, "auditor")
    refused = await key_of(company, "admin", member_id=dana["id"])
    assert (refused.status_code, refused.json()["code"]) == (422, "key_exceeds_member"), refused.text
    narrowed = await key_of(company, "admin", member_id=dana["id"], scopes=["vendors:read"])
    assert narrowed.status_code == 201, narrowed.text
    assert [key["roles"] for key in await company.client.items("/v1/api-keys")] == [["admin"], ["admin"]]


async def test_a_demoted_members_key_cannot_be_rotated_into_a_greater_one(company: Company) -> None:
    dana = await member(company, "admin")
    made = (await key_of(company, "admin", member_id=dana["id"])).json()
    await company.client.patch(f"/v1/members/{dana['id']}", {"roles": ["auditor"]}, etag='"1"')
    refused = await company.client.post(f"/v1/api-keys/{made['id']}/rotations", {}, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (422, "key_exceeds_member"), refused.text
    assert len(await company.client.items("/v1/api-keys")) == 2


async def test_the_last_admin_is_not_lost_by_a_rotation_whose_keys_end_soon(
    company: Company, clock: FakeClock, api: Api
) -> None:
    place = f"/v1/api-keys/{company.key.id}/rotations"
    soon = (clock() + timedelta(minutes=1)).isoformat()
    refused = await company.client.post(place, {"overlap_seconds": 0, "expires_at": soon}, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin_key"), refused.text
    clock.advance(minutes=2)
    forget(api)
    assert (await company.client.get("/v1/me")).status_code == 200
    assert len(await company.client.items("/v1/api-keys")) == 1
    done = await company.client.post(place, {"overlap_seconds": 0}, etag='"1"')
    assert done.status_code == 201, done.text


async def test_the_last_admin_is_not_lost_by_revoking_beside_a_key_that_ends_soon(
    company: Company, clock: FakeClock, api: Api
) -> None:
    soon = (clock() + timedelta(hours=1)).isoformat()
    brief = client_of(api, (await key_of(company, "admin", expires_at=soon)).json()["secret"])
    first = f"/v1/api-keys/{company.key.id}"
    refused = await brief.delete(first, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin_key"), refused.text
    await key_of(company, "admin", expires_at=(clock() + timedelta(days=90)).isoformat())
    assert (await brief.delete(first, etag='"1"')).status_code == 204


async def test_the_last_admin_is_not_lost_by_a_change_of_roles(company: Company, api: Api) -> None:
    dana = await member(company, "admin")
    hers = client_of(api, (await key_of(company, "admin", member_id=dana["id"])).json()["secret"])
    assert (await hers.delete(f"/v1/api-keys/{company.key.id}", etag='"1"')).status_code == 204
    refused = await hers.patch(f"/v1/members/{dana['id']}", {"roles": ["auditor"]}, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin_key"), refused.text
    forget(api)
    assert (await hers.get("/v1/me")).status_code == 200


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The public parts of the keys that were looked for in the database."""
    seen: list[str] = []
    reading = queries.key_on_file

    async def counted(connection: Any, public_id: str) -> Any:
        seen.append(public_id)
        return await reading(connection, public_id)

    monkeypatch.setattr(queries, "key_on_file", counted)
    return seen


async def test_an_invented_key_never_reaches_the_database(api: Api, company: Company, looks: list[str]) -> None:
    assert (await company.client.get("/v1/me")).status_code == 200
    looks.clear()
    for _ in range(50):
        invented = client_of(api, rules.make_key(b"the secret of nobody at all, 32 b").text)
        assert (await invented.get("/v1/me")).status_code == 401
    assert looks == []


async def test_requests_that_come_together_with_a_new_key_cost_one_look(
    api: Api, company: Company, looks: list[str]
) -> None:
    client = client_of(api, (await key_of(company, "auditor")).json()["secret"])
    looks.clear()
    answers = await asyncio.gather(*[client.get("/v1/me") for _ in range(20)])
    assert ({answer.status_code for answer in answers}, len(looks)) == ({200}, 1)


async def test_a_key_that_is_not_there_costs_one_look(api: Api, looks: list[str]) -> None:
    async with api.service.database.system() as connection:
        lost = rules.make_key(await queries.checksum_secret(connection))
    answers = [await client_of(api, lost.text).get("/v1/me") for _ in range(6)]
    assert ({answer.status_code for answer in answers}, len(looks)) == ({401}, 1)


@pytest.mark.parametrize("announced", ["one key", "all keys"])
async def test_what_was_read_before_an_announcement_is_not_remembered_after_it(
    api: Api, company: Company, monkeypatch: pytest.MonkeyPatch, announced: str
) -> None:
    made = (await key_of(company, "auditor")).json()
    was_read, go_on = asyncio.Event(), asyncio.Event()
    reading = queries.key_on_file

    async def slowly(connection: Any, public_id: str) -> Any:
        key = await reading(connection, public_id)
        if public_id == made["public_id"]:
            was_read.set()
            await go_on.wait()
        return key

    monkeypatch.setattr(queries, "key_on_file", slowly)
    hers = client_of(api, made["secret"])
    first = asyncio.create_task(hers.get("/v1/me"))
    await was_read.wait()
    assert (await company.client.delete(f"/v1/api-keys/{made['id']}", etag='"1"')).status_code == 204
    authenticator: Any = api.service.authenticate
    if announced == "one key":
        authenticator.on_announcement(None, 0, authentication.CHANNEL, made["public_id"])
    else:
        authenticator.forget_all()
    go_on.set()
    await first
    assert (await hers.get("/v1/me")).status_code == 401, "the read before the announcement is not used again"
