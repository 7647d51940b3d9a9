"""Drafts by route: saved without faults or not at all, published once, and frozen from then on."""

import asyncio
import io
import json
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from openpyxl import load_workbook

from tests.client import Client
from tests.conftest import Company
from tests.questionnaires.by_route import (
    code_of,
    created,
    document,
    faults_of,
    line,
    published,
    reworded,
    saved,
    with_question,
)
from vendorrisk.questionnaires.content import canonical, content_of
from vendorrisk.questionnaires.respondent_view import respondent_view

pytestmark = pytest.mark.anyio

MORE = "/sections/0/questions/2"
XLSX = {"content-type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@pytest.fixture
async def place(client: Client) -> str:
    return f"/v1/questionnaires/{(await created(client))['id']}"


async def entries(client: Client) -> list[tuple[str, str]]:
    log = {"filter": "action:in:questionnaire:created,questionnaire_version:drafted,questionnaire_version:published,"}
    log["filter"] += "questionnaire_version:discarded,questionnaire:retired,questionnaire:changed"
    told = await client.items("/v1/audit-entries", sort="sequence", **log)
    return [(entry["action"], entry["target_id"]) for entry in told]


async def test_a_draft_that_nobody_saved_has_version_0_and_leaves_no_row(
    client: Client, place: str, owner: Any
) -> None:
    shown = await client.get(f"{place}/draft")
    assert (shown.headers["etag"], shown.json()["number"], shown.json()["question_count"]) == ('"0"', 1, 0)
    assert await owner.fetchval("select count(*) from questionnaire_versions") == 0


async def test_a_draft_is_saved_changed_and_discarded_each_with_its_version(client: Client, place: str) -> None:
    first = await client.put(f"{place}/draft", document(), etag='"0"')
    assert (first.status_code, first.headers["etag"], first.json()["question_count"]) == (200, '"1"', 2)
    assert (await client.get(place)).json()["has_draft"] is True
    second = await client.put(f"{place}/draft", reworded("Who uses a second factor?"), etag='"1"')
    assert second.headers["etag"] == '"2"'
    stale = await client.put(f"{place}/draft", document(), etag='"1"')
    assert code_of(stale) == (412, "version_stale")
    assert code_of(await client.delete(f"{place}/draft", etag='"1"')) == (412, "version_stale")
    assert (await client.delete(f"{place}/draft", etag='"2"')).status_code == 204
    assert (await client.get(f"{place}/draft")).headers["etag"] == '"0"'
    assert [action for action, _ in await entries(client)] == [
        "questionnaire:created",
        "questionnaire_version:drafted",
        "questionnaire_version:drafted",
        "questionnaire_version:discarded",
    ]


async def test_equal_content_in_other_words_of_json_makes_no_version(client: Client, place: str) -> None:
    await saved(client, place, document())
    spelt = json.dumps(document(), indent=4, sort_keys=True, ensure_ascii=True)
    again = await client.http.put(
        f"{place}/draft", content=spelt, headers={"if-match": '"1"', "content-type": "application/json"}
    )
    assert (again.status_code, again.headers["etag"]) == (200, '"1"')
    assert len(await entries(client)) == 2


CONDITIONS = {
    "arithmetic": "access.mfa = yes / 0",
    "a function": "lower(access.mfa) = yes",
    "forward": "access.later = yes",
    "itself": "access.more = yes",
    "unknown": "access.nothing = yes",
    "never true": "access.mfa = yes and access.mfa = no",
    "other signs": "access.mfa = yes && access.keys = yes",
    "51 tests": " or ".join(["access.mfa = yes"] * 51),
    "depth 21": "(" * 21 + "access.mfa = yes" + ")" * 21,
    "another option": "access.mfa = maybe",
}


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS.keys())
async def test_a_condition_with_a_fault_is_refused_with_pointer_offset_and_advice(
    client: Client, place: str, condition: str
) -> None:
    content = with_question({"when": condition})
    later = {"key": "access.later", "kind": "yes_no", "text": {"en": "Later?"}}
    content["sections"][0]["questions"].append(later)
    refused = await client.put(f"{place}/draft", content, etag='"0"')
    assert code_of(refused) == (422, "condition_invalid"), refused.text
    for error in refused.json()["errors"]:
        assert error["pointer"] == f"{MORE}/when"
        assert error["detail"]
    assert all("offset" in error for error in refused.json()["errors"] if error["code"] != "never_asked")
    assert (await client.get(f"{place}/draft")).headers["etag"] == '"0"'
    checked = await client.post(f"{place}/draft/check", content)
    assert checked.status_code == 200
    told = [(fault["pointer"], fault["code"], fault["offset"]) for fault in checked.json()["faults"]]
    assert told == [(e["pointer"], e["code"], e.get("offset")) for e in refused.json()["errors"]]


