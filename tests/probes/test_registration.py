"""Registrations by RDAP and WHOIS: read, refused, and never believed against reason."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.evaluation import domain as domain_evaluation
from vendorrisk.evaluation.model import RuleSeverity, Verdict
from vendorrisk.lab import feeds, pki, registry
from vendorrisk.lab.http import HttpFake, Reply
from vendorrisk.lab.pki import NOW
from vendorrisk.lab.world import Lab, good_zone, lab, registries
from vendorrisk.probes.observation import Unknown, canonical, replay
from vendorrisk.probes.registration import domain_registration, rdap, whois_parser
from vendorrisk.probes.registration.domain_registration import RegObservation, SecondOpinion
from vendorrisk.probes.registration.rdap import NotOwn, NotRegistered, RdapError, Registration
from vendorrisk.probes.registration.whois_fallback import WhoisOpinions
from vendorrisk.probes.registration.whois_parser import Kind
from vendorrisk.sandbox.running import Sandbox

D = "acme.test"
BASES = {"test": "https://rdap.test/"}
ENDS = datetime(2027, 2, 3, 4, 5, 6, tzinfo=UTC)


async def scan(world: Lab, domain: str = D, *, opinion: SecondOpinion | None = None, **given: object) -> RegObservation:
    found = await domain_registration.scan(
        domain,
        fetcher=world.fetcher,
        guard=world.guard,
        sandbox=world.sandbox,
        bases=given.get("bases", {}),  # type: ignore[arg-type]  # a mapping
        whois_servers={},
        second_opinion=opinion,
    )
    assert replay(canonical(found), RegObservation) == found
    return found


async def rdap_server(world: Lab, reply: Reply) -> HttpFake:
    server = await world.host("127.0.0.200", tls=pki.server_context(pki.leaf(pki.Wish(names=("rdap.test",)))))
    server.on("*", reply)
    return server


@pytest.mark.anyio
async def test_rdap_is_asked_first_and_keeps_nobody() -> None:
    async with lab(good_zone()) as world:
        nic = await registries(world)
        found = await scan(world, bases=BASES)
    assert isinstance(found.registration, Registration)
    assert (found.registration.expires_at, found.registration.registrar) == (ENDS, "Lab Registrar Ltd")
    assert found.registration.name_servers == ("ns1.acme.test", "ns2.acme.test")
    assert b"anary" not in canonical(found)
    assert nic.asked == []


RDAP_CASES = {
    "not_found": (Reply(404, [], b'{"errorCode":404}'), NotRegistered(source="rdap")),
    "not_found_bare": (Reply(404), NotRegistered(source="rdap")),
    "not_found_without_words": (Reply(404, [], b'{"title":"Not found"}'), NotRegistered(source="rdap")),
    "no_such_page": (Reply(404, [], b"<html>404 Not Found</html>"), Unknown(reason="http_404")),
    "another_error": (Reply(404, [], b'{"errorCode":500}'), Unknown(reason="http_404")),
    "a_list_of_nothing": (Reply(404, [], b"[]"), Unknown(reason="http_404")),
    "tired": (Reply(429, [("Retry-After", "60")]), Unknown(reason="rate_limited")),
    "broken": (Reply(500), Unknown(reason="http_500")),
    "html": (Reply(200, [], b"<html>"), Unknown(reason="rdap_malformed")),
    "other": (Reply(200, [], registry.rdap_domain("other.test")), Unknown(reason="rdap_other_object")),
    "entity": (
        Reply(200, [], b'{"objectClassName":"entity","ldhName":"acme.test"}'),
        Unknown(reason="rdap_other_object"),
    ),
    "list": (Reply(200, [], b"[]"), Unknown(reason="rdap_malformed")),
    "deep": (Reply(200, [], b'{"entities":' + b"[" * 100_000), Unknown(reason="rdap_malformed")),
    "odd_fields": (Reply(200, [], registry.rdap_domain(D, events="soon")), Unknown(reason="rdap_malformed")),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", list(RDAP_CASES))
async def test_an_rdap_response_is_a_registration_none_or_not_seen(case: str) -> None:
    reply, expected = RDAP_CASES[case]
    async with lab(good_zone()) as world:
        await rdap_server(world, reply)
        assert (await scan(world, bases=BASES)).registration == expected


@pytest.mark.anyio
@pytest.mark.parametrize("filler", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+12:00"])
async def test_a_date_that_no_registration_has_is_not_stated_and_evaluated_unknown(filler: str) -> None:
    events = [{"eventAction": what, "eventDate": filler} for what in ("registration", "expiration")]
    async with lab(good_zone()) as world:
        await rdap_server(world, Reply(200, [], registry.rdap_domain(D, events=events)))
        found = await scan(world, bases=BASES)
    evaluated = {j.rule: (j.verdict, j.reason, j.cap) for j in domain_evaluation.evaluate(found, now=NOW)}
    assert evaluated["dom.expiry"] == (Verdict.UNKNOWN, "no_expiry_stated", None)
    assert evaluated["dom.age"] == (Verdict.UNKNOWN, "no_creation_stated", None)
    assert evaluated["dom.lock"][0] is Verdict.PASS, "the rest of the answer counts"


@pytest.mark.anyio
async def test_without_rdap_the_server_that_iana_names_is_asked_and_no_other() -> None:
    async with lab(good_zone()) as world:
        nic = await registries(world)
        found = await scan(world)
        assert isinstance(found.registration, Registration)
        assert found.registration.expires_at == ENDS
        assert nic.asked == [b"acme.test\r\n"]
        assert not any("internal-host" in name for name, _ in world.dns.questions)


@pytest.mark.anyio
async def test_an_unregistered_domain_is_said_to_be_so() -> None:
    async with lab(good_zone()) as world:
        await registries(world)
        assert (await scan(world, "gone.test")).registration == NotRegistered(source="whois")


@pytest.mark.anyio
@pytest.mark.parametrize("domain", ["acme.github.io", "acme.herokuapp.com", "co.uk", "com"])
async def test_a_name_that_no_registry_has_by_itself_is_not_asked_for_and_not_missing(domain: str) -> None:
    async with lab(good_zone()) as world:
        nic = await registries(world)
        server = await rdap_server(world, Reply(404))
        found = await scan(world, domain, bases=dict.fromkeys(("io", "com", "uk"), "https://rdap.test/"))
    assert found.registration == NotOwn()
    assert (server.requests, nic.asked) == ([], [])
    assert {j.verdict for j in domain_evaluation.evaluate(found, now=NOW)} == {Verdict.NA}


@pytest.mark.anyio
@pytest.mark.parametrize("server", ["inside.test", "169.254.169.254", "localhost", ""])
async def test_a_referral_to_a_private_place_is_not_followed(server: str) -> None:
    async with lab({**good_zone(), ("inside.test", "A"): ["10.0.0.1"]}) as world:
        await world.raw("127.0.0.201", 43, registry.WhoisServer(otherwise=f"whois: {server}\n"))
        assert isinstance((await scan(world)).registration, Unknown)


@pytest.mark.anyio
@pytest.mark.parametrize("script", [registry.flood, registry.drip])
async def test_a_server_that_never_ends_is_cut_off(script: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain_registration, "_WHOIS_SECONDS", 0.5)
    async with lab(good_zone()) as world:
        await world.raw("127.0.0.201", 43, registry.WhoisServer(otherwise="whois: whois.nic.test\n"))
        await world.raw("127.0.0.202", 43, script)  # type: ignore[arg-type]  # a script of streams
        begun = time.monotonic()
        found = (await scan(world)).registration
    assert time.monotonic() - begun < 3
    assert not isinstance(found, NotRegistered)
    assert (
        domain_evaluation.evaluate(RegObservation(domain=D, registration=found), now=NOW)[0].verdict is Verdict.UNKNOWN
    )


@pytest.mark.anyio
@pytest.mark.parametrize("domain", ["acme.test\r\nother.test", "acme.test\n", "m\u00fcnchen.test"])
async def test_nobody_adds_a_line_to_the_question(domain: str) -> None:
    async with lab(good_zone()) as world:
        nic = await registries(world)
        with pytest.raises(ValueError, match="no WHOIS question"):
            await scan(world, domain)
    assert nic.asked == []


@pytest.mark.anyio
async def test_the_second_opinion_is_asked_only_where_we_find_no_date() -> None:
    asked: list[str] = []

    async def opinion(domain: str, text: str) -> Registration | None:
        asked.append(domain)
        return None

    async with lab(good_zone()) as world:
        nic = await registries(world)
        await scan(world, opinion=opinion)
        assert asked == []
        nic.answers[D] = registry.DIALECTS["no_dates"]
        found = (await scan(world, opinion=opinion)).registration
    assert asked == [D]
    assert isinstance(found, Registration)
    assert (
        domain_evaluation.evaluate(RegObservation(domain=D, registration=found), now=NOW)[0].reason
        == "no_expiry_stated"
    )


@pytest.mark.anyio
async def test_python_whois_gives_its_opinion_in_a_child_and_dies_of_bombs_there() -> None:
    opinions = WhoisOpinions(Sandbox())
    found = await opinions("acme.com", registry.DIALECTS["gtld"].replace("ACME.TEST", "ACME.COM"))
    assert found is not None
    assert (found.expires_at, found.source) == (ENDS, "whois_opinion")
    for domain, text in (("acme.com", "a" * 32_768), ("acme.hk", "\n" * 32_768)):
        begun = time.monotonic()
        assert await opinions(domain, text) is None
        assert time.monotonic() - begun < 9


@pytest.mark.parametrize("dialect", [d for d in registry.DIALECTS if d not in {"ambiguous", "no_dates"}])
def test_each_dialect_is_read(dialect: str) -> None:
    text = registry.DIALECTS[dialect]
    assert whois_parser.classify(text, D) is Kind.OK
    expires = whois_parser.read(text).expires_at
    assert expires is not None
    assert expires.date() == ENDS.date()


def test_a_date_that_could_be_two_days_is_no_date() -> None:
    assert whois_parser.read(registry.DIALECTS["ambiguous"]).expires_at is None


@pytest.mark.parametrize("text", registry.NOT_FOUND)
def test_a_free_domain_is_known_in_many_words(text: str) -> None:
    assert whois_parser.classify(text, D) is Kind.NOT_FOUND


@pytest.mark.parametrize("text", registry.TIRED)
def test_a_tired_server_is_never_a_free_domain(text: str) -> None:
    assert whois_parser.classify(text, D) is Kind.RATE_LIMITED


@pytest.mark.parametrize(("text", "kind"), [("", Kind.EMPTY), (" \r\n", Kind.EMPTY), ("<html>", Kind.ODD)])
def test_an_empty_or_odd_response_is_neither(text: str, kind: Kind) -> None:
    assert whois_parser.classify(text, D) is kind


@pytest.mark.parametrize(("text", "day"), [
    ("2027-02-03", "2027-02-03"), ("2027.02.03", "2027-02-03"), ("2027/02/03 10:00:00", "2027-02-03"),
    ("20270203", "2027-02-03"), ("03-Feb-2027", "2027-02-03"), ("3 February 2027", "2027-02-03"),
    ("Wed Feb 03 23:59:59 GMT 2027", "2027-02-03"), ("February 3, 2027", "2027-02-03"), ("13/02/2027", "2027-02-13"),
    ("02/13/2027", "2027-02-13"), ("02/02/2027", "2027-02-02"), ("03/02/2027", None), ("2027-13-40", None),
    ("soon", None), ("0000-00-00", None), ("10000-01-01", None), ("29-Feb-2027", None), ("9999-12-31", "9999-12-31"),
    ("0001-01-01", None), ("1970-01-01 00:00:00", None), ("01.01.0001", None), ("1985-03-15", "1985-03-15"),
])  # fmt: skip
def test_dates_are_read_or_left(text: str, day: str | None) -> None:
    found = whois_parser.instant(text)
    assert (None if found is None else found.date().isoformat()) == day


@given(st.text(max_size=3000))
def test_no_text_makes_the_reader_fall(text: str) -> None:
    whois_parser.classify(text, D)
    whois_parser.read(text)


@pytest.mark.parametrize("bomb", ["a" * 65_536, "\n" * 65_536, ": " * 32_768, "domain " * 9_000, "limit " * 10_000])
def test_a_bomb_costs_the_reader_little(bomb: str) -> None:
    begun = time.process_time()
    whois_parser.classify(bomb, D)
    whois_parser.read(bomb)
    assert time.process_time() - begun < 0.5


def test_the_bootstrap_takes_secure_bases_only() -> None:
    assert rdap.read_bootstrap(feeds.BOOTSTRAP) == BASES
    for body in (b"{}", b"[]", b"<html>", b'{"version":"2.0","services":[]}'):
        with pytest.raises(RdapError):
            rdap.read_bootstrap(body)


DAY = timedelta(days=1)
LOCKED = ("client transfer prohibited",)
OLD = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(("found", "verdict", "severity", "cap"), [
    (Registration(source="rdap", expires_at=NOW + 31 * DAY), "pass", None, None),
    (Registration(source="rdap", expires_at=NOW + 30 * DAY), "warn", RuleSeverity.MEDIUM, None),
    (Registration(source="rdap", expires_at=NOW + 7 * DAY), "fail", RuleSeverity.HIGH, None),
    (Registration(source="rdap", expires_at=NOW - DAY), "fail", None, 59),
    (Registration(source="rdap", expires_at=NOW + 99 * DAY, statuses=("redemption period",)), "fail", None, 59),
    (Registration(source="rdap", statuses=("pending delete",)), "fail", None, 59),
    (Registration(source="whois"), "unknown", None, None),
    (NotRegistered(source="rdap"), "fail", None, 59),
    (Unknown(reason="rate_limited"), "unknown", None, None),
])  # fmt: skip
def test_the_end_of_a_registration_is_evaluated_by_what_is_left(
    found: Registration | NotRegistered | Unknown, verdict: str, severity: RuleSeverity | None, cap: int | None
) -> None:
    evaluated = domain_evaluation.evaluate(RegObservation(domain=D, registration=found), now=NOW)[0]
    assert (evaluated.verdict.value, evaluated.severity, evaluated.cap) == (verdict, severity, cap)


@pytest.mark.parametrize(("domain", "statuses", "verdict"), [
    ("acme.test", LOCKED, "pass"), ("acme.test", ("active",), "warn"), ("acme.test", (), "unknown"),
    ("acme.de", ("connect",), "na"), ("acme.au", (), "na"),
])  # fmt: skip
def test_a_lock_is_missed_only_where_there_can_be_one(domain: str, statuses: tuple[str, ...], verdict: str) -> None:
    found = Registration(source="rdap", statuses=statuses, created_at=OLD)
    assert (
        domain_evaluation.evaluate(RegObservation(domain=domain, registration=found), now=NOW)[1].verdict.value
        == verdict
    )


def test_a_young_domain_is_a_warn() -> None:
    for days, verdict in ((29, "warn"), (30, "pass")):
        found = Registration(source="rdap", created_at=NOW - days * DAY)
        assert (
            domain_evaluation.evaluate(RegObservation(domain=D, registration=found), now=NOW)[2].verdict.value
            == verdict
        )


def test_a_change_of_hands_is_notified_and_severe_after_an_unlock() -> None:
    change = domain_evaluation.evaluate_change
    same = change("ns", ("a", "b"), ("b", "a"), lock_removed_at=NOW, now=NOW)
    assert same.verdict is Verdict.PASS
    assert change("ns", ("a",), ("b",), lock_removed_at=None, now=NOW).verdict is Verdict.WARN
    assert change("ns", ("a",), ("b",), lock_removed_at=NOW - 7 * DAY, now=NOW).verdict is Verdict.FAIL
    assert change("ns", ("a",), ("b",), lock_removed_at=NOW - 8 * DAY, now=NOW).verdict is Verdict.WARN
