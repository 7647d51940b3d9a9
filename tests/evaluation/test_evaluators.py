"""Every evaluator, over observations of any content: it answers, always the same, and never says more than was seen."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import inspect

from vendorrisk.egress.reasons import Reason
from vendorrisk.egress.resolver import Outcome
from vendorrisk.evaluation import evaluate
from vendorrisk.evaluation.evaluate import Before, Observation
from vendorrisk.evaluation.model import AssetKind, Evaluation, Verdict
from vendorrisk.evaluation.rules import RULES
from vendorrisk.lab import pki
from vendorrisk.lab.world import good_vendor, good_zone, lab
from vendorrisk.probes.dns import dns_setup
from vendorrisk.probes.dns.dns_setup import DnsObservation
from vendorrisk.probes.feeds.feed_observations import (
    BreachObservation,
    ExposureObservation,
    IssuanceObservation,
    ScorecardObservation,
)
from vendorrisk.probes.feeds.feed_parser import AddressFacts
from vendorrisk.probes.mail import mail_setup
from vendorrisk.probes.mail.mail_setup import EmailObservation
from vendorrisk.probes.observation import Lookup, Unknown, canonical, replay
from vendorrisk.probes.registration.domain_registration import RegObservation
from vendorrisk.probes.tls.clienthello import Greeting
from vendorrisk.probes.tls.handshake import CertObservation, Handshake, HelloObservation
from vendorrisk.probes.web.pages import PageObservation
from vendorrisk.probes.web.site import Step, Visit, WebObservation
from vendorrisk.probes.web.status_page import StatusObservation

D, WWW = "acme.test", "www.acme.test"
NOW = pki.NOW
DATASETS = evaluate.Datasets(store=pki.store())
KINDS: tuple[type[Any], ...] = get_args(Observation)
_FAILED = [*(f"dns_{o.value}" for o in Outcome if o not in {Outcome.OK, Outcome.NODATA, Outcome.NXDOMAIN}),
           *(r.value for r in Reason), "rate_limited", "http_503", "not_asked"]  # fmt: skip
_SILENT = [o.value for o in Outcome if o not in {Outcome.OK, Outcome.NODATA, Outcome.NXDOMAIN}]


def evaluated(observation: Observation, kind: AssetKind = AssetKind.DOMAIN) -> tuple[Evaluation, ...]:
    return evaluate.evaluate(observation, now=NOW, datasets=DATASETS, kind=kind)


# ── observations of any content

_WORDS = st.sampled_from([
    "", D, WWW, "acme.github.io", "0 .", "10 mx1.acme.test", "v=spf1 include:acme.test ?all", "v=spf1 redirect=%{d1r}",
    "v=DMARC1; p=reject; sp=none; rua=mailto:a@b.test!10m", "v=STSv1; id=1", "v=TLSRPTv1; rua=mailto:a@b", "v=BIMI1",
    "v=DKIM1; p=AAAA", "v=DKIM1; k=rsa; p=MIGf", "3 1 1 " + "ab" * 32, '0 issue ";"', '128 issuewild "x"', "127.0.0.1",
    "::1", "ok", "nodata", "nxdomain", "servfail", "timeout", "https", "http", "accepted", "refused", "closed", "lower",
    "major", "none", "max-age=1", "default-src 'self' 'nonce-x'; frame-ancestors *", "nosniff", "deny", "unsafe-url",
    "redemption period", "version: STSv1\nmode: enforce\nmx: *.test\nmax_age: 1", "robots_disallow", "x" * 300, "\0",
])  # fmt: skip
_TEXT = st.one_of(_WORDS, st.text(max_size=12))
_INSTANT = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
_KEYS = st.one_of(
    st.builds("{}/{}".format,
              st.sampled_from([D, f"_dmarc.{D}", f"_mta-sts.{D}", f"mx1.{D}", WWW, "test", "_dmarc.test"]),
              st.sampled_from(["TXT", "MX", "NS", "A", "AAAA", "SOA", "DS", "CAA", "CNAME", "TLSA"])),
    st.sampled_from([g.value for g in Greeting]), _TEXT,
)  # fmt: skip
_CERTIFICATES = st.sampled_from([*pki.leaf().ders, pki.root().der, b"", b"0\x03\x02\x01\x00", b"\xff" * 20])


@cache
def of(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for what a type can hold in its stored form."""
    return _of(inspect.type_info(kind))


