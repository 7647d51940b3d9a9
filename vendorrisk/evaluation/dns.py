"""Evaluation of a domain's DNS: delegation, DNSSEC, CAA, mail hosts, dangling aliases."""

import ipaddress

from vendorrisk.egress.addresses import is_public
from vendorrisk.evaluation.model import Evaluation, Facts, RuleSeverity
from vendorrisk.evaluation.results import failed, inapplicable, passed, unknown, warned
from vendorrisk.evaluation.rules import RULES
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.dns.dns_records import issuers, limits_issue
from vendorrisk.probes.dns.dns_setup import (
    MOST_SERVERS,
    DnsObservation,
    aliases,
    caa_records,
    name_servers,
    networks,
    server_addresses,
    zone_of,
)
from vendorrisk.probes.dns.takeover import service_of
from vendorrisk.probes.mail.mail_setup import MOST_MX, is_null_mx, mail_hosts
from vendorrisk.probes.observation import Lookup, Unknown
from vendorrisk.probes.public_suffix import is_registered_at_a_registry

_LEAST_SERVERS = 2


def evaluate(observation: DnsObservation) -> tuple[Evaluation, ...]:
    """Evaluate every DNS rule. Dangling aliases are evaluated once for each host."""
    answers = Answers(observation.answers)
    return (
        _servers(answers, observation),
        _dnssec(answers, observation),
        _caa(answers, observation.domain),
        _mail_hosts(answers, observation.domain),
        *(_dangling(answers, host, observation.unclaimed.get(host)) for host in observation.hosts),
    )


def _addresses(answers: Answers, host: str) -> tuple[tuple[str, ...], str]:
    """Return a host's addresses, and why they may not be all."""
    return _joined((answers.get(host, "A"), answers.get(host, "AAAA")))


def _joined(found: tuple[Lookup, ...]) -> tuple[tuple[str, ...], str]:
    return tuple(r for f in found for r in f.records), next((f.unknown for f in found if f.unknown), "")


def _servers(answers: Answers, observation: DnsObservation) -> Evaluation:
    """Evaluate the delegation.

    A silent server is unknown. If all are silent, the cause is our network, and the servers are left out.
    """
    rule, found = "dns.ns", answers.get(zone_of(observation.domain), "NS")
    if found.unknown:
        return unknown(rule, found.unknown)
    servers = name_servers(answers, observation.domain)
    facts: Facts = {"servers": servers}
    if not servers and not is_registered_at_a_registry(zone_of(observation.domain)):
        return inapplicable(rule, "no_own_delegation", "The name is lent under another's, and served with it.")
    if not servers:
        return unknown(rule, "no_delegation", "The domain has no name servers of its own to evaluate.")
    seen = {server: _joined(server_addresses(answers, server)) for server in servers[:MOST_SERVERS]}
    why_unknown = next((why for addresses, why in seen.values() if why and not addresses), "")
    dead = tuple(s for s, (addresses, why) in seen.items() if (not addresses and not why) or _is_lame(observation, s))
    if len(servers) < _LEAST_SERVERS:
        return failed(rule, "one_server", "There is one name server only.", evidence=facts)
    if len(seen) - len(dead) < _LEAST_SERVERS and not why_unknown:
        words = f"{', '.join(dead)} does not serve the domain, which leaves fewer than two name servers."
        return failed(rule, "servers_dead", words, evidence=facts)
    if why_unknown:
        return unknown(rule, why_unknown)
    if dead:
        words = "does not answer for the domain" if _is_lame(observation, dead[0]) else "has no address"
        return warned(rule, "server_dead", f"{dead[0]} {words}.", evidence=facts)
    if {"timeout", "ok"} <= set(observation.servers.values()):
        return unknown(rule, "dns_timeout", "A name server did not answer, while others did.", evidence=facts)
    if len(networks(tuple(a for addresses, _ in seen.values() for a in addresses))) < _LEAST_SERVERS:
        return warned(rule, "one_network", "All name servers are in one network.", evidence=facts)
    return passed(rule, "spread", f"{len(servers)} name servers in several networks.", evidence=facts)


def _is_lame(observation: DnsObservation, server: str) -> bool:
    """Whether a server that the domain is delegated to says that it knows nothing of it."""
    return observation.servers.get(server) in {"refused", "servfail", "nxdomain", "nodata"}


