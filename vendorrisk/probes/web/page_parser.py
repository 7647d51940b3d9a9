"""Pages as lists: the entries of a trust or sub-processor page, without parts that change by themselves.

A page is read into rows: those of its largest table, or of its largest list. Navigation, footers, cookie banners and
"last updated" lines are left out. Text is normalised (NFKC). Two versions are compared by the name of each row.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import zip_longest

from selectolax.lexbor import LexborHTMLParser, LexborNode

from vendorrisk.probes.observation import Raw
from vendorrisk.probes.web import html_bounds

MOST_ROWS = 1_000
_MOST_CELL = 300
_MOST_DETAILS = 100
_MOST_NAME = 1_000
_MOST_READ = 8 << 20
_LEAST_ROWS = 2
_LEAST_TEXT = 200
_GONE_PERCENT = 60
_TEXT_PERCENT = 30
_NOISE = (
    "script, style, noscript, template, svg, nav, header, footer, form, iframe, [role=navigation], [role=banner], "
    "[role=contentinfo], [aria-hidden=true], [id*=cookie], [class*=cookie], [id*=consent], [class*=consent]"
)
_UPDATED = re.compile(
    r"(?:last|recently) (?:updated|modified|reviewed)|(?:effective|updated|modified) (?:date|on|as of)|^updated:|"
    r"version \d|©|copyright",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"[\s,]+(?:inc|incorporated|l\.?l\.?c|ltd|limited|gmbh|ag|corp|corporation|co|company|plc|b\.?v|s\.?a|s\.?a\.?s|"
    r"s\.?r\.?l|pty|ab|as|oy|kk|sarl|se|nv|lp|llp|pte|pbc|ulc)\.?$",
    re.IGNORECASE,
)
_HEADINGS = frozenset({
    "name", "entity", "entity name", "subprocessor", "sub-processor", "vendor", "company", "third party", "provider",
    "subprocessor name", "sub-processor name", "service provider", "supplier", "organization", "organisation",
})  # fmt: skip


class Row(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """`key` is the first cell in comparable form. `cells` are the texts as shown."""

    key: str
    cells: tuple[str, ...]


class PageText(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="page"):
    """`characters` is the length of the whole text. `needs_script` marks a page that is empty without scripts.

    `too_complex` marks a page beyond the bounds, of which nothing was read.
    """

    rows: tuple[Row, ...] = ()
    characters: int = 0
    needs_script: bool = False
    too_complex: bool = False


def extract(html: bytes) -> PageText:
    """Read any bytes as a page. Runs in the sandbox's child."""
    try:
        html_bounds.check(html)
        return _extracted(html)
    except html_bounds.PageTooComplexError:
        return PageText(too_complex=True)


def _extracted(html: bytes) -> PageText:
    page = LexborHTMLParser(html)
    scripts = len(page.css("script"))
    if page.body is None:
        return PageText(needs_script=scripts > 0)
    for node in page.css(_NOISE):
        if node.tag not in {"body", "html"}:
            node.decompose()
    text = _clean(page.body.text(separator=" "))
    rows = _best(page)
    return PageText(
        rows=tuple(sorted(rows.values(), key=lambda row: row.key)),
        characters=len(text),
        needs_script=scripts > 0 and not rows and len(text) < _LEAST_TEXT,
    )


def _best(page: LexborHTMLParser) -> dict[str, Row]:
    """Return the rows of all tables. If there are none, return those of the longest list."""
    texts = _Texts()
    tables = _rows([texts.of(row.css("td, th")[:12]) for row in page.css("table tr")[: 2 * MOST_ROWS]])
    if len(tables) >= _LEAST_ROWS:
        return tables
    lists = [_rows([texts.of([li]) for li in _items(one)]) for one in page.css("ul, ol")[:200]]
    return max([tables, *lists], key=len)


