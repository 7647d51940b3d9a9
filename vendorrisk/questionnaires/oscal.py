"""An OSCAL catalogue as a questionnaire: a section for each group, and a question for each control without parts.

OSCAL 1.1 (NIST): groups hold groups and controls, controls hold controls. The statement of a control is what a vendor
is asked, its guidance is the help. Markdown becomes plain text.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from vendorrisk.questionnaires.content import FORMAT, METHOD, Content, ContentError, ContentFault, content_of

_LONGEST_TEXT, _LONGEST_LINE, _LONGEST_KEY = 2000, 300, 64
_ASKED: Final = "Do you do all of this?"
_LINK = re.compile(r"\[([^\]]*)\]\((\S+?)\)")
_QUOTED = re.compile(r"^>\s?", re.MULTILINE)
_MARKS = re.compile(r"[*`]+|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)")


Item = Mapping[str, Any]
"""A group, a control or a part, as its JSON has it."""


def content_of_catalog(raw: bytes, key: str) -> Content:
    """Return a questionnaire of that key, in English. Raises `ContentError` if the file is no catalogue."""
    try:
        catalog = msgspec.json.decode(raw)["catalog"]
        sections = [_section(group, key) for group in _groups(catalog["groups"])]
        title = _plain(catalog["metadata"]["title"], _LONGEST_LINE)
    except (msgspec.MsgspecError, ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        detail = "The file is no OSCAL catalogue in JSON. Send one, with groups and controls."
        raise ContentError((ContentFault("catalog_unreadable", "", detail),)) from error
    content = {
        "format": FORMAT,
        "key": key,
        "title": {"en": title},
        "languages": ["en"],
        "default_language": "en",
        "method": METHOD,
        "sections": sections,
    }
    return content_of(msgspec.json.encode(content))


def _groups(groups: Iterable[Item]) -> Iterator[Item]:
    """Yield the groups that have controls of their own, depth first."""
    for group in groups:
        if group.get("controls"):
            yield group
        yield from _groups(group.get("groups", ()))


def _section(group: Item, key: str) -> Item:
    return {
        "key": _key(group.get("id") or group["title"]),
        "title": {"en": _plain(group["title"], _LONGEST_LINE)},
        "questions": [_question(control, key) for control in _leaves(group["controls"])],
    }


def _leaves(controls: Iterable[Item]) -> Iterator[Item]:
    """Yield the controls that are not divided further, and still in force."""
    for control in controls:
        if control.get("controls"):
            yield from _leaves(control["controls"])
        elif _prop(control, "status").lower() != "withdrawn":
            yield control


def _prop(control: Item, name: str) -> str:
    return next((str(prop["value"]) for prop in control.get("props", ()) if prop["name"] == name), "")


def _question(control: Item, framework: str) -> Item:
    statement = "\n".join(_prose(control.get("parts", ()), "statement"))
    guidance = "\n\n".join(_prose(control.get("parts", ()), "guidance"))
    # The number by which people know the control.
    label = re.sub(r"[^!-~]+", "-", (_prop(control, "label") or control["id"]).strip())[:_LONGEST_KEY]
    more: Item = {"help": {"en": _plain(guidance, _LONGEST_TEXT)}} if guidance.strip() else {}
    return {
        "key": _key(control["id"]),
        "kind": "yes_no",
        "text": {"en": _plain(f"{control['title'].rstrip('.')}. {_ASKED}\n{statement}", _LONGEST_TEXT)},
        "weight": 1,
        "not_applicable": "with_reason",
        "maps": {framework: [label]},
        "same_as": [f"{framework}:{label}"],
        **more,
    }


def _prose(parts: Iterable[Item], name: str) -> Iterator[str]:
    for part in parts:
        if part["name"] == name or (name == "statement" and part["name"] == "item"):
            yield part.get("prose", "").strip()
            yield from _prose(part.get("parts", ()), name)


def _plain(text: str, longest: int) -> str:
    """Return Markdown as plain text, cut to its bound."""
    plain = _MARKS.sub("", _QUOTED.sub("", _LINK.sub(r"\1 (\2)", text))).strip()
    return plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"


def _key(identifier: str) -> str:
    """Return an id in the form of a key: small letters, other characters to a hyphen."""
    words = re.findall(r"[a-z0-9]+|[._-]", re.sub(r"[^a-z0-9._-]+", "-", identifier.lower()))
    joined = re.sub(r"[._-]*([._-])(?=[a-z0-9])", r"\1", "".join(words)).strip("._-")
    return (joined if joined[:1].isalpha() else f"q{joined}")[:_LONGEST_KEY].rstrip("._-")
