"""The system user of the servers: Postgres refuses root, and the servers need no root."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import msgspec

NAME = "vendorrisk"


class SystemUser(msgspec.Struct, frozen=True):
    name: str
    uid: int
    gid: int


def system_user() -> SystemUser | None:
    """Return the user to drop to if we are root (created if missing), or None if we are not."""
    if os.geteuid() != 0:
        return None
    for name in (NAME, "nobody"):
        if name == NAME and not _exists(name) and (useradd := shutil.which("useradd", path="/usr/sbin:/sbin")):
            command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
            subprocess.run(command, check=False, capture_output=True)
        if _exists(name):
            entry = pwd.getpwnam(name)
            return SystemUser(name, entry.pw_uid, entry.pw_gid)
    raise RuntimeError("no system user to run Postgres as; create one with: useradd --system vendorrisk")


def private_folder(folder: Path, user: SystemUser | None) -> Path:
    """Make a folder that only the servers' user can enter. A link in its place is refused, not followed."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if user is not None:
            os.fchown(handle, user.uid, user.gid)
        os.fchmod(handle, 0o700)
    finally:
        os.close(handle)
    return folder


def can_reach(path: Path, user: SystemUser | None) -> bool:
    """Return True if the user can enter every folder above the path."""
    if user is None:
        return True
    return all(_may_enter(parent, user) for parent in path.resolve().parents)


def _may_enter(folder: Path, user: SystemUser) -> bool:
    status = folder.stat()
    if status.st_uid == user.uid:
        return bool(status.st_mode & 0o100)
    return bool(status.st_mode & (0o010 if status.st_gid == user.gid else 0o001))


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
