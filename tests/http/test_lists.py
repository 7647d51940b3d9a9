"""Lists, by route: filters, sorts, cursors, pages and what each refuses."""

import base64
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.http.make import DANA

pytestmark = pytest.mark.anyio

ABSENT = "018f0000-0000-7000-8000-000000000000"


async def add_members(client: Client, count: int) -> None:
    for number in range(count):
        body = {**DANA, "name": f"M{number % 3}", "email": f"m{number}@example.com"}
        assert (await client.post("/v1/members", body)).status_code == 201


@pytest.mark.parametrize(
    "value",
    [
        *(
            "",
            "name",
            "name:eq",
            "name:like:x",
            "secret:eq:x",
            "tenant_id:eq:x",
            ":eq:x",
            "::",
            "name::x",
            "roles:eq:admin",
        ),
        *("name:eq:\x00", "is_active:eq:maybe", "is_active:eq:", "id:eq:x", "id:eq:4102444800", "roles:has:emperor"),
        *("id:in:" + ",".join([ABSENT] * 101), "created_at:gt:2026", "created_at:gt:2026-01-01T00:00:00"),
        *("created_at:gt:0000-01-01T00:00:00Z", "created_at:gt:10000-01-01T00:00:00Z", "created_at:gt:4102444800"),
        *("created_at:gt:0001-01-01T00:00:00+23:59", "created_at:gt:9999-12-31T23:59:59-23:59", "created_at:gt:NaN"),
        *("created_at:has:2026-01-01T00:00:00Z", "name:null:true", "Name:eq:x", "name :eq:x", "name;drop:eq:x"),
    ],
)
async def test_a_filter_that_is_not_declared_or_does_not_fit_is_refused(client: Client, value: str) -> None:
    refused = await client.get("/v1/members", params={"filter": value})
    assert (refused.status_code, refused.json()["code"]) == (400, "filter_invalid"), refused.text
    assert refused.json()["errors"][0]["parameter"] == "filter"


@pytest.mark.parametrize(
    ("path", "value"),
    [("/v1/audit-entries", f"sequence:eq:{n}") for n in (2**63, -(2**63) - 1, 10**400, "1e3", "1.5", "", "0x1")],
)
async def test_a_whole_number_beyond_64_bits_is_refused(client: Client, path: str, value: str) -> None:
    refused = await client.get(path, params={"filter": value})
    assert (refused.status_code, refused.json()["code"]) == (400, "filter_invalid"), refused.text


@pytest.mark.parametrize("column", ["inherent_score", "annual_spend"])
@pytest.mark.parametrize(
    "value", [str(2**63), "1" * 31, "1e9", "1e400000", "NaN", "Infinity", "-", "0x1", "", "\uff11\uff12"]
)
async def test_a_number_that_its_column_cannot_hold_is_refused(client: Client, column: str, value: str) -> None:
    if (column, value) == ("annual_spend", str(2**63)):
        return
    for operator in ("eq", "lt", "in"):
        refused = await client.get("/v1/vendors", params={"filter": f"{column}:{operator}:{value}"})
        assert (refused.status_code, refused.json()["code"]) == (400, "filter_invalid"), refused.text
    at_the_edge = await client.get("/v1/vendors", params={"filter": "inherent_score:lt:2147483647"})
    assert at_the_edge.status_code == 200


@pytest.mark.parametrize("value", [2**63 - 1, -(2**63) + 1, 0, -1])
async def test_a_whole_number_of_64_bits_is_taken(client: Client, value: int) -> None:
    for operator, whole in (("gt", value < 0), ("lt", value > 10)):
        found = await client.get("/v1/audit-entries", params={"filter": f"sequence:{operator}:{value}"})
        assert found.status_code == 200, found.text
        if value:
            assert bool(found.json()["items"]) is whole


async def test_more_than_twenty_filters_are_refused(client: Client) -> None:
    refused = await client.get("/v1/members", params={"filter": ["name:eq:x"] * 21})
    assert (refused.status_code, refused.json()["code"]) == (400, "filter_invalid")


async def test_wildcards_and_quotes_in_a_filter_stand_for_themselves(client: Client) -> None:
    names = [
        "100%",
        "a_b",
        "axb",
        "O'Brien",
        'say "hi"',
        "back\\slash",
        "x; drop table members; --",
        "a,b",
        "a:b",
        "$1",
    ]
    for number, name in enumerate(names):
        await client.post("/v1/members", {**DANA, "name": name, "email": f"m{number}@example.com"})
    for name in names:
        found = await client.items("/v1/members", filter=f"name:eq:{name}")
        assert [m["name"] for m in found] == [name]
        others = await client.items("/v1/members", filter=f"name:ne:{name}")
        assert len(others) == len(names) - 1
    for nothing in ("%", "_", "a%", "' or true --", "\\"):
        assert await client.items("/v1/members", filter=f"name:eq:{nothing}") == []
    assert len(await client.items("/v1/members", filter="name:in:a_b,100%,absent")) == 2


