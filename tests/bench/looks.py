"""What one worker can look at: full vendor looks a second against the lab, processor time, memory, and the cost
beside a bare client that makes the same requests.

    python -m tests.bench.looks [vendors] [at once]

The lab runs in a process of its own, so that only the looking is measured. A full look is DNS, mail, web with
security.txt, certificate, five greetings, RDAP and the status page, judged and written in canonical form.
"""

import asyncio
import json
import multiprocessing
import multiprocessing.connection
import resource
import ssl
import sys
import time

import uvloop

from vendorrisk.egress.fetcher import Fetcher, Limits
from vendorrisk.egress.guard import Guard, LoopbackOverride
from vendorrisk.egress.resolver import Resolver
from vendorrisk.lab import pki
from vendorrisk.lab.world import good_vendor, good_zone, lab, registries, trusting_nobody
from vendorrisk.probes import email, nameservice, registration, status, tls, web
from vendorrisk.probes.observation import canonical
from vendorrisk.signals import judging

DOMAIN = "acme.test"
BASES = {"test": "https://rdap.test/"}


def serve(pipe: multiprocessing.connection.Connection) -> None:
    async def run() -> None:
        async with lab(good_zone(DOMAIN)) as world:
            await good_vendor(world, DOMAIN)
            await registries(world, DOMAIN)
            ports = [[address, port, real] for (address, port), real in world.ports.items()]
            pipe.send(json.dumps({"dns": world.dns.address, "ports": ports}))
            await asyncio.sleep(600)

    asyncio.run(run())


def client(about: dict[str, list[object]]) -> tuple[Guard, Fetcher, Fetcher]:
    ports = {(str(a), int(p)): int(r) for a, p, r in about["ports"]}  # type: ignore[misc, call-overload] # JSON
    resolver = Resolver([tuple(about["dns"])], try_seconds=2, lifetime_seconds=4)  # type: ignore[list-item] # JSON
    guard = Guard(resolver, loopback=LoopbackOverride(["127.0.0.0/8"], ports))
    limits = Limits(total_seconds=15)
    loose = Fetcher(guard, user_agent="vendorrisk/1 (bench)", limits=limits, tls=trusting_nobody())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return guard, loose, Fetcher(guard, user_agent="vendorrisk/1 (bench)", limits=limits, tls=context)


async def one(guard: Guard, loose: Fetcher, strict: Fetcher, datasets: judging.Datasets) -> int:
    looks: list[judging.Observation] = [
        await nameservice.look(DOMAIN, resolver=guard.resolver, hosts=(f"www.{DOMAIN}",)),
        await email.look(DOMAIN, resolver=guard.resolver, strict_fetcher=strict),
        await web.look(DOMAIN, fetcher=loose),
        await tls.look_at_certificate(DOMAIN, guard=guard, fetcher=loose),
        await tls.look_at_versions(DOMAIN, guard=guard),
        await registration.look(DOMAIN, fetcher=loose, guard=guard, bases=BASES, whois_servers={}),
        await status.look(f"https://status.{DOMAIN}", fetcher=loose),
    ]
    unknown = 0
    for look in looks:
        canonical(look)
        judged = judging.judge(look, now=pki.NOW, datasets=datasets)
        unknown += sum(j.verdict.value == "unknown" for j in judged)
    return unknown


async def bare(guard: Guard, context: ssl.SSLContext) -> None:
    """The same questions and connections, by dnspython and raw streams, read and thrown away."""
    ports = guard._loopback._ports
    await asyncio.gather(*(guard.resolver.ask(f"q{n}.{DOMAIN}", "TXT") for n in range(57)))
    for address, port, name, path in [
        ("127.0.0.2", 80, DOMAIN, "/"), ("127.0.0.2", 443, DOMAIN, "/"),
        ("127.0.0.2", 443, DOMAIN, "/.well-known/security.txt"),
        ("127.0.0.2", 443, f"mta-sts.{DOMAIN}", "/.well-known/mta-sts.txt"),
        ("127.0.0.200", 443, "rdap.test", f"/domain/{DOMAIN}"),
        ("127.0.0.2", 443, f"status.{DOMAIN}", "/api/v2/summary.json"),
    ]:  # fmt: skip
        tls_context = context if port == 443 else None
        reader, writer = await asyncio.open_connection(
            address, ports[address, port], ssl=tls_context, server_hostname=name if tls_context else None
        )
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        await reader.read()
        writer.close()
    for _ in range(6):
        _, writer = await asyncio.open_connection(
            "127.0.0.2", ports["127.0.0.2", 443], ssl=context, server_hostname=DOMAIN
        )
        writer.close()


async def timed(count: int, at_once: int, work: object) -> tuple[float, float]:
    """Return wall and processor seconds for `count` runs."""
    gate = asyncio.Semaphore(at_once)

    async def gated() -> None:
        async with gate:
            await work()  # type: ignore[operator] # a coroutine function

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(gated() for _ in range(count)))
    return time.perf_counter() - wall, time.process_time() - cpu


async def run(about: dict[str, list[object]], count: int, at_once: int) -> None:
    guard, loose, strict = client(about)
    datasets = judging.Datasets(store=pki.store())
    unknown = await one(guard, loose, strict, datasets)
    wall, cpu = await timed(count, at_once, lambda: one(guard, loose, strict, datasets))
    context = trusting_nobody()
    bare_wall, bare_cpu = await timed(count, at_once, lambda: bare(guard, context))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"vendors {count}, at once {at_once}, unknown verdicts a vendor {unknown} (web.cors and dkim aside)")
    print(f"full looks a second    {count / wall:8.1f}   to reach 20")
    print(f"processor ms a look    {1000 * cpu / count:8.1f}")
    print(f"bare client, same requests: {count / bare_wall:6.1f} a second, {1000 * bare_cpu / count:.1f} ms")
    print(f"cost beside bare (cpu) {cpu / bare_cpu:8.2f}")
    print(f"memory MB, highest     {memory:8.1f}   to stay under 150")


def main() -> None:
    count, at_once = (int(a) for a in [*sys.argv[1:], "200", "50"][:2])
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        uvloop.run(run(json.loads(here.recv()), count, at_once))
    finally:
        server.terminate()
        server.join(10)


if __name__ == "__main__":
    main()