def _of(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.StructType():
            return st.deferred(lambda: st.builds(info.cls, **{f.name: _of(f.type) for f in info.fields}))
        case inspect.UnionType():
            return st.one_of([_of(each) for each in info.types])
        case inspect.VarTupleType() | inspect.ListType():
            return st.lists(_of(info.item_type), max_size=3).map(tuple)
        case inspect.DictType():
            return st.dictionaries(_KEYS, _of(info.value_type), max_size=8)
    return _PLAIN[type(info)]


_PLAIN: Mapping[type[Any], st.SearchStrategy[Any]] = {
    inspect.StrType: _TEXT,
    inspect.IntType: st.one_of(st.integers(-1, 600), st.integers(-(2**63), 2**63 - 1)),
    inspect.BoolType: st.booleans(),
    inspect.NoneType: st.none(),
    inspect.BytesType: _CERTIFICATES,
    inspect.DateTimeType: _INSTANT,
    inspect.DateType: st.dates(),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_an_observation_of_any_content_is_evaluated_and_always_the_same(kind: type[Any], data: st.DataObject) -> None:
    # What is evaluated is what would be read back: without NUL, which is not kept.
    observation = replay(canonical(data.draw(of(kind))), kind)
    asset = data.draw(st.sampled_from([k for k in AssetKind if k is not AssetKind.REPOSITORY]))
    if kind is PageObservation and asset in {AssetKind.DOMAIN, AssetKind.HOST}:
        asset = AssetKind.SUBPROCESSOR_PAGE
    now = data.draw(st.one_of(st.just(NOW), _INSTANT))
    before = Before(values={"ns": ("a",)}, lock_removed_at=data.draw(st.none() | _INSTANT))
    found = [
        evaluate.evaluate(one, now=now, datasets=DATASETS, kind=asset, before=before)
        for one in (observation, observation, replay(canonical(observation), kind))
    ]
    assert found[0] == found[1] == found[2]
    for evaluation in found[0]:
        assert evaluation.rule in RULES
        assert b"\\u0000" not in msgspec.json.encode([evaluation.detail, evaluation.evidence, evaluation.subject])


# ── what could not be seen


def all_unknown(reason: str) -> tuple[Observation, ...]:
    """Every kind of observation of which no part was seen, for one reason."""
    not_known = Unknown(reason=reason)
    outcome = reason.removeprefix("dns_") if reason.removeprefix("dns_") in _SILENT else "timeout"
    answers = {
        name: Lookup(outcome=outcome) for name in (*whole(EmailObservation).answers, *whole(DnsObservation).answers)
    }
    return (
        CertObservation(host=D, handshake=not_known),
        HelloObservation(host=D, outcomes={Greeting.SSL3.value: reason}),
        HelloObservation(host=D, outcomes={g.value: reason for g in Greeting}),
        WebObservation(host=D, plain=not_known, secure=not_known, cors=not_known, security_txt=not_known),
        EmailObservation(domain=D, answers=answers, mta_sts=not_known, with_dkim=True),
        EmailObservation(domain=D, answers={}, with_dkim=True),
        DnsObservation(domain=D, answers=answers, hosts=(D, WWW), unchecked=Lookup(outcome=outcome)),
        DnsObservation(domain=D, answers={}, hosts=(WWW,)),
        RegObservation(domain=D, registration=not_known),
        StatusObservation(url="https://status.acme.test", status=not_known),
        PageObservation(url="https://acme.test/x", page=not_known),
        BreachObservation(domain=D, breaches=not_known),
        IssuanceObservation(domain=D, issuances=not_known),
        ExposureObservation(domain=D, addresses=(not_known,)),
        ExposureObservation(domain=D, addresses=(not_known, AddressFacts(address="8.8.8.8", known=False))),
        ScorecardObservation(repository="github.com/acme/x", tenths=not_known),
    )


@pytest.mark.parametrize("reason", _FAILED)
def test_a_scan_that_failed_is_unknown_for_every_reason_there_is(reason: str) -> None:
    for observation in all_unknown(reason):
        kind = AssetKind.TRUST_PAGE if isinstance(observation, PageObservation) else AssetKind.DOMAIN
        wrong = [j for j in evaluated(observation, kind) if j.verdict not in {Verdict.UNKNOWN, Verdict.NA}]
        assert wrong == [], type(observation)


@pytest.mark.parametrize("reason", _FAILED)
def test_a_handshake_that_failed_is_a_verdict_only_where_the_port_answered_in_no_tls(reason: str) -> None:
    """Port 80 answers: then a closed port 443, or one that speaks otherwise, is no HTTPS. What was cut off is not."""
    observation = CertObservation(host=D, handshake=Unknown(reason=reason), plain_answers=True)
    verdicts = {j.rule: j.verdict for j in evaluated(observation)}
    no_tls = reason in {Reason.CONNECT_REFUSED, Reason.TLS_FAILED, Reason.PROTOCOL}
    assert verdicts.pop("tls.https") is (Verdict.FAIL if no_tls else Verdict.UNKNOWN)
    assert set(verdicts.values()) == {Verdict.UNKNOWN}


@pytest.mark.parametrize("reason", _FAILED)
def test_a_walk_that_ended_early_says_nothing_of_the_page_it_led_to(reason: str) -> None:
    steps = (Step(scheme="http", host=D, status=301), Step(scheme="https", host=D, status=301),
             Step(scheme="https", host=WWW, status=0))  # fmt: skip
    observation = WebObservation(
        host=D, plain=Visit(steps=steps, stopped=reason), secure=Visit(steps=steps[1:], stopped=reason)
    )
    content = [j for j in evaluated(observation) if j.rule not in {"web.redirect", "web.hsts"}]
    assert {j.verdict for j in content} == {Verdict.UNKNOWN}


# ── what could be seen in part


@cache
def whole(kind: type[Any]) -> Any:
    """Return what is seen of a vendor that does everything right."""
    return asyncio.run(_whole())[kind]


async def _whole() -> dict[type[Any], Any]:
    zone = {**good_zone(), (WWW, "CNAME"): [f"{D}."]}
    del zone[WWW, "A"]
    async with lab(zone, authenticated=True) as world:
        await good_vendor(world)
        return {
            EmailObservation: await mail_setup.scan(D, resolver=world.resolver, strict_fetcher=world.strict),
            DnsObservation: await dns_setup.scan(D, resolver=world.resolver, hosts=(WWW,)),
        }


_BAD = {
    f"{D}/MX": Lookup(outcome="ok", records=("10 10.0.0.1", "20 alias.acme.test")),
    f"{D}/TXT": Lookup(outcome="ok", records=("v=spf1 include:gone.test include:a.test include:b.test +all",)),
    f"_dmarc.{D}/TXT": Lookup(outcome="ok", records=("v=DMARC1; p=none; rua=mailto:x@other.example",)),
    f"{D}/NS": Lookup(outcome="ok", records=("ns1.acme.test",)),
    f"{WWW}/CNAME": Lookup(outcome="ok", records=("gone.azurewebsites.net",)),
    "gone.azurewebsites.net/A": Lookup(outcome="nxdomain"),
    f"{D}/SOA": Lookup(outcome="ok", records=("x",)),
    f"{D}/CAA": Lookup(outcome="nodata"),
}


def bad(kind: type[Any]) -> Any:
    """Return what is seen of one that does much wrong: everything else does not exist."""
    answers = {name: Lookup(outcome="nxdomain") for name in whole(kind).answers} | _BAD
    return msgspec.structs.replace(
        whole(kind), answers=answers, **({"mta_sts": None} if kind is EmailObservation else {})
    )


def veiled(observation: Any, hidden: Mapping[str, str]) -> Any:
    answers = {name: Lookup(outcome=hidden[name]) if name in hidden else a for name, a in observation.answers.items()}
    return msgspec.structs.replace(observation, answers=answers)


def hiding(kind: type[Any]) -> st.SearchStrategy[dict[str, str]]:
    names = sorted({*whole(kind).answers, *_BAD})
    return st.dictionaries(st.sampled_from(names), st.sampled_from(_SILENT), min_size=1)


@pytest.mark.parametrize("kind", [EmailObservation, DnsObservation])
@given(data=st.data())
def test_hiding_any_answers_of_a_good_vendor_makes_no_fault_of_it(kind: type[Any], data: st.DataObject) -> None:
    full = {(j.rule, j.subject): j.verdict for j in evaluated(whole(kind))}
    assert Verdict.FAIL not in full.values()
    for j in evaluated(veiled(whole(kind), data.draw(hiding(kind)))):
        assert j.verdict in {full.get((j.rule, j.subject), Verdict.NA), Verdict.UNKNOWN, Verdict.NA}, j


@pytest.mark.parametrize("kind", [EmailObservation, DnsObservation])
@given(data=st.data())
def test_hiding_any_answers_of_a_bad_vendor_makes_nothing_of_it_good(kind: type[Any], data: st.DataObject) -> None:
    full = {j.rule: j.verdict for j in evaluated(bad(kind)) if j.verdict in {Verdict.WARN, Verdict.FAIL}}
    assert len(full) >= 4
    for j in evaluated(veiled(bad(kind), data.draw(hiding(kind)))):
        assert not (j.rule in full and j.verdict is Verdict.PASS), j


def test_the_chain_of_a_certificate_that_was_not_sent_is_not_evaluated() -> None:
    found = evaluated(CertObservation(host=D, handshake=Handshake(version="TLSv1.3", chain=())))
    assert {j.rule: j.verdict for j in found}.pop("tls.cert_trust") is Verdict.UNKNOWN
