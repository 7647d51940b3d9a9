"""sql/schema.sql: what is committed is what the migrations give, on whichever Postgres this runs."""

from pathlib import Path
from typing import Any

import pytest

import vendorrisk
from vendorrisk.db import schema

pytestmark = pytest.mark.anyio

COMMITTED = Path(vendorrisk.__file__).parents[1] / "sql" / "schema.sql"


async def test_the_committed_schema_is_what_the_migrations_give(owner: Any) -> None:
    assert COMMITTED.read_text(encoding="utf-8") == await schema.dump(owner), "run `make schema` and review the diff"
