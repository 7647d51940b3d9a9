"""From one cycle to the next: what is missing, declared, carried over, suggested, compared and computed again."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scoring.make import FACTS, HIDDEN, ON, answer, content, mark, option, question
from vendorrisk.questionnaires.content import (
    Band,
    Column,
    ColumnKind,
    Content,
    EvidenceWanted,
    Field,
    NoneAnswer,
    NotApplicable,
    Question,
    QuestionKind,
    Score,
    ScoreRule,
    Stance,
    canonical,
    digest,
)
from vendorrisk.questionnaires.visibility import Answered, Compiled
from vendorrisk.scoring import q1
from vendorrisk.scoring.answers import Answer, AnswerFile, NotApplicableVerdict, Verdict
from vendorrisk.scoring.carry_over import (
    BesideReason,
    CarriedOver,
    CarryOutcome,
    carried_over,
    needs_single_confirmation,
)
from vendorrisk.scoring.declaration import answers_of, declared
from vendorrisk.scoring.declaration import digest as submission_digest
from vendorrisk.scoring.differences import Cycle, CycleChange, CycleDifferences, differences
from vendorrisk.scoring.methods import DESCRIBED
from vendorrisk.scoring.missing import MissingPart, missing
from vendorrisk.scoring.policy import ConfidenceSteps, GradeSteps, ScoringPolicy, policy_faults
from vendorrisk.scoring.score_model import Cause
from vendorrisk.scoring.snapshots import (
    METHODS,
    Snapshot,
    UnknownMethodError,
    computed,
    inputs_sha256,
    replayed,
    standing_marks,
    written,
)
from vendorrisk.scoring.suggestions import SuggestionSource, suggestions

K = QuestionKind
ABC = (option("a", 1000), option("b", 500, asks_note=True), option("c"))
POLICY_PDF, REPORT_PDF = AnswerFile("aa" * 32, "policy.pdf", "f1"), AnswerFile("bb" * 32, "report.pdf", "f2")
AGES = (Band(up_to=365, credit=1000), Band(credit=300))
WHO = Field(key="who", label={"en": "Who"}, kind=ColumnKind.TEXT, required=True)
ASKED = (
    question("yes", weight=5, critical=True, evidence=EvidenceWanted(wanted=True, required=True)),
    question("single", K.SINGLE, options=ABC, weight=3, not_applicable=NotApplicable.WITH_REASON),
    question("multiple", K.MULTIPLE, options=ABC, score=Score(rule=ScoreRule.SHARE), weight=2),
    question("text", K.TEXT, required=False, fields=(WHO,)),
    question("number", K.NUMBER, maximum=100, score=Score(rule=ScoreRule.BANDS, bands=AGES), weight=1),
    question("date", K.DATE, not_after="today", score=Score(rule=ScoreRule.AGE_IN_DAYS, bands=AGES), weight=1,
             none=NoneAnswer(label={"en": "Never"})),
    question("file", K.FILE, weight=1),
    question("table", K.TABLE, columns=(Column(key="name", label={"en": "Name"}, kind=ColumnKind.TEXT),)),
    question("gate", K.SINGLE, options=(option("on"), option("off"))),
    question("behind", weight=4, when="gate = on"),
    question("never", weight=9, when=HIDDEN),
)  # fmt: skip
PLACES = {one.key: place for place, one in enumerate(ASKED, 1)}
FULL: dict[str, dict[str, Any]] = {
    "yes": {"value": "yes", "files": (POLICY_PDF,)},
    "single": {"value": "b", "note": "in part"},
    "multiple": {"value": ["a", "b"], "note": "both"},
    "text": {"value": "Us", "fields": {"who": "me"}},
    "number": {"value": 14},
    "date": {"value": "2026-08-01"},
    "file": {"value": ["f1", "f2"], "files": (POLICY_PDF, REPORT_PDF)},
    "table": {"value": [{"name": "A"}]},
    "gate": {"value": "on"},
    "behind": {"value": "no"},
}
CASES = Compiled.of(content(*ASKED))


def answers(*without: str, **other: Any) -> list[Answer]:
    told: dict[str, Any] = {**FULL, **other}
    return [answer(PLACES[key], **{"value": None, **fields}) for key, fields in told.items() if key not in without]


def shown(given: list[Answer], compiled: Compiled = CASES) -> frozenset[str]:
    keys = {place: key for key, place in compiled.places.items()}
    known = {keys[one.place]: Answered(one.stance, one.value) for one in given if one.is_confirmed}
    return compiled.shown(known, FACTS)


def lacking(given: list[Answer]) -> list[tuple[str, MissingPart]]:
    return [(one.key, one.part) for one in missing(CASES.content, given, shown(given))]


def text_of(given: list[Answer], compiled: Compiled = CASES) -> bytes:
    return declared(compiled.content, compiled.sha256, given, shown(given, compiled))


def changed(key: str, **fields: Any) -> Content:
    return content(*(msgspec.structs.replace(one, **fields) if one.key == key else one for one in ASKED))


# missing


def test_nothing_is_missing_where_everything_is_answered() -> None:
    assert lacking(answers()) == []


@pytest.mark.parametrize(("given", "expected"), [
    (answers("number"), [("number", MissingPart.ANSWER)]),
    (answers("text"), []),
    (answers(number={"stance": Stance.CLEARED}), [("number", MissingPart.ANSWER)]),
    (answers(number={"value": 5, "is_confirmed": False}), [("number", MissingPart.CONFIRMATION)]),
    (answers(text={"value": "x", "fields": {"who": "me"}, "is_confirmed": False}),
     [("text", MissingPart.CONFIRMATION)]),
    (answers(single={"value": "b"}), [("single", MissingPart.NOTE)]),
    (answers(multiple={"value": ["a", "b"]}), [("multiple", MissingPart.NOTE)]),
    (answers(single={"value": "a"}), []),
    (answers(single={"stance": Stance.NOT_APPLICABLE}), [("single", MissingPart.REASON)]),
    (answers(single={"stance": Stance.NOT_APPLICABLE, "reason": "x"}), []),
    (answers(yes={"value": "yes"}), [("yes", MissingPart.FILE)]),
    (answers(yes={"value": "no"}), []),
    (answers(file={"value": []}), [("file", MissingPart.FILE)]),
    (answers(text={"value": "x"}), [("text", MissingPart.FIELD)]),
    (answers("behind", gate={"value": "off"}), []),
    (answers("behind"), [("behind", MissingPart.ANSWER)]),
])  # fmt: skip
def test_every_missing_part_is_listed_once(given: list[Answer], expected: list[tuple[str, MissingPart]]) -> None:
    assert lacking(given) == expected


# the declaration


def test_the_declaration_holds_what_is_asked_and_confirmed_and_nothing_else() -> None:
    told = msgspec.json.decode(text_of(answers(gate={"value": "off"}, number={"value": 5, "is_confirmed": False})))
    assert [one["key"] for one in told["answers"]] == [
        *("yes", "single", "multiple", "text", "date", "file", "table", "gate")
    ]
    assert told["content_sha256"] == digest(canonical(CASES.content))
    assert told["answers"][5] == {
        "key": "file",
        "stance": "answered",
        "value": ["aa" * 32, "bb" * 32],
        "files": [{"name": "policy.pdf", "sha256": "aa" * 32}, {"name": "report.pdf", "sha256": "bb" * 32}],
    }


def test_order_versions_and_ids_change_no_digest_but_a_word_does() -> None:
    one = text_of(answers())
    other = [msgspec.structs.replace(given, version=7) for given in reversed(answers())]
    assert text_of(other) == one
    renamed = answers(file={"value": ["x1", "x2"], "files": (
        AnswerFile("bb" * 32, "report.pdf", "x2"), AnswerFile("aa" * 32, "policy.pdf", "x1"),
    )})  # fmt: skip
    assert submission_digest(text_of(renamed)) == submission_digest(one)
    assert text_of(answers(text={"value": "Us.", "fields": {"who": "me"}})) != one
    assert len(submission_digest(one)) == 64


def test_a_packed_submission_scores_as_the_rows_did() -> None:
    given = [msgspec.structs.replace(one, version=3) for one in answers()]
    marks = [mark(PLACES["yes"], answer_version=3, verdict=Verdict.NEEDS_EVIDENCE)]
    live = q1.score(CASES, given, marks, ScoringPolicy(), FACTS, ON)
    packed = answers_of(CASES.content, text_of(given), {one.place: one.version for one in given})
    assert q1.score(CASES, packed, marks, ScoringPolicy(), FACTS, ON) == live
    assert declared(CASES.content, CASES.sha256, packed, shown(given)) == text_of(given)


# carry-over


def carry(current: Content, given: list[Answer] | None = None, **more: Any) -> dict[str, CarriedOver]:
    found = carried_over(CASES.content, given or answers(), current, today=ON, **more)
    return {one.key: one for one in found}


def test_everything_carried_and_confirmed_is_the_last_submission_again() -> None:
    carried = carry(CASES.content)
    assert {one.outcome for one in carried.values()} == {CarryOutcome.CARRIED}
    filled = [one.answer for one in carried.values() if one.answer]
    assert not any(one.is_confirmed for one in filled)
    assert missing(CASES.content, filled, shown(filled))[0].part is MissingPart.CONFIRMATION
    confirmed = [msgspec.structs.replace(one, is_confirmed=True) for one in filled]
    assert text_of(confirmed) == text_of(answers())


CHOICES: dict[str, list[dict[str, Any]]] = {
    "yes": [{"value": "no"}, {"value": "partial", "note": "x", "files": (POLICY_PDF,)}, {"stance": Stance.CLEARED}],
    "single": [{"value": "a"}, {"stance": Stance.NOT_APPLICABLE, "reason": "none here"}],
    "multiple": [{"value": ["c"]}, {"value": ["a", "c"], "files": (REPORT_PDF, POLICY_PDF)}],
    "text": [{"value": "é\nx"}],
    "number": [{"value": 0.1}, {"value": -3}, {"value": 100}],
    "date": [{"value": "2024-02-29"}, {"value": {"none": True}}],
    "file": [{"value": ["f2"], "files": (REPORT_PDF,)}],
    "table": [{"value": []}, {"value": [{"name": "A"}, {"name": "B"}]}],
    "gate": [{"value": "off"}],
}


@given(st.fixed_dictionaries({key: st.sampled_from([FULL[key], *more]) for key, more in CHOICES.items()}))
def test_any_submission_carried_and_confirmed_is_declared_again(other: dict[str, Any]) -> None:
    text = text_of(answers(**other))
    packed = answers_of(CASES.content, text)
    carried = carried_over(CASES.content, packed, CASES.content, today=ON + timedelta(days=365))
    confirmed = [msgspec.structs.replace(one.answer, is_confirmed=True) for one in carried if one.answer]
    assert text_of(confirmed) == text
    changes, _ = compared(cycle(list(packed)), cycle(confirmed))
    assert changes == {}


def test_a_carried_answer_counts_nothing_until_it_is_confirmed() -> None:
    filled = [one.answer for one in carry(CASES.content).values() if one.answer]
    assert q1.score(CASES, filled, [], ScoringPolicy(), FACTS, ON).answered == 0


@pytest.mark.parametrize(("key", "fields", "reason"), [
    ("single", {"options": (option("a", 1000), option("z"))}, BesideReason.OPTION_GONE),
    ("multiple", {"options": (option("a", 1000), option("z"))}, BesideReason.OPTION_GONE),
    ("number", {"maximum": 10}, BesideReason.OUT_OF_BOUNDS),
    ("text", {"max_characters": 1}, BesideReason.OUT_OF_BOUNDS),
    ("table", {"min_rows": 2}, BesideReason.OUT_OF_BOUNDS),
    ("yes", {"meaning": 2}, BesideReason.MEANING_RAISED),
    ("number", {"kind": K.TEXT, "score": None, "maximum": None}, BesideReason.KIND_CHANGED),
])  # fmt: skip
def test_an_answer_that_does_not_fit_is_shown_beside(key: str, fields: dict[str, Any], reason: BesideReason) -> None:
    carried = carry(changed(key, **fields, text={"en": "Asked otherwise"}))
    one = carried.pop(key)
    assert (one.outcome, one.reason, one.answer) == (CarryOutcome.BESIDE, reason, None)
    assert one.earlier.value == FULL[key].get("value")
    assert (one.earlier_text, one.text) == (ASKED[PLACES[key] - 1].text, {"en": "Asked otherwise"})
    assert {other.outcome for other in carried.values()} == {CarryOutcome.CARRIED}


def test_a_key_that_is_gone_is_told_and_places_follow_the_new_content() -> None:
    current = content(*(one for one in reversed(ASKED) if one.key != "yes" and not one.when))
    carried = carry(current)
    assert {key for key, one in carried.items() if one.outcome is CarryOutcome.GONE} == {"yes", "behind"}
    places = Compiled.of(current).places
    assert all(one.answer.place == one.place == places[key] for key, one in carried.items() if one.answer)


def test_an_outdated_file_is_to_be_renewed() -> None:
    carried = carry(CASES.content, outdated_files={"aa" * 32})
    yes, file = carried["yes"], carried["file"]
    assert (yes.renew, yes.answer and yes.answer.files, yes.outcome) == ((POLICY_PDF,), (), CarryOutcome.CARRIED)
    assert file.answer is not None
    assert (file.answer.value, file.answer.files, file.renew) == (["bb" * 32], (REPORT_PDF,), (POLICY_PDF,))
    both = carry(CASES.content, outdated_files={"aa" * 32, "bb" * 32})["file"]
    assert (both.outcome, both.reason, both.renew) == (
        *(CarryOutcome.BESIDE, BesideReason.RENEW, (POLICY_PDF, REPORT_PDF)),
    )


def test_not_applicable_is_carried_with_its_reason_where_it_is_still_allowed() -> None:
    given = answers(single={"stance": Stance.NOT_APPLICABLE, "reason": "No staff"})
    one = carry(CASES.content, given)["single"].answer
    assert one is not None
    assert (one.stance, one.reason, one.is_confirmed) == (Stance.NOT_APPLICABLE, "No staff", False)
    never = carry(changed("single", not_applicable=NotApplicable.NEVER), given)["single"]
    assert never.reason is BesideReason.NEVER_NOT_APPLICABLE


def test_a_further_field_that_is_gone_does_not_hold_the_answer_back() -> None:
    one = carry(changed("text", fields=()))["text"].answer
    assert one is not None
    assert (one.value, one.fields) == ("Us", {})


def test_critical_questions_and_stale_dates_are_confirmed_one_by_one() -> None:
    by_key = {one.key: one for one in ASKED}
    given = {one.place: one for one in answers()}

    def alone(key: str, on: date = ON) -> bool:
        return needs_single_confirmation(by_key[key], given[PLACES[key]], today=on)

    assert alone("yes")
    assert not alone("single")
    assert not alone("date")
    assert not alone("date", date(2027, 8, 1))
    assert alone("date", date(2027, 8, 2))
    never = answer(PLACES["date"], {"none": True})
    assert not needs_single_confirmation(by_key["date"], never, today=ON)


# suggestions


def source(*asked: Question, value: Any = "a", **more: Any) -> SuggestionSource:
    return SuggestionSource(
        assessment_id=more.pop("assessment_id", UUID(int=1)),
        given_on=more.pop("given_on", ON - timedelta(days=30)),
        content=content(*asked),
        answers=(answer(1, value, **more),),
    )


TARGET = question("mfa", K.SINGLE, options=ABC, same_as=("caiq4:IAM-14.1",), text={"en": "Is a second factor used?"})


def suggested(*sources: SuggestionSource, target: Question = TARGET) -> list[tuple[str, Any, bool]]:
    found = suggestions(content(question("first"), target), {2}, sources, today=ON)
    assert all((one.place, one.key, one.answer.is_confirmed) == (2, target.key, False) for one in found)
    return [(one.earlier_key, one.answer.value, one.is_old) for one in found]


def replaced(one: Question, **fields: Any) -> Question:
    return msgspec.structs.replace(one, **fields)


def test_a_copy_and_a_shared_id_are_suggested() -> None:
    copy = replaced(TARGET, same_as=(), text={"en": "is a second  factor USED?"})
    assert suggested(source(copy)) == [("mfa", "a", False)]
    other = replaced(TARGET, key="iam-14.1", text={"en": "MFA?"})
    assert suggested(source(other)) == [("iam-14.1", "a", False)]


@pytest.mark.parametrize("fields", [
    {"same_as": (), "meaning": 2}, {"same_as": (), "text": {"en": "Are cats used?"}}, {"same_as": (), "key": "other"},
    {"options": (*ABC, option("d"))}, {"kind": K.MULTIPLE, "score": Score(rule=ScoreRule.BEST)},
])  # fmt: skip
def test_another_meaning_wording_key_kind_or_option_is_not_suggested(fields: dict[str, Any]) -> None:
    assert suggested(source(replaced(TARGET, **fields))) == []


def test_the_newest_answer_is_suggested_and_its_age_is_told() -> None:
    new = source(TARGET, value="b", given_on=date(2025, 5, 23), assessment_id=UUID(int=2))
    old = source(TARGET, value="a", given_on=date(2025, 5, 22), assessment_id=UUID(int=3))
    assert suggested(old, new) == [("mfa", "b", False)]
    assert suggested(old) == [("mfa", "a", True)]


def test_neither_a_value_that_does_not_fit_nor_an_unasked_place_is_suggested() -> None:
    number = question("days", K.NUMBER, same_as=("x:1",), maximum=100)
    assert suggested(source(number, value=14), target=replaced(number, maximum=10)) == []
    assert suggestions(content(question("first"), TARGET), {1}, [source(TARGET)], today=ON) == ()
    assert suggested(source(TARGET, value=None, stance=Stance.NOT_APPLICABLE, reason="x")) == []


# differences


def cycle(given: list[Answer], compiled: Compiled = CASES, marks: Any = ()) -> Cycle:
    result = q1.score(compiled, given, marks, ScoringPolicy(), FACTS, ON)
    return Cycle(content=compiled.content, answers=tuple(given), result=result, shown=shown(given, compiled))


def compared(earlier: Cycle, later: Cycle) -> tuple[dict[str, tuple[CycleChange, ...]], CycleDifferences]:
    found = differences(earlier, later)
    return {one.key: one.changes for one in found.questions if one.changes}, found


def test_a_cycle_beside_itself_is_unchanged() -> None:
    changes, found = compared(cycle(answers()), cycle(answers()))
    assert changes == {}
    assert len(found.questions) == 10
    assert found.tenths == found.earlier_tenths


def test_every_change_between_two_cycles_is_named() -> None:
    later = answers(
        "number",
        yes={"value": "no", "files": (REPORT_PDF,)},
        single={"stance": Stance.NOT_APPLICABLE, "reason": "x"},
        multiple={"value": ["a"], "note": "one"},
        text={"value": "Them", "fields": {"who": "me"}},
        date={"value": "2026-11-01", "files": (POLICY_PDF,)},
        file={"value": ["f1"], "files": ()},
        gate={"value": "off"},
    )
    changes, found = compared(cycle(answers()), cycle(later))
    assert changes == {
        "yes": (CycleChange.WORSE, CycleChange.EVIDENCE_RENEWED),
        "single": (CycleChange.NEWLY_NOT_APPLICABLE,),
        "multiple": (CycleChange.WORSE,),
        "text": (CycleChange.ANSWER_CHANGED,),
        "number": (CycleChange.WORSE,),
        "date": (CycleChange.ANSWER_CHANGED, CycleChange.EVIDENCE_ADDED),
        "file": (CycleChange.EVIDENCE_LOST,),
        "gate": (CycleChange.ANSWER_CHANGED,),
        "behind": (CycleChange.NO_LONGER_ASKED,),
    }
    assert found.worse_critical == ("yes",)
    assert found.tenths is not None
    assert found.earlier_tenths is not None
    assert found.tenths < found.earlier_tenths
    back = compared(cycle(later), cycle(answers()))[0]
    assert back["behind"] == (CycleChange.NEWLY_ASKED,)
    assert back["number"] == (CycleChange.BETTER,)


def test_a_new_wording_and_a_raised_meaning_are_named_and_credit_is_not_compared() -> None:
    current = Compiled.of(changed("yes", text={"en": "Really?"}, meaning=2))
    changes, found = compared(cycle(answers()), cycle(answers(yes={"value": "no"}), current))
    assert changes["yes"] == (CycleChange.REWORDED, CycleChange.MEANING_RAISED, CycleChange.EVIDENCE_LOST)
    assert found.worse_critical == ()


# snapshots


def snapshot(**more: Any) -> Snapshot:
    fields: dict[str, Any] = {
        "method": "q1",
        "content_sha256": CASES.sha256,
        "submission": text_of(answers()),
        "submitted_on": ON,
        "facts": {"vendor.tier": "high", "vendor.data_classes": frozenset({"personal", "health"})},
        "marks": (mark(PLACES["yes"], verdict=Verdict.ACCEPTED), mark(PLACES["text"], credit_override=700)),
        "policy": ScoringPolicy(),
    }
    return Snapshot(**{**fields, **more})


def test_a_snapshot_computed_again_is_equal() -> None:
    kept = snapshot()
    stored, inputs = written(computed(kept, CASES)), inputs_sha256(kept)
    found = replayed(kept, CASES, inputs, stored)
    assert (found.is_equal, found.inputs_equal, found.differences) == (True, True, ())
    assert replayed(kept, CASES, inputs, stored.decode()).is_equal
    back = msgspec.json.decode(msgspec.json.encode(kept), type=Snapshot)
    assert inputs_sha256(back) == inputs
    assert replayed(back, CASES, inputs, stored).is_equal


@pytest.mark.parametrize("other", [
    {"submission": text_of(answers(number={"value": 15}))}, {"submitted_on": ON + timedelta(days=1)},
    {"facts": {"vendor.tier": "low"}}, {"marks": ()}, {"policy": ScoringPolicy(cap=58)}, {"method": "q2"},
    {"content_sha256": "00" * 32},
])  # fmt: skip
def test_every_input_is_in_the_digest(other: dict[str, Any]) -> None:
    assert inputs_sha256(snapshot(**other)) != inputs_sha256(snapshot())
    assert len(inputs_sha256(snapshot())) == 32


def test_the_order_of_marks_is_not_in_the_digest() -> None:
    assert inputs_sha256(snapshot(marks=snapshot().marks[::-1])) == inputs_sha256(snapshot())


def test_a_replay_names_what_differs() -> None:
    kept = snapshot()
    stored = msgspec.json.decode(written(computed(kept, CASES)))
    stored["score_tenths"] += 1
    stored["losses"][0]["tenths"] = 0
    found = replayed(kept, CASES, inputs_sha256(kept), msgspec.json.encode(stored))
    assert not found.is_equal
    assert [one.pointer for one in found.differences] == ["/losses/0/tenths", "/score_tenths"]
    changed_inputs = replayed(snapshot(marks=()), CASES, inputs_sha256(kept), msgspec.json.encode(stored))
    assert (changed_inputs.is_equal, changed_inputs.inputs_equal) == (False, False)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UnknownMethodError):
        computed(snapshot(method="q2"), CASES)


def test_every_method_is_described_with_all_its_causes() -> None:
    assert set(DESCRIBED) == set(METHODS)
    assert set(DESCRIBED["q1"].causes) == set(Cause)
    assert DESCRIBED["q1"].default_policy == ScoringPolicy()


def test_only_marks_of_the_answers_as_they_stand_go_into_a_snapshot() -> None:
    given = answers(yes={"value": "yes", "version": 2})
    marks = [mark(PLACES["single"], not_applicable=NotApplicableVerdict.REFUSED), mark(PLACES["yes"])]
    assert standing_marks(given, marks) == (marks[0],)


# the policy


@pytest.mark.parametrize(("policy", "pointers"), [
    (ScoringPolicy(), []), (ScoringPolicy(grades=GradeSteps(a=80)), ["/grades/b"]),
    (ScoringPolicy(grades=GradeSteps(c=90, d=95)), ["/grades/c", "/grades/d"]),
    (ScoringPolicy(confidence=ConfidenceSteps(given=500)), []),
    (ScoringPolicy(confidence=ConfidenceSteps(verified=700)), ["/confidence/given"]),
])  # fmt: skip
def test_steps_of_a_policy_fall(policy: ScoringPolicy, pointers: list[str]) -> None:
    assert [fault.pointer for fault in policy_faults(policy)] == pointers


@pytest.mark.parametrize("sent", [
    {"evidence": 499}, {"evidence": 1001}, {"cap": -1}, {"cap": 90}, {"completeness": 499}, {"completeness": 800.5},
    {"grades": {"a": 101}}, {"grades": {"d": 0}}, {"confidence": {"claim": 1001}}, {"other": 1},
])  # fmt: skip
def test_a_policy_out_of_bounds_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(sent, ScoringPolicy)


@given(st.integers(0, 89), st.integers(500, 1000))
def test_a_policy_moves_the_cap_and_the_part_without_evidence(cap: int, part: int) -> None:
    policy = ScoringPolicy(cap=cap, evidence=part)
    given = answers(yes={"value": "yes"})
    assert q1.score(CASES, given, [], policy, FACTS, ON).counted[0] == 1000 * part
    capped = q1.score(CASES, answers(yes={"value": "no"}), [], policy, FACTS, ON)
    assert (capped.score_tenths or 0) <= 10 * cap
