"""The scan of a domain's mail: DNS alone, and one policy file. No SMTP connection is made."""

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError
from vendorrisk.egress.resolver import Resolver
from vendorrisk.probes.dns.dns_lookups import Answers, ask_all
from vendorrisk.probes.dns.dns_records import versioned
from vendorrisk.probes.mail import dmarc, spf_audit
from vendorrisk.probes.observation import Lookup, Raw, Unknown

SELECTORS = (
    "default", "selector1", "selector2", "google", "k1", "k2", "k3", "s1", "s2", "dkim", "mail", "smtp", "mandrill",
    "fm1", "fm2", "zoho", "pm", "mxvault", "protonmail", "amazonses",
)  # fmt: skip
"""The selectors that large senders use by default: twenty, and no more are ever tried."""

MOST_MX = 8
_POLICY_BYTES = 64 * 1024


class PolicyFile(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="policy_file"):
    """The MTA-STS policy as it was served, with its body only if the status was 200."""

    status: int
    plain_text: bool = False
    body: str = ""


class EmailObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="email"):
    domain: str
    answers: dict[str, Lookup]
    mta_sts: PolicyFile | Unknown | None = None
    with_dkim: bool = False


def mail_hosts(found: Lookup) -> tuple[str, ...]:
    """Return the MX hosts by name. A null MX (RFC 7505) is no host."""
    return tuple(host for record in found.records if (host := record.partition(" ")[2]))


def is_null_mx(found: Lookup) -> bool:
    return bool(found.records) and not mail_hosts(found)


def plan(answers: Answers, domain: str, *, with_dkim: bool) -> None:
    """Read everything the mail rules need."""
    mx = answers.get(domain, "MX")
    spf_audit.audit(answers, domain)
    found = dmarc.discover(answers, domain)
    if found.policy is not None:
        for receiver in dmarc.foreign_receivers(found.policy, found.at):
            answers.get(dmarc.consent_name(found.at, receiver), "TXT")
    for name in (f"_mta-sts.{domain}", f"_smtp._tls.{domain}", f"default._bimi.{domain}"):
        answers.get(name, "TXT")
    for host in mail_hosts(mx)[:MOST_MX]:
        answers.get(f"_25._tcp.{host}", "TLSA")
    for selector in SELECTORS if with_dkim else ():
        answers.get(f"{selector}._domainkey.{domain}", "TXT")


async def scan(
    domain: str, *, resolver: Resolver, strict_fetcher: Fetcher, with_dkim: bool = True, with_policy: bool = True
) -> EmailObservation:
    """Scan a domain's mail. `strict_fetcher` must verify certificates, as RFC 8461 requires for a policy.

    Without `with_policy` no request goes to the domain's own machines.
    """
    table = await ask_all(resolver, lambda answers: plan(answers, domain, with_dkim=with_dkim))
    announced = versioned(table.get(f"_mta-sts.{domain}/TXT", Lookup(outcome="not_asked")).records, "STSv1")
    policy: PolicyFile | Unknown | None = None
    if announced:
        policy = await _policy(domain, strict_fetcher) if with_policy else Unknown(reason="opt_out")
    return EmailObservation(domain=domain, answers=table, mta_sts=policy, with_dkim=with_dkim)


async def _policy(domain: str, fetcher: Fetcher) -> PolicyFile | Unknown:
    try:
        fetched = await fetcher.get_once(f"https://mta-sts.{domain}/.well-known/mta-sts.txt")
    except EgressError as error:
        return Unknown(reason=error.reason.value)
    if fetched.status != 200:  # noqa: PLR2004 - HTTP
        return PolicyFile(status=fetched.status)
    kind = (fetched.header("content-type") or "").partition(";")[0].strip().lower()
    body = fetched.body[:_POLICY_BYTES].decode("utf-8", "replace")
    return PolicyFile(status=200, plain_text=kind == "text/plain", body=body)
