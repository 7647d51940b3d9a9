"""The promises of a write: the version it is meant for, one effect for one Idempotency-Key, and no body on request."""

import asyncio
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock, client_of
from tests.http.make import DANA, chunk, send_raw
from vendorrisk.app import Api, create_app
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("tag", "status", "code"),
    [
        (None, 428, "if_match_required"),
        ("", 428, "if_match_required"),
        ("  ", 428, "if_match_required"),
        ('W/"1"', 412, "version_stale"),
        ('"0"', 412, "version_stale"),
        ('"2"', 412, "version_stale"),
        ('"999999999"', 412, "version_stale"),
        ("*", 400, "if_match_invalid"),
        ('"1", "2"', 400, "if_match_invalid"),
        ('"1","1"', 400, "if_match_invalid"),
        ("1", 400, "if_match_invalid"),
        ('"1', 400, "if_match_invalid"),
        ('"-1"', 400, "if_match_invalid"),
        ('"1e0"', 400, "if_match_invalid"),
        ('"9999999999999999999999"', 400, "if_match_invalid"),
        ('"\u00b9"', 400, "if_match_invalid"),
    ],
)
async def test_a_change_needs_exactly_the_strong_tag_it_was_given(
    client: Client, tag: str | None, status: int, code: str
) -> None:
    place = (await client.post("/v1/members", DANA)).headers["location"]
    headers = {} if tag is None else {b"if-match": tag.encode("latin-1")}
    body = b'{"name": "X"}'
    typed: dict[Any, Any] = {b"content-type": b"application/json", **headers}
    refused = await client.http.patch(place, content=body, headers=typed)
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert (await client.get(place)).json()["name"] == "Dana Reyes"


@pytest.mark.parametrize(
    ("name", "values", "status", "code"),
    [
        ("if-match", ('"2"', '"1"'), 400, "if_match_invalid"),
        ("if-match", ('"1"', '"1"'), 400, "if_match_invalid"),
        ("content-type", ("text/plain", "application/json"), 415, "media_type_unsupported"),
        ("authorization", ("Bearer x", "{key}"), 401, "credentials_invalid"),
        ("authorization", ("{key}", "Bearer x"), 401, "credentials_invalid"),
    ],
)
async def test_of_a_header_sent_twice_none_silently_wins(
    api: Api, company: Company, name: str, values: tuple[str, str], status: int, code: str
) -> None:
    place = (await company.client.post("/v1/members", DANA)).headers["location"]
    key = f"Bearer {company.key.secret}"
    good = {"authorization": key, "content-type": "application/json", "if-match": '"1"'}
    headers = [(k, v) for k, v in good.items() if k != name] + [(name, v.format(key=key)) for v in values]
    refused = await send_raw(api, "PATCH", place, headers, [chunk(b'{"name": "X"}')])
    assert (refused.status, refused.json()["code"]) == (status, code), refused.body
    assert (await company.client.get(place)).json()["name"] == "Dana Reyes"


async def test_two_idempotency_keys_are_none(api: Api, company: Company) -> None:
    headers = [("authorization", f"Bearer {company.key.secret}"), ("content-type", "application/json")]
    headers += [("idempotency-key", "a"), ("idempotency-key", "b")]
    body = b'{"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}'
    refused = await send_raw(api, "POST", "/v1/members", headers, [chunk(body)])
    assert (refused.status, refused.json()["code"]) == (400, "idempotency_key_invalid")
    assert await company.client.items("/v1/members") == []


async def test_of_writers_at_once_exactly_one_wins(client: Client) -> None:
    place = (await client.post("/v1/members", DANA)).headers["location"]
    names = [f"writer {n}" for n in range(12)]
    responses = await asyncio.gather(*(client.patch(place, {"name": n}, etag='"1"') for n in names))
    assert sorted(a.status_code for a in responses) == [200] + [412] * 11
    winner = next(a.json() for a in responses if a.status_code == 200)
    now = (await client.get(place)).json()
    assert (now, now["version"]) == (winner, 2)


async def test_a_failure_at_commit_is_a_refusal_and_no_row(client: Client, owner: Any) -> None:
    await owner.execute(
        """
        create function fail_late() returns trigger language plpgsql
        as $$ begin raise exception 'too late' using errcode = 'serialization_failure'; end $$;
        create constraint trigger fails_late after insert on members deferrable initially deferred
        for each row execute function fail_late();
        """
    )
    for key in ({}, {"idempotency-key": "k"}):
        refused = await client.post("/v1/members", DANA, headers=key)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded"), refused.text
    assert await client.items("/v1/members") == []
    await owner.execute("drop trigger fails_late on members")
    assert (await client.post("/v1/members", DANA, headers={"idempotency-key": "k"})).status_code == 201


# --- Idempotency-Key -------------------------------------------------------------------------------------------------


async def test_a_storm_of_one_request_is_one_effect_with_equal_responses(client: Client) -> None:
    key = {"idempotency-key": "storm"}
    responses = await asyncio.gather(*(client.post("/v1/members", DANA, headers=key) for _ in range(50)))
    assert {(a.status_code, a.content, a.headers["etag"], a.headers["location"]) for a in responses} == {
        (201, responses[0].content, '"1"', responses[0].headers["location"])
    }
    assert sorted(a.headers.get("idempotency-replayed", "false") for a in responses) == ["false"] + ["true"] * 49
    assert len(await client.items("/v1/members")) == 1
    assert [e["action"] for e in await client.items("/v1/audit-entries")].count("member:added") == 1


