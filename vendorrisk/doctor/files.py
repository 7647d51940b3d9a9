"""The file store and the secret keys."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from vendorrisk.doctor import queries
from vendorrisk.doctor.database import server
from vendorrisk.doctor.model import DatabaseAwayError, Finding, Level, Patient
from vendorrisk.keys import Keyring
from vendorrisk.processes import queries as process_queries
from vendorrisk.processes.model import is_silent
from vendorrisk.settings import SettingError
from vendorrisk.storage.configured import disk_root, file_store_from, store_from
from vendorrisk.storage.ownership import as_owner_of
from vendorrisk.storage.port import StorageError, Store

_MOST_FILES = 200


async def storage(patient: Patient) -> list[Finding]:
    """Write a small object, read it, and remove it."""
    settings = patient.settings
    root = disk_root(settings)
    where = str(root) if root is not None else settings.storage_url
    if root is not None and not root.exists():
        return [_not_made_yet(root)]
    todo = "See that VENDORRISK_STORAGE_URL names a place that this service may write to."
    store = store_from(settings)
    name = f"doctor/{secrets.token_hex(8)}"
    content = secrets.token_bytes(64)
    try:
        with as_owner_of(root):
            back = await _round_trip(store, name, content)
    except StorageError as error:
        return [Finding("storage", Level.FAILURE, f"{where}: {error}", todo)]
    finally:
        await store.close()
    if back != content:
        return [Finding("storage", Level.FAILURE, f"{where} gave back other bytes than were written", todo)]
    return [Finding("storage", Level.OK, f"{where}: written, read and removed")]


async def _round_trip(store: Store, name: str, content: bytes) -> bytes:
    try:
        await store.put(name, _once(content))
        return b"".join([piece async for piece in await store.open(name)])
    finally:
        with suppress(StorageError):
            await store.delete(name)


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def _not_made_yet(root: Path) -> Finding:
    """Return True if the folder can be made when the first file comes. A check does not make it."""
    above = next(folder for folder in root.parents if folder.exists())
    if os.access(above, os.W_OK | os.X_OK):
        return Finding("storage", Level.OK, f"{root} is made with the first file")
    todo = "Make it, for the user that the service runs as, or set VENDORRISK_STORAGE_URL."
    return Finding("storage", Level.FAILURE, f"{root} is not there, and {above} may not be written", todo)


async def secret_keys(patient: Patient) -> list[Finding]:
    """See that every key that sealed something is there, and which of the older ones may go."""
    try:
        keyring = Keyring.from_setting(patient.settings.secret_keys)
    except SettingError as error:
        if patient.is_new and not patient.settings.secret_keys:
            return []
        todo = "Set VENDORRISK_SECRET_KEYS to what it was: without it nothing that is sealed opens."
        return [Finding("secret keys", Level.FAILURE, str(error), todo)]
    used, notes = await _used(patient)
    first, *older = keyring.ids
    if missing := sorted(set(used) - set(keyring.ids)):
        said = "; ".join(f"key {one} sealed {used[one]}, and is not set" for one in missing)
        todo = "Put it back behind the first in VENDORRISK_SECRET_KEYS. Without it those are lost."
        return [Finding("secret keys", Level.FAILURE, said, todo)]
    said = f"{len(keyring.ids)} set; {first} seals" + "".join(f"; {note}" for note in notes)
    if needed := [one for one in older if one in used]:
        kept = "; ".join(f"{one} is still needed for {used[one]}" for one in needed)
        return [Finding("secret keys", Level.WARNING, f"{said}; {kept}", "Keep them, or run `vendorrisk keys reseal`.")]
    if older:
        todo = f"Once every file was looked at, {', '.join(older)} may leave VENDORRISK_SECRET_KEYS."
        return [Finding("secret keys", Level.OK, f"{said}; nothing that was looked at needs an older one", todo)]
    return [Finding("secret keys", Level.OK, said)]


async def process_keys(patient: Patient) -> list[Finding]:
    """See that every living process holds the key that seals here. A rotation has two phases."""
    await server(patient)
    first, *_ = Keyring.from_setting(patient.settings.secret_keys).ids
    async with patient.database.system() as connection:
        processes = await process_queries.LIST.many(connection)
    living = [one for one in processes if not is_silent(one, patient.clock())]
    if lacking := [one.process for one in living if first not in one.key_ids]:
        said = f"{first} seals here, and {', '.join(lacking)} does not hold it"
        todo = "Append the key to VENDORRISK_SECRET_KEYS of every process before it stands first anywhere."
        return [Finding("keys of processes", Level.FAILURE, said, todo)]
    return [Finding("keys of processes", Level.OK, f"{len(living)} processes live, and each holds {first}")]


async def _used(patient: Patient) -> tuple[dict[str, str], list[str]]:
    """Return key id → a description of the data it sealed, and the parts that could not be checked."""
    parts: dict[str, list[str]] = {}
    notes = []
    try:
        await server(patient)
        async with patient.database.system() as connection:
            for row in await queries.SEALED.many(connection):
                parts.setdefault(row.key_id, []).extend(_counted(row))
    except DatabaseAwayError:
        notes.append("the database was not looked at")
    root = disk_root(patient.settings)
    if root is None or root.exists():
        file_store = file_store_from(patient.settings, Keyring.from_setting(patient.settings.secret_keys))
        try:
            counts, is_all = await file_store.key_ids(_MOST_FILES)
        except StorageError as error:
            counts, is_all = {}, True
            notes.append(f"the files were not looked at ({error})")
        finally:
            await file_store.close()
        for key_id, count in counts.items():
            parts.setdefault(key_id, []).append(f"{count} files")
        if not is_all:
            notes.append(f"only {_MOST_FILES} files were looked at")
    return {key_id: " and ".join(words) for key_id, words in parts.items() if words}, notes


def _counted(row: queries.Sealed) -> list[str]:
    words = [f"{row.receivers} receivers"] if row.receivers else []
    return [*words, f"{row.responses} stored responses, for a day"] if row.responses else words
