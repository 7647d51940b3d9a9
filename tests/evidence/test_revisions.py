"""What a report says is revised or taken back: its findings, its record and its proposals follow."""

from typing import Any

import pytest

from tests.client import Client
from tests.evidence.make import coverage, recorded, type_2, vendor
from tests.evidence.reports import report
from tests.evidence.test_from_file_to_report import TOOLS, decide, filed, read_all
from vendorrisk.background import JobContext
from vendorrisk.evidence import jobs
from vendorrisk.evidence.jobs import read_evidence

pytestmark = pytest.mark.anyio


async def _change(client: Client, place: str, body: Any) -> Any:
    changed = await client.patch(place, body, etag=await client.etag(place))
    assert changed.status_code == 200, changed.text
    return changed.json()


async def _finding(client: Client) -> Any:
    (found,) = await client.items("/v1/findings")
    return found


async def test_an_opinion_that_turns_out_worse_makes_its_finding_more_severe_and_due_earlier(client: Client) -> None:
    shown = await recorded(client, type_2(await vendor(client), opinion="qualified"))
    before = await _finding(client)
    assert (before["severity"], before["due_on"]) == ("high", "2026-04-01")
    body = {"opinion": "adverse", "opinion_reason": "Change control was absent."}
    await _change(client, f"/v1/soc2-reports/{shown['id']}", body)
    after = await _finding(client)
    assert (after["id"], after["severity"], after["due_on"]) == (before["id"], "critical", "2026-03-09")
    assert "adverse" in after["title"]
    assert after["description"] == "Change control was absent."


async def test_a_finding_that_was_accepted_stands_again_when_the_opinion_turns_out_worse(client: Client) -> None:
    shown = await recorded(client, type_2(await vendor(client), opinion="qualified"))
    found = await _finding(client)
    place = f"/v1/findings/{found['id']}"
    move = {"to": "accepted", "reason": "We live with it.", "until_on": "2026-12-31"}
    assert (await client.post(f"{place}/transitions", move, etag=await client.etag(place))).status_code == 200
    await _change(client, f"/v1/soc2-reports/{shown['id']}", {"opinion_reason": "Access."})
    assert (await _finding(client))["state"] == "accepted"
    await _change(client, f"/v1/soc2-reports/{shown['id']}", {"opinion": "disclaimer"})
    after = await _finding(client)
    assert (after["state"], after["severity"], after["until_on"]) == ("open", "critical", None)


async def test_an_opinion_that_was_corrected_and_turns_bad_again_is_notified_as_it_is_now(client: Client) -> None:
    shown = await recorded(client, type_2(await vendor(client), opinion="adverse"))
    place = f"/v1/soc2-reports/{shown['id']}"
    await _change(client, place, {"opinion": "unqualified"})
    assert (await _finding(client))["state"] == "remediated"
    await _change(client, place, {"opinion": "qualified"})
    after = await _finding(client)
    assert (after["state"], after["severity"], after["times_reopened"]) == ("open", "high", 1)
    assert "qualified" in after["title"]


async def test_an_exception_whose_severity_changes_changes_that_of_its_finding(client: Client) -> None:
    exception = {"criterion": "CC6.1", "control": "Access is reviewed", "deviation": "2 of 25 were late"}
    shown = await recorded(client, type_2(await vendor(client), exceptions=[exception]))
    place = f"/v1/soc2-reports/{shown['id']}/exceptions/{shown['exceptions'][0]['id']}"
    changes = {"severity": "critical", "deviation": "22 of 25 were late"}
    assert (await client.patch(place, changes, etag='"1"')).status_code == 200
    found = await _finding(client)
    assert (found["severity"], found["due_on"]) == ("critical", "2026-03-09")
    assert found["description"] == "Access is reviewed\n\n22 of 25 were late"
    assert (await client.patch(place, {"management_response": "Mended."}, etag='"2"')).status_code == 200
    assert (await _finding(client))["version"] == found["version"], "a response changes nothing that is wrong"


