"""Strict bodies, by route: what is refused, with which code and pointer, and that nothing was written."""

from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.http.make import DANA, chunk, pieces, send_raw
from vendorrisk.app import Api
from vendorrisk.http.pace import Pace, Paces

pytestmark = pytest.mark.anyio


def deep(depth: int, leaf: bytes = b"1", opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return b'{"name":' + opening * depth + leaf + closing * depth + b"}"


MALFORMED = {
    "truncated": b'{"name": "Dana"',
    "empty object cut": b"{",
    "only a blank": b" ",
    "a duplicate key": b'{"name": "Dana", "name": "Eve"}',
    "a duplicate key deep inside": b'{"name": "D", "x": [{"a": 1, "a": 2}]}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": Infinity}',
    "minus Infinity": b'{"name": -Infinity}',
    "a float beyond range": b'{"name": 1e400}',
    "a minus float beyond range": b'{"name": -1e400}',
    "5,000 digits": b'{"name": ' + b"9" * 5000 + b"}",
    "a byte order mark": b'\xef\xbb\xbf{"name": "Dana"}',
    "UTF-16": '{"name": "Dana"}'.encode("utf-16"),
    "Latin-1": '{"name": "Döner"}'.encode("latin-1"),
    "an encoded surrogate": b'{"name": "\xed\xa0\x80"}',
    "an overlong encoding": b'{"name": "\xc0\x80"}',
    "10,000 arrays": deep(10_000),
    "10,000 objects": deep(10_000, b"1", b'{"a":', b"}"),
    "100,000 arrays that never close": b"[" * 100_000,
    "a trailing comma": b'{"name": "Dana",}',
    "single quotes": b"{'name': 'Dana'}",
    "a comment": b'{"name": "Dana"} // yes',
    "two documents": b'{"name": "Dana"}{"name": "Eve"}',
    "a raw control character": b'{"name": "a\x01b"}',
    "not JSON at all": b"name=Dana&email=dana%40example.com",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_not_strict_json_is_refused(client: Client, body: bytes) -> None:
    for path in ("/v1/members", "/v1/api-keys"):
        refused = await client.post(path, body)
        assert (refused.status_code, refused.json()["code"]) == (400, "body_malformed"), refused.text
    assert await client.items("/v1/members") == []
    assert len(await client.items("/v1/api-keys")) == 1


async def test_no_depth_of_nesting_fails_whatever_stands_inside(client: Client) -> None:
    for depth in (1, 100, 500, 900, 930, 940, 950, 960, 980, 1000, 1100, 2000):
        for leaf in (b"1", b'"\\u0000"', b'"\\ud800"', b"NaN"):
            refused = await client.post("/v1/members", deep(depth, leaf))
            assert refused.status_code in {400, 422}, (depth, leaf, refused.text)


@pytest.mark.parametrize("text", ["\\u0000", "a\\u0000b", "\\ud800", "\\udfff\\ud800", "x\\uDBFF"])
async def test_nul_and_lone_surrogates_are_named_by_pointer(client: Client, text: str) -> None:
    body = f'{{"name": "{text}", "email": "dana@example.com", "roles": ["reviewer", "{text}"]}}'.encode()
    refused = await client.post("/v1/members", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "text_invalid")
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/name", "/roles/1"]
    assert await client.items("/v1/members") == []


async def test_a_surrogate_pair_is_one_character_and_kept(client: Client) -> None:
    body = rb'{"name": "\ud83d\ude80 \\u0000", "email": "dana@example.com", "roles": ["reviewer"]}'
    made = await client.post("/v1/members", body)
    assert made.status_code == 201, made.text
    assert made.json()["name"] == "\U0001f680 \\u0000"


LAX: dict[str, tuple[dict[str, Any], str]] = {
    "a number for a text": ({"name": 5}, "/name"),
    "a text for an array": ({"roles": "admin"}, "/roles"),
    "null where none is accepted": ({"name": None}, "/name"),
    "an unknown role": ({"roles": ["admin", "emperor"]}, "/roles/1"),
    "an empty text": ({"name": ""}, "/name"),
    "a text of blanks": ({"name": " \t "}, "/name"),
    "a megabyte of text": ({"name": "x" * 1_000_000}, "/name"),
    "a flood of combining marks": ({"name": "e" + "\u0301" * 5000}, "/name"),
    "an address with a line break": ({"email": "dana@example.com\r\nbcc: all@example.com"}, "/email"),
    "an address with a trailing line break": ({"email": "dana@example.com\n"}, "/email"),
    "an unknown field": ({"rolls": []}, "/rolls"),
    "an unknown field that needs escapes": ({"a~/b": 1}, "/a~0~1b"),
    "a field of the response": ({"version": 1}, "/version"),
}


@pytest.mark.parametrize(("wrong", "pointer"), LAX.values(), ids=LAX.keys())
async def test_a_field_that_does_not_fit_is_named_by_pointer(
    client: Client, wrong: dict[str, Any], pointer: str
) -> None:
    refused = await client.post("/v1/members", {**DANA, **wrong})
    assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid"), refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert refused.json()["errors"][0]["detail"]
    assert await client.items("/v1/members") == []


@pytest.mark.parametrize("value", ["true", "1", 1, 0, "yes", [], {}])
async def test_a_boolean_is_true_or_false_and_nothing_like_it(client: Client, value: object) -> None:
    place = (await client.post("/v1/members", DANA)).headers["location"]
    refused = await client.patch(place, {"is_active": value}, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid"), refused.text
    assert (await client.get(place)).json()["version"] == 1


@pytest.mark.parametrize(
    "value", ["5", 5.5, True, -1, 2**31, -(2**31), 2**63, -(2**63) - 1, 2**64, 10**400, 1e300, None, "P1D"]
)
async def test_a_whole_number_keeps_its_type_and_range(client: Client, value: object) -> None:
    made = await client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"]})
    body = b'{"overlap_seconds": ' + (str(value).encode() if isinstance(value, int) else b"") + b"}"
    if isinstance(value, bool) or not isinstance(value, int):
        refused = await client.post(made.headers["location"] + "/rotations", {"overlap_seconds": value}, etag='"1"')
    else:
        refused = await client.post(made.headers["location"] + "/rotations", body, etag='"1"')
    assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid"), refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/overlap_seconds"]


@pytest.mark.parametrize(
    "value",
    [
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2027-02-29T00:00:00Z",
        "2099-13-01T00:00:00Z",
        "2099-01-01T24:00:01Z",
        "2099-01-01T00:00:00",
        "2099-01-01",
        "2098-12-31T23:59:60Z",
        "9999-12-31T23:59:59-23:59",
        4102444800,
        "4102444800",
        "tomorrow",
        "",
    ],
)
async def test_an_instant_is_an_rfc_3339_instant_with_its_zone(client: Client, value: object) -> None:
    refused = await client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"], "expires_at": value})
    assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid"), refused.text
    assert len(await client.items("/v1/api-keys")) == 1


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z"])
async def test_the_first_instant_there_is_lies_in_the_past(client: Client, value: str) -> None:
    refused = await client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"], "expires_at": value})
    assert refused.status_code == 422
    assert refused.json()["code"] in {"expiry_in_the_past", "body_invalid"}


@pytest.mark.parametrize("value", ["", "x", "00000000-0000-0000-0000-00000000000", 7, "{}", "../members"])
async def test_an_id_of_the_wrong_form_is_an_error_of_its_field(client: Client, value: object) -> None:
    refused = await client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"], "member_id": value})
    assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid"), refused.text
    assert refused.json()["errors"][0]["pointer"] == "/member_id"


async def test_nil_unknown_and_foreign_ids_get_one_response(client: Client, other_company: Company) -> None:
    foreign = (await other_company.client.post("/v1/members", DANA)).json()["id"]
    responses = set()
    for member_id in ("00000000-0000-0000-0000-000000000000", "018f0000-0000-7000-8000-000000000000", foreign):
        refused = await client.post("/v1/api-keys", {"name": "ci", "roles": ["auditor"], "member_id": member_id})
        body = refused.json()
        responses.add((refused.status_code, body["code"], body["detail"], body["errors"][0]["pointer"]))
    assert responses == {
        (
            422,
            "reference_unknown",
            "There is no such member. Send the id of one from /v1/members.",
            "/member_id",
        )
    }


@pytest.mark.parametrize("body", [b"null", b"[]", b"1", b'""', b"true", b"", b"[[]]"])
async def test_a_body_that_is_no_object_is_refused(client: Client, body: bytes) -> None:
    refused = await client.post("/v1/members", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid"), refused.text


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-16",
        "application/json;charset=latin-1",
        "application/json; Charset=iso-8859-1",
        "application/merge-patch+json",
        "application/jsonx",
        "",
        "/",
        "application/json, application/json",
    ],
)
async def test_another_content_type_or_charset_is_refused(client: Client, content_type: str) -> None:
    refused = await client.post("/v1/members", DANA, headers={"content-type": content_type})
    assert (refused.status_code, refused.json()["code"]) == (415, "media_type_unsupported"), refused.text
    assert await client.items("/v1/members") == []


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=UTF-8", 'APPLICATION/JSON; charset="utf-8"', "application/json"]
)
async def test_utf_8_may_be_said_aloud(client: Client, content_type: str) -> None:
    made = await client.post("/v1/members", DANA, headers={"content-type": content_type})
    assert made.status_code == 201


