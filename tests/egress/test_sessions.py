"""Sessions: one look-up and one handshake for what a domain scan asks, and nothing of it outside."""

import asyncio
import gc
import socket
import struct
from contextlib import nullcontext

import pytest

from tests.egress.make import World, world
from vendorrisk.egress.dns_messages import Outcome
from vendorrisk.egress.pacing import OwnTurns, PolitePacer
from vendorrisk.egress.reasons import EgressError, Reason
from vendorrisk.egress.sessions import session
from vendorrisk.lab.dns import Behaviour
from vendorrisk.lab.http import Received, Reply

pytestmark = pytest.mark.anyio

HOME = "http://www.example.test/"
QUESTION = ("www.example.test", "A")


def hurried() -> PolitePacer:
    return PolitePacer(lambda host: host, OwnTurns(), seconds_between=0, seconds_between_of_address=0)


async def test_a_session_looks_a_host_up_once_and_keeps_its_connection() -> None:
    async with world() as w:
        async with session():
            for path in ("robots.txt", "", "security.txt"):
                await w.fetcher.get(f"{HOME}{path}")
        assert (w.web.connections, len(w.web.requests), w.dns.questions.count(QUESTION)) == (1, 3, 1)
        await _until_closed(w)
        await w.fetcher.get(HOME)
        await w.fetcher.get(HOME)
        assert (w.web.connections, w.dns.questions.count(QUESTION)) == (3, 3), "nothing of it is left outside"


async def _until_closed(w: World) -> None:
    async with asyncio.timeout(5):
        while w.web.open_connections:  # noqa: ASYNC110 - the server's own doing, which tells nobody
            await asyncio.sleep(0.01)


async def test_two_sessions_share_nothing() -> None:
    async def visit(w: World) -> None:
        async with session():
            await w.fetcher.get(HOME)
            await w.fetcher.get(HOME)

    async with world() as w:
        await asyncio.gather(visit(w), visit(w))
        assert (w.web.connections, w.dns.questions.count(QUESTION)) == (2, 2)


async def test_a_name_that_turns_private_within_a_session_leads_nowhere_else() -> None:
    async with world({("re.example.test", "A"): [["127.0.0.1"], ["169.254.169.254"]]}) as w:
        async with session():
            for _ in range(3):
                await w.fetcher.get("http://re.example.test/")
        assert w.dns.questions.count(("re.example.test", "A")) == 1
        async with session():
            with pytest.raises(EgressError) as refused:
                await w.fetcher.get("http://re.example.test/")
        assert refused.value.reason is Reason.ADDRESS
        assert len(w.web.requests) == 3


async def test_a_redirect_within_a_session_is_checked_like_any_other() -> None:
    async with world({("in.example.test", "A"): ["10.0.0.5"]}) as w:
        w.web.on("/away", Reply(302, [("Location", "http://in.example.test/")]))
        async with session():
            await w.fetcher.get(HOME)
            for _ in range(2):
                with pytest.raises(EgressError) as refused:
                    await w.fetcher.get(f"{HOME}away")
                assert refused.value.reason is Reason.ADDRESS


async def test_hosts_of_one_address_have_connections_of_their_own() -> None:
    async with world() as w:
        async with session():
            await w.fetcher.get(HOME)
            await w.fetcher.get("http://other.example.test/")
        assert w.web.connections == 2


async def test_a_connection_the_server_has_closed_is_made_anew() -> None:
    async with world() as w:
        w.web.on("/last", Reply(200, [], b"bye", close=True))
        async with session():
            await w.fetcher.get(f"{HOME}last")
            await _until_closed(w)
            assert (await w.fetcher.get(HOME)).status == 404
        assert (w.web.connections, len(w.web.requests)) == (2, 2)


async def test_a_server_that_hangs_up_on_the_second_request_is_asked_it_once_more_alone() -> None:
    async with world() as w:
        responses = [None, Reply(200, [], b"here"), None, None]

        async def script(_: Received, writer: asyncio.StreamWriter) -> None:
            reply = responses.pop(0)
            writer.write(b"" if reply is None else reply.wire("GET"))
            await writer.drain()

        w.web.on("/moody", script)
        async with session():
            await w.fetcher.get(HOME)
            assert (await w.fetcher.get(f"{HOME}moody")).body == b"here"
            assert [request.path for request in w.web.requests] == ["/", "/moody", "/moody"]
            await w.fetcher.get(HOME)
            with pytest.raises(EgressError) as failed:
                await w.fetcher.get(f"{HOME}moody")
        assert failed.value.reason is Reason.CLOSED
        assert responses == []


async def test_a_message_is_never_sent_twice_on_its_own() -> None:
    async def hang_up(_: Received, _writer: asyncio.StreamWriter) -> None:
        return

    async with world(keep_alive_seconds=5.0) as w:
        w.web.on("/hook", hang_up)
        for block in (session(), nullcontext()):
            async with block:
                await w.fetcher.get(HOME)
                with pytest.raises(EgressError):
                    await w.fetcher.post(f"{HOME}hook", headers={}, body=b"{}")
        assert [request.path for request in w.web.requests] == 2 * ["/", "/hook"]


async def test_a_response_that_was_not_read_to_its_end_costs_the_connection() -> None:
    async with world() as w:
        w.web.on("/away", Reply(301, [("Location", "/")], b"moved"))
        async with session():
            assert (await w.fetcher.get_once(f"{HOME}away")).status == 301
            assert (await w.fetcher.get(HOME)).status == 404
        assert w.web.connections == 2


