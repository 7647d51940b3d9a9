"""Every route: every role, no credentials, another tenant; one audit entry for a write and none for a refused one.

What is expected comes from the table of permissions alone; the lists of exceptions here may only shrink.
"""

from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company, client_of
from tests.whole.surface import Operation, operations, unopened_app
from tests.whole.things import MAKERS, Things
from vendorrisk.access.permissions import GRANTS, Role
from vendorrisk.app import Api
from vendorrisk.background import JobContext

pytestmark = pytest.mark.anyio

NOBODY_S = {"alert_class", "step", "number", "built_in_key"}
"""Path parameters that name the same in every tenant."""

HARD_TO_SEND: set[str] = set()
"""Operations whose success takes more than a maker can do; their feature's own tests send them."""

SEVERAL_ENTRIES = {
    "add_soc2_exception": 2,  # its finding is opened
    "remove_soc2_exception": 2,  # its finding is closed
    "approve_intake_request": 2,  # the vendor is made
    "approve_intake_requests": 2,
    "decide_subprocessor_change": 2,  # a fourth party is added
    "adopt_questionnaire": 2,  # it is created, and published
    "check_questionnaire_draft": 0,  # it saves nothing
    "rotate_api_key": 2,  # the old key gets its end, the new one is made
}
"""Operations that write more than one record, each with its entry."""


@pytest.fixture
async def things(company: Company, role_client: Any, context: JobContext, owner: Any) -> Things:
    return Things(company, await role_client("admin"), context, owner)


CONDITIONAL = {"Link", "Preference-Applied", "Idempotency-Replayed"}
"""Headers that a success has only in a case that its description names."""


def test_every_path_parameter_has_a_maker() -> None:
    named = {parameter for operation in operations(unopened_app()) for parameter in operation.parameters}
    assert named - set(MAKERS) == set()


async def test_every_operation_succeeds_with_its_example_and_a_write_leaves_its_audit_entries(
    api: Api, things: Things
) -> None:
    faults = []
    for operation in operations(api):
        if operation.name in HARD_TO_SEND:
            continue
        known = await things.known_for(operation)
        body = await things.body_of(operation, known)
        before = await entries(things)
        response = await things.send(operation, known, body)
        left = await entries(things) - before
        if not 200 <= response.status_code < 300:
            faults.append(f"{operation.name}: {response.status_code} {response.text[:300]}")
        elif operation.is_bulk and response.json()["failed"]:
            faults.append(f"{operation.name}: {response.text[:300]}")
        expected = written_by(operation, response)
        if left != expected:
            faults.append(f"{operation.name}: left {left} audit entries, not {expected}")
        if str(response.status_code) not in operation.document["responses"]:
            faults.append(f"{operation.name}: answered {response.status_code}, which its document does not show")
        faults += [f"{operation.name}: {fault}" for fault in await broken_headers(operation, response, things)]
    assert "\n".join(faults) == ""


async def test_every_post_is_one_operation_under_its_key_and_another_body_needs_another_key(
    api: Api, things: Things
) -> None:
    faults = []
    for operation in operations(api):
        if operation.method != "POST":
            continue
        known = await things.known_for(operation)
        body = await things.body_of(operation, known)
        etag = await things.etag(operation.path.format(**known)) if operation.match else None
        key = {"idempotency-key": f"once-{operation.name}"}
        first = await things.send(operation, known, body, etag=etag, headers=key)
        before = (await rows_of(things), await entries(things))
        again = await things.send(operation, known, body, etag=etag, headers=key)
        other = await things.send(operation, known, (body or b"{}") + b"\n", etag=etag, headers=key)
        if not 200 <= first.status_code < 300 or (again.status_code, again.content) != (
            first.status_code,
            first.content,
        ):
            faults.append(f"{operation.name}: {first.status_code}, then {again.status_code} {again.text[:200]}")
        if again.headers.get("idempotency-replayed") != "true":
            faults.append(f"{operation.name}: does not say that it repeats a response")
        if (other.status_code, code_of(other)) != (422, "idempotency_key_reused"):
            faults.append(f"{operation.name}: another body under the key is answered {other.status_code}")
        if (await rows_of(things), await entries(things)) != before:
            faults.append(f"{operation.name}: a repetition had an effect")
    assert "\n".join(faults) == ""


