"""The methodology: every rule, on one page, closed. It is public and versioned.

Weights count inside a factor. Factors weigh `FACTOR_WEIGHTS` of 100. A rule of weight 0 is notified, not scored. Beside
the criteria named here every finding also supports the reader's own CC9.2, CC3.2 and CC4.1.

A change of any input of the score needs a new `MODEL_VERSION`. All vendors are scored again under both versions, and
the difference raises no alert.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial
from types import MappingProxyType

from vendorrisk.evaluation.model import AssetKind, Rule, RuleSeverity, ScanKind, Scope, SignalFactor

MODEL_VERSION = "1.0.0"

SCANNER_VERSION = "2"
"""Increase it when a collector records something else for the same input. It is stored with each run."""

FACTOR_WEIGHTS: Mapping[SignalFactor, int] = MappingProxyType(
    {
        SignalFactor.TLS: 22,
        SignalFactor.WEB: 15,
        SignalFactor.EMAIL: 18,
        SignalFactor.DNS: 15,
        SignalFactor.EXPOSURE: 15,
        SignalFactor.EVENTS: 10,
        SignalFactor.TRANSPARENCY: 5,
    }
)

READERS_CRITERIA = ("CC9.2", "CC3.2", "CC4.1")
"""Criteria of the reader's own audit that watching vendors supports by itself."""

NO_EXPOSURE_FEED = (
    "Shodan InternetDB is offered for convenience, and use inside a product needs its owner's leave: "
    "on only when the operator confirms that leave, or names another feed."
)
_NO_CT = "Needs a certificate-transparency source with a key. The free search page is not fit for scheduled use."
_OPT_IN = "Sends a made-up Origin header: on only where the operator asks for it."

_CRITICAL, _HIGH, _MEDIUM, _LOW, _INFO = tuple(RuleSeverity)
_D, _W, _H = 24, 168, 1


def _rule(
    name: str,
    group: ScanKind,
    cadence_hours: int,
    severity: RuleSeverity,
    weight: int,
    criteria: str,
    observes: str,
    remedy: str,
    *,
    factor: SignalFactor,
    scope: Scope = Scope.DOMAIN,
    confidence: int = 100,
    cap: int | None = None,
    swift: bool = False,
    disabled_reason: str = "",
) -> Rule:
    return Rule(
        id=name,
        factor=factor,
        group=group,
        scope=scope,
        observes=observes,
        cadence_hours=cadence_hours,
        severity=severity,
        weight=weight,
        remedy=remedy,
        criteria=tuple(criteria.split()),
        confidence_percent=confidence,
        cap=cap,
        swift=swift,
        disabled_reason=disabled_reason,
    )


_tls = partial(_rule, factor=SignalFactor.TLS, scope=Scope.HOST)
_web = partial(_rule, factor=SignalFactor.WEB, scope=Scope.HOST)
_email = partial(_rule, factor=SignalFactor.EMAIL)
_dns = partial(_rule, factor=SignalFactor.DNS)
_exposure = partial(_rule, factor=SignalFactor.EXPOSURE)
_event = partial(_rule, factor=SignalFactor.EVENTS)
_openness = partial(_rule, factor=SignalFactor.TRANSPARENCY)

