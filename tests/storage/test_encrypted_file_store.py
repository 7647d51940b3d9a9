"""The vault: what goes in comes out, to the tenant that put it in, or not at all."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.store import MemoryStore
from tests.storage.make import MAX_BYTES, NEW_KEY, OLD_KEY, OTHER_TENANT, TENANT, chunks, file_store, gathered, key_name
from vendorrisk.errors import Code, Refusal
from vendorrisk.storage.media_types import MediaType
from vendorrisk.storage.port import DamagedError, MissingError
from vendorrisk.storage.sealing import CHUNK
from vendorrisk.storage.vault import EncryptedFileStore, StoredFile

pytestmark = pytest.mark.anyio
CONTENT = b"%PDF-1.7 canary content of a report"


async def _put(into: EncryptedFileStore, content: bytes, name: str = "report.pdf") -> StoredFile:
    return await into.put(TENANT, chunks(content), file_name=name, max_bytes=MAX_BYTES)


async def test_a_file_is_found_by_its_digest_and_known_by_its_content() -> None:
    own = file_store()
    stored = await _put(own, CONTENT)
    assert stored == StoredFile(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), MediaType.PDF)
    assert await own.read(TENANT, stored.sha256) == CONTENT
    assert await own.exists(TENANT, stored.sha256)
    assert await own.size(TENANT, stored.sha256) == len(CONTENT)


def _text(size: int) -> bytes:
    return bytes(33 + at % 89 for at in range(size))


@settings(max_examples=60, deadline=None)
@given(
    size=st.sampled_from([1, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]),
    cuts=st.lists(st.integers(0, 3 * CHUNK + 7), max_size=6),
    start=st.integers(-5, 3 * CHUNK + 20),
    length=st.none() | st.integers(-5, 3 * CHUNK + 20),
)
def test_however_it_comes_in_any_range_of_it_comes_out(
    size: int, cuts: list[int], start: int, length: int | None
) -> None:
    async def body() -> None:
        content = _text(size)
        places = [0, *sorted(min(cut, size) for cut in cuts), size]
        pieces = [content[a:b] for a, b in pairwise(places)]
        own = file_store()
        stored = await own.put(TENANT, chunks(*pieces), file_name="a.txt", max_bytes=MAX_BYTES)
        assert stored.sha256 == hashlib.sha256(content).hexdigest()
        assert await own.read(TENANT, stored.sha256) == content
        begin = max(start, 0)
        stop = None if length is None else begin + max(length, 0)
        assert await gathered(await own.open(TENANT, stored.sha256, start=start, length=length)) == content[begin:stop]

    asyncio.run(body())


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_cut_or_added_byte_of_any_object_is_noticed(data: st.DataObject) -> None:
    async def body() -> None:
        store = MemoryStore()
        stored = await _put(
            file_store(store), b"%PDF-1.7" + _text(data.draw(st.sampled_from([10, CHUNK - 8, CHUNK + 90])))
        )
        name = data.draw(st.sampled_from(sorted(store.objects)))
        old = store.objects[name]
        place = data.draw(st.integers(0, len(old) - 1))
        damage = data.draw(st.sampled_from(["change", "cut", "add", "drop", "double"]))
        store.objects[name] = {
            "change": old[:place] + bytes([old[place] ^ data.draw(st.integers(1, 255))]) + old[place + 1 :],
            "cut": old[:place],
            "add": old + b"\0",
            "drop": old[CHUNK + 16 :] or old[1:],
            "double": old + old,
        }[damage]
        if damage in ("add", "double") and name.startswith("bodies/"):
            # What lies behind the last chunk is never asked for, and so can never be read as content.
            assert await file_store(store).read(TENANT, stored.sha256) is not None
            return
        with pytest.raises(DamagedError):
            await file_store(store).read(TENANT, stored.sha256)

    asyncio.run(body())


async def test_chunks_that_change_places_or_files_are_noticed() -> None:
    store = MemoryStore()
    stored = await _put(file_store(store), b"%PDF-1.7" + _text(3 * CHUNK))
    name = next(name for name in store.objects if name.startswith("bodies/"))
    body, step = store.objects[name], CHUNK + 16
    store.objects[name] = body[step : 2 * step] + body[:step] + body[2 * step :]
    with pytest.raises(DamagedError, match="chunk 0 is not what was sealed"):
        await file_store(store).read(TENANT, stored.sha256)
    store.objects[name] = body
    await _put(file_store(store), b"%PDF-1.4" + _text(3 * CHUNK))
    other = next(each for each in store.objects if each.startswith("bodies/") and each != name)
    store.objects[name], store.objects[other] = store.objects[other], store.objects[name]
    with pytest.raises(DamagedError):
        await file_store(store).read(TENANT, stored.sha256)


async def test_a_range_of_a_truncated_body_is_noticed_at_the_range() -> None:
    store = MemoryStore()
    stored = await _put(file_store(store), b"%PDF-1.7" + _text(3 * CHUNK))
    name = next(name for name in store.objects if name.startswith("bodies/"))
    store.objects[name] = store.objects[name][: CHUNK + 16]
    with pytest.raises(DamagedError, match="ends before chunk 2"):
        await gathered(await file_store(store).open(TENANT, stored.sha256, start=2 * CHUNK, length=10))
    del store.objects[name]
    with pytest.raises(DamagedError, match="is gone"):
        await file_store(store).open(TENANT, stored.sha256)


async def test_nothing_in_the_store_tells_the_content() -> None:
    store = MemoryStore()
    await _put(file_store(store), CONTENT, "canary.pdf")
    everything = b"".join(name.encode() + body for name, body in store.objects.items())
    assert b"canary" not in everything
    assert b"%PDF" not in everything


async def test_the_same_file_twice_is_kept_once_per_tenant_and_never_shared() -> None:
    store = MemoryStore()
    own = file_store(store)
    first = await _put(own, CONTENT)
    before = dict(store.objects)
    assert await _put(own, CONTENT) == first
    assert store.objects == before
    assert not await own.exists(OTHER_TENANT, first.sha256)
    with pytest.raises(MissingError):
        await own.open(OTHER_TENANT, first.sha256)
    await own.put(OTHER_TENANT, chunks(CONTENT), file_name="b.pdf", max_bytes=MAX_BYTES)
    assert len(store.objects) == 2 * len(before)
    await own.delete(TENANT, first.sha256)
    assert await own.read(OTHER_TENANT, first.sha256) == CONTENT
    assert len(store.objects) == len(before)


async def test_a_key_moved_to_another_tenant_does_not_open() -> None:
    store = MemoryStore()
    stored = await _put(file_store(store), CONTENT)
    for name in list(store.objects):
        moved = name.replace(str(TENANT), str(OTHER_TENANT))
        store.objects[moved], store.written_at[moved] = store.objects[name], store.written_at[name]
    with pytest.raises(MissingError):
        await file_store(store).open(OTHER_TENANT, stored.sha256)


async def test_a_key_under_the_name_of_another_does_not_open() -> None:
    store = MemoryStore()
    one = await _put(file_store(store), CONTENT)
    name = key_name(store)
    other = await _put(file_store(store), CONTENT + b"2")
    store.objects[name] = next(body for key, body in store.objects.items() if key.startswith("keys/") and key != name)
    with pytest.raises(DamagedError, match="sealed for something else"):
        await file_store(store).open(TENANT, one.sha256)
    assert await file_store(store).read(TENANT, other.sha256) == CONTENT + b"2"


async def test_a_reader_of_the_store_cannot_test_whether_a_tenant_has_a_known_file() -> None:
    store, elsewhere = MemoryStore(), MemoryStore()
    stored = await _put(file_store(store), CONTENT)
    await file_store(elsewhere, NEW_KEY).put(TENANT, chunks(CONTENT), file_name="a.pdf", max_bytes=MAX_BYTES)
    await file_store(store).put(OTHER_TENANT, chunks(CONTENT), file_name="a.pdf", max_bytes=MAX_BYTES)
    names = [name.rpartition("/")[2] for one in (store, elsewhere) for name in one.objects if name.startswith("keys/")]
    assert len(set(names)) == 3, "another secret key or another tenant gives another name"
    guesses = {stored.sha256, hashlib.sha256(TENANT.bytes + bytes.fromhex(stored.sha256)).hexdigest()}
    assert guesses.isdisjoint(names)
    assert not [body for body in store.objects.values() if bytes.fromhex(stored.sha256) in body]


async def test_a_file_that_was_lost_is_repaired_by_sending_it_again() -> None:
    store = MemoryStore()
    stored = await _put(file_store(store), CONTENT)
    del store.objects[next(name for name in store.objects if name.startswith("bodies/"))]
    await _put(file_store(store), CONTENT)
    assert await file_store(store).read(TENANT, stored.sha256) == CONTENT


@pytest.mark.parametrize(
    "content", [b"", b"MZ" + bytes(40), b"<html>", b"\x7fELF" + bytes(20_000), b"PK\x03\x04" + bytes(99)]
)
async def test_a_refused_file_leaves_nothing(content: bytes) -> None:
    store = MemoryStore()
    with pytest.raises(Refusal):
        await _put(file_store(store), content)
    assert store.objects == {}


async def test_a_file_is_refused_while_it_streams_once_it_is_too_large() -> None:
    store = MemoryStore()
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += CHUNK
            yield b"a" * CHUNK

    with pytest.raises(Refusal) as refused:
        await file_store(store).put(TENANT, endless(), file_name="a.txt", max_bytes=MAX_BYTES)
    assert refused.value.code is Code.BODY_TOO_LARGE
    assert sent == MAX_BYTES + CHUNK
    assert store.objects == {}
    exact = b"a" * MAX_BYTES
    assert (await _put(file_store(store), exact, "a.txt")).size == MAX_BYTES


async def test_an_upload_that_breaks_off_leaves_nothing() -> None:
    store = MemoryStore()

    async def broken() -> AsyncIterator[bytes]:
        yield CONTENT
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await file_store(store).put(TENANT, broken(), file_name="a.pdf", max_bytes=MAX_BYTES)
    assert store.objects == {}


@pytest.mark.parametrize("digest", ["", "../x", "A" * 64, "a" * 63, "a" * 65, "g" * 64, "a" * 64 + "\n"])
async def test_what_is_no_digest_is_simply_not_there(digest: str) -> None:
    with pytest.raises(MissingError):
        await file_store().open(TENANT, digest)
    assert await file_store().size(TENANT, digest) is None


async def test_rotation_rewraps_keys_leaves_bodies_alone_and_frees_the_old_key() -> None:
    store = MemoryStore()
    stored = await _put(file_store(store), CONTENT)
    added = file_store(store, f"{OLD_KEY},{NEW_KEY}")
    assert await added.read(TENANT, stored.sha256) == CONTENT
    bodies = {name: body for name, body in store.objects.items() if name.startswith("bodies/")}
    both = file_store(store, f"{NEW_KEY},{OLD_KEY}")
    other = await _put(both, CONTENT + b"2")
    rotation = await both.rewrap()
    assert (rotation.rewrapped, rotation.current, rotation.unreadable) == (1, 1, ())
    assert (await both.rewrap()).rewrapped == 0
    assert await added.read(TENANT, stored.sha256) == CONTENT, "a process that has both keys finds it by its new name"
    assert {name: store.objects[name] for name in bodies} == bodies
    assert sum(name.startswith("keys/") for name in store.objects) == 2, "renamed, not copied"
    only_new = file_store(store, NEW_KEY)
    assert await only_new.read(TENANT, stored.sha256) == CONTENT
    assert await only_new.read(TENANT, other.sha256) == CONTENT + b"2"


async def test_rotation_names_what_no_key_opens_and_goes_on() -> None:
    store = MemoryStore()
    lost = await _put(file_store(store), CONTENT)
    rotation = await file_store(store, NEW_KEY).rewrap()
    assert rotation.unreadable == (key_name(store),)
    assert rotation.rewrapped == 0
    assert await file_store(store).read(TENANT, lost.sha256) == CONTENT


async def test_the_sweep_takes_old_bodies_without_a_key_and_nothing_else() -> None:
    store = MemoryStore()
    own = file_store(store)
    stored = await _put(own, CONTENT)
    await store.put(f"bodies/{TENANT}/{'0' * 32}", chunks(b"orphan"))
    await store.put(f"bodies/{OTHER_TENANT}/{'1' * 32}", chunks(b"another tenant's"))
    now = datetime.now(UTC)
    assert await own.sweep(TENANT, now - timedelta(days=1)) == 0
    assert await own.sweep(TENANT, now + timedelta(minutes=1)) == 1
    assert await own.read(TENANT, stored.sha256) == CONTENT
    assert f"bodies/{OTHER_TENANT}/{'1' * 32}" in store.objects


async def test_deleting_twice_or_what_is_damaged_is_no_error() -> None:
    store = MemoryStore()
    own = file_store(store)
    stored = await _put(own, CONTENT)
    store.objects[key_name(store)] = b"damaged"
    await own.delete(TENANT, stored.sha256)
    await own.delete(TENANT, stored.sha256)
    assert not await own.exists(TENANT, stored.sha256)


async def test_the_sweep_removes_nothing_where_a_key_might_name_any_body() -> None:
    store = MemoryStore()
    await _put(file_store(store), CONTENT)
    store.objects[key_name(store)] = b"damaged"
    await store.put(f"bodies/{TENANT}/{'0' * 32}", chunks(b"orphan"))
    before = dict(store.objects)
    with pytest.raises(DamagedError):
        await file_store(store).sweep(TENANT, datetime.now(UTC) + timedelta(minutes=1))
    assert store.objects == before
