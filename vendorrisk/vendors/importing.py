"""A spreadsheet becomes vendors: received, checked row by row, and applied whole or not at all.

What is small is done in the request. What is large waits in its row for the job, which stages it in chunks, each in
its own transaction, and applies it in one. A worker that dies leaves a lease that runs out; the next one begins anew,
and nothing was applied.
"""

import asyncio
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from uuid import UUID

import msgspec

from vendorrisk.access.records import check_version, found
from vendorrisk.access.work import Work
from vendorrisk.audit import service as audit
from vendorrisk.audit.actions import Action
from vendorrisk.audit.model import Target
from vendorrisk.db.connection import Connection
from vendorrisk.db.paging import Page, PageRequest
from vendorrisk.errors import Code, Refusal
from vendorrisk.sandbox.running import Limits as SandboxLimits
from vendorrisk.sandbox.running import Reason, Sandbox, SandboxError
from vendorrisk.vendors import import_queries as queries
from vendorrisk.vendors import review_policy
from vendorrisk.vendors.identifiers import UnfitError, clean_line
from vendorrisk.vendors.import_columns import (
    COLUMNS,
    CellProblem,
    DateOrder,
    MappingError,
    Matched,
    ReadRow,
    match_headings,
    read_rows,
)
from vendorrisk.vendors.import_model import (
    Acceptance,
    FileFormat,
    Import,
    ImportState,
    NewImport,
    RowOutcome,
    RowShown,
    StoredRow,
    ToldRows,
)
from vendorrisk.vendors.spreadsheet import Limits, Table, UnreadableError, is_workbook, read_csv, workbook_table

CHUNK = 5_000
SMALL_BYTES = 256 * 1024
SMALL_ROWS = 2_000
LIMITS = Limits()

_SANDBOX = Sandbox()
_QUICK = SandboxLimits(cpu_seconds=5, wall_seconds=10, memory_bytes=1 << 30, answer_bytes=16 << 20)
THOROUGH = SandboxLimits(cpu_seconds=60, wall_seconds=90, memory_bytes=2 << 30, answer_bytes=256 << 20)

