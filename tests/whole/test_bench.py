"""The bench measures what is there: its statements fit the schema, on a few vendors."""

import msgspec
import pytest

from tests.bench import bare, filling, plans
from tests.bench.creating import BODIES
from vendorrisk.settings import Settings
from vendorrisk.vendors.model import NewVendor

pytestmark = pytest.mark.anyio


@pytest.mark.embedded_only
async def test_the_bench_fills_its_tables_and_plans_each_statement(settings: Settings) -> None:
    data = await filling.filled(settings, 300, lambda _text: None)
    found = await plans.planned(data)
    assert len(found) == len({plan.name for plan in found}) > 10


@pytest.mark.embedded_only
async def test_the_bare_application_does_what_it_is_compared_in(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = await filling.filled(settings, 300, lambda _text: None)
    monkeypatch.setenv("BENCH_DATABASE_URL", settings.database_url)
    monkeypatch.setattr(bare, "TENANT", data.tenant_id)
    records = bare.Records()
    await records.open()
    try:
        made = await records.create(msgspec.json.decode(BODIES[0], type=NewVendor))
        assert (await records.one(made.id)).name == made.name
        first = (await records.page({})).items
        assert len(first) == 50
        of_tier = (await records.page({"tier": "medium"})).items
        deep = await records.page({"tier": "medium", "name": of_tier[0].name, "id": str(of_tier[0].id)})
        assert deep.items[0].id == of_tier[1].id
        assert (await records.search(first[0].name)).items[0].id == first[0].id
    finally:
        await records.pool.close()
