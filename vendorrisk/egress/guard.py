"""The guard: a host becomes its vetted addresses, or a refusal.

Both address families are queried once, and one private address among many refuses the host: a server that answers with
both is either broken or an attack. A family without an answer (SERVFAIL, timeout) refuses as well: half an answer is
not a vetted one.
"""

import asyncio
import ipaddress
import re
from collections.abc import Mapping, Sequence

import dns.rdata
import msgspec

from vendorrisk.egress.addresses import is_public
from vendorrisk.egress.hosts import normalise_host
from vendorrisk.egress.pacing import Pacer
from vendorrisk.egress.reasons import EgressError, Reason
from vendorrisk.egress.resolver import Answer, Outcome, Resolver, parse_servers, system_servers
from vendorrisk.settings import SettingError, Settings

WEB_PORTS = frozenset({80, 443})
WHOIS_PORT, DNS_PORT = 43, 53
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_INSIDE = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
"""Private networks (RFC 1918, RFC 4193). Loopback, link-local and metadata addresses are in none of them."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Vetted(msgspec.Struct, frozen=True):
    """A host and the addresses that may be dialled for it, IPv4 first. Made by `Guard.resolve` alone."""

    host: str
    addresses: tuple[str, ...]


class LoopbackOverride:
    """For tests: loopback networks that count as public, `.test` names, and a port map. Takes no other network.

    `ports` maps an (address, port) or (`""`, port) a test asks for to the one its server really has.
    """

    def __init__(self, networks: Sequence[str], ports: Mapping[tuple[str, int], int] | None = None) -> None:
        self._networks: list[_Network] = [ipaddress.ip_network(text) for text in networks]
        for network in self._networks:
            if not any(network.version == own.version and _within(network, own) for own in _LOOPBACK):
                raise ValueError(f"{network} is not a loopback network. The test override takes only these")
        self._ports = dict(ports or {})

    def allows(self, address: str) -> bool:
        """Return True if a literal lies in the networks. Mapped and scoped spellings do not."""
        parsed = ipaddress.ip_address(address)
        return any(parsed in network for network in self._networks)

    def map(self, address: str, port: int, real: int) -> None:
        """Lead a port of an address to the one its server really has."""
        self._ports[address, port] = real

    def port(self, address: str, port: int) -> int:
        """Return the port to dial in place of `port`."""
        return self._ports.get((address, port), self._ports.get(("", port), port))


class Guard:
    """Decides which host, address and port may be reached, and dials nothing itself."""

    def __init__(
        self,
        resolver: Resolver,
        *,
        ports: frozenset[int] = WEB_PORTS,
        loopback: LoopbackOverride | None = None,
        pacer: Pacer | None = None,
        inside: frozenset[str] = frozenset(),
    ) -> None:
        self.resolver = resolver
        self._inside, self._vetted_inside = inside, set[str]()
        self.pacer = pacer
        self._ports = ports
        self._loopback = loopback

    def host(self, name: str) -> str:
        """Return the normalised host, or refuse it (`normalise_host`). A host that the operator lists is allowed."""
        if (plain := name.lower().removesuffix(".")) in self._inside:
            return plain
        return normalise_host(name, test_names=self._loopback is not None)

    def port(self, port: int) -> int:
        """Return a port that URLs may name, or refuse it."""
        if port not in self._ports:
            raise EgressError(Reason.PORT, f"port {port} is not one of {sorted(self._ports)}")
        return port

    async def resolve(self, name: str) -> Vetted:
        """Look a host up once and vet every address in the answer."""
        host = self.host(name)
        four, six = await asyncio.gather(self.resolver.ask(host, "A"), self.resolver.ask(host, "AAAA"))
        addresses = tuple(_address(record) for answer in (four, six) for record in _records(answer))
        if not addresses:
            raise EgressError(Reason.DNS_NODATA, f"{host} has no address")
        for address in addresses:
            if host in self._inside and _is_inside(address):
                self._vetted_inside.add(address)
            elif not self._may_dial(address):
                raise EgressError(Reason.ADDRESS, f"{host} has the address {address}, which is not public")
        return Vetted(host, addresses)

    def target(self, address: str, port: int) -> tuple[str, int]:
        """Return the socket's address for a vetted address, after vetting it once more."""
        if not self._may_dial(address) and address not in self._vetted_inside:
            raise EgressError(Reason.ADDRESS, f"{address} is not public")
        return address, port if self._loopback is None else self._loopback.port(address, port)

    async def ask_server(self, address: str, name: str, kind: str) -> Answer:
        """Query one name server at a literal address, as any resolver would. Refuses an address that is not public."""
        server = self.target(address, DNS_PORT)
        return await Resolver([server], try_seconds=1.5, lifetime_seconds=3.5).ask(name, kind)

    async def turn(self, host: str, address: str) -> None:
        """Wait until a connection is polite. Without a pacer it always is."""
        if self.pacer is not None:
            await self.pacer.turn(host, address)

    async def back_off(self, host: str, seconds: float) -> None:
        """Record that a host asked for a back-off. Without a pacer this has no effect."""
        if self.pacer is not None:
            await self.pacer.back_off(host, seconds)

    def _may_dial(self, address: str) -> bool:
        return is_public(address) or (self._loopback is not None and self._loopback.allows(address))


