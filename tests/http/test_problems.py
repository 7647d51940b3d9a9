"""What every response has, whatever went wrong: problem documents, methods, headers of safety, forged addresses."""

import re
import time
from typing import Any

import msgspec
import pytest

from tests.client import Client
from tests.conftest import Company, FakeClock, client_of, found_company
from tests.fakes.log import Lines, kept
from tests.http.make import DANA, send_raw
from vendorrisk.app import Api, create_app
from vendorrisk.identity import queries, rules
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio

WRONG_KEYS = [
    "Bearer",
    "Bearer ",
    "Bearer x",
    "Basic dXNlcjpwYXNz",
    "Bearer vr_key_AAAAAAAAAAAAAAAA_" + "B" * 49,
    "Bearer " + "x" * 10_000,
    "Bearer vr_key_\u00e9",
    "vr_key_x",
    "",
]


async def test_a_refusal_is_a_problem_document_with_a_stable_type_and_the_request_id(client: Client) -> None:
    refused = await client.get("/v1/members/018f0000-0000-7000-8000-000000000000")
    assert refused.status_code == 404
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json() == {
        "type": "urn:vendorrisk:problem:not_found",
        "title": "There is no such thing here",
        "status": 404,
        "detail": "Check the id.",
        "code": "not_found",
        "request_id": refused.headers["x-request-id"],
    }


@pytest.mark.parametrize(
    "path",
    [
        "/metrics",
        "/v1",
        "/v2/members",
        "/v1/nothing",
        "/v1/members/x",
        "/v1/me%00",
        "/v1/%ff",
        "//v1/me",
        "/_framework",
        "/schema",
    ],
)
async def test_an_unknown_path_is_a_problem_too(client: Client, path: str) -> None:
    refused = await client.get(path)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert refused.headers["content-type"] == "application/problem+json"


async def test_no_page_of_the_framework_is_served(api: Api, client: Client) -> None:
    paths = {route.path for route in api.litestar.routes}
    for path in sorted(paths - {"/", "/docs", "/openapi.json", "/confirm/{token:str}"}):
        response = await client.get(re.sub(r"\{[^}]*\}", "x", path))
        assert "cdn" not in response.text, path
        assert not response.headers.get("content-type", "").startswith("text/html"), path


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "CONNECT", "PATCH", "BREW", "get"])
async def test_a_method_that_is_not_taken_is_told_which_are(client: Client, method: str) -> None:
    refused = await client.http.request(method, "/v1/members")
    if method == "get":  # httpx sends it in capitals
        assert refused.status_code == 200
        return
    assert (refused.status_code, refused.json()["code"]) == (405, "method_not_allowed")
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