# fmt: off
_TABLE = (
    # ── TLS and certificates: 22
    _tls("tls.https", ScanKind.CERT, _D, _HIGH, 10, "CC6.7",
         "Port 443 completes a TLS handshake wherever port 80 answers.",
         "Serve the site over HTTPS and redirect HTTP to it.", cap=69),
    _tls("tls.cert_expired", ScanKind.CERT, _D, _CRITICAL, 20, "CC6.7 A1.2",
         "The certificate is within its dates.",
         "Renew the certificate now and automate renewal.", cap=59, swift=True),
    _tls("tls.cert_expiring", ScanKind.CERT, _D, _HIGH, 6, "A1.2 CC7.1",
         "The certificate has a fair part of its lifetime left.",
         "Renew the certificate. Automation should do so with a third of the lifetime left."),
    _tls("tls.cert_name", ScanKind.CERT, _D, _HIGH, 14, "CC6.7",
         "The certificate names the host (RFC 9525: subjectAltName only).",
         "Issue a certificate whose subjectAltName holds this host.", cap=69),
    _tls("tls.cert_trust", ScanKind.CERT, _D, _HIGH, 14, "CC6.7",
         "The chain leads to a root of the Mozilla store, and is sent whole.",
         "Use a publicly trusted certificate and send its intermediates.", confidence=95, cap=69),
    _tls("tls.key_sig", ScanKind.CERT, _W, _MEDIUM, 8, "CC6.1 CC6.7",
         "Key and signature are of present strength (RSA ≥ 2048, EC ≥ 224, no DSA, MD5, SHA-1).",
         "Reissue the certificate with an RSA key of 2048 bits or more, or a P-256 key, signed with SHA-256."),
    _tls("tls.legacy", ScanKind.TLS, _W, _MEDIUM, 8, "CC6.7",
         "SSL 3.0, TLS 1.0 and TLS 1.1 are refused (RFC 7568, RFC 8996).",
         "Switch SSL 3.0, TLS 1.0 and TLS 1.1 off.", confidence=95),
    _tls("tls.modern", ScanKind.TLS, _W, _HIGH, 6, "CC6.7",
         "TLS 1.2 and TLS 1.3 are spoken.", "Offer TLS 1.2 and TLS 1.3.", confidence=95),
    _tls("tls.weak_cipher", ScanKind.TLS, _W, _MEDIUM, 6, "CC6.7",
         "A client that offers only RC4, 3DES, NULL or export ciphers is refused.",
         "Remove RC4, 3DES, NULL and export cipher suites.", confidence=95),
    _tls("tls.lifetime", ScanKind.CERT, _W, _LOW, 2, "CC6.7",
         "The certificate's lifetime kept to the limit of its day of issue (CA/B ballot SC-081v3).",
         "Reissue the certificate with a lifetime inside the limit."),
    _tls("tls.ct_issuer", ScanKind.CT, _W, _MEDIUM, 4, "CC6.1 CC7.2",
         "No certificate came from an issuer that is neither in CAA nor known from the last 365 days.",
         "Ask who ordered the certificate. Revoke it if nobody did, and narrow the CAA record.",
         confidence=60, disabled_reason=_NO_CT),
    # ── Web hygiene: 15
    _web("web.redirect", ScanKind.HTTP, _D, _HIGH, 10, "CC6.7",
         "Plain HTTP leads to HTTPS on the same host first.",
         "Redirect http:// to https:// on the same host before any other redirect."),
    _web("web.hsts", ScanKind.HTTP, _D, _MEDIUM, 10, "CC6.7",
         "Strict-Transport-Security of 180 days or more (RFC 6797), or preloaded.",
         "Send Strict-Transport-Security: max-age=31536000; includeSubDomains."),
    _web("web.csp", ScanKind.HTTP, _D, _MEDIUM, 10, "CC6.8 CC6.6",
         "An enforced Content-Security-Policy that stops inline and foreign script.",
         "Enforce a Content-Security-Policy with nonces or hashes and without 'unsafe-inline'."),
    _web("web.frame", ScanKind.HTTP, _D, _MEDIUM, 6, "CC6.6",
         "Framing is limited by frame-ancestors or X-Frame-Options.",
         "Send Content-Security-Policy: frame-ancestors 'none' (or 'self')."),
    _web("web.nosniff", ScanKind.HTTP, _D, _LOW, 3, "CC6.6",
         "X-Content-Type-Options is nosniff.", "Send X-Content-Type-Options: nosniff."),
    _web("web.referrer", ScanKind.HTTP, _W, _LOW, 2, "C1.1",
         "No Referrer-Policy that leaks addresses.", "Send Referrer-Policy: strict-origin-when-cross-origin."),
    _web("web.cookies", ScanKind.HTTP, _D, _MEDIUM, 8, "CC6.1 CC6.7",
         "Session cookies are Secure, HttpOnly and SameSite.",
         "Set Secure, HttpOnly and SameSite on every session cookie."),
    _web("web.cors", ScanKind.HTTP, _W, _HIGH, 8, "CC6.1",
         "A foreign Origin is not reflected together with credentials.",
         "Answer Access-Control-Allow-Origin only to listed origins.", disabled_reason=_OPT_IN),
    _web("web.sri", ScanKind.HTTP, _W, _MEDIUM, 4, "CC6.8",
         "Foreign scripts come over HTTPS and carry integrity hashes.",
         "Load scripts over HTTPS and add integrity attributes to those of other hosts."),
    _web("web.banner", ScanKind.HTTP, _W, _INFO, 1, "CC7.1",
         "Server and X-Powered-By reveal no versions.", "Remove version numbers from response headers."),
    # ── Email authentication: 18
    _email("email.spf", ScanKind.EMAIL, _D, _MEDIUM, 8, "CC6.6",
           "Exactly one SPF record (RFC 7208, 4.5).", "Publish one TXT record that begins with v=spf1."),
    _email("email.spf_valid", ScanKind.EMAIL, _D, _MEDIUM, 6, "CC6.6",
           "SPF evaluates without error inside 10 look-ups and 2 void ones (RFC 7208, 4.6.4).",
           "Correct the record. Flatten or drop includes until 10 look-ups suffice."),
    _email("email.spf_all", ScanKind.EMAIL, _D, _HIGH, 6, "CC6.6",
           "Senders that are not listed do not pass.", "End the SPF record with -all (or ~all under DMARC)."),
    _email("email.dmarc", ScanKind.EMAIL, _D, _HIGH, 10, "CC6.6",
           "A valid DMARC record is found by the tree walk (RFC 9989, 4.10).",
           "Publish one TXT record at _dmarc that begins with v=DMARC1."),
    _email("email.dmarc_policy", ScanKind.EMAIL, _D, _MEDIUM, 10, "CC6.6",
           "The DMARC policy is enforced.", "Move to p=quarantine, then p=reject. Drop t=y and pct."),
    _email("email.dmarc_sub", ScanKind.EMAIL, _D, _LOW, 3, "CC6.6",
           "Subdomains are under the policy too.", "Remove sp=none and np=none, or set them to reject."),
    _email("email.dmarc_rua", ScanKind.EMAIL, _W, _LOW, 2, "CC7.2",
           "Aggregate reports are asked for, and foreign receivers have agreed (RFC 9990).",
           "Add rua=mailto:…, and have the receiver publish its consent record."),
    _email("email.dkim", ScanKind.EMAIL, _W, _INFO, 2, "CC6.6",
           "A DKIM key of present strength under a usual selector (RFC 6376, RFC 8301).",
           "Publish keys of 2048 bits. Retire keys under 1024."),
    _email("email.mta_sts", ScanKind.EMAIL, _D, _LOW, 4, "CC6.7",
           "MTA-STS is enforced and fits the MX hosts (RFC 8461).",
           "Publish an MTA-STS policy in mode enforce that names every MX host."),
    _email("email.tlsrpt", ScanKind.EMAIL, _W, _INFO, 1, "CC7.2",
           "TLS failures are reported (RFC 8460).", "Publish a TXT record at _smtp._tls."),
    _email("email.dane", ScanKind.EMAIL, _W, _INFO, 2, "CC6.7",
           "TLSA records of MX hosts, where there are any, are usable (RFC 7672).",
           "Correct the TLSA records, or remove them."),
    _email("email.bimi", ScanKind.EMAIL, _W, _INFO, 0, "",
           "A BIMI record is there (informational).", "Nothing to do."),
    # ── DNS and domain: 15
    _dns("dns.ns", ScanKind.DNS, _D, _MEDIUM, 6, "A1.2",
         "Two or more name servers that all answer, not all in one network.",
         "Run name servers in at least two networks.", swift=True),
    _dns("dns.dnssec", ScanKind.DNS, _D, _HIGH, 6, "CC6.6",
         "DNSSEC validates, where it is used.", "Correct the DS and DNSKEY records. Sign the zone."),
    _dns("dns.caa", ScanKind.DNS, _W, _LOW, 3, "CC6.1",
         "A CAA record limits the issuers of certificates (RFC 8659).", "Publish a CAA record."),
    _dns("dom.expiry", ScanKind.REG, _W, _CRITICAL, 12, "A1.2",
         "The domain's registration is not about to end.", "Renew the domain and switch auto-renewal on.", cap=59),
    _dns("dom.lock", ScanKind.REG, _W, _LOW, 3, "CC6.1",
         "The registration is locked against transfer.", "Set clientTransferProhibited at the registrar."),
    _dns("dom.change", ScanKind.REG, _D, _HIGH, 0, "CC7.2 CC3.4",
         "Name servers, registrar and mail provider are the same as before.",
         "Confirm with the vendor that the change was meant.", swift=True),
    _dns("dom.age", ScanKind.REG, _W, _MEDIUM, 2, "CC3.2",
         "The domain is older than 30 days.", "Confirm that the domain is the vendor's own."),
    _dns("dns.dangling", ScanKind.DNS, _W, _HIGH, 12, "CC6.1 CC6.6",
         "No alias points at a service where anyone could claim the name.",
         "Remove the CNAME record, or claim the target.", cap=49, swift=True),
    _dns("dns.mx", ScanKind.DNS, _D, _LOW, 2, "A1.2",
         "Every MX host has public addresses, and is no address or alias itself.",
         "Point MX records at host names with address records."),
    # ── Exposure and patching: 15
    _exposure("exp.ports", ScanKind.EXPOSURE, _W, _HIGH, 10, "CC6.6",
              "No database, remote-desktop or control port is open to the world.",
              "Close the port, or put it behind a private network.", confidence=70, disabled_reason=NO_EXPOSURE_FEED),
    _exposure("exp.kev", ScanKind.EXPOSURE, _W, _CRITICAL, 14, "CC7.1",
              "No vulnerability known to be exploited (CISA KEV) is seen on the vendor's addresses.",
              "Patch at once. Ask the vendor when and how.", confidence=60, cap=59, disabled_reason=NO_EXPOSURE_FEED),
    _exposure("exp.epss", ScanKind.EXPOSURE, _W, _HIGH, 8, "CC7.1",
              "No vulnerability likely to be exploited soon (EPSS) is seen on the vendor's addresses.",
              "Patch in the order of EPSS.", confidence=50, disabled_reason=NO_EXPOSURE_FEED),
    _exposure("exp.eol", ScanKind.EXPOSURE, _W, _MEDIUM, 4, "CC7.1",
              "No software past its end of life is seen.", "Replace software that gets no more fixes.",
              confidence=50, disabled_reason=NO_EXPOSURE_FEED),
    _exposure("kev.product", ScanKind.FEEDS, _D, _HIGH, 0, "CC7.1 CC9.2",
              "No product in the vendor's inventory is newly in CISA KEV.",
              "Ask the vendor whether it is affected and by when it is fixed.", confidence=90),
    _exposure("oss.scorecard", ScanKind.FEEDS, _W, _LOW, 3, "CC8.1",
              "The declared repository's OpenSSF Scorecard is 5 or more.",
              "Follow the Scorecard's remediation notes.", confidence=80),
    # ── Events: 10
    _event("evt.breach", ScanKind.FEEDS, _D, _CRITICAL, 10, "CC7.4 P6.6",
           "No verified breach of the vendor in the last three years (Have I Been Pwned).",
           "Ask for the incident report and the corrective actions.", cap=79),
    _event("evt.breach_unverified", ScanKind.FEEDS, _D, _INFO, 0, "CC7.3",
           "No unverified breach is listed.", "Ask the vendor whether the claim is true."),
    _event("evt.status", ScanKind.STATUS, _H, _MEDIUM, 4, "A1.2 CC7.4",
           "Fewer than four major incidents in 90 days, and none under way.",
           "Ask for the post-incident reports."),
    # ── Transparency: 5
    _openness("tr.security_txt", ScanKind.HTTP, _W, _LOW, 5, "CC2.3 CC7.4",
              "A valid security.txt that has not expired (RFC 9116).",
              "Publish /.well-known/security.txt with Contact and Expires."),
    _openness("tr.status_page", ScanKind.PAGES, _W, _INFO, 2, "CC2.3",
              "The status page we know of is there.", "Ask where the status page is now."),
    _openness("tr.trust", ScanKind.PAGES, _W, _INFO, 2, "CC2.3",
              "The trust page we know of is there.", "Ask where the trust page is now."),
    _openness("tr.dpa", ScanKind.PAGES, _W, _INFO, 1, "CC2.3",
              "The data-processing agreement we know of is there.", "Ask where the agreement is now."),
    _openness("tr.subprocessors", ScanKind.PAGES, _D, _MEDIUM, 2, "CC9.2 P6.4 C1.1",
              "The list of sub-processors can be read, and its changes are known.",
              "Assess the change against the contract's right to object."),
)
# fmt: on

RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _TABLE})
"""Every rule by its id, in the order of the methodology."""


def default_disabled_rules(switched_on: Iterable[str] = ()) -> frozenset[str]:
    """Return the rules that do not count: off by default and missing from `switched_on`."""
    on = frozenset(switched_on)
    return frozenset(rule.id for rule in RULES.values() if rule.disabled_reason and rule.id not in on)


def switched_on(setting: str) -> frozenset[str]:
    """Return the rules that `VENDORRISK_SIGNAL_RULES_ON` names, by commas."""
    return frozenset(rule.strip() for rule in setting.split(",")) & frozenset(RULES)


LONGEST_CADENCE = timedelta(days=28)
"""However little depends on a vendor, everything of it is scanned as often as this."""


def hold_for(rule: Rule, slower: int = 1) -> timedelta:
    """Return how long a known verdict counts while the current one is unknown: max(72 h, three cadences).

    `slower` is the number of cadences between two scans of a vendor of its tier. Without it, one failed scan in a week
    would make the rule unknown.
    """
    return max(timedelta(hours=72), 3 * min(timedelta(hours=rule.cadence_hours * slower), LONGEST_CADENCE))


def next_scan(rule_cadence: timedelta, ends_at: datetime | None, now: datetime) -> timedelta:
    """Return the time to the next scan of something that ends (a certificate, a registration).

    It is a third of the remaining time, between an hour and the cadence. Past the end, it is an hour.
    """
    if ends_at is None:
        return rule_cadence
    return max(timedelta(hours=1), min(rule_cadence, (ends_at - now) / 3))


