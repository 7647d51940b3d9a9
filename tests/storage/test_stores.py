"""What every store promises, asked of each: disk, S3-compatible, and the fake that other tests use."""

import os
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.s3 import S3Fake, s3_fake
from tests.fakes.store import MemoryStore
from tests.storage.make import chunks, gathered
from vendorrisk.storage.disk import DiskStore
from vendorrisk.storage.port import MissingError, Store, UnreachableError
from vendorrisk.storage.s3 import S3CompatibleStore

pytestmark = pytest.mark.anyio
NAME = "bodies/tenant-1/abc"
UNFIT = [
    "",
    "/",
    "a//b",
    "../a",
    "a/../b",
    "a/./b",
    "/a",
    "a/",
    "A",
    "a\0b",
    "a\\b",
    "é",
    "a" * 101,
    ".incoming/a",
    "a\n",
]


@pytest.fixture(params=["disk", "s3", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    async with AsyncExitStack() as stack:
        if request.param == "disk":
            yield DiskStore(tmp_path / "files")
        elif request.param == "memory":
            yield MemoryStore()
        else:
            yield S3CompatibleStore((await stack.enter_async_context(s3_fake())).bucket())


@pytest.mark.parametrize("size", [0, 1, 70_000, (8 << 20) + 17])
async def test_what_is_put_comes_back_whole(store: Store, size: int) -> None:
    data = os.urandom(size)
    await store.put(NAME, chunks(*(data[at : at + 65_552] for at in range(0, size, 65_552))))
    assert await store.size(NAME) == size
    assert await gathered(await store.open(NAME)) == data


@pytest.mark.parametrize(
    ("start", "length"), [(0, None), (0, 4), (3, None), (3, 4), (9, 1), (8, 100), (10, None), (10, 5), (20, 5), (4, 0)]
)
async def test_a_range_is_a_slice(store: Store, start: int, length: int | None) -> None:
    await store.put(NAME, chunks(b"01234", b"56789"))
    stop = None if length is None else start + length
    assert await gathered(await store.open(NAME, start, length)) == b"0123456789"[start:stop]


async def test_what_is_not_there_has_no_size_cannot_be_opened_and_may_be_deleted(store: Store) -> None:
    assert await store.size(NAME) is None
    for length in (None, 0, 5):
        with pytest.raises(MissingError):
            await store.open(NAME, 0, length)
    await store.delete(NAME)


async def test_a_second_put_replaces_and_a_deleted_object_is_gone(store: Store) -> None:
    await store.put(NAME, chunks(b"first"))
    await store.put(NAME, chunks(b"second"))
    assert await gathered(await store.open(NAME)) == b"second"
    await store.delete(NAME)
    assert await store.size(NAME) is None


class _StopError(Exception):
    pass


async def test_a_source_that_fails_passes_its_own_exception_and_changes_nothing(store: Store) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"x" * (9 << 20)
        raise _StopError

    with pytest.raises(_StopError):
        await store.put(NAME, failing())
    assert await store.size(NAME) is None
    await store.put(NAME, chunks(b"kept"))
    with pytest.raises(_StopError):
        await store.put(NAME, failing())
    assert await gathered(await store.open(NAME)) == b"kept"
    assert [listed.name async for listed in store.list("bodies/")] == [NAME]


async def test_a_listing_shows_what_lies_under_the_prefix_and_nothing_beside_it(store: Store) -> None:
    for name in ("bodies/a/1", "bodies/a/22", "bodies/ab/3", "keys/a/4"):
        await store.put(name, chunks(b"12345"))
    listed = [listed async for listed in store.list("bodies/a/")]
    assert sorted(item.name for item in listed) == ["bodies/a/1", "bodies/a/22"]
    assert {item.size for item in listed} == {5}
    assert all(abs(item.modified_at - datetime.now(UTC)) < timedelta(minutes=1) for item in listed)
    assert [item async for item in store.list("nothing/")] == []


async def test_what_somebody_else_put_below_the_folder_is_not_listed(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    await store.put("bodies/a/123", chunks(b"x"))
    for stray in ("bodies/a/stray", "bodies/stray", "bodies/a/23/notes.txt"):
        (tmp_path / stray).write_bytes(b"x")
    assert [listed.name async for listed in store.list("bodies/")] == ["bodies/a/123"]
    await store.delete("bodies/a/123")
    assert [listed async for listed in store.list("bodies/")] == []


@pytest.mark.parametrize("name", UNFIT)
async def test_a_name_that_could_mean_another_place_is_refused_by_every_call(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        await store.put(name, chunks(b"x"))
    with pytest.raises(ValueError, match="not a name"):
        await store.open(name)
    with pytest.raises(ValueError, match="not a name"):
        await store.size(name)
    with pytest.raises(ValueError, match="not a name"):
        await store.delete(name)


async def test_the_disk_holds_private_files_and_folders_and_no_left_overs(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        root = tmp_path / "files"
        await DiskStore(root).put(NAME, chunks(b"x"))
    finally:
        os.umask(mask)
    files = [path for path in root.rglob("*") if path.is_file()]
    assert [path.relative_to(root) for path in files] == [Path("bodies/tenant-1/bc/abc")]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


async def test_a_disk_that_cannot_be_written_is_unreachable_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("a file where the folder should be")
    store = DiskStore(tmp_path / "files")
    with pytest.raises(UnreachableError, match="cannot write"):
        await store.put(NAME, chunks(b"x"))
    with pytest.raises(UnreachableError, match="cannot read"):
        await store.open(NAME)


async def test_s3_is_tried_again_and_then_said_to_be_unreachable() -> None:
    async with s3_fake() as fake:
        store = S3CompatibleStore(fake.bucket())
        fake.failures = 1
        await store.put(NAME, chunks(b"x"))
        assert fake.objects == {f"one/two/{NAME}": b"x"}
        fake.failures = 1000
        with pytest.raises(UnreachableError, match="cannot read"):
            await store.open(NAME)
        with pytest.raises(UnreachableError, match="cannot write"):
            await store.put(NAME, chunks(b"y"))
        with pytest.raises(UnreachableError, match="cannot look at"):
            await store.size(NAME)
        with pytest.raises(UnreachableError, match="cannot remove"):
            await store.delete(NAME)
        with pytest.raises(UnreachableError, match="cannot list"):
            [listed async for listed in store.list("bodies/")]


async def test_s3_does_not_take_other_credentials_and_the_secret_is_not_in_the_message() -> None:
    async with s3_fake() as fake:
        store = S3CompatibleStore(fake.bucket(access_key_id="AKIAOTHER"))
        with pytest.raises(UnreachableError) as refused:
            await store.put(NAME, chunks(b"x"))
        assert "canary-secret" not in str(refused.value)
        assert fake.objects == {}


async def test_an_upload_to_s3_that_breaks_off_is_aborted() -> None:
    async with s3_fake() as fake:
        await _cut_upload(fake)
        assert fake.objects == {}
        assert fake.uploads == {}


async def _cut_upload(fake: S3Fake) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"x" * (17 << 20)
        raise _StopError

    with pytest.raises(_StopError):
        await S3CompatibleStore(fake.bucket()).put(NAME, failing())


async def test_what_dead_writers_left_is_tidied_once_old_enough_and_objects_stay(store: Store) -> None:
    await store.put(NAME, chunks(b"kept"))
    assert await store.tidy(datetime.now(UTC) + timedelta(minutes=1)) == 0
    assert await gathered(await store.open(NAME)) == b"kept"


async def test_a_dead_writers_file_on_disk_is_tidied_once_old_enough(tmp_path: Path) -> None:
    store = DiskStore(tmp_path)
    await store.put(NAME, chunks(b"kept"))
    left = tmp_path / ".incoming" / "left"
    left.write_bytes(b"half")
    assert await store.tidy(datetime.now(UTC) - timedelta(hours=1)) == 0
    assert left.exists()
    assert await store.tidy(datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert not left.exists()
    assert await gathered(await store.open(NAME)) == b"kept"
