"""Reads a body within bounds on the raw and the decoded bytes, so that a decompression bomb stops early.

`Accept-Encoding: identity` is sent, but some servers compress anyway: gzip and deflate are decoded with a limit,
anything else is refused.
"""

import zlib

from vendorrisk.egress.reasons import EgressError, Reason

_GZIP = 16 + zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_ZLIB_METHOD = 8  # RFC 1950, section 2.2: CM = 8 is deflate
_ZLIB_CHECK = 31


class BoundedBody:
    """Takes chunks until one of the two limits is met. `truncated` is True if a part is missing."""

    def __init__(self, encoding: str, *, wire_bytes: int, decoded_bytes: int) -> None:
        self._decoder = _Inflate(encoding) if _is_compressed(encoding) else None
        self._wire_left = wire_bytes
        self._decoded_left = decoded_bytes
        self._parts: list[bytes] = []
        self.truncated = False

    def feed(self, chunk: bytes) -> bool:
        """Take one chunk. Return whether more is wanted."""
        if len(chunk) > self._wire_left:
            self.truncated = True
        chunk = chunk[: self._wire_left]
        self._wire_left -= len(chunk)
        part = self._decode(chunk)
        self._decoded_left -= len(part)
        self._parts.append(part)
        return not self.truncated

    def _decode(self, chunk: bytes) -> bytes:
        if self._decoder is None:
            part = chunk[: self._decoded_left]
            self.truncated = self.truncated or len(part) < len(chunk)
            return part
        # One byte more than allowed distinguishes "exactly full" from "too much".
        part = self._decoder.decode(chunk, self._decoded_left + 1)
        self.truncated = self.truncated or len(part) > self._decoded_left
        return part[: self._decoded_left]

    def finish(self) -> bytes:
        """Return the body. A compressed body that ends early is `truncated`."""
        if self._decoder is not None and self._decoder.begun and not self._decoder.finished:
            self.truncated = True
        return b"".join(self._parts)


class _Inflate:
    """zlib with a bound on the output of one call."""

    def __init__(self, encoding: str) -> None:
        self._gzip = encoding in {"gzip", "x-gzip"}
        self._inflate = zlib.decompressobj(_GZIP) if self._gzip else None
        self._held = b""
        self.begun = False

    @property
    def finished(self) -> bool:
        return self._inflate is not None and self._inflate.eof

    def decode(self, chunk: bytes, most: int) -> bytes:
        self.begun = self.begun or bool(chunk)
        self._held += chunk
        if self._inflate is None:
            if len(self._held) < 2:  # noqa: PLR2004 - the two bytes of a zlib header
                return b""
            self._inflate = zlib.decompressobj(zlib.MAX_WBITS if _has_zlib_header(self._held) else _RAW)
        data, self._held = self._held, b""
        try:
            return self._inflate.decompress(data, most)
        except zlib.error:
            raise EgressError(Reason.BODY_CORRUPT, "the compressed body cannot be read") from None


def _is_compressed(encoding: str) -> bool:
    if encoding in {"", "identity"}:
        return False
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return True
    raise EgressError(Reason.ENCODING, f"the body has the encoding {encoding[:40]!r}, which was not asked for")


def _has_zlib_header(start: bytes) -> bool:
    """Return True if `deflate` means zlib, as in RFC 9110, or False for the raw stream that some servers send."""
    return start[0] & 0x0F == _ZLIB_METHOD and (start[0] << 8 | start[1]) % _ZLIB_CHECK == 0
