"""Files of documents when the store does not answer, or gives back something else."""

from collections.abc import AsyncIterable
from typing import Any

import pytest

from tests.client import Client
from tests.conftest import SECRET_KEYS, Company
from tests.evidence.make import vendor
from tests.evidence.reports import report
from tests.fakes.store import MemoryStore
from vendorrisk.app import Api
from vendorrisk.background import JobContext
from vendorrisk.evidence.jobs import read_evidence, sweep_files
from vendorrisk.keys import Keyring
from vendorrisk.storage.port import UnreachableError
from vendorrisk.storage.vault import EncryptedFileStore

pytestmark = pytest.mark.anyio


class _Store(MemoryStore):
    """A store that can be switched off."""

    is_off = False

    async def put(self, name: str, chunks: AsyncIterable[bytes]) -> None:
        if self.is_off:
            raise UnreachableError("canary: no route to the bucket")
        await super().put(name, chunks)

    async def open(self, name: str, start: int = 0, length: int | None = None) -> Any:
        if self.is_off:
            raise UnreachableError("canary: no route to the bucket")
        return await super().open(name, start, length)


@pytest.fixture
def store(api: Api, context: JobContext) -> _Store:
    made = _Store()
    api.service.file_store = context.file_store = EncryptedFileStore(made, Keyring.from_setting(SECRET_KEYS))
    return made


async def _document(client: Client) -> str:
    body = {"vendor_id": await vendor(client), "kind": "soc2_type2", "title": "SOC 2"}
    made = await client.post("/v1/documents", body)
    assert made.status_code == 201, made.text
    return f"/v1/documents/{made.json()['id']}"


async def _sent(client: Client, place: str) -> Any:
    headers = {"content-type": "application/octet-stream"}
    return await client.put(f"{place}/file", report("plain"), etag=await client.etag(place), headers=headers)


async def test_a_store_that_does_not_answer_is_503_and_changes_nothing(client: Client, store: _Store) -> None:
    place = await _document(client)
    store.is_off = True
    refused = await _sent(client, place)
    assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
    assert refused.headers["retry-after"] == "10"
    assert "canary" not in refused.text
    assert (await client.get(place)).headers["etag"] == '"1"'
    store.is_off = False
    assert (await _sent(client, place)).status_code == 200
    store.is_off = True
    assert (await client.get(f"{place}/file")).json()["code"] == "store_unavailable"


async def test_a_file_waits_on_while_the_store_does_not_answer_and_is_read_when_it_does(
    client: Client, context: JobContext, store: _Store, clock: Any
) -> None:
    place = await _document(client)
    await _sent(client, place)
    store.is_off = True
    await read_evidence(context)
    assert (await client.get(place)).json()["extraction"] == "waiting"
    assert await read_evidence(context) == 0, "it waits behind the others"
    store.is_off = False
    clock.advance(hours=1)
    assert await read_evidence(context) == 1
    fields = {each["field"] for each in await client.items(f"{place}/proposals")}
    assert {"opinion", "auditor", "period_end_on"} <= fields


async def test_a_file_whose_key_was_tampered_with_is_never_served(client: Client, store: _Store) -> None:
    place = await _document(client)
    await _sent(client, place)
    name = next(name for name in store.objects if name.startswith("keys/"))
    store.objects[name] = store.objects[name][:-1] + bytes([store.objects[name][-1] ^ 1])
    refused = await client.get(f"{place}/file")
    assert refused.json()["code"] == "file_damaged"
    assert "%PDF" not in refused.text


async def test_what_a_dead_upload_left_is_swept_a_day_later_and_nothing_that_is_named(
    client: Client, company: Company, context: JobContext, store: _Store, clock: Any
) -> None:
    place = await _document(client)
    assert (await _sent(client, place)).status_code == 200
    kept = set(store.objects)
    left = f"bodies/{company.tenant.id}/{'0' * 32}"
    store.objects[left] = b"sealed, and no key for it"
    store.written_at = dict.fromkeys(store.objects, clock())
    clock.advance(hours=23)
    assert await sweep_files(context) == 0
    assert set(store.objects) == {*kept, left}
    clock.advance(hours=2)
    assert await sweep_files(context) == 1
    assert set(store.objects) == kept
    assert (await client.get(f"{place}/file")).content == report("plain")
    assert await sweep_files(context) == 0


async def test_a_damaged_key_of_one_tenant_keeps_its_bodies_and_does_not_stop_the_others_being_swept(
    client: Client, company: Company, other_company: Company, context: JobContext, store: _Store, clock: Any
) -> None:
    await _sent(client, await _document(client))
    left = [f"bodies/{one.tenant.id}/{'0' * 32}" for one in (company, other_company)]
    store.objects.update(dict.fromkeys(left, b"sealed, and no key for it"))
    store.written_at = dict.fromkeys(store.objects, clock())
    name = next(name for name in store.objects if name.startswith("keys/"))
    store.objects[name] = b"damaged"
    clock.advance(days=2)
    assert await sweep_files(context) == 1
    assert left[0] in store.objects
    assert left[1] not in store.objects