async def test_a_patch_may_call_itself_a_merge_patch(client: Client) -> None:
    place = (await client.post("/v1/members", DANA)).headers["location"]
    named = {"content-type": "application/merge-patch+json"}
    changed = await client.patch(place, {"name": "D."}, etag='"1"', headers=named)
    assert (changed.status_code, changed.json()["name"]) == (200, "D.")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, identity"])
async def test_a_packed_body_is_refused_unread(client: Client, coding: str) -> None:
    refused = await client.post("/v1/members", b"\x1f\x8b" + b"\0" * 100, headers={"content-encoding": coding})
    assert (refused.status_code, refused.json()["code"]) == (415, "media_type_unsupported")


@pytest.mark.parametrize("key", [{}, {"idempotency-key": "k"}], ids=["without a key", "under a key"])
async def test_a_packed_file_is_refused_unread_too(client: Client, key: dict[str, str]) -> None:
    packed = {**key, "content-encoding": "gzip", "content-type": "text/csv"}
    for path in ("/v1/vendor-imports", "/v1/vendor-rating-imports"):
        refused = await client.post(path, b"name\nAcme\n", headers=packed)
        assert (refused.status_code, refused.json()["code"]) == (415, "media_type_unsupported"), refused.text
    assert await client.items("/v1/vendor-imports") == []