def test_what_only_reads_asks_to_read_and_what_writes_asks_for_more() -> None:
    """The table says who holds a permission; this holds the routes to asking for one of the right kind."""
    for operation in operations(unopened_app()):
        reads = operation.permission.value.endswith(":read")
        assert reads is not operation.writes or operation.name in SECRETLY, operation.name


SECRETLY = {"list_api_keys", "get_api_key", "get_questionnaire_draft"}
"""Reads of what only those may see who may change it."""


def written_by(operation: Operation, response: Any) -> int:
    """Return how many records a success wrote: of a bulk operation, those of its rows that were not refused."""
    if not operation.writes:
        return 0
    told = response.json() if response.content else {}
    if operation.is_bulk:
        return SEVERAL_ENTRIES.get(operation.name, 1) * sum("code" not in row for row in told["items"])
    return SEVERAL_ENTRIES.get(operation.name, 1)


async def broken_headers(operation: Operation, response: Any, things: Things) -> list[str]:
    """Say which header of a success is promised and not sent, or sent and not told; and follow Location."""
    promised = operation.document["responses"].get(str(response.status_code), {}).get("headers", {})
    sent = {
        name
        for name in ("ETag", "Location", "RateLimit", "RateLimit-Policy", "X-Request-Id")
        if name in response.headers
    }
    faults = [f"{name} is promised or sent, not both" for name in sent ^ (set(promised) - CONDITIONAL)]
    if "Location" in sent:
        place = response.headers["location"]
        followed = await things.client.get(place)
        if followed.status_code != 200 or followed.json()["id"] != response.json()["id"]:
            faults.append(f"leads to {place}, where there is nothing of it")
    return faults


async def entries(things: Things) -> int:
    count: int = await things.owner.fetchval("select count(*) from audit_entries")
    return count


async def test_a_refused_write_leaves_no_audit_entry(api: Api, things: Things, role_client: Any) -> None:
    auditor = await role_client("auditor")
    faults = []
    for operation in operations(api):
        if not operation.writes:
            continue
        known = await things.known_for(operation)
        body = await things.body_of(operation, known)
        before = await entries(things)
        refused = [await things.send(operation, known, body, auditor, '"1"')]
        if operation.match:
            refused.append(await things.send(operation, known, body, things.client, '"999999"'))
        if operation.takes_json:
            headers = {"content-type": "application/json", "if-match": '"1"'}
            place = operation.path.format(**known)
            refused.append(
                await things.client.http.request(operation.method, place, headers=headers, content=b'{"nope": 1}')
            )
        if any(response.status_code < 400 for response in refused):
            faults.append(f"{operation.name}: {[a.status_code for a in refused]}")
        if await entries(things) != before:
            faults.append(f"{operation.name}: a refused write left an entry")
    assert "\n".join(faults) == ""


async def test_every_route_answers_every_role_as_the_table_of_permissions_says(
    api: Api, things: Things, role_client: Any
) -> None:
    callers: dict[Role, Client] = {role: await role_client(role.value) for role in Role}
    faults = []
    for operation in operations(api):
        place = operation.path.format(**(await things.known_for(operation)))
        for role, caller in callers.items():
            response = await caller.http.request(operation.method, place, params=operation.query)
            may = operation.permission in GRANTS[role]
            if may and response.status_code in {401, 403, 404, 500}:
                faults.append(f"{role} may {operation.name}: {response.status_code} {response.text[:200]}")
            if not may and (response.status_code, code_of(response)) != (403, "permission_denied"):
                faults.append(f"{role} may not {operation.name}: {response.status_code}")
    assert "\n".join(faults) == ""


async def test_no_route_answers_without_credentials_or_with_wrong_ones(api: Api, things: Things) -> None:
    nobody, wrong = client_of(api, None), client_of(api, "vr_key_AAAAAAAAAAAAAAAA_" + "B" * 49)
    faults = []
    for operation in operations(api):
        place = operation.path.format(**(await things.known_for(operation)))
        for caller, code in ((nobody, "credentials_missing"), (wrong, "credentials_invalid")):
            response = await caller.http.request(operation.method, place, params=operation.query)
            if (response.status_code, code_of(response)) != (401, code):
                faults.append(f"{operation.name}: {response.status_code} {response.text[:100]}")
    assert "\n".join(faults) == ""


