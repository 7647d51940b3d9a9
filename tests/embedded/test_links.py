"""Root never follows what the servers' user can plant, and that user can plant nothing where root writes."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.make import Command, Stack, data_folder
from vendorrisk.embedded.guarded_files import open_lock, open_log, read_text, rotate, write_new
from vendorrisk.embedded.home import HomeError, open_home
from vendorrisk.embedded.users import SystemUser, private_folder, system_user
from vendorrisk.settings import Settings

pytestmark = pytest.mark.embedded_only
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to give away")


@pytest.fixture
def home() -> Iterator[Path]:
    with data_folder() as folder:
        yield folder


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of root's that nobody else may change."""
    place = tmp_path / "victim"
    place.write_text("kept")
    place.chmod(0o600)
    return place


def as_user(user: SystemUser, script: str, *arguments: str) -> int:
    """Run a script as the servers' user, and return how many of its steps were allowed."""
    ran = subprocess.run(
        ["/bin/sh", "-c", script, "sh", *arguments],
        check=True,
        capture_output=True,
        text=True,
        user=user.uid,
        group=user.gid,
        extra_groups=[],
        cwd="/",
        timeout=30,
    )
    return int(ran.stdout)


PLANT = """
home=$1; shift; allowed=0
for name; do
    mv -n "$home/$name" "$home/$name.away" 2>/dev/null && allowed=$((allowed + 1))
    ln -s /etc/passwd "$home/$name.link" 2>/dev/null && allowed=$((allowed + 1))
done
echo $allowed
"""
WRITTEN_BY_ROOT = (
    *("log", "run", "files", "pg-18", "valkey", "lock", "secret.keys", "log/api.log", "log/api.log.1"),
    *("log/worker.log", "log/postgres.log", "run/postgres", "run/valkey", "secret.keys.new", ".initdb-x"),
)


@needs_root
def test_the_servers_user_can_plant_nothing_where_root_writes(home: Path) -> None:
    stack = Stack(home)
    try:
        user = system_user()
        assert user is not None
        assert as_user(user, PLANT, str(home), *WRITTEN_BY_ROOT) == 0
        for name in (".", "log", "run"):
            assert ((home / name).stat().st_uid, (home / name).stat().st_mode & 0o022) == (0, 0), name
        assert (home / "files").stat().st_uid == user.uid
    finally:
        stack.shut_down()


@needs_root
@pytest.mark.parametrize("name", ["log", "run", "files", "lock", "secret.keys", "log/api.log", "log/postgres.log"])
def test_a_link_that_lies_there_already_is_refused_and_its_target_untouched(
    home: Path, victim: Path, name: str
) -> None:
    place = home / name
    place.parent.mkdir(parents=True)
    place.symlink_to(victim.parent if "." not in name and name != "lock" else victim)

    def state() -> list[tuple[int, int, int]]:
        found = (place.stat() for place in (victim, victim.parent))
        return [(one.st_uid, one.st_mode, one.st_gid) for one in found]

    before = state()
    ran = Command("up", settings={"VENDORRISK_HOME": str(home), "PORT": "0"})
    try:
        assert ran.ended(60) == 1, ran.text
    finally:
        ran.shut_down()
    assert victim.read_text() == "kept"
    assert state() == before


@pytest.mark.parametrize("opened", [open_log, open_lock])
def test_only_a_plain_file_of_ours_with_one_name_is_opened(tmp_path: Path, victim: Path, opened: object) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    link, twin, pipe = folder / "link", folder / "twin", folder / "pipe"
    link.symlink_to(victim)
    os.link(victim, twin)
    os.mkfifo(pipe)
    for place in (link, twin, pipe):
        with pytest.raises(OSError):  # noqa: PT011 - each by another number
            opened(place)  # type: ignore[operator]  # one of two functions
    assert victim.read_text() == "kept"
    with opened(folder / "new") as file:  # type: ignore[operator]  # as above
        file.write(b"x")
    assert (folder / "new").stat().st_mode & 0o777 == 0o600


def test_a_rotation_writes_through_no_older_name(tmp_path: Path, victim: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_bytes(b"y" * 100)
    (tmp_path / "worker.log.1").symlink_to(victim)
    with log.open("ab") as child:
        assert rotate(log, 99)
        child.write(b"next")
    assert victim.read_text() == "kept"
    assert (tmp_path / "worker.log.1").read_bytes() == b"y" * 100
    assert not (tmp_path / "worker.log.1").is_symlink()
    assert log.read_bytes() == b"next", "the child's own handle goes on at the beginning"
    assert not rotate(log, 99)
    log.unlink()
    log.symlink_to(victim)
    with pytest.raises(OSError, match="Too many levels"):
        rotate(log, 1)


def test_a_private_folder_and_a_new_file_are_never_made_through_a_link(tmp_path: Path, victim: Path) -> None:
    there = tmp_path / "there"
    there.mkdir(mode=0o755)
    (tmp_path / "folder").symlink_to(there)
    with pytest.raises(OSError, match=r"Not a directory|Too many levels"):
        private_folder(tmp_path / "folder", None)
    assert there.stat().st_mode & 0o777 == 0o755
    (tmp_path / "secret.keys").symlink_to(victim)
    with pytest.raises(OSError, match="Too many levels"):
        read_text(tmp_path / "secret.keys")
    write_new(tmp_path / "secret.keys", "new")
    assert victim.read_text() == "kept"
    assert read_text(tmp_path / "secret.keys") == "new"


def test_an_operators_own_link_to_the_data_folder_is_followed(home: Path) -> None:
    real = home.parent / "real"
    real.mkdir()
    home.symlink_to(real)
    assert open_home(Settings(home=str(home))).path == real.resolve()


@needs_root
def test_anothers_link_to_the_data_folder_is_not(home: Path) -> None:
    user = system_user()
    assert user is not None
    real = home.parent / "real"
    real.mkdir()
    home.symlink_to(real)
    os.chown(home, user.uid, user.gid, follow_symlinks=False)
    with pytest.raises(HomeError, match="cannot be used"):
        open_home(Settings(home=str(home)))
    assert real.stat().st_uid == 0
