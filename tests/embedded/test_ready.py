"""What `vendorrisk up` says of its start: the port, addresses that are away, a worker that does not live, messages."""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from tests.embedded.make import START_SECONDS, Command, Stack, data_folder, until
from vendorrisk.embedded.child_logs import ConsoleMessages, last_line
from vendorrisk.embedded.valkey import Valkey

pytestmark = pytest.mark.embedded_only


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    """Somebody's server on a port. Somebody else may have the port already, which is the same to us."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            server.bind(("127.0.0.1", port))
            server.listen()
        yield server.getsockname()[1] or port


@pytest.fixture
def home() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


def refused(home: Path, **settings: str) -> str:
    ran = Command("up", settings={"VENDORRISK_HOME": str(home), "PORT": "0", **settings})
    try:
        assert ran.ended(20) == 1, ran.text
    finally:
        ran.shut_down()
    [line] = ran.lines
    assert not (home / "pg-18").exists(), "nothing was started"
    return line.removeprefix("vendorrisk: ")


def test_a_port_that_is_given_and_in_use_is_refused_with_who_holds_it(home: Path) -> None:
    with listening() as port:
        said = refused(home, PORT=str(port))
    assert said.startswith(f"PORT {port} is in use by process {os.getpid()} (python")
    assert said.endswith("Stop that, or set PORT to a free one.")


def test_the_default_port_makes_room_and_links_follow(home: Path) -> None:
    with listening(8080):
        stack = Stack(home, PORT="")
        try:
            assert stack.lines[0].startswith("port 8080 is in use by ")
            port = stack.address.rpartition(":")[2]
            assert stack.lines[0].endswith(f"so the API listens on port {port}")
            assert port != "8080"
            api = stack.child("api")
            assert api is not None
            assert api.environ()["VENDORRISK_PUBLIC_URL"] == f"http://localhost:{port}"
        finally:
            stack.shut_down()


@pytest.mark.parametrize(
    ("name", "url", "said"),
    [
        (
            "DATABASE_MIGRATION_URL",
            "postgresql://u:canary@127.0.0.1:1/d",
            "the database of DATABASE_MIGRATION_URL cannot",
        ),
        (
            "DATABASE_URL",
            "postgresql:///d?host=/nonexistent",
            "the database of DATABASE_URL cannot be reached: /nonexistent",
        ),
        (
            "REDIS_URL",
            "unix:///nonexistent.sock",
            "the server of REDIS_URL cannot be reached: /nonexistent.sock: No such",
        ),
        ("VENDORRISK_STORAGE_URL", "file:///etc/hostname/x", "VENDORRISK_STORAGE_URL: /etc/hostname is no folder that"),
    ],
)
def test_an_address_that_does_not_answer_is_named_before_anything_starts(
    home: Path, name: str, url: str, said: str
) -> None:
    told = refused(home, **{name: url})
    assert told.startswith(said)
    assert "canary" not in told


@pytest.mark.parametrize("name", ["VENDORRISK_API_METRICS_PORT", "VENDORRISK_WORKER_METRICS_PORT"])
def test_a_metrics_port_in_use_is_refused_before_anything_starts(home: Path, name: str) -> None:
    with listening() as port:
        said = refused(home, **{name: str(port)})
    assert said == f"{name}: 127.0.0.1 port {port} cannot be had (Address already in use). Set a free one."


def test_a_worker_that_cannot_live_is_said_to_be_missing_and_why(home: Path) -> None:
    """Redis serves another installation, which only a worker finds out."""
    with data_folder() as other:
        other.mkdir(mode=0o755)
        valkey = Valkey(other / "data", other / "run", persist=False)
        valkey.start()
        try:
            with redis.Redis(unix_socket_path=str(valkey.socket)) as client:
                client.set("vendorrisk:installation", "another")
            # Mail waits, so its server does not keep the others from starting.
            mail = {"VENDORRISK_SMTP_URL": "smtp://127.0.0.1:1"}
            stack = Stack(home, REDIS_URL=valkey.url, **mail)
            try:
                assert "VENDORRISK_SMTP_URL cannot be reached: 127.0.0.1 port 1: Connection refused" in stack.lines[0]
                told = next(line for line in stack.lines if "is ready" in line)
                assert told.startswith("vendorrisk is ready, but no worker: the server of REDIS_URL works for another")
                assert stack.is_ready(), "requests are served"
                assert stack.checks()["worker"] == "no worker has given a sign for 45 s"
                with redis.Redis(unix_socket_path=str(valkey.socket)) as client:
                    client.delete("vendorrisk:installation")
                until(lambda: stack.checks().get("worker") == "ok", "the worker came to life", 60)
            finally:
                stack.shut_down()
        finally:
            valkey.stop()


def test_a_message_of_the_console_receiver_is_seen_in_the_terminal(home: Path) -> None:
    stack = Stack(home)
    try:
        with (home / "log" / "worker.log").open("a") as log:
            log.write(json.dumps({"event": "console_message", "text": "[key]\n  Certificate ends"}) + "\n")
            log.write(json.dumps({"event": "job_done", "text": "not this"}) + "\n")
        until(lambda: "  Certificate ends" in stack.lines, "the terminal shows it", START_SECONDS)
        assert "not this" not in stack.text
    finally:
        stack.shut_down()


def test_messages_are_followed_over_a_half_line_and_a_rotation(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text(json.dumps({"event": "console_message", "text": "before"}) + "\n")
    messages = ConsoleMessages(log)
    assert list(messages.new()) == [], "what was there before was shown before"
    line = json.dumps({"event": "console_message", "text": "one"}) + "\n"
    with log.open("a") as writer:
        writer.write(line[:20])
        writer.flush()
        assert list(messages.new()) == []
        writer.write(line[20:])
    assert list(messages.new()) == ["one"]
    log.write_text(json.dumps({"event": "console_message", "text": "two"}) + "\n")
    assert list(messages.new()) == ["two"]


def test_the_last_line_of_a_child_is_made_readable(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    assert last_line(log) == ""
    log.write_text('{"event": "redis_lost", "error": "no route", "level": "error"}\n\n')
    assert last_line(log) == "redis_lost error=no route"
    log.write_text("Traceback\nvendorrisk: REDIS_URL\x1b[31m is wrong\n")
    assert last_line(log) == "REDIS_URL [31m is wrong"
