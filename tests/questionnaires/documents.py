"""Small contents for the tests of questionnaires."""

from pathlib import Path
from typing import Any

import vendorrisk.questionnaires
from vendorrisk.questionnaires.content import Content, content_of
from vendorrisk.questionnaires.content_checks import checked

BUILT_IN = Path(vendorrisk.questionnaires.__file__).parent / "built_in"


def baseline() -> Content:
    return content_of((BUILT_IN / "baseline.json").read_bytes())


def en(text: str) -> dict[str, str]:
    return {"en": text}


def options(*keys: str, **credits_by_key: int) -> list[dict[str, Any]]:
    return [{"key": key, "label": en(key), "credit": credits_by_key.get(key, 0)} for key in (*keys, *credits_by_key)]


def asks(key: str, kind: str = "yes_no", **fields: Any) -> dict[str, Any]:
    if kind in {"single", "multiple"} and "options" not in fields:
        fields["options"] = options("x", "y", "z")
    if kind == "table" and "columns" not in fields:
        fields["columns"] = [{"key": "name", "label": en("Name"), "kind": "text"}]
    return {"key": key, "kind": kind, "text": en(f"What about {key}?"), **fields}


def section(key: str, *questions: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"key": key, "title": en(key), "questions": list(questions), **fields}


def document(*parts: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return a document of sections, or of questions in one section."""
    sections = [part for part in parts if "questions" in part] or [section("all", *parts)]
    whole = {
        "format": "vendorrisk-questionnaire/1",
        "key": "k",
        "title": en("A questionnaire"),
        "languages": ["en"],
        "default_language": "en",
        "method": "q1",
        "sections": sections,
    }
    return whole | fields


def content(*parts: dict[str, Any], **fields: Any) -> Content:
    return content_of(document(*parts, **fields))


def faults(*parts: dict[str, Any], **fields: Any) -> list[tuple[str, str]]:
    return [(fault.code, fault.pointer) for fault in checked(content(*parts, **fields)).faults]


def warnings(*parts: dict[str, Any], **fields: Any) -> list[tuple[str, str]]:
    return [(fault.code, fault.pointer) for fault in checked(content(*parts, **fields)).warnings]