class _Texts:
    """Reads the texts of cells. Nested cells hold the text of all within, so the sum is bounded."""

    def __init__(self) -> None:
        self._left = _MOST_READ

    def of(self, nodes: list[LexborNode]) -> list[str]:
        return [self._one(node) for node in nodes]

    def _one(self, node: LexborNode) -> str:
        text = node.text(separator=" ")
        self._left -= len(text)
        if self._left < 0:
            raise html_bounds.PageTooComplexError
        return _clean(text)


def _items(one: LexborNode) -> list[LexborNode]:
    return [node for node in one.iter() if node.tag == "li"][:MOST_ROWS]


def _rows(lines: list[list[str]]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for cells in lines[:MOST_ROWS]:
        key = entity_key(cells[0]) if cells else ""
        if key and key not in _HEADINGS and not _UPDATED.search(cells[0]):
            found.setdefault(key, Row(key=key, cells=tuple(cell[:_MOST_CELL] for cell in cells)))
    return found


def _clean(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def entity_key(name: str) -> str:
    """Return a company's name for comparison: case folded, without legal forms and punctuation at the end."""
    key = _clean(name[:_MOST_NAME]).casefold().strip(" .,;:*†‡")
    for _ in range(3):
        shorter = _LEGAL.sub("", key).strip(" .,;:")
        if shorter == key or not shorter:
            break
        key = shorter
    return key[:_MOST_CELL]


class PageDiff(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """`unreadable` is the reason why the two cannot be compared. Then all other fields are empty.

    `details` has for each of added, removed and changed, in this order, the other cells of the row, or their change,
    for the first hundred.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    unreadable: str = ""


def unreadable(page: PageText) -> str:
    """Return why a page cannot be read as a list, or an empty string."""
    if page.too_complex:
        return "page_too_complex"
    if page.needs_script:
        return "js_required"
    return "" if len(page.rows) >= _LEAST_ROWS else "no_list"


def diff(before: PageText, after: PageText) -> PageDiff:
    """Compare two readings. A page of which most is gone has a new layout, not a new list."""
    reason = unreadable(after)
    if reason:
        return PageDiff(unreadable=reason)
    old, new = {row.key: row for row in before.rows}, {row.key: row for row in after.rows}
    gone = [key for key in old if key not in new]
    if old and len(gone) * 100 > len(old) * _GONE_PERCENT:
        return PageDiff(unreadable="layout_changed")
    if after.characters * 100 < before.characters * _TEXT_PERCENT:
        return PageDiff(unreadable="text_gone")
    added = _ordered(new, [key for key in new if key not in old])
    removed = _ordered(old, gone)
    changed = _ordered(new, [key for key in new if key in old and _rest(old[key]) != _rest(new[key])])
    details = (*map(_cells_of, added), *map(_cells_of, removed), *(_became(old[row.key], row) for row in changed))
    return PageDiff(
        added=_display(added), removed=_display(removed), changed=_display(changed), details=details[:_MOST_DETAILS]
    )


def _rest(row: Row) -> tuple[str, ...]:
    return tuple(cell.casefold() for cell in row.cells[1:])


def _ordered(rows: Mapping[str, Row], keys: list[str]) -> list[Row]:
    return sorted((rows[key] for key in keys), key=lambda row: row.cells)


def _display(rows: list[Row]) -> tuple[str, ...]:
    return tuple(row.cells[0] for row in rows)


def _cells_of(row: Row) -> str:
    return " | ".join(filter(None, row.cells[1:]))[:_MOST_CELL]


def _became(old: Row, new: Row) -> str:
    """Write each cell that is another now as "before → now"."""
    return "; ".join(f"{was or '—'} → {now or '—'}" for was, now in _different(old, new))[:_MOST_CELL]


def _different(old: Row, new: Row) -> Iterator[tuple[str, str]]:
    for was, now in zip_longest(old.cells[1:], new.cells[1:], fillvalue=""):
        if was.casefold() != now.casefold():
            yield was, now
