"""`vendorrisk openapi` and `vendorrisk schema`: what they print, from where, and that it is the same each time."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.commands.make import command
from tests.conftest import entered
from vendorrisk.db.schema import dump
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio


async def test_the_api_document_is_printed_without_any_server_and_the_same_each_time() -> None:
    first = await command("openapi", PYTHONHASHSEED="1")
    second = await command("openapi", PYTHONHASHSEED="2")
    assert (first.code, first.err) == (0, "")
    assert first.out == second.out
    assert first.out.startswith('{\n  "')
    assert first.out.endswith("}\n")
    assert json.loads(first.out)["openapi"].startswith("3.1.")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder that the user may enter that Postgres runs as, where that is not us."""
    for one in entered(tmp_path):
        one.chmod(0o755)
    return tmp_path


@pytest.mark.embedded_only
async def test_the_schema_of_this_release_needs_no_server_and_leaves_nothing_behind(folder: Path, owner: Any) -> None:
    ran = await command("schema", TMPDIR=str(folder), VENDORRISK_HOME=str(folder / "home"))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == await dump(owner)
    assert os.listdir(folder) == []  # noqa: PTH208 - a Path's own listing would block the loop just the same


async def test_the_schema_of_a_database_is_what_it_is_and_is_only_read(settings: Settings, owner: Any) -> None:
    before = (await dump(owner)).splitlines()
    await owner.execute("alter table vendors add column planted text")
    ran = await command("schema", settings=settings)
    assert (ran.code, ran.err) == (0, "")
    assert [line for line in ran.out.splitlines() if line not in before] == ["    planted text,"]


async def test_what_the_schema_command_cannot_write_is_one_line_and_exit_1(settings: Settings, owner: Any) -> None:
    await owner.execute("create view seen as select 1 as one")
    ran = await command("schema", settings=settings)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "vendorrisk: the schema holds objects that `vendorrisk schema` does not support: ['view seen']\n"
