"""Every term of a domain's SPF records, whether or not an evaluation reaches it."""

from vendorrisk.probes.dns.dns_lookups import Answers
from vendorrisk.probes.mail.spf import MOST_LOOKUPS, MOST_NAMES, MOST_VOID, check_host
from vendorrisk.probes.mail.spf_record import LOOKING_UP, Result, SpfError, Term, is_writable, parse, select
from vendorrisk.probes.observation import Lookup, Raw

_AUDITED = 40  # terms; far beyond what any receiver evaluates


SAMPLES = ("192.0.2.77", "198.51.100.77", "203.0.113.77")
"""Documentation addresses (RFC 5737): nobody sends from them, so a record that passes all lets anybody send."""


class Audit(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """The result of a domain's SPF if no term matches before the end.

    `problem` is the first error that a receiver can meet, `unknown` the reason of an incomplete walk (then counts are a
    lower bound). `open_to_all` is True if senders from every documentation network pass.
    """

    records: int
    problem: str = ""
    where: str = ""
    lookups: int = 0
    voids: int = 0
    all_qualifier: str = ""
    open_to_all: bool = False
    unknown: str = ""
    text: str = ""


def audit(answers: Answers, domain: str) -> Audit:
    """Walk all terms that a record can reach. Open questions leave it `unknown`."""
    found = answers.get(domain, "TXT")
    if found.unknown:
        return Audit(records=0, unknown=found.unknown)
    records = select(found)
    if len(records) != 1:
        return Audit(records=len(records))
    walk = _Walk(answers)
    walk.record(records[0], domain, ())
    sender = f"postmaster@{domain}"
    results = [check_host(answers, address, domain, sender, domain) for address in SAMPLES]
    return Audit(
        records=1,
        problem=walk.problem,
        where=walk.where,
        lookups=walk.lookups,
        voids=walk.voids,
        all_qualifier=walk.all_qualifier,
        open_to_all=all(result is Result.PASS for result in results),
        unknown=walk.unknown,
        text=records[0],
    )


class _Walk:
    """Counts a receiver's look-ups for a sender that matches no term."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.problem = self.where = self.unknown = self.all_qualifier = ""
        self.lookups = self.voids = 0

    def record(self, text: str, domain: str, above: tuple[str, ...]) -> None:
        try:
            record = parse(text)
        except SpfError as error:
            self._fault(error.args[0], domain)
            return
        if not above:
            self.all_qualifier = record.all_qualifier
        for term in record.reachable:
            if term.mechanism in LOOKING_UP and self._counted(domain):
                self._term(term, domain, (*above, domain))
        if record.redirect and not record.all_qualifier and self._counted(domain):
            self._redirect(record.redirect, domain, (*above, domain))

    def _counted(self, domain: str) -> bool:
        self.lookups += 1
        if self.lookups > MOST_LOOKUPS:
            self._fault("lookups_too_many", domain)
        return self.lookups <= _AUDITED

    def _redirect(self, spec: str, domain: str, above: tuple[str, ...]) -> None:
        before = self.all_qualifier
        self._follow(spec, domain, above)
        if len(above) == 1 and "%" not in spec:
            records = select(self._answers.get(spec, "TXT"))
            self.all_qualifier = before or (_all_of(records[0]) if len(records) == 1 else "")

    def _term(self, term: Term, domain: str, above: tuple[str, ...]) -> None:
        if "%" in term.domain:
            return  # depends on the sender: counted, not looked up
        target = term.domain or domain
        if term.mechanism == "include":
            self._follow(target, domain, above)
        elif term.mechanism in {"a", "exists"}:
            self._void(target, ("A", "AAAA") if term.mechanism == "a" else ("A",))
        elif term.mechanism == "mx" and len(self._void(target, ("MX",))) > MOST_NAMES:
            self._fault("mx_too_many", domain)

    def _follow(self, target: str, domain: str, above: tuple[str, ...]) -> None:
        target = target.lower().rstrip(".")
        if "%" in target:
            return
        if target in above:
            self._fault("loop", domain)
            return
        found = self._look_up(target, "TXT")
        if found is None:
            return
        records = select(found)
        if not found.records:
            self._note_void(target)
        if len(records) == 1:
            self.record(records[0], target, above)
        else:
            self._fault("records_several" if records else "record_missing", target)

    def _void(self, target: str, kinds: tuple[str, ...]) -> tuple[str, ...]:
        found = [self._look_up(target, kind) for kind in kinds]
        if None not in found and not any(one.records for one in found if one is not None):
            self._note_void(target)
        return tuple(record for one in found if one is not None for record in one.records)

    def _note_void(self, target: str) -> None:
        self.voids += 1
        if self.voids > MOST_VOID:
            self._fault("void_too_many", target)

    def _look_up(self, name: str, kind: str) -> Lookup | None:
        if not is_writable(name):
            return Lookup(outcome="nxdomain")
        found = self._answers.get(name, kind)
        if found.unknown:
            self.unknown = self.unknown or found.unknown
            return None
        return found

    def _fault(self, problem: str, where: str) -> None:
        if not self.problem:
            self.problem, self.where = problem, where


def _all_of(text: str) -> str:
    try:
        return parse(text).all_qualifier
    except SpfError:
        return ""
