"""What collectors and evaluators cost beside a bare client that asks the same questions and makes the same requests.

    python -m tests.bench.scans [vendors] [at once]

The lab runs in a process of its own, so that only the scanning is measured. A scan is a domain's DNS, mail, web with
security.txt, certificate, five greetings, RDAP and a status page, in one session, evaluated and written in canonical
form.
"""

import asyncio
import json
import multiprocessing
import multiprocessing.connection
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from tests.bench.table import Line, printed
from vendorrisk.egress.dns_messages import Answer, Question
from vendorrisk.egress.fetcher import Fetcher, Limits
from vendorrisk.egress.guard import Guard, LoopbackOverride
from vendorrisk.egress.resolver import Resolver
from vendorrisk.egress.sessions import session
from vendorrisk.evaluation import evaluate
from vendorrisk.lab import pki
from vendorrisk.lab.world import good_vendor, good_zone, lab, registries, trusting_nobody
from vendorrisk.probes.dns import dns_setup
from vendorrisk.probes.mail import mail_setup
from vendorrisk.probes.observation import canonical
from vendorrisk.probes.registration import domain_registration
from vendorrisk.probes.tls import handshake
from vendorrisk.probes.tls.clienthello import Greeting, client_hello
from vendorrisk.probes.web import site, status_page
from vendorrisk.sandbox.running import Sandbox

DOMAIN = "acme.test"
BASES = {"test": "https://rdap.test/"}
HIGHEST_RATIO = "<= 2.50"
_QUESTIONS = 51
_SANDBOX = Sandbox()
_CONNECTIONS: list[tuple[str, int, str, list[str]]] = [
    ("127.0.0.2", 80, DOMAIN, ["/"]),
    ("127.0.0.2", 443, DOMAIN, ["/", "/.well-known/security.txt"]),
    ("127.0.0.2", 443, f"mta-sts.{DOMAIN}", ["/.well-known/mta-sts.txt"]),
    ("127.0.0.200", 443, "rdap.test", [f"/domain/{DOMAIN}"]),
    ("127.0.0.2", 443, f"status.{DOMAIN}", ["/api/v2/summary.json", "/api/v2/incidents.json"]),
    ("127.0.0.2", 443, DOMAIN, []),  # for the certificate
]
"""What a scan takes."""


def serve(pipe: multiprocessing.connection.Connection) -> None:
    async def run() -> None:
        async with lab(good_zone(DOMAIN)) as world:
            await good_vendor(world, DOMAIN)
            await registries(world, DOMAIN)
            ports = [[address, port, real] for (address, port), real in world.ports.items()]
            pipe.send(json.dumps({"dns": world.dns.address, "ports": ports}))
            await asyncio.sleep(600)

    asyncio.run(run())


class _Counting(Resolver):
    """Counts what really goes out."""

    sent = 0

    async def _ask_in_turn(self, asked: Question) -> Answer:
        self.sent += 1
        return await super()._ask_in_turn(asked)


def client(about: dict[str, Any]) -> tuple[Guard, Fetcher, Fetcher]:
    ports = {(address, port): real for address, port, real in about["ports"]}
    resolver = _Counting([tuple(about["dns"])], try_seconds=2, lifetime_seconds=4)
    guard = Guard(resolver, loopback=LoopbackOverride(["127.0.0.0/8"], ports))
    limits = Limits(total_seconds=15)
    loose = Fetcher(guard, user_agent="vendorrisk/1 (bench)", limits=limits, tls=trusting_nobody())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return guard, loose, Fetcher(guard, user_agent="vendorrisk/1 (bench)", limits=limits, tls=context)


async def one(guard: Guard, loose: Fetcher, strict: Fetcher, datasets: evaluate.Datasets) -> int:
    observations: list[evaluate.Observation] = [
        await dns_setup.scan(DOMAIN, resolver=guard.resolver, hosts=(f"www.{DOMAIN}",)),
        await mail_setup.scan(DOMAIN, resolver=guard.resolver, strict_fetcher=strict),
        await site.scan(DOMAIN, fetcher=loose, sandbox=_SANDBOX),
        await handshake.scan_certificate(DOMAIN, guard=guard, fetcher=loose),
        await handshake.scan_versions(DOMAIN, guard=guard),
        await domain_registration.scan(
            DOMAIN, fetcher=loose, guard=guard, sandbox=_SANDBOX, bases=BASES, whois_servers={}
        ),
        await status_page.scan(f"https://status.{DOMAIN}", fetcher=loose, sandbox=_SANDBOX),
    ]
    unknown = 0
    for observation in observations:
        canonical(observation)
        evaluated = evaluate.evaluate(observation, now=pki.NOW, datasets=datasets)
        unknown += sum(j.verdict.value == "unknown" for j in evaluated)
    return unknown


async def bare(guard: Guard, context: ssl.SSLContext) -> None:
    """As many questions, connections, requests and greetings over raw streams, read and thrown away."""
    assert guard._loopback is not None
    ports = guard._loopback._ports
    await asyncio.gather(*(guard.resolver.ask(f"q{n}.{DOMAIN}", "TXT") for n in range(_QUESTIONS)))
    for address, port, name, paths in _CONNECTIONS:
        tls_context = context if port == 443 else None
        reader, writer = await asyncio.open_connection(
            address, ports[address, port], ssl=tls_context, server_hostname=name if tls_context else None
        )
        for path in paths:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
        writer.transport.abort()
    for greeting in Greeting:
        reader, writer = await asyncio.open_connection("127.0.0.2", ports["127.0.0.2", 443])
        writer.write(client_hello(greeting, DOMAIN))
        await reader.read(4096)
        writer.transport.abort()


async def timed(count: int, at_once: int, work: Callable[[], Awaitable[object]]) -> float:
    """Return the processor's milliseconds for one of `count` runs."""
    gate = asyncio.Semaphore(at_once)

    async def gated() -> None:
        async with gate:
            await work()

    begun = time.process_time()
    await asyncio.gather(*(gated() for _ in range(count)))
    return 1000 * (time.process_time() - begun) / count


async def _compared(about: dict[str, list[object]], count: int, at_once: int) -> list[Line]:
    guard, loose, strict = client(about)
    datasets = evaluate.Datasets(store=pki.store())

    async def whole() -> None:
        async with session():
            await one(guard, loose, strict, datasets)

    await whole()
    if guard.resolver.sent != _QUESTIONS:  # type: ignore[attr-defined] # a counting one
        raise RuntimeError("a scan asks other questions than the bare client; see _QUESTIONS")
    observation = await timed(count, at_once, whole)
    context = trusting_nobody()
    plain = await timed(count, at_once, lambda: bare(guard, context))
    return [Line("a domain's scan, evaluated", observation, plain, "the same requests, bare", "ms", HIGHEST_RATIO)]


async def run(count: int = 200, at_once: int = 50) -> list[Line]:
    """Serve the lab from a process of its own, and compare."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        about = await asyncio.to_thread(lambda: json.loads(here.recv()))
        return await _compared(about, count, at_once)
    finally:
        server.terminate()
        server.join(10)


if __name__ == "__main__":
    print(printed(uvloop.run(run(*(int(argument) for argument in sys.argv[1:])))))