_OWNERS = ("business_owner", "security_owner")
_CONFLICTS: Mapping[str, tuple[str, str]] = {
    "id_unknown": ("id", "There is no vendor with this id; leave it blank to find the vendor by name."),
    "name_missing": ("name", "Nothing has this reference yet; give a name to make a vendor of it."),
    "name_taken": ("name", "Another vendor has this name."),
    "reference_taken": ("reference", "Another vendor has this reference."),
    "lifecycle_moves": ("lifecycle", "The vendor is in another state; move it by its own action, not by import."),
    "lifecycle_not_taken": ("lifecycle", "Import it as active, suspended, onboarding or prospect; offboard it here."),
    "tier_is_computed": ("tier", "The vendor's tier follows from its inherent-risk answers; change those."),
    "domain_taken": ("domains", "One of these domains belongs to another vendor."),
    "lei_taken": ("lei", "Another vendor has this LEI."),
    "review_ahead": ("last_reviewed_on", "A review is recorded once it was held; this day is still to come."),
}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How an upload is to be treated."""

    dry_run: bool = True
    partial: bool = False
    mapping: Mapping[str, str] = msgspec.field(default_factory=dict)
    date_order: DateOrder | None = None
    file_name: str | None = None


async def receive(work: Work, content: bytes, options: Options) -> Import:
    """Take a file in. A small one is checked at once, and applied at once unless it is a dry run."""
    try:
        kind = FileFormat.XLSX if is_workbook(content) else FileFormat.CSV
    except UnreadableError as error:
        raise Refusal(Code.IMPORT_UNREADABLE, str(error)) from None
    new = NewImport(
        is_dry_run=options.dry_run,
        is_partial=options.partial,
        format=kind,
        file_name=options.file_name,
        file_digest=hashlib.sha256(content).digest(),
        mapping=dict(options.mapping),
        date_order=options.date_order,
    )
    made = await queries.insert(work, new, content)
    action = Action.IMPORT_RECEIVED
    if len(content) <= SMALL_BYTES:
        made = await _check_now(work, made, content)
        if made.state is ImportState.ACCEPTED and made.to_create + made.to_change <= SMALL_ROWS:
            made, action = await applied(work, made), Action.IMPORT_APPLIED
    if made.state in {ImportState.RECEIVED, ImportState.ACCEPTED}:
        work.nudge("run_imports")
    await audit.record(work, action, Target("vendor_import", made.id), after=made)
    return made


async def _check_now(work: Work, made: Import, content: bytes) -> Import:
    try:
        table = await table_of(made.format, content, _QUICK)
        matched = match_headings(table.headings, made.mapping)
    except (UnreadableError, MappingError) as error:
        raise Refusal(Code.IMPORT_UNREADABLE, str(error)) from None
    for chunk in chunks(read_rows(table, matched, made.date_order)):
        await stage(work, made.id, chunk, matched)
    return await checked(work, made, table, matched)


async def table_of(kind: FileFormat, content: bytes, limits: SandboxLimits) -> Table:
    """Read the file; a workbook in a child process, which may be lost to it."""
    if kind is FileFormat.CSV:
        return await asyncio.to_thread(read_csv, content, LIMITS)
    try:
        read = await _SANDBOX.run(workbook_table, content, limits)
    except SandboxError as error:
        if error.reason is Reason.BUSY:
            raise Refusal(Code.OVERLOADED, "Too many workbooks are being read.", retry_after_seconds=10) from None
        raise UnreadableError("The workbook is damaged or too large to be read. Send it as CSV.") from None
    if read.table is None:
        raise UnreadableError(read.refusal or "")
    return read.table


def chunks(rows: Iterator[ReadRow]) -> Iterator[list[ReadRow]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


async def stage(work: Work, import_id: UUID, rows: list[ReadRow], matched: Matched) -> None:
    """Store a chunk of rows beside what each would do."""
    await _name_owners(work, rows, headings_of(matched))
    await queries.stage(work, import_id, rows)


async def _name_owners(work: Work, rows: Sequence[ReadRow], headings: Mapping[str, str]) -> None:
    """Put members in the place of their addresses; an address nobody has is a problem of its cell."""
    emails = {str(row.given[field]).lower() for row in rows for field in _OWNERS if field in row.given}
    if not emails:
        return
    known = await queries.members_by_email(work, sorted(emails))
    for row in rows:
        for field in _OWNERS:
            if (email := row.given.pop(field, None)) is None:
                continue
            if member_id := known.get(str(email).lower()):
                row.given[f"{field}_id"] = str(member_id)
            else:
                detail = f"No member has the address {email}; add them first, or leave this blank."
                row.problems.append(CellProblem(row.number, f"{field}_unknown", detail, headings.get(field), field))


def headings_of(matched: Matched) -> dict[str, str]:
    """Return field → heading of the file."""
    return {field: heading for _, heading, field in matched.columns}


async def checked(work: Work, made: Import, table: Table, matched: Matched) -> Import:
    """Close the check. What was not asked for as a dry run is accepted, if nothing stands in its way."""
    notices = [*table.notices, *matched.notices]
    closed = await queries.finish_check(work, made.id, ImportState.CHECKED, notices, headings_of(matched))
    if made.is_dry_run or (closed.with_problems and not made.is_partial):
        return closed
    return await queries.set_state(work, made.id, ImportState.ACCEPTED, is_partial=made.is_partial)


async def applied(work: Work, accepted: Import) -> Import:
    """Create and change the vendors. Refuses where any of them was changed since the check."""
    if await queries.outdated(work, accepted.id):
        raise Refusal(Code.IMPORT_OUTDATED, "Vendors were changed after the check. Send the file again.")
    note = f"Taken over by import {accepted.id}" + (f" of {accepted.file_name}" if accepted.file_name else "") + "."
    created, changed = await queries.apply(work, accepted.id, note, await review_policy.in_force(work))
    if (created, changed) != (accepted.to_create, accepted.to_change):
        raise Refusal(Code.IMPORT_OUTDATED, "Vendors were changed after the check. Send the file again.")
    return await queries.set_state(work, accepted.id, ImportState.APPLIED, is_partial=accepted.is_partial)


async def accept(work: Work, import_id: UUID, acceptance: Acceptance, expected: int) -> Import:
    """Apply what was checked: at once where it is small, else by the job."""
    before = found(await queries.lock(work, import_id))
    check_version(before, expected)
    if before.state is not ImportState.CHECKED:
        detail = f"Only an import that is checked can be accepted; this one is {before.state}."
        raise Refusal(Code.IMPORT_NOT_READY, detail)
    if before.with_problems and not acceptance.partial:
        which = "1 row has" if before.with_problems == 1 else f"{before.with_problems} rows have"
        detail = f'{which} problems. Correct the file, or accept with the body {{"partial": true}} to leave them out.'
        raise Refusal(Code.IMPORT_HAS_PROBLEMS, detail)
    after = await queries.set_state(work, import_id, ImportState.ACCEPTED, is_partial=acceptance.partial)
    action = Action.IMPORT_ACCEPTED
    if after.to_create + after.to_change <= SMALL_ROWS:
        after, action = await applied(work, after), Action.IMPORT_APPLIED
    else:
        work.nudge("run_imports")
    await audit.record(work, action, Target("vendor_import", import_id), before=before, after=after)
    return after


async def cancel(work: Work, import_id: UUID, expected: int) -> None:
    """Call an import off, and forget its rows. One that was applied stands."""
    before = found(await queries.lock(work, import_id))
    check_version(before, expected)
    if before.state not in {ImportState.RECEIVED, ImportState.CHECKED, ImportState.ACCEPTED}:
        raise Refusal(Code.IMPORT_NOT_READY, f"The import is {before.state}; there is nothing to call off.")
    await queries.drop(work, import_id)
    after = await queries.set_state(work, import_id, ImportState.CANCELLED, is_partial=before.is_partial)
    target = Target("vendor_import", import_id)
    await audit.record(work, Action.IMPORT_CANCELLED, target, before=before, after=after)


async def first_astray(connection: Connection, tenant_id: UUID) -> ToldRows | None:
    """Return the first import whose rows are not those that the audit log tells of, on a connection across tenants."""
    for told in await queries.applied(connection, tenant_id):
        counted = await queries.counts(connection, tenant_id, told.import_id)
        if counted.rows_digest.hex() != told.rows_digest:
            return told
    return None


async def one(work: Work, import_id: UUID) -> Import:
    return found(await queries.find(work, import_id))


async def many(work: Work, page: PageRequest) -> Page[Import]:
    return await work.page(queries.LIST, page)


async def rows(work: Work, import_id: UUID, page: PageRequest) -> Page[RowShown]:
    whole = await one(work, import_id)
    stored = await work.page(queries.LIST_ROWS, page, import_id)
    items = [shown(row, whole) for row in stored.items]
    return Page(items=items, next=stored.next, prev=stored.prev, total=stored.total)


def shown(row: StoredRow, whole: Import) -> RowShown:
    """Give words to what stands in a row's way, and name the vendor that the row has made."""
    made = whole.state is ImportState.APPLIED and row.outcome is RowOutcome.CREATE
    # A cell that could not be read is not missing besides. The id is not among what is given, and never sought unread.
    unread = {problem.field for problem in row.problems} - {*row.given, "id"}
    conflicts = [
        CellProblem(row.row_number, code, detail, whole.headings.get(field), field)
        for code, (field, detail) in ((code, _CONFLICTS[code]) for code in dict.fromkeys(row.conflicts))
        if field not in unread
    ]
    return RowShown(
        id=row.id,
        row_number=row.row_number,
        outcome=row.outcome,
        vendor_id=row.id if made else row.vendor_id,
        given=row.given,
        before=row.before,
        problems=[*row.problems, *conflicts],
    )


def mapping_of(texts: Sequence[str]) -> dict[str, str]:
    """Read `heading:field` texts; a heading may hold colons, a field does not."""
    mapping = {}
    for text in texts:
        heading, mark, field = text.rpartition(":")
        if not mark or not heading:
            detail = f"Write map=heading:field with a field of: {', '.join(COLUMNS)}, ignore."
            raise Refusal(Code.PARAMETER_INVALID, detail, parameter="map")
        mapping[heading] = field
    return mapping


def file_name_of(text: str | None) -> str | None:
    """Return the last part of a file's name, for the record only; nothing is ever opened by it."""
    if text is None:
        return None
    try:
        return clean_line(re.split(r"[/\\]", text)[-1], 255)
    except UnfitError as error:
        raise Refusal(Code.PARAMETER_INVALID, str(error), parameter="file_name") from None
