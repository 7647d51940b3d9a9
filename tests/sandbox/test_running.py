"""A parser may do what it likes; the parent gets an answer or a reason, in bounded time."""

import asyncio
import os
import platform
import time
from pathlib import Path

import psutil
import pytest

from tests.sandbox import parsers
from vendorrisk.sandbox.running import Limits, Reason, Sandbox, SandboxError

pytestmark = pytest.mark.anyio
TIGHT = Limits(cpu_seconds=1, wall_seconds=3, memory_bytes=400 << 20, answer_bytes=1 << 20)
BAD = {
    "spins": (parsers.spin, b"x", Reason.TIMED_OUT),
    "sleeps": (parsers.sleep, b"x" * 60, Reason.TIMED_OUT),
    "eats memory": (parsers.eat, b"x", Reason.MEMORY),
    "aborts": (parsers.fault, b"x", Reason.CRASHED),
    "leaves": (parsers.leave, b"x", Reason.CRASHED),
    "raises": (parsers.wrong, b"x", Reason.CRASHED),
    "answers too much": (parsers.swell, b"x" * 100_000, Reason.TOO_LARGE),
    "answers something else": (parsers.lie, b"x", Reason.CRASHED),
}


def _children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "child.py" in " ".join(child.cmdline())]


async def test_an_answer_comes_back_typed_without_chatter_and_the_child_knew_no_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VENDORRISK_SECRET_KEYS", "canary")
    answer = await Sandbox().run(parsers.count, b"x" * 5_000_000)
    assert answer.size == 5_000_000
    assert "VENDORRISK_SECRET_KEYS" not in answer.environment


@pytest.mark.parametrize("case", BAD)
async def test_a_parser_that_does_wrong_is_a_reason_and_leaves_no_process(case: str) -> None:
    parser, payload, reason = BAD[case]
    started = time.monotonic()
    with pytest.raises(SandboxError) as refused:
        await Sandbox().run(parser, payload, TIGHT)
    assert refused.value.reason is reason
    assert time.monotonic() - started < 6
    assert _children() == []


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="no filter for this machine")
async def test_a_parser_reaches_no_file_socket_or_process(tmp_path: Path) -> None:
    victim = tmp_path / "kept"
    victim.write_text("kept")
    victim.chmod(0o666)
    assert await Sandbox().run(parsers.trespass, os.fsencode(victim)) == []
    assert victim.read_text() == "kept"


async def test_a_cancelled_caller_leaves_no_child() -> None:
    running = asyncio.create_task(Sandbox().run(parsers.sleep, b"x" * 60))
    while not _children():  # noqa: ASYNC110 - there is no event to wait for: the child is another program
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert _children() == []


async def test_more_than_may_run_at_once_wait_and_are_told_when_it_takes_too_long() -> None:
    sandbox = Sandbox(at_once=1, queue_seconds=0.3)
    first = asyncio.create_task(sandbox.run(parsers.sleep, b"x"))
    await asyncio.sleep(0)
    with pytest.raises(SandboxError) as refused:
        await sandbox.run(parsers.count, b"x")
    assert refused.value.reason is Reason.BUSY
    assert await first == 0
    assert (await sandbox.run(parsers.count, b"xy")).size == 2
