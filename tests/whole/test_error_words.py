"""Every wrong value is answered in our own words, at its place: bodies, parameters, filters and settings.

Bodies are checked here as the exchange checks them, without a server, so that every field of every body can be given
everything that is wrong for it. `test_bad_input.py` sends a part of it to the routes.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from tests.conftest import Company
from tests.whole.fields import Field, fields_of, resolved, with_field
from tests.whole.plain_words import unplain, unplain_in
from tests.whole.surface import Operation, operations, unopened_app
from tests.whole.things import Things
from vendorrisk.app import Api
from vendorrisk.background import JobContext
from vendorrisk.db.paging import Operator
from vendorrisk.errors import Code, FieldCode, Refusal
from vendorrisk.http.json_bodies import check_fit
from vendorrisk.settings import VARIABLES, SettingError, Settings, from_environment

pytestmark = pytest.mark.anyio


def bodies() -> dict[str, Any]:
    """Return the type of each operation's JSON body."""
    found = {}
    for route in unopened_app().litestar.routes:
        for handler, _ in getattr(route, "route_handler_map", {}).values():
            if handler.opt.get("raw") is None and handler.parsed_data_field is not None:
                # A bulk operation checks each item by its own type. Its body in the document has that type.
                found[handler.fn.__name__] = handler.opt.get("body") or handler.parsed_data_field.annotation
    return found


BODIES = bodies()
TAKE_JSON = [operation for operation in operations(unopened_app()) if operation.takes_json]


# --- patterns --------------------------------------------------------------------------------------------------------


def metadata(kind: inspect.Type, seen: set[type]) -> Iterator[tuple[inspect.Type, dict[str, Any]]]:
    """Yield every type below one, with what its `Meta` says besides."""
    if isinstance(kind, inspect.Metadata):
        yield kind.type, kind.extra or {}
        if not isinstance(kind.type, inspect.StrType):
            yield from metadata(kind.type, seen)
        return
    yield kind, {}
    if isinstance(kind, inspect.StructType) and kind.cls not in seen:
        seen.add(kind.cls)
        inner = [field.type for field in kind.fields]
    else:
        names = ("types", "item_type", "key_type", "value_type")
        inner = [one for name in names for one in as_tuple(getattr(kind, name, ()))]
    for one in inner:
        yield from metadata(one, seen)


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def test_every_pattern_says_in_words_what_it_wants() -> None:
    seen: set[type] = set()
    patterns = {}
    for schema in (*BODIES.values(), Settings):
        for kind, extra in metadata(inspect.type_info(schema), seen):
            if isinstance(kind, inspect.StrType) and kind.pattern:
                patterns[kind.pattern] = extra.get("words", "")
    assert len(patterns) >= 9
    assert [pattern for pattern, words in patterns.items() if not words or unplain(f"Send {words}.")] == []


# --- bodies ----------------------------------------------------------------------------------------------------------


def wrongs(field: Field) -> Iterator[Any]:
    """Yield values of another type, another form, and beyond the bounds; some of them fit some fields."""
    yield from (5, 0.5, True, [], ["x"], {}, {"kind": "x"}, [None], "", " ", "x", "nope" * 300, -1, 2**70, None)
    yield from ("2027-02-29", "2026-06-30T00:00:00", "2026-06-30T00:00:00Z", "00000000-0000", "5", "true", "a@")
    if "maxLength" in field.schema:
        yield "x" * (field.schema["maxLength"] + 1)


def answered(schema: Any, body: Any) -> list[Any]:
    """Return the faults of a body as a caller gets them; empty where it fits."""
    refusal = refusal_of(schema, body)
    if refusal is None:
        return []
    assert (refusal.code, unplain(refusal.detail)) == (Code.BODY_INVALID, "")
    return list(refusal.errors)


def refusal_of(schema: Any, body: Any) -> Refusal | None:
    try:
        check_fit(body, schema)
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.parametrize("operation", TAKE_JSON, ids=lambda o: o.name)
def test_every_field_tells_in_our_own_words_and_at_its_place_what_is_wrong(operation: Operation) -> None:
    schema, faults, refused = BODIES[operation.name], [], 0
    for field in fields_of(operation):
        for value in wrongs(field):
            for fault in answered(schema, with_field(operation.example, field, value)):
                refused += 1
                if not str(fault.pointer).startswith(field.pointer) or fault.code not in set(FieldCode):
                    faults.append(f"{field.pointer} = {value!r:.60}: {fault}")
                faults += [f"{field.pointer}: {wrong}" for wrong in [unplain(fault.detail, str(value))] if wrong]
    assert "\n".join(faults) == ""
    assert refused > 0 or not fields_of(operation)


