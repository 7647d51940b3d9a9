"""Every job of the schedule, run twice: nothing the second time, in a company that has something of every kind."""

from typing import Any

import pytest

from tests.conftest import Company, FakeClock
from tests.whole.surface import operations
from tests.whole.things import Things
from vendorrisk.app import Api
from vendorrisk.background import World, run_job
from vendorrisk.worker import SCHEDULE

pytestmark = pytest.mark.anyio


def test_the_schedule_names_every_job_once_and_every_period_divides_the_clock() -> None:
    names = [job.name for job in SCHEDULE]
    assert len(names) == len(set(names))
    for job in SCHEDULE:
        assert 60 % job.every_seconds == 0 or 3600 % job.every_seconds == 0 or 86400 % job.every_seconds == 0, job.name
        assert 0 < job.timeout_seconds <= 3600, job.name


async def test_every_job_does_nothing_the_second_time(
    api: Api, company: Company, role_client: Any, world: World, owner: Any, clock: FakeClock
) -> None:
    things = Things(company, await role_client("admin"), world, owner)
    for operation in operations(api):
        await things.known_for(operation)
    clock.advance(days=2)
    for _ in range(2):
        for job in SCHEDULE:
            await run_job(job, world)
    again = {}
    for job in SCHEDULE:
        before = await rows(owner)
        handled = await run_job(job, world)
        changed = {table for table, print_ in (await rows(owner)).items() if before[table] != print_}
        if handled or changed:
            again[job.name] = (handled, changed)
    assert again == {}


async def rows(owner: Any) -> dict[str, str]:
    tables = await owner.fetch("select tablename::text as name from pg_tables where schemaname = 'public'")
    return {
        table["name"]: await owner.fetchval(
            f"select md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {table['name']} as t"
        )
        for table in tables
    }
