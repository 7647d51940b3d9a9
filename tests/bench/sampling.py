"""Vendors taken at random from the tenant that is measured, the same ones in each run over the same data."""

from typing import Any

import asyncpg

from tests.bench.filling import Filled


async def vendors(data: Filled, most: int, condition: str = "true") -> list[Any]:
    """Return id, name and tier of up to `most` vendors from all over the tenant, those for whom the condition holds."""
    connection = await asyncpg.connect(data.settings.database_url)
    try:
        rows: list[Any] = await connection.fetch(
            f"""
            select id, name, tier from vendors
            where tenant_id = $1 and {condition}
            order by hashint8(('x' || right(id::text, 12))::bit(48)::bigint)
            limit $2
            """,
            data.tenant_id,
            most,
        )
        return rows
    finally:
        await connection.close()
