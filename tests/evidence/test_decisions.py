"""Decisions on proposals, by route."""

from typing import Any

import pytest

from tests.client import Client
from tests.conftest import Company
from tests.whole.things import Things, document, proposal
from vendorrisk.background import JobContext

pytestmark = pytest.mark.anyio


async def test_open_is_no_decision(client: Client, company: Company, context: JobContext, owner: Any) -> None:
    things = Things(company, client, context, owner)
    known = {"document_id": await document(things, {})}
    place = f"/v1/documents/{known['document_id']}/proposals/{await proposal(things, known)}/decision"
    for word in ("open", "maybe", "", None):
        refused = await client.post(place, {"decision": word}, etag='"1"')
        assert (refused.status_code, refused.json()["code"]) == (422, "body_invalid"), refused.text
        assert refused.json()["errors"][0]["pointer"] == "/decision"
    listed = await client.items(f"/v1/documents/{known['document_id']}/proposals")
    assert [found["decision"] for found in listed] == ["open"]
