"""Migrations as an operator runs them: what they do where the database is in use."""

from typing import Any

import pytest

from vendorrisk.db import migrations
from vendorrisk.db.migrations import Migration, MigrationError, all_migrations
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio


async def test_a_migration_that_others_keep_from_a_table_gives_up_soon_and_leaves_nothing(
    settings: Settings, owner: Any
) -> None:
    known = all_migrations()
    wanted = Migration(len(known) + 1, "one_more", "create table one_more (); alter table vendors add column more text")
    async with owner.transaction():
        await owner.execute("select from vendors")
        with pytest.raises(MigrationError, match=r"one_more.* waited for 5 s .*run it again"):
            await migrations.migrate(settings.database_migration_url, [*known, wanted])
    assert await owner.fetchval("select to_regclass('one_more')") is None
    assert await migrations.migrate(settings.database_migration_url, [*known, wanted]) == ["one_more"]
