"""The machine knows no feature: rooms, a kind that only these tests have, come in as vendors do.

Rooms have a table, columns, permissions and words of their own. The machine gets the kind and nothing else.
"""

from typing import Any

import pytest
from litestar import Litestar

from tests.client import Client
from tests.conftest import Company, FakeClock, client_of, found_company
from tests.imports.make import ROOM, ROOMS, ActionsWithRooms, accepted, counts, rows, run_imports, sent
from vendorrisk import app
from vendorrisk.access.permissions import Permission
from vendorrisk.background import JobContext
from vendorrisk.imports import jobs, kind, service
from vendorrisk.imports.model import ImportState, ToldRows
from vendorrisk.imports.routes import router_of
from vendorrisk.settings import Settings
from vendorrisk.worker import IMPORT_KINDS

pytestmark = pytest.mark.anyio

SHEET = "Room;Seats\nAttic;4\nCellar;30\n"


@pytest.fixture
async def house(settings: Settings, clock: FakeClock, owner: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The product with rooms: their table, their kind among the routers, their audit actions in the closed list."""
    await owner.execute(ROOMS)
    monkeypatch.setattr(kind, "Action", ActionsWithRooms)
    monkeypatch.setattr(app, "ROUTERS", (*app.ROUTERS, router_of(ROOM)))
    litestar: Litestar = app.routed.__wrapped__()
    monkeypatch.setattr(app, "routed", lambda: litestar)
    made = app.create_app(settings, clock=clock)
    async with made.running():
        yield made


@pytest.fixture
async def company(house: Any, clock: FakeClock) -> Company:
    return await found_company(house, clock, "Acme")


@pytest.fixture
def client(company: Company) -> Client:
    return company.client


async def rooms(owner: Any) -> list[tuple[str, int, int]]:
    found = await owner.fetch("select name, seats, version from rooms order by name")
    return [(room["name"], room["seats"], room["version"]) for room in found]


async def test_rows_of_another_kind_are_checked_and_applied_by_its_own_statements(client: Client, owner: Any) -> None:
    made = (await sent(client, SHEET, kind="room", file_name="rooms.csv")).json()
    assert (made["state"], counts(made), made["headings"]) == (
        "checked",
        (2, 0, 0, 0),
        {"name": "Room", "seats": "Seats"},
    )
    assert await rooms(owner) == []
    assert (await accepted(client, made, kind="room")).json()["state"] == "applied"
    assert await rooms(owner) == [("Attic", 4, 1), ("Cellar", 30, 1)]
    ids = [str(room["id"]) for room in await owner.fetch("select id from rooms order by name")]
    assert [row["record_id"] for row in await rows(client, made, kind="room")] == ids
    again = (await sent(client, SHEET.replace("30", "40"), kind="room", dry_run=False)).json()
    assert (again["state"], counts(again)) == ("applied", (0, 1, 1, 0))
    assert await rooms(owner) == [("Attic", 4, 1), ("Cellar", 40, 2)]
    assert await client.items("/v1/vendors") == []


async def test_problems_and_what_a_file_lacks_are_told_in_the_words_of_the_kind(client: Client, owner: Any) -> None:
    await sent(client, SHEET, kind="room", dry_run=False)
    made = (await sent(client, "Room;Seats\nAttic;3\nCellar;many\n", kind="room")).json()
    told = [
        (p["row"], p["column"], p["code"], p["detail"])
        for r in await rows(client, made, kind="room")
        for p in r["problems"]
    ]
    assert told == [
        (2, "Seats", "room_shrinks", "A room does not shrink."),
        (3, "Seats", "seats_invalid", "Write how many people the room seats."),
    ]
    refused = await accepted(client, made, kind="room")
    assert (refused.status_code, refused.json()["code"]) == (409, "import_has_problems")
    unnamed = (await sent(client, "Colour\nred\n", kind="room")).json()
    assert (unnamed["code"], "No column gives the room's name" in unnamed["detail"]) == ("import_unreadable", True)
    mapped = (await sent(client, SHEET, kind="room", map=["nonsense"])).json()
    assert mapped["detail"] == "Write map=heading:field with a field of: name, seats, ignore."
    assert await rooms(owner) == [("Attic", 4, 1), ("Cellar", 30, 1)]


async def test_a_record_that_changed_after_the_check_stops_the_import_of_its_kind(client: Client, owner: Any) -> None:
    await sent(client, SHEET, kind="room", dry_run=False)
    made = (await sent(client, "Room;Seats\nAttic;9\nHall;90\n", kind="room")).json()
    await owner.execute("update rooms set version = 2 where name = 'Attic'")
    refused = await accepted(client, made, kind="room")
    assert (refused.status_code, refused.json()["code"]) == (409, "import_outdated")
    assert refused.json()["detail"] == "Rooms were changed after the check. Send the file again."
    assert await rooms(owner) == [("Attic", 4, 2), ("Cellar", 30, 1)]


async def test_an_import_of_one_kind_is_absent_among_those_of_another(client: Client, owner: Any) -> None:
    room = (await sent(client, SHEET, kind="room")).json()
    vendor = (await sent(client, "Name\nAcme\n")).json()
    for made, other in ((room, "vendor"), (vendor, "room")):
        place = f"/v1/{other}-imports/{made['id']}"
        assert (await client.get(place)).status_code == 404
        assert (await client.get(f"{place}/rows")).status_code == 404
        assert (await client.post(f"{place}/acceptance", {}, etag='"2"')).status_code == 404
        assert (await client.delete(place, etag='"2"')).status_code == 404
    assert [made["id"] for made in await client.items("/v1/room-imports")] == [room["id"]]
    assert [made["id"] for made in await client.items("/v1/vendor-imports")] == [vendor["id"]]
    assert await rooms(owner) == []
    assert await client.items("/v1/vendors") == []


async def test_a_kind_is_read_and_written_by_its_own_permissions(house: Any, company: Company, owner: Any) -> None:
    made = (await sent(company.client, SHEET, kind="room")).json()
    scoped = {
        name: client_of(house, (await company.client.post("/v1/api-keys", body)).json()["secret"])
        for name, body in {
            "vendors": {"name": "v", "roles": ["admin"], "scopes": ["vendors:read", "vendors:write"]},
            "rooms": {"name": "r", "roles": ["admin"], "scopes": ["members:read", "members:manage"]},
        }.items()
    }
    assert (await sent(scoped["vendors"], SHEET, kind="room")).status_code == 403
    assert (await scoped["vendors"].get(f"/v1/room-imports/{made['id']}")).status_code == 403
    assert (await sent(scoped["rooms"], "Name\nAcme\n")).status_code == 403
    assert (await accepted(scoped["rooms"], made, kind="room")).json()["state"] == "applied"
    assert len(await rooms(owner)) == 2


async def test_another_tenant_sees_nothing_of_an_import_of_a_kind(
    house: Any, company: Company, clock: FakeClock, owner: Any
) -> None:
    made = (await sent(company.client, SHEET, kind="room")).json()
    stranger = (await found_company(house, clock, "Globex")).client
    assert (await stranger.get(f"/v1/room-imports/{made['id']}")).status_code == 404
    assert (await stranger.post(f"/v1/room-imports/{made['id']}/acceptance", {}, etag='"2"')).status_code == 404
    assert await stranger.items("/v1/room-imports") == []
    assert await rooms(owner) == []


async def test_a_worker_leaves_the_kinds_that_it_does_not_know_to_one_that_does(
    client: Client, context: JobContext, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "SMALL_BYTES", 0)
    monkeypatch.setattr(service, "SMALL_ROWS", 0)
    place = (await sent(client, SHEET, kind="room", dry_run=False)).headers["location"]
    assert await run_imports(context) == 0, "the product's worker knows no rooms"
    assert (await client.get(place)).json()["state"] == "received"
    assert await jobs.run_imports(context, [*IMPORT_KINDS, ROOM]) == 1
    assert (await client.get(place)).json()["state"] == "applied"
    assert len(await rooms(owner)) == 2
    entries = (await client.items("/v1/audit-entries", filter="target_kind:eq:room_import"))[:3]
    assert [(e["action"], e["actor_label"]) for e in entries[:2]] == [
        ("room_import:applied", "run_imports"),
        ("room_import:checked", "run_imports"),
    ]


async def first_astray(context: JobContext, company: Company) -> ToldRows | None:
    async with context.database.system() as connection:
        return await service.first_astray(connection, company.tenant.id)


async def test_the_rows_of_every_kind_are_held_to_the_digest_in_the_audit_log(
    client: Client, company: Company, context: JobContext, owner: Any
) -> None:
    vendors = (await sent(client, "Name\nAcme\n", dry_run=False)).json()
    made = (await sent(client, SHEET, kind="room", dry_run=False)).json()
    assert await first_astray(context, company) is None
    await owner.execute("alter table import_rows no force row level security")
    await owner.execute("""update import_rows set given = given || '{"seats": "5"}' where record_key = 'Attic'""")
    astray = await first_astray(context, company)
    assert astray is not None
    assert (str(astray.import_id), astray.rows_digest) == (made["id"], made["rows_digest"])
    assert made["id"] != vendors["id"]


async def test_the_document_names_the_operations_and_the_group_of_a_kind(house: Any) -> None:
    document = house.litestar.state.document
    found = {
        (method, path): (operation["operationId"], operation["tags"])
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if "/room-imports" in path
    }
    group = ["Room imports"]
    assert found == {
        ("post", "/v1/room-imports"): ("import_rooms", group),
        ("get", "/v1/room-imports"): ("list_room_imports", group),
        ("get", "/v1/room-imports/{import_id}"): ("get_room_import", group),
        ("delete", "/v1/room-imports/{import_id}"): ("cancel_room_import", group),
        ("get", "/v1/room-imports/{import_id}/rows"): ("list_room_import_rows", group),
        ("post", "/v1/room-imports/{import_id}/acceptance"): ("accept_room_import", group),
    }


def test_what_is_received_is_also_checked_and_every_state_of_every_kind_has_its_audit_action() -> None:
    assert app.IMPORT_KINDS == IMPORT_KINDS
    assert len({one.name for one in IMPORT_KINDS}) == len(IMPORT_KINDS) > 0
    for one in IMPORT_KINDS:
        assert {one.action(state).value for state in ImportState} == {f"{one.record}:{state}" for state in ImportState}
        assert {one.read, one.write} <= set(Permission)
        assert {field for field, _ in one.problems.values()} <= set(one.layout.columns)
        assert one.layout.naming <= set(one.layout.columns)
    with pytest.raises(ValueError, match="room_import:applied"):
        ROOM.action(ImportState.APPLIED)
