"""Redirects, bodies, headers, time, environment, ports."""

import asyncio
import gzip
import zlib
from datetime import UTC, datetime

import pytest

from tests.egress.make import loopback, world
from vendorrisk.egress.fetcher import Fetcher, Limits
from vendorrisk.egress.guard import Guard
from vendorrisk.egress.reasons import EgressError, Reason
from vendorrisk.egress.resolver import Resolver
from vendorrisk.lab.dns import dns_fake
from vendorrisk.lab.http import Received, Reply, tcp_fake

pytestmark = pytest.mark.anyio

HOME = "http://www.example.test/"
MEGABYTE = 1024 * 1024
REDIRECTS = {
    "http://169.254.169.254/latest": Reason.HOST_IS_IP,
    "http://2130706433/": Reason.HOST_NOT_FQDN,
    "file:///etc/passwd": Reason.SCHEME,
    "gopher://www.example.test/": Reason.SCHEME,
    "http://www.example.test:6379/": Reason.PORT,
    "http://user:word@www.example.test/": Reason.USERINFO,
    "http://in.example.test/": Reason.ADDRESS,
    "/": Reason.REDIRECT_LOOP,
    "http://[::1]/": Reason.HOST_BAD_CHAR,
    "//0x7f.1/": Reason.HOST_IS_IP,
    "http://metadata.google.internal/": Reason.HOST_SPECIAL_TLD,
    "/hop/1": Reason.TOO_MANY_REDIRECTS,
}


def redirect(to: str) -> Reply:
    return Reply(302, [("Location", to)])


@pytest.mark.parametrize("location", REDIRECTS)
async def test_a_redirect_to_where_we_may_not_go_is_refused_with_its_reason(location: str) -> None:
    async with world({("in.example.test", "A"): ["10.0.0.5"]}) as w:
        w.web.on("/", redirect(location))
        for n in range(1, 7):
            w.web.on(f"/hop/{n}", redirect(f"/hop/{n + 1}"))
        with pytest.raises(EgressError) as refused:
            await w.fetcher.get(HOME)
    assert refused.value.reason is REDIRECTS[location]
    assert len(w.web.requests) == (6 if location == "/hop/1" else 1)


async def test_redirects_within_the_limit_are_followed_and_told() -> None:
    async with world() as w:
        w.web.on("/", redirect("http://other.example.test/next"))
        w.web.on("/next", Reply(200, [("X-Kind", "end")], b"here"))
        fetched = await w.fetcher.get(HOME, headers={"x-ours": "1"})
    assert (fetched.status, fetched.body, fetched.truncated) == (200, b"here", False)
    assert fetched.url == "http://other.example.test/next"
    assert fetched.header("x-kind") == "end"
    assert [(hop.url, hop.status, hop.address) for hop in fetched.redirects] == [(HOME, 302, "127.0.0.1")]
    assert w.web.requests[0].headers["x-ours"] == "1"
    assert "x-ours" not in w.web.requests[1].headers, "a caller's headers stay with the origin"
    assert [request.headers["host"] for request in w.web.requests] == ["www.example.test", "other.example.test"]


async def test_a_redirect_without_a_location_is_a_response() -> None:
    async with world() as w:
        w.web.on("/", Reply(302))
        assert (await w.fetcher.get(HOME)).status == 302


async def test_no_cookie_is_kept_and_no_encoding_asked_for() -> None:
    async with world() as w:
        w.web.on("/", Reply(200, [("Set-Cookie", "a=b; Path=/")]))
        await w.fetcher.get(HOME)
        await w.fetcher.get(HOME)
    for request in w.web.requests:
        assert not {"cookie", "authorization", "referer"} & set(request.headers)
        assert request.headers["accept-encoding"] == "identity"
        assert request.headers["user-agent"] == "scans/1 (+https://example.org/bot)"
    assert w.web.connections == 2, "keep-alive is off, so that each request is vetted anew"


