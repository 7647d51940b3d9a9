"""Writes `vendorrisk/openapi/examples.json`: what every operation returns to the demo tenant (`make examples`).

Not a test, and collected only when it is named. Ids, secrets, cursors and hashes are replaced, so that a second run
writes the same file; lists and objects are cut to what a reader needs.
"""

import hashlib
import io
import re
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from rich.console import Console

from tests.conftest import client_of
from tests.whole.surface import Operation, operations
from tests.whole.things import Things
from vendorrisk.app import Api
from vendorrisk.background import JobContext
from vendorrisk.demo import monday
from vendorrisk.openapi.examples import FILE, Examples

pytestmark = pytest.mark.anyio

_ROWS, _TRIES = 2, 12
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KEY = re.compile(r"vr_key_\w+")
_SECRET = re.compile(r"whsec_[\w+/=]+")
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_CURSORS = ("next", "prev")


async def test_write_the_examples(
    api: Api, context: JobContext, owner: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    things = await demo_things(api, context, owner)
    capsys.readouterr()
    plain, responses = Plain(), {}
    paths: dict[str, str] = {}
    for operation in sorted(operations(api), key=lambda o: (o.writes, o.path.count("{"), o.path)):
        known, response = await answer_of(things, operation)
        assert 200 <= response.status_code < 300, (operation.name, response.text)
        if operation.method == "GET":
            paths |= {name: value for name, value in known.items() if name not in paths}
        if response.headers.get("content-type", "").startswith("application/json"):
            responses[operation.name] = {str(response.status_code): cut(response.json())}
    for leaving in (False, True):
        api.service.is_shutting_down = leaving
        for name in ("live", "ready"):
            response = await things.client.get(f"/health/{name}")
            responses.setdefault(f"check_{name}", {})[str(response.status_code)] = response.json()
    made = plain.of({"paths": dict(sorted(paths.items())), "responses": dict(sorted(responses.items()))})
    msgspec.convert(made, Examples)
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")


async def demo_things(api: Api, context: JobContext, owner: Any) -> Things:
    """Fill the demo tenant, and return a maker of things in it."""
    said = io.StringIO()
    await monday.run(context, Console(file=said, width=120))
    found = _KEY.search(said.getvalue())
    assert found is not None
    client = client_of(api, found[0])
    tenant = (await client.get("/v1/tenant")).json()
    key = (await client.items("/v1/api-keys"))[0]
    second = await client.post("/v1/api-keys", {"name": "Second", "roles": ["admin"]})
    company: Any = SimpleNamespace(
        tenant=SimpleNamespace(id=tenant["id"]), key=SimpleNamespace(id=key["id"]), client=client
    )
    return Things(company, client_of(api, second.json()["secret"]), context, owner)


async def answer_of(things: Things, operation: Operation) -> tuple[dict[str, str], Any]:
    """Send an operation; a read to a record of the demo that has something to show, else to one made for it."""
    if not operation.writes:
        for known in await demo_places(things, operation):
            response = await send(things, operation, known)
            is_json = response.headers.get("content-type", "").startswith("application/json")
            if response.status_code == 200 and (not is_json or response.json().get("items", True)):
                return known, response
    known = await things.known_for(operation)
    if operation.writes:
        body = await things.body_of(operation, known)
        return known, await things.send(operation, known, body)
    return known, await send(things, operation, known)


async def send(things: Things, operation: Operation, known: dict[str, str]) -> Any:
    limit = {"limit": str(_ROWS)} if "limit" in operation.document_parameters else {}
    return await things.client.get(operation.path.format(**known), params={**operation.query, **limit})


async def demo_places(things: Things, operation: Operation) -> list[dict[str, str]]:
    """Return ids for a path of one parameter, from the list of what it names."""
    if not operation.parameters:
        return [{}]
    above, _, _ = operation.path.partition("/{")
    response = await things.client.get(above, params={"limit": str(_TRIES)})
    if len(operation.parameters) > 1 or response.status_code != 200:
        return []
    return [{operation.parameters[0]: row["id"]} for row in response.json().get("items", ()) if "id" in row]


def cut(value: Any) -> Any:
    """Return a value with no more than some of each list."""
    if isinstance(value, list):
        return [cut(item) for item in value[:_ROWS]]
    if isinstance(value, dict):
        return {name: cut(item) for name, item in value.items()}
    return value


class Plain:
    """Replaces what differs between two runs, and what looks like a secret."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._hashes: dict[str, str] = {}

    def of(self, value: Any, name: str = "") -> Any:
        if isinstance(value, list):
            return [self.of(item, name) for item in value]
        if isinstance(value, dict):
            return {self._text(key): self.of(item, key) for key, item in value.items()}
        if not isinstance(value, str):
            return value
        if name in _CURSORS:
            return "AwJ2ZW5kb3Jz"
        if name == "public_id":
            return "k7Q2mXw9"
        return self._text(value)

    def _text(self, text: str) -> str:
        text = _KEY.sub("vr_key_<shown once>", text)
        text = _SECRET.sub("whsec_<shown once>", text)
        text = _UUID.sub(lambda found: self._ids.setdefault(found[0], self._id()), text)
        return _HASH.sub(lambda found: self._hashes.setdefault(found[0], self._hash()), text)

    def _id(self) -> str:
        return f"019cad20-7c00-7d30-9a52-{len(self._ids) + 1:012x}"

    def _hash(self) -> str:
        return hashlib.sha256(str(len(self._hashes)).encode()).hexdigest()