HOST_GROUPS = (ScanKind.HTTP, ScanKind.CERT, ScanKind.TLS)


PAGE_RULES: Mapping[AssetKind, str] = MappingProxyType(
    {
        AssetKind.STATUS_PAGE: "tr.status_page",
        AssetKind.TRUST_PAGE: "tr.trust",
        AssetKind.DPA_PAGE: "tr.dpa",
        AssetKind.SUBPROCESSOR_PAGE: "tr.subprocessors",
    }
)
PAGES = frozenset(PAGE_RULES)


@cache
def rules_of(kind: AssetKind, group: ScanKind | None = None) -> tuple[Rule, ...]:
    """Return the rules that an asset of this kind is evaluated by: all, or those of one group.

    `dom.change` has no fixed place: its evaluations come with the scans that show name servers, mail and registrar.
    """
    return tuple(rule for rule in RULES.values() if _applies(rule, kind) and group in {None, rule.group})


def _applies(rule: Rule, kind: AssetKind) -> bool:
    if kind is AssetKind.REPOSITORY:
        return rule.id == "oss.scorecard"
    if kind is AssetKind.STATUS_PAGE:
        return rule.id in {PAGE_RULES[kind], "evt.status"}
    if kind in PAGES:
        return rule.id == PAGE_RULES[kind]
    if rule.id in {*PAGE_RULES.values(), "evt.status", "kev.product", "oss.scorecard"}:
        return False
    if kind is AssetKind.DOMAIN or rule.id == "dns.dangling":
        return True
    return rule.scope is Scope.HOST and rule.group in HOST_GROUPS