async def test_a_post_carries_headers_and_body_and_follows_nothing() -> None:
    async with world() as w:
        w.web.on("/hook", redirect("http://other.example.test/elsewhere"))
        response = await w.fetcher.post(
            "http://www.example.test/hook", headers={"webhook-id": "k", "authorization": "Bearer t"}, body=b"{}"
        )
    (request,) = w.web.requests
    assert (response.status, response.redirects) == (302, ())
    assert (request.method, request.body, request.headers["webhook-id"]) == ("POST", b"{}", "k")


async def test_a_head_reads_no_body() -> None:
    async with world() as w:
        w.web.on("/", Reply(200, [], b"x" * 500))
        fetched = await w.fetcher.head(HOME)
    assert (fetched.header("content-length"), fetched.body) == ("500", b"")


def bomb() -> bytes:
    return gzip.compress(bytes(50 * MEGABYTE))


@pytest.mark.parametrize(
    ("encoding", "body", "length"),
    [
        ("gzip", bomb(), 2 * MEGABYTE),
        ("deflate", zlib.compress(bytes(50 * MEGABYTE)), 2 * MEGABYTE),
        ("identity", b"x" * (3 * MEGABYTE), MEGABYTE),
    ],
)
async def test_a_bomb_is_cut_at_the_limit(encoding: str, body: bytes, length: int) -> None:
    async with world() as w:
        w.web.on("/", Reply(200, [("Content-Encoding", encoding)], body))
        fetched = await w.fetcher.get(HOME)
    assert (len(fetched.body), fetched.truncated) == (length, True)


def raw_deflate(text: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return squeeze.compress(text) + squeeze.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("GZIP", gzip.compress(b"text", mtime=0)),
        ("deflate", zlib.compress(b"text")),
        ("deflate", raw_deflate(b"text")),
        ("identity", b"text"),
    ],
)
async def test_what_servers_compress_unasked_is_read(encoding: str, body: bytes) -> None:
    async with world() as w:
        w.web.on("/", Reply(200, [("Content-Encoding", encoding)], body))
        fetched = await w.fetcher.get(HOME)
    assert (fetched.body, fetched.truncated) == (b"text", False)


async def test_a_body_of_exactly_the_limit_is_whole() -> None:
    async with world() as w:
        w.web.on("/", Reply(200, [], b"x" * MEGABYTE))
        w.web.on("/gzip", Reply(200, [("Content-Encoding", "gzip")], gzip.compress(bytes(2 * MEGABYTE))))
        assert not (await w.fetcher.get(HOME)).truncated
        assert not (await w.fetcher.get(HOME + "gzip")).truncated


async def test_a_compressed_body_that_ends_early_is_marked() -> None:
    async with world() as w:
        w.web.on("/", Reply(200, [("Content-Encoding", "gzip")], gzip.compress(b"some text" * 99)[:-9]))
        assert (await w.fetcher.get(HOME)).truncated


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(200, [("Content-Encoding", "br")], b"\x0b\x02\x80"), Reason.ENCODING),
        (Reply(200, [("Content-Encoding", "gzip, gzip")], b""), Reason.ENCODING),
        (Reply(200, [("Content-Encoding", "gzip")], b"not gzip at all"), Reason.BODY_CORRUPT),
        (Reply(200, [(f"X-{n}", "v") for n in range(500)]), Reason.TOO_MANY_HEADERS),
        (Reply(200, [("X-Big", "v" * 300_000)]), Reason.HEADERS_TOO_LARGE),
    ],
)
async def test_a_response_beyond_the_bounds_is_refused(reply: Reply, reason: Reason) -> None:
    async with world() as w:
        w.web.on("/", reply)
        with pytest.raises(EgressError) as refused:
            await w.fetcher.get(HOME)
    assert refused.value.reason is reason


