"""Evaluation of a domain's mail records: SPF, DMARC, DKIM, MTA-STS, TLS-RPT, DANE, BIMI.

A domain without MX and without SPF is *parked*: it should declare that it sends no mail (`v=spf1 -all`, `p=reject`). A
domain with a null MX (RFC 7505) receives no mail, so the rules of incoming mail do not apply.
"""

from vendorrisk.evaluation.model import Evaluation, Facts, RuleSeverity
from vendorrisk.evaluation.results import failed, inapplicable, passed, unknown, warned
from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.dns.dns_records import (
    is_mta_sts,
    is_tls_rpt,
    is_usable_tlsa,
    mx_allowed,
    parse_dkim,
    parse_mta_sts_policy,
    versioned,
)
from vendorrisk.probes.mail import dmarc, spf_audit
from vendorrisk.probes.mail.dmarc import Discovery, Policy
from vendorrisk.probes.mail.mail_setup import MOST_MX, SELECTORS, EmailObservation, PolicyFile, is_null_mx, mail_hosts
from vendorrisk.probes.observation import Lookup, Unknown

_NEAR_THE_LIMIT = 9
_WEAK_RSA_BITS = 1024
_FULL = 100


def evaluate(observation: EmailObservation) -> tuple[Evaluation, ...]:
    """Evaluate every mail rule, without a clock: mail records have no expiry."""
    answers = Answers(observation.answers)
    mx = answers.get(observation.domain, "MX")
    audit = spf_audit.audit(answers, observation.domain)
    found = dmarc.discover(answers, observation.domain)
    parked = not mx.unknown and not mx.records and not audit.unknown and audit.records == 0
    return (
        _spf(audit, parked=parked),
        _spf_valid(audit),
        _spf_all(audit, found),
        _dmarc(found),
        _dmarc_policy(found, observation.domain, parked=parked),
        _dmarc_sub(found),
        _dmarc_rua(answers, found),
        _dkim(answers, observation),
        _mta_sts(answers, observation, mx),
        _tls_rpt(answers, observation.domain, mx),
        _dane(answers, mx),
        _bimi(answers, observation.domain),
    )


# ── SPF


def _spf(audit: spf_audit.Audit, *, parked: bool) -> Evaluation:
    rule = "email.spf"
    if audit.unknown and not audit.records:
        return unknown(rule, audit.unknown)
    if audit.records == 1:
        return passed(rule, "one_record", "One SPF record.", evidence={"record": audit.text})
    if audit.records:
        return failed(rule, "several_records", f"{audit.records} SPF records. Receivers then use none.")
    if parked:
        return failed(rule, "parked_without_spf", "The domain has no mail, and does not say so with v=spf1 -all.")
    return failed(rule, "missing", "No SPF record.")


_SPF_PROBLEMS = {
    "lookups_too_many": "It takes more than 10 DNS look-ups. Receivers give up.",
    "void_too_many": "More than 2 look-ups lead nowhere. Receivers give up.",
    "mx_too_many": "An mx term leads to more than 10 hosts.",
    "loop": "It includes itself.",
    "record_missing": "It includes a domain that has no SPF record.",
    "records_several": "It includes a domain that has several SPF records.",
}


def _spf_valid(audit: spf_audit.Audit) -> Evaluation:
    rule = "email.spf_valid"
    facts: Facts = {"lookups": audit.lookups, "voids": audit.voids, "problem": audit.problem, "where": audit.where}
    if audit.problem:
        words = _SPF_PROBLEMS.get(audit.problem, "It is not of the grammar of RFC 7208.")
        return failed(rule, audit.problem, f"At {audit.where}: {words}", evidence=facts)
    if audit.unknown:
        return unknown(rule, audit.unknown)
    if audit.records != 1:
        return inapplicable(rule, "no_single_record", "There is no one record to evaluate.")
    if audit.lookups >= _NEAR_THE_LIMIT:
        words = f"{audit.lookups} of 10 look-ups are used. One more vendor breaks it."
        return warned(rule, "near_the_limit", words, evidence=facts)
    return passed(rule, "valid", f"{audit.lookups} of 10 look-ups.", evidence=facts)


def _spf_all(audit: spf_audit.Audit, found: Discovery) -> Evaluation:
    rule = "email.spf_all"
    if audit.unknown and not audit.records:
        return unknown(rule, audit.unknown)
    if audit.records != 1:
        return warned(rule, "no_single_record", "Without one SPF record no sender is refused.")
    facts: Facts = {"qualifier": audit.all_qualifier, "open": audit.open_to_all}
    if audit.all_qualifier == "+" or audit.open_to_all:
        return failed(rule, "anyone_passes", "Anyone may send in the domain's name.", evidence=facts)
    if audit.unknown:
        return unknown(rule, audit.unknown)
    if audit.problem and not audit.all_qualifier:
        return warned(rule, "record_invalid", "The record is not valid, so no sender is refused by it.")
    if audit.all_qualifier == "-":
        return passed(rule, "hard_fail", "Unlisted senders fail.", evidence=facts)
    if audit.all_qualifier == "~":
        return _soft_fail(rule, found)
    return warned(rule, "neutral", "Unlisted senders are neither refused nor marked.", evidence=facts)


