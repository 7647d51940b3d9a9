"""The published suites, kept in `published/` as their authors wrote them, each beside its licence.

tests/probes/README.md says where they come from, what was counted, and where we differ on purpose.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from vendorrisk.evaluation import web
from vendorrisk.probes.dns.dns_lookups import Answers, key
from vendorrisk.probes.mail import spf
from vendorrisk.probes.observation import Lookup
from vendorrisk.probes.public_suffix import registrable_domain
from vendorrisk.probes.web import site
from vendorrisk.probes.web.robots_txt import ROBOT, Rules

_FOLDER = Path(__file__).parent / "published"


def spf_cases() -> Iterator[object]:
    for section in yaml.safe_load_all((_FOLDER / "rfc7208" / "rfc7208-tests.yml").read_text()):
        table = zone_table(section["zonedata"])
        for name, case in section["tests"].items():
            yield pytest.param(table, case, id=f"{section['description']}-{name}".replace(" ", "_"))


class Zone(Answers):
    """A zone where nothing is missing: what is not there does not exist, an alias of itself never answers."""

    def get(self, name: str, kind: str) -> Lookup:
        for _ in range(10):
            found = self._table.get(key(name, kind)) or self._table.get(key(name, "CNAME"))
            if found is None or found.outcome != "cname":
                return found or self._table.get(key(name, "*")) or Lookup(outcome="nxdomain")
            name = found.records[0]
        return Lookup(outcome="servfail")


def zone_table(zonedata: dict[str, list[object]]) -> dict[str, Lookup]:
    """Read the suite's zones: SPF stands for TXT where there is no TXT; TIMEOUT for what is not given."""
    table: dict[str, Lookup] = {}
    for owner, records in zonedata.items():
        kinds: dict[str, list[str]] = {}
        for record in records:
            if isinstance(record, dict):
                ((kind, value),) = record.items()
                kinds.setdefault(kind, []).append(as_text(kind, value))
        if "SPF" in kinds:
            kinds.setdefault("TXT", kinds["SPF"])
        for kind, values in kinds.items():
            given = tuple(value for value in values if value != "NONE")
            if given:
                table[key(owner, kind)] = Lookup(outcome="cname" if kind == "CNAME" else "ok", records=given)
        if "TIMEOUT" in records:
            table[key(owner, "*")] = Lookup(outcome="timeout")
    return table


def as_text(kind: str, value: object) -> str:
    if kind == "MX":
        return f"{value[0]} {value[1]}".lower()  # type: ignore[index]  # preference, host
    if isinstance(value, list):
        return "".join(value)
    return str(value) if kind in {"TXT", "SPF"} else str(value).lower()


@pytest.mark.parametrize(("table", "case"), list(spf_cases()))
def test_check_host_agrees_with_the_rfc_7208_suite(table: dict[str, Lookup], case: dict[str, object]) -> None:
    sender, helo = str(case["mailfrom"]), str(case["helo"])
    domain = sender.rpartition("@")[2] if sender else helo
    expected = case["result"] if isinstance(case["result"], list) else [case["result"]]
    result = spf.check_host(Zone(table), str(case["host"]), domain, sender or f"postmaster@{helo}", helo)
    assert result.value in expected, case.get("description", case.get("comment"))


def test_registrable_domains_agree_with_the_public_suffix_vectors() -> None:
    lines = (_FOLDER / "psl" / "test_psl.txt").read_text().splitlines()
    vectors = [re.findall(r"'([^']*)'|(null)", line) for line in lines if line.startswith("checkPublicSuffix")]
    pairs = [(a[0], b[0] or None) for a, b in vectors if a[0]]
    assert len(pairs) > 70
    wrong = [(given, wanted) for given, wanted in pairs if _ascii(registrable_domain(given)) != _ascii(wanted)]
    assert wrong == []


def _ascii(name: str | None) -> str | None:
    return None if name is None else name.lower().encode("idna").decode()


# ── MDN HTTP Observatory: header values and what it makes of them

_STRING = r'"((?:[^"\\]|\\.)*)"'
_TOKEN = re.compile(
    rf"const \w*[vV]alues = \[(?P<list>.*?)\];|headers\[\s*\"[\w-]+\"\s*\]\s*=\s*{_STRING}|"
    rf"setHeader\([^,]+,\s*\"[\w-]+\",\s*{_STRING}\)|Expectation\.(?P<says>\w+)",
    re.DOTALL,
)
_SAYS: dict[str, str] = {
    "CspImplementedWithNoUnsafe": "pass", "CspImplementedWithNoUnsafeDefaultSrcNone": "pass",
    "CspImplementedWithUnsafeInlineInStyleSrcOnly": "pass", "CspImplementedButDuplicateDirectives": "pass",
    "CspImplementedWithInsecureSchemeInPassiveContentOnly": "pass", "CspImplementedWithUnsafeInline": "warn",
    "CspImplementedWithInsecureScheme": "warn", "CspImplementedWithUnsafeEval": "warn", "CspHeaderInvalid": "fail",
    "CspNotImplemented": "fail", "HstsHeaderInvalid": "fail", "HstsImplementedMaxAgeLessThanSixMonths": "warn",
    "HstsImplementedMaxAgeAtLeastSixMonths": "pass", "XFrameOptionsHeaderInvalid": "fail",
    "XFrameOptionsAllowFromOrigin": "pass", "XFrameOptionsSameoriginOrDeny": "pass",
    "XFrameOptionsImplementedViaCsp": "pass", "XContentTypeOptionsHeaderInvalid": "fail",
    "XContentTypeOptionsNosniff": "pass", "ReferrerPolicyPrivate": "pass", "ReferrerPolicyUnsafe": "warn",
    "ReferrerPolicyHeaderInvalid": "warn",
}  # fmt: skip
_SUITES = {
    "csp": ("web.csp", "content-security-policy"),
    "strict-transport-security": ("web.hsts", "strict-transport-security"),
    "x-frame-options": ("web.frame", "x-frame-options"),
    "x-content-type-options": ("web.nosniff", "x-content-type-options"),
    "referrer-policy": ("web.referrer", "referrer-policy"),
}
OTHERWISE = {
    "ALLOW-FROM https://mozilla.org": "no present browser knows ALLOW-FROM, so it limits nothing",
    "SAMEORIGIN, SAMEORIGIN": "HTML, section 7.7: equal values joined by commas are one value, and browsers obey it",
    "nosniff, nosniff": "Fetch, section 3.6: the first value counts",
    "default-src 'none'; default-src 'none'": "CSP3, section 2.2.1: of a repeated directive the first counts",
    "default-src 'none'; img-src 'self'; default-src 'none'": "the same",
    "unsafe-url": "the case also has a meta element, which the extraction does not see",
    "frame-ancestors https://mozilla.org": "the case is of another header, which the extraction does not see",
}
"""Where we differ on purpose, and why."""


