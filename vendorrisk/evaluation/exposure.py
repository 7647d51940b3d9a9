"""Open or unpatched services on a vendor's addresses, as others saw them. Off by default, for the reasons in `rules`.

Shared machines (CDN, cloud load balancers) are no evidence about the vendor, so their addresses are left out.
"""

from collections.abc import Iterable, Mapping

from vendorrisk.evaluation.model import Evaluation, Facts, RuleSeverity
from vendorrisk.evaluation.results import failed, inapplicable, passed, unknown, warned
from vendorrisk.evaluation.rules import RULES
from vendorrisk.probes.feeds.feed_parser import AddressFacts
from vendorrisk.probes.observation import Unknown

_DATABASES = frozenset({1433, 1521, 3306, 5432, 5984, 6379, 7001, 9042, 9200, 11211, 27017})
_CONTROL = frozenset({23, 445, 2375, 3389, 5900})
_SHARED = frozenset({"cdn", "cloud-lb", "proxy"})
_FAIL_MILLIONTHS, _WARN_MILLIONTHS = 500_000, 100_000
_LEAST_SCORE = 5
_RULES = ("exp.ports", "exp.kev", "exp.epss", "exp.eol")


def evaluate(
    seen: Iterable[AddressFacts | Unknown],
    *,
    exploited: frozenset[str],
    millionths: Mapping[str, int],
    second_source: bool = False,
) -> tuple[Evaluation, ...]:
    """Evaluate all addresses of a vendor together. If one could not be looked up, a clean result is unknown.

    `second_source` is True if another feed saw the same. Only then is exp.kev sure enough to cap.
    """
    facts = [one for one in seen if isinstance(one, AddressFacts)]
    why_unknown = next((one.reason for one in seen if isinstance(one, Unknown)), "")
    own = [one for one in facts if one.known and not _SHARED & set(one.tags)]
    if not own and not why_unknown:
        return tuple(inapplicable(rule, "no_own_address", "No address of the vendor's own.") for rule in _RULES)
    found = (
        _ports(own),
        _exploited(own, exploited, second_source=second_source),
        _likely(own, millionths),
        _old(own),
    )
    if not why_unknown:
        return found
    return tuple(unknown(one.rule, why_unknown) if one.verdict.value == "pass" else one for one in found)


def _ports(own: list[AddressFacts]) -> Evaluation:
    rule = "exp.ports"
    ports = {port for one in own for port in one.ports}
    severe, bad = sorted(ports & (_CONTROL | _DATABASES)), sorted(ports & _DATABASES)
    if not severe:
        return passed(rule, "none_open", "No port of concern is seen.")
    facts: Facts = {"ports": tuple(str(port) for port in severe)}
    severity = RuleSeverity.HIGH if ports & _CONTROL else RuleSeverity.MEDIUM
    words = f"Port {(bad or severe)[0]} is open to the world."
    return failed(rule, "open", words, severity=severity, evidence=facts)


def _vulnerabilities(own: list[AddressFacts]) -> set[str]:
    return {cve for one in own for cve in one.vulnerabilities}


def _exploited(own: list[AddressFacts], exploited: frozenset[str], *, second_source: bool) -> Evaluation:
    rule = "exp.kev"
    hits = tuple(sorted(_vulnerabilities(own) & exploited))
    if not hits:
        return passed(rule, "none", "Nothing that is known to be exploited is seen.")
    words = f"{hits[0]} is known to be exploited, and seen on the vendor's addresses."
    sure = 80 if second_source else RULES[rule].confidence_percent
    cap = RULES[rule].cap if second_source else None
    return failed(rule, "exploited", words, cap=cap, confidence_percent=sure, evidence={"cves": hits[:20]})


def _likely(own: list[AddressFacts], millionths: Mapping[str, int]) -> Evaluation:
    rule = "exp.epss"
    scored = {cve: millionths[cve] for cve in _vulnerabilities(own) if cve in millionths}
    worst = max(scored, key=lambda cve: (scored[cve], cve), default="")
    if not worst or scored[worst] < _WARN_MILLIONTHS:
        return passed(rule, "unlikely", "Nothing likely to be exploited is seen.")
    facts: Facts = {"cve": worst, "millionths": scored[worst]}
    words = f"{worst} has an EPSS of {scored[worst] / 1_000_000:.2f}."
    evaluated = failed if scored[worst] >= _FAIL_MILLIONTHS else warned
    return evaluated(rule, "likely", words, evidence=facts)


def _old(own: list[AddressFacts]) -> Evaluation:
    rule = "exp.eol"
    old = [one.address for one in own if "eol-product" in one.tags]
    if old:
        return warned(rule, "end_of_life", f"Software past its end of life runs at {old[0]}.")
    return passed(rule, "none", "No software past its end of life is seen.")


def evaluate_scorecard(score_tenths: int | Unknown | None) -> Evaluation:
    """Evaluate a declared repository's OpenSSF Scorecard, given in tenths (0 to 100)."""
    rule = "oss.scorecard"
    if score_tenths is None:
        return inapplicable(rule, "no_repository", "No repository is declared.")
    if isinstance(score_tenths, Unknown):
        return unknown(rule, score_tenths.reason)
    if score_tenths < 10 * _LEAST_SCORE:
        return warned(rule, "low", f"Scorecard {score_tenths / 10:.1f} of 10.")
    return passed(rule, "fair", f"Scorecard {score_tenths / 10:.1f} of 10.")