async def drip(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def early_hints_for_ever(_: Received, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.001)


async def silent(_: Received, __: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize("script", [drip, early_hints_for_ever, silent])
async def test_a_server_that_never_ends_is_left_when_the_time_is_up(script: object) -> None:
    async with world(limits=Limits(total_seconds=0.4)) as w:
        w.web.on("/", script)  # type: ignore[arg-type] # one of the three above
        with pytest.raises(EgressError) as refused:
            await w.fetcher.get(HOME)
    assert refused.value.reason is Reason.TIMEOUT


async def hangs_up(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def speaks_smtp(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.test ESMTP\r\n\r\n")
    await writer.drain()


@pytest.mark.parametrize(("script", "reasons"), [(hangs_up, {Reason.CLOSED}), (speaks_smtp, {Reason.PROTOCOL})])
async def test_a_server_that_is_none_is_told_apart(script: object, reasons: set[Reason]) -> None:
    async with world() as w:
        w.web.on("/", script)  # type: ignore[arg-type] # one of the two above
        with pytest.raises(EgressError) as refused:
            await w.fetcher.get(HOME)
    assert refused.value.reason in reasons


async def test_a_closed_port_is_a_refused_connection() -> None:
    async with world({("shut.example.test", "A"): ["127.0.0.77"]}) as w:
        with pytest.raises(EgressError) as refused:
            await w.fetcher.get("http://shut.example.test/")
    assert refused.value.reason is Reason.CONNECT_REFUSED
    assert w.web.requests == []


async def test_a_plain_server_on_the_tls_port_is_a_failed_handshake() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()

    async with tcp_fake(plain) as port, dns_fake({("www.example.test", "A"): ["127.0.0.1"]}) as names:
        fetcher = Fetcher(Guard(Resolver([names.address]), loopback=loopback(port)), user_agent="scans/1")
        with pytest.raises(EgressError) as refused:
            await fetcher.get("https://www.example.test/")
        await fetcher.aclose()
    assert refused.value.reason is Reason.TLS_FAILED


async def test_the_environments_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with world() as w:
        assert (await w.fetcher.get(HOME)).status == 404


URLS = {
    "http://www.example.test:22/": Reason.PORT,
    "http://www.example.test:99999999999/": Reason.PORT,
    "http://www.example.test:x/": Reason.PORT,
    "ftp://www.example.test/": Reason.SCHEME,
    "javascript:alert(1)": Reason.SCHEME,
    "www.example.test": Reason.SCHEME,
    "http://": Reason.HOST_NOT_FQDN,
    "http://127.0.0.1/": Reason.HOST_IS_IP,
    "http://[::ffff:127.0.0.1]/": Reason.HOST_BAD_CHAR,
    "http://www.example.test@127.0.0.1/": Reason.USERINFO,
    "http://127.0.0.1\\@www.example.test/": Reason.URL_INVALID,
    "http://www.example.test/\r\nX: y": Reason.URL_INVALID,
    "http://www.example.test/ HTTP/1.1": Reason.URL_INVALID,
    "http://[x": Reason.URL_INVALID,
    "http://www.example.test/" + "a" * 5000: Reason.URL_INVALID,
}


@pytest.mark.parametrize("url", URLS)
async def test_a_url_that_may_not_be_fetched_is_refused_before_any_look_up(url: str) -> None:
    async with world() as w:
        with pytest.raises(EgressError) as refused:
            await w.fetcher.get(url)
    assert refused.value.reason is URLS[url]
    assert w.dns.questions == []


async def test_a_connection_may_be_kept_by_a_sender_of_many() -> None:
    async with world(keep_alive_seconds=5.0) as w:
        w.web.on("/hook", Reply(200, [], b"ok"))
        for _ in range(5):
            await w.fetcher.post("http://www.example.test/hook", headers={}, body=b"{}")
    assert (len(w.web.requests), w.web.connections) == (5, 1)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("Mon, 05 Jan 2026 12:01:30 GMT", 90),
        ("Mon, 05 Jan 2026 11:00:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("9" * 40, None),
        ("", None),
    ],
)
async def test_retry_after_is_seconds_or_a_date(value: str, seconds: int | None) -> None:
    async with world() as w:
        w.web.on("/", Reply(429, [("Retry-After", value)]))
        fetched = await w.fetcher.get(HOME)
    assert fetched.retry_after_seconds(datetime(2026, 1, 5, 12, 0, tzinfo=UTC)) == seconds
