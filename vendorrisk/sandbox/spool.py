"""A long answer, kept on disk as it arrives: neither the child nor the service ever holds the whole of it."""

import struct
import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from vendorrisk.sandbox.child import END, LENGTH

_END_BYTES: Final = LENGTH.size + 1


class Spool:
    """A temporary file of items, each with its length before it. It is gone when it is closed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed with the spool
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self.size += len(piece)

    def ending(self) -> bytes:
        """Return the mark of the child's end: `=`, `m`, `!`, or nothing if the answer was cut."""
        if self.size < _END_BYTES:
            return b""
        self._file.seek(self.size - _END_BYTES)
        written = self._file.read(_END_BYTES)
        return written[LENGTH.size :] if written.startswith(END) else b""

    def items(self, kind: Any, places: Iterable[int] | None = None) -> Iterator[Any]:
        """Yield the items in order, of a type or a union. Raises `msgspec.DecodeError` for one of another shape."""
        for at in self.places() if places is None else places:
            length = self._length(at) or 0
            yield msgspec.msgpack.decode(self._file.read(length), type=kind)

    def places(self) -> Iterator[int]:
        """Yield where each item is, without reading it."""
        at = 0
        while (length := self._length(at)) is not None:
            yield at
            at += LENGTH.size + length

    def _length(self, at: int) -> int | None:
        """Go to the item at a place, and return its length. None at the end."""
        self._file.seek(at)
        try:
            return int(LENGTH.unpack(self._file.read(LENGTH.size))[0]) or None
        except struct.error:
            return None
