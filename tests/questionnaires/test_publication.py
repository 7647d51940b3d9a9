"""A publication waits for a child process, and holds nothing meanwhile."""

from typing import Any

import pytest

from tests.client import Client
from tests.questionnaires.by_route import created, document, saved
from vendorrisk.app import Api
from vendorrisk.questionnaires import publication

pytestmark = pytest.mark.anyio


async def test_no_connection_is_held_while_a_draft_is_checked_for_its_publication(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = f"/v1/questionnaires/{(await created(client))['id']}"
    await saved(client, place, document())
    checking, held = publication.in_sandbox, list[int]()

    async def counted(*given: Any) -> Any:
        held.append(api.service.database.places.held)
        return await checking(*given)

    monkeypatch.setattr(publication, "in_sandbox", counted)
    published = await client.post(f"{place}/draft/publication", {}, etag='"1"')
    assert (published.status_code, held) == (200, [0]), published.text
    again = await client.post(f"{place}/draft/publication", {}, etag='"1"')
    assert again.status_code == 412, again.text
    assert len(await client.items(f"{place}/versions")) == 1
