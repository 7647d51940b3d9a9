"""Imports: stored records and responses."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from vendorrisk.access.records import Body
from vendorrisk.imports.cells import DateOrder
from vendorrisk.imports.columns import ImportCellProblem
from vendorrisk.sheets.reading import FileFormat


class ImportState(StrEnum):
    """received → checked → accepted → applied.

    Rejected if the file cannot be read, cancelled if a person cancels it.
    """

    RECEIVED = "received"
    CHECKED = "checked"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class ImportRowOutcome(StrEnum):
    """The outcome of applying a row. `conflict`: the record changed since the file was exported, and is left as it is.

    `skipped`: the row is no record, or not one that was asked for. `problem`: the row cannot be applied.
    """

    CREATE = "create"
    CHANGE = "change"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"
    SKIPPED = "skipped"
    PROBLEM = "problem"


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """An import, which is also the operation one waits for: `rows_done` of `rows_total` tell how far it is.

    `to_create`, `to_change` and `unchanged` count the rows as found by the check. Once applied, they count the rows as
    done.
    """

    id: UUID
    state: ImportState
    is_dry_run: bool
    """Whether it waits to be accepted after the check."""
    is_partial: bool
    """Whether rows without problems are applied although others have some."""
    format: FileFormat
    """The format of the file."""
    file_name: str | None
    file_digest: str
    """SHA-256 of the file in hexadecimal."""
    file_bytes: int
    """Size of the file in bytes."""
    mapping: dict[str, str]
    """Field by heading."""
    date_order: DateOrder | None
    """How dates are read. Null if the file has none in doubt."""
    notices: list[str]
    """Sentences about the file as a whole. Empty if there are none."""
    headings: dict[str, str]
    """Suggested fields by heading that no field is known for."""
    rejection_reason: str | None
    """Why the file cannot be read. Null if it can."""
    rows_total: int | None
    """How many rows the file has. Null until read."""
    rows_done: int
    """How many rows are checked, or applied once accepted."""
    to_create: int
    """How many rows register a vendor."""
    to_change: int
    """How many rows change a vendor."""
    unchanged: int
    """How many rows change nothing."""
    with_problems: int
    """How many rows have a problem."""
    rows_digest: str | None
    """Digest over all rows as they are to be applied, in hexadecimal. Null until checked."""
    requested_by_id: UUID
    requested_by_label: str
    requested_by_kind: str
    checked_at: datetime | None
    """When the check was complete. Null before."""
    applied_at: datetime | None
    """When the rows were applied. Null before."""
    created_at: datetime
    updated_at: datetime
    version: int


class StoredRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row as it is stored. `problem_codes` are of problems that the database knows."""

    id: UUID
    row_number: int
    outcome: ImportRowOutcome
    record_id: UUID | None
    given: dict[str, Any]
    before: dict[str, Any] | None
    problems: list[ImportCellProblem]
    problem_codes: list[str]


class ImportRow(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a row of the file, or why it has none. `before` holds the record's own values of the given fields.

    `record_id` is the record that the row changes, leaves as it is, or has created.
    """

    id: UUID
    row_number: int
    outcome: ImportRowOutcome
    record_id: UUID | None
    """The record that the row changes or made. Null if none."""
    given: dict[str, Any]
    """Values of the row by field."""
    before: dict[str, Any] | None
    """The vendor's values of the same fields. Null for a new vendor."""
    problems: list[ImportCellProblem]
    """The problems of its cells. Empty if there are none."""


class ToldRows(msgspec.Struct, frozen=True):
    """The part of an audit entry about the rows of an applied import. The digest is hexadecimal."""

    sequence: int
    import_id: UUID
    rows_digest: str | None


class Counts(msgspec.Struct, frozen=True):
    """How many rows there are of each outcome, and a digest over all of them in order."""

    total: int
    to_create: int
    to_change: int
    unchanged: int
    with_problems: int
    rows_digest: bytes


class Applied(msgspec.Struct, frozen=True):
    """How many records the rows of an import created and changed."""

    created: int
    changed: int


class NewImport(msgspec.Struct, frozen=True, kw_only=True):
    """A file that has come in, and how it is to be read."""

    is_dry_run: bool
    is_partial: bool
    format: FileFormat
    file_name: str | None
    file_digest: bytes
    mapping: dict[str, str]
    date_order: DateOrder | None


class Claimed(msgspec.Struct, frozen=True):
    """An import that a worker has taken. `tries` counts this one."""

    kind: str
    id: UUID
    tries: int


class ImportAcceptance(Body):
    """Apply the checked rows. `partial` leaves out the rows that have problems. Without it they stop the import."""

    partial: bool = False
    """Whether to leave out rows that have problems. Otherwise they stop the import."""
