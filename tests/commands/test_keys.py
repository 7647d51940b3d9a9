"""`vendorrisk keys`: a rotation from the first key to the second, with nothing lost and nothing printed."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from tests.alerts.make import a_receiver
from tests.client import Client
from tests.commands.make import command
from tests.conftest import Company, client_of
from vendorrisk.alerts import service as alerts
from vendorrisk.app import create_app
from vendorrisk.channels.port import EmailAddress
from vendorrisk.keys import Keyring, SealError
from vendorrisk.settings import Settings
from vendorrisk.storage.configured import disk_root, file_store_from

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7\n%%EOF\n"


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def a_file(settings: Settings, company: Company) -> str:
    file_store = file_store_from(settings, Keyring.from_setting(settings.secret_keys))
    stored = await file_store.put(company.tenant.id, once(PDF), file_name="a.pdf", max_bytes=100)
    await file_store.close()
    return stored.sha256


async def test_a_made_key_is_one_and_never_the_same() -> None:
    first, second = (await command("keys", "make")).out, (await command("keys", "make")).out
    assert first != second
    assert len(base64.b64decode(first.strip())) == 32
    assert len(Keyring.from_setting(f"{first},{second}").ids) == 2


async def test_a_rotation_moves_everything_to_the_new_key_so_that_the_old_one_may_go(
    settings: Settings, company: Company, other_company: Company, owner: Any
) -> None:
    for one in (company, other_company):
        await a_receiver(one, name="Mail", target={"kind": "email", "address": "risk@example.com"})
        await a_receiver(one, name="Owners", target={"kind": "owners"})
    digest = await a_file(settings, company)
    new_key = (await command("keys", "make")).out.strip()
    both = msgspec.structs.replace(settings, secret_keys=f"{new_key},{settings.secret_keys}")
    versions = await owner.fetch("select id, version, updated_at from receivers order by id")

    ran = await command("keys", "reseal", settings=both)
    new_id = Keyring.from_setting(new_key).ids[0]
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"resealed with key {new_id}: 2 receivers, 1 files\n"
    again = await command("keys", "reseal", settings=both)
    assert again.out == f"resealed with key {new_id}: 0 receivers, 0 files\n"
    assert await owner.fetch("select id, version, updated_at from receivers order by id") == versions

    alone = Keyring.from_setting(new_key)
    for row in await owner.fetch("select tenant_id, id, address_sealed from receivers where kind = 'email'"):
        opened = alerts.opened_address(alone, row["tenant_id"], row["id"], row["address_sealed"])
        assert opened == EmailAddress("risk@example.com")
        with pytest.raises(SealError):
            alerts.opened_address(
                Keyring.from_setting(settings.secret_keys), row["tenant_id"], row["id"], row["address_sealed"]
            )
    file_store = file_store_from(settings, alone)
    assert await file_store.read(company.tenant.id, digest) == PDF
    await file_store.close()
    assert settings.secret_keys not in ran.out + ran.err
    assert new_key not in ran.out + ran.err


async def test_what_no_key_opens_is_named_left_alone_and_ends_with_1(
    settings: Settings, company: Company, owner: Any
) -> None:
    shown = await a_receiver(company, name="Mail", target={"kind": "email", "address": "risk@example.com"})
    digest = await a_file(settings, company)
    before = await owner.fetchval("select address_sealed from receivers")
    new_key = (await command("keys", "make")).out.strip()
    ran = await command("keys", "reseal", settings=msgspec.structs.replace(settings, secret_keys=new_key))
    assert ran.code == 1
    assert "0 receivers, 0 files" in ran.out
    assert f"no key opens receiver {shown['id']}" in ran.err
    assert f"no key opens file keys/{company.tenant.id}/" in ran.err
    assert digest not in ran.err
    assert await owner.fetchval("select address_sealed from receivers") == before


async def test_without_files_none_are_made(settings: Settings, company: Company) -> None:
    del company
    root = disk_root(settings)
    assert root is not None
    assert (await command("keys", "reseal", settings=settings)).code == 0
    assert not await asyncio.to_thread(root.exists)


async def test_no_key_at_all_is_one_line(settings: Settings) -> None:
    ran = await command("keys", "reseal", settings=msgspec.structs.replace(settings, secret_keys=""))
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("vendorrisk: VENDORRISK_SECRET_KEYS")


async def test_nothing_is_resealed_while_a_living_process_could_not_open_it(
    settings: Settings, company: Company, owner: Any
) -> None:
    await a_receiver(company, name="Mail", target={"kind": "email", "address": "risk@example.com"})
    before = await owner.fetchval("select address_sealed from receivers")
    [old_id] = Keyring.from_setting(settings.secret_keys).ids
    await owner.execute("insert into processes values ('api:7', 'api', 'h', '0', array[$1], now(), now())", old_id)
    new_key = (await command("keys", "make")).out.strip()
    both = msgspec.structs.replace(settings, secret_keys=f"{new_key},{settings.secret_keys}")
    ran = await command("keys", "reseal", settings=both)
    assert ran.code == 1
    assert ran.err.startswith(f"vendorrisk: api:7 does not hold key {Keyring.from_setting(new_key).ids[0]}. Append it")
    assert await owner.fetchval("select address_sealed from receivers") == before
    await owner.execute("update processes set key_ids = key_ids || $1::text", Keyring.from_setting(new_key).ids[0])
    assert (await command("keys", "reseal", settings=both)).code == 0
    assert await owner.fetchval("select address_sealed from receivers") != before


async def test_what_another_process_sealed_with_a_newer_key_is_no_damage(
    settings: Settings, company: Company, client: Client
) -> None:
    """Phase two reached one process before phase one reached the other: 503 with the key's id, and nothing is lost."""
    new_key = (await command("keys", "make")).out.strip()
    new_id = Keyring.from_setting(new_key).ids[0]
    newer = create_app(msgspec.structs.replace(settings, secret_keys=f"{new_key},{settings.secret_keys}"))
    vendor = (await client.post("/v1/vendors", {"name": "Acme"})).json()
    async with newer.running():
        ahead = client_of(newer, company.key.secret)
        new = {"vendor_id": vendor["id"], "kind": "dpa", "title": "DPA"}
        document = (await ahead.post("/v1/documents", new)).json()
        place = f"/v1/documents/{document['id']}"
        stored = await ahead.put(
            f"{place}/file", PDF, etag=await ahead.etag(place), headers={"content-type": "application/pdf"}
        )
        assert stored.status_code == 200, stored.text
        once_key = {"idempotency-key": "one"}
        assert (await ahead.post("/v1/vendors", {"name": "Once"}, headers=once_key)).status_code == 201
        for response in (
            await client.get(f"/v1/documents/{document['id']}/file"),
            await client.post("/v1/vendors", {"name": "Once"}, headers=once_key),
        ):
            told = response.json()
            assert (response.status_code, told["code"]) == (503, "sealing_key_unknown"), told
            assert new_id in told["detail"]
            assert "retry-after" in response.headers
        assert (await ahead.get(f"/v1/documents/{document['id']}/file")).content == PDF, "it is whole"