FAULTY: dict[str, tuple[dict[str, Any], str]] = {
    "twin keys": ({"key": "access.mfa"}, MORE),
    "twin options": (
        {"kind": "single", "options": [{"key": "a", "label": {"en": "A"}}, {"key": "a", "label": {"en": "B"}}]},
        f"{MORE}/options",
    ),
    "weight -1": ({"weight": -1}, f"{MORE}/weight"),
    "weight 0.5": ({"weight": 0.5}, f"{MORE}/weight"),
    "weight 1001": ({"weight": 1001}, f"{MORE}/weight"),
    "weight without a way to score": ({"kind": "number", "weight": 3}, MORE),
    "default language incomplete": ({"text": {"de": "Und mehr?"}}, MORE),
    "unknown criterion": ({"maps": {"soc2": ["CC99.9"]}}, f"{MORE}/maps"),
    "unknown field": ({"colour": "red"}, MORE),
    "a reserved key": ({"key": "vendor.name"}, MORE),
    "NUL": ({"unit": "a\u202eb", "kind": "number"}, f"{MORE}/unit"),
}


@pytest.mark.parametrize(("change", "pointer"), FAULTY.values(), ids=FAULTY.keys())
async def test_a_questionnaire_with_a_fault_is_refused_with_a_pointer_and_nothing_is_saved(
    client: Client, place: str, change: dict[str, Any], pointer: str
) -> None:
    before = await saved(client, place, document())
    refused = await client.put(f"{place}/draft", with_question(change), etag='"1"')
    assert code_of(refused) == (422, "questionnaire_invalid"), refused.text
    assert any(found.startswith(pointer) for found, _ in faults_of(refused)), refused.text
    assert (await client.get(f"{place}/draft")).json() == before
    assert len(await entries(client)) == 2


async def test_all_faults_are_told_at_once_and_at_most_50(client: Client, place: str) -> None:
    many = [{"key": f"q{n}", "kind": "yes_no", "text": {"en": "?"}, "weight": 2000} for n in range(80)]
    content = document(sections=[{"key": "s", "title": {"en": "S"}, "questions": many}])
    refused = await client.put(f"{place}/draft", content, etag='"0"')
    assert code_of(refused) == (422, "questionnaire_invalid")
    assert len(faults_of(refused)) == 50
    assert len({pointer for pointer, _ in faults_of(refused)}) == 50


async def test_a_content_has_the_key_of_its_questionnaire(client: Client, place: str) -> None:
    refused = await client.put(f"{place}/draft", document("another"), etag='"0"')
    assert (code_of(refused), faults_of(refused)) == ((422, "questionnaire_invalid"), [("/key", "key_differs")])


HOSTILE = {
    "no JSON": (b"{", 400, "body_malformed"),
    "twin names": (b'{"key": "a", "key": "b"}', 400, "body_malformed"),
    "NaN": (b'{"key": NaN}', 400, "body_malformed"),
    "a NUL": (b'{"key": "a\\u0000"}', 422, "text_invalid"),
    "half a pair": (b'{"key": "\\ud800"}', 422, "text_invalid"),
    "a list": (b"[]", 422, "questionnaire_invalid"),
    "a number": (b"5", 422, "questionnaire_invalid"),
    "nothing": (b"", 400, "body_malformed"),
    "deep": (b"[" * 200_000, 400, "body_malformed"),
    "too large": (b'{"key": "' + b"x" * (4 << 20) + b'"}', 413, "body_too_large"),
}


