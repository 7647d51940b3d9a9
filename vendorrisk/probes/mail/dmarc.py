"""DMARC (RFC 9989, which replaces RFC 7489): the record, the tree walk, and the permitted receivers of reports (RFC
9990).
"""

import re

import msgspec

from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.dns.dns_records import TagError, tags
from vendorrisk.probes.observation import Raw
from vendorrisk.probes.public_suffix import registrable_domain

POLICIES = ("none", "quarantine", "reject")
_WALKED_LABELS = 8
_KEPT_LABELS = 7
_ADDRESS = re.compile(r"mailto:[^@\s,!]+@([A-Za-z0-9.-]+)(?:![0-9]+[kmgt]?)?", re.IGNORECASE)


class DmarcError(Exception):
    """The record does not fit the grammar. `args[0]` is a slug."""


class Policy(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """A record's meaning. `receivers` are the domains of well-formed `rua` addresses."""

    policy: str
    subdomains: str = ""
    missing: str = ""
    testing: bool = False
    percent: int = 100
    psd: str = "u"
    receivers: tuple[str, ...] = ()
    asks_for_reports: bool = False


def is_record(text: str) -> bool:
    """Whether a TXT record is meant as DMARC (section 4.7): its first tag is the version."""
    return re.match(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)", text) is not None


def parse(text: str) -> Policy:
    """Read a record that `is_record`. A missing `p` means `none`. A `p` of another word is an error."""
    try:
        found = tags(text)
    except TagError as error:
        raise DmarcError(error.args[0]) from None
    given = {name: found.get(name, "").lower() for name in ("p", "sp", "np")}
    for name, value in given.items():
        if name in found and value not in POLICIES:
            raise DmarcError(f"{name}_invalid")
    percent = found.get("pct", "100")
    addresses = [part.strip() for part in found.get("rua", "").split(",") if part.strip()]
    matches = [_ADDRESS.fullmatch(address) for address in addresses]
    return Policy(
        policy=given["p"] or "none",
        subdomains=given["sp"],
        missing=given["np"],
        testing=found.get("t", "n").lower() == "y",
        percent=int(percent) if re.fullmatch(r"\d{1,3}", percent) else 100,
        psd=found.get("psd", "u").lower(),
        receivers=tuple(sorted({m[1].lower().rstrip(".") for m in matches if m is not None})),
        asks_for_reports=any(m is not None for m in matches),
    )


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """The result of the walk. `problem` is a slug if the domain's own records are unusable."""

    at: str = ""
    policy: Policy | None = None
    problem: str = ""
    unknown: str = ""


def discover(answers: Answers, domain: str) -> Discovery:
    """Find the policy of a domain (section 4.10): its own record, or that of its organisational domain."""
    own = _at(answers, domain)
    if own.policy is not None or own.unknown or own.problem:
        return own
    found: list[Discovery] = []
    for name in walked_names(domain)[1:]:
        step = _at(answers, name)
        if step.unknown:
            return step
        if step.policy is not None:
            found.append(step)
            if step.policy.psd in {"y", "n"}:
                break
    return _chosen(found)


def _chosen(found: list[Discovery]) -> Discovery:
    """Choose among records of parents, longest first (section 4.10.2).

    Under a public suffix with `psd=y` the organisational domain is one label below, and its own record precedes the
    suffix's. Otherwise it is the shortest name with a record.
    """
    if not found:
        return Discovery()
    last = found[-1]
    if last.policy is not None and last.policy.psd == "y":
        below = (one for one in found if one.at.partition(".")[2] == last.at)
        return next(below, last)
    return last


def walked_names(domain: str) -> tuple[str, ...]:
    """Return the names of the `_dmarc` queries, in order: at most eight (section 4.10)."""
    labels = domain.lower().rstrip(".").split(".")
    names = [".".join(labels)]
    if len(labels) >= _WALKED_LABELS:
        labels = labels[-_KEPT_LABELS - 1 :]
    names += [".".join(labels[n:]) for n in range(1, len(labels))]
    return tuple(names)


def _at(answers: Answers, name: str) -> Discovery:
    found = answers.get(f"_dmarc.{name}", "TXT")
    if found.unknown:
        return Discovery(at=name, unknown=found.unknown)
    records = [text for text in found.records if is_record(text)]
    if len(records) > 1:
        return Discovery(at=name, problem="records_several")
    try:
        return Discovery(at=name, policy=parse(records[0])) if records else Discovery(at=name)
    except DmarcError as error:
        return Discovery(at=name, problem=error.args[0])


def foreign_receivers(policy: Policy, at: str) -> tuple[str, ...]:
    """Return the report receivers that are not under the domain's own registration and so must have agreed.

    The standard compares organisational domains, which differ from registrable ones only if a `psd` tag says so. A
    missed consent check there costs only a note of lowest weight.
    """
    own = registrable_domain(at) or at
    return tuple(r for r in policy.receivers if (registrable_domain(r) or r) != own)


def consent_name(at: str, receiver: str) -> str:
    """Return where a receiver says that it takes another domain's reports (RFC 9990, section 4)."""
    return f"{at}._report._dmarc.{receiver}"