@pytest.mark.parametrize("operation", TAKE_JSON, ids=lambda o: o.name)
def test_an_unknown_field_is_told_at_its_own_place_in_every_object(operation: Operation) -> None:
    schema = BODIES[operation.name]
    objects = {field.steps[:-1]: field for field in fields_of(operation) if isinstance(field.steps[-1], str)}
    faults = []
    for steps, field in objects.items():
        if not resolved(field.holders[-1]).get("properties"):
            continue
        beside = Field((*steps, "nope~/x"), {}, field.holders)
        body = with_field(operation.example, field, smallest_of(field))
        told = answered(schema, msgspec.json.decode(msgspec.json.encode(put(body, beside))))
        place = "".join(f"/{step}" for step in steps) + "/nope~0~1x"
        if [(fault.pointer, fault.code) for fault in told if fault.code == FieldCode.UNKNOWN] != [
            (place, FieldCode.UNKNOWN)
        ]:
            faults.append(f"{place}: {told}")
    assert "\n".join(faults) == ""


def smallest_of(field: Field) -> Any:
    from tests.whole.fields import smallest

    return smallest(field.schema)


def put(body: Any, field: Field) -> Any:
    at = body
    for step in field.steps[:-1]:
        at = at[step]
    at[field.steps[-1]] = 1
    return body


def test_all_faults_of_a_body_are_told_at_once_also_inside_of_lists_and_choices() -> None:
    body = {
        "name": 5,
        "nam": "x",
        "target": {"kind": "webhook", "url": "ftp://example.com/some/where", "secret": "whsec_x", "colour": 1},
        "tiers": ["critical", "huge"],
    }
    told = {fault.pointer: (fault.code, fault.detail) for fault in answered(BODIES["add_receiver"], body)}
    assert told["/name"] == ("field_invalid", "This is a number. Send text of 1 to 200 characters.")
    assert told["/nam"] == ("field_unknown", "There is no such field here. Did you mean name?")
    assert told["/target/url"][0] == "field_invalid"
    assert told["/target/url"][1].startswith("This has the wrong form. Send an address that begins with https://")
    assert told["/target/secret"][1].startswith("This has the wrong form. Send whsec_ and 24 to 64 bytes in base64")
    assert told["/target/colour"][0] == "field_unknown"
    assert told["/tiers/1"][0] == "value_not_allowed"
    assert told["/tiers/1"][1].startswith("This value is not allowed. Send one of: ")
    assert "critical, high" in told["/tiers/1"][1]


def test_the_kind_of_a_choice_is_asked_for_where_it_is_missing_or_strange() -> None:
    for target, code in (({}, "field_required"), ({"kind": "pigeon"}, "value_not_allowed"), ({"kind": 5}, None)):
        told = answered(BODIES["add_receiver"], {"name": "x", "target": target})
        assert [fault.pointer for fault in told] == ["/target/kind"]
        assert code is None or told[0].code == code
        assert "console" in told[0].detail
    told = answered(BODIES["add_receiver"], {"name": "x", "target": "console"})
    assert [(fault.pointer, fault.detail) for fault in told] == [
        ("/target", "This has the wrong form. Send an object.")
    ]


# --- parameters ------------------------------------------------------------------------------------------------------

WRONG = ["", "null", "x" * 300, "-1", "0.5", "nope", "2027-02-29", "9" * 40, "018f", "\u0661"]


@pytest.fixture
async def things(company: Company, role_client: Any, context: JobContext, owner: Any) -> Things:
    return Things(company, await role_client("admin"), context, owner)


async def test_every_parameter_tells_in_our_own_words_what_is_wrong(api: Api, things: Things) -> None:
    faults, refused, seen = [], 0, set[str]()
    for operation in operations(api):
        if not (new := [one for one in operation.document.get("parameters", ()) if str(one) not in seen]):
            continue
        known = await things.known_for(operation)
        for parameter in new:
            seen.add(str(parameter))
            for value in WRONG:
                response = await asked_with(things, operation, known, parameter, value)
                if response.status_code < 400 or response.status_code == 412:
                    continue
                refused += 1
                told = response.json()
                if response.status_code >= 500 or (response.status_code == 400 and not names(told, parameter["name"])):
                    faults.append(f"{operation.name} {parameter['name']}={value!r:.40}: {response.text[:300]}")
                wrong = unplain_in(told, value)
                faults += [f"{operation.name} {parameter['name']}={value!r:.40}: {one}" for one in wrong]
    assert "\n".join(faults) == ""
    assert refused > 300


def names(told: Any, parameter: str) -> bool:
    return any(fault.get("parameter", "").lower() == parameter.lower() for fault in told.get("errors", ()))


async def asked_with(
    things: Things, operation: Operation, known: dict[str, str], parameter: dict[str, Any], value: str
) -> Any:
    """Send the operation without a body, so that nothing is changed, and with one parameter that is wrong."""
    name, place = parameter["name"], parameter["in"]
    within = {**known, name: value.replace("/", "") or "x"} if place == "path" else known
    query = {**operation.query, name: value} if place == "query" else operation.query
    headers = {"if-match": '"999"'} if operation.match else {}
    if place == "header" and value.isascii():
        headers[name] = value
    return await things.client.http.request(
        operation.method, operation.path.format(**within), params=query, headers=headers
    )