@pytest.mark.parametrize(("body", "status", "code"), HOSTILE.values(), ids=HOSTILE.keys())
async def test_a_body_that_is_no_questionnaire_is_refused_in_our_words(
    client: Client, place: str, body: bytes, status: int, code: str
) -> None:
    headers = {"content-type": "application/json", "if-match": '"0"'}
    for method, path in (("PUT", f"{place}/draft"), ("POST", f"{place}/draft/check")):
        refused = await client.http.request(method, path, content=body, headers=headers)
        if refused.status_code == 200:
            assert method == "POST"
            assert refused.json()["faults"]
            continue
        assert code_of(refused) == (status, code), (method, refused.text[:300])
    assert (await client.get(f"{place}/draft")).headers["etag"] == '"0"'


async def test_an_exported_workbook_is_saved_as_the_same_draft(client: Client, place: str) -> None:
    await published(client, place, document())
    await published(client, place, with_question({"weight": 2}), "One more.")
    files = [(await client.get(f"{place}/versions/{n}/export?format=xlsx")).content for n in (1, 2)]
    headers = {"content-type": "application/octet-stream"}
    equal = await client.put(f"{place}/draft", files[1], etag='"0"', headers=headers)
    assert (equal.status_code, equal.json()["version"]) == (200, 0)
    earlier = await client.put(f"{place}/draft", files[0], etag='"0"', headers=headers)
    assert earlier.json()["content_sha256"] == (await client.get(f"{place}/versions/1")).json()["content_sha256"]


async def test_a_fault_of_a_workbook_names_its_sheet_and_row(client: Client, place: str) -> None:
    await published(client, place, document())
    book = load_workbook(io.BytesIO((await client.get(f"{place}/versions/1/export?format=xlsx")).content))
    sheet = book["Questions"]
    headings = [cell.value for cell in sheet[1]]
    sheet.cell(3, headings.index("weight") + 1, 5000)
    changed = io.BytesIO()
    book.save(changed)
    refused = await client.put(f"{place}/draft", changed.getvalue(), etag='"0"', headers=XLSX)
    assert code_of(refused) == (422, "questionnaire_invalid")
    [error] = refused.json()["errors"]
    assert error["pointer"] == "/sections/0/questions/1/weight"
    assert error["detail"].startswith("In sheet Questions, row 3: ")


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + bytes(5000)])
async def test_a_damaged_workbook_is_refused(client: Client, place: str, content: bytes) -> None:
    refused = await client.put(f"{place}/draft", content, etag='"0"', headers=XLSX)
    assert (code_of(refused), faults_of(refused)) == ((422, "questionnaire_invalid"), [("", "workbook_unreadable")])


async def test_a_file_is_sent_as_a_form_too(client: Client, place: str) -> None:
    files = {"file": ("q.json", json.dumps(document()), "application/json")}
    response = await client.http.put(f"{place}/draft", files=files, headers={"if-match": '"0"'})
    assert (response.status_code, response.json()["question_count"]) == (200, 2)


async def test_a_check_saves_nothing_and_warns_of_keys_that_come_back_and_of_other_wordings(
    client: Client, place: str
) -> None:
    await published(client, place, with_question({}))
    await published(client, place, document(), "One question less.")
    before = await entries(client)
    content = with_question({})
    content["sections"][0]["questions"][0] = {
        **content["sections"][0]["questions"][0],
        "text": {"en": "Where do your subcontractors keep our backups?"},
    }
    told = (await client.post(f"{place}/draft/check", content)).json()
    assert told["faults"] == []
    warned = [(one["pointer"], one["code"]) for one in told["warnings"]]
    assert ("/sections/0/questions/0/text", "meaning_may_have_changed") in warned
    assert (f"{MORE}/key", "key_came_back") in warned
    assert (told["question_count"], told["weight_total"]) == (3, 12)
    assert await entries(client) == before
    assert (await client.get(f"{place}/draft")).headers["etag"] == '"0"'
    assert (await published(client, place, content, "Warnings block nothing."))["number"] == 3


async def test_a_raised_meaning_makes_no_doubt(client: Client, place: str) -> None:
    await published(client, place, document())
    content = reworded("Where do your subcontractors keep our backups?", meaning=2)
    told = (await client.post(f"{place}/draft/check", content)).json()
    assert "meaning_may_have_changed" not in {one["code"] for one in told["warnings"]}


# --- publication


