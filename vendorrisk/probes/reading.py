"""The way of strangers' bytes: they are read in the sandbox, and a parser that fails makes its part unknown."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from vendorrisk.probes.observation import Unknown
from vendorrisk.sandbox.running import SMALL, Limits, Sandbox, SandboxError

T = TypeVar("T")

_SMALL_INPUT: Final = 5 << 20
"""A body of a page's size (2 MB) twice, with room. Only lists that are fetched once for all vendors are larger."""
_LARGE: Final = Limits(cpu_seconds=30, wall_seconds=60.0, answer_bytes=64 << 20)


async def read(sandbox: Sandbox, parser: Callable[[bytes], T], payload: bytes, *, about: str) -> T | Unknown:
    """Return what a parser makes of the bytes. `about` is the host or list, by which callers take turns."""
    limits = SMALL if len(payload) <= _SMALL_INPUT else _LARGE
    try:
        return await sandbox.run(parser, payload, limits, on_behalf_of=about)
    except SandboxError as error:
        return Unknown(reason=f"parser_{error.reason.value}")


def packed(*parts: object) -> bytes:
    """Return several inputs as the one payload of a parser, which takes them apart with its own type."""
    return msgspec.msgpack.encode(parts)
