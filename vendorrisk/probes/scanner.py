"""The scanner: the interface to the outside world, and the adapter that really connects to it.

It has one method for each group of signals. Each returns an observation and never raises for faults of the other side.
Politeness across scans (one at a time per registrable domain, budgets a day, opt-out) is the caller's task: only the
caller knows the other workers' scans. Within a scan, requests to a host go one after another.
"""

import ssl
from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from vendorrisk.egress.fetcher import Fetcher, Limits
from vendorrisk.egress.guard import Guard
from vendorrisk.probes import reading
from vendorrisk.probes.dns import dns_setup
from vendorrisk.probes.dns.dns_lookups import as_lookup
from vendorrisk.probes.dns.dns_setup import DnsObservation
from vendorrisk.probes.feeds import feed_parser
from vendorrisk.probes.mail import mail_setup
from vendorrisk.probes.mail.mail_setup import EmailObservation
from vendorrisk.probes.observation import Lookup, Unknown
from vendorrisk.probes.registration import domain_registration
from vendorrisk.probes.registration.domain_registration import RegObservation
from vendorrisk.probes.registration.whois_fallback import WhoisOpinions
from vendorrisk.probes.tls import handshake
from vendorrisk.probes.tls.handshake import CertObservation, HelloObservation
from vendorrisk.probes.web import pages, robots_txt, site, status_page
from vendorrisk.probes.web.pages import PageObservation
from vendorrisk.probes.web.robots_txt import Robots
from vendorrisk.probes.web.site import WebObservation
from vendorrisk.probes.web.status_page import StatusObservation
from vendorrisk.sandbox.running import Sandbox

T = TypeVar("T")
ROBOT_VERSION = 1
REGISTRY_IDLE_SECONDS = 20.0
FEED_LIMITS = Limits(wire_bytes=64 * 1024 * 1024, decoded_bytes=64 * 1024 * 1024, total_seconds=120.0)


class Scanner(Protocol):
    """The scans. Hosts and domains are normalised names, URLs are as people entered them.

    Without contact, a scan of DNS queries only the resolver.
    """

    async def dns(self, domain: str, hosts: tuple[str, ...], *, with_contact: bool = True) -> DnsObservation: ...

    async def aliases(self, host: str, *, with_contact: bool = True) -> DnsObservation: ...

    async def addresses(self, host: str) -> Lookup: ...

    async def email(self, domain: str, *, with_dkim: bool, with_policy: bool = True) -> EmailObservation: ...

    async def web(self, host: str, *, with_cors: bool, with_security_txt: bool) -> WebObservation: ...

    async def certificate(self, host: str) -> CertObservation: ...

    async def versions(self, host: str) -> HelloObservation: ...

    async def registration(
        self, domain: str, *, bases: Mapping[str, str], whois_servers: Mapping[str, str]
    ) -> RegObservation: ...

    async def robots(self, host: str) -> Robots: ...

    async def page(self, url: str, *, allowed: Robots, with_text: bool) -> PageObservation: ...

    async def status(self, page_url: str) -> StatusObservation: ...

    async def feed(
        self, url: str, *, etag: str, last_modified: str, token: str = ""
    ) -> feed_parser.Fetched | Unknown: ...

    async def read(self, parser: Callable[[bytes], T], body: bytes, *, about: str) -> T | Unknown:
        """Read a body by a parser, in the sandbox. Unknown if the parser fails."""
        ...


class LiveScanner:
    """Looks through the guard, and reads what it sees in the sandbox. `aclose` when done."""

    def __init__(
        self,
        guard: Guard,
        *,
        contact_url: str,
        sandbox: Sandbox,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        """`trusted` holds the roots for registries, feeds and pages. The default is certifi's roots."""
        agent = f"{robots_txt.ROBOT}/{ROBOT_VERSION} (+{contact_url})"
        self._guard = guard
        self._sandbox = sandbox
        self._second_opinion = WhoisOpinions(sandbox)
        # Web pages are read whatever their certificate: that is evaluated by itself, and nothing secret is sent.
        self._any_certificate = Fetcher(guard, user_agent=agent, tls=_unverified())
        self._strict = Fetcher(guard, user_agent=agent, tls=trusted)
        # One registry answers for all vendors of a top level.
        self._registries = Fetcher(guard, user_agent=agent, tls=trusted, keep_alive_seconds=REGISTRY_IDLE_SECONDS)
        self._feeds = Fetcher(guard, user_agent=agent, limits=FEED_LIMITS, tls=trusted)

    async def dns(self, domain: str, hosts: tuple[str, ...], *, with_contact: bool = True) -> DnsObservation:
        fetcher, guard = (self._any_certificate, self._guard) if with_contact else (None, None)
        return await dns_setup.scan(domain, resolver=self._guard.resolver, hosts=hosts, fetcher=fetcher, guard=guard)

    async def aliases(self, host: str, *, with_contact: bool = True) -> DnsObservation:
        fetcher = self._any_certificate if with_contact else None
        return await dns_setup.scan_host(host, resolver=self._guard.resolver, fetcher=fetcher)

    async def addresses(self, host: str) -> Lookup:
        return as_lookup(await self._guard.resolver.ask(host, "A"))

    async def email(self, domain: str, *, with_dkim: bool, with_policy: bool = True) -> EmailObservation:
        return await mail_setup.scan(
            domain,
            resolver=self._guard.resolver,
            strict_fetcher=self._strict,
            with_dkim=with_dkim,
            with_policy=with_policy,
        )

    async def web(self, host: str, *, with_cors: bool, with_security_txt: bool) -> WebObservation:
        return await site.scan(
            host,
            fetcher=self._any_certificate,
            sandbox=self._sandbox,
            with_cors=with_cors,
            with_security_txt=with_security_txt,
        )

    async def certificate(self, host: str) -> CertObservation:
        return await handshake.scan_certificate(host, guard=self._guard, fetcher=self._strict)

    async def versions(self, host: str) -> HelloObservation:
        return await handshake.scan_versions(host, guard=self._guard)

    async def registration(
        self, domain: str, *, bases: Mapping[str, str], whois_servers: Mapping[str, str]
    ) -> RegObservation:
        return await domain_registration.scan(
            domain,
            fetcher=self._registries,
            guard=self._guard,
            sandbox=self._sandbox,
            bases=bases,
            whois_servers=whois_servers,
            second_opinion=self._second_opinion,
        )

    async def robots(self, host: str) -> Robots:
        # robots.txt is read without checking the certificate. A forged opt-out only makes us skip a scan.
        return await robots_txt.robots(host, fetcher=self._any_certificate, sandbox=self._sandbox)

    async def page(self, url: str, *, allowed: Robots, with_text: bool) -> PageObservation:
        return await pages.scan(url, fetcher=self._strict, sandbox=self._sandbox, allowed=allowed, with_text=with_text)

    async def status(self, page_url: str) -> StatusObservation:
        return await status_page.scan(page_url, fetcher=self._strict, sandbox=self._sandbox)

    async def feed(self, url: str, *, etag: str, last_modified: str, token: str = "") -> feed_parser.Fetched | Unknown:
        return await feed_parser.fetch(url, fetcher=self._feeds, etag=etag, last_modified=last_modified, token=token)

    async def read(self, parser: Callable[[bytes], T], body: bytes, *, about: str) -> T | Unknown:
        return await reading.read(self._sandbox, parser, body, about=about)

    async def aclose(self) -> None:
        for fetcher in (self._any_certificate, self._strict, self._registries, self._feeds):
            await fetcher.aclose()


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
