"""A parser may do what it likes; the parent gets an answer or a reason, in bounded time."""

import asyncio
import os
import platform
from pathlib import Path

import pytest
import uvloop

from tests.sandbox import parsers
from tests.sandbox.make import children, first_child, server
from vendorrisk.sandbox import running
from vendorrisk.sandbox.running import SMALL, Limits, Reason, Sandbox, SandboxError
from vendorrisk.sandbox.slots import API_ROOM, WORKER_ROOM, Room

pytestmark = pytest.mark.anyio
TIGHT = Limits(cpu_seconds=1, wall_seconds=3, memory_bytes=64 << 20, answer_bytes=1 << 20)
BAD = {
    "spins": (parsers.spin, b"x", Reason.TIMED_OUT),
    "waits": (parsers.wait, b"x", Reason.TIMED_OUT),
    "eats memory": (parsers.eat, b"x", Reason.MEMORY),
    "aborts": (parsers.fault, b"x", Reason.CRASHED),
    "leaves": (parsers.leave, b"x", Reason.CRASHED),
    "raises": (parsers.wrong, b"x", Reason.CRASHED),
    "answers too much": (parsers.swell, b"x" * 100_000, Reason.TOO_LARGE),
    "answers something else": (parsers.lie, b"x", Reason.CRASHED),
}


async def test_an_answer_comes_back_typed_without_chatter_and_the_child_knew_no_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VENDORRISK_SECRET_KEYS", "canary")
    answer = await Sandbox().run(parsers.count, b"x" * 5_000_000)
    assert answer.size == 5_000_000
    assert "VENDORRISK_SECRET_KEYS" not in answer.environment


@pytest.mark.parametrize("case", BAD)
async def test_a_parser_that_does_wrong_is_a_reason_costs_that_input_alone_and_leaves_no_process(case: str) -> None:
    parser, payload, reason = BAD[case]
    sandbox = Sandbox()
    bad = asyncio.create_task(sandbox.run(parser, payload, TIGHT))
    beside = [await sandbox.run(parsers.count, b"x" * size, SMALL) for size in range(5)]
    with pytest.raises(SandboxError) as refused:
        async with asyncio.timeout(30):
            await bad
    assert refused.value.reason is reason
    assert [answer.size for answer in beside] == [0, 1, 2, 3, 4]
    assert children() == []


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="no filter for this machine")
async def test_a_parser_reaches_no_file_socket_or_process(tmp_path: Path) -> None:
    victim = tmp_path / "kept"
    victim.write_text("kept")
    victim.chmod(0o666)
    assert await Sandbox().run(parsers.trespass, os.fsencode(victim)) == []
    assert victim.read_text() == "kept"


async def test_a_cancelled_caller_leaves_no_child() -> None:
    running = asyncio.create_task(Sandbox().run(parsers.wait, b"x"))
    await first_child()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert children() == []


async def test_a_child_sees_no_descriptor_of_the_service_or_of_another_job(tmp_path: Path) -> None:
    sandbox = Sandbox()
    with (tmp_path / "open").open("w") as file:
        os.dup2(file.fileno(), file.fileno(), inheritable=True)
        other = asyncio.create_task(sandbox.run(parsers.wait, b"x"))
        await first_child()
        taken = await sandbox.run(parsers.descriptors, b"", SMALL)
        other.cancel()
    assert len(taken) == 1, "its own conversation"
    with pytest.raises(asyncio.CancelledError):
        await other


async def test_a_fork_server_that_died_is_replaced_and_costs_the_running_input_alone() -> None:
    sandbox = Sandbox()
    running = asyncio.create_task(sandbox.run(parsers.wait, b"x"))
    child = await first_child()
    old = server()
    old.kill()
    with pytest.raises(SandboxError) as refused:
        await running
    assert refused.value.reason is Reason.CRASHED
    assert (await sandbox.run(parsers.count, b"xy")).size == 2
    assert server().pid != old.pid
    assert not child.is_running() or child.status() == "zombie", "the child died with its fork server"


async def test_a_fork_server_that_does_not_answer_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_END_SECONDS", 0.2)
    sandbox = Sandbox()
    assert (await sandbox.run(parsers.count, b"x")).size == 1
    old = server()
    old.suspend()
    with pytest.raises(SandboxError) as refused:
        await sandbox.run(parsers.count, b"xy", Limits(wall_seconds=0.2))
    assert refused.value.reason is Reason.TIMED_OUT
    assert (await sandbox.run(parsers.count, b"xy")).size == 2
    assert not old.is_running()


async def test_a_module_that_cannot_be_imported_fails_that_call_alone() -> None:
    def gone(_: bytes) -> int:
        return 0

    gone.__module__ = "tests.sandbox.nowhere"
    with pytest.raises(SandboxError) as refused:
        await Sandbox().run(gone, b"")
    assert refused.value.reason is Reason.CRASHED
    assert (await Sandbox().run(parsers.count, b"x")).size == 1


def test_the_loop_of_the_worker_can_use_it() -> None:
    assert uvloop.run(Sandbox().run(parsers.count, b"x" * 1_000_000)).size == 1_000_000


async def test_more_than_may_run_at_once_wait_and_are_told_when_it_takes_too_long() -> None:
    sandbox = Sandbox(Room(small=1, large_bytes=64 << 20), queue_seconds=0.3)
    first = asyncio.create_task(sandbox.run(parsers.wait, b"x"))
    await first_child()
    with pytest.raises(SandboxError) as refused:
        await sandbox.run(parsers.count, b"x")
    assert refused.value.reason is Reason.BUSY
    assert (await sandbox.run(parsers.count, b"small", SMALL)).size == 5, "it waits behind no large one"
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await sandbox.run(parsers.count, b"xy")).size == 2


async def test_a_child_never_has_more_memory_than_its_slot_and_all_have_at_most_512_megabytes() -> None:
    assert API_ROOM.most_bytes + WORKER_ROOM.most_bytes <= 512 << 20
    for limits, most in ((SMALL, 32 << 20), (Limits(memory_bytes=1 << 40), WORKER_ROOM.large_bytes)):
        taken = await Sandbox().run(parsers.hold, str(most * 3 // 4).encode(), limits)
        assert taken == most * 3 // 4
        with pytest.raises(SandboxError) as refused:
            await Sandbox().run(parsers.hold, str(most + (1 << 20)).encode(), limits)
        assert refused.value.reason is Reason.MEMORY
