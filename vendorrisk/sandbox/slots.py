"""How many children run at once, and how much memory they may take together."""

from typing import Final

import msgspec

SMALL_BYTES: Final = 32 << 20
"""The most memory of a child in a small slot."""


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """The children of one process: `small` slots for pages and the like, and one slot for a large input.

    A small input never waits behind a large one. One tenant has at most `share` of the
    small slots. `large_bytes` is the memory of the one large child.
    """

    small: int
    share: int | None = None
    large_bytes: int

    @property
    def most_bytes(self) -> int:
        """Return the most memory that all children of the process take together."""
        return self.small * SMALL_BYTES + self.large_bytes


API_ROOM: Final = Room(small=2, share=1, large_bytes=96 << 20)
WORKER_ROOM: Final = Room(small=3, large_bytes=256 << 20)
"""Together 512 MB, beside one API and one worker."""