async def test_several_filters_must_all_hold(client: Client) -> None:
    await add_members(client, 6)
    both = await client.items("/v1/members", filter=["name:eq:M1", "email:eq:M4@EXAMPLE.com"])
    assert [m["email"] for m in both] == ["m4@example.com"]
    assert await client.items("/v1/members", filter=["name:eq:M1", "name:eq:M2"]) == []


async def test_null_is_asked_for_by_its_own_operator(client: Client) -> None:
    later = {"name": "ends", "roles": ["auditor"], "expires_at": "2027-01-01T00:00:00Z"}
    await client.post("/v1/api-keys", later)
    assert [k["name"] for k in await client.items("/v1/api-keys", filter="expires_at:null:false")] == ["ends"]
    assert len(await client.items("/v1/api-keys", filter="expires_at:null:true")) == 1


@pytest.mark.parametrize(
    "sort",
    ["", "nothing", "--name", "-", "roles", "id", "secret_hash", "name,email", "name desc", "+name", "NAME", "name;"],
)
async def test_a_sort_that_is_not_declared_is_refused(client: Client, sort: str) -> None:
    refused = await client.get("/v1/members", params={"sort": sort})
    assert (refused.status_code, refused.json()["code"]) == (400, "sort_invalid"), refused.text


@pytest.mark.parametrize("limit", ["0", "-1", "201", "1000000000", str(2**64), "x", "", "1.5", "NaN", "0x10"])
async def test_a_page_size_out_of_range_is_refused(client: Client, limit: str) -> None:
    refused = await client.get("/v1/members", params={"limit": limit})
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_invalid"), refused.text
    assert refused.json()["errors"][0]["parameter"] == "limit"


@pytest.mark.parametrize("query", ["nope=1", "Limit=1", "filter[]=x", "%00=1", "page=2", "limit%20=1", "=1"])
async def test_an_unknown_parameter_is_refused_rather_than_ignored(client: Client, query: str) -> None:
    refused = await client.get(f"/v1/members?{query}")
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_invalid"), refused.text
    assert (await client.get(f"/v1/me?{query}")).status_code == 400


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "sort=name&sort=email", "total=true&total=true", "cursor=&cursor="]
)
async def test_a_parameter_given_twice_is_refused_where_one_is_taken(client: Client, query: str) -> None:
    refused = await client.get(f"/v1/members?{query}")
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_invalid"), refused.text


@pytest.mark.parametrize("query", ["limit=null", "total=null", "limit=NULL", "total=Null"])
async def test_the_word_null_is_no_value(client: Client, query: str) -> None:
    refused = await client.get(f"/v1/members?{query}")
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_invalid"), refused.text


@pytest.mark.parametrize("value", ["null", "NULL", "", "today", "2026-02-30", "10000-01-01", "0000-01-01"])
async def test_a_day_that_is_none_is_refused_and_not_taken_for_today(client: Client, value: str) -> None:
    place = (await client.post("/v1/vendors", {"name": "Acme"})).headers["location"]
    refused = await client.get(f"{place}/coverage", params={"at": value})
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_invalid"), refused.text


async def test_the_total_is_counted_only_on_request_and_with_the_filters(client: Client) -> None:
    await add_members(client, 6)
    assert "total" not in (await client.get("/v1/members")).json()
    counted = await client.get("/v1/members", params={"total": "true", "limit": 1, "filter": "name:eq:M1"})
    assert (counted.json()["total"], len(counted.json()["items"])) == (2, 1)


async def test_only_the_fields_asked_for_are_returned(client: Client) -> None:
    await add_members(client, 3)
    some = (await client.get("/v1/members", params={"fields": "name,email", "limit": 2})).json()
    assert [set(m) for m in some["items"]] == [{"name", "email"}] * 2
    assert some["next"]
    one = await client.get("/v1/me", params={"fields": "kind"})
    assert one.json() == {"kind": "api_key"}
    refused = await client.get("/v1/members", params={"fields": "name,secret_hash"})
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_invalid")


# --- cursors ---------------------------------------------------------------------------------------------------------


