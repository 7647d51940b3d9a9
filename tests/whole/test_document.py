"""The OpenAPI document: what is committed is what the code says, well formed, and every operation is told whole."""

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import vendorrisk
from tests.whole.surface import operations, unopened_app
from vendorrisk.app import IMPORT_KINDS
from vendorrisk.audit.actions import Action
from vendorrisk.errors import Code
from vendorrisk.http.problems import STATUS
from vendorrisk.http.query_parameters import resolved
from vendorrisk.http.routing import Kind
from vendorrisk.imports.model import ImportState

ROOT = Path(vendorrisk.__file__).parents[1]
COMMITTED = ROOT / "openapi" / "vendorrisk.json"
VERB = re.compile(
    r"^(accept|add|adopt|answer|approve|cancel|change|check|create|decide|export|get|import|list|open|publish|record"
    r"|refresh|register|reject|remove|request|resend|resolve|retire|revoke|rotate|search|set|store|test|transition"
    r"|withdraw)_[a-z0-9]+(_[a-z0-9]+)*$"
)


@cache
def document() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(json.dumps(unopened_app().litestar.state.document))
    return made


def every(document: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in the document."""
    if isinstance(document, dict):
        yield document
        for value in document.values():
            yield from every(value)
    elif isinstance(document, list):
        for value in document:
            yield from every(value)


def test_the_committed_document_is_what_the_code_says() -> None:
    if not COMMITTED.exists():
        pytest.fail("run `make openapi` and commit openapi/vendorrisk.json")
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == document(), "run `make openapi` and review the diff"


def test_every_reference_leads_somewhere() -> None:
    references = {found["$ref"] for found in every(document()) if isinstance(found.get("$ref"), str)}
    assert len(references) > 50
    for reference in references:
        target: Any = document()
        for step in reference.removeprefix("#/").split("/"):
            assert step in target, reference
            target = target[step]


def test_every_schema_is_a_json_schema() -> None:
    for name, schema in document()["components"]["schemas"].items():
        assert re.fullmatch(r"[A-Za-z0-9._-]+", name), name
        Draft202012Validator.check_schema(schema)


def test_the_document_has_the_parts_that_openapi_3_1_demands() -> None:
    made = document()
    assert made["openapi"].startswith("3.1.")
    assert {"title", "version"} <= set(made["info"])
    for path, item in made["paths"].items():
        assert path.startswith("/")
        for operation in item.values():
            parameters = [resolved(made, p) for p in operation.get("parameters", ())]
            named = [(p["in"], p["name"]) for p in parameters]
            assert len(named) == len(set(named)), operation["operationId"]
            in_path = {name for place, name in named if place == "path"}
            assert in_path == set(re.findall(r"\{(\w+)\}", path)), path
            assert all(p["required"] for p in parameters if p["in"] == "path")
            assert operation["responses"]
            for status, response in operation["responses"].items():
                assert re.fullmatch(r"[1-5]\d\d|default", status)
                assert resolved(made, response)["description"]


def shown_in_answers() -> set[str]:
    """Return the names of the schemas that a success shows, at any depth."""
    found: set[str] = set()
    waiting = [
        content["schema"]
        for operation in operations(unopened_app())
        for status, response in operation.document["responses"].items()
        if status < "300"
        for content in response.get("content", {}).values()
    ]
    while waiting:
        for part in every(waiting.pop()):
            name = str(part.get("$ref", "")).removeprefix("#/components/schemas/")
            if name and name not in found:
                found.add(name)
                waiting.append(document()["components"]["schemas"][name])
    return found


def test_what_shows_a_vendors_id_shows_its_name_beside_it() -> None:
    schemas = {name: document()["components"]["schemas"][name].get("properties", {}) for name in shown_in_answers()}
    with_vendor = {name for name, fields in schemas.items() if "vendor_id" in fields}
    assert len(with_vendor) > 25
    lacking = {name for name in with_vendor if "vendor_name" not in schemas[name]}
    assert lacking == set()


def test_operation_ids_are_verbs_and_stand_once() -> None:
    names = [o["operationId"] for item in document()["paths"].values() for o in item.values()]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    assert [name for name in names if not VERB.match(name)] == []


def test_every_operation_has_a_summary_a_tag_and_declares_its_refusals() -> None:
    for operation in operations(unopened_app()):
        shown = operation.document
        assert shown["summary"], operation.name
        assert shown["tags"], operation.name
        assert shown["security"] == [{"api_key": []}], operation.name
        needed = {"401", "403", "429", "503"}
        needed |= {"412", "428"} if operation.match else set()
        needed |= {"404"} if operation.parameters else set()
        assert needed <= set(shown["responses"]), operation.name
        for status, response in shown["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], operation.name


def test_every_json_body_has_an_example_that_fits_its_schema() -> None:
    faults = []
    for operation in operations(unopened_app()):
        if not operation.takes_json:
            continue
        if operation.example is None:
            faults.append(f"{operation.name}: no example")
            continue
        schema = operation.document["requestBody"]["content"]["application/json"]["schema"]
        whole = {**schema, "components": document()["components"]}
        faults += [
            f"{operation.name}: {error.message[:200]}"
            for error in Draft202012Validator(whole).iter_errors(operation.example)
        ]
    assert "\n".join(faults) == ""


def test_what_an_operation_is_follows_from_its_method() -> None:
    expected = {
        Kind.READ: "GET",
        Kind.LIST: "GET",
        Kind.CREATE: "POST",
        Kind.ACT: "POST",
        Kind.REMOVE: "DELETE",
    }
    for operation in operations(unopened_app()):
        if operation.kind is Kind.CHANGE:
            assert operation.method in {"PATCH", "PUT"}
        else:
            assert operation.method == expected[operation.kind], operation.name


# --- closed lists


def attributes_of(name: str, *, outside: str) -> set[str]:
    """Return every X of `name.X` in the source, but for the file that defines the list."""
    found = set()
    for path in (ROOT / "vendorrisk").rglob("*.py"):
        if path.as_posix().endswith(outside):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name:
                found.add(node.attr)
    return found


def test_every_error_code_is_used_and_has_a_status() -> None:
    assert {code.name for code in Code} - attributes_of("Code", outside="vendorrisk/errors.py") == set()
    assert {code.kind for code in Code} - set(STATUS) == set()
    assert len({code.code for code in Code}) == len(Code)
    assert [code.name for code in Code if code.code != code.name.lower()] == []


def test_every_audit_action_is_used_and_named_alike() -> None:
    of_imports = {kind.action(state).name for kind in IMPORT_KINDS for state in ImportState}
    used = attributes_of("Action", outside="audit/actions.py") | of_imports
    assert {action.name for action in Action} - used == set()
    assert [a.name for a in Action if not re.fullmatch(r"[a-z0-9_]+:[a-z0-9_]+", a.value)] == []
    assert len({action.value for action in Action}) == len(Action)


def test_every_permission_is_asked_for_by_a_route_or_a_job() -> None:
    from vendorrisk.access.permissions import Permission

    used = attributes_of("Permission", outside="access/permissions.py")
    assert {permission.name for permission in Permission} - used == set()
