"""A body on its way in: hashed as it passes, in memory while it is small, and beyond that on the disk.

The file has no name, so nothing of it remains when it is closed or the process dies.
"""

import asyncio
import errno
import hashlib
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Final

from vendorrisk.errors import Code, Refusal

PIECE: Final = 1 << 20
_IN_MEMORY: Final = 256 * 1024
_HEAD: Final = 1024
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Spool:
    """The bytes of one body."""

    def __init__(self, folder: Path | None, file: IO[bytes]) -> None:
        self._folder, self._file = folder, file
        self._digest = hashlib.sha256()
        self.head = b""
        self.size = 0

    @property
    def sha256(self) -> bytes:
        return self._digest.digest()

    async def write(self, piece: bytes) -> None:
        """Append bytes. Refuses if the disk is full."""
        self.head += piece[: _HEAD - len(self.head)]
        self.size += len(piece)
        self._digest.update(piece)
        try:
            if self.size <= _IN_MEMORY:
                self._file.write(piece)
            else:
                await asyncio.to_thread(self._to_disk, piece)
        except OSError as error:
            raise _refusal(error) from error

    def _to_disk(self, piece: bytes) -> None:
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file.write(piece)

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield the bytes from the beginning, at most 1 MiB at a time."""
        self._file.seek(0)
        while piece := await asyncio.to_thread(self._file.read, PIECE):
            yield piece

    async def read(self) -> bytes:
        """Return all bytes. The caller holds a place in memory for them."""
        return b"".join([piece async for piece in self.pieces()])


@asynccontextmanager
async def spool_in(folder: Path | None) -> AsyncIterator[Spool]:
    """Open a spool in a folder, which may not exist yet."""
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=None if folder is None else str(folder)) as file:
        yield Spool(folder, file)


def _refusal(error: OSError) -> Refusal:
    if error.errno in _FULL:
        detail = "Nothing was changed. Tell the operator that a disk is full, and try again later."
        return Refusal(Code.DISK_FULL, detail, retry_after_seconds=60)
    detail = "Nothing was changed. Tell the operator that files cannot be written, and try again later."
    return Refusal(Code.STORE_UNAVAILABLE, detail, retry_after_seconds=10)