def observatory_cases() -> list[object]:
    found = []
    for name, (rule, header) in _SUITES.items():
        text = re.sub(r"(?m)//[^\n\"]*$", "", (_FOLDER / "observatory" / f"{name}.test.js").read_text())
        pending: list[str] = []
        for match in _TOKEN.finditer(re.sub(r'"\s*\+\s*"', "", text)):
            if match["says"] and pending:
                says = _SAYS.get(match["says"])
                found += [pytest.param(rule, header, v, says, id=f"{rule}-{v}") for v in pending if says]
                pending = []
            elif match["list"] is not None:
                pending = re.findall(_STRING, match["list"])
            elif match[2] is not None or match[3] is not None:
                pending = [value for value in (match[2], match[3]) if value is not None]
    return found


@pytest.mark.parametrize(("rule", "header", "value", "says"), observatory_cases())
def test_headers_are_evaluated_as_the_observatory_does_or_for_a_named_reason(
    rule: str, header: str, value: str, says: str
) -> None:
    value = re.sub(r"'nonce-[^']*'", "'nonce-*'", value)
    visit = site.Visit(
        steps=(site.Step(scheme="https", host="mozilla.org", status=200),),
        headers={header: (value,)},
        own_hsts=(value,) if rule == "web.hsts" else (),
    )
    evaluated = web.evaluate(site.WebObservation(host="mozilla.org", plain=visit, secure=visit))
    ours = next(j.verdict.value for j in evaluated if j.rule == rule)
    assert (ours == says) is (value not in OTHERWISE), (ours, says)


# ── Google's tests of RFC 9309

_LITERAL = r'"(?:[^"\\]|\\.)*"'
_LITERALS = rf"{_LITERAL}(?:\s*{_LITERAL})*"
_ARGUMENT = rf"({_LITERALS}|\w+)"
_STATEMENT = re.compile(
    rf"TEST\(\w+, (?P<test>\w+)\)|(?:string_view|std::string) (?P<name>\w+) =\s*(?P<value>{_LITERALS});|"
    rf"EXPECT_(?P<says>TRUE|FALSE)\(\s*IsUserAgentAllowed\(\s*{_ARGUMENT},\s*{_ARGUMENT},\s*{_ARGUMENT}\s*\)\s*\)"
)
_TOKEN_OF_9309 = re.compile(r"[A-Za-z_-]+")
ROBOTS_OTHERWISE = {
    "ID_Encoding http://foo.bar/foo/bar/ツ": "RFC 9309, 2.2.2: what is not ASCII is percent-encoded before comparing",
    "ID_Encoding http://foo.bar/foo/bar/baz": "RFC 9309, 2.2.2: %62%61%7A is baz",
}
"""Where we differ on purpose, and why."""


def robots_cases() -> Iterator[object]:
    """Read each expectation with the texts last given; those without an address or a product token ask for nothing."""
    text = (_FOLDER / "robots" / "robots_test.cc").read_text()
    test, known = "", {}
    for number, match in enumerate(_STATEMENT.finditer(re.sub(r"(?m)^\s*//.*$", "", text))):
        if match["test"]:
            test, known = match["test"], {}
        elif match["name"]:
            known[match["name"]] = _cpp(match["value"])
        else:
            rules, agent, url = (known.get(a, "") if a.isidentifier() else _cpp(a) for a in match.groups()[4:])
            if url and _TOKEN_OF_9309.fullmatch(agent):
                yield pytest.param(test, rules, agent, url, match["says"] == "TRUE", id=f"{test}-{number}")


def _cpp(literals: str) -> str:
    joined = "".join(part[1:-1] for part in re.findall(_LITERAL, literals))
    return joined.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")


@pytest.mark.parametrize(("test", "rules", "agent", "url", "allowed"), list(robots_cases()))
def test_robots_are_read_as_google_reads_them_or_for_a_named_reason(
    test: str, rules: str, agent: str, url: str, allowed: bool  # noqa: FBT001 - a table
) -> None:  # fmt: skip
    named = re.sub(rf"(?im)^(\s*user-agent\s*:?\s*){agent}\b", rf"\g<1>{ROBOT}", rules)
    agrees = Rules(named).allows_url(url) is allowed
    assert agrees is (f"{test} {url}" not in ROBOTS_OTHERWISE)


def test_the_suites_hold_as_many_cases_as_were_counted() -> None:
    assert [len(list(cases)) for cases in (spf_cases(), observatory_cases(), robots_cases())] == [203, 83, 137]
