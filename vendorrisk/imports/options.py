"""How an upload is to be treated, as the sender states it."""

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from vendorrisk.errors import Code, Refusal
from vendorrisk.imports.cells import DateOrder
from vendorrisk.imports.columns import IGNORE
from vendorrisk.normal_form import UnfitError, clean_line


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How an upload is to be treated. `mapping` is heading → field, or `ignore`."""

    dry_run: bool = True
    partial: bool = False
    mapping: Mapping[str, str] = msgspec.field(default_factory=dict)
    date_order: DateOrder | None = None
    file_name: str | None = None


def mapping_of(texts: Sequence[str], fields: Iterable[str]) -> dict[str, str]:
    """Read `heading:field` texts. A heading may hold colons, a field does not."""
    mapping = {}
    for text in texts:
        heading, mark, field = text.rpartition(":")
        if not mark or not heading:
            detail = f"Write map=heading:field with a field of: {', '.join(fields)}, {IGNORE}."
            raise Refusal(Code.PARAMETER_INVALID, detail, parameter="map")
        mapping[heading] = field
    return mapping


def file_name_of(text: str | None) -> str | None:
    """Return the last part of a file's name, for the record only. Nothing is ever opened by it."""
    if text is None:
        return None
    try:
        return clean_line(re.split(r"[/\\]", text)[-1], 255)
    except UnfitError as error:
        raise Refusal(Code.PARAMETER_INVALID, str(error), parameter="file_name") from None
