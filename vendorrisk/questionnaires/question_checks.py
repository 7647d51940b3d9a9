"""The faults of one question by itself: fields that fit its kind, bounds, options, credits, and ids of criteria."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Final

import msgspec

from vendorrisk.evidence.criteria import TITLES
from vendorrisk.questionnaires.content import (
    TODAY,
    Band,
    Column,
    ColumnKind,
    Content,
    ContentFault,
    Option,
    Question,
    QuestionKind,
    Score,
    ScoreRule,
    options_of,
)
from vendorrisk.value_checks import pointer_step
from vendorrisk.value_words import one_of

_CHOSEN: Final = frozenset({QuestionKind.YES_NO, QuestionKind.SINGLE, QuestionKind.MULTIPLE})
_BELONGS: Final[Mapping[str, frozenset[QuestionKind]]] = {
    "options": _CHOSEN,
    "score": frozenset({QuestionKind.MULTIPLE, QuestionKind.NUMBER, QuestionKind.DATE, QuestionKind.TABLE}),
    "none": frozenset({QuestionKind.NUMBER, QuestionKind.DATE, QuestionKind.TABLE}),
    **dict.fromkeys(("minimum", "maximum", "whole", "unit"), frozenset({QuestionKind.NUMBER})),
    **dict.fromkeys(("not_before", "not_after"), frozenset({QuestionKind.DATE})),
    "max_characters": frozenset({QuestionKind.TEXT}),
    **dict.fromkeys(("min_choices", "max_choices"), frozenset({QuestionKind.MULTIPLE})),
    **dict.fromkeys(("columns", "min_rows", "max_rows"), frozenset({QuestionKind.TABLE})),
}
_DEFAULTS: Final = {field.name: field.default for field in msgspec.structs.fields(Question)}
_RULES: Final[Mapping[QuestionKind, tuple[ScoreRule, ...]]] = {
    QuestionKind.MULTIPLE: (ScoreRule.SHARE, ScoreRule.BEST, ScoreRule.WORST),
    QuestionKind.NUMBER: (ScoreRule.BANDS,),
    QuestionKind.DATE: (ScoreRule.AGE_IN_DAYS,),
    QuestionKind.TABLE: (ScoreRule.ROWS, ScoreRule.COUNT),
}
_BANDED: Final = frozenset({ScoreRule.BANDS, ScoreRule.AGE_IN_DAYS, ScoreRule.COUNT})


def question_faults(content: Content, question: Question, at: str) -> Iterator[ContentFault]:
    """Yield the faults of a question but for its texts and conditions. `at` is its JSON pointer."""
    yield from _stray_fields(question, at)
    yield from _bounds(question, at)
    yield from _options(content, question, at)
    yield from _credit(content, question, at)
    for name, columns in (("columns", question.columns), ("fields", question.fields)):
        yield from twins((column.key for column in columns), f"{at}/{name}")
        for number, column in enumerate(columns):
            yield from _column(content, column, f"{at}/{name}/{number}")
    yield from _criteria(question, at)


def twins(keys: Iterable[str], at: str) -> Iterator[ContentFault]:
    """Yield a fault for each key of a list that stands there before."""
    seen: set[str] = set()
    for number, key in enumerate(keys):
        if key in seen:
            yield ContentFault("twin_key", f"{at}/{number}/key", f"The key {key} is used twice. Give each its own.")
        seen.add(key)


def _stray_fields(question: Question, at: str) -> Iterator[ContentFault]:
    for name, kinds in _BELONGS.items():
        if question.kind not in kinds and getattr(question, name) != _DEFAULTS[name]:
            kind = one_of(sorted(kinds))
            detail = f"Questions of kind {question.kind} have no {name}. Remove it, or use the kind {kind}."
            yield ContentFault("field_does_not_fit", f"{at}/{name}", detail)
    if question.kind is QuestionKind.TABLE and not question.columns:
        yield ContentFault("columns_missing", f"{at}/columns", "A table needs at least one column.")


def _bounds(question: Question, at: str) -> Iterator[ContentFault]:
    for name in ("not_before", "not_after"):
        day = getattr(question, name)
        if day not in {None, TODAY} and _day(day) is None:
            yield ContentFault("no_such_date", f"{at}/{name}", f"There is no day {day}.")
    pairs = (
        ("minimum", question.minimum, "maximum", question.maximum),
        ("not_before", _day(question.not_before), "not_after", _day(question.not_after)),
        ("min_choices", question.min_choices, "max_choices", question.max_choices),
        ("min_rows", question.min_rows, "max_rows", question.max_rows),
    )
    for least_name, least, most_name, most in pairs:
        if least is not None and most is not None and least > most:  # type: ignore[operator]  # a pair has one type
            detail = f"{most_name} must not be less than {least_name}."
            yield ContentFault("bounds_crossed", f"{at}/{most_name}", detail)


def _day(written: str | None) -> date | None:
    try:
        return None if written in {None, TODAY} else date.fromisoformat(str(written))
    except ValueError:
        return None


def _options(content: Content, question: Question, at: str) -> Iterator[ContentFault]:
    if question.kind not in _CHOSEN:
        return
    yield from choice_faults(content, question, at)
    options = options_of(content, question)
    if question.min_choices is not None and 0 < len(options) < question.min_choices:
        detail = f"The question has {len(options)} options. Ask for no more choices than that."
        yield ContentFault("bounds_crossed", f"{at}/min_choices", detail)


def choice_faults(content: Content, chosen: Question | Column, at: str) -> Iterator[ContentFault]:
    """Yield the faults of the options of a question or column of a kind that is chosen from."""
    if isinstance(chosen.options, str) and chosen.options not in content.option_sets:
        known = one_of(sorted(content.option_sets)) if content.option_sets else "none"
        detail = f"There is no option set {chosen.options}. The document has: {known}."
        yield ContentFault("unknown_option_set", f"{at}/options", detail)
    elif not options_of(content, chosen):
        detail = f"The kind {chosen.kind} needs options: a list of them, or the name of an option set."
        yield ContentFault("options_missing", f"{at}/options", detail)
    elif isinstance(chosen.options, tuple):
        yield from twins((option.key for option in chosen.options), f"{at}/options")


def _column(content: Content, column: Column, at: str) -> Iterator[ContentFault]:
    if column.kind in {ColumnKind.SINGLE, ColumnKind.YES_NO}:
        yield from choice_faults(content, column, at)
    elif column.options is not None:
        detail = f"Columns of kind {column.kind} have no options. Remove them, or use the kind single."
        yield ContentFault("field_does_not_fit", f"{at}/options", detail)


def _credit(content: Content, question: Question, at: str) -> Iterator[ContentFault]:
    rules, score = _RULES.get(question.kind, ()), question.score
    if score is None:
        if question.weight and rules:
            detail = f"A weight needs a way to earn credit. Add a score with the rule {one_of(rules)}, or the weight 0."
            yield ContentFault("weight_without_score", f"{at}/weight", detail)
        return
    if not rules:
        return
    if score.rule not in rules:
        detail = f"The rule {score.rule} does not fit the kind {question.kind}. Use {one_of(rules)}."
        yield ContentFault("score_does_not_fit", f"{at}/score/rule", detail)
        return
    yield from _stray_score_fields(score, f"{at}/score")
    options = options_of(content, question)
    if score.none_of is not None and score.none_of not in {option.key for option in options}:
        yield _unknown_option(score.none_of, options, f"{at}/score/none_of")
    if score.rule is ScoreRule.SHARE and options and not any(option.credit for option in options):
        detail = "A share needs at least one option with a credit above 0."
        yield ContentFault("share_without_credit", f"{at}/score", detail)
    if score.rule in _BANDED:
        yield from _bands(score.bands, f"{at}/score/bands")
    if score.rule is ScoreRule.ROWS:
        yield from _scored_column(content, question, score, f"{at}/score/column")


def _stray_score_fields(score: Score, at: str) -> Iterator[ContentFault]:
    belongs = {
        "none_of": score.rule in _RULES[QuestionKind.MULTIPLE],
        "bands": score.rule in _BANDED,
        "column": score.rule is ScoreRule.ROWS,
    }
    for name, fits in belongs.items():
        if getattr(score, name) and not fits:
            detail = f"The rule {score.rule} has no {name}. Remove it."
            yield ContentFault("field_does_not_fit", f"{at}/{name}", detail)


def _bands(bands: tuple[Band, ...], at: str) -> Iterator[ContentFault]:
    ends = [band.up_to for band in bands]
    closed = [end for end in ends[:-1] if end is not None]
    if not ends or ends[-1] is not None:
        yield ContentFault("bands_invalid", at, "End with a band without up_to, so that every value has a credit.")
    elif len(closed) < len(ends) - 1 or any(one >= other for one, other in pairwise(closed)):
        yield ContentFault("bands_invalid", at, "Let up_to rise from band to band. Only the last has none.")


def _scored_column(content: Content, question: Question, score: Score, at: str) -> Iterator[ContentFault]:
    chosen = [column for column in question.columns if column.kind in {ColumnKind.SINGLE, ColumnKind.YES_NO}]
    column = next((column for column in chosen if column.key == score.column), None)
    if column is None:
        known = one_of([column.key for column in chosen]) if chosen else "none"
        detail = f"Rows earn the credit of one column of kind single or yes_no. Columns of that kind: {known}."
        yield ContentFault("unknown_column", at, detail)
    elif not any(option.credit for option in options_of(content, column)):
        detail = f"The column {column.key} has no option with a credit above 0."
        yield ContentFault("share_without_credit", at, detail)


def _unknown_option(key: str, options: tuple[Option, ...], at: str) -> ContentFault:
    return ContentFault(
        "unknown_option", at, f"There is no option {key}. The options: {one_of([o.key for o in options])}."
    )


def _numbered(counts: Mapping[str, int], form: str) -> frozenset[str]:
    return frozenset(form.format(group, number) for group, most in counts.items() for number in range(1, most + 1))


_CSF2: Final[Mapping[str, tuple[int, ...]]] = {
    "GV.OC": (1, 2, 3, 4, 5),
    "GV.RM": (1, 2, 3, 4, 5, 6, 7),
    "GV.RR": (1, 2, 3, 4),
    "GV.PO": (1, 2),
    "GV.OV": (1, 2, 3),
    "GV.SC": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    "ID.AM": (1, 2, 3, 4, 5, 7, 8),
    "ID.RA": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    "ID.IM": (1, 2, 3, 4),
    "PR.AA": (1, 2, 3, 4, 5, 6),
    "PR.AT": (1, 2),
    "PR.DS": (1, 2, 10, 11),
    "PR.PS": (1, 2, 3, 4, 5, 6),
    "PR.IR": (1, 2, 3, 4),
    "DE.CM": (1, 2, 3, 6, 9),
    "DE.AE": (2, 3, 4, 6, 7, 8),
    "RS.MA": (1, 2, 3, 4, 5),
    "RS.AN": (3, 6, 7, 8),
    "RS.CO": (2, 3),
    "RS.MI": (1, 2),
    "RC.RP": (1, 2, 3, 4, 5, 6),
    "RC.CO": (3, 4),
}
_CCM4: Final[Mapping[str, int]] = {
    "A&A": 6,
    "AIS": 7,
    "BCR": 11,
    "CCC": 9,
    "CEK": 21,
    "DCS": 15,
    "DSP": 19,
    "GRC": 8,
    "HRS": 13,
    "IAM": 16,
    "IPY": 4,
    "IVS": 9,
    "LOG": 13,
    "SEF": 8,
    "STA": 14,
    "TVM": 10,
    "UEM": 14,
}
KNOWN_IDS: Final[Mapping[str, frozenset[str]]] = {
    "soc2": frozenset(TITLES),
    "iso27001": _numbered({"A.5": 37, "A.6": 8, "A.7": 14, "A.8": 34}, "{}.{}"),
    "csf2": frozenset(f"{group}-{number:02}" for group, numbers in _CSF2.items() for number in numbers),
    "ccm4": _numbered(_CCM4, "{}-{:02}"),
}
"""All ids of the frameworks that are checked: the 61 criteria of AICPA TSP Section 100, the 93 controls of ISO/IEC
27001:2022 annex A, the 106 outcomes of NIST CSF 2.0, the 197 controls of CSA CCM 4. Other ids are kept as they are."""

_EXAMPLES: Final[Mapping[str, str]] = {"soc2": "CC6.1", "iso27001": "A.5.1", "csf2": "PR.AA-01", "ccm4": "IAM-02"}


def _criteria(question: Question, at: str) -> Iterator[ContentFault]:
    for framework, ids in question.maps.items():
        known, place = KNOWN_IDS.get(framework), f"{at}/maps{pointer_step(framework)}"
        for number, criterion in enumerate(ids):
            if known is not None and criterion not in known:
                detail = f"{framework} has no {criterion}. Write its ids like {_EXAMPLES[framework]}."
                yield ContentFault("unknown_criterion", f"{place}/{number}", detail)
            elif criterion in ids[:number]:
                yield ContentFault("twin_criterion", f"{place}/{number}", f"{criterion} is listed twice. Remove one.")


_PLACEHOLDER: Final = re.compile(r"\{([^{}\n]{1,40})\}")
_PLACEHOLDERS: Final = ("vendor", "service", "tenant", "due_on")


def placeholder_faults(text: str, at: str) -> Iterator[ContentFault]:
    """Yield the placeholders of a text that nothing can fill."""
    for found in _PLACEHOLDER.finditer(text):
        if found[1] not in _PLACEHOLDERS:
            allowed = " ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
            yield ContentFault("unknown_placeholder", at, f"{found[0]} cannot be filled in. Use one of {allowed}.")
