"""The document as a contract: what comes in is closed, what goes out is open, and everything is described once."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.whole.surface import Operation, operations, unopened_app
from tests.whole.test_document import ROOT, document, every
from vendorrisk.db.paging import check_sort, read_filters
from vendorrisk.http.query_parameters import resolved
from vendorrisk.http.routing import Kind
from vendorrisk.openapi.examples import FILE, written
from vendorrisk.openapi.schemas import Schema

PROPERTIES_WITHOUT_A_DESCRIPTION = 0
"""How many fields may still lack one. May only shrink."""


@cache
def components() -> dict[str, Schema]:
    found: dict[str, Schema] = document()["components"]["schemas"]
    return found


def all_operations() -> Iterator[dict[str, Any]]:
    for item in document()["paths"].values():
        for operation in item.values():
            parameters = [resolved(document(), p) for p in operation.get("parameters", ())]
            responses = {s: resolved(document(), r) for s, r in operation["responses"].items()}
            yield {**operation, "parameters": parameters, "responses": responses}


def reached_from(part: Any) -> set[str]:
    """Return the names of all schemas that a part of the document leads to."""
    found: set[str] = set()
    waiting = [part]
    while waiting:
        for one in every(waiting.pop()):
            reference = one.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/components/schemas/"):
                name = reference.rpartition("/")[2]
                if name not in found:
                    found.add(name)
                    waiting.append(components()[name])
    return found


def given() -> set[str]:
    """Return the schemas of all responses, and of what webhooks send."""
    sent = [item["post"]["requestBody"] for item in document()["webhooks"].values()]
    return reached_from([*(operation["responses"] for operation in all_operations()), *sent])


def taken() -> set[str]:
    return reached_from([operation.get("requestBody", {}) for operation in all_operations()])


def fields() -> Iterator[tuple[str, str, Schema]]:
    for name, schema in components().items():
        for field, inside in schema.get("properties", {}).items():
            yield name, field, inside


# --- closed in, open out


def test_a_schema_is_either_of_what_comes_in_or_of_what_goes_out() -> None:
    assert len(taken()) > 50
    assert len(given()) > 100
    assert taken() & given() == set()


def test_a_response_names_its_known_values_and_closes_no_list_of_them() -> None:
    faults = [
        f"{name}: {found.get('enum')}"
        for name in sorted(given())
        for found in every(components()[name])
        if isinstance(found.get("enum"), list)
    ]
    assert faults == []
    opened = [name for name in given() if "x-extensible-enum" in components()[name]]
    assert len(opened) > 30
    assert [name for name in opened if components()[name]["type"] != "string"] == []
    assert "x-extensible-enum" in document()["info"]["description"]


def test_a_response_may_have_more_fields_and_a_body_may_not() -> None:
    assert [n for n in sorted(given()) if components()[n].get("additionalProperties") is False] == []
    bodies = [n for n in sorted(taken()) if components()[n].get("type") == "object"]
    assert [n for n in bodies if components()[n].get("additionalProperties") is not False] == []


def test_no_field_has_a_default_for_generators_would_ask_for_it() -> None:
    assert [f"{name}.{field}" for name, field, inside in fields() if "default" in inside] == []
    new = components()["NewVendor"]
    assert new["required"] == ["name"]
    assert 'Default `"prospect"`' in new["properties"]["lifecycle"]["description"]


def test_a_field_of_a_response_that_is_always_there_is_required() -> None:
    assert set(components()["Vendor"]["required"]) == set(components()["Vendor"]["properties"])
    assert "next" not in components()["VendorSummaryPage"]["required"]


def test_a_choice_of_shapes_is_one_of_them_told_apart_by_a_field() -> None:
    choices = [found for found in every(document()) if isinstance(found.get("oneOf"), list)]
    shapes = [found for found in choices if {"type": "null"} not in found["oneOf"]]
    assert shapes
    assert [found for found in every(document()) if isinstance(found.get("anyOf"), list)] == []
    for found in shapes:
        named = set(found["discriminator"]["mapping"].values())
        assert named == {one["$ref"] for one in found["oneOf"]}


def test_a_number_that_the_database_holds_in_64_bits_says_so() -> None:
    columns = set(
        re.findall(r"^    (\w+) bigint", (ROOT / "sql" / "schema.sql").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert columns >= {"sequence", "file_bytes"}
    numbers = [(n, f, s) for n, f, s in fields() if f in columns and "integer" in (s.get("type"), *s.get("type", ()))]
    assert numbers
    assert [f"{name}.{field}" for name, field, inside in numbers if inside.get("format") != "int64"] == []


# --- one shape for a record


NOT_YET_THERE = {("LatestSignalScore", "SignalScore"): {"id", "scored_at"}}
"""A vendor without a score is shown one too, with null in these fields. A list has only scores that are there."""

SEVERAL_RECORDS = {"VendorOverview"}
"""Responses that bring several records together, each in a field of its own."""

ANSWERED_FLAT = 35
"""How many operations return a record that some list has as a row, at least."""


def answered_with(operation: Operation) -> str:
    """Return the name of the schema of a success; empty where it has none of its own."""
    for status, response in operation.document["responses"].items():
        shown = response.get("content", {}).get("application/json")
        if status < "300" and shown is not None:
            return str(shown["schema"].get("$ref", "")).rpartition("/")[2]
    return ""


def records_and_rows() -> Iterator[tuple[str, str, str]]:
    """Yield (operation, schema of its record, schema of the row that the list beside it has for that record)."""
    every_operation = operations(unopened_app())
    for of in [operation for operation in every_operation if operation.kind is Kind.LIST]:
        row = components()[answered_with(of)]["properties"]["items"]["items"]["$ref"].rpartition("/")[2]
        for one in every_operation:
            made = one.path == of.path and one.method == "POST"
            alone = re.fullmatch(re.escape(of.path) + r"/\{\w+\}", one.path) and one.method != "DELETE"
            if made or alone:
                yield one.name, answered_with(one), row


def without_words(field: Schema | None) -> Schema | None:
    return field and {key: value for key, value in field.items() if key != "description"}


def test_a_record_alone_and_when_made_has_the_fields_of_its_row_in_a_list() -> None:
    faults, found = [], 0
    for name, record, row in records_and_rows():
        found += 1
        alone = components()[record]["properties"]
        for field, inside in components()[row]["properties"].items():
            if without_words(alone.get(field)) != without_words(inside):
                faults.append((name, record, row, field))
    assert found >= ANSWERED_FLAT, found
    left = [fault for fault in faults if fault[3] not in NOT_YET_THERE.get((fault[2], fault[1]), ())]
    assert left == []
    assert {fault[3] for fault in faults} == {field for held in NOT_YET_THERE.values() for field in held}


def test_no_response_holds_its_record_in_a_field_of_its_own() -> None:
    rows = {row for _, _, row in records_and_rows()}
    faults = []
    for operation in operations(unopened_app()):
        record = answered_with(operation)
        held = [
            (operation.name, field)
            for field, inside in components().get(record, {}).get("properties", {}).items()
            if str(inside.get("$ref", "")).rpartition("/")[2] in rows
        ]
        faults += [] if record in SEVERAL_RECORDS else held
    assert faults == []


# --- operations


def test_every_operation_says_who_may_call_it_and_that_anything_else_is_a_problem() -> None:
    for operation in all_operations():
        name = operation["operationId"]
        assert operation["security"] == ([] if operation["tags"] == ["Health"] else [{"api_key": []}]), name
        assert list(operation["responses"]["default"]["content"]) == ["application/problem+json"], name
    assert {"check_live", "check_ready"} <= {operation["operationId"] for operation in all_operations()}


def test_a_binary_body_is_first_of_all_bytes() -> None:
    found = 0
    for operation in all_operations():
        for content in [operation.get("requestBody", {}).get("content", {})] + [
            response.get("content", {}) for status, response in operation["responses"].items() if status[0] == "2"
        ]:
            binary = [kind for kind, one in content.items() if one["schema"].get("format") == "binary"]
            found += bool(binary)
            if binary and "application/json" not in content:
                assert binary[0] == "application/octet-stream", operation["operationId"]
            assert "application/json" not in binary, operation["operationId"]
    assert found >= 4


def test_what_several_operations_have_alike_is_said_once() -> None:
    seen: set[str] = set()
    for item in document()["paths"].values():
        for operation in item.values():
            for parameter in [p for p in operation.get("parameters", ()) if "$ref" not in p]:
                text = json.dumps(parameter)
                assert text not in seen, f"{operation['operationId']}: {parameter['name']} is said again"
                seen.add(text)
            for status, response in operation["responses"].items():
                if status >= "400" and operation["tags"] != ["Health"]:
                    assert "$ref" in response, f"{operation['operationId']} {status}"
    assert len(json.dumps(document(), separators=(",", ":"))) < 1_200_000


def test_a_read_that_takes_fields_says_that_its_response_is_then_partial() -> None:
    found = 0
    for operation in all_operations():
        for parameter in operation["parameters"]:
            if parameter["name"] == "fields":
                found += 1
                assert "partial" in parameter["description"]
                assert operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert found > 50


def test_only_what_has_a_body_to_leave_out_takes_prefer() -> None:
    for operation in operations(unopened_app()):
        takes = "Prefer" in operation.document_parameters
        assert takes is (operation.writes and operation.kind is not Kind.REMOVE), operation.name
        if takes and "200" in operation.document["responses"]:
            assert "content" not in operation.document["responses"]["204"], operation.name


# --- examples


def lists() -> list[Operation]:
    return [operation for operation in operations(unopened_app()) if operation.of is not None]


def parameter_of(operation: Operation, name: str) -> Schema:
    found: Schema = next(p for p in operation.document["parameters"] if p["name"] == name)
    return found


def test_every_list_has_a_filter_and_an_order_that_it_takes() -> None:
    for operation in lists():
        assert operation.of is not None
        assert read_filters(operation.of, parameter_of(operation, "filter")["example"]), operation.name
        assert check_sort(operation.of, parameter_of(operation, "sort")["example"]), operation.name


def test_every_response_has_an_example_of_the_demo_tenant_that_fits_its_schema() -> None:
    """Where one lacks or no longer fits: `make examples`, and review the diff."""
    faults, found = [], 0
    for operation in all_operations():
        for status, response in operation["responses"].items():
            shown = response.get("content", {}).get("application/json")
            if shown is None:
                continue
            if "example" not in shown:
                faults.append(f"{operation['operationId']} {status}: no example")
                continue
            found += 1
            whole = Draft202012Validator({**shown["schema"], "components": document()["components"]})
            faults += [
                f"{operation['operationId']} {status}: {e.message[:200]}" for e in whole.iter_errors(shown["example"])
            ]
    assert found > 100
    assert "\n".join(faults) == ""


def test_no_example_is_of_an_operation_that_is_gone_or_holds_a_secret_or_a_real_address() -> None:
    named = {operation["operationId"] for operation in all_operations()}
    assert set(written().responses) - named == set()
    text = FILE.read_text(encoding="utf-8")
    assert re.findall(r"vr_key_\w+|whsec_[\w+/=]+|xox[a-z]-[\w-]+", text) == []
    addresses = set(re.findall(r"[\w.+-]+@([\w.-]+)", text))
    assert {one for one in addresses if not re.search(r"(^|\.)example(\.(com|org|net))?$", one)} == set()


def test_every_example_of_fields_names_some_of_them() -> None:
    for operation in operations(unopened_app()):
        if "fields" in operation.document_parameters:
            shown = parameter_of(operation, "fields")
            assert set(shown["example"]) <= set(shown["schema"]["items"]["enum"]), operation.name
            assert shown["example"], operation.name


def test_every_id_in_a_path_has_an_example_and_a_key_has_none() -> None:
    for operation in all_operations():
        for parameter in operation["parameters"]:
            if parameter["in"] == "path":
                assert parameter["example"], operation["operationId"]
            if parameter["in"] == "query" and parameter.get("required"):
                assert parameter["example"], operation["operationId"]
            if parameter["name"] == "Idempotency-Key":
                assert {"example", "examples"} & {*parameter, *parameter["schema"]} == set()
                assert "UUID" in parameter["description"]


def test_every_body_has_an_example_that_can_be_sent() -> None:
    for operation in all_operations():
        content = operation.get("requestBody", {}).get("content", {})
        assert not content or any("example" in shown for shown in content.values()), operation["operationId"]


# --- descriptions


def test_every_operation_tag_parameter_and_header_is_described() -> None:
    faults = [o["operationId"] for o in all_operations() if not o.get("description")]
    named = {tag["name"] for tag in document()["tags"] if tag["description"]}
    faults += [f"tag {o['tags'][0]}" for o in all_operations() if not set(o["tags"]) <= named]
    for operation in all_operations():
        faults += [
            f"{operation['operationId']} {parameter['name']}"
            for parameter in operation["parameters"]
            if not parameter.get("description")
        ]
    faults += [name for name, header in document()["components"]["headers"].items() if not header.get("description")]
    assert sorted(set(faults)) == []


def test_every_schema_is_described() -> None:
    pages = {name for name in components() if name.endswith("Page")}
    assert [name for name, schema in components().items() if not schema.get("description") and name not in pages] == []


def test_every_field_is_described_by_itself_or_by_what_it_refers_to() -> None:
    bare = [f"{name}.{field}" for name, field, inside in fields() if not is_described(inside)]
    assert len(bare) <= PROPERTIES_WITHOUT_A_DESCRIPTION, "\n".join(bare)


def is_described(field: Schema) -> bool:
    """Say whether a field, or the one schema that it refers to, has a description."""
    if "description" in field:
        return True
    choices = [one for one in field.get("oneOf", [field]) if one != {"type": "null"}]
    return len(choices) == 1 and "$ref" in choices[0] and "description" in resolved(document(), choices[0])


@pytest.mark.parametrize("word", ["TODO", "…", "fix", "anew", "thing"])
def test_a_description_says_something(word: str) -> None:
    texts = [f"{name}.{field}: {inside['description']}" for name, field, inside in fields() if "description" in inside]
    assert [text for text in texts if re.search(rf"\b{word}\b", text.partition(": ")[2]) or word == "…" in text] == []
