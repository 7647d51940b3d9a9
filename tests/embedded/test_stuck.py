"""A process whose event loop is stuck is replaced, and its work goes on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.embedded.make import Stack, data_folder, is_alive, until

pytestmark = pytest.mark.embedded_only
_STUCK_SECONDS = "8"
# A pattern that never ends, and never lets go of the interpreter's lock.
_STICKS = """
import re, signal
signal.signal(signal.SIGUSR1, lambda *_: re.match("(a+)+$", "a" * 64 + "b"))
"""


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    with data_folder() as home:
        folder = home.parent / "code"
        folder.mkdir()
        folder.chmod(0o755)
        (folder / "sitecustomize.py").write_text(_STICKS)
        path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
        monkeypatch.setenv("PYTHONPATH", path)
        started = Stack(home, VENDORRISK_STUCK_SECONDS=_STUCK_SECONDS)
        yield started
        started.shut_down()


def child(stack: Stack, name: str) -> psutil.Process:
    return until(lambda: stack.child(name), f"{name} runs")


def log(stack: Stack, name: str) -> str:
    return Path(stack.home / "log" / f"{name}.log").read_text(errors="replace")


@pytest.mark.parametrize("name", ["worker", "api"])
def test_one_that_is_stuck_ends_itself_with_its_stack_and_its_work_goes_on(stack: Stack, name: str) -> None:
    assert stack.key is not None
    until(lambda: "worker_started" in log(stack, "worker"), "the worker runs its loop")
    old = child(stack, name)
    old.send_signal(signal.SIGUSR1)
    until(lambda: not is_alive(old), f"the stuck {name} ends", 60)
    until(lambda: stack.child(name), f"a new {name}", 60)
    assert "Timeout (0:00:08)!" in log(stack, name)
    assert "sitecustomize.py" in log(stack, name), "where it was stuck"
    until(stack.is_ready, "the stack is well again", 60)
    with httpx.Client(base_url=stack.address, headers={"authorization": f"Bearer {stack.key}"}, timeout=30) as client:
        file = b"Name,Description\n" + b"".join(b"Vendor %d,%s\n" % (n, b"x" * 100) for n in range(4_000))
        sent = client.post("/v1/vendor-imports", content=file, headers={"content-type": "text/csv"})
        assert sent.status_code == 202, "left to the worker"
        until(lambda: client.get(sent.headers["location"]).json()["state"] == "checked", "the worker works", 90)


def test_a_stack_with_a_stuck_worker_stops_and_leaves_nothing(stack: Stack) -> None:
    until(lambda: "worker_started" in log(stack, "worker"), "the worker runs its loop")
    stuck, everything = child(stack, "worker"), stack.tree()
    stuck.send_signal(signal.SIGUSR1)
    assert stack.stop() == 0, stack.text
    assert [process for process in everything if is_alive(process)] == []
