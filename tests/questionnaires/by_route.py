"""Builders of questionnaires, by the routes."""

from typing import Any

from tests.client import Client
from vendorrisk.questionnaires.draft_routes import EXAMPLE

Document = dict[str, Any]


def document(key: str = "cloud-baseline", **more: Any) -> Document:
    """Return a whole questionnaire: the document's own example, with changes."""
    return {**EXAMPLE, "key": key, **more}


def with_question(question: Document, key: str = "cloud-baseline") -> Document:
    """Return the example with one more question at its end, at `/sections/0/questions/2`."""
    [section] = EXAMPLE["sections"]
    whole = {"key": "access.more", "kind": "yes_no", "text": {"en": "And more?"}, **question}
    return document(key, sections=[{**section, "questions": [*section["questions"], whole]}])


def reworded(text: str, key: str = "cloud-baseline", **more: Any) -> Document:
    """Return the example with another wording of its first question."""
    [section] = EXAMPLE["sections"]
    first, *others = section["questions"]
    changed = {**first, "text": {"en": text}, **more}
    return document(key, sections=[{**section, "questions": [changed, *others]}])


async def created(client: Client, key: str = "cloud-baseline", **more: Any) -> Document:
    made = await client.post("/v1/questionnaires", {"key": key, "title": "Cloud baseline", **more})
    assert made.status_code == 201, made.text
    return dict(made.json())


async def saved(client: Client, place: str, content: Document) -> Document:
    """Save a content as the draft, whatever the draft is now."""
    response = await client.put(f"{place}/draft", content, etag=await client.etag(f"{place}/draft"))
    assert response.status_code == 200, response.text
    return dict(response.json())


async def published(client: Client, place: str, content: Document, note: str | None = None) -> Document:
    """Save a content and publish it."""
    await saved(client, place, content)
    body = {} if note is None else {"change_note": note}
    response = await client.post(f"{place}/draft/publication", body, etag=await client.etag(f"{place}/draft"))
    assert response.status_code == 200, response.text
    return dict(response.json())


async def line(client: Client, *contents: Document, key: str = "cloud-baseline") -> str:
    """Create a questionnaire with a published version of each content. Return its place."""
    place = f"/v1/questionnaires/{(await created(client, key))['id']}"
    for number, content in enumerate(contents, 1):
        await published(client, place, content, None if number == 1 else f"Change {number}")
    return place


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def faults_of(response: Any) -> list[tuple[str, str]]:
    """Return (pointer, code) of each error of a refusal."""
    return [(error["pointer"], error["code"]) for error in response.json()["errors"]]
