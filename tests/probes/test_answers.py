"""Plans ask in rounds, each question once, and within their bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.egress.resolver import Resolver
from vendorrisk.lab.dns import Behaviour, Zone, dns_fake
from vendorrisk.probes.dns.dns_lookups import MOST_QUESTIONS, Answers, ask_all
from vendorrisk.probes.observation import Lookup, canonical, replay, value_hash
from vendorrisk.probes.public_suffix import is_registered_at_a_registry, parents, registrable_domain


async def ask(zone: Zone, plan: object) -> tuple[dict[str, Lookup], list[tuple[str, str]]]:
    async with dns_fake(zone) as server:
        resolver = Resolver([server.address], try_seconds=0.3, lifetime_seconds=0.5)
        return await ask_all(resolver, plan), server.questions  # type: ignore[arg-type]  # a plan


@pytest.mark.anyio
async def test_each_question_is_asked_once_and_the_next_when_the_first_is_known() -> None:
    def plan(answers: Answers) -> None:
        for record in answers.get("A.test.", "MX").records:
            answers.get(record.split()[-1], "A")
            answers.get(record.split()[-1].upper(), "A")

    zone = {("a.test", "MX"): ["10 m.test."], ("m.test", "A"): ["192.0.2.1"]}
    table, questions = await ask(zone, plan)
    assert questions == [("a.test", "MX"), ("m.test", "A")]
    assert table["m.test/A"] == Lookup(outcome="ok", records=("192.0.2.1",))


@pytest.mark.anyio
async def test_a_plan_without_end_is_stopped() -> None:
    def deep(answers: Answers) -> None:
        n = 0
        while answers.get(f"n{n}.test", "A").outcome == "nxdomain":
            n += 1

    _, questions = await ask({}, deep)
    assert len(questions) <= 24
    _, questions = await ask({}, lambda answers: [answers.get(f"n{n}.test", "A") for n in range(1000)])
    assert len(questions) == MOST_QUESTIONS


@pytest.mark.anyio
async def test_every_way_of_not_knowing_is_told_apart() -> None:
    zone = {("a.test", "A"): Behaviour.SERVFAIL, ("b.test", "A"): Behaviour.DROP, ("c.test", "A"): Behaviour.REFUSED,
            ("d.test", "TXT"): ['"x"']}  # fmt: skip
    names = ["a.test", "b.test", "c.test", "d.test", "e.test", "x" * 64 + ".test", "a..b"]
    table, _ = await ask(zone, lambda answers: [answers.get(name, "A") for name in names])
    outcomes = [found.outcome for found in table.values()]
    assert outcomes == ["servfail", "timeout", "refused", "nodata", "nxdomain", "malformed", "malformed"]
    assert [bool(found.unknown) for found in table.values()] == [True, True, True, False, False, True, True]


@pytest.mark.anyio
async def test_txt_pieces_are_joined_and_any_bytes_kept_but_nul() -> None:
    table, _ = await ask({("a.test", "TXT"): ['"v=spf1 " "-all"', '"\\255\\001"']}, lambda a: a.get("a.test", "TXT"))
    assert table["a.test/TXT"].records == ("v=spf1 -all", "\xff\x01")
    assert replay(canonical(table["a.test/TXT"]), Lookup) == table["a.test/TXT"]
    with_nul = Lookup(outcome="ok", records=("a\x00b",))
    assert replay(canonical(with_nul), Lookup).records == ("a\ufffdb",)


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_in_which_things_were_seen_does_not_change_the_bytes(order: list[str]) -> None:
    table = {name: Lookup(outcome="ok", records=(name,)) for name in order}
    assert value_hash(table) == value_hash(dict(sorted(table.items())))
    assert len(value_hash(table)) == 16


@pytest.mark.parametrize(("name", "owned"), [
    ("www.acme.co.uk", "acme.co.uk"), ("acme.co.uk", "acme.co.uk"), ("co.uk", None), ("uk", None), ("", None),
    (".acme.com", None), ("a.b.acme.github.io", "acme.github.io"), ("WWW.Acme.COM.", "acme.com"),
    ("xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"), ("a.unknowntld", "a.unknowntld"),
])  # fmt: skip
def test_what_its_owner_registered_is_known(name: str, owned: str | None) -> None:
    assert registrable_domain(name) == owned


@pytest.mark.parametrize(("domain", "registered"), [
    ("acme.com", True), ("acme.co.uk", True), ("github.io", True), ("acme.github.io", False), ("www.acme.com", False),
    ("co.uk", False), ("com", False), ("acme.test", True), ("xn--85x722f.xn--55qx5d.cn", True),
])  # fmt: skip
def test_what_a_registry_has_is_told_from_what_is_lent(domain: str, registered: bool) -> None:  # noqa: FBT001 - a table
    assert is_registered_at_a_registry(domain) is registered


def test_parents_go_up_to_the_top() -> None:
    assert parents("a.B.test.") == ("a.b.test", "b.test", "test")
