"""`vendorrisk up`, as someone who evaluates the product meets it: one command, then kills and restarts."""

import os
import signal
import stat
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.embedded.make import (
    ROOT,
    START_SECONDS,
    Command,
    Stack,
    data_folder,
    is_alive,
    listens_on,
    name_of,
    own_kilobytes,
    until,
)

pytestmark = pytest.mark.embedded_only
_LOOPBACK = "0100007F"  # 127.0.0.1 as /proc/net/tcp writes it
_MOST_MEGABYTES = 250


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with data_folder() as home:
        started = Stack(home)
        yield started
        started.shut_down()


def settings_of(stack: Stack) -> dict[str, str]:
    return {"VENDORRISK_HOME": str(stack.home), "PORT": "0"}


def caller(stack: Stack, key: str) -> httpx.Client:
    return httpx.Client(base_url=stack.address, headers={"authorization": f"Bearer {key}"}, timeout=10)


def test_it_says_where_it_is_what_the_first_key_is_and_how_to_stop_it(stack: Stack) -> None:
    assert stack.is_ready()
    assert httpx.get(f"{stack.address}/docs").status_code == 200
    assert f"data folder    {stack.home}" in stack.text
    assert f"logs           {stack.home / 'log'}" in stack.text
    assert f"SIGTERM to process {stack.pid}" in stack.text
    assert {path.name for path in (stack.home / "log").iterdir()} >= {"postgres.log", "valkey.log", "api.log"}
    assert stack.key is not None
    with caller(stack, stack.key) as client:
        assert client.get("/v1/vendors").status_code == 200
        (receiver,) = client.get("/v1/receivers").json()["items"]
        assert receiver["kind"] == "console", "alerts are seen before anyone sets a receiver up"
    assert stack.key not in "".join(path.read_text(errors="replace") for path in (stack.home / "log").iterdir())


def test_only_the_api_listens_on_a_port_and_only_on_loopback(stack: Stack) -> None:
    port = stack.address.rpartition(":")[2]
    found = {(name_of(process), address) for process in stack.tree() for address in listens_on(process)}
    assert found == {("api", f"{_LOOPBACK}:{port}")}
    for socket_file in ("postgres/.s.PGSQL.5432", "valkey/valkey.sock"):
        place = stack.home / "run" / socket_file
        assert stat.S_ISSOCK(place.stat().st_mode)
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    # Of root the servers' user may pass through it, and no more.
    assert stat.S_IMODE(stack.home.stat().st_mode) == (0o710 if os.geteuid() == 0 else 0o700)
    assert stat.S_IMODE((stack.home / "secret.keys").stat().st_mode) == 0o600


def test_the_servers_never_run_as_root(stack: Stack) -> None:
    users = {name_of(process): process.uids().effective for process in stack.tree()}
    assert users["postgres"] != 0
    assert users["valkey"] != 0


def test_a_second_one_on_the_same_folder_is_refused_and_disturbs_nothing(stack: Stack) -> None:
    before = {process.pid for process in stack.tree() if name_of(process) in {"worker", "api", "valkey"}}
    second = Command("up", settings=settings_of(stack))
    assert second.ended() == 1
    assert second.text == (
        f"vendorrisk: another vendorrisk runs on {stack.home}. Stop it, or set VENDORRISK_HOME to another folder."
    )
    assert stack.is_ready()
    assert {process.pid for process in stack.tree()} >= before