async def test_a_publication_freezes_hashes_shows_respondents_their_part_and_spreads_the_questions(
    client: Client, place: str, owner: Any
) -> None:
    content = with_question(
        {
            "internal_help": {"en": "CANARY-INTERNAL"},
            "flags": [
                {
                    "key": "hidden",
                    "when": "access.mfa = no",
                    "severity": "high",
                    "title": {"en": "CANARY-FLAG"},
                    "shown": False,
                }
            ],
            "evidence": {"wanted": True},
            "same_as": ["caiq4:IAM-14.1"],
            "maps": {"soc2": ["CC6.1", "CC6.2"], "iso27001": ["A.5.15"]},
        }
    )
    told = await published(client, place, content)
    assert (told["number"], told["change_note"], told["question_count"], told["weight_total"]) == (1, None, 3, 12)
    row = await owner.fetchrow("select content, asked from questionnaire_versions")
    assert row["content"].encode() == canonical(content_of(json.dumps(content).encode()))
    assert row["asked"].encode() == respondent_view(content_of(row["content"].encode()))
    for secret in ("CANARY", '"weight"', '"credit"', '"critical"', '"when"', "CC6.1x"):
        assert secret not in row["asked"], secret
    spread = await owner.fetch(
        "select place, key, section, kind, meaning, weight, is_critical, wants_evidence, criteria, same_as"
        " from questions order by place"
    )
    assert [tuple(one) for one in spread] == [
        (1, "access.mfa", "access", "yes_no", 1, 9, True, False, ["CC6.1"], []),
        (2, "access.keys", "access", "yes_no", 1, 3, False, False, [], []),
        (3, "access.more", "access", "yes_no", 1, 0, False, True, ["CC6.1", "CC6.2"], ["caiq4:IAM-14.1"]),
    ]


async def test_the_next_draft_begins_as_a_copy_and_needs_a_note_and_a_change(client: Client, place: str) -> None:
    first = await published(client, place, document())
    copy = (await client.get(f"{place}/draft")).json()
    assert (copy["version"], copy["number"], copy["content_sha256"]) == (0, 2, first["content_sha256"])
    unchanged = await client.post(f"{place}/draft/publication", {"change_note": "x"}, etag='"0"')
    assert code_of(unchanged) == (409, "version_unchanged")
    await saved(client, place, reworded("Do admins use a second factor?"))
    without = await client.post(f"{place}/draft/publication", {}, etag='"1"')
    assert (code_of(without), faults_of(without)) == (
        (422, "change_note_missing"),
        [("/change_note", "change_note_missing")],
    )
    await saved(client, place, document())
    back = await client.post(f"{place}/draft/publication", {"change_note": "x"}, etag='"2"')
    assert code_of(back) == (409, "version_unchanged")
    assert [one["number"] for one in await client.items(f"{place}/versions")] == [1]


async def test_a_questionnaire_without_questions_is_not_published(client: Client, place: str) -> None:
    refused = await client.post(f"{place}/draft/publication", {}, etag='"0"')
    assert refused.status_code in {409, 422}, refused.text
    assert await client.items(f"{place}/versions") == []


async def test_a_second_click_publishes_nothing(client: Client, place: str) -> None:
    await saved(client, place, document())
    assert (await client.post(f"{place}/draft/publication", {}, etag='"1"')).status_code == 200
    again = await client.post(f"{place}/draft/publication", {}, etag='"1"')
    assert code_of(again) == (412, "version_stale")
    assert len(await client.items(f"{place}/versions")) == 1


async def test_of_two_publishers_at_once_one_publishes_and_the_other_is_late(
    client: Client, place: str, role_client: Any
) -> None:
    reviewer = await role_client("reviewer")
    await saved(client, place, document())
    answers = await asyncio.gather(
        *(caller.post(f"{place}/draft/publication", {}, etag='"1"') for caller in [client, reviewer] * 4)
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 7]
    assert [one["number"] for one in await client.items(f"{place}/versions")] == [1]
    assert [action for action, _ in await entries(client)].count("questionnaire_version:published") == 1


async def test_of_two_first_savers_at_once_one_saves_and_the_other_is_late(client: Client, place: str) -> None:
    contents = [reworded(f"Question number {n}?") for n in range(4)]
    answers = await asyncio.gather(*(client.put(f"{place}/draft", one, etag='"0"') for one in contents))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
    assert (await client.get(f"{place}/draft")).json()["version"] == 1


