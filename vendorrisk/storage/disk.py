"""Files below one folder.

An object is written to `incoming/`, flushed to the disk, renamed into place and the folder flushed: after a power cut
it is there whole or not at all. Folders are 0700 and files 0600, independent of the umask. The last two characters of a
name make one more folder level, so that every folder stays small.
"""

import asyncio
import errno
import os
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final

from vendorrisk.storage.port import (
    DeniedError,
    FullError,
    Listed,
    MissingError,
    UnreachableError,
    checked_name,
    checked_prefix,
)

_PIECE: Final = 1 << 20
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_INCOMING: Final = ".incoming"  # no object's name begins with a dot


class DiskStore:
    """The adapter. Each blocking call runs in a thread."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, name: str, chunks: AsyncIterable[bytes]) -> None:
        target = self._path(name)
        temporary = self._root / _INCOMING / f"{target.name}.{secrets.token_hex(8)}"
        file: BinaryIO | None = None
        try:
            file = await asyncio.to_thread(_begin, self._root, temporary)
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)
            await asyncio.to_thread(_finish, self._root, file, temporary, target)
        except OSError as error:
            raise _fault(error)(f"cannot write {target}: {error.strerror}") from error
        finally:
            # Closing waits for a write that a cancelled caller left behind in its thread.
            if file is not None:
                with suppress(OSError):
                    file.close()
            with suppress(OSError):
                temporary.unlink()

    async def open(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        target = self._path(name)
        try:
            file = await asyncio.to_thread(target.open, "rb")
        except FileNotFoundError:
            raise MissingError(f"there is no {target}") from None
        except OSError as error:
            raise UnreachableError(f"cannot read {target}: {error.strerror}") from error
        return _pieces(file, start, length)

    async def size(self, name: str) -> int | None:
        target = self._path(name)
        try:
            return (await asyncio.to_thread(target.stat)).st_size
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnreachableError(f"cannot look at {target}: {error.strerror}") from error

    async def delete(self, name: str) -> None:
        target = self._path(name)
        try:
            await asyncio.to_thread(_remove, target)
        except OSError as error:
            raise UnreachableError(f"cannot remove {target}: {error.strerror}") from error

    async def list(self, prefix: str) -> AsyncIterator[Listed]:
        walk = _walk(self._root, checked_prefix(prefix))
        while (batch := await asyncio.to_thread(_some, walk)) != []:
            for listed in batch:
                yield listed

    async def tidy(self, before: datetime) -> int:
        try:
            return await asyncio.to_thread(_tidy, self._root / _INCOMING, before)
        except OSError as error:
            raise UnreachableError(f"cannot tidy {self._root}: {error.strerror}") from error

    async def check(self) -> None:
        try:
            await asyncio.to_thread(_try, self._root)
        except PermissionError as error:
            raise DeniedError(f"{self._root} cannot be written by user {os.geteuid()}") from error
        except OSError as error:
            raise _fault(error)(f"cannot write {self._root}: {error.strerror}") from error

    async def close(self) -> None:
        """No resource is held between calls."""

    def _path(self, name: str) -> Path:
        folder, _, last = checked_name(name).rpartition("/")
        return self._root / folder / last[-2:] / last


def _fault(error: OSError) -> type[UnreachableError]:
    return FullError if error.errno in _FULL else UnreachableError


def _try(root: Path) -> None:
    """Write a byte and remove it, and look into the folders of bodies and keys, which may belong to another user."""
    temporary = root / _INCOMING / f"check.{secrets.token_hex(8)}"
    with _begin(root, temporary) as file:
        try:
            file.write(b"1")
            file.flush()
        finally:
            temporary.unlink()
    for folder in (root / "bodies", root / "keys"):
        if folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _begin(root: Path, temporary: Path) -> BinaryIO:
    _make_folder(root, temporary.parent)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    os.fchmod(handle, 0o600)
    if os.geteuid() == 0:
        # The files belong to whom the folder belongs to, who may be the user of the next start.
        os.fchown(handle, root.stat().st_uid, root.stat().st_gid)
    return os.fdopen(handle, "wb", buffering=_PIECE)


def _finish(root: Path, file: BinaryIO, temporary: Path, target: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    _make_folder(root, target.parent)
    temporary.rename(target)
    _flush_folder(target.parent)


def _make_folder(root: Path, folder: Path) -> None:
    """Make a folder and those above it, each entry durable in its parent."""
    if folder.is_dir():
        return
    if folder != root:
        _make_folder(root, folder.parent)
    else:
        root.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        folder.mkdir(0o700)
        if os.geteuid() == 0 and folder != root:
            os.chown(folder, root.stat().st_uid, root.stat().st_gid, follow_symlinks=False)
    folder.chmod(0o700)
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove(target: Path) -> None:
    try:
        target.unlink()
    except FileNotFoundError:
        return
    _flush_folder(target.parent)


def _tidy(folder: Path, before: datetime) -> int:
    count = 0
    for left in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < before.timestamp():
                left.unlink()
                count += 1
    return count


async def _pieces(file: BinaryIO, start: int, length: int | None) -> AsyncIterator[bytes]:
    try:
        await asyncio.to_thread(file.seek, start)
        left = length
        while left is None or left > 0:
            piece = await asyncio.to_thread(file.read, _PIECE if left is None else min(left, _PIECE))
            if not piece:
                return
            left = None if left is None else left - len(piece)
            yield piece
    except OSError as error:
        raise UnreachableError(f"cannot read on: {error.strerror}") from error
    finally:
        file.close()


def _walk(root: Path, prefix: str) -> Iterator[Listed]:
    """Yield files whose path matches their name. Other files below the folder are not the store's."""
    for folder, _, names in os.walk(root / prefix):
        above = Path(folder).parent.relative_to(root)
        for last in (one for one in names if one[-2:] == Path(folder).name):
            with suppress(FileNotFoundError):
                status = (Path(folder) / last).stat()
                yield Listed(f"{above}/{last}", status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))


def _some(walk: Iterator[Listed], count: int = 500) -> list[Listed]:
    return [listed for _, listed in zip(range(count), walk, strict=False)]
