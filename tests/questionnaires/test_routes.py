"""Questionnaires by route: the record, its versions, comparison and export."""

import io
import json
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.client import Client
from tests.conftest import Company
from tests.questionnaires.by_route import code_of, created, document, line, reworded, saved, with_question
from vendorrisk.questionnaires.content import canonical, content_of, digest
from vendorrisk.questionnaires.form_workbook import read_workbook

pytestmark = pytest.mark.anyio

NOBODY = "018f0000-0000-7000-8000-000000000000"


async def test_a_questionnaire_is_created_without_questions_and_read_back(client: Client) -> None:
    made = await client.post("/v1/questionnaires", {"key": "cloud", "title": "Cloud", "description": "Hosting"})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    told = made.json()
    assert (told["source"], told["latest_number"], told["question_count"], told["has_draft"]) == (
        *("own", None, None),
        False,
    )
    assert (await client.get(made.headers["location"])).json() == told
    assert await client.items("/v1/questionnaires") == [told]
    assert await client.items(f"/v1/questionnaires/{told['id']}/versions") == []


async def test_a_key_is_taken_once_in_a_tenant_even_by_a_retired_questionnaire(
    client: Client, other_company: Company
) -> None:
    made = await created(client)
    place = f"/v1/questionnaires/{made['id']}"
    assert (await client.post(f"{place}/retirement", etag='"1"')).status_code == 200
    refused = await client.post("/v1/questionnaires", {"key": "cloud-baseline", "title": "Again"})
    assert code_of(refused) == (409, "questionnaire_key_taken")
    assert refused.json()["errors"][0]["record_id"] == made["id"]
    assert len(await client.items("/v1/questionnaires")) == 1
    assert (await created(other_company.client))["key"] == "cloud-baseline"


@pytest.mark.parametrize(
    "key", ["", "Cloud", "1cloud", "cloud baseline", "cloud--x", "-", "x" * 65, "cloud\n", 5, None]
)
async def test_a_key_is_of_small_letters_digits_and_separators(client: Client, key: Any) -> None:
    refused = await client.post("/v1/questionnaires", {"key": key, "title": "Cloud"})
    assert code_of(refused) == (422, "body_invalid")
    assert refused.json()["errors"][0]["pointer"] == "/key"
    assert await client.items("/v1/questionnaires") == []


async def test_the_record_changes_without_its_questions(client: Client) -> None:
    place = await line(client, document())
    before = (await client.get(f"{place}/versions/1")).json()
    changed = await client.patch(place, {"title": "Renamed", "description": None}, etag=await client.etag(place))
    assert (changed.status_code, changed.json()["title"], changed.json()["description"]) == (200, "Renamed", None)
    assert (await client.get(f"{place}/versions/1")).json() == before
    stale = await client.patch(place, {"title": "Late"}, etag='"1"')
    assert code_of(stale) == (412, "version_stale")


async def test_a_retired_questionnaire_is_read_and_neither_changed_nor_retired_again(client: Client) -> None:
    place = await line(client, document())
    retired = await client.post(f"{place}/retirement", etag=await client.etag(place))
    assert retired.json()["retired_at"] is not None
    assert (await client.get(f"{place}/versions/1")).status_code == 200
    again = await client.post(f"{place}/retirement", etag=await client.etag(place))
    assert code_of(again) == (409, "questionnaire_retired")
    draft = await client.put(f"{place}/draft", reworded("Other words?"), etag='"0"')
    assert code_of(draft) == (409, "questionnaire_retired")
    assert code_of(await client.post(f"{place}/draft/publication", {}, etag='"0"')) == (409, "questionnaire_retired")
    assert (await client.get(place)).json() == retired.json()


async def test_a_version_shows_the_content_that_was_hashed(client: Client) -> None:
    place = await line(client, document())
    shown = await client.get(f"{place}/versions/1")
    text = json.loads(shown.text)["content"]
    form = canonical(content_of(text))
    assert form.decode() in shown.text, "byte by byte"
    assert shown.json()["content_sha256"] == digest(form)
    listed = await client.items(f"{place}/versions")
    assert [one["number"] for one in listed] == [1]
    assert "content" not in listed[0]
    assert (listed[0]["question_count"], listed[0]["weight_total"]) == (2, 12)