def test_it_is_small(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Idle, and after the API has served: the proportional set size of all processes, shared memory counted once."""
    until(lambda: stack.checks().get("redis") == "ok", "Redis answers")
    sizes: Counter[str] = Counter()
    for process in stack.tree():
        sizes[name_of(process)] += own_kilobytes(process)
    whole = sum(sizes.values()) / 1024
    with capsys.disabled():
        parts = ", ".join(f"{name} {size / 1024:.0f}" for name, size in sizes.most_common())
        print(f"\nembedded stack: {whole:.0f} MB proportional ({parts})")  # noqa: T201 - a figure to be read
    assert set(sizes) == {"up", "api", "worker", "postgres", "valkey"}
    assert whole < _MOST_MEGABYTES


@pytest.mark.parametrize("name", ["worker", "api", "valkey", "postgres"])
def test_what_is_killed_is_started_again_and_keeps_what_it_knew(stack: Stack, name: str) -> None:
    assert stack.key is not None
    with caller(stack, stack.key) as client:
        until(stack.is_ready, "it is ready before")
        made = client.post("/v1/vendors", json={"name": f"Before the death of {name}"})
        assert made.status_code == 201, made.text
        old = until(lambda: stack.child(name), f"{name} runs")
        begun = time.monotonic()
        os.kill(old.pid, signal.SIGKILL)
        until(lambda: (found := stack.child(name)) and found.pid != old.pid, f"a new {name}")
        until(lambda: set(stack.checks().values()) == {"ok"}, "all is well again", 120)
        seconds = time.monotonic() - begun
        until(lambda: stack.child("worker"), "the worker, which ends when Redis drops, runs again")
        assert client.get(f"/v1/vendors/{made.json()['id']}").status_code == 200
        # A start may fail while the killed one's processes end. The one that runs now counts.
        new = stack.child(name)
        assert new is not None
        assert new.pid != old.pid
        assert is_alive(new)
    assert not is_alive(old)
    assert f"{name} stopped, starting it again" in stack.text
    assert seconds < 120, seconds


def test_who_stops_it_before_it_is_ready_is_not_told_that_it_is() -> None:
    with data_folder() as home:
        starting = Command("up", settings={"VENDORRISK_HOME": str(home), "PORT": "0"})
        try:
            until((home / "log" / "api.log").exists, "the API is being started", START_SECONDS)
            assert starting.stop() == 0, starting.text
        finally:
            starting.shut_down()
        assert "is ready" not in starting.text
        assert "shown this once" in starting.text, "the first key is never lost, for it is made once"


@pytest.mark.parametrize("at", [".initdb-*", "pg-18/postmaster.pid", "run/valkey/valkey.sock"])
def test_a_kill_in_the_middle_of_the_first_start_leaves_no_process_and_the_next_start_is_whole(at: str) -> None:
    with data_folder() as home:
        starting = Command("up", settings={"VENDORRISK_HOME": str(home), "PORT": "0"})
        try:
            until(lambda: list(home.glob(at)), f"{at} is there", START_SECONDS)
            tree = psutil.Process(starting.pid).children(recursive=True)
        finally:
            starting.shut_down()
        until(lambda: not any(map(is_alive, tree)), "nothing of it is left", 3)
        whole = Stack(home)
        assert whole.is_ready()
        assert whole.key is not None or "shown this once" in starting.text, "the first key is made once, and shown"
        assert list(home.glob(".initdb-*")) == []
        assert whole.stop() == 0


def test_data_outlive_a_stop_and_a_kill(capsys: pytest.CaptureFixture[str]) -> None:
    with data_folder() as home:
        first = Stack(home)
        assert first.key is not None
        with caller(first, first.key) as client:
            made = client.post("/v1/vendors", json={"name": "Kept"}).json()
        place, tree = f"/v1/vendors/{made['id']}", first.tree()
        assert first.stop() == 0
        assert [name_of(process) for process in tree if is_alive(process)] == [], "SIGTERM leaves nothing"

        second = Stack(home)
        assert second.key is None, "the key is shown once"
        with caller(second, first.key) as client:
            assert client.get(place).json()["name"] == "Kept"
        tree = second.tree()
        assert len(tree) > 5
        assert second.stop(signal.SIGKILL) == -signal.SIGKILL
        until(lambda: not any(map(is_alive, tree)), "all children die with the supervisor", 10)

        third = Stack(Path(os.path.relpath(home, ROOT)))
        with caller(third, first.key) as client:
            assert client.get(place).json()["name"] == "Kept"
        assert third.stop(signal.SIGINT) == 0, "Ctrl-C is a way to stop it, not an error"
        with capsys.disabled():
            print(  # noqa: T201 - a figure to be read
                f"\nembedded start to ready: cold {first.seconds:.1f} s, warm {second.seconds:.1f} s,"
                f" after SIGKILL {third.seconds:.1f} s"
            )
        assert max(first.seconds, second.seconds, third.seconds) < START_SECONDS