async def test_a_parameter_that_must_be_sent_is_asked_for(api: Api, things: Things) -> None:
    needed = [operation for operation in operations(api) if operation.query]
    assert needed
    for operation in needed:
        place = operation.path.format(**(await things.known_for(operation)))
        body = {"json": operation.example} if operation.takes_json else {}
        response = await things.client.http.request(operation.method, place, **body)
        told = response.json()
        assert (response.status_code, told["code"]) == (400, "parameter_invalid")
        assert {fault["parameter"] for fault in told["errors"]} == set(operation.query)
        assert all(fault["detail"].startswith("This parameter is required. Send ") for fault in told["errors"])
        assert unplain_in(told) == []


# --- filters ---------------------------------------------------------------------------------------------------------


async def test_every_filter_and_sort_tells_in_our_own_words_what_is_wrong(api: Api, things: Things) -> None:
    faults, refused = [], 0
    for operation in operations(api):
        if operation.of is None:
            continue
        place = operation.path.format(**(await things.known_for(operation)))
        for text in filters_of(operation):
            response = await things.client.get(place, params={**operation.query, "filter": text})
            if response.status_code == 200:
                continue
            refused += 1
            told = response.json()
            which = told["detail"].startswith("Filter 1 of 1")
            if (response.status_code, told["code"], which) != (400, "filter_invalid", True):
                faults.append(f"{operation.name} {text[:60]}: {response.text[:300]}")
            faults += [f"{operation.name} {text[:60]}: {wrong}" for wrong in unplain_in(told, text)]
        response = await things.client.get(place, params={**operation.query, "sort": "nope" * 100})
        faults += [f"{operation.name} sort: {wrong}" for wrong in unplain_in(response.json(), "nope" * 100)]
    assert "\n".join(faults) == ""
    assert refused > 500


def filters_of(operation: Operation) -> Iterator[str]:
    assert operation.of is not None
    yield from ("nope:eq:1", "", "x" * 300, next(iter(operation.of.columns)))
    for name, column in operation.of.columns.items():
        yield f"{name}:like:x"
        for operator in sorted({*sorted(column.allows())[:1], *(column.allows() & {Operator.IN, Operator.NULL})}):
            values = ("nope", "5.5") if operator is Operator.NULL else ("", "nope" * 80, "2027-02-29", "-1.5")
            yield from (f"{name}:{operator}:{value}" for value in values)


async def test_a_refusal_says_which_of_several_filters_it_means(things: Things) -> None:
    query = {"filter": ["name:eq:Acme", "tier:eq:enormous", "country:eq:DE"]}
    told = (await things.client.http.get("/v1/vendors", params=query)).json()
    assert told["code"] == "filter_invalid"
    assert told["detail"].startswith("Filter 2 of 3 (tier): ")
    assert "critical, high, medium, low" in told["detail"]


# --- settings --------------------------------------------------------------------------------------------------------


LISTS = ("_CA_FILE", "_RULES_ON", "_RESOLVERS", "_NETWORKS", "_PORTS", "_PROXIES", "_HOSTS")


def test_every_setting_tells_in_our_own_words_what_it_takes_and_never_repeats_its_value() -> None:
    faults, refused = [], 0
    for variable in VARIABLES.values():
        for value in ("s3cr3t-nope", "-5000", "1e400", "nan", "9" * 30, "80.5", "true"):
            try:
                from_environment({variable: value})
            except SettingError as error:
                refused += 1
                told = str(error)
                if not told.startswith(f"{variable}: ") or unplain(told.rstrip(".") + "."):
                    faults.append(told)
                # The part of a list that is wrong is named, and a path. None of them is a secret.
                if "s3cr3t" in told and not variable.endswith(LISTS):
                    faults.append(f"repeats the value: {told}")
            except Exception as error:  # noqa: BLE001 - any other kind of failure is what is looked for
                faults.append(f"{variable}={value}: {error!r}")
    assert "\n".join(faults) == ""
    assert refused > 60


def test_all_settings_that_are_wrong_are_named_at_once() -> None:
    with pytest.raises(SettingError) as refused:
        from_environment({"PORT": "eighty", "VENDORRISK_LOG_LEVEL": "loud", "VENDORRISK_SHUTDOWN_DELAY_SECONDS": "301"})
    assert str(refused.value) == (
        "PORT: This has the wrong form. Send a whole number from 0 to 65535."
        " VENDORRISK_SHUTDOWN_DELAY_SECONDS: This number is out of range. Send a number from 0 to 300."
        " VENDORRISK_LOG_LEVEL: This value is not allowed. Send one of: debug, error, info, warning."
    )
