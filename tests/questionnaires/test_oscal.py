"""An OSCAL catalogue becomes a questionnaire: MVSP's 25 controls, nested groups, and files that are none."""

import json
from typing import Any

import pytest

from tests.questionnaires.test_built_ins import FOLDER
from vendorrisk.questionnaires.built_ins import built_in_content
from vendorrisk.questionnaires.content import ContentError, questions_of
from vendorrisk.questionnaires.oscal import content_of_catalog


def catalogue(*groups: Any) -> bytes:
    return json.dumps({"catalog": {"metadata": {"title": "A catalogue"}, "groups": list(groups)}}).encode()


def control(number: str, **more: Any) -> dict[str, Any]:
    statement = {"name": "statement", "prose": f"- Do **{number}**, see [our page](https://example.com/{number})"}
    return {"id": f"CTL {number}", "title": f"Control {number}", "parts": [statement], **more}


def test_each_of_the_25_controls_of_mvsp_is_a_question_with_its_statement_and_its_number() -> None:
    asked = [question for _, _, question in questions_of(built_in_content("mvsp"))]
    source = json.loads((FOLDER / "mvsp.json").read_bytes())["catalog"]
    controls = [one for group in source["groups"] for one in group["controls"]]
    assert len(asked) == len(controls) == 25
    for question, one in zip(asked, controls, strict=True):
        label = one["props"][0]["value"]
        assert question.maps == {"mvsp": (label,)}
        assert question.same_as == (f"mvsp:{label}",)
        assert question.text["en"].startswith(one["title"])
        first = one["parts"][0]["prose"].split("\n")[0].replace(">- ", "- ")
        assert (first in question.text["en"]) is (label != "2.1"), label
    assert len({question.text["en"].partition("\n")[2] for question in asked}) == 25, "no statement stands twice"


def test_controls_of_controls_and_groups_of_groups_are_asked_and_withdrawn_ones_are_not() -> None:
    withdrawn = control("9", props=[{"name": "status", "value": "Withdrawn"}])
    above = {"id": "above", "title": "Above", "controls": [control("2"), control("3")]}
    inner = {"id": "Inner.1", "title": "Inner", "controls": [above, withdrawn]}
    content = content_of_catalog(catalogue({"id": "outer", "title": "Outer", "groups": [inner]}), "own")
    assert [section.key for section in content.sections] == ["inner.1"]
    asked = questions_of(content)
    assert [question.key for _, _, question in asked] == ["ctl-2", "ctl-3"]
    assert asked[0][2].text["en"] == "Control 2. Do you do all of this?\n- Do 2, see our page (https://example.com/2)"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b'{"catalog": 5}', b'{"catalog": {"metadata": {}}}', b"[" * 100_000, b"\xff\xfe", b"PK\x03\x04"],
)
def test_a_file_that_is_no_catalogue_is_refused_with_advice(raw: bytes) -> None:
    with pytest.raises(ContentError) as refused:
        content_of_catalog(raw, "own")
    assert [fault.code for fault in refused.value.faults] == ["catalog_unreadable"]


def test_a_text_that_is_too_long_is_cut_at_its_bound() -> None:
    long = control("1", parts=[{"name": "statement", "prose": "x" * 5000}])
    [(_, _, question)] = questions_of(content_of_catalog(catalogue({"title": "G", "controls": [long]}), "own"))
    assert len(question.text["en"]) == 2000
    assert question.text["en"].endswith("…")
