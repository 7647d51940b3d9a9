"""A stream under one data key: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015), as age uses it.

Chunks of 64 KiB, each AES-256-GCM with its own number and a last-chunk flag as the nonce. A data key serves one stream
only, so no nonce is used twice. A chunk that is changed, moved, missing or added does not open, and a stream cut at a
chunk's end lacks its flag. An empty stream is one empty chunk.
"""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vendorrisk.storage.port import DamagedError

CHUNK: Final = 64 * 1024
_TAG: Final = 16
_SEALED: Final = CHUNK + _TAG


def sealed_size(size: int) -> int:
    """Return how many bytes a stream of `size` plain bytes takes."""
    return size + _chunk_count(size) * _TAG


def _chunk_count(size: int) -> int:
    return max(1, -(-size // CHUNK))


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + (b"\x01" if last else b"\x00")


async def seal_stream(data_key: bytes, plain: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Seal a stream of unknown length. Yields one chunk at a time."""
    cipher = AESGCM(data_key)
    number = 0
    held = bytearray()
    async for piece in plain:
        held += piece
        # A full chunk is held back until more comes, since it may be the last.
        while len(held) > CHUNK:
            yield cipher.encrypt(_nonce(number, last=False), bytes(held[:CHUNK]), None)
            del held[:CHUNK]
            number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(held), None)


class Span:
    """The range of sealed bytes (`offset`, `length`) that holds the plain bytes [start, stop) of a stream of `size`."""

    def __init__(self, size: int, start: int, stop: int) -> None:
        self._size, self._start, self._stop = size, start, stop
        self._first = min(start // CHUNK, _chunk_count(size) - 1)
        self._last = max(self._first, min(-(-stop // CHUNK), _chunk_count(size)) - 1)
        self.offset = self._first * _SEALED
        self.length = min((self._last + 1) * _SEALED, sealed_size(size)) - self.offset

    async def open(self, data_key: bytes, sealed: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """Yield the plain bytes. Raises `DamagedError` at the first chunk that was changed."""
        cipher = AESGCM(data_key)
        number = self._first
        async for chunk in _regrouped(sealed):
            if number > self._last:
                raise DamagedError("there are more bytes than were sealed")
            last = number == _chunk_count(self._size) - 1
            try:
                plain = cipher.decrypt(_nonce(number, last=last), chunk, None)
            except (InvalidTag, ValueError):
                raise DamagedError(f"chunk {number} is not what was sealed") from None
            begin = number * CHUNK
            yield plain[max(0, self._start - begin) : max(0, self._stop - begin)]
            number += 1
        if number <= self._last:
            raise DamagedError(f"the stream ends before chunk {number}")


async def _regrouped(sealed: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    held = bytearray()
    async for piece in sealed:
        held += piece
        while len(held) >= _SEALED:
            yield bytes(held[:_SEALED])
            del held[:_SEALED]
    if held:
        yield bytes(held)
