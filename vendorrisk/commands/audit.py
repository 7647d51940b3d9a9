"""`vendorrisk audit verify`: every chain walked, and compared with an anchor that is kept elsewhere."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click
import msgspec

from vendorrisk.audit.model import Anchor, Head, Verified
from vendorrisk.commands.running import database_or_give_up, give_up, run
from vendorrisk.db.connection import Connection
from vendorrisk.settings import Settings

_ANCHOR_BYTES_MAX = 64 * 1024 * 1024


class _Checked(msgspec.Struct, frozen=True):
    """The output of `--json`."""

    whole: bool
    chains: list[Verified]
    gone: list[UUID]


@click.group()
def audit() -> None:
    """The audit log's chains."""


@audit.command()
@click.option("--tenant", type=click.UUID, help="Walk this tenant's chain alone. Without it, walk every tenant's.")
@click.option(
    "--anchor",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of heads seen before: compared if it exists, and rewritten if every chain is whole.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(tenant: UUID | None, anchor: Path | None, *, as_json: bool) -> None:
    """Find changed, removed, reordered and added audit entries.

    Walks each tenant's chain of hashes and names the first entry that is wrong. Then holds the rows of imports to the
    digests that the chain keeps of them. The database alone cannot detect a chain that lost its end together with its
    head, or that was computed again as a whole. An anchor can. Keep its file where those who administer the database
    cannot write. Ends with 1 where anything is wrong.
    """
    known = _read(anchor)
    with database_or_give_up() as settings:
        found = run(_verified(settings, tenant, known))
    gone = _gone(known, found, tenant)
    whole = not gone and all(one.fault is None for one in found)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(_Checked(whole, found, gone))).decode())
    else:
        _tell(found, gone)
    if not whole:
        sys.exit(1)
    if anchor is not None:
        _write(anchor, _moved_on(known, found))
        click.echo(f"the heads are kept in {anchor}", err=True)


async def _verified(settings: Settings, tenant: UUID | None, known: Anchor | None) -> list[Verified]:
    from vendorrisk.audit import service
    from vendorrisk.db.pool import Database

    heads = {head.tenant_id: head for head in known.heads} if known else {}
    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            chains = await service.chains(connection)
            if tenant is not None and tenant not in chains:
                give_up(f"there is no tenant {tenant}")
            chains = chains if tenant is None else [tenant]
            total = sum([await service.length(connection, one) for one in chains])
        found = []
        with _progress(total) as on_walked:
            for one in chains:
                async with database.system() as connection:
                    walked = await service.verify(connection, one, anchor=heads.get(one), on_walked=on_walked)
                    found.append(walked if walked.fault else await _with_rows(connection, walked))
        return found
    finally:
        await database.close()


async def _with_rows(connection: Connection, walked: Verified) -> Verified:
    """Return the fault in the rows of imports, if the chain itself is whole."""
    from vendorrisk.imports import service as imports

    astray = await imports.first_astray(connection, walked.tenant_id)
    if astray is None:
        return walked
    fault = f"entry {astray.sequence} tells of other rows than import {astray.import_id} has"
    return msgspec.structs.replace(walked, head=None, fault=fault)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on standard error while it is watched by a person."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("walking the chains"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("entries", total=total)
        yield lambda count: progress.advance(task, count)


def _tell(found: list[Verified], gone: list[UUID]) -> None:
    for one in found:
        if one.head is None:
            click.echo(f"FAULT  {one.tenant_id}  {one.fault} (the {one.entries} before hold)")
        else:
            click.echo(f"ok     {one.tenant_id}  {one.entries} entries, head {one.head.hash}")
    for tenant_id in gone:
        click.echo(f"FAULT  {tenant_id}  the whole tenant is gone: the anchor knows its chain")
    bad = len(gone) + sum(one.fault is not None for one in found)
    entries = sum(one.entries for one in found)
    click.echo(f"{bad} of {len(found) + len(gone)} chains are not whole" if bad else f"whole: {entries} entries")


def _gone(known: Anchor | None, found: list[Verified], tenant: UUID | None) -> list[UUID]:
    """Return the anchored tenants of which nothing at all is left."""
    if known is None or tenant is not None:
        return []
    there = {one.tenant_id for one in found}
    return [head.tenant_id for head in known.heads if head.tenant_id not in there]


def _moved_on(known: Anchor | None, found: list[Verified]) -> Anchor:
    from vendorrisk.clock import system_clock

    heads = {head.tenant_id: head for head in (known.heads if known else [])}
    heads |= {one.tenant_id: one.head for one in found if one.head is not None}
    return Anchor(system_clock(), sorted(heads.values(), key=_by_tenant))


def _by_tenant(head: Head) -> UUID:
    return head.tenant_id


def _read(place: Path | None) -> Anchor | None:
    if place is None or not place.exists():
        return None
    try:
        if place.stat().st_size > _ANCHOR_BYTES_MAX:
            give_up(f"{place} is too large to be an anchor")
        return msgspec.json.decode(place.read_bytes(), type=Anchor)
    except OSError as error:
        give_up(f"{place} cannot be read: {error.strerror}")
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        give_up(f"{place} is not an anchor file ({error}); give the file that an earlier run wrote, or another name")


def _write(place: Path, anchor: Anchor) -> None:
    """Replace the file whole, so that a run which is cut off leaves the old one."""
    half = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with half.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(anchor)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        half.replace(place)
    except OSError as error:
        half.unlink(missing_ok=True)
        give_up(f"every chain is whole, but {place} cannot be written: {error.strerror}")
