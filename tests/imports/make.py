"""Builders: files that are sent, what comes of them, and a kind of import that the product does not have."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from uuid import UUID

import httpx
import msgspec

from tests.client import Client
from vendorrisk.access.permissions import Permission
from vendorrisk.access.work import Work
from vendorrisk.audit.actions import Action
from vendorrisk.background import JobContext
from vendorrisk.ids import new_id
from vendorrisk.imports import jobs
from vendorrisk.imports.columns import Column, Layout, ReadRow
from vendorrisk.imports.kind import Headings, Kind
from vendorrisk.imports.model import Applied, Import, ImportState
from vendorrisk.normal_form import UnfitError, clean_line
from vendorrisk.worker import IMPORT_KINDS

CSV = {"content-type": "text/csv"}
XLSX = {"content-type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


async def sent(
    client: Client, content: bytes | str, headers: dict[str, str] = CSV, *, kind: str = "vendor", **params: Any
) -> httpx.Response:
    body = content.encode() if isinstance(content, str) else content
    return await client.post(f"/v1/{kind}-imports", body, headers=headers, params=params)


async def accepted(client: Client, made: Any, *, kind: str = "vendor", **body: Any) -> httpx.Response:
    place = f"/v1/{kind}-imports/{made['id']}"
    return await client.post(f"{place}/acceptance", body, etag=await client.etag(place))


async def rows(client: Client, made: Any, *, kind: str = "vendor", **params: Any) -> list[Any]:
    return await client.items(f"/v1/{kind}-imports/{made['id']}/rows", **params)


def counts(made: Any) -> tuple[int, int, int, int]:
    return made["to_create"], made["to_change"], made["unchanged"], made["with_problems"]


async def run_imports(context: JobContext) -> int:
    """Run the job as the worker does, for every kind of the product."""
    return await jobs.run_imports(context, IMPORT_KINDS)


ROOMS = """
    create table rooms (
        tenant_id uuid not null references tenants (id),
        id uuid not null,
        name text not null,
        seats integer not null,
        version integer not null default 1,
        primary key (tenant_id, id),
        constraint rooms_name_is_unique unique (tenant_id, name)
    );
    call guard_tenant_table('rooms', 'select, insert, update');
"""
_STAGE = """
    with found as (
        select u.id, u.row_number, u.given::jsonb as given, u.problems::jsonb as problems, r.id as record_id,
            r.version as record_version, r.name, r.seats,
            case when (u.given::jsonb ->> 'seats')::int < r.seats then array['room_shrinks'] else '{}' end as codes
        from unnest($3::uuid[], $4::int[], $5::text[], $6::text[]) as u (id, row_number, given, problems)
        left join rooms as r on r.tenant_id = $1 and r.name = u.given::jsonb ->> 'name'
    )
    insert into import_rows (
        tenant_id, id, import_id, row_number, outcome, record_id, record_version, record_key, given, before, problems,
        problem_codes
    )
    select $1, id, $2, row_number,
        case
            when problems <> '[]' or codes <> '{}' then 'problem'
            when record_id is null then 'create'
            when given ->> 'seats' = seats::text then 'unchanged'
            else 'change'
        end,
        record_id, record_version, given ->> 'name', given,
        case when record_id is not null then jsonb_build_object('name', name, 'seats', seats::text) end, problems, codes
    from found
"""
_OUTDATED = """
    select count(*) from import_rows as i
    left join rooms as r on r.tenant_id = i.tenant_id and r.name = i.record_key
    where i.tenant_id = $1 and i.import_id = $2 and (
        (i.outcome = 'create' and r.id is not null) or (i.outcome = 'change' and r.version <> i.record_version)
    )
"""
_CREATE = """
    insert into rooms (tenant_id, id, name, seats)
    select tenant_id, id, record_key, (given ->> 'seats')::int from import_rows
    where tenant_id = $1 and import_id = $2 and outcome = 'create'
"""
_CHANGE = """
    update rooms as r set seats = (i.given ->> 'seats')::int, version = r.version + 1 from import_rows as i
    where i.tenant_id = $1 and i.import_id = $2 and i.outcome = 'change' and r.tenant_id = $1 and r.id = i.record_id
"""


def _number(text: str) -> str:
    if not text.isdigit():
        raise UnfitError("Write how many people the room seats.")
    return str(int(text))


async def _stage(work: Work, import_id: UUID, rows: Sequence[ReadRow], headings: Headings) -> None:
    assert headings["name"], "the headings of the file are handed over with its rows"
    texts = [(msgspec.json.encode(row.given).decode(), msgspec.json.encode(row.problems).decode()) for row in rows]
    ids, numbers = [new_id() for _ in rows], [row.number for row in rows]
    given, problems = [text for text, _ in texts], [text for _, text in texts]
    await work.db.execute(_STAGE, work.tenant_id, import_id, ids, numbers, given, problems)


async def _outdated(work: Work, import_id: UUID) -> int:
    count: int = await work.db.fetchval(_OUTDATED, work.tenant_id, import_id)
    return count


async def _apply(work: Work, accepted: Import) -> Applied:
    done = [await work.db.execute(sql, work.tenant_id, accepted.id) for sql in (_CREATE, _CHANGE)]
    return Applied(*(int(tag.rpartition(" ")[2]) for tag in done))


ROOM = Kind(
    name="room",
    plural="rooms",
    read=Permission.MEMBERS_READ,
    write=Permission.MEMBERS_MANAGE,
    example="a,b\n1,2\n",
    layout=Layout(
        columns={"name": Column("Name", clean_line, ("room",)), "seats": Column("Seats", _number)},
        naming=frozenset({"name"}),
        named="the room's name",
    ),
    stage=_stage,
    problems={"room_shrinks": ("seats", "A room does not shrink.")},
    outdated=_outdated,
    apply=_apply,
    overtaken="Rooms were changed after the check. Send the file again.",
)
"""A kind that the product does not have: rooms, whose table each test makes."""

ActionsWithRooms = StrEnum(  # type: ignore[misc]  # the members are known when it runs
    "ActionsWithRooms",
    {action.name: action.value for action in Action}
    | {f"ROOM_IMPORT_{state.name}": f"room_import:{state}" for state in ImportState},
)
"""The closed list of audit actions as the feature of rooms would have it."""