def _soft_fail(rule: str, found: Discovery) -> Evaluation:
    if found.unknown:
        return unknown(rule, found.unknown)
    if found.policy is not None and _is_enforced(found.policy):
        return passed(rule, "soft_fail_under_dmarc", "Unlisted senders are marked, and DMARC acts on the mark.")
    return warned(rule, "soft_fail", "Unlisted senders are marked only, and no DMARC policy acts on it.")


# ── DMARC


def _is_enforced(policy: Policy) -> bool:
    return policy.policy in {"quarantine", "reject"} and not policy.testing


def _effective(found: Discovery, domain: str) -> str:
    """The policy for the domain itself: `sp` where the record is that of a parent."""
    policy = found.policy
    if policy is None:
        return "none"
    return policy.policy if found.at == domain else policy.subdomains or policy.policy


def _dmarc(found: Discovery) -> Evaluation:
    rule = "email.dmarc"
    if found.unknown:
        return unknown(rule, found.unknown)
    if found.problem == "records_several":
        return failed(rule, "several_records", f"Several DMARC records at _dmarc.{found.at}. None counts.")
    if found.problem:
        return failed(rule, "invalid", f"The record at _dmarc.{found.at} is not valid: {found.problem}.")
    if found.policy is None:
        return failed(rule, "missing", "No DMARC record at the domain or above it.")
    return passed(rule, "found", f"A DMARC record stands at _dmarc.{found.at}.", evidence={"at": found.at})


def _dmarc_policy(found: Discovery, domain: str, *, parked: bool) -> Evaluation:
    rule = "email.dmarc_policy"
    if found.unknown:
        return unknown(rule, found.unknown)
    if found.policy is None:
        return failed(rule, "no_policy", "Without a valid record there is no policy.")
    policy, word = found.policy, _effective(found, domain)
    facts: Facts = {"policy": word, "testing": policy.testing, "percent": policy.percent}
    if word == "none":
        return failed(rule, "policy_none", "The policy asks receivers to do nothing.", evidence=facts)
    if policy.testing:
        return warned(rule, "testing", "t=y: the policy is under test, one step weaker.", evidence=facts)
    if policy.percent < _FULL:
        words = f"pct={policy.percent}: older receivers act on a part only. RFC 9989 knows no pct."
        return warned(rule, "partial", words, evidence=facts)
    if word == "quarantine":
        words = "A domain without mail should say p=reject." if parked else "Forged mail goes to the spam folder."
        return warned(rule, "quarantine", words, evidence=facts)
    return passed(rule, "reject", "Forged mail is refused.", evidence=facts)


def _dmarc_sub(found: Discovery) -> Evaluation:
    rule = "email.dmarc_sub"
    if found.unknown:
        return unknown(rule, found.unknown)
    if found.policy is None or found.policy.policy == "none":
        return inapplicable(rule, "not_enforced", "There is no enforced policy that subdomains could escape.")
    facts: Facts = {"sp": found.policy.subdomains, "np": found.policy.missing}
    if "none" in facts.values():
        return warned(rule, "subdomains_escape", "Subdomains are outside the policy.", evidence=facts)
    return passed(rule, "subdomains_covered", "Subdomains are under the policy.", evidence=facts)


def _dmarc_rua(answers: Answers, found: Discovery) -> Evaluation:
    rule = "email.dmarc_rua"
    if found.unknown:
        return unknown(rule, found.unknown)
    if found.policy is None:
        return inapplicable(rule, "no_record", "There is no DMARC record to carry rua.")
    if not found.policy.asks_for_reports:
        return warned(rule, "no_rua", "No aggregate reports are asked for.")
    refused = []
    for receiver in dmarc.foreign_receivers(found.policy, found.at):
        consent = answers.get(dmarc.consent_name(found.at, receiver), "TXT")
        if consent.unknown:
            return unknown(rule, consent.unknown)
        if not any(dmarc.is_record(text) for text in consent.records):
            refused.append(receiver)
    if refused:
        words = f"{', '.join(refused)} has not agreed to take the reports."
        return warned(rule, "receiver_not_authorised", words, evidence={"receivers": tuple(refused)})
    return passed(rule, "reports", "Aggregate reports are asked for.")


# ── DKIM


def _dkim(answers: Answers, observation: EmailObservation) -> Evaluation:
    rule = "email.dkim"
    if not observation.with_dkim:
        return unknown(rule, "not_scanned")
    names = {s: answers.get(f"{s}._domainkey.{observation.domain}", "TXT") for s in SELECTORS}
    keys = {s: key for s, found in names.items() for text in found.records if (key := parse_dkim(text)) is not None}
    weak = sorted(s for s, key in keys.items() if key.kind == "rsa" and key.bits < _WEAK_RSA_BITS)
    if weak:
        words = f"The RSA key under {weak[0]} has fewer than 1024 bits. Verifiers must ignore it (RFC 8301)."
        return failed(rule, "weak_key", words, evidence={"selectors": tuple(weak)}, severity=RuleSeverity.MEDIUM)
    if keys:
        return passed(rule, "found", f"A key stands under {min(keys)}.", evidence={"selectors": tuple(sorted(keys))})
    missed = next((found.unknown for found in names.values() if found.unknown), "")
    if missed:
        return unknown(rule, missed)
    return inapplicable(rule, "no_usual_selector", "No key under the usual selectors. Others cannot be seen.")