async def test_a_storm_on_two_processes_is_one_effect_too(
    api: Api, company: Company, settings: Settings, clock: FakeClock
) -> None:
    second = create_app(settings, clock=clock)
    async with second.running():
        there = client_of(second, company.key.secret)
        key = {"idempotency-key": "storm"}
        asked = [c.post("/v1/members", DANA, headers=key) for _ in range(25) for c in (company.client, there)]
        responses = await asyncio.gather(*asked)
    assert {(a.status_code, a.content) for a in responses} == {(201, responses[0].content)}
    assert len(await company.client.items("/v1/members")) == 1


async def test_a_response_survives_a_restart_and_ends_after_a_day(
    company: Company, settings: Settings, clock: FakeClock, owner: Any
) -> None:
    key = {"idempotency-key": '"quoted-once"'}
    first = await company.client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"]}, headers=key)
    restarted = create_app(settings, clock=clock)
    async with restarted.running():
        there = client_of(restarted, company.key.secret)
        again = await there.post(
            "/v1/api-keys", {"name": "ci", "roles": ["auditor"]}, headers={"idempotency-key": "quoted-once"}
        )
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.json()["secret"] == first.json()["secret"]
    assert await owner.fetchval("select count(*) from idempotency_keys") == 1


async def test_a_stored_response_is_sealed_at_rest(client: Client, owner: Any) -> None:
    key = {"idempotency-key": "k"}
    made = await client.post("/v1/api-keys", {"name": "canary-name", "roles": ["auditor"]}, headers=key)
    row = await owner.fetchrow("select * from idempotency_keys")
    secret = made.json()["secret"].rpartition("_")[2]
    for kept in row.values():
        text = kept if isinstance(kept, bytes) else str(kept).encode()
        assert secret.encode() not in text
        assert b"canary-name" not in text


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "x" * 10_240, "a b", "a\tb", "\u00e9", "a\x7fb"])
async def test_an_idempotency_key_that_cannot_be_kept_is_refused(client: Client, key: str) -> None:
    headers: dict[Any, Any] = {b"idempotency-key": key.encode("latin-1"), b"content-type": b"application/json"}
    body = b'{"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}'
    refused = await client.http.post("/v1/members", content=body, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_invalid"), refused.text
    assert await client.items("/v1/members") == []


async def test_a_key_belongs_to_one_body_path_and_actor(
    client: Client, other_company: Company, role_client: Any
) -> None:
    key = {"idempotency-key": "shared"}
    second = await role_client("admin")
    assert (await client.post("/v1/members", DANA, headers=key)).status_code == 201
    for path, body in (
        ("/v1/members", {**DANA, "name": "Eve"}),
        ("/v1/members?fields=", DANA),
        ("/v1/api-keys", {"name": "ci", "roles": ["auditor"]}),
    ):
        refused = await client.post(path, body, headers=key)
        if refused.status_code != 400:  # an unknown parameter is refused before the key is looked at
            assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused"), refused.text
    elsewhere = await other_company.client.post("/v1/members", DANA, headers=key)
    assert elsewhere.status_code == 201
    assert "idempotency-replayed" not in elsewhere.headers
    mine = await second.post("/v1/members", {**DANA, "email": "eve@example.com"}, headers=key)
    assert mine.status_code == 201
    assert len(await client.items("/v1/members")) == 2


async def test_a_refused_request_leaves_its_key_free(client: Client) -> None:
    key = {"idempotency-key": "retry"}
    await client.post("/v1/members", DANA)
    for body in (DANA, {**DANA, "roles": []}, b"{"):
        assert (await client.post("/v1/members", body, headers=key)).status_code >= 400
    fixed = await client.post("/v1/members", {**DANA, "email": "eve@example.com"}, headers=key)
    assert fixed.status_code == 201
    assert "idempotency-replayed" not in fixed.headers


async def test_a_write_without_a_key_is_done_each_time(client: Client) -> None:
    body = {"name": "twin", "roles": ["auditor"]}
    first, second = [await client.post("/v1/api-keys", body) for _ in range(2)]
    assert first.json()["id"] != second.json()["id"]


# --- Prefer ----------------------------------------------------------------------------------------------------------


async def test_no_body_is_sent_to_who_prefers_none(client: Client) -> None:
    minimal = {"prefer": "respond-async, return=minimal; foo=bar"}
    made = await client.post("/v1/members", DANA, headers=minimal)
    assert (made.status_code, made.content, made.headers["etag"]) == (201, b"", '"1"')
    assert made.headers["preference-applied"] == "return=minimal"
    changed = await client.patch(made.headers["location"], {"name": "D."}, etag='"1"', headers=minimal)
    assert (changed.status_code, changed.content, changed.headers["etag"]) == (204, b"", '"2"')
    full = await client.patch(made.headers["location"], {"name": "E."}, etag='"2"', headers={"prefer": "return=large"})
    assert (full.status_code, full.json()["name"]) == (200, "E.")
    refused = await client.patch(made.headers["location"], {"name": ""}, etag='"3"', headers=minimal)
    assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid")


async def test_a_preference_does_not_change_what_a_repetition_is(client: Client) -> None:
    key = {"idempotency-key": "k"}
    bare = await client.post("/v1/members", DANA, headers={**key, "prefer": "return=minimal"})
    full = await client.post("/v1/members", DANA, headers=key)
    assert (bare.status_code, bare.content) == (201, b"")
    assert (full.status_code, full.headers["idempotency-replayed"]) == (201, "true")
    assert full.json()["name"] == "Dana Reyes"
