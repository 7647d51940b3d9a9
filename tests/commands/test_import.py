"""`vendorrisk import`: a dry run first, every problem by row and column, all or nothing, and the same file twice."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.commands.make import Ran, command
from tests.conftest import Company
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio

GOOD = "Vendor name;Website;Tier\nAcme;acme.example;High\nGlobex;globex.example;low\n"
BAD = "Vendor name;Website;Tier\nAcme;acme.example;High\nGlobex;not a domain;urgent\n;x.example;low\n"


async def imported(settings: Settings, tmp_path: Path, text: str, *arguments: str, name: str = "list.csv") -> Ran:
    place = tmp_path / name
    await asyncio.to_thread(place.write_bytes, text.encode())
    return await command("import", str(place), *arguments, settings=settings)


async def names(company: Company) -> list[str]:
    return sorted(vendor["name"] for vendor in await company.client.items("/v1/vendors", limit=200))


async def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    settings: Settings, company: Company, tmp_path: Path
) -> None:
    ran = await imported(settings, tmp_path, GOOD)
    assert (ran.code, ran.err) == (0, ""), ran
    assert "2 rows: 2 to create, 0 to change, 0 unchanged, 0 with problems" in ran.out
    assert "Add --apply" in ran.out
    assert await names(company) == []


async def test_applied_it_makes_the_vendors_once_with_an_audit_entry_that_names_the_shell(
    settings: Settings, company: Company, tmp_path: Path
) -> None:
    ran = await imported(settings, tmp_path, GOOD, "--apply", "--tenant", str(company.tenant.id))
    assert (ran.code, ran.err) == (0, ""), ran
    assert "2 created, 0 changed" in ran.out
    assert await names(company) == ["Acme", "Globex"]
    entries = await company.client.items("/v1/audit-entries", filter="action:eq:vendor_import:applied")
    assert [(e["actor_kind"], e["actor_label"]) for e in entries] == [("system", "vendorrisk import")]
    again = await imported(settings, tmp_path, GOOD, "--apply")
    assert again.code == 0
    assert "0 created, 0 changed, 2 unchanged" in again.out
    assert await names(company) == ["Acme", "Globex"]


async def test_problems_are_shown_by_row_and_column_and_nothing_is_half_imported(
    settings: Settings, company: Company, tmp_path: Path
) -> None:
    for arguments in ((), ("--apply",)):
        ran = await imported(settings, tmp_path, BAD, *arguments)
        assert ran.code == 1
        assert "3 rows: 1 to create, 0 to change, 0 unchanged, 2 with problems" in ran.out
        lines = [line.split("│") for line in ran.out.splitlines() if line.startswith("│")]
        assert {(cells[1].strip(), cells[2].strip()) for cells in lines} >= {("3", "Website"), ("3", "Tier")}
        assert "4" in {cells[1].strip() for cells in lines}
        assert await names(company) == []
    partial = await imported(settings, tmp_path, BAD, "--apply", "--partial")
    assert partial.code == 0, partial
    assert await names(company) == ["Acme"]


async def test_hostile_cells_are_shown_as_text(settings: Settings, company: Company, tmp_path: Path) -> None:
    del company
    hostile = "Vendor name;Tier\nAcme;[bold]\x1b[31mx[/bold]\n"
    ran = await imported(settings, tmp_path, hostile)
    assert ran.code == 1
    assert "\x1b" not in ran.out
    assert "Traceback" not in ran.err


async def test_a_file_too_large_for_a_request_is_done_here_without_a_worker(
    settings: Settings, company: Company, tmp_path: Path, owner: Any
) -> None:
    rows = "".join(f"Vendor {n};v{n}.example;low\n" for n in range(12_000))
    ran = await imported(settings, tmp_path, "Vendor name;Website;Tier\n" + rows, "--apply")
    assert (ran.code, ran.err) == (0, ""), ran
    assert "12000 rows: 12000 created" in ran.out
    assert await owner.fetchval("select count(*) from vendors") == 12_000
    del company


async def test_columns_can_be_mapped_and_dates_said(settings: Settings, company: Company, tmp_path: Path) -> None:
    text = "Firma;Wann\nAcme;03/04/2026\n"
    arguments = ("--map", "Firma:name", "--map", "Wann:next_review_on", "--date-order", "dmy", "--apply")
    ran = await imported(settings, tmp_path, text, *arguments)
    assert ran.code == 0, ran
    [vendor] = await company.client.items("/v1/vendors")
    whole = (await company.client.get(f"/v1/vendors/{vendor['id']}")).json()
    assert whole["next_review_on"] == "2026-04-03"


async def test_wrong_input_is_one_clear_line(
    settings: Settings, company: Company, other_company: Company, tmp_path: Path
) -> None:
    ran = await imported(settings, tmp_path, GOOD)
    assert (ran.code, ran.out) == (1, "")
    assert (
        ran.err
        == "vendorrisk: there are several tenants: name one with --tenant; `vendorrisk tenants list` shows them\n"
    )
    listed = await command("tenants", "list", settings=settings)
    assert [line.split()[0] for line in listed.out.splitlines()] == [
        str(company.tenant.id),
        str(other_company.tenant.id),
    ]
    mine = ("--tenant", str(company.tenant.id))
    unknown = await imported(settings, tmp_path, GOOD, "--tenant", "00000000-0000-7000-8000-000000000000")
    assert (unknown.code, "there is no tenant" in unknown.err) == (1, True)
    for name, text in (("a.xlsx", "PK\x03\x04 cut"), ("b.csv", ""), ("c.csv", "no;headings\n1;2\n")):
        ran = await imported(settings, tmp_path, text, *mine, name=name)
        assert (ran.code, ran.out) == (1, ""), (name, ran)
        assert ran.err.startswith("vendorrisk: ")
        assert ran.err.count("\n") == 1
    ran = await imported(settings, tmp_path, GOOD, *mine, "--map", "nonsense")
    assert (ran.code, "map=heading:field" in ran.err) == (1, True)
    assert (await imported(settings, tmp_path, GOOD, *mine, "--partial")).code == 2
    assert (await command("import", str(tmp_path / "none.csv"), settings=settings)).code == 2
    small = msgspec.structs.replace(settings, import_max_bytes=1024)
    ran = await imported(small, tmp_path, GOOD + "x" * 2000, *mine)
    assert (ran.code, "VENDORRISK_IMPORT_MAX_BYTES" in ran.err) == (1, True)
    assert await names(company) == []
