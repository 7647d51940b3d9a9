"""The store the settings ask for, used through the encrypted file store."""

from pathlib import Path

import pytest

from tests.fakes.s3 import ACCESS_KEY, s3_fake
from tests.storage.make import MAX_BYTES, OLD_KEY, TENANT, chunks
from vendorrisk.keys import Keyring
from vendorrisk.settings import SettingError, Settings
from vendorrisk.storage.configured import file_store_from, store_from

pytestmark = pytest.mark.anyio
CONTENT = b"%PDF-1.7" + b"x" * 200_000


async def _keep(settings: Settings) -> None:
    file_store = file_store_from(settings, Keyring.from_setting(OLD_KEY))
    stored = await file_store.put(TENANT, chunks(CONTENT), file_name="a.pdf", max_bytes=MAX_BYTES)
    assert await file_store.read(TENANT, stored.sha256) == CONTENT
    assert await file_store.put(TENANT, chunks(CONTENT), file_name="b.pdf", max_bytes=MAX_BYTES) == stored
    await file_store.close()


async def test_without_a_setting_files_lie_below_the_data_folder(tmp_path: Path) -> None:
    await _keep(Settings(home=str(tmp_path)))
    assert len([path for path in (tmp_path / "files").rglob("*") if path.is_file()]) == 2


async def test_a_file_address_names_a_folder(tmp_path: Path) -> None:
    await _keep(Settings(storage_url=f"file://{tmp_path}/with%20blank"))
    assert len([path for path in (tmp_path / "with blank").rglob("*") if path.is_file()]) == 2


async def test_an_s3_address_names_a_bucket_and_a_prefix() -> None:
    async with s3_fake() as s3:
        bucket = s3.bucket()
        await _keep(
            Settings(
                storage_url="s3://evidence/files/eu",
                storage_s3_endpoint=bucket.endpoint,
                storage_s3_access_key_id=ACCESS_KEY,
                storage_s3_secret_access_key=bucket.secret_access_key,
            )
        )
        assert len(s3.objects) == 2
        assert all(key.startswith("files/eu/") for key in s3.objects)


@pytest.mark.parametrize("url", ["/srv/files", "file:///", "file://host/x", "s3:///x", "https://x/y", "s3://b/x?a=b"])
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(SettingError, match="VENDORRISK_STORAGE_URL"):
        store_from(Settings(storage_url=url))
