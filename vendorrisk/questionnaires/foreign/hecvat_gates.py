"""The qualifiers of a HECVAT: answers that decide which sections are asked.

HECVAT 2 and 3 word them differently from version to version. So a qualifier is joined to its section by the words of
the user's own copy, and a qualifier whose words name no section decides nothing. HECVAT 4 has fixed ids.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from vendorrisk.questionnaires.content import QuestionKind
from vendorrisk.questionnaires.foreign.contents import Asked, key_of
from vendorrisk.questionnaires.foreign.outcome import Form

_BY_WORDS: Final = {
    "HIPA": re.compile(r"hipaa|\bphi\b|protected health", re.IGNORECASE),
    "THRD": re.compile(r"third[- ]part", re.IGNORECASE),
    "BCPL": re.compile(r"business continuity|\bbcp\b", re.IGNORECASE),
    "DRPL": re.compile(r"disaster recovery|\bdrp\b", re.IGNORECASE),
    "PCID": re.compile(r"\bpci\b|credit card|payment card|cardholder", re.IGNORECASE),
    "CONS": re.compile(r"consult|professional services", re.IGNORECASE),
}
_SHEETS_4: Final = {
    "product": "REQU-01",
    "infrastructure": "REQU-01",
    "it accessibility": "REQU-02",
    "ai": "REQU-04",
    "privacy": "REQU-08",
}
_PREFIXES_4: Final = {
    "CONS": ("REQU-03",),
    "HIPA": ("REQU-05",),
    "PCID": ("REQU-06",),
    "OPEM": ("REQU-07",),
    "AIML": ("AIQU-01",),
    "AILM": ("AIQU-02",),
}


def gated(asked: Sequence[Asked], form: Form) -> list[Asked]:
    """Return the questions with the conditions of their qualifiers, and the qualifiers as gates."""
    by_id = {one.id: one for one in asked}
    words = {} if form is Form.HECVAT4 else _gates_by_words(asked)
    gates = {one.id: _gates(one, words, form) for one in asked}
    gates = {name: tuple(gate for gate in found if _decides(by_id, gate, name)) for name, found in gates.items()}
    deciding = {gate for found in gates.values() for gate in found}
    return [
        msgspec.structs.replace(
            one,
            when=" and ".join(f"{key_of(gate)} = yes" for gate in gates[one.id]) or None,
            gate=one.id in deciding,
        )
        for one in asked
    ]


def gates_of(asked: Sequence[Asked]) -> dict[str, tuple[str, ...]]:
    """Return, for each gated question, the keys of its qualifiers."""
    return {one.id: tuple(part.partition(" = ")[0] for part in one.when.split(" and ")) for one in asked if one.when}


def _gates_by_words(asked: Sequence[Asked]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in asked:
        if one.id.startswith("QUAL-"):
            for prefix, pattern in _BY_WORDS.items():
                if prefix not in found and one.id not in found.values() and pattern.search(one.text):
                    found[prefix] = one.id
    return found


def _gates(one: Asked, words: Mapping[str, str], form: Form) -> tuple[str, ...]:
    prefix = one.id[:4]
    if form is not Form.HECVAT4:
        return (words[prefix],) if prefix in words else ()
    sheet = _SHEETS_4.get(one.sheet.lower())
    return (*((sheet,) if sheet else ()), *_PREFIXES_4.get(prefix, ()))


def _decides(by_id: Mapping[str, Asked], gate: str, name: str) -> bool:
    found = by_id.get(gate)
    if found is None or found.kind is not QuestionKind.YES_NO:
        return False
    here, there = by_id[name], found
    return list(by_id).index(gate) < list(by_id).index(name) and here.id != there.id
