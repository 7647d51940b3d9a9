"""A questionnaire that arrives as bytes: read and checked in the sandbox, with no transaction open.

The checks of conditions try many combinations of answers. So they run where time and memory are bounded.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import msgspec

from vendorrisk.errors import Code, Refusal
from vendorrisk.questionnaires.content import Content, ContentError, ContentFault, content_of
from vendorrisk.questionnaires.content_checks import checked
from vendorrisk.questionnaires.freezing import frozen
from vendorrisk.questionnaires.model import FrozenContent
from vendorrisk.sandbox.running import API_SANDBOX, Limits, Reason, SandboxError
from vendorrisk.sandbox.slots import API_ROOM, SMALL_BYTES

_SMALL_CONTENT = 256 << 10
_QUICK: Final = Limits(cpu_seconds=5, wall_seconds=10.0, memory_bytes=SMALL_BYTES, answer_bytes=8 << 20)
_THOROUGH: Final = Limits(cpu_seconds=10, wall_seconds=20.0, memory_bytes=API_ROOM.large_bytes, answer_bytes=16 << 20)


class ReadContent(msgspec.Struct, frozen=True, kw_only=True):
    """A content that was read, with its faults and warnings. `form` is None if it could not be read."""

    form: FrozenContent | None = None
    faults: tuple[ContentFault, ...] = ()
    warnings: tuple[ContentFault, ...] = ()


def read_json(raw: bytes) -> ReadContent:
    """Read a questionnaire in our own format. The form in which a child can be asked for it."""
    try:
        return looked_at(content_of(raw))
    except ContentError as error:
        return ReadContent(faults=error.faults)


def looked_at(content: Content) -> ReadContent:
    """Check a content as a draft and a publication demand it."""
    found = checked(content)
    return ReadContent(form=frozen(content), faults=tuple(found.faults), warnings=tuple(found.warnings))


async def in_sandbox(
    parser: Callable[[bytes], ReadContent], raw: bytes, tenant_id: UUID, *, is_quick: bool = True
) -> ReadContent:
    """Run a parser in a child. A small file does not wait behind a large one, and tenants take turns."""
    limits = _QUICK if is_quick and len(raw) <= _SMALL_CONTENT else _THOROUGH
    try:
        return await API_SANDBOX.run(parser, raw, limits, on_behalf_of=tenant_id)
    except SandboxError as error:
        if error.reason is Reason.BUSY:
            detail = "Too many files are being read. Send it again."
            raise Refusal(Code.OVERLOADED, detail, retry_after_seconds=10) from None
        detail = "It takes too much time or memory to be checked. Shorten its conditions, or divide it in two."
        raise Refusal(Code.QUESTIONNAIRE_INVALID, detail, pointer="") from None
