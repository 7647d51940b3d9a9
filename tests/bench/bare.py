"""What the product is held against over HTTP: the same statements in the barest application, on the same server.

    python -m tests.bench.bare asgi|litestar

Both run on granian in one process on uvloop with a pool of four connections, as the API does, and answer with the
same Structs. They know no callers, no tenants beyond the predicate, no limits, no log: what that costs is the ratio.
"""

import asyncio
import os
import re
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import asyncpg
import msgspec
import uvloop
from granian.constants import Interfaces
from granian.server.embed import Server
from litestar import Litestar, Request, get, post

from vendorrisk.ids import new_id
from vendorrisk.vendors import queries
from vendorrisk.vendors.model import NewVendor, Vendor, VendorMatch, VendorMatches, VendorSummary

TENANT = UUID(os.environ.get("BENCH_TENANT", "00000000-0000-0000-0000-000000000000"))
_LIST = queries.LIST.sql
PAGES = {
    "first": _LIST.replace("/*where*/", "").replace("/*order*/", "order by name, id limit 51"),
    "tier": _LIST.replace("/*where*/", "and tier = $2::text").replace("/*order*/", "order by name, id limit 51"),
    "deep": _LIST.replace("/*where*/", "and tier = $2::text and (name, id) > ($3::text, $4::uuid)").replace(
        "/*order*/", "order by name, id limit 51"
    ),
}
"""The statements that the product makes for its pages, written out."""

FIND, SEARCH, INSERT = queries._FIND.sql, queries._SEARCH.sql, queries._INSERT.sql
AUDIT = "select append_audit($1, 'api_key', $2, $3, $4, $5, $6)"


class Rows(msgspec.Struct):
    items: list[VendorSummary]


async def jsonb(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + msgspec.json.encode(value),
        decoder=lambda raw: msgspec.json.decode(raw[1:]),
        format="binary",
    )


async def _as_is(_connection: Any) -> None:
    pass


class Records:
    """The four statements, on a pool whose connections are given back as they are."""

    def __init__(self) -> None:
        self.pool: Any = None

    async def open(self) -> None:
        self.pool = await asyncpg.create_pool(
            os.environ["BENCH_DATABASE_URL"],
            min_size=4,
            max_size=4,
            init=jsonb,
            reset=_as_is,
            server_settings={"jit": "off"},
        )

    async def one(self, vendor_id: UUID) -> Vendor:
        async with self.pool.acquire() as connection:
            found: Vendor = _shaped(await connection.fetchrow(FIND, TENANT, vendor_id), Vendor)
            return found

    async def page(self, query: dict[str, str]) -> Rows:
        name = "deep" if "id" in query else "tier" if "tier" in query else "first"
        arguments: list[object] = [query["tier"]] if name != "first" else []
        arguments += [query["name"], UUID(query["id"])] if name == "deep" else []
        async with self.pool.acquire() as connection:
            records = await connection.fetch(PAGES[name], TENANT, *arguments)
        return Rows([_shaped(record, VendorSummary) for record in records[:50]])

    async def search(self, text: str) -> VendorMatches:
        async with self.pool.acquire() as connection:
            records = await connection.fetch(SEARCH, TENANT, text, 20, 0.3)
        return VendorMatches([_shaped(record, VendorMatch) for record in records])

    async def create(self, new: NewVendor) -> Vendor:
        now = datetime.now(UTC)
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(f"set local vendorrisk.tenant_id = '{TENANT}'")
            made: Vendor = _shaped(await connection.fetchrow(INSERT, *inserted(new, now)), Vendor)
            content = msgspec.json.encode({"after": made}).decode()
            await connection.fetchval(
                AUDIT, now, TENANT, ["vendor:registered"], ["vendor"], [made.id], [content]
            )  # fmt: skip
        return made


def inserted(new: NewVendor, now: datetime) -> tuple[object, ...]:
    spend = None if new.annual_spend is None else Decimal(new.annual_spend)
    return (
        TENANT, new_id(), new.reference, new.name, new.name.lower(), new.aliases, new.description, new.lifecycle,
        "open", None, None, None, new.contacts, new.domains, new.country, new.data_countries, new.data_classes, None,
        None, None, None, spend, new.currency, new.tags, new.tier, None, None, None, now, new.metadata,
    )  # fmt: skip


def _shaped(record: Any, kind: Any) -> Any:
    return msgspec.convert(record, kind, from_attributes=True)


RECORDS = Records()
_ONE = re.compile(r"/one/([0-9a-f-]{36})")


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    body = msgspec.json.encode(await _respond(scope, receive))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _lifespan(receive: Any, send: Any) -> None:
    await receive()
    await RECORDS.open()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def _respond(scope: Any, receive: Any) -> Any:
    if match := _ONE.fullmatch(scope["path"]):
        return await RECORDS.one(UUID(match[1]))
    query = dict(parse_qsl(scope["query_string"].decode()))
    match scope["path"]:
        case "/page":
            return await RECORDS.page(query)
        case "/search":
            return await RECORDS.search(query["q"])
        case "/create":
            body = b""
            while (message := await receive()).get("more_body"):
                body += message["body"]
            return await RECORDS.create(msgspec.json.decode(body + message["body"], type=NewVendor))
    return {"hello": "world"}


@get("/one/{vendor_id:uuid}")
async def one(vendor_id: UUID) -> Vendor:
    return await RECORDS.one(vendor_id)


@get("/page")
async def page(request: Request[Any, Any, Any]) -> Rows:
    return await RECORDS.page(dict(request.query_params))


@get("/search")
async def search(q: str) -> VendorMatches:
    return await RECORDS.search(q)


@post("/create")
async def create(data: NewVendor) -> Vendor:
    return await RECORDS.create(data)


async def _serve(application: Any) -> None:
    server = Server(
        application, address="127.0.0.1", port=int(os.environ["PORT"]), interface=Interfaces.ASGI, log_enabled=False,
        websockets=False,
    )  # fmt: skip
    await server.serve()


def main() -> None:
    made: Any = asgi
    if sys.argv[1] == "litestar":
        made = Litestar([one, page, search, create], on_startup=[RECORDS.open], openapi_config=None)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(made))


if __name__ == "__main__":
    main()
