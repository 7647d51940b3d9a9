"""No request of any kind is answered by a failure, and every response is what the document says.

FUZZ_EXAMPLES raises the number of generated requests; FUZZ_SEED makes a long run another one than the last.
"""

import logging
import os
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from anyio import from_thread, to_thread
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode

from tests.conftest import Company, FakeClock
from tests.whole import strange
from tests.whole.fuzzing import Fuzz, schema, schema_operation
from tests.whole.surface import Operation, operations, unopened_app
from tests.whole.things import FILES, MAKERS, Known, Things
from vendorrisk.app import Api
from vendorrisk.background import JobContext

pytestmark = [pytest.mark.anyio, pytest.mark.fuzz]

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "4"))
SEED = int(os.environ.get("FUZZ_SEED", "0"))
TAGS = sorted({operation.document["tags"][0] for operation in operations(unopened_app())})

GENERATED = hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=False,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def _only_failures_are_logged() -> Iterator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    yield
    structlog.reset_defaults()


@pytest.fixture
async def things(company: Company, role_client: Any, context: JobContext, owner: Any) -> Things:
    return Things(company, await role_client("admin"), context, owner)


@pytest.fixture
def fuzz(api: Api, things: Things) -> Fuzz:
    return Fuzz(api, things)


def of_tag(tag: str) -> list[Operation]:
    return [operation for operation in operations(unopened_app()) if operation.document["tags"][0] == tag]


async def assert_faultless(fuzz: Fuzz, run: Callable[[], None], record: Callable[[str, object], None]) -> None:
    await to_thread.run_sync(run)
    record("requests", fuzz.sent)
    record("statuses", dict(sorted(fuzz.statuses.items())))
    assert fuzz.sent > 0
    assert "\n".join(fuzz.faults.values()) == ""


@pytest.mark.parametrize("tag", TAGS)
async def test_every_boundary_of_every_parameter_and_field_is_answered_as_declared(
    tag: str, fuzz: Fuzz, record_property: Any
) -> None:
    def run() -> None:
        for operation in of_tag(tag):
            for case in schema().iter_coverage_cases(
                schema_operation(operation),
                generation_modes=list(GenerationMode),
                generation_config=schema().config.generation,
            ):
                fuzz.probe(operation, case)

    await assert_faultless(fuzz, run, record_property)


@pytest.mark.parametrize("tag", TAGS)
async def test_generated_requests_are_answered_as_declared(tag: str, fuzz: Fuzz, record_property: Any) -> None:
    def run() -> None:
        for operation in of_tag(tag):
            for mode in GenerationMode:
                generate(fuzz, operation, mode)

    await assert_faultless(fuzz, run, record_property)


def generate(fuzz: Fuzz, operation: Operation, mode: GenerationMode) -> None:
    @seed(SEED)
    @GENERATED
    @given(case=schema_operation(operation).as_strategy(generation_mode=mode))
    def probe(case: Any) -> None:
        fuzz.probe(operation, case)

    probe()


@pytest.mark.parametrize("tag", TAGS)
async def test_strange_values_anywhere_in_a_good_request_are_answered_as_declared(
    tag: str, fuzz: Fuzz, record_property: Any
) -> None:
    def run() -> None:
        for operation in of_tag(tag):
            chance = random.Random(f"{SEED} {operation.name}")
            for number in range(EXAMPLES * 4):
                spoil(fuzz, operation, chance, ("body", "body", "query", "path", "headers")[number % 5])

    await assert_faultless(fuzz, run, record_property)


def spoil(fuzz: Fuzz, operation: Operation, chance: random.Random, part: str) -> None:
    known = dict(fuzz.known(operation))
    headers, body = well_formed(fuzz, operation)
    query = "&".join(f"{name}={value}" for name, value in operation.query.items())
    if part == "body" and operation.takes_json:
        body = strange.body(chance, fuzz.example(operation))
    elif part == "path" and known:
        known[chance.choice(sorted(known))] = strange.in_path(chance)
    elif part == "headers":
        headers += strange.headers(chance)
    else:
        query = strange.query(chance, sorted(operation.document_parameters))
    fuzz.send(operation, operation.path.format(**known), query=query, headers=headers, body=body)


def well_formed(fuzz: Fuzz, operation: Operation) -> tuple[list[tuple[str, str]], bytes]:
    headers = [("if-match", fuzz.etag(operation))] if operation.match else []
    if operation.raw:
        media, body = FILES[operation.name]
        return [*headers, ("content-type", media)], body
    if not operation.takes_json:
        return headers, b""
    return [*headers, ("content-type", "application/json")], strange.encode(fuzz.example(operation))


async def test_operations_in_any_order_on_shared_things_never_fail(
    fuzz: Fuzz, things: Things, clock: FakeClock, owner: Any, record_property: Any
) -> None:
    """Walk at random: what one operation made, moved or removed is what the next one meets, in the order of chance."""
    chance = random.Random(f"{SEED} walk")
    pool: dict[str, list[str]] = {}

    def run() -> None:
        for operation in operations(unopened_app()):
            remember(pool, fuzz.known(operation))
        for _ in range(EXAMPLES * 100):
            step(fuzz, chance.choice(WALKABLE), chance, pool)
            if chance.random() < 0.02:
                clock.advance(days=chance.choice([1, 30, 400]))

    await assert_faultless(fuzz, run, record_property)
    assert {200, 201, 409} <= set(fuzz.statuses), "the walk gets somewhere"
    assert await owner.fetchval("select count(*) from audit_entries") > EXAMPLES


WALKABLE = [operation for operation in operations(unopened_app()) if operation.name != "revoke_api_key"]
"""A walk that could take its own key away would soon end."""


def step(fuzz: Fuzz, operation: Operation, chance: random.Random, pool: dict[str, list[str]]) -> None:
    known = {name: chance.choice(pool[name]) for name in operation.parameters}
    place = operation.path.format(**known)
    headers: list[tuple[str, str]] = []
    body = b""
    if operation.match:
        try:
            headers.append(("if-match", from_thread.run(fuzz.things.etag, place)))
        except AssertionError:
            headers.append(("if-match", '"1"'))
    if operation.raw:
        media, body = FILES[operation.name]
        headers.append(("content-type", media))
    elif operation.takes_json:
        headers.append(("content-type", "application/json"))
        body = strange.encode(from_pool(operation.example, chance, pool))
    query = "&".join(f"{name}={value}" for name, value in operation.query.items())
    response = fuzz.send(operation, place, query=query, headers=headers, body=body)
    if response.status_code == 201 and operation.document["operationId"].partition("_")[2] + "_id" in MAKERS:
        pool[operation.document["operationId"].partition("_")[2] + "_id"].append(response.json()["id"])


def remember(pool: dict[str, list[str]], known: Known) -> None:
    for name, value in known.items():
        pool.setdefault(name, []).append(value)


def from_pool(value: Any, chance: random.Random, pool: dict[str, list[str]]) -> Any:
    if isinstance(value, list):
        return [from_pool(item, chance, pool) for item in value]
    if isinstance(value, dict):
        return {
            key: chance.choice(pool[key]) if key in pool and isinstance(item, str) else from_pool(item, chance, pool)
            for key, item in value.items()
        }
    return value
