"""A content as the sheets of a workbook, and back: nothing is lost on the way.

    About      one row for each field of the questionnaire
    Sections   one row each
    Questions  one row each, in order. Columns have the names of the JSON fields
    Options    the options of sets, questions, columns and fields
    Columns    the columns and further fields of questions
    Bands      the bands of questions
    Flags      the flags of questions

A text has a column for each language, such as `text:de`. A list has one entry on each line of its cell. A blank cell is
a field that has its default.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from vendorrisk.questionnaires.content import Content, ContentError, ContentFault, content_of
from vendorrisk.sheets.reading import Cell

Sheets = Mapping[str, Sequence[Sequence[Cell]]]
"""The rows of each sheet. The first has the headings."""

_Plain = dict[str, Any]

ABOUT, SECTIONS, QUESTIONS, OPTIONS, COLUMNS, BANDS, FLAGS = (
    *("About", "Sections", "Questions", "Options"),
    *("Columns", "Bands", "Flags"),
)
NAMES: Final = (ABOUT, SECTIONS, QUESTIONS, OPTIONS, COLUMNS, BANDS, FLAGS)

_BY_LANGUAGE: Final = frozenset({"title", "label", "text", "help", "internal_help", "intro", "description"})
_GROUPS: Final = frozenset({"evidence", "score", "none", "finding"})
_LISTS: Final = frozenset({"languages", "same_as", "evidence.kinds"})
_TRUTHS: Final = frozenset(
    {
        *("required", "critical", "gate", "whole", "asks_note", "shown"),
        *("evidence.wanted", "evidence.required"),
    }
)
_NUMBERS: Final = frozenset(
    {
        *("meaning", "weight", "credit", "none.credit", "up_to", "minimum", "maximum", "max_characters"),
        *("min_choices", "max_choices", "min_rows", "max_rows"),
    }
)
_ELSEWHERE: Final = frozenset({"questions", "option_sets", "sections", "columns", "fields", "flags", "bands"})

_FIRST: Final[Mapping[str, tuple[str, ...]]] = {
    SECTIONS: ("key", "title:{}", "intro:{}", "when"),
    QUESTIONS: (
        *("section", "key", "kind", "text:{}", "help:{}", "internal_help:{}", "meaning", "weight", "critical"),
        *("required", "not_applicable", "gate", "options", "when", "evidence.wanted", "evidence.required"),
        *("evidence.kinds", "score.rule", "score.none_of", "score.column", "none.label:{}", "none.credit"),
        *("finding.severity", "minimum", "maximum", "whole", "unit", "not_before", "not_after", "max_characters"),
        *("min_choices", "max_choices", "min_rows", "max_rows", "same_as"),
    ),
    OPTIONS: ("set", "question", "part", "column", "key", "label:{}", "credit", "asks_note"),
    COLUMNS: ("question", "part", "key", "label:{}", "kind", "required", "options"),
    BANDS: ("question", "up_to", "credit"),
    FLAGS: ("question", "key", "when", "severity", "title:{}", "text:{}", "shown"),
}
"""The columns of each sheet in their order. `{}` stands for each language. Columns of `maps` follow."""

_TEXT_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


# --- out


def sheets_of(content: Content) -> Sheets:
    """Return the sheets of a content."""
    plain: _Plain = msgspec.to_builtins(content, str_keys=True)
    rows: dict[str, list[_Plain]] = {name: [] for name in NAMES[1:]}
    for name, options in plain.get("option_sets", {}).items():
        rows[OPTIONS] += [{"set": name, **_flat(option)} for option in options]
    for section in plain.get("sections", ()):
        rows[SECTIONS].append(_flat(section))
        for question in section.get("questions", ()):
            _add_question(rows, section["key"], question)
    about = _flat(plain)
    every = [about, *(cells for found in rows.values() for cells in found)]
    languages = sorted({*content.languages, *(language for cells in every for language in _languages(cells))})
    made: dict[str, list[list[Cell]]] = {ABOUT: [["field", "value"], *([name, cell] for name, cell in about.items())]}
    for name, found in rows.items():
        made[name] = _table(_headings(name, found, languages), found)
    return made


def _add_question(rows: dict[str, list[_Plain]], section: str, question: _Plain) -> None:
    key = question["key"]
    rows[QUESTIONS].append({"section": section, **_flat(question)})
    rows[OPTIONS] += [{"question": key, **_flat(option)} for option in _own_options(question)]
    rows[BANDS] += [{"question": key, **_flat(band)} for band in question.get("score", {}).get("bands", ())]
    rows[FLAGS] += [{"question": key, **_flat(flag)} for flag in question.get("flags", ())]
    for part in ("columns", "fields"):
        for column in question.get(part, ()):
            place = {"question": key, "part": part}
            rows[COLUMNS].append({**place, **_flat(column)})
            own = [{**place, "column": column["key"], **_flat(option)} for option in _own_options(column)]
            rows[OPTIONS] += own


def _own_options(part: _Plain) -> Sequence[_Plain]:
    options = part.get("options", ())
    return () if isinstance(options, str) else options


def _flat(part: _Plain, before: str = "") -> _Plain:
    """Return the cells of a part by heading. Parts with sheets of their own are left out."""
    cells: _Plain = {}
    for name, value in part.items():
        heading = before + name
        if name in _BY_LANGUAGE or name == "maps":
            cells |= {f"{heading}:{word}": _cell(entry) for word, entry in value.items()}
        elif name in _GROUPS:
            cells |= _flat(value, f"{heading}.")
        elif name not in _ELSEWHERE and not (name == "options" and not isinstance(value, str)):
            cells[heading] = _cell(value)
    return cells


def _cell(value: Any) -> Cell:
    # A list without entries is a line break, because a blank cell means the default.
    return ("\n".join(value) or "\n") if isinstance(value, list | tuple) else value


def _languages(cells: Mapping[str, Cell]) -> set[str]:
    return {heading.partition(":")[2] for heading in cells if ":" in heading and not heading.startswith("maps:")}


def _headings(name: str, rows: Iterable[_Plain], languages: Sequence[str]) -> list[str]:
    """Return the headings of a sheet. Those of languages are left out if no row uses them."""
    used = {heading for row in rows for heading in row}
    made: list[str] = []
    for heading in _FIRST[name]:
        spelt = [heading.format(language) for language in languages] if "{}" in heading else [heading]
        made += [one for one in spelt if "{}" not in heading or one in used]
    return [*made, *sorted(used - set(made))]


def _table(headings: Sequence[str], rows: Iterable[_Plain]) -> list[list[Cell]]:
    return [list(headings), *([row.get(heading) for heading in headings] for row in rows)]


# --- back


class _Reader:
    """Puts a content together from its sheets, and remembers which row each part is from."""

    def __init__(self, sheets: Sheets) -> None:
        self.faults: list[ContentFault] = []
        self._places: dict[str, str] = {"": f"sheet {ABOUT}"}
        self._rows = {name: list(self._rows_of(name, sheets.get(name, ()))) for name in NAMES[1:]}
        self.plain = self._about(sheets.get(ABOUT, ()))
        self._questions: dict[Cell, tuple[_Plain, str]] = {}
        self._add_sections()
        self._add_questions()
        self._add_columns()
        self._add_options()
        self._add_parts(BANDS, lambda question: question.setdefault("score", {}).setdefault("bands", []), "score/bands")
        self._add_parts(FLAGS, lambda question: question.setdefault("flags", []), "flags")

    def placed(self, fault: ContentFault) -> ContentFault:
        """Return a fault whose detail names the sheet and row of its part."""
        steps = fault.pointer.split("/")
        for end in range(len(steps), 0, -1):
            if (place := self._places.get("/".join(steps[:end]))) is not None:
                return msgspec.structs.replace(fault, detail=f"In {place}: {fault.detail}")
        return fault

    def _rows_of(self, name: str, rows: Sequence[Sequence[Cell]]) -> Iterator[tuple[str, _Plain]]:
        """Yield each row that is not blank, as its place and its cells by heading."""
        headings = [_said(cell) for cell in rows[0]] if rows else []
        for number, row in enumerate(rows[1:], 2):
            cells = {h: c for h, c in zip(headings, row, strict=False) if h and c is not None and c != ""}
            if cells:
                yield f"sheet {name}, row {number}", cells

    def _about(self, rows: Sequence[Sequence[Cell]]) -> _Plain:
        cells = {_said(row[0]): row[1] for row in rows[1:] if len(row) > 1 and row[0] and row[1] not in {None, ""}}
        return _nested(cells)

    def _add_sections(self) -> None:
        sections = self.plain["sections"] = []
        self._sections: dict[Cell, tuple[_Plain, str]] = {}
        for place, cells in self._rows[SECTIONS]:
            section = _nested(cells)
            pointer = f"/sections/{len(sections)}"
            self._places[pointer] = place
            self._sections[section.get("key")] = (section, pointer)
            sections.append(section)

    def _add_questions(self) -> None:
        for place, cells in self._rows[QUESTIONS]:
            name = _said(cells.pop("section", None))
            if name not in self._sections:
                self._lost(place, f"The sheet {SECTIONS} has no section {name!r}.")
                continue
            section, above = self._sections[name]
            own = section.setdefault("questions", [])
            question, pointer = _nested(cells), f"{above}/questions/{len(own)}"
            self._places[pointer] = place
            self._questions[question.get("key")] = (question, pointer)
            own.append(question)

    def _add_columns(self) -> None:
        self._columns: dict[tuple[Cell, ...], tuple[_Plain, str]] = {}
        for place, cells in self._rows[COLUMNS]:
            part = _said(cells.pop("part", "columns"))
            found = self._question_of(place, cells)
            if found is None:
                continue
            if part not in {"columns", "fields"}:
                self._lost(place, "Write columns or fields as the part.")
                continue
            question, pointer, key = found
            column, own = _nested(cells), question.setdefault(part, [])
            below = f"{pointer}/{part}/{len(own)}"
            self._places[below] = place
            self._columns[key, part, column.get("key")] = (column, below)
            own.append(column)

    def _add_options(self) -> None:
        for place, cells in self._rows[OPTIONS]:
            name, part, column = (_said(cells.pop(one, None)) for one in ("set", "part", "column"))
            if name:
                owner, pointer = self.plain.setdefault("option_sets", {}), "/option_sets"
                cells.pop("question", None)
            elif (found := self._question_of(place, cells)) is None:
                continue
            elif not column:
                owner, pointer, name = found[0], found[1], "options"
            elif (of_column := self._columns.get((found[2], part, column))) is not None:
                owner, pointer, name = *of_column, "options"
            else:
                self._lost(place, f"The sheet {COLUMNS} has no column {column!r} of this question.")
                continue
            self._add_option(owner, name, pointer, place, _nested(cells))

    def _add_option(self, owner: _Plain, name: str, pointer: str, place: str, option: _Plain) -> None:
        own = owner.setdefault(name, [])
        if isinstance(own, str):
            self._lost(place, f"The options are those of the set {own!r}. Take out the row, or the name of the set.")
            return
        self._places[f"{pointer}/{name}/{len(own)}"] = place
        own.append(option)

    def _add_parts(self, name: str, parts_of: Any, below: str) -> None:
        for place, cells in self._rows[name]:
            if (found := self._question_of(place, cells)) is not None:
                own = parts_of(found[0])
                self._places[f"{found[1]}/{below}/{len(own)}"] = place
                own.append(_nested(cells))

    def _question_of(self, place: str, cells: _Plain) -> tuple[_Plain, str, Cell] | None:
        key = _said(cells.pop("question", None))
        if key not in self._questions:
            self._lost(place, f"The sheet {QUESTIONS} has no question {key!r}.")
            return None
        return *self._questions[key], key

    def _lost(self, place: str, detail: str) -> None:
        self.faults.append(ContentFault("row_without_owner", "", f"In {place}: {detail}"))


def content_from(sheets: Sheets) -> Content:
    """Return the content of the sheets. Raises `ContentError`, with the sheet and row of each fault."""
    reader = _Reader(sheets)
    if reader.faults:
        raise ContentError(tuple(reader.faults[:50]))
    try:
        return content_of(reader.plain)
    except ContentError as error:
        raise ContentError(tuple(reader.placed(fault) for fault in error.faults)) from error


def placed(sheets: Sheets, faults: Iterable[ContentFault]) -> tuple[ContentFault, ...]:
    """Return faults of a content with the sheet and row of each in its detail."""
    reader = _Reader(sheets)
    return tuple(reader.placed(fault) for fault in faults)


def _nested(cells: Mapping[str, Cell]) -> _Plain:
    """Return a part from its cells: groups and languages become objects."""
    part: _Plain = {}
    for heading, cell in cells.items():
        path, _, word = heading.partition(":")
        inside = part
        *groups, name = path.split(".")
        for group in groups:
            inside = inside.setdefault(group, {})
        if word:
            inside.setdefault(name, {})[word] = _lines(cell) if path == "maps" else _said(cell)
        else:
            inside[name] = _value(path, cell)
    return part


def _value(heading: str, cell: Cell) -> object:
    if heading in _LISTS:
        return _lines(cell)
    if heading in _TRUTHS:
        return _truth(cell)
    if heading in _NUMBERS:
        return _number(cell)
    # A condition stays as it is written, blanks included.
    return str(cell) if heading == "when" else _said(cell)


def _lines(cell: Cell) -> list[str]:
    return [line.strip() for line in _said(cell).split("\n") if line.strip()]


def _truth(cell: Cell) -> object:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    return words.get(_said(cell).lower(), cell)


def _number(cell: Cell) -> object:
    if isinstance(cell, str) and _TEXT_NUMBER.fullmatch(cell.strip()):
        return msgspec.json.decode(cell.strip().lstrip("+"))
    return cell


def _said(cell: Cell) -> str:
    """Return a cell as text. A program may have made a number of a text."""
    return "" if cell is None else str(cell).strip()
