"""The document's schemas: as strict as the service, in the words of JSON Schema."""

import json
import re
from enum import StrEnum
from typing import Annotated, Any

import pytest
from msgspec import Meta

from tests.whole.surface import unopened_app
from vendorrisk.access.records import Body
from vendorrisk.openapi.meanings import MEANINGS
from vendorrisk.openapi.schemas import schemas_of, tidy


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(json.dumps(unopened_app().litestar.state.document))


def test_a_body_says_that_unknown_fields_are_refused(document: Any) -> None:
    bodies = set()
    for item in document["paths"].values():
        for operation in item.values():
            content = operation.get("requestBody", {}).get("content", {})
            if "$ref" in content.get("application/json", {}).get("schema", {}):
                bodies.add(content["application/json"]["schema"]["$ref"].rpartition("/")[2])
    assert len(bodies) > 30
    schemas = document["components"]["schemas"]
    assert [name for name in sorted(bodies) if schemas[name].get("additionalProperties") is not False] == []


def test_what_stands_in_a_list_keeps_its_bounds(document: Any) -> None:
    taken = document["components"]["schemas"]["NewVendor"]["properties"]["tags"]
    assert taken["items"]["minLength"] == 1
    assert taken["maxItems"] > 1


def test_an_instant_is_told_from_any_other_text(document: Any) -> None:
    instants = {
        (name, field): inside.get("format")
        for name, schema in document["components"]["schemas"].items()
        for field, inside in schema.get("properties", {}).items()
        if field.endswith("_at") and "$ref" not in inside and "oneOf" not in inside
    }
    assert len(instants) > 30
    assert {place for place, told in instants.items() if told != "date-time"} == set()


def test_names_are_words_and_nothing_is_left_of_the_modules(document: Any) -> None:
    assert "vendorrisk." not in json.dumps(document["components"])
    assert [name for name in document["components"]["schemas"] if not re.fullmatch(r"[A-Z][A-Za-z0-9]+", name)] == []


def test_every_component_is_used(document: Any) -> None:
    text = json.dumps(document)
    unused = [n for n in document["components"]["schemas"] if f'"#/components/schemas/{n}"' not in text]
    assert unused == []


def test_an_expression_ends_as_ecma_262_does() -> None:
    assert tidy({"type": "string", "pattern": r"^a\Z"}) == {"type": "string", "pattern": "^a$"}


def test_this_or_null_is_one_schema_of_two_types() -> None:
    one = {"anyOf": [{"type": "string", "maxLength": 3, "description": "d"}, {"type": "null"}], "default": None}
    assert tidy(one) == {"type": ["string", "null"], "maxLength": 3, "description": "d", "default": None}
    two = [{"$ref": "#/components/schemas/X"}, {"type": "null"}]
    assert tidy({"anyOf": two}) == {"oneOf": two}


def test_a_field_called_title_is_a_field_and_values_are_left_alone() -> None:
    schema = {"title": "T", "properties": {"title": {"type": "string"}, "mapping": {"type": "object"}}}
    assert tidy(schema) == {"properties": schema["properties"]}
    assert tidy({"examples": [{"title": "A"}], "default": r"\Z"}) == {"examples": [{"title": "A"}], "default": r"\Z"}


class Described(Body):
    name: str
    """the name on the invoice"""
    vendor_id: str
    amount: Annotated[str, Meta(description="a decimal as text")] = "1"
    sent_at: str | None = None
    unheard_of: str | None = None


class Inheriting(Described):
    vendor_id: str
    """Who sends the invoice."""


def test_a_field_is_described_by_its_string_its_type_or_the_meaning_of_its_name() -> None:
    made = schemas_of([Inheriting], []).components["Inheriting"]["properties"]
    assert {name: field.get("description") for name, field in made.items()} == {
        "name": "The name on the invoice.",
        "vendor_id": "Who sends the invoice.",
        "amount": 'A decimal as text. Default `"1"`.',
        "sent_at": None,
        "unheard_of": None,
    }
    assert (
        schemas_of([Described], []).components["Described"]["properties"]["vendor_id"]["description"]
        == (MEANINGS["vendor_id"])
    )
    assert made["sent_at"]["format"] == "date-time"


class Colour(StrEnum):
    """A colour."""

    RED = "red"


class Painted(Body):
    colour: Colour = Colour.RED


def test_what_is_taken_is_closed_and_the_same_is_open_where_it_is_given() -> None:
    made = schemas_of([Painted], [Painted])
    assert made.taken[Painted] == {"$ref": "#/components/schemas/Painted"}
    assert made.given[Painted] == {"$ref": "#/components/schemas/PaintedValue"}
    assert made.components["Colour"]["enum"] == ["red"]
    assert made.components["ColourValue"] == {
        "type": "string",
        "description": "A colour.",
        "x-extensible-enum": ["red"],
    }
    assert made.components["Painted"]["additionalProperties"] is False
    assert made.components["Painted"]["required"] == []
    given = made.components["PaintedValue"]
    assert given["required"] == ["colour"]
    assert "additionalProperties" not in given
    assert given["properties"]["colour"] == {"$ref": "#/components/schemas/ColourValue"}
