"""Files and folders of a supervisor that may be root, beside a user that it does not trust.

Root never follows a link that the servers' user can plant. So the data folder, `log` and `run` belong to root, and the
user can only pass through them. The user owns only the folders of its own data. Each file is opened below the handle
of its folder, without following a link, and must be a plain file of ours with one name.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from vendorrisk.embedded.users import SystemUser

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEVER_FOLLOW = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_MOST_BYTES = 64 * 1024


def real_path(path: Path) -> Path:
    """Return the folder that an operator's own link leads to. A link of another user is not followed."""
    if path.is_symlink() and path.lstat().st_uid in {0, os.geteuid()}:
        return path.resolve()
    return path


def guarded_folder(folder: Path, user: SystemUser | None) -> None:
    """Make a folder of our own. `user` may pass through it, and can neither list nor change it."""
    folder.mkdir(parents=True, exist_ok=True)
    with _opened(folder) as handle:
        if user is None:
            os.fchmod(handle, 0o700)
        else:
            os.fchown(handle, 0, user.gid)
            os.fchmod(handle, 0o710)


def open_log(path: Path) -> IO[bytes]:
    """Open a log to be appended to. Raises `OSError` for anything but a plain file of ours."""
    return os.fdopen(_plain(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT), "ab")


def open_lock(path: Path) -> IO[bytes]:
    return os.fdopen(_plain(path, os.O_RDWR | os.O_CREAT), "r+b")


def read_text(path: Path) -> str:
    """Return the beginning of a small file, which may belong to the servers' user. A link is not followed."""
    with _opened(path.parent) as folder:
        handle = os.open(path.name, os.O_RDONLY | _NEVER_FOLLOW, dir_fd=folder)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "not a plain file", str(path))
        return file.read(_MOST_BYTES).decode(errors="replace")


def write_new(path: Path, text: str) -> None:
    """Write a private file whole, or not at all."""
    with _opened(path.parent) as folder:
        half = f".{path.name}.{os.getpid()}"
        handle = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NEVER_FOLLOW, 0o600, dir_fd=folder)
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        os.rename(half, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)


def rotate(path: Path, most_bytes: int) -> bool:
    """Keep one older log if this one is too long. Its file stays open, so it is copied and emptied.

    The copy is renamed into place. So an older name that is a link is replaced and never written through.
    """
    try:
        source = _plain(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    with os.fdopen(source, "r+b") as log, _opened(path.parent) as folder:
        if os.fstat(source).st_size <= most_bytes:
            return False
        half = f".{path.name}.{os.getpid()}"
        with suppress(FileNotFoundError):
            os.unlink(half, dir_fd=folder)
        copy = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NEVER_FOLLOW, 0o600, dir_fd=folder)
        with os.fdopen(copy, "wb") as older:
            while piece := log.read(1 << 20):
                older.write(piece)
        os.rename(half, f"{path.name}.1", src_dir_fd=folder, dst_dir_fd=folder)
        os.ftruncate(source, 0)
    return True


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    handle = os.open(folder, _FOLDER)
    try:
        yield handle
    finally:
        os.close(handle)


def _plain(path: Path, flags: int) -> int:
    with _opened(path.parent) as folder:
        handle = os.open(path.name, flags | _NEVER_FOLLOW, 0o600, dir_fd=folder)
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_uid != os.geteuid():
        os.close(handle)
        raise OSError(0, "not a plain file of ours", str(path))
    os.set_blocking(handle, True)
    return handle