async def test_fields_are_named_with_commas_or_in_repetitions_or_both(client: Client) -> None:
    for query in ("fields=name,email", "fields=name&fields=email", "fields=name&fields=email,name"):
        page = (await client.get(f"/v1/members?{query}")).json()
        assert [set(row) for row in page["items"]] == [{"name", "email"}] * len(page["items"]), query
        assert (
            await client.get(f"/v1/me?{query.replace('name', 'kind').replace('email', 'label')}")
        ).json().keys() == {
            "kind",
            "label",
        }
    refused = await client.get("/v1/members?fields=name&fields=secret_hash")
    assert (refused.status_code, refused.json()["errors"][0]["parameter"]) == (400, "fields")


@pytest.mark.parametrize("fields", ["", ",", "name,", " name", "Name", "name,name_"])
async def test_fields_that_a_row_never_has_are_refused_even_of_an_empty_list(client: Client, fields: str) -> None:
    refused = await client.get("/v1/members", params={"fields": fields})
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_invalid"), refused.text
    assert refused.json()["errors"][0]["parameter"] == "fields"


async def test_a_file_is_no_record_whose_fields_could_be_chosen(client: Client) -> None:
    refused = await client.get("/v1/vendors/export", params={"fields": "name"})
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter_invalid"), refused.text


async def first_cursor(client: Client, **params: Any) -> str:
    page = await client.get("/v1/members", params={"limit": 2, **params})
    cursor: str = page.json()["next"]
    return cursor


async def assert_cursor_refused(client: Client, path: str, **params: Any) -> None:
    refused = await client.get(path, params=params)
    assert (refused.status_code, refused.json()["code"]) == (400, "cursor_invalid"), (params, refused.text)


async def test_a_cursor_that_was_cut_or_changed_is_refused(client: Client) -> None:
    await add_members(client, 5)
    cursor = await first_cursor(client)
    for cut in range(1, len(cursor), 5):
        await assert_cursor_refused(client, "/v1/members", cursor=cursor[:cut])
        turned = "A" if cursor[cut] != "A" else "B"
        await assert_cursor_refused(client, "/v1/members", cursor=cursor[:cut] + turned + cursor[cut + 1 :])
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    forged = base64.urlsafe_b64encode(bytes(16) + raw[16:]).decode()
    for odd in (forged, cursor + "A", cursor * 2, "x", "é", "\x00", "=", "A" * 10_000, "' or 1=1", cursor.swapcase()):
        await assert_cursor_refused(client, "/v1/members", cursor=odd)


async def test_a_cursor_serves_only_its_list_sort_filters_and_tenant(client: Client, other_company: Company) -> None:
    await add_members(client, 5)
    cursor = await first_cursor(client)
    assert (await client.get("/v1/members", params={"cursor": cursor, "limit": 50})).status_code == 200
    await assert_cursor_refused(client, "/v1/api-keys", cursor=cursor)
    await assert_cursor_refused(client, "/v1/audit-entries", cursor=cursor)
    await assert_cursor_refused(client, "/v1/members", cursor=cursor, sort="-created_at")
    await assert_cursor_refused(client, "/v1/members", cursor=cursor, sort="name")
    await assert_cursor_refused(client, "/v1/members", cursor=cursor, filter="name:eq:M1")
    await assert_cursor_refused(other_company.client, "/v1/members", cursor=cursor)


async def test_a_cursor_survives_the_row_it_stands_on(client: Client, owner: Any) -> None:
    await add_members(client, 6)
    rows = await client.items("/v1/members")
    cursor = await first_cursor(client)
    await owner.execute("delete from members where id = $1", rows[1]["id"])
    onward = await client.get("/v1/members", params={"cursor": cursor, "limit": 50})
    assert [m["id"] for m in onward.json()["items"]] == [m["id"] for m in rows[2:]]


async def test_link_headers_lead_through_the_list_as_the_body_does(client: Client) -> None:
    await add_members(client, 7)
    place = "/v1/members?limit=3&sort=-name&filter=is_active:eq:true&fields=email"
    seen, links = [], {}
    while True:
        page = await client.get(place)
        body = page.json()
        seen += [m["email"] for m in body["items"]]
        links = dict(reversed(found) for found in re.findall(r'<([^>]*)>; rel="(\w+)"', page.headers.get("link", "")))
        assert set(links) == {name for name in ("next", "prev") if name in body}
        for relation, target in links.items():
            query = parse_qs(urlsplit(target).query)
            assert query["cursor"] == [body[relation]]
            assert (query["limit"], query["sort"]) == (["3"], ["-name"])
            assert (query["filter"], query["fields"]) == (["is_active:eq:true"], ["email"])
        if "next" not in links:
            break
        place = links["next"]
    assert len(seen) == len(set(seen)) == 7
    assert "prev" in links
    assert "link" not in (await client.get("/v1/members")).headers