# ── incoming mail


def _receives(rule: str, mx: Lookup) -> Evaluation | None:
    """Return the evaluation for a domain that receives no mail, or if that is unknown. None if it receives mail."""
    if mx.unknown:
        return unknown(rule, mx.unknown)
    if is_null_mx(mx):
        return inapplicable(rule, "null_mx", "The domain says that it receives no mail.")
    if not mx.records:
        return inapplicable(rule, "no_mx", "The domain has no mail servers.")
    return None


def _mta_sts(answers: Answers, observation: EmailObservation, mx: Lookup) -> Evaluation:
    rule = "email.mta_sts"
    if (early := _receives(rule, mx)) is not None:
        return early
    announced = answers.get(f"_mta-sts.{observation.domain}", "TXT")
    if announced.unknown:
        return unknown(rule, announced.unknown)
    records = versioned(announced.records, "STSv1")
    if not records:
        return warned(rule, "absent", "No MTA-STS: mail to the domain may be sent in the clear.")
    if len(records) > 1 or not is_mta_sts(records[0]):
        return warned(rule, "record_invalid", "The MTA-STS record is not valid, so senders ignore it.")
    if observation.mta_sts is None or isinstance(observation.mta_sts, Unknown):
        return _unfetched(rule, observation.mta_sts)
    return _mta_sts_policy(rule, observation.mta_sts, mail_hosts(mx))


def _unfetched(rule: str, not_known: Unknown | None) -> Evaluation:
    if not_known is not None and not_known.reason == "dns_nxdomain":
        return warned(rule, "policy_host_missing", "The MTA-STS policy's host does not exist.")
    return unknown(rule, "not_fetched" if not_known is None else not_known.reason)


def _mta_sts_policy(rule: str, file: PolicyFile, hosts: tuple[str, ...]) -> Evaluation:
    if file.status >= 500 or file.status == 429:  # noqa: PLR2004 - HTTP
        return unknown(rule, f"http_{file.status}")
    policy = parse_mta_sts_policy(file.body)
    if policy is None:
        return warned(rule, "policy_invalid", f"The policy file is not valid (HTTP {file.status}).")
    if not file.plain_text:
        return warned(rule, "policy_not_text", "The policy is not served as text/plain. Senders may ignore it.")
    outside = tuple(host for host in hosts if not mx_allowed(host, policy.mx))
    if policy.mode != "enforce":
        return warned(rule, f"mode_{policy.mode}", f"The policy is in mode {policy.mode}.")
    if outside:
        words = f"The enforced policy does not name {outside[0]}. Senders refuse to deliver there."
        return failed(rule, "mx_mismatch", words, evidence={"outside": outside}, severity=RuleSeverity.MEDIUM)
    return passed(rule, "enforced", "The policy is enforced and names every MX host.")


def _tls_rpt(answers: Answers, domain: str, mx: Lookup) -> Evaluation:
    rule = "email.tlsrpt"
    if (early := _receives(rule, mx)) is not None:
        return early
    found = answers.get(f"_smtp._tls.{domain}", "TXT")
    if found.unknown:
        return unknown(rule, found.unknown)
    records = versioned(found.records, "TLSRPTv1")
    if len(records) == 1 and is_tls_rpt(records[0]):
        return passed(rule, "reports", "TLS failures are reported.")
    reason = "invalid" if records else "absent"
    return warned(rule, reason, "No valid TLS-RPT record: failed deliveries go unnoticed.")


def _dane(answers: Answers, mx: Lookup) -> Evaluation:
    rule = "email.dane"
    if (early := _receives(rule, mx)) is not None:
        return early
    broken: list[str] = []
    usable: list[str] = []
    for host in mail_hosts(mx)[:MOST_MX]:
        found = answers.get(f"_25._tcp.{host}", "TLSA")
        if found.unknown:
            return unknown(rule, found.unknown)
        if found.records and found.authenticated:
            (usable if any(is_usable_tlsa(text) for text in found.records) else broken).append(host)
    if broken:
        words = f"No TLSA record of {broken[0]} can be used."
        return failed(rule, "unusable", words, evidence={"hosts": tuple(broken)})
    if usable:
        return passed(rule, "usable", "TLSA records are signed and usable.", evidence={"hosts": tuple(usable)})
    return inapplicable(rule, "absent", "No signed TLSA records.")


def _bimi(answers: Answers, domain: str) -> Evaluation:
    found = answers.get(f"default._bimi.{domain}", "TXT")
    if found.unknown:
        return unknown("email.bimi", found.unknown)
    if versioned(found.records, "BIMI1"):
        return passed("email.bimi", "found", "A BIMI record is there.")
    return inapplicable("email.bimi", "absent", "No BIMI record.")