async def test_a_report_withdrawn_by_mistake_is_recorded_again_from_its_document(
    context: JobContext, client: Client
) -> None:
    place = await filed(client, report("plain"))
    await read_all(context)
    for proposal in await client.items(f"{place}/proposals", limit=200):
        await decide(client, place, proposal, "confirmed")
    first = (await client.post(f"{place}/soc2-reports", None)).json()
    gone = await client.post(f"/v1/soc2-reports/{first['id']}/withdrawal", {"reason": "By mistake"}, etag='"1"')
    assert gone.status_code == 200
    again = await client.post(f"{place}/soc2-reports", None)
    assert again.status_code == 201, again.text
    third = await client.post(f"{place}/soc2-reports", None)
    assert (third.status_code, third.json()["code"]) == (409, "soc2_report_known")
    (covered,) = await coverage(client, again.json()["vendor_id"])
    assert covered["state"] == "in_reliance"


async def test_a_document_stays_while_a_report_rests_on_it_and_makes_none_once_it_is_withdrawn(
    context: JobContext, client: Client
) -> None:
    place = await filed(client, report("plain"))
    await read_all(context)
    for proposal in await client.items(f"{place}/proposals", limit=200):
        await decide(client, place, proposal, "confirmed")
    shown = (await client.post(f"{place}/soc2-reports", None)).json()
    wrong = {"reason": "Filed wrongly"}
    refused = await client.post(f"{place}/withdrawal", wrong, etag=await client.etag(place))
    assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
    (covered,) = await coverage(client, shown["vendor_id"])
    assert covered["state"] == "in_reliance"
    assert (await client.post(f"/v1/soc2-reports/{shown['id']}/withdrawal", wrong, etag='"1"')).status_code == 200
    gone = await client.post(f"{place}/withdrawal", wrong, etag=await client.etag(place))
    assert gone.status_code == 200, gone.text
    late = await client.post(f"{place}/soc2-reports", None)
    assert (late.status_code, late.json()["code"]) == (409, "document_superseded")
    assert len(await client.items("/v1/soc2-reports")) == 1


async def _sent(client: Client, place: str, name: str) -> None:
    sent = await client.put(f"{place}/file", report(name), etag=await client.etag(place), headers=TOOLS)
    assert sent.status_code == 200, sent.text


async def test_another_file_forgets_what_was_proposed_from_the_one_before(context: JobContext, client: Client) -> None:
    place = await filed(client, report("plain"))
    await read_all(context)
    proposals = await client.items(f"{place}/proposals", limit=200)
    auditor = next(p for p in proposals if p["field"] == "auditor")
    await decide(client, place, auditor, "confirmed")
    await _sent(client, place, "plain")
    await read_all(context)
    kept = await client.items(f"{place}/proposals", limit=200, filter="decision:eq:confirmed")
    assert [p["value"] for p in kept] == ["Harrow & Finch LLP"], "the same file again keeps what was decided"
    await _sent(client, place, "world dates")
    assert await client.items(f"{place}/proposals", limit=200) == []
    await read_all(context)
    found = await client.items(f"{place}/proposals", limit=200, filter="field:eq:auditor")
    assert [(p["value"], p["decision"]) for p in found] == [("Wexcombe Assurance Limited", "open")]


async def test_a_file_that_arrives_while_the_one_before_is_read_is_read_itself(
    context: JobContext, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = await filed(client, report("plain"))
    whole = jobs.read_report

    async def meanwhile(*args: Any, **more: Any) -> Any:
        monkeypatch.setattr(jobs, "read_report", whole)
        read = await whole(*args, **more)
        await _sent(client, place, "world dates")
        return read

    monkeypatch.setattr(jobs, "read_report", meanwhile)
    await read_evidence(context)
    assert (await client.get(place)).json()["extraction"] == "waiting"
    assert await client.items(f"{place}/proposals") == []
    await read_all(context)
    found = await client.items(f"{place}/proposals", limit=200, filter="field:eq:auditor")
    assert [p["value"] for p in found] == ["Wexcombe Assurance Limited"]
