"""The questionnaires that come with the service: whole, without faults, licensed, and adopted by one call."""

from pathlib import Path

import pytest

import vendorrisk
from tests.client import Client
from tests.conftest import Company
from tests.questionnaires.by_route import code_of
from vendorrisk.questionnaires.built_ins import built_in_content, keys
from vendorrisk.questionnaires.content import canonical, digest, questions_of
from vendorrisk.questionnaires.content_checks import checked
from vendorrisk.questionnaires.form_sheets import content_from, sheets_of
from vendorrisk.questionnaires.respondent_view import respondent_view

FOLDER = Path(vendorrisk.__file__).parent / "questionnaires" / "built_in"


@pytest.mark.parametrize("key", keys())
def test_a_built_in_questionnaire_has_no_fault_and_survives_its_own_workbook(key: str) -> None:
    content = built_in_content(key)
    assert checked(content).faults == ()
    assert content.key == key
    assert canonical(content_from(sheets_of(content))) == canonical(content)
    assert respondent_view(content)


def test_the_baseline_has_80_questions_73_with_a_weight_and_10_critical_ones() -> None:
    asked = [question for _, _, question in questions_of(built_in_content("baseline"))]
    assert len(asked) == 80
    assert sum(question.weight > 0 for question in asked) == 73
    assert sum(question.weight for question in asked) == 328
    assert sum(question.critical for question in asked) == 10
    assert sum(question.evidence is not None and question.evidence.wanted for question in asked) == 16


def test_every_file_stands_in_the_notice_and_every_foreign_one_has_its_licence() -> None:
    notice = (FOLDER / "NOTICE").read_text(encoding="utf-8")
    files = sorted(path.name for path in FOLDER.iterdir())
    assert [name for name in files if name != "NOTICE" and name not in notice] == []
    assert "CC0 1.0 Universal" in (FOLDER / "LICENSE-mvsp.txt").read_text(encoding="utf-8")
    assert "Apache License" in (FOLDER / "LICENSE-vsaq.txt").read_text(encoding="utf-8")


@pytest.mark.anyio
async def test_a_built_in_questionnaire_is_listed_with_its_licence(client: Client) -> None:
    listed = {one["key"]: one for one in (await client.get("/v1/built-in-questionnaires")).json()["items"]}
    assert set(listed) == set(keys())
    baseline = listed["baseline"]
    assert (baseline["source"], baseline["licence"], baseline["question_count"]) == ("baseline", "Apache-2.0", 80)


@pytest.mark.anyio
@pytest.mark.parametrize("key", keys())
async def test_one_call_copies_it_into_the_tenant_and_publishes_it(
    client: Client, other_company: Company, key: str
) -> None:
    made = await client.post(f"/v1/built-in-questionnaires/{key}/adoption")
    assert made.status_code == 200, made.text
    told = made.json()
    assert (told["key"], told["latest_number"]) == (key, 1)
    assert told["licence_note"]
    form = canonical(built_in_content(key))
    version = (await client.get(f"{made.headers['location']}/versions/1")).json()
    assert version["content_sha256"] == digest(form)
    assert await other_company.client.items("/v1/questionnaires") == []


@pytest.mark.anyio
async def test_adopting_twice_names_the_questionnaire_that_is_there(client: Client) -> None:
    first = (await client.post("/v1/built-in-questionnaires/baseline/adoption")).json()
    again = await client.post("/v1/built-in-questionnaires/baseline/adoption")
    assert code_of(again) == (409, "questionnaire_key_taken")
    assert again.json()["errors"][0]["record_id"] == first["id"]
    assert len(await client.items("/v1/questionnaires")) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("key", ["nothing", "..%2F..%2Fetc", "BASELINE", "x" * 3000, "%00"])
async def test_a_built_in_questionnaire_that_is_not_there_is_absent(client: Client, key: str) -> None:
    refused = await client.post(f"/v1/built-in-questionnaires/{key}/adoption")
    assert refused.status_code in {400, 404}, refused.text
    assert await client.items("/v1/questionnaires") == []
