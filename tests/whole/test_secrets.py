"""Secrets stay secret: canaries in keys, addresses and files are looked for wherever somebody might read."""

import base64
import json
import re
from typing import Any

import pytest

from tests.alerts.make import send
from tests.client import Client
from tests.conftest import Company, client_of
from tests.fakes.log import kept
from tests.whole.surface import operations
from tests.whole.things import Things, document
from vendorrisk.alerts.jobs import dispatch_alerts
from vendorrisk.app import Api
from vendorrisk.background import JobContext, run_job
from vendorrisk.worker import SCHEDULE

pytestmark = pytest.mark.anyio

MARK = "canary-7f3a91-of-the-mine"
SIGNING = base64.b64encode(b"canary of a signing secret, 32 b").decode()
FILE = f"Nobody reads this: {MARK}-of-a-file\n".encode() * 50
TARGETS = [
    {"kind": "slack_webhook", "url": f"https://hooks.slack.com/services/T0/B0/{MARK}-of-slack"},
    {"kind": "slack_bot", "token": f"xoxb-{MARK}-of-a-bot", "conversation": "C0123"},
    {"kind": "webhook", "url": f"https://in.example.com/hook?token={MARK}-of-a-url", "secret": f"whsec_{SIGNING}"},
]


class Canaries:
    """What must be found nowhere, and the ways to look for it."""

    def __init__(self, *keys: str) -> None:
        texts = [MARK, SIGNING, *(key.rpartition("_")[2] for key in keys)]
        raws = [text.encode() for text in texts] + [base64.b64decode(SIGNING)]
        forms = [form for raw in raws for form in (raw, raw.hex().encode(), *in_base64(raw))]
        self._pattern = re.compile(b"|".join(re.escape(form) for form in forms))

    def found_in(self, value: object) -> bool:
        raw = value if isinstance(value, bytes) else str(value).encode()
        return self._pattern.search(raw) is not None


def in_base64(raw: bytes) -> list[bytes]:
    """Return how a text looks inside of base64: at each of three places, without what its neighbours decide."""
    return [base64.b64encode(bytes(shift) + raw)[4 if shift else 0 : -4] for shift in range(3)]


async def test_no_canary_is_found_in_logs_responses_errors_audit_metrics_or_the_database(
    api: Api, company: Company, context: JobContext, owner: Any, role_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = kept(monkeypatch)
    things = Things(company, await role_client("admin"), context, owner)
    keys = await use_secrets(things, api)
    canaries = Canaries(company.key.secret, *keys)
    for seen in (f"x{MARK}x", keys[0], SIGNING.encode().hex(), base64.b64encode(FILE)):
        assert canaries.found_in(seen), "the search itself finds what is there"
    responses = await wrong_requests(company.client, keys[0])
    for job in SCHEDULE:
        await run_job(job, context)
    for work in (dispatch_alerts, send):
        await work(context)
    responses += await everything_shown(things, api)
    found = [f"a response: {text[:300]}" for text in responses if canaries.found_in(text)]
    found += [f"the log: {str(line)[:300]}" for line in log if canaries.found_in(line)]
    found += [place async for place in in_the_database(owner, canaries)]
    assert len(responses) > 60
    assert {"request", "job_done"} <= {line["event"] for line in log}, "the log was kept"
    assert found == []


async def use_secrets(things: Things, api: Api) -> list[str]:
    """Make keys, receivers and a file under keys of idempotency, so that their responses are stored.

    Returns the keys.
    """
    client, keys = things.client, []
    once = {"idempotency-key": "once"}
    made = (await client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"]}, headers=once)).json()
    turned = await client.post(f"/v1/api-keys/{made['id']}/rotations", {}, etag='"1"')
    keys = [made["secret"], turned.json()["secret"]]
    for key in keys:
        assert (await client_of(api, key).get("/v1/me")).status_code == 200
    for number, target in enumerate(TARGETS):
        named = {"name": f"Receiver {number}", "target": target}
        told = await client.post("/v1/receivers", named, headers={"idempotency-key": f"receiver-{number}"})
        assert told.status_code == 201, told.text
        assert (await client.post(f"/v1/receivers/{told.json()['id']}/tests")).status_code == 202
    place = f"/v1/documents/{await document(things, {})}"
    stored = await client.put(f"{place}/file", FILE, etag='"1"', headers={"content-type": "text/plain"})
    assert stored.status_code == 200, stored.text
    return keys


async def wrong_requests(client: Client, key: str) -> list[str]:
    """Send secrets where they are refused: what is said of them does not repeat them."""
    wrong = [
        await client.post("/v1/receivers", {"name": "x", "target": {**TARGETS[1], "conversation": "no"}}),
        await client.post("/v1/receivers", {"name": "x", "target": {**TARGETS[2], "url": f"http://x/{MARK}"}}),
        await client.post("/v1/receivers", {"name": "x", "target": {**TARGETS[2], "secret": f"whsec_{MARK}"}}),
        await client.post("/v1/receivers", f'{{"name": "x", "target": {{"token": "{MARK}"'.encode()),
        await client.http.get("/v1/me", headers={"authorization": f"Bearer {key}x"}),
        await client.http.get("/v1/me", headers={"authorization": f"Basic {MARK}"}),
        await client.get(f"/v1/nothing/{MARK}"),
        await client.get("/v1/members", params={"filter": f"id:eq:{MARK}"}),
        await client.get("/v1/members", params={"cursor": MARK}),
    ]
    assert all(response.status_code >= 400 for response in wrong)
    return [response.text + str(response.headers) for response in wrong]


async def everything_shown(things: Things, api: Api) -> list[str]:
    """Return every record and list that anybody may read, but for the file itself, and the operator's metrics."""
    shown = []
    for operation in operations(api):
        if operation.method == "GET" and operation.name != "get_document_file":
            place = operation.path.format(**(await things.known_for(operation)))
            response = await things.client.http.request("GET", place, params={**operation.query})
            assert response.status_code == 200, (operation.name, response.text)
            shown.append(response.text)
    records = [f"/v1/receivers/{one['id']}" for one in await things.client.items("/v1/receivers")]
    records += [f"/v1/deliveries/{one['id']}/attempts" for one in await things.client.items("/v1/deliveries")]
    places = [*records, "/", "/health/ready", "/docs", "/openapi.json"]
    shown += [(await things.client.get(place)).text for place in places]
    return shown + [json.dumps(entry) for entry in await things.client.items("/v1/audit-entries")]


async def in_the_database(owner: Any, canaries: Canaries) -> Any:
    """Yield each column that holds a canary, as a dump would show it."""
    for table in await owner.fetch("select tablename::text as name from pg_tables where schemaname = 'public'"):
        for row in await owner.fetch(f"select * from {table['name']}"):
            for column, value in row.items():
                if canaries.found_in(value):
                    yield f"{table['name']}.{column}"