async def test_a_draft_that_is_saved_while_it_is_published_is_published_whole_or_not_at_all(
    client: Client, place: str
) -> None:
    for n in range(4):
        number = len(await client.items(f"{place}/versions"))
        await saved(client, place, reworded(f"Which factor, in round {n}?"))
        etag = await client.etag(f"{place}/draft")
        save = client.put(f"{place}/draft", reworded(f"Another one, in round {n}?"), etag=etag)
        publish = client.post(f"{place}/draft/publication", {"change_note": "x"}, etag=etag)
        answers = await asyncio.gather(publish, save)
        assert sorted(answer.status_code for answer in answers) == [200, 412]
        versions = await client.items(f"{place}/versions")
        assert len(versions) == number + (answers[0].status_code == 200)
        if answers[0].status_code == 200:
            assert f"in round {n}" in json.dumps(answers[0].json()["content"])
            assert "Another" not in json.dumps(answers[0].json()["content"])


async def test_a_published_version_is_not_discarded(client: Client) -> None:
    place = await line(client, document())
    refused = await client.delete(f"{place}/draft", etag='"0"')
    assert code_of(refused) == (409, "version_published")
    assert "etire" in refused.json()["detail"]
    assert (await client.get(f"{place}/versions/1")).status_code == 200


async def test_there_is_no_draft_to_discard_before_one_is_saved(client: Client, place: str) -> None:
    assert code_of(await client.delete(f"{place}/draft", etag='"0"')) == (404, "not_found")


CHANGES = [
    "update questionnaire_versions set content = content || ' '",
    "update questionnaire_versions set asked = '{}'",
    "update questionnaire_versions set change_note = 'x'",
    "update questionnaire_versions set state = 'draft', asked = null, published_at = null",
    "update questionnaire_versions set number = 7",
    "delete from questionnaire_versions",
    (
        "insert into questions select tenant_id, version_id, 9, 'x', section, kind, meaning, weight, is_critical,"
        " wants_evidence, criteria, same_as from questions limit 1"
    ),
]
NEVER = ["update questions set weight = 0", "delete from questions", "truncate questions"]


async def run_as(owner: Any, role: str | None, tenant: UUID, statement: str) -> None:
    async with owner.transaction():
        if role is not None:
            await owner.execute(f"set local role {role}")
            await owner.execute("select set_config('vendorrisk.tenant_id', $1, true)", str(tenant))
        await owner.execute(statement)


@pytest.mark.parametrize("role", ["vendorrisk_tenant", "vendorrisk_system", None])
async def test_no_role_changes_a_published_version_or_its_questions(
    client: Client, company: Company, owner: Any, role: str | None
) -> None:
    await line(client, document())
    before = await owner.fetch("select * from questionnaire_versions"), await owner.fetch("select * from questions")
    for statement in CHANGES:
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match=r"is frozen|takes no more"):
            await run_as(owner, role, company.tenant.id, statement)
    for statement in NEVER if role is not None else ():
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await run_as(owner, role, company.tenant.id, statement)
    after = await owner.fetch("select * from questionnaire_versions"), await owner.fetch("select * from questions")
    assert after == before


async def test_the_database_refuses_a_digest_of_another_text_and_a_second_draft(
    client: Client, place: str, owner: Any
) -> None:
    await saved(client, place, document())
    with pytest.raises(asyncpg.CheckViolationError, match="digest_is_that_of_the_content"):
        await owner.execute("update questionnaire_versions set content = content || ' '")
    with pytest.raises(asyncpg.UniqueViolationError, match="draft_is_the_only_one"):
        await owner.execute(
            "insert into questionnaire_versions (tenant_id, id, questionnaire_id, number, content, content_sha256,"
            " method, question_count, weight_total, created_at, updated_at) select tenant_id, gen_random_uuid(),"
            " questionnaire_id, 2, content, content_sha256, method, 0, 0, now(), now() from questionnaire_versions"
        )


async def test_a_version_and_its_draft_leave_entries_with_the_digest_and_not_the_content(
    client: Client, place: str
) -> None:
    told = await published(client, place, document())
    kept = await client.items("/v1/audit-entries", filter="action:eq:questionnaire_version:published")
    assert [UUID(entry["target_id"]) for entry in kept] == [UUID(told["id"])]
    assert kept[0]["after"]["content_sha256"] == told["content_sha256"]
    assert "second factor" not in json.dumps(kept)