@pytest.mark.parametrize("number", ["0", "2", "-1", "99999999999", "9" * 4000, "x", "1.0"])
async def test_a_version_that_is_not_there_is_absent(client: Client, number: str) -> None:
    place = await line(client, document())
    await saved(client, place, reworded("A draft is no version?"))
    for below in ("", "/export", "/export?format=xlsx"):
        refused = await client.get(f"{place}/versions/{number}{below}")
        assert code_of(refused) == (404, "not_found"), number


async def test_versions_are_compared_by_key(client: Client) -> None:
    place = await line(
        client, document(), reworded("Do all administrators use a second factor?"), with_question({"weight": 2})
    )
    told = (await client.get(f"{place}/comparison", params={"from": 1, "to": 3})).json()
    assert "access.more" in json.dumps(told)
    assert (await client.get(f"{place}/comparison")).json() == (
        await client.get(f"{place}/comparison", params={"from": 2, "to": 3})
    ).json()
    for wrong in ({"from": 1, "to": 4}, {"from": 9}):
        assert code_of(await client.get(f"{place}/comparison", params=wrong)) == (404, "not_found")
    for query in ("from=0", "to=x", "from=2147483648", "from=1&from=2"):
        assert code_of(await client.get(f"{place}/comparison?{query}")) == (400, "parameter_invalid"), query


async def test_a_questionnaire_without_a_version_has_no_comparison(client: Client) -> None:
    place = f"/v1/questionnaires/{(await created(client))['id']}"
    assert code_of(await client.get(f"{place}/comparison")) == (404, "not_found")


async def test_an_export_as_json_is_the_canonical_content_and_can_be_saved_as_it_is(client: Client) -> None:
    place = await line(client, document())
    file = await client.get(f"{place}/versions/1/export")
    assert file.headers["content-type"] == "application/json"
    assert file.headers["content-disposition"] == 'attachment; filename="cloud-baseline-1.json"'
    assert digest(file.content) == (await client.get(f"{place}/versions/1")).json()["content_sha256"]
    unchanged = await client.put(f"{place}/draft", json.loads(file.content), etag='"0"')
    assert (unchanged.status_code, unchanged.json()["version"]) == (200, 0)


async def test_an_export_as_a_workbook_comes_back_with_the_same_digest(client: Client) -> None:
    place = await line(client, reworded("=1+1 is no formula, is it?"))
    file = await client.get(f"{place}/versions/1/export", params={"format": "xlsx"})
    assert file.headers["content-disposition"] == 'attachment; filename="cloud-baseline-1.xlsx"'
    book = load_workbook(io.BytesIO(file.content))
    assert [cell.data_type for row in book["Questions"].iter_rows() for cell in row if cell.value].count("f") == 0
    read = read_workbook(file.content)
    assert read.form is not None
    assert read.form.sha256 == (await client.get(f"{place}/versions/1")).json()["content_sha256"]


async def test_an_export_has_one_of_two_formats(client: Client) -> None:
    place = await line(client, document())
    assert code_of(await client.get(f"{place}/versions/1/export?format=pdf")) == (400, "parameter_invalid")


async def test_another_tenant_sees_nothing_of_a_questionnaire(client: Client, other_company: Company) -> None:
    place = await line(client, document())
    other = other_company.client
    for below in ("", "/versions", "/versions/1", "/versions/1/export", "/comparison", "/draft"):
        assert code_of(await other.get(place + below)) == (404, "not_found"), below
    assert code_of(await other.put(f"{place}/draft", document(), etag='"0"')) == (404, "not_found")
    assert code_of(await other.post(f"{place}/draft/check", document())) == (404, "not_found")
    assert code_of(await other.post(f"{place}/draft/publication", {}, etag='"0"')) == (404, "not_found")
    assert code_of(await other.post(f"{place}/retirement", etag='"1"')) == (404, "not_found")
    assert await other.items("/v1/questionnaires") == []


async def test_everybody_reads_questionnaires_and_reviewers_write_and_publish(client: Client, role_client: Any) -> None:
    place = await line(client, document())
    for role, may in {"admin": True, "reviewer": True, "procurement": False, "owner": False, "auditor": False}.items():
        caller = await role_client(role)
        assert (await caller.get(f"{place}/versions/1")).status_code == 200
        assert (await caller.get("/v1/built-in-questionnaires")).status_code == 200
        draft = await caller.get(f"{place}/draft")
        assert draft.status_code == (200 if may else 403), role
        for path in ("/v1/questionnaires", f"{place}/draft/check", f"{place}/draft/publication", f"{place}/retirement"):
            assert ((await caller.post(path, {})).status_code == 403) is not may, (role, path)
