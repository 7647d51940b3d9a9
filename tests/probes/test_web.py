"""Web scans against servers that behave, misbehave and lie; and the header rules, value by value."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.evaluation import csp, web
from vendorrisk.evaluation.model import Evaluation, Verdict
from vendorrisk.evaluation.transparency import evaluate_security_txt
from vendorrisk.lab import pki
from vendorrisk.lab.http import Received, Reply
from vendorrisk.lab.world import GOOD_HEADERS, PAGE, Lab, good_vendor, good_zone, lab
from vendorrisk.probes.observation import Unknown, canonical, replay
from vendorrisk.probes.web import site

pytestmark = pytest.mark.anyio
D, AT = "acme.test", "127.0.0.2"
ZONE = {**good_zone(), ("inside.test", "A"): ["10.1.2.3"], ("other.test", "A"): ["127.0.0.9"]}


async def evaluated(world: Lab, host: str = D, **rest: bool) -> dict[str, Evaluation]:
    observation = await site.scan(host, fetcher=world.fetcher, sandbox=world.sandbox, **rest)
    stored = replay(canonical(observation), site.WebObservation)
    assert web.evaluate(stored) == web.evaluate(observation)
    return {j.rule: j for j in web.evaluate(observation)}


def bad(found: dict[str, Evaluation]) -> dict[str, str]:
    return {r: j.reason for r, j in found.items()
            if j.verdict not in {Verdict.PASS, Verdict.NA} and r != "web.cors"}  # fmt: skip


def headers(**changes: str | None) -> list[tuple[str, str]]:
    """The good headers with changes by name (`_` for `-`); None removes."""
    given = {name.replace("_", "-").lower(): value for name, value in changes.items()}
    kept = [(n, v) for n, v in GOOD_HEADERS if n.lower() not in given]
    return kept + [(n, v) for n, v in given.items() if v is not None]


async def with_page(world: Lab, reply: Reply) -> dict[str, Evaluation]:
    server = await good_vendor(world)
    server.on("/", reply)
    return await evaluated(world)


async def test_a_vendor_that_does_everything_right_passes_and_sees_three_requests() -> None:
    async with lab(ZONE) as world:
        server = await good_vendor(world)
        assert bad(await evaluated(world)) == {}
        assert [r.target for r in server.requests] == ["/", "/.well-known/security.txt"]
        assert not any("cookie" in r.headers or "authorization" in r.headers for r in server.requests)


CASES: dict[str, tuple[dict[str, str | None], dict[str, str]]] = {
    "no_hsts": ({"strict_transport_security": None}, {"web.hsts": "missing"}),
    "short_hsts": ({"strict_transport_security": "max-age=86400"}, {"web.hsts": "short"}),
    "hsts_off": ({"strict_transport_security": "max-age=0"}, {"web.hsts": "switched_off"}),
    "hsts_without_age": ({"strict_transport_security": "includeSubDomains"}, {"web.hsts": "invalid"}),
    "hsts_twice": ({"strict_transport_security": "max-age=1; max-age=2"}, {"web.hsts": "invalid"}),
    "hsts_joined": ({"strict_transport_security": "max-age=31536000; preload, max-age=1"}, {"web.hsts": "invalid"}),
    "hsts_quoted": ({"strict_transport_security": 'max-age="31536000"'}, {}),
    "no_csp": ({"content_security_policy": None}, {"web.csp": "missing", "web.frame": "missing"}),
    "report_only": ({"content_security_policy": None, "content_security_policy_report_only": "default-src 'self'"},
                    {"web.csp": "report_only", "web.frame": "missing"}),
    "inline": ({"content_security_policy": "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'"},
               {"web.csp": "unsafe_inline"}),
    "xfo": ({"content_security_policy": "default-src 'self'", "x_frame_options": "SAMEORIGIN"}, {}),
    "xfo_odd": ({"content_security_policy": "default-src 'self'", "x_frame_options": "ALLOWALL"},
                {"web.frame": "invalid"}),
    "sniff": ({"x_content_type_options": None}, {"web.nosniff": "missing"}),
    "sniff_odd": ({"x_content_type_options": "whatever"}, {"web.nosniff": "invalid"}),
    "referrer_unsafe": ({"referrer_policy": "unsafe-url"}, {"web.referrer": "unsafe_url"}),
    "referrer_loose": ({"referrer_policy": "no-referrer, origin"}, {"web.referrer": "loose"}),
    "referrer_odd": ({"referrer_policy": "never-ever"}, {"web.referrer": "invalid"}),
    "referrer_last_known": ({"referrer_policy": "unsafe-url, no-referrer, never-ever"}, {}),
    "referrer_absent": ({"referrer_policy": None}, {}),
    "bare_session": ({"set_cookie": "PHPSESSID=x; HttpOnly; SameSite=Lax"}, {"web.cookies": "session_without_secure"}),
    "loose_session": ({"set_cookie": "sid=x; Secure"}, {"web.cookies": "session_loose"}),
    "bare_other": ({"set_cookie": "theme=dark"}, {"web.cookies": "without_secure"}),
    "no_cookies": ({"set_cookie": None}, {}),
    "banner": ({"server": "nginx/1.18.0"}, {"web.banner": "version_disclosed"}),
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
async def test_each_header_raises_its_own_flag_and_no_other(case: str) -> None:
    changes, expected = CASES[case]
    async with lab(ZONE) as world:
        assert bad(await with_page(world, Reply(200, headers(**changes), PAGE))) == expected


@pytest.mark.parametrize(("html", "expected"), [
    (b"<script src='https://cdn.other.test/a.js'></script>", {"web.sri": "no_integrity"}),
    (b"<script src='//cdn.other.test/a.js' integrity='sha384-x'></script>", {}),
    (b"<script src='http://acme.test/a.js'></script>", {"web.sri": "script_over_http"}),
    (b"<script src='https://static.acme.test/a.js'></script><script>inline()</script>", {}),
    (b"<script src='http://[broken'></script><script src='data:,x'></script><script src></script>", {}),
])  # fmt: skip
async def test_foreign_scripts_need_https_and_a_hash(html: bytes, expected: dict[str, str]) -> None:
    async with lab(ZONE) as world:
        assert bad(await with_page(world, Reply(200, list(GOOD_HEADERS), html))) == expected


async def test_a_policy_in_the_page_counts_but_not_for_framing() -> None:
    policy = b"default-src 'self'; frame-ancestors 'none'"
    html = b'<head><meta http-equiv="Content-Security-Policy" content="' + policy + b'"></head>'
    async with lab(ZONE) as world:
        found = await with_page(world, Reply(200, headers(content_security_policy=None), html))
    assert bad(found) == {"web.frame": "missing"}


@pytest.mark.parametrize("status", [404, 410, 418, 429, 500, 503])
async def test_an_error_page_says_nothing_of_the_site(status: int) -> None:
    async with lab(ZONE) as world:
        found = await with_page(world, Reply(status, [], b"sorry"))
    content = [j for r, j in found.items() if r not in {"web.redirect", "web.cors"}]
    assert len(content) == 8
    assert {(j.verdict, j.reason) for j in content} == {(Verdict.UNKNOWN, f"http_{status}")}


@pytest.mark.parametrize("status", [200, 204, 401, 403])
async def test_a_page_that_asks_for_a_login_is_the_sites_own(status: int) -> None:
    async with lab(ZONE) as world:
        found = await with_page(world, Reply(status, [], b""))
    assert (found["web.hsts"].reason, found["web.csp"].reason) == ("missing", "missing")


@pytest.mark.parametrize(("extra", "html"), [
    ([("cf-mitigated", "challenge")], b""), ([], b"<html><head><title>Just a moment...</title></head></html>"),
])  # fmt: skip
async def test_a_robot_check_says_nothing_of_the_site(extra: list[tuple[str, str]], html: bytes) -> None:
    async with lab(ZONE) as world:
        found = await with_page(world, Reply(403, extra, html))
    assert {j.reason for r, j in found.items() if r not in {"web.cors", "web.redirect"}} == {"robot_check"}


async def test_a_host_that_leads_away_has_no_content_to_evaluate() -> None:
    async with lab(ZONE) as world:
        other = await world.host("127.0.0.9", tls=pki.server_context(pki.leaf()))
        other.on("/", Reply(200, [], b"hello"))
        found = await with_page(world, Reply(302, [("Location", "https://other.test/"), GOOD_HEADERS[1]]))
    assert {found[r].verdict for r in ("web.csp", "web.frame", "web.cookies")} == {Verdict.NA}
    assert found["web.hsts"].verdict is Verdict.PASS


REDIRECTS = {
    "stays": (Reply(200, [], b"plain"), "fail", "stays_http"),
    "asks_for_a_login": (Reply(401), "fail", "stays_http"),
    "gone": (Reply(404), "unknown", "http_404"),
    "busy": (Reply(429), "unknown", "http_429"),
    "broken": (Reply(502), "unknown", "http_502"),
    "away_first": (Reply(301, [("Location", "https://other.test/")]), "warn", "leaves_host_first"),
    "http_again": (Reply(301, [("Location", "http://acme.test/next")]), "fail", "stays_http"),
    "loop": (Reply(301, [("Location", "http://acme.test/")]), "unknown", "redirect_loop"),
    "to_private": (Reply(301, [("Location", "http://inside.test/")]), "unknown", "address"),
    "to_address": (Reply(301, [("Location", "http://169.254.169.254/latest")]), "unknown", "host_is_ip"),
    "to_file": (Reply(301, [("Location", "file:///etc/passwd")]), "unknown", "scheme"),
    "to_redis": (Reply(301, [("Location", "http://acme.test:6379/")]), "unknown", "port"),
    "to_nonsense": (Reply(301, [("Location", "http://[::1")]), "unknown", "scheme"),
}


@pytest.mark.parametrize("case", list(REDIRECTS))
async def test_where_plain_http_leads_is_evaluated_by_its_first_steps(case: str) -> None:
    reply, verdict, reason = REDIRECTS[case]
    async with lab(ZONE) as world:
        await good_vendor(world)
        plain = await world.host(AT)
        plain.on("/", reply)
        plain.on("/next", Reply(200))
        found = (await evaluated(world))["web.redirect"]
    assert (found.verdict.value, found.reason) == (verdict, reason)


async def test_a_redirect_to_https_that_cannot_be_reached_is_still_a_redirect_to_https() -> None:
    async with lab(ZONE) as world:
        plain = await world.host(AT)
        plain.on("/", Reply(301, [("Location", "https://acme.test/")]))
        found = await evaluated(world)
    assert found["web.redirect"].verdict is Verdict.PASS
    assert found["web.hsts"].verdict is Verdict.UNKNOWN


async def test_a_closed_port_80_is_https_only_and_nothing_answering_is_unknown() -> None:
    async with lab(ZONE) as world:
        assert {j.verdict for j in (await evaluated(world)).values()} == {Verdict.UNKNOWN}
        await world.host(AT, tls=pki.server_context(pki.leaf()))
        assert (await evaluated(world))["web.redirect"].reason == "https_only"


async def drip(request: Received, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"H")
        await writer.drain()
        await asyncio.sleep(0.05)


async def bomb(request: Received, writer: asyncio.StreamWriter) -> None:
    import zlib

    packer = zlib.compressobj(wbits=31)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/html\r\n\r\n")
    for _ in range(40):
        writer.write(packer.compress(b"<script src='https://x.test/a.js'></script>" * 20_000))
    writer.write(packer.flush())
    await writer.drain()


async def many_headers(request: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n")
    await writer.drain()


@pytest.mark.parametrize("script", [drip, many_headers])
async def test_a_hostile_server_is_unknown_and_never_a_verdict(script: object) -> None:
    async with lab(ZONE, seconds=0.7) as world:
        secure = await good_vendor(world)
        plain = await world.host(AT)
        for server in (secure, plain):
            server.on("/", script)  # type: ignore[arg-type]  # a raw script
        assert {j.verdict for j in (await evaluated(world, with_security_txt=False)).values()} == {Verdict.UNKNOWN}


async def test_a_compressed_bomb_is_cut_and_the_headers_still_evaluated() -> None:
    async with lab(ZONE) as world:
        secure = await good_vendor(world)
        secure.on("/", bomb)
        assert (await evaluated(world))["web.csp"].reason == "missing"


async def test_a_foreign_origin_is_sent_only_when_asked_for() -> None:
    def reflect(request: Received) -> Reply:
        origin = request.headers.get("origin", "")
        allow = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true")]
        return Reply(200, [*GOOD_HEADERS, *allow] if origin else list(GOOD_HEADERS), PAGE)

    async with lab(ZONE) as world:
        server = await good_vendor(world)
        server.on("/", reflect)
        assert (await evaluated(world))["web.cors"].verdict is Verdict.UNKNOWN
        assert not any("origin" in r.headers for r in server.requests)
        assert (await evaluated(world, with_cors=True))["web.cors"].reason == "reflected"


async def test_nothing_that_changes_by_itself_or_is_secret_is_kept() -> None:
    async with lab(ZONE) as world:
        server = await good_vendor(world)
        count = iter(range(1000))

        def page(request: Received) -> Reply:
            n = next(count)
            policy = f"script-src 'nonce-canary{n}'"
            cookie = f"session=canary{n}; Secure; HttpOnly; SameSite=Lax"
            body = f"<p>canary{n}</p><form><input value=canary></form>".encode()
            return Reply(200, headers(content_security_policy=policy, set_cookie=cookie), body)

        server.on("/", page)
        observations = [canonical(await site.scan(D, fetcher=world.fetcher, sandbox=world.sandbox)) for _ in range(2)]
    assert observations[0] == observations[1]
    assert b"canary" not in observations[0]


SECURITY = {
    "valid": (b"Contact: mailto:a@acme.test\nExpires: 2027-01-01T00:00:00Z\n", "pass", "valid"),
    "crlf": (b"Contact: https://acme.test/c\r\nExpires: 2027-01-01T00:00:00+02:00\r\n", "pass", "valid"),
    "expired": (b"Contact: mailto:a@acme.test\nExpires: 2026-01-01T00:00:00Z\n", "warn", "expired"),
    "no_expires": (b"Contact: mailto:a@acme.test\n", "warn", "invalid"),
    "two_expires": (b"Contact: tel:+1\n" + 2 * b"Expires: 2027-01-01T00:00:00Z\n", "warn", "invalid"),
    "no_contact": (b"Expires: 2027-01-01T00:00:00Z\n", "warn", "invalid"),
    "bare_contact": (b"Contact: a@acme.test\nExpires: 2027-01-01T00:00:00Z\n", "warn", "invalid"),
    "odd_date": (b"Contact: tel:+1\nExpires: 2027-13-41T00:00:00Z\n", "warn", "invalid"),
    "not_utf8": (b"Contact: \xff\xfe\n", "warn", "invalid"),
    "signed": ((b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nContact: tel:+1\nExpires: 2027-01-01T00:00:00Z\n"
               b"-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n"), "pass", "valid"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(SECURITY))
async def test_security_txt_is_read_as_rfc_9116_has_it(case: str) -> None:
    body, verdict, reason = SECURITY[case]
    async with lab(ZONE) as world:
        server = await good_vendor(world)
        server.on("/.well-known/security.txt", Reply(200, [("Content-Type", "text/plain; charset=utf-8")], body))
        observation = await site.scan(D, fetcher=world.fetcher, sandbox=world.sandbox)
    found = evaluate_security_txt(observation.security_txt, now=pki.NOW)
    assert (found.verdict.value, found.reason) == (verdict, reason)


async def test_security_txt_may_stand_at_its_old_place_and_a_page_of_the_site_is_none() -> None:
    async with lab(ZONE) as world:
        server = await good_vendor(world)
        server.on("/.well-known/security.txt", Reply(200, [("Content-Type", "text/html")], b"<h1>not found</h1>"))
        observation = await site.scan(D, fetcher=world.fetcher, sandbox=world.sandbox)
        assert evaluate_security_txt(observation.security_txt, now=pki.NOW).reason == "absent"
        server.on("/security.txt", Reply(200, [("Content-Type", "text/plain")], SECURITY["valid"][0]))
        observation = await site.scan(D, fetcher=world.fetcher, sandbox=world.sandbox)
        assert evaluate_security_txt(observation.security_txt, now=pki.NOW).reason == "valid"


async def test_security_txt_that_cannot_be_seen_is_unknown() -> None:
    assert evaluate_security_txt(Unknown(reason="timeout"), now=pki.NOW).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("policy", "reading"), [
    ("default-src 'none'", csp.CspSummary(present=True)),
    ("", csp.CspSummary(present=False)), ("nonsense; more nonsense", csp.CspSummary(present=False)),
])  # fmt: skip
def test_a_policy_is_read_for_what_it_lets_in(policy: str, reading: csp.CspSummary) -> None:
    found = csp.read([policy])
    assert (found.present, found.inline_script, found.broad_script) == (
        reading.present, reading.inline_script, reading.broad_script)  # fmt: skip


def test_a_nonce_switches_inline_off_and_strict_dynamic_hosts_as_well() -> None:
    assert not csp.read(["script-src 'unsafe-inline' 'nonce-*'; object-src 'none'"]).inline_script
    assert csp.read(["script-src https: 'nonce-*'; object-src 'none'"]).broad_script
    assert not csp.read(["script-src https: 'strict-dynamic' 'nonce-*'; object-src 'none'"]).broad_script
    assert csp.read(["default-src 'none'; script-src 'strict-dynamic'"]).invalid


def test_the_strictest_of_several_policies_counts() -> None:
    assert csp.read(["script-src *; object-src *", "script-src 'self'; object-src 'none'"]).broad_script is False
    assert csp.read(["script-src 'unsafe-inline', default-src 'self'"]).inline_script is False


@given(st.lists(st.text(max_size=80), max_size=4), st.lists(st.text(max_size=80), max_size=2))
def test_adding_a_policy_never_lets_more_in(header: list[str], more: list[str]) -> None:
    before, after = csp.read(header), csp.read([*header, *more])
    if before.present:
        for danger in ("inline_script", "broad_script", "broad_object", "eval_script", "plain_http", "framing"):
            assert getattr(after, danger) <= getattr(before, danger)


@given(st.text(max_size=200))
def test_no_header_makes_the_readers_fall(text: str) -> None:
    web.parse_hsts(text)
    site.parse_cookie(text)


def test_what_names_a_session_is_known_and_a_forgery_token_is_none() -> None:
    for name in (
        "PHPSESSID",
        "JSESSIONID",
        "connect.sid",
        "sid",
        "__Host-session",
        "auth_token",
        "access_token",
        "jwt",
    ):
        assert web.is_session(site.Cookie(name=name)), name
    for name in ("csrftoken", "XSRF-TOKEN", "theme", "_ga", "side", "author"):
        assert not web.is_session(site.Cookie(name=name)), name