def inside_hosts(settings: Settings) -> frozenset[str]:
    """Return the hosts of VENDORRISK_WEBHOOK_INSIDE_HOSTS. Raises `SettingError` for one that is no name."""
    hosts = frozenset(part.strip().lower().removesuffix(".") for part in settings.webhook_inside_hosts.split(","))
    for host in hosts - {""}:
        if not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
            how = "It takes names of hosts, separated by commas, like hooks.corp.internal"
            raise SettingError(f"VENDORRISK_WEBHOOK_INSIDE_HOSTS: {host[:80]!r} is no name of a host. {how}")
    return hosts - {""}


def guard_from(settings: Settings, *, inside: frozenset[str] = frozenset()) -> Guard:
    """Make the guard that the settings describe. Raises `SettingError` for test switches in production.

    Hosts of `inside` may have private addresses: those of messages, and never those of scans.
    """
    loopback: LoopbackOverride | None = None
    if settings.egress_test_networks or settings.egress_test_ports:
        if settings.environment == "production":
            raise SettingError("VENDORRISK_EGRESS_TEST_… is for tests. Unset it, or set VENDORRISK_ENVIRONMENT=test")
        loopback = _loopback(settings)
    try:
        servers = parse_servers(settings.egress_resolvers) or system_servers()
    except ValueError:
        how = "Send addresses, separated by commas, like 9.9.9.9 or [2620:fe::fe]:53."
        raise SettingError(f"VENDORRISK_EGRESS_RESOLVERS: One of these is no address. {how}") from None
    return Guard(Resolver(servers), loopback=loopback, inside=inside)


def _loopback(settings: Settings) -> LoopbackOverride:
    networks = [part.strip() for part in settings.egress_test_networks.split(",") if part.strip()]
    if not networks:
        raise SettingError("VENDORRISK_EGRESS_TEST_PORTS works only with VENDORRISK_EGRESS_TEST_NETWORKS")
    try:
        return LoopbackOverride(networks, parse_ports(settings.egress_test_ports))
    except ValueError:
        how = "Send networks of loopback, like 127.0.0.0/8, and ports, like 8080,8081."
        raise SettingError(f"VENDORRISK_EGRESS_TEST_…: One of these cannot be used. {how}") from None


def parse_ports(text: str) -> dict[tuple[str, int], int]:
    """Read `443=8443,127.0.0.2:443=9443`: the port asked for, on one address or on all, and the real one."""
    ports: dict[tuple[str, int], int] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = re.fullmatch(r"(?:\[?([0-9a-fA-F:.]+?)\]?:)?(\d+)=(\d+)", part)
        if match is None:
            raise ValueError(f"{part!r} is not port=port or address:port=port")
        ports[match[1] or "", int(match[2])] = int(match[3])
    return ports


def _records(answer: Answer) -> tuple[dns.rdata.Rdata, ...]:
    if answer.outcome in (Outcome.OK, Outcome.NODATA):
        return answer.records
    raise EgressError(Reason(f"dns_{answer.outcome.value}"), f"{answer.name} {answer.kind}")


def _address(record: dns.rdata.Rdata) -> str:
    return str(ipaddress.ip_address(record.to_text()))


def _is_inside(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in _INSIDE if network.version == parsed.version)


def _within(network: _Network, own: _Network) -> bool:
    return int(network.network_address) >= int(own.network_address) and int(network.broadcast_address) <= int(
        own.broadcast_address
    )