async def test_ten_megabytes_are_refused_announced_or_not(client: Client) -> None:
    body = b'{"name": "' + b"x" * 10_000_000 + b'"}'
    announced = await client.post("/v1/members", body)
    assert (announced.status_code, announced.json()["code"]) == (413, "body_too_large")
    json = {"content-type": "application/json"}
    streamed = await client.http.post("/v1/members", content=pieces(body, 65_536), headers=json)
    assert (streamed.status_code, streamed.json()["code"]) == (413, "body_too_large")
    assert await client.items("/v1/members") == []


async def test_a_body_that_never_ends_or_breaks_off_is_refused(api: Api, company: Company) -> None:
    api.service.paces = Paces(sending=Pace(0.05, 64 * 1024))
    headers = [("authorization", f"Bearer {company.key.secret}"), ("content-type", "application/json")]
    begun = chunk(b'{"name": "Da', more=True)
    endless = await send_raw(api, "POST", "/v1/members", headers, [begun], hang=True)
    broken = await send_raw(api, "POST", "/v1/members", headers, [begun])
    for response in (endless, broken):
        assert (response.status, response.json()["code"]) == (400, "body_malformed")
    assert await company.client.items("/v1/members") == []


@pytest.mark.parametrize(
    ("length", "status"), [("\u00b2", 400), ("-1", 400), ("1e3", 400), ("", 400), ("9" * 5000, 400), ("9" * 50, 413)]
)
async def test_an_announced_length_that_is_no_length_is_refused_in_few_words(
    api: Api, company: Company, length: str, status: int
) -> None:
    headers = [("authorization", f"Bearer {company.key.secret}"), ("content-type", "application/json")]
    body = b'{"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}'
    response = await send_raw(api, "POST", "/v1/members", [*headers, ("content-length", length)], [chunk(body)])
    assert (response.status, len(response.body) < 500) == (status, True), response.body
    assert await company.client.items("/v1/members") == []


async def test_a_body_in_crumbs_is_one_body(client: Client) -> None:
    body = b'{"name": "Dana", "email": "dana@example.com", "roles": ["owner"]}'
    made = await client.http.post("/v1/members", content=pieces(body, 1), headers={"content-type": "application/json"})
    assert made.status_code == 201


async def test_texts_that_look_strange_but_are_texts_come_back_as_sent(client: Client) -> None:
    names = [
        "\u202eevil",
        "Zoë",
        "Zoe\u0308",
        " Dana ",
        "a" * 200,
        "\U0001f469\u200d\U0001f4bb",
        "'; drop table members;--",
    ]
    for number, name in enumerate(names):
        made = await client.post("/v1/members", {**DANA, "name": name, "email": f"m{number}@example.com"})
        assert made.status_code == 201, made.text
        assert (await client.get(made.headers["location"])).json()["name"] == name
