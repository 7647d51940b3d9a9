"""An OSCAL catalogue as a questionnaire: a section for each group, and a question for each control without parts.

OSCAL 1.1 (NIST): groups hold groups and controls, controls hold controls. The statement of a control is what a vendor
is asked, its guidance is the help. Markdown becomes plain text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from vendorrisk.questionnaires.content import (
    FORMAT,
    METHOD,
    Content,
    ContentError,
    ContentFault,
    NotApplicable,
    Question,
    QuestionKind,
    Section,
    content_of,
)

_LONGEST_TEXT, _LONGEST_LINE, _LONGEST_KEY = 2000, 300, 64
_ASKED: Final = "Do you do all of this?"
_LINK = re.compile(r"\[([^\]]*)\]\((\S+?)\)")
_QUOTED = re.compile(r"^>\s?", re.MULTILINE)
_MARKS = re.compile(r"[*`]+|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)")


class Prop(msgspec.Struct, frozen=True):
    name: str
    value: str


class Part(msgspec.Struct, frozen=True):
    """A part of a control: its statement, or guidance."""

    name: str
    prose: str = ""
    parts: "tuple[Part, ...]" = ()


class Control(msgspec.Struct, frozen=True):
    id: str
    title: str
    props: tuple[Prop, ...] = ()
    parts: tuple[Part, ...] = ()
    controls: "tuple[Control, ...]" = ()

    @property
    def label(self) -> str:
        """Return the number by which people know the control."""
        found = next((prop.value for prop in self.props if prop.name == "label"), self.id)
        return re.sub(r"[^!-~]+", "-", found.strip())[:_LONGEST_KEY]

    @property
    def is_withdrawn(self) -> bool:
        return any((prop.name, prop.value.lower()) == ("status", "withdrawn") for prop in self.props)


class Group(msgspec.Struct, frozen=True):
    title: str
    id: str = ""
    groups: "tuple[Group, ...]" = ()
    controls: tuple[Control, ...] = ()


class Metadata(msgspec.Struct, frozen=True):
    title: str


class Catalog(msgspec.Struct, frozen=True):
    metadata: Metadata
    groups: tuple[Group, ...] = ()


class Document(msgspec.Struct, frozen=True):
    catalog: Catalog


def content_of_catalog(raw: bytes, key: str) -> Content:
    """Return a questionnaire of that key, in English. Raises `ContentError` if the file is no catalogue."""
    try:
        catalog = msgspec.json.decode(raw, type=Document).catalog
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        detail = "The file is no OSCAL catalogue in JSON. Send one, with groups and controls."
        raise ContentError((ContentFault("catalog_unreadable", "", detail),)) from error
    sections = [_section(group, key) for group in _groups(catalog.groups)]
    content = Content(
        format=FORMAT,
        key=key,
        title={"en": _plain(catalog.metadata.title, _LONGEST_LINE)},
        languages=("en",),
        default_language="en",
        method=METHOD,
        sections=tuple(sections),
    )
    return content_of(msgspec.json.encode(content))


def _groups(groups: tuple[Group, ...]) -> Iterator[Group]:
    """Yield the groups that have controls of their own, depth first."""
    for group in groups:
        if group.controls:
            yield group
        yield from _groups(group.groups)


def _section(group: Group, key: str) -> Section:
    return Section(
        key=_key(group.id or group.title),
        title={"en": _plain(group.title, _LONGEST_LINE)},
        questions=tuple(_question(control, key) for control in _leaves(group.controls)),
    )


def _leaves(controls: tuple[Control, ...]) -> Iterator[Control]:
    """Yield the controls that are not divided further, and still in force."""
    for control in controls:
        if control.controls:
            yield from _leaves(control.controls)
        elif not control.is_withdrawn:
            yield control


def _question(control: Control, framework: str) -> Question:
    statement = "\n".join(_prose(control.parts, "statement"))
    guidance = "\n\n".join(_prose(control.parts, "guidance"))
    more: Mapping[str, Any] = {"help": {"en": _plain(guidance, _LONGEST_TEXT)}} if guidance.strip() else {}
    title = control.title.rstrip(".")
    return Question(
        key=_key(control.id),
        kind=QuestionKind.YES_NO,
        text={"en": _plain(f"{title}. {_ASKED}\n{statement}", _LONGEST_TEXT)},
        weight=1,
        not_applicable=NotApplicable.WITH_REASON,
        maps={framework: (control.label,)},
        same_as=(f"{framework}:{control.label}",),
        **more,
    )


def _prose(parts: tuple[Part, ...], name: str) -> Iterator[str]:
    for part in parts:
        if part.name == name or (name == "statement" and part.name == "item"):
            yield part.prose.strip()
            yield from _prose(part.parts, name)


def _plain(text: str, longest: int) -> str:
    """Return Markdown as plain text, cut to its bound."""
    plain = _MARKS.sub("", _QUOTED.sub("", _LINK.sub(r"\1 (\2)", text))).strip()
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def _key(identifier: str) -> str:
    """Return an id in the form of a key: small letters, other characters to a hyphen."""
    words = re.findall(r"[a-z0-9]+|[._-]", re.sub(r"[^a-z0-9._-]+", "-", identifier.lower()))
    joined = re.sub(r"[._-]*([._-])(?=[a-z0-9])", r"\1", "".join(words)).strip("._-")
    return (joined if joined[:1].isalpha() else f"q{joined}")[:_LONGEST_KEY].rstrip("._-")