async def test_options_name_every_method_of_an_address(client: Client) -> None:
    asked = await client.http.options("/v1/members")
    assert (asked.status_code, asked.content) == (204, b"")
    assert set(asked.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    one = await client.http.options("/v1/members/018f0000-0000-7000-8000-000000000000")
    assert set(one.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PATCH"}


async def test_head_is_get_without_the_body(client: Client) -> None:
    place = (await client.post("/v1/members", DANA)).headers["location"]
    read, headed = await client.get(place), await client.http.head(place)
    assert (headed.status_code, headed.content) == (200, b"")
    varying = {"x-request-id", "ratelimit", "date"}
    assert {k: v for k, v in headed.headers.items() if k not in varying} == {
        k: v for k, v in read.headers.items() if k not in varying
    }
    assert (await client.http.head("/v1/nothing")).status_code == 404


@pytest.mark.parametrize("authorization", WRONG_KEYS)
async def test_every_wrong_credential_gets_one_response(api: Api, authorization: str) -> None:
    response = await send_raw(api, "GET", "/v1/me", [("authorization", authorization)])
    assert (response.status, response.json()["code"]) == (401, "credentials_invalid")
    assert response.json()["detail"] == "The key is wrong, revoked or expired. Ask an admin for a new one."
    assert response.headers["www-authenticate"].startswith("Bearer")


async def test_credentials_come_before_everything_else(api: Api, client: Client) -> None:
    nobody = client_of(api, None)
    place = (await client.post("/v1/members", DANA)).headers["location"]
    for path in ("/v1/members", place, place + "?nope=1", "/v1/members/018f0000-0000-7000-8000-000000000000"):
        assert (await nobody.get(path)).status_code == 401
    assert (await nobody.post("/v1/members", b"{")).status_code == 401
    assert (await nobody.patch(place, {"name": "X"}, etag='"1"')).json()["code"] == "credentials_missing"
    assert (await client.get(place)).json()["name"] == "Dana Reyes"


async def test_a_request_id_follows_the_caller_trace_and_no_forged_one(client: Client) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    told = await client.get("/v1/me", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    assert told.headers["x-request-id"] == trace
    forged = ["00-" + "x" * 32 + "-00f067aa0ba902b7-01", "evil\tvalue", "00-" + "0" * 5000]
    forged += [
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{trace}-{'0' * 16}-01",
        f"00-{trace.upper()}-00f067aa0ba902b7-01",
    ]
    for value in forged:
        response = await client.get("/v1/me", headers={"traceparent": value})
        assert re.fullmatch(r"[0-9a-f]{32}", response.headers["x-request-id"])
        assert response.headers["x-request-id"] not in {trace, "0" * 32}


@pytest.mark.parametrize("path", ["/v1/me", "/v1/nothing", "/health/live", "/openapi.json", "/docs", "/"])
async def test_every_response_has_the_headers_of_safety(client: Client, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["strict-transport-security"].startswith("max-age=")
    assert headers["cache-control"] in {"no-store", "no-cache"}
    assert "server" not in headers
    assert "access-control-allow-origin" not in headers


async def test_a_forged_host_appears_in_no_response(api: Api, company: Company) -> None:
    headers = [
        ("authorization", f"Bearer {company.key.secret}"),
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "gopher"),
        ("forwarded", "host=evil.example;proto=https"),
        ("content-type", "application/json"),
    ]
    body = b'{"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}'
    made = await send_raw(api, "POST", "/v1/members", headers, [{"type": "http.request", "body": body}])
    assert made.status == 201
    assert made.headers["location"].startswith("/v1/members/")
    listed = await send_raw(api, "GET", "/v1/members?limit=1", headers)
    for response in (made, listed, await send_raw(api, "GET", "/v1/nothing", headers)):
        assert "evil" not in repr((response.headers, response.body))


async def test_a_forwarded_address_is_believed_only_from_a_named_proxy(settings: Settings, clock: FakeClock) -> None:
    import msgspec

    strict = msgspec.structs.replace(
        settings, rate_limit_unauthenticated_per_minute=2, trusted_proxies="198.51.100.0/24"
    )
    made = create_app(strict, clock=clock)

    async def knock(peer: str, forwarded: str) -> int:
        response = await send_raw(made, "GET", "/v1/me", [("x-forwarded-for", forwarded)], peer=(peer, 4000))
        return response.status

    async with made.running():
        forged = [await knock("192.0.2.7", f"203.0.113.{n}") for n in range(4)]
        assert forged == [401, 401, 429, 429]
        through = [await knock("198.51.100.9", f"203.0.113.{n}") for n in range(4)]
        assert through == [401, 401, 401, 401]
        spoofed = [await knock("198.51.100.9", f"10.0.0.{n}, 203.0.113.77") for n in range(4)]
        assert spoofed == [401, 401, 429, 429]
        assert await knock("198.51.100.9", "not an address") in {401, 429}


async def test_headers_that_are_no_text_are_taken_in_stride(api: Api, company: Company) -> None:
    key = ("authorization", f"Bearer {company.key.secret}")
    for name in ("prefer", "if-match", "idempotency-key", "accept", "content-type", "cookie", "range", "traceparent"):
        for value in ("\xff\xfe", "\x00", "", "x" * 10_000, '"', "a\tb"):
            response = await send_raw(api, "GET", "/v1/me", [key, (name, value)])
            assert response.status == 200, (name, value)


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
async def test_health_is_told_whatever_was_asked_before(client: Client, path: str) -> None:
    for _ in range(6):
        await client.get("/v1/members")
        healthy = await client.get(path)
        assert (healthy.status_code, healthy.json()["status"]) == (200, "ok"), healthy.text


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/valkey.sock?db=0"])
async def test_readiness_says_that_redis_is_away_and_everything_is_served_at_once(
    settings: Settings, clock: FakeClock, url: str
) -> None:
    api = create_app(msgspec.structs.replace(settings, redis_url=url), clock=clock)
    async with api.running():
        company = await found_company(api, clock, "Acme")
        begun = time.monotonic()
        ready = await company.client.get("/health/ready")
        made = await company.client.post("/v1/vendors", {"name": "Nimbus"})
        tested = await company.client.post("/v1/receivers", {"name": "Console", "target": {"kind": "console"}})
        sent = await company.client.post(f"/v1/receivers/{tested.json()['id']}/tests")
        assert time.monotonic() - begun < 0.9, "nobody waits for what is away"
    assert (ready.status_code, ready.json()["status"], ready.json()["checks"]["database"]) == (200, "ok", "ok")
    assert ready.json()["checks"]["redis"].startswith("cannot be reached"), ready.text
    assert (made.status_code, sent.status_code) == (201, 202)


# --- what the log keeps of those who may not -----------------------------------------------------------------------


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """The log, as it comes."""
    return kept(monkeypatch)


def told(lines: Lines) -> Any:
    """Return the last request's line, and see that it was one line."""
    requests = [line for line in lines if line["event"] == "request"]
    lines.clear()
    assert len(requests) == 1
    return requests[0]


async def test_a_failed_credential_is_logged_with_where_it_came_from_and_why_and_never_with_its_secret(
    api: Api, company: Company, client: Client, clock: FakeClock, lines: Lines
) -> None:
    made = (await client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"]})).json()
    public_id, good = made["public_id"], made["secret"]
    async with api.service.database.system() as connection:
        secret = await queries.checksum_secret(connection)
    other = rules.make_key(secret)
    ended = {"overlap_seconds": 0}
    assert (await client.post(f"/v1/api-keys/{made['id']}/rotations", ended, etag='"1"')).status_code == 201
    api.service.authenticate.forget_all()  # type: ignore[attr-defined]  # the port does not forget, the real one does
    clock.advance(seconds=1)
    forged = f"vr_key_{public_id}_{other.text.split('_')[3][:-6]}"
    forged += rules._checksum(forged, secret)
    wrong = [
        (f"Bearer {good}", "ended", public_id),
        (f"Bearer {other.text}", "unknown", other.public_id),
        (f"Bearer {forged}", "wrong_secret", public_id),
        ("Bearer hunter2", "no_key", None),
    ]
    for authorization, why, key in wrong:
        lines.clear()
        response = await send_raw(api, "GET", "/v1/me", [("authorization", authorization)])
        line = told(lines)
        assert response.status == 401
        assert (line["status"], line["code"], line["why"], line.get("key")) == (401, "credentials_invalid", why, key)
        assert (line["address"], line["level"]) == ("192.0.2.7", "warning")
        assert "actor" not in line
        for secret in ("hunter2", good.rpartition("_")[2], other.text.rpartition("_")[2]):
            assert secret not in repr(line)
    await send_raw(api, "GET", "/v1/me", [])
    assert told(lines)["code"] == "credentials_missing"


async def test_what_a_caller_may_not_or_cannot_do_is_logged_with_caller_and_code(
    company: Company, client: Client, role_client: Any, lines: Lines
) -> None:
    auditor = await role_client("auditor")
    lines.clear()
    assert (await auditor.post("/v1/members", DANA)).status_code == 403
    denied = told(lines)
    assert (denied["code"], denied["tenant"], denied["level"]) == (
        "permission_denied",
        str(company.tenant.id),
        "warning",
    )
    assert denied["actor"] != str(company.key.id)
    assert (await client.get("/v1/members/018f0000-0000-7000-8000-000000000000")).status_code == 404
    absent = told(lines)
    assert (absent["code"], absent["actor"], absent["level"]) == ("not_found", str(company.key.id), "info")
    assert (await client.get("/v1/me")).status_code == 200
    assert "code" not in told(lines)
