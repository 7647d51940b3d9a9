"""What stops a start, told in one line that says what to do; nothing is left running and nothing is touched."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.make import Command, data_folder

pytestmark = pytest.mark.embedded_only
_AWAY = "127.0.0.1:1"  # nobody listens on port 1


@pytest.fixture
def home() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


def refusal(home: Path, *command: str, **settings: str) -> str:
    """Run a command that must end by itself with code 1, and return its last line."""
    ran = Command(*(command or ("up",)), settings={"VENDORRISK_HOME": str(home), "PORT": "0", **settings})
    try:
        assert ran.ended(20) == 1, ran.text
    finally:
        ran.shut_down()
    assert "Traceback" not in ran.text, ran.text
    assert ran.text.count("vendorrisk: ") == 1, ran.text
    return ran.lines[-1].removeprefix("vendorrisk: ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the folder to another user")
def test_a_folder_that_the_servers_user_cannot_enter(home: Path) -> None:
    home.mkdir()
    home.chmod(stat.S_IRWXU)
    said = refusal(home / "inside")
    assert "cannot enter, as whom the servers run. Set VENDORRISK_HOME" in said
    assert not (home / "inside" / "pg-18").exists()


def test_a_folder_that_is_a_file(home: Path) -> None:
    home.write_text("mine")
    assert refusal(home).endswith("Set VENDORRISK_HOME to a folder of yours.")
    assert home.read_text() == "mine"


def test_a_path_too_long_for_a_socket(home: Path) -> None:
    assert refusal(home / ("x" * 90)).endswith("is too long for a socket. Set VENDORRISK_HOME to a shorter path.")


def test_a_cluster_of_another_postgres(home: Path) -> None:
    cluster = home / "pg-18"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("15\n")
    said = refusal(home)
    assert "was made by Postgres 15, and this is Postgres 18. Nothing was touched." in said
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]


def test_a_cluster_of_which_only_a_part_is_left(home: Path) -> None:
    cluster = home / "pg-18"
    (cluster / "base").mkdir(parents=True)
    assert "is no whole cluster of Postgres. Nothing was touched. Put a backup in its place" in refusal(home)
    assert [path.name for path in cluster.iterdir()] == ["base"]


@pytest.mark.parametrize("keys", ["", "nonsense", "AAAA"])
def test_keys_that_were_damaged_are_not_replaced(home: Path, keys: str) -> None:
    home.mkdir()
    (home / "secret.keys").write_text(keys)
    assert (
        refusal(home) == f"{home}/secret.keys holds no key. Put its backup there: what it sealed opens with no other."
    )
    assert (home / "secret.keys").read_text() == keys


def test_keys_in_the_settings_that_are_none(home: Path) -> None:
    said = refusal(home, VENDORRISK_SECRET_KEYS="nonsense")
    assert said.startswith("VENDORRISK_SECRET_KEYS: key 1 has only 6 bytes. It takes base64 keys")
    assert not home.exists()


def test_a_lock_that_cannot_be_taken(home: Path) -> None:
    (home / "lock").mkdir(parents=True)
    assert refusal(home).endswith("cannot be used (Is a directory). Set VENDORRISK_HOME to a folder of yours.")


def test_a_host_that_is_not_ours(home: Path) -> None:
    said = refusal(home, VENDORRISK_HOST="192.0.2.1")
    assert said == "192.0.2.1 is no address of this machine. Set VENDORRISK_HOST to one that is."


@pytest.mark.parametrize("command", ["up", "worker", "api", "migrate"])
def test_a_setting_that_is_none(home: Path, command: str) -> None:
    assert refusal(home, command, VENDORRISK_SMPT_URL="smtp://x") == (
        "VENDORRISK_SMPT_URL is not a setting; see vendorrisk/settings.py for the list"
    )
    assert not home.exists()


@pytest.mark.parametrize("command", ["up", "migrate"])
def test_a_database_that_cannot_be_reached(home: Path, command: str) -> None:
    said = refusal(home, command, DATABASE_URL=f"postgresql://risk:canary-password@{_AWAY}/risk")
    assert said.startswith("the database of DATABASE_URL cannot be reached")
    assert "canary-password" not in said


@pytest.mark.parametrize("command", ["up", "migrate"])
def test_an_address_of_a_database_that_cannot_be_read(home: Path, command: str) -> None:
    said = refusal(home, command, DATABASE_URL="postgresql://risk:canary/password@127.0.0.1/risk")
    assert said.startswith("DATABASE_URL: the port is not a number")
    assert "It takes postgresql://" in said
    assert "canary" not in said
    assert not home.exists()


def test_the_setting_of_the_owner_is_named_where_its_database_is_away(home: Path) -> None:
    said = refusal(home, "migrate", DATABASE_URL="postgresql://x", DATABASE_MIGRATION_URL=f"postgresql://{_AWAY}/risk")
    assert said.startswith("the database of DATABASE_MIGRATION_URL cannot be reached")


@pytest.mark.parametrize("command", ["up", "worker", "healthy worker"])
@pytest.mark.parametrize("url", ["redis", "http://x", "redis://:canary/x@h", "redis://h:1/first"])
def test_an_address_of_redis_that_cannot_be_read(home: Path, command: str, url: str) -> None:
    more = {} if command == "up" else {"DATABASE_URL": f"postgresql://{_AWAY}/x", "VENDORRISK_SECRET_KEYS": "A" * 44}
    said = refusal(home, *command.split(), REDIS_URL=url, **more)
    assert said.startswith("REDIS_URL: ")
    assert "It takes redis://" in said
    assert "canary" not in said


@pytest.mark.parametrize("command", ["up", "worker"])
def test_a_redis_that_cannot_be_reached(home: Path, command: str) -> None:
    # For the worker the database does not matter yet: Redis comes first.
    more = {} if command == "up" else {"DATABASE_URL": f"postgresql://{_AWAY}/x", "VENDORRISK_SECRET_KEYS": "A" * 44}
    said = refusal(home, command, REDIS_URL=f"redis://:canary-password@{_AWAY}/0", **more)
    assert said.startswith("the server of REDIS_URL cannot be reached")
    assert "canary-password" not in said


@pytest.mark.parametrize("command", ["worker", "api"])
def test_keys_that_are_missing(home: Path, command: str) -> None:
    said = refusal(home, command, DATABASE_URL=f"postgresql://{_AWAY}/x", REDIS_URL=f"redis://{_AWAY}/0")
    assert said.startswith("VENDORRISK_SECRET_KEYS takes base64 keys")
