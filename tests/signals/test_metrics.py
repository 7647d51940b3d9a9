"""What operators read of scans: why nothing was seen, by rule and by source, and what no partition took."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import msgspec
import pytest
from prometheus_client import REGISTRY

from tests.client import Client
from tests.conftest import FakeClock
from tests.signals.test_adversity import lists_at
from tests.signals.test_vendor_events import LISTS
from tests.signals.watching import watching
from vendorrisk import worker
from vendorrisk.background import JobContext
from vendorrisk.lab import feeds
from vendorrisk.lab.http import Reply
from vendorrisk.settings import SettingError
from vendorrisk.signals import jobs

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Any) -> Any:
    return msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@contextmanager
def rises(by: float, name: str, **labels: str) -> Iterator[None]:
    before = figure(name, **labels)
    yield
    assert figure(name, **labels) - before == by, (name, labels)


async def test_each_rule_counts_its_verdicts_and_each_source_why_it_said_nothing(
    context: JobContext, client: Client, clock: FakeClock
) -> None:
    async with watching(context, client, clock, **LISTS) as on:
        lists = await lists_at(on, feeds.breaches(feeds.breach(Domain="other.test")))
        lists.on("/kev", Reply(429))
        on.good.on("/", Reply(503))
        await on.attach(await on.vendor())
        evaluated = "vendorrisk_signal_evaluations_total"
        with (
            rises(1, evaluated, rule="tls.cert_name", verdict="pass"),
            rises(1, evaluated, rule="web.csp", verdict="unknown"),
            rises(0, evaluated, rule="web.csp", verdict="fail"),
            rises(1, "vendorrisk_signal_unknown_total", group="http", reason="http_503"),
            rises(1, "vendorrisk_signal_feed_fetches_total", feed="kev", outcome="http_429"),
            rises(1, "vendorrisk_signal_feed_fetches_total", feed="hibp", outcome="changed"),
            rises(1, "vendorrisk_signal_scans_total", group="cert", status="seen"),
        ):
            await on.run()


async def test_rows_that_found_no_partition_are_a_figure(context: JobContext, client: Client, clock: FakeClock) -> None:
    async with watching(context, client, clock) as on:
        await on.attach(await on.vendor())
        await jobs.enrol_assets(context)
        await jobs.scan_vendors(context)
        right = clock.now
        clock.advance(days=-400)
        await jobs.maintain_partitions(context)
        assert figure("vendorrisk_signal_rows_without_partition") > 0
        clock.now = right
        await jobs.maintain_partitions(context)
        assert figure("vendorrisk_signal_rows_without_partition") == 0


async def test_a_worker_serves_its_metrics_where_it_is_told_to(settings: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = msgspec.structs.replace(settings, worker_metrics_port=port)
    with worker.serve_metrics(told, "worker_metrics_port"):
        with urlopen(f"http://127.0.0.1:{port}/metrics") as response:  # noqa: ASYNC210 - loopback, of this test
            assert b"vendorrisk_signal_lag_seconds" in response.read()
        with (
            pytest.raises(SettingError, match="VENDORRISK_WORKER_METRICS_PORT"),
            worker.serve_metrics(told, "worker_metrics_port"),
        ):
            pass
    with worker.serve_metrics(settings, "worker_metrics_port"), pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
