"""The scan of a domain's DNS: name servers, DNSSEC, CAA, mail hosts, and dangling aliases.

The scan queries the resolver, and each name server once. An alias into a service that has a page of its own for
unclaimed names costs one more web request.
"""

import ipaddress
from collections.abc import Mapping

import msgspec

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.guard import Guard
from vendorrisk.egress.reasons import EgressError
from vendorrisk.egress.resolver import Resolver
from vendorrisk.probes.dns.delegation import ask_servers
from vendorrisk.probes.dns.dns_lookups import NOT_ASKED, Answers, as_lookup, ask_all, key
from vendorrisk.probes.dns.takeover import service_with_a_page
from vendorrisk.probes.mail.mail_setup import MOST_MX, mail_hosts
from vendorrisk.probes.observation import Lookup, Raw, Unknown
from vendorrisk.probes.public_suffix import parents, registrable_domain

MOST_SERVERS = 8
MOST_ALIASES = 8


class DnsObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="dns"):
    """`domain` is the scanned name. If it is a host, only its own aliases were scanned.

    `hosts` are the vendor's names whose aliases are followed to addresses. `unchecked` is the SOA's outcome without
    validation.

    `unclaimed` maps each host behind such an alias to whether it shows its service's page for unclaimed names.
    `servers` holds the outcome of querying each name server.
    """

    domain: str
    answers: dict[str, Lookup]
    hosts: tuple[str, ...] = ()
    unchecked: Lookup | None = None
    unclaimed: dict[str, bool | Unknown] = msgspec.field(default_factory=dict)
    servers: dict[str, str] = msgspec.field(default_factory=dict)


def alias_of(found: Lookup) -> str:
    return found.records[0] if found.records else ""


def plan(answers: Answers, domain: str, hosts: tuple[str, ...]) -> None:
    """Read everything the DNS rules need."""
    answers.get(domain, "SOA")
    answers.get(domain, "DS")
    for server in name_servers(answers, domain)[:MOST_SERVERS]:
        server_addresses(answers, server)
    caa_records(answers, domain)
    for host in mail_hosts(answers.get(domain, "MX"))[:MOST_MX]:
        for kind in ("CNAME", "A", "AAAA"):
            answers.get(host, kind)
    for host in hosts:
        host_addresses(answers, host)


def server_addresses(answers: Answers, server: str) -> tuple[Lookup, ...]:
    """Ask for a name server's addresses: those of IPv6 only where it has none of IPv4."""
    four = answers.get(server, "A")
    return (four,) if four.records or four == NOT_ASKED else (four, answers.get(server, "AAAA"))


def host_addresses(answers: Answers, host: str) -> tuple[str, ...]:
    """Return the addresses that a host leads to, at the end of its aliases."""
    chain, _ = aliases(answers, host)
    return tuple(record for found in server_addresses(answers, (host, *chain)[-1]) for record in found.records)


def zone_of(domain: str) -> str:
    """Return the name whose delegation is evaluated, the registered domain."""
    return registrable_domain(domain) or domain


def name_servers(answers: Answers, domain: str) -> tuple[str, ...]:
    return answers.get(zone_of(domain), "NS").records


def caa_records(answers: Answers, domain: str) -> Lookup:
    """Climb to the nearest CAA set (RFC 8659, section 3), up to but not into the top level."""
    found = Lookup(outcome="nodata")
    for name in parents(domain)[:-1] or (domain,):
        found = answers.get(name, "CAA")
        if found.records or found.unknown:
            return found
    return found


def aliases(answers: Answers, host: str) -> tuple[tuple[str, ...], Lookup]:
    """Follow a host's CNAMEs one by one. Return them with the outcome of the last name's address look-up."""
    chain: list[str] = []
    name = host
    for _ in range(MOST_ALIASES):
        found = answers.get(name, "CNAME")
        target = alias_of(found)
        if not target or target in chain:
            break
        chain.append(target)
        name = target
    return tuple(chain), answers.get(name, "A") if chain else Lookup(outcome="nodata")


async def scan(
    domain: str,
    *,
    resolver: Resolver,
    hosts: tuple[str, ...] = (),
    fetcher: Fetcher | None = None,
    guard: Guard | None = None,
) -> DnsObservation:
    """Scan a domain's DNS. Without `fetcher` and `guard`, the domain's own machines get no request.

    `fetcher` should not verify certificates: a service has none for an unclaimed name.
    """
    table = await ask_all(resolver, lambda answers: plan(answers, domain, hosts))
    observation = DnsObservation(
        domain=domain,
        answers=table,
        hosts=hosts,
        unclaimed=await _unclaimed(table, hosts, fetcher),
        servers=await ask_servers(zone_of(domain), _first_addresses(table, domain), guard) if guard else {},
    )
    if table.get(key(domain, "SOA"), Lookup(outcome="")).outcome != "servfail":
        return observation
    # A validating resolver answers SERVFAIL for a bogus zone, and answers normally with checking disabled.
    unchecked = await resolver.ask(domain, "SOA", checking_disabled=True)
    return msgspec.structs.replace(observation, unchecked=as_lookup(unchecked))


async def scan_host(host: str, *, resolver: Resolver, fetcher: Fetcher | None = None) -> DnsObservation:
    """Scan only the targets of a host's aliases. All other parts belong to its domain's scan."""
    table = await ask_all(resolver, lambda answers: host_addresses(answers, host))
    return DnsObservation(
        domain=host, answers=table, hosts=(host,), unclaimed=await _unclaimed(table, (host,), fetcher)
    )


def _first_addresses(table: Mapping[str, Lookup], domain: str) -> dict[str, str]:
    answers = Answers(table)
    found = {server: server_addresses(answers, server) for server in name_servers(answers, domain)[:MOST_SERVERS]}
    return {server: one.records[0] for server, lookups in found.items() for one in lookups[-1:] if one.records}


async def _unclaimed(
    table: Mapping[str, Lookup], hosts: tuple[str, ...], fetcher: Fetcher | None
) -> dict[str, bool | Unknown]:
    found: dict[str, bool | Unknown] = {}
    for host in hosts:
        chain, end = aliases(Answers(table), host)
        service = service_with_a_page(chain[-1]) if chain and end.records else None
        if service is not None:
            found[host] = await _shows(service.page, host, fetcher)
    return found


async def _shows(words: str, host: str, fetcher: Fetcher | None) -> bool | Unknown:
    if fetcher is None:
        return Unknown(reason="opt_out")
    try:
        response = await fetcher.get_once(f"https://{host}/")
    except EgressError as error:
        return Unknown(reason=error.reason.value)
    return words in response.body.decode("utf-8", "replace")


def networks(addresses: tuple[str, ...]) -> frozenset[str]:
    """Return the /24 and /48 networks that addresses lie in."""
    found = set()
    for address in addresses:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            continue
        length = 24 if parsed.version == 4 else 48  # noqa: PLR2004 - IP version
        found.add(str(ipaddress.ip_network(f"{parsed}/{length}", strict=False)))
    return frozenset(found)
