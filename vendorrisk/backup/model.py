"""The manifest of a backup, and the result of a restore."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from vendorrisk.audit.model import Head

FORMAT = 1
MANIFEST, DUMP, LISTING, OBJECTS, KEYS = "manifest.json", "database.dump", "files.jsonl", "files", "secret.keys"
LEFT_OUT = ("schema_migrations", "processes", "job_ticks")
"""Tables that the dump holds without their rows. A restore writes the ledger itself, after everything else is right."""


class BackupError(Exception):
    """The backup cannot be made or restored. The message says how to solve it."""


class Applied(msgspec.Struct, frozen=True):
    """One migration of the ledger."""

    number: int
    name: str
    checksum: str


class StoredObject(msgspec.Struct, frozen=True):
    """One object of the file store: sealed bytes under their name."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`tables` counts the rows of each table. `missing` names files that rows refer to and the store lacked."""

    format: int = FORMAT
    made_at: datetime
    release: str
    installation_id: UUID
    server_version: int
    migrations: list[Applied]
    tables: dict[str, int]
    heads: list[Head]
    objects: int
    object_bytes: int
    listing_sha256: str
    dump_sha256: str
    referenced: int
    missing: list[str]
    key_ids: list[str]
    holds_keys: bool = False


class Restored(msgspec.Struct, frozen=True):
    """The result of a restore that found everything equal."""

    installation_id: UUID
    rows: int
    chains: int
    objects: int
    pending: list[str]


def manifest_of(folder: Path) -> Manifest:
    """Read the manifest of a backup. Raises `BackupError` for a folder that is none."""
    place = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(place.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BackupError(f"{folder} holds no {MANIFEST}: it is no backup, or one that was broken off") from None
    except OSError as error:
        raise BackupError(f"{place} cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupError(f"{place} is no manifest of this release ({error})") from None
    if manifest.format != FORMAT:
        raise BackupError(f"{place} has format {manifest.format}, and this release reads {FORMAT}")
    return manifest