@pytest.mark.parametrize("failing", [Behaviour.SERVFAIL, Behaviour.REFUSED, Behaviour.DROP])
async def test_what_was_not_answered_is_asked_again(failing: Behaviour) -> None:
    async with world({("odd.example.test", "MX"): failing}) as w, session():
        for _ in range(2):
            assert (await w.guard.resolver.ask("odd.example.test", "MX")).outcome.value not in {"ok", "nodata"}
        first = w.dns.questions.count(("odd.example.test", "MX"))
        await w.guard.resolver.ask("odd.example.test", "MX")
        assert w.dns.questions.count(("odd.example.test", "MX")) > first


async def test_a_name_that_does_not_exist_is_remembered_and_kinds_and_flags_are_told_apart() -> None:
    async with world() as w, session():
        ask = w.guard.resolver.ask
        for _ in range(2):
            assert (await ask("gone.example.test", "A")).outcome is Outcome.NXDOMAIN
            assert (await ask("www.example.test", "A")).outcome is Outcome.OK
            assert (await ask("www.example.test", "AAAA")).outcome is Outcome.NODATA
            await ask("www.example.test", "A", checking_disabled=True)
        assert len(w.dns.questions) == 4


async def test_every_request_of_a_session_waits_its_turn_and_counts() -> None:
    async with world() as w:
        w.guard.pacer = pacer = hurried()
        async with session():
            for _ in range(3):
                await w.fetcher.get(HOME)
        assert w.web.connections == 1
        assert pacer.spent["www.example.test"] == 3


async def test_a_host_that_asked_for_a_back_off_is_left_alone_on_a_kept_connection_too() -> None:
    async with world() as w:
        w.guard.pacer = hurried()
        w.web.on("/busy", Reply(429, [("Retry-After", "600")]))
        async with session():
            await w.fetcher.get(f"{HOME}busy")
            with pytest.raises(EgressError) as refused:
                await w.fetcher.get(HOME)
        assert refused.value.reason is Reason.ASKED_TO_WAIT
        assert len(w.web.requests) == 1


@pytest.mark.parametrize(
    "after",
    [b"\r\nmore than it said", b"x", Reply(200, [], b"nobody asked").wire("GET")],
)
async def test_what_a_server_sends_unasked_is_no_response_to_the_next_request(after: bytes) -> None:
    async with world(keep_alive_seconds=5.0) as w:
        w.web.on("/more", Reply(200, [("Content-Length", "5")], b"first" + after))
        w.web.on("/next", Reply(200, [], b"next"))
        async with session():
            assert (await w.fetcher.get(f"{HOME}more")).body == b"first"
            assert (await w.fetcher.get(f"{HOME}next")).body == b"next"
        assert w.web.connections == 2
        await w.fetcher.get(f"{HOME}more")
        with pytest.raises(EgressError) as failed:
            await w.fetcher.post(f"{HOME}next", headers={}, body=b"{}")
        assert failed.value.reason is Reason.PROTOCOL


async def test_a_response_whose_connection_is_reset_behind_it_is_still_read() -> None:
    async def reset(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.write(Reply(200, [], b"whole").wire("GET"))
        writer.transport.abort()

    async with world() as w:
        w.web.on("/reset", reset)
        for block in (nullcontext(), session()):
            async with block:
                fetched = await w.fetcher.get(f"{HOME}reset")
            assert (fetched.body, fetched.final.address) == (b"whole", "127.0.0.1")


async def test_a_task_that_outlives_its_session_keeps_and_remembers_nothing() -> None:
    async with world() as w:
        over = asyncio.Event()

        async def later() -> None:
            await over.wait()
            await w.fetcher.get(HOME)

        async with session():
            await w.fetcher.get(HOME)
            task = asyncio.create_task(later())
            await asyncio.sleep(0)
        over.set()
        await task
        await _until_closed(w)
        assert (w.web.connections, w.dns.questions.count(QUESTION)) == (2, 2)


async def test_whenever_a_session_is_called_off_no_connection_is_left_open() -> None:
    async def visit(w: World) -> None:
        async with session():
            for path in ("robots.txt", "", "security.txt"):
                await asyncio.gather(w.fetcher.get(f"{HOME}{path}"), w.fetcher.get("http://other.example.test/"))

    async with world() as w:
        gc.collect()
        gc.disable()  # which would close in its own time what nobody has
        try:
            for turns in range(160):
                task = asyncio.create_task(visit(w))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await _until_closed(w)
        finally:
            gc.enable()
        assert w.web.connections > 100


async def test_a_sender_keeps_its_own_connections_from_session_to_session() -> None:
    async with world(keep_alive_seconds=5.0) as w:
        for _ in range(3):
            async with session():
                await w.fetcher.get(HOME)
        assert (w.web.connections, w.web.open_connections, w.dns.questions.count(QUESTION)) == (1, 1, 1)


async def test_a_connection_that_nobody_came_back_for_is_closed() -> None:
    async with world(keep_alive_seconds=0.05) as w:
        await w.fetcher.get(HOME)
        assert w.web.open_connections == 1
        await asyncio.sleep(0.1)
        await w.fetcher.get("http://other.example.test/")
        async with asyncio.timeout(5):
            while w.web.open_connections > 1:  # noqa: ASYNC110 - the server's own doing, which tells nobody
                await asyncio.sleep(0.01)
