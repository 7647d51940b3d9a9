"""Whole vendors a second: scanned with their www, evaluated, compared, written and reconciled by one worker.

The lab runs in a process of its own; politeness is off, since the lab's machines are ours.
"""

import asyncio
import json
import multiprocessing
import multiprocessing.connection
import os
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import msgspec

from tests.bench.job_contexts import job_context_of
from tests.bench.stack import Stack, Watched
from tests.bench.table import Line
from vendorrisk.background import JobContext
from vendorrisk.egress.guard import Guard, LoopbackOverride
from vendorrisk.egress.resolver import Resolver
from vendorrisk.evaluation.model import AssetKind
from vendorrisk.identity import service as identity
from vendorrisk.lab import pki
from vendorrisk.lab.world import good_vendor, good_zone, lab, registries, trusting_lab
from vendorrisk.memory import settle_in
from vendorrisk.probes.scanner import LiveScanner
from vendorrisk.signals import jobs, schedule

GOAL, MOST_MB = 20, 150
_SCANS = (7, 7 + 4)  # at a domain, and at its www
_SCANS_OF_A_DAY = (5, 5 + 3)
_NEXT = timedelta(days=13, hours=13)


def _domain(number: int) -> tuple[str, str]:
    return f"vendor{number}.test", f"127.1.{number // 250}.{number % 250 + 1}"


def _serve(pipe: multiprocessing.connection.Connection, vendors: int, with_www: bool) -> None:  # noqa: FBT001 - a process's argument
    async def run() -> None:
        zone: dict[Any, Any] = {}
        for number in range(vendors):
            zone |= good_zone(*_domain(number))
            if not with_www:
                del zone[f"www.{_domain(number)[0]}", "A"]
        async with lab(zone, authenticated=True) as world:
            for number in range(vendors):
                await good_vendor(world, *_domain(number))
            await registries(world)
            ports = [[address, port, real] for (address, port), real in world.ports.items()]
            pipe.send(json.dumps({"dns": world.dns.address, "ports": ports, "root": None}))
            await asyncio.sleep(600)

    asyncio.run(run())


async def run(stack: Stack, vendors: int) -> list[Line]:
    """Measure vendors of one host, and vendors whose `www` is found and watched as well."""
    one, one_memory = await _served(stack, vendors, with_www=False)
    two, two_memory = await _served(stack, vendors, with_www=True)
    return [
        Line(f"{vendors} vendors, all scans", vendors / one[1][0], GOAL, "the goal", "vendors a second", ">= 1.00"),
        Line("processor time of one", 1000 * one[1][1] / vendors, 1000 / GOAL, "what that leaves", "ms", "<= 1.00"),
        *_of_times(one, vendors, "the same"),
        Line("with their www, all scans", vendors / two[1][0], GOAL, "the goal", "vendors a second", ">= 1.00"),
        *_of_times(two, vendors, "with www"),
        Line("memory of the worker", max(one_memory, two_memory), MOST_MB, "the goal", "MB", "<= 1.00"),
    ]


def _of_times(rounds: Sequence[tuple[float, float]], vendors: int, name: str) -> list[Line]:
    (first, _), (full, _), (daily, _) = rounds
    return [
        Line(f"{name}, when attached", vendors / first, vendors / full, "all scans", "vendors a second"),
        Line(f"{name}, what is due daily", vendors / daily, vendors / full, "all scans", "vendors a second"),
    ]


async def _served(stack: Stack, vendors: int, *, with_www: bool) -> tuple[list[tuple[float, float]], float]:
    """Scan vendors of a lab that runs in a process of its own; returns the rounds, and the most memory."""
    url = await stack.new_database("watching")
    here, there = multiprocessing.Pipe()
    # Forked, so that both sides trust the same made-up root.
    pki.root(), pki.intermediate()
    server = multiprocessing.get_context("fork").Process(target=_serve, args=(there, vendors, with_www), daemon=True)
    server.start()
    try:
        about = await asyncio.to_thread(lambda: json.loads(here.recv()))
        return await _measured(stack, url, about, vendors, with_www=with_www)
    finally:
        server.terminate()
        server.join(10)


async def _measured(
    stack: Stack, url: str, about: Any, vendors: int, *, with_www: bool
) -> tuple[list[tuple[float, float]], float]:
    """Scan when vendors were just attached, when all is due again, and at what is due daily."""
    settings = msgspec.structs.replace(
        stack.settings("watching"), environment="test", signal_kev_url="", signal_hibp_url="", signal_rdap_url=""
    )
    async with job_context_of(settings, pki.NOW) as context:
        ports = {(a, p): r for a, p, r in about["ports"]}
        resolver = Resolver([tuple(about["dns"])], try_seconds=2, lifetime_seconds=4)
        guard = Guard(resolver, loopback=LoopbackOverride(["127.0.0.0/8"], ports))
        await context.scanner.aclose()
        context.scanner = LiveScanner(
            guard, contact_url="https://example.org/bot", sandbox=context.sandbox, trusted=trusting_lab()
        )
        context.store, context.pacer = pki.store(), None
        context.lists.registries = {"test": "https://rdap.test/"}
        await _watched(context, url, vendors)
        settle_in()  # as a worker does
        rounds = []
        with Watched(os.getpid(), with_children=False) as memory:
            for after, scans in ((timedelta(0), _SCANS), (timedelta(days=12), _SCANS), (_NEXT, _SCANS_OF_A_DAY)):
                context.clock = partial(pki.NOW.__add__, after)
                rounds.append(await _round(context, scans[with_www] * vendors))
        return rounds, max(memory.seen)


async def _watched(context: JobContext, url: str, vendors: int) -> None:
    """Found a tenant with its vendors, each with its domain attached."""
    async with context.database.system() as connection:
        tenant, _ = await identity.found_tenant(connection, "Bench", "UTC", pki.NOW)
    rows = [(new, *_domain(new)) for new in range(vendors)]
    owner = await asyncpg.connect(url)
    try:
        for number, name, _ in rows:
            vendor = await owner.fetchval(
                "insert into vendors (tenant_id, id, name, name_key, lifecycle, lifecycle_changed_at, intake,"
                " created_at, updated_at) values ($1, gen_random_uuid(), $2, $2, 'active', $3, 'open', $3, $3)"
                " returning id",
                *(tenant.id, f"vendor {number}", pki.NOW),
            )
            await owner.execute(
                "insert into vendor_assets (tenant_id, id, vendor_id, asset_id, kind, name, registrable_domain,"
                " is_primary, source, scan_requested_at, attached_at, updated_at)"
                " values ($1, gen_random_uuid(), $2, $3, 'domain', $4, $4, true,"
                " 'person', $5, $5, $5)",
                *(tenant.id, vendor, schedule.asset_id(AssetKind.DOMAIN, name), name, pki.NOW),
            )
    finally:
        await owner.close()
    await jobs.maintain_partitions(context)
    while await jobs.enrol_assets(context):
        pass


async def _round(context: JobContext, least: int) -> tuple[float, float]:
    """Scan everything that is due, and reconcile, until nothing follows; returns seconds and processor seconds."""
    wall, cpu, scans = time.perf_counter(), time.process_time(), 0
    while made := await jobs.scan_vendors(context):
        scans += made
        while await jobs.reconcile_vendors(context):
            pass
        while await jobs.enrol_assets(context):
            pass
    if scans < least:
        raise RuntimeError(f"only {scans} scans were made, of {least}")
    return time.perf_counter() - wall, time.process_time() - cpu
