"""What the doctor finds of Redis, e-mail and Slack, and that it sends nothing."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from tests.alerts.make import TODAY, Feature, a_receiver, a_vendor, expiry, recording, run_jobs
from tests.conftest import Company, FakeClock
from tests.doctor.make import NOW, finding, in_production, report
from tests.fakes.smtp import smtp_fake
from vendorrisk.alerts.jobs import raise_due_alerts
from vendorrisk.background import JobContext
from vendorrisk.doctor.model import Level
from vendorrisk.doctor.nudges import evaluated_server, evaluated_worker
from vendorrisk.keys import Keyring
from vendorrisk.lab.dns import dns_fake
from vendorrisk.lab.http import HttpFake, Reply, http_fake
from vendorrisk.processes.model import Process
from vendorrisk.release import VERSION
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio

INFO = {"redis_version": "7.0.15", "maxmemory_policy": "noeviction", "used_memory": 10, "maxmemory": 100}
TOKEN = "xoxb-canary-of-slack"


@pytest.mark.parametrize(
    ("changes", "level", "said"),
    [
        ({}, Level.OK, "Redis 7.0.15 answers, eviction noeviction"),
        ({"valkey_version": "9.1.0"}, Level.OK, "Valkey 9.1.0 answers"),
        ({"maxmemory": 0}, Level.OK, "noeviction"),
        ({"maxmemory_policy": "allkeys-lru"}, Level.WARNING, "eviction allkeys-lru"),
        ({"used_memory": 95}, Level.WARNING, "95% of its memory is used"),
    ],
    ids=["redis", "valkey", "without a limit", "evicting", "nearly full"],
)
def test_redis_is_evaluated_by_what_it_throws_away(changes: dict[str, Any], level: Level, said: str) -> None:
    found = evaluated_server({**INFO, **changes})
    assert found.level is level
    assert said in found.said


def process(name: str, started: float, seen: float, **more: Any) -> Process:
    """Return a worker that was started and last seen so many minutes ago."""
    begun, last = (NOW - timedelta(minutes=minutes) for minutes in (started, seen))
    return Process(name, more.get("kind", "worker"), name, more.get("version", VERSION), [], begun, last)


def test_one_stopped_worker_of_two_is_seen() -> None:
    one, two = process("one", 60, 0), process("two", 60, 5)
    found = evaluated_worker([one, two], NOW, is_embedded=False)
    assert (found.level, found.said) == (Level.WARNING, "1 of 2 gave no sign since 2026-03-02 07:55:00 UTC")
    three = process("three", 4, 0)
    replaced = evaluated_worker([one, two, three], NOW, is_embedded=False)
    assert (replaced.level, replaced.said[:7]) == (Level.OK, "2 live:")
    late = evaluated_worker([process("early", 60, 5), process("dead", 60, 6), three], NOW, is_embedded=False)
    assert late.said == "1 of 2 gave no sign since 2026-03-02 07:55:00 UTC", "one new worker replaces one"
    chain = [process("a", 60, 30), process("b", 29, 10), process("c", 9, 0)]
    assert evaluated_worker(chain, NOW, is_embedded=False).level is Level.OK, "each was replaced in turn"


def test_no_worker_at_all_and_one_of_another_release_are_warnings() -> None:
    for embedded, todo in ((False, "`vendorrisk worker`"), (True, "`vendorrisk up`")):
        found = evaluated_worker([process("api", 9, 0, kind="api")], NOW, is_embedded=embedded)
        assert (found.level, found.said) == (Level.WARNING, "no worker has given a sign for 45 s")
        assert todo in found.todo
    other = evaluated_worker([process("old", 9, 0, version="0.0.9")], NOW, is_embedded=False)
    assert (other.level, other.said[-20:]) == (Level.WARNING, "other release: 0.0.9")


async def test_a_job_that_failed_last_is_named_with_its_kind_of_error(settings: Settings, owner: Any) -> None:
    await owner.execute("""insert into job_ticks values ('raise_due_alerts', 'w', now(), now(), 'OSError'),
        ('send_deliveries', 'w', now(), now(), null), ('send_deliveries', 'v', now() - interval '1 day', now(), 'X')""")
    told = await report(in_production(settings), "worker")
    [failed] = [f for f in told.findings if f.check == "jobs"]
    assert failed.level is Level.WARNING
    assert failed.said.startswith("raise_due_alerts ended with OSError at ")
    assert "send_deliveries" not in failed.said, "its last run went well"


async def test_a_copy_that_holds_its_messages_is_a_warning(settings: Settings, owner: Any) -> None:
    assert (await finding(in_production(settings), "installation")).level is Level.OK
    await owner.execute("update installation set deliveries_held_at = now()")
    held = await finding(in_production(settings), "installation")
    assert held.level is Level.WARNING
    assert "`vendorrisk installation activate`" in held.todo


async def test_a_process_that_lacks_the_first_key_is_a_failure(settings: Settings, owner: Any) -> None:
    [first] = Keyring.from_setting(settings.secret_keys).ids
    await owner.execute("insert into processes values ('old', 'api', 'h', '0', '{}', now(), now())")
    found = await finding(in_production(settings), "keys of processes")
    assert (found.level, found.said) == (Level.FAILURE, f"{first} seals here, and old does not hold it")
    await owner.execute("update processes set key_ids = array['other', $1]", first)
    assert (await finding(in_production(settings), "keys of processes")).level is Level.OK


async def test_redis_is_asked_and_one_that_is_away_is_a_failure_without_its_password(settings: Settings) -> None:
    there = await report(settings, "redis")
    assert {f.check: f.level for f in there.findings}["redis"] is Level.OK
    away = await finding(in_production(settings, redis_url="redis://:canary-of-redis@127.0.0.1:1/0"), "redis")
    assert away.level is Level.FAILURE
    assert "canary-of-redis" not in away.said + away.todo
    unset = await finding(in_production(settings, redis_url=""), "redis")
    assert (unset.level, unset.said) == (Level.FAILURE, "REDIS_URL is not set")


async def test_who_is_notified_of_nothing_and_what_nobody_was_notified_of_are_warnings(
    settings: Settings, context: JobContext, company: Company, owner: Any, clock: FakeClock
) -> None:
    recording(context)
    alone = await finding(settings, "receivers", clock=clock)
    assert (alone.level, alone.said[:44]) == (Level.WARNING, "1 of 1 tenants have no active receiver: nobo")
    assert "POST /v1/receivers" in alone.todo
    await a_receiver(company, tiers=["low"])
    await Feature(context, company).watch(expiry(await a_vendor(owner, company, tier="high"), TODAY))
    await raise_due_alerts(context)
    assert (await finding(settings, "receivers", clock=clock)).level is Level.OK, "receivers were not looked for yet"
    await run_jobs(context)
    unheard = await finding(settings, "receivers", clock=clock)
    assert (unheard.level, unheard.said[:26]) == (Level.WARNING, "1 alerts of the last 7 day")
    assert "has_recipients:eq:false" in unheard.todo
    clock.advance(days=8)
    assert (await finding(settings, "receivers", clock=clock)).level is Level.OK


async def test_mail_is_looked_at_as_configured_and_none_is_sent(settings: Settings) -> None:
    async with smtp_fake() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        mine = in_production(settings, smtp_url=url, mail_from="Risk <risk@example.org>")
        found = await finding(mine, "e-mail")
        assert (found.level, found.said) == (Level.OK, f"127.0.0.1:{server.port} answers, TLS offered")
        clear = await finding(in_production(mine, smtp_url=f"{url}?tls=never"), "e-mail")
        assert clear.level is Level.WARNING
        unsent = await finding(in_production(mine, mail_from=Settings().mail_from), "e-mail")
        assert unsent.level is Level.WARNING
        assert "VENDORRISK_MAIL_FROM" in unsent.todo
        required = await finding(in_production(mine, smtp_url=f"{url}?tls=required"), "e-mail")
        assert required.level is Level.FAILURE
        login = f"smtp://app:canary-of-mail@127.0.0.1:{server.port}"
        refused = await finding(in_production(mine, smtp_url=login), "e-mail")
        assert refused.level is Level.FAILURE
        assert "canary-of-mail" not in refused.said + refused.todo
        assert server.connections >= 3
        assert server.messages == []
    gone = await finding(mine, "e-mail")
    assert gone.level is Level.FAILURE
    assert "VENDORRISK_SMTP_URL" in gone.todo


async def test_mail_that_is_off_is_right_until_someone_counts_on_it(settings: Settings, company: Company) -> None:
    mine = in_production(settings)
    assert (await finding(mine, "e-mail")).level is Level.OK
    await a_receiver(company, name="Mail", target={"kind": "email", "address": "risk@example.com"})
    found = await finding(mine, "e-mail")
    assert (found.level, found.said) == (Level.FAILURE, "off, though 1 receivers are reached by e-mail")


@pytest.mark.parametrize("sender", ["nobody", "Risk <risk@>", ""], ids=["no address", "no domain", "empty"])
async def test_a_sender_that_is_no_address_is_a_failure(settings: Settings, sender: str) -> None:
    found = await finding(in_production(settings, smtp_url="smtp://127.0.0.1:1", mail_from=sender), "e-mail")
    assert found.level is Level.FAILURE
    assert "VENDORRISK_MAIL_FROM" in found.said


@asynccontextmanager
async def slack(settings: Settings, response: dict[str, Any]) -> AsyncIterator[tuple[Settings, HttpFake]]:
    async with dns_fake({("api.example.test", "A"): ["127.0.0.1"]}) as names, http_fake() as server:
        server.on("*", Reply(200, [("content-type", "application/json")], json.dumps(response).encode()))
        yield (
            msgspec.structs.replace(
                settings,
                slack_api_url="http://api.example.test/api/",
                egress_resolvers=f"127.0.0.1:{names.address[1]}",
                egress_test_networks="127.0.0.0/8",
                egress_test_ports=f"80={server.port}",
            ),
            server,
        )


async def test_slack_says_whose_a_token_is_and_no_message_is_posted(settings: Settings, company: Company) -> None:
    bot = {"kind": "slack_bot", "token": TOKEN, "conversation": "C0123456789"}
    await a_receiver(company, name="Bot", target=bot)
    async with slack(settings, {"ok": True, "user": "riskbot", "team": "Acme <!channel>\n"}) as (mine, server):
        found = await finding(mine, "slack")
    assert found.level is Level.OK
    assert found.said == f"receiver 'Bot' of tenant {company.tenant.id}: riskbot of Acme <!channel>"
    assert [request.path for request in server.requests] == ["/api/auth.test"]
    assert server.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    async with slack(settings, {"ok": False, "error": "invalid_auth"}) as (mine, server):
        refused = await finding(mine, "slack")
    assert refused.level is Level.FAILURE
    assert "invalid_auth" in refused.said
    assert TOKEN not in refused.said + refused.todo


async def test_slack_is_asked_only_where_the_guard_allows(settings: Settings, company: Company) -> None:
    bot = {"kind": "slack_bot", "token": TOKEN, "conversation": "C0123456789"}
    await a_receiver(company, name="Bot", target=bot)
    async with http_fake() as server:
        mine = in_production(settings, slack_api_url=f"http://127.0.0.1:{server.port}/api/")
        found = await finding(mine, "slack")
    assert found.level is Level.FAILURE
    assert "address_refused" in found.said
    assert server.requests == []


async def test_incoming_webhooks_are_counted_and_said_to_need_a_message(settings: Settings, company: Company) -> None:
    assert (await finding(settings, "slack")).said == "no receiver uses it"
    hook = {"kind": "slack_webhook", "url": "https://hooks.slack.com/services/T0/B0/canary"}
    await a_receiver(company, name="Hook", target=hook)
    found = await finding(settings, "slack")
    assert found.level is Level.OK
    assert "1 incoming webhooks" in found.said
    assert "test" in found.todo
    assert "canary" not in found.said + found.todo
