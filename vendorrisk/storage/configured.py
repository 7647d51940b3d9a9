"""The store that the settings ask for."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from vendorrisk.keys import Keyring
from vendorrisk.settings import SettingError, Settings
from vendorrisk.storage.disk import DiskStore
from vendorrisk.storage.port import Store
from vendorrisk.storage.s3 import Bucket, S3CompatibleStore
from vendorrisk.storage.vault import EncryptedFileStore


def disk_root(settings: Settings) -> Path | None:
    """Return the folder of a store on disk, None for another kind of store."""
    if not settings.storage_url:
        return settings.home_path() / "files"
    url = urlsplit(settings.storage_url)
    if url.scheme == "file" and not url.netloc and url.path.strip("/"):
        return Path(unquote(url.path))
    return None


def store_from(settings: Settings) -> Store:
    """Return the store. Raises `SettingError` for an address that is neither `file:///…` nor `s3://…`."""
    if (root := disk_root(settings)) is not None:
        return DiskStore(root)
    url = urlsplit(settings.storage_url)
    if url.scheme == "s3" and url.netloc and not url.query:
        return S3CompatibleStore(
            Bucket(
                name=url.netloc,
                prefix=url.path.strip("/"),
                endpoint=settings.storage_s3_endpoint,
                region=settings.storage_s3_region,
                access_key_id=settings.storage_s3_access_key_id,
                secret_access_key=settings.storage_s3_secret_access_key,
            )
        )
    raise SettingError("VENDORRISK_STORAGE_URL takes file:///folder or s3://bucket/prefix")


def file_store_from(settings: Settings, keyring: Keyring) -> EncryptedFileStore:
    return EncryptedFileStore(store_from(settings), keyring)
