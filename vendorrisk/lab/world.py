"""A small internet on loopback: one name server, and for each vendor an address with its web servers.

    async with lab(zone) as world:
        web = await world.host("127.0.0.2", tls=server_context(leaf()))
        await tls.scan_certificate("acme.test", guard=world.guard, fetcher=world.fetcher)

Names end in `.test`. Each address of 127.0.0.0/8 is a machine of its own. Ports 80, 443 and 43 are mapped to the real
free ports of its servers. A port without a server is closed.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from vendorrisk.egress.fetcher import Fetcher, Limits
from vendorrisk.egress.guard import Guard, LoopbackOverride
from vendorrisk.egress.resolver import Resolver
from vendorrisk.lab import feeds, pki, registry
from vendorrisk.lab.dns import DnsFake, Zone, dns_fake
from vendorrisk.lab.http import HttpFake, Reply, http_fake, tcp_fake
from vendorrisk.sandbox.running import Sandbox

_CLOSED = 1
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def trusting_nobody() -> ssl.SSLContext:
    """A client that takes any certificate, as scans of web sites do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def trusting_lab() -> ssl.SSLContext:
    """A client that takes the lab's root alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    from cryptography.hazmat.primitives.serialization import Encoding

    context.load_verify_locations(cadata=pki.root().certificate.public_bytes(Encoding.PEM).decode())
    return context


@dataclass
class Lab:
    dns: DnsFake
    guard: Guard
    fetcher: Fetcher
    strict: Fetcher
    loopback: LoopbackOverride
    ports: dict[tuple[str, int], int]
    stack: AsyncExitStack
    hosts: dict[str, HttpFake] = field(default_factory=dict)
    sandbox: Sandbox = field(default_factory=Sandbox)

    @property
    def resolver(self) -> Resolver:
        return self.guard.resolver

    async def host(self, address: str, *, tls: ssl.SSLContext | None = None, port: int = 0) -> HttpFake:
        """Start a web server at an address: port 443 with `tls`, port 80 without."""
        server = await self.stack.enter_async_context(http_fake(tls=tls, host=address))
        self._map(address, port or (443 if tls else 80), server.port)
        return server

    async def raw(self, address: str, port: int, script: Script) -> None:
        """Start a server that speaks by a script."""
        real = await self.stack.enter_async_context(tcp_fake(script, host=address))
        self._map(address, port, real)

    def _map(self, address: str, port: int, real: int) -> None:
        self.ports[address, port] = real
        self.loopback.map(address, port, real)


@asynccontextmanager
async def lab(
    zone: Zone | None = None, *, seconds: float = 3.0, dns_seconds: float = 1.0, authenticated: bool = False
) -> AsyncIterator[Lab]:
    """Open the lab. A question to its name server may take `dns_seconds`, with two tries."""
    ports: dict[tuple[str, int], int] = {("", 80): _CLOSED, ("", 443): _CLOSED, ("", 43): _CLOSED}
    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(dns_fake(zone or {}, authenticated=authenticated))
        resolver = Resolver([names.address], try_seconds=dns_seconds / 2, lifetime_seconds=dns_seconds)
        loopback = LoopbackOverride(["127.0.0.0/8"], ports)
        guard = Guard(resolver, loopback=loopback)
        limits = Limits(total_seconds=seconds)
        agent = "vendorrisk/1 (+https://example.org/bot)"
        loose = Fetcher(guard, user_agent=agent, limits=limits, tls=trusting_nobody())
        strict = Fetcher(guard, user_agent=agent, limits=limits, tls=trusting_lab())
        yield Lab(names, guard, loose, strict, loopback, ports, stack)
        await loose.aclose()
        await strict.aclose()


PAGE = b"<html><head><title>Acme</title></head><body><script src='/app.js'></script>Welcome</body></html>"
GOOD_HEADERS = [
    ("Content-Type", "text/html; charset=utf-8"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
    ("Content-Security-Policy", "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Set-Cookie", "session=canary-secret; Secure; HttpOnly; SameSite=Lax; Path=/"),
    ("Server", "acme"),
]
SECURITY_TXT = b"Contact: mailto:security@acme.test\nExpires: 2027-06-01T00:00:00Z\nPolicy: https://acme.test/policy\n"
MTA_STS = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.acme.test\r\nmx: *.mail.test\r\nmax_age: 604800\r\n"


def good_zone(domain: str = "acme.test", address: str = "127.0.0.2") -> Zone:
    """A vendor that does everything right, on one machine."""
    return {
        (domain, "A"): [address],
        (f"www.{domain}", "A"): [address],
        (f"mta-sts.{domain}", "A"): [address],
        (f"status.{domain}", "A"): [address],
        (domain, "SOA"): [f"ns1.{domain}. hostmaster.{domain}. 1 7200 3600 1209600 300"],
        (domain, "NS"): [f"ns1.{domain}.", f"ns2.{domain}."],
        (f"ns1.{domain}", "A"): ["198.51.100.1"],
        (f"ns2.{domain}", "A"): ["203.0.113.1"],
        (domain, "CAA"): ['0 issue "letsencrypt.org"'],
        (domain, "MX"): [f"10 mx1.{domain}.", "20 mx2.mail.test."],
        (f"mx1.{domain}", "A"): ["8.8.8.8"],
        ("mx2.mail.test", "A"): ["8.8.4.4"],
        (domain, "TXT"): ['"v=spf1 mx include:_spf.mail.test -all"', '"some-site-verification=1"'],
        ("_spf.mail.test", "TXT"): ['"v=spf1 ip4:192.0.2.0/28 -all"'],
        (f"_dmarc.{domain}", "TXT"): [f'"v=DMARC1; p=reject; rua=mailto:d@{domain}"'],
        (f"_mta-sts.{domain}", "TXT"): ['"v=STSv1; id=20261101"'],
        (f"_smtp._tls.{domain}", "TXT"): [f'"v=TLSRPTv1; rua=mailto:tls@{domain}"'],
        ("rdap.test", "A"): ["127.0.0.200"],
        ("whois.iana.org", "A"): ["127.0.0.201"],
        ("whois.nic.test", "A"): ["127.0.0.202"],
    }


async def good_vendor(world: Lab, domain: str = "acme.test", address: str = "127.0.0.2") -> HttpFake:
    """Start the web servers of a vendor that does everything right."""
    made = pki.leaf(pki.Wish(names=(domain, f"*.{domain}")))
    secure = await world.host(address, tls=pki.server_context(made))
    plain = await world.host(address)
    plain.on("*", lambda request: Reply(301, [("Location", f"https://{request.headers['host']}{request.target}")]))
    secure.on("/", Reply(200, list(GOOD_HEADERS), PAGE))
    secure.on("/.well-known/security.txt", Reply(200, [("Content-Type", "text/plain; charset=utf-8")], SECURITY_TXT))
    policy = MTA_STS.replace(b"acme.test", domain.encode())
    secure.on("/.well-known/mta-sts.txt", Reply(200, [("Content-Type", "text/plain")], policy))
    secure.on("/api/v2/summary.json", Reply(200, [("Content-Type", "application/json")], feeds.statuspage()))
    secure.on("/api/v2/incidents.json", Reply(200, [("Content-Type", "application/json")], feeds.incidents()))
    return secure


async def registries(world: Lab, domain: str = "acme.test") -> registry.WhoisServer:
    """Start RDAP for `.test` and the WHOIS servers that IANA would name."""
    made = pki.leaf(pki.Wish(names=("rdap.test",)))
    rdap = await world.host("127.0.0.200", tls=pki.server_context(made))
    rdap.on("*", lambda request: Reply(
        200, [("Content-Type", "application/rdap+json")],
        registry.rdap_domain(request.path.rpartition("/")[2]),
    ))  # fmt: skip
    await world.raw("127.0.0.201", 43, registry.WhoisServer(otherwise="refer: x\nwhois: whois.nic.test\n"))
    nic = registry.WhoisServer({domain: registry.DIALECTS["gtld"]}, otherwise=registry.NOT_FOUND[0])
    await world.raw("127.0.0.202", 43, nic)
    return nic