async def test_a_scope_that_lacks_the_permission_closes_the_route_even_to_an_admin(
    api: Api, things: Things, role_client: Any
) -> None:
    narrow = await role_client("admin", scopes=["tenant:read"])
    faults = []
    for operation in operations(api):
        place = operation.path.format(**(await things.known_for(operation)))
        response = await narrow.http.request(operation.method, place, params=operation.query)
        closed = (response.status_code, code_of(response)) == (403, "permission_denied")
        if closed == (operation.permission.value == "tenant:read"):
            faults.append(f"{operation.name}: {response.status_code}")
    assert "\n".join(faults) == ""


async def test_what_another_tenant_owns_is_as_absent_as_what_nobody_owns(
    api: Api, things: Things, other_company: Company
) -> None:
    faults = []
    for operation in operations(api):
        if not set(operation.parameters) - NOBODY_S:
            continue
        known = await things.known_for(operation)
        body = await things.body_of(operation, known)
        before = await rows_of(things)
        foreign = await things.send(operation, known, body, other_company.client, '"1"')
        nowhere = {
            name: value if name in NOBODY_S else "018f0000-0000-7000-8000-000000000000" for name, value in known.items()
        }
        absent = await things.send(operation, nowhere, body, other_company.client, '"1"')
        faults += [
            f"{operation.name}: {response.status_code} {response.text[:200]}"
            for response in (foreign, absent)
            if (response.status_code, code_of(response)) != (404, "not_found")
        ]
        if uniform(foreign) != uniform(absent):
            faults.append(f"{operation.name}: tells a foreign id from an unknown one")
        if await rows_of(things) != before:
            faults.append(f"{operation.name}: changed rows of another tenant")
    assert "\n".join(faults) == ""


async def test_lists_show_nothing_of_another_tenant(api: Api, things: Things, other_company: Company) -> None:
    shown_before: dict[str, Any] = {}
    lists = [o for o in operations(api) if o.method == "GET" and not o.parameters]
    for operation in lists:
        shown_before[operation.name] = await listed(operation, other_company.client)
    for operation in operations(api):
        await things.known_for(operation)
    ours = {str(row["id"]) for row in await all_ids(things)}
    for operation in lists:
        now = await listed(operation, other_company.client)
        assert not any(found in now for found in ours), operation.name
        assert len(now) == len(shown_before[operation.name]), operation.name


async def listed(operation: Operation, client: Client) -> str:
    response = await client.http.request("GET", operation.path, params=operation.query)
    assert response.status_code == 200, (operation.name, response.text)
    return response.text


async def all_ids(things: Things) -> list[Any]:
    """Return the ids of everything that the company owns."""
    tables = await things.owner.fetch(
        "select table_name from information_schema.columns where table_schema = 'public' and column_name = 'id'"
        " and table_name in (select table_name from information_schema.columns where column_name = 'tenant_id')"
    )
    found = []
    for table in tables:
        sql = f"select id from {table['table_name']} where tenant_id = $1"
        found += await things.owner.fetch(sql, things.company.tenant.id)
    return found


async def rows_of(things: Things) -> dict[str, Any]:
    """Return a fingerprint of every table's rows of the company."""
    tables = await things.owner.fetch(
        "select table_name::text as name from information_schema.columns"
        " where table_schema = 'public' and column_name = 'tenant_id'"
    )
    return {
        table["name"]: await things.owner.fetchval(
            f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table['name']} as t"
            " where tenant_id = $1",
            things.company.tenant.id,
        )
        for table in tables
        if table["name"] != "api_keys"  # last use is written down from time to time
    }


def code_of(response: Any) -> str:
    return str(response.json().get("code", "")) if "json" in response.headers.get("content-type", "") else ""


def uniform(response: Any) -> tuple[Any, ...]:
    body = {key: value for key, value in response.json().items() if key != "request_id"}
    return (response.status_code, body)
