"""Streams, files and encrypted file stores for the tests of storage."""

import base64
import io
import zipfile
from collections.abc import AsyncIterable, AsyncIterator
from uuid import UUID

from tests.fakes.store import MemoryStore
from vendorrisk.keys import Keyring
from vendorrisk.storage.vault import EncryptedFileStore

TENANT = UUID("01900000-0000-7000-8000-000000000001")
OTHER_TENANT = UUID("01900000-0000-7000-8000-000000000002")
MAX_BYTES = 1 << 20
OLD_KEY = base64.b64encode(b"o" * 32).decode()
NEW_KEY = base64.b64encode(b"n" * 32).decode()


async def chunks(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def gathered(pieces: AsyncIterable[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def file_store(store: MemoryStore | None = None, keys: str = OLD_KEY) -> EncryptedFileStore:
    return EncryptedFileStore(store or MemoryStore(), Keyring.from_setting(keys))


def key_name(store: MemoryStore) -> str:
    """Return the name of the first key that was written."""
    return next(name for name in store.objects if name.startswith("keys/"))


def office(*names: str) -> bytes:
    """A ZIP with these parts in it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    return file.getvalue()