def _dnssec(answers: Answers, observation: DnsObservation) -> Evaluation:
    rule, soa, ds = "dns.dnssec", answers.get(observation.domain, "SOA"), answers.get(observation.domain, "DS")
    if (
        soa.unknown == "dns_servfail"
        and observation.unchecked is not None
        and observation.unchecked.outcome in {"ok", "nodata"}
    ):
        words = "Validating resolvers refuse the domain: its signatures do not hold."
        return failed(rule, "bogus", words)
    if soa.unknown:
        return unknown(rule, soa.unknown)
    if soa.authenticated:
        return passed(rule, "validated", "Answers are signed and validate.")
    if ds.unknown:
        return unknown(rule, ds.unknown)
    if ds.records:
        words = "The domain is signed, but our resolver does not validate. Point it at a validating one."
        return unknown(rule, "resolver_not_validating", words)
    return warned(rule, "insecure", "The domain is not signed.", severity=RuleSeverity.LOW)


def _caa(answers: Answers, domain: str) -> Evaluation:
    rule, found = "dns.caa", caa_records(answers, domain)
    if found.unknown:
        return unknown(rule, found.unknown)
    if not found.records:
        return warned(rule, "absent", "Any authority may issue certificates for the domain.")
    facts: Facts = {"issuers": issuers(found.records)}
    if not limits_issue(found.records):
        return warned(rule, "no_issue", "The CAA records name no issuer, so any may issue.", evidence=facts)
    return passed(rule, "limited", "CAA limits the issuers.", evidence=facts)


def _mail_hosts(answers: Answers, domain: str) -> Evaluation:
    rule, mx = "dns.mx", answers.get(domain, "MX")
    if mx.unknown:
        return unknown(rule, mx.unknown)
    if not mx.records or is_null_mx(mx):
        return inapplicable(rule, "no_mail", "The domain receives no mail.")
    evaluated = [_mail_host(answers, rule, host) for host in mail_hosts(mx)[:MOST_MX]]
    for verdict in ("fail", "unknown"):
        for evaluation in evaluated:
            if evaluation.verdict.value == verdict:
                return evaluation
    return passed(rule, "well_formed", "Every MX host has public addresses.")


def _mail_host(answers: Answers, rule: str, host: str) -> Evaluation:
    facts: Facts = {"host": host}
    if _is_address(host):
        return failed(rule, "address", f"The MX {host} is an address, which MX may not be.", evidence=facts)
    alias = answers.get(host, "CNAME")
    if alias.records:
        return failed(rule, "alias", f"The MX {host} is an alias (RFC 2181, 10.3).", evidence=facts)
    addresses, why_unknown = _addresses(answers, host)
    private = [a for a in addresses if not _may_be_public(a)]
    if private:
        return failed(rule, "private", f"The MX {host} has the private address {private[0]}.", evidence=facts)
    if why_unknown or alias.unknown:
        return unknown(rule, why_unknown or alias.unknown)
    if not addresses:
        return failed(rule, "no_address", f"The MX {host} has no address.", evidence=facts)
    return passed(rule, "well_formed", "", evidence=facts)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _may_be_public(address: str) -> bool:
    try:
        return is_public(address)
    except ValueError:
        return False


def _dangling(answers: Answers, host: str, unclaimed: bool | Unknown | None) -> Evaluation:  # noqa: FBT001 - as observed
    """A dangling alias is one that leads to a claimable service, at a name that does not exist there.

    One that is alive, and shows the service's own page for names nobody has claimed, is only likely to be one.
    """
    rule = "dns.dangling"
    chain, end = aliases(answers, host)
    first = answers.get(host, "CNAME")
    if first.unknown:
        return unknown(rule, first.unknown, subject=host)
    if not chain:
        return passed(rule, "no_alias", f"{host} is no alias.", subject=host)
    service = service_of(chain[-1])
    facts: Facts = {"target": chain[-1]}
    if end.unknown:
        return unknown(rule, end.unknown, subject=host)
    if isinstance(unclaimed, Unknown):
        return unknown(rule, unclaimed.reason, subject=host, evidence=facts)
    if service is not None and unclaimed:
        words = f"{host} shows {service.name}'s page for unclaimed names."
        return warned(rule, "unclaimed_page", words, subject=host, evidence=facts, confidence_percent=60)
    if service is None or end.outcome != "nxdomain":
        reason = "alias_alive" if end.outcome != "nxdomain" else "alias_dead"
        words = f"{host} leads to {chain[-1]}, which nobody else can claim."
        return passed(rule, reason, words, subject=host, evidence=facts)
    words = f"{host} leads to {chain[-1]} at {service.name}, which does not exist: anyone may claim it."
    return failed(rule, "claimable", words, cap=RULES[rule].cap, subject=host, evidence=facts, confidence_percent=80)
