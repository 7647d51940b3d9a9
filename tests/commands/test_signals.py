"""`vendorrisk signals …`: one scan from the shell, the lab, and opting out."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
import pytest

from tests.commands.make import Ran, command
from vendorrisk.lab.dns import Behaviour
from vendorrisk.lab.http import Reply
from vendorrisk.lab.world import Lab, good_vendor, good_zone, lab, registries
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio
DOMAIN = "acme.test"


@asynccontextmanager
async def internet(zone: Any = None) -> AsyncIterator[tuple[Lab, Settings]]:
    """Give a lab with one good vendor, and settings whose eyes are in it."""
    async with lab(good_zone() if zone is None else zone, authenticated=True) as world:
        world.hosts["good"] = await good_vendor(world)
        await registries(world)
        host, port = world.dns.address
        ports = ",".join(f"{f'{a}:' if a else ''}{p}={real}" for (a, p), real in world.ports.items())
        yield (
            world,
            Settings(
                environment="test",
                egress_resolvers=f"{host}:{port}",
                egress_test_networks="127.0.0.0/8",
                egress_test_ports=ports,
                signal_seconds_between=0,
                signal_seconds_between_of_address=0,
                signal_hibp_url="https://feeds.test/hibp",
                signal_rdap_url="https://feeds.test/rdap",
            ),
        )


async def test_one_scan_is_printed_as_a_table_that_can_be_read() -> None:
    async with internet() as (_, settings):
        ran = await command("signals", "scan", DOMAIN, settings=settings)
    assert (ran.code, ran.err) == (0, ""), ran.err
    assert f"{DOMAIN}, 20" in ran.out
    for rule in ("tls.cert_trust", "web.hsts", "email.dmarc_policy", "dns.dnssec", "dom.expiry", "tr.security_txt"):
        assert rule in ran.out
    assert re.search(r"grade [A-F], \d+ of 100 \(from \d+ to \d+ if all that is unknown", ran.out)
    assert "dns_nxdomain" in ran.out, "a list that could not be read is unknown, and says why"
    assert "\x1b" not in ran.out, "no colours where nobody sees them"


async def test_one_scan_as_json_says_the_same_and_adds_up() -> None:
    async with internet() as (_, settings):
        ran = await command("signals", "scan", DOMAIN, "--json", settings=settings)
    seen = json.loads(ran.out)
    verdicts = {one["rule"]: one["verdict"] for one in seen["evaluations"]}
    assert (seen["domain"], verdicts["web.hsts"], verdicts["email.spf"]) == (DOMAIN, "pass", "pass")
    assert verdicts["tls.cert_trust"] == "fail", "the lab's root is not Mozilla's"
    score = seen["score"]
    assert 100 * score["number"] + sum(one.get("points_bp", 0) for one in score["deductions"]) == 10_000
    assert score["number"] <= 69, "an untrusted certificate caps"


async def test_a_scan_obeys_an_opt_out_and_says_so() -> None:
    async with internet() as (context, settings):
        context.hosts["good"].on("/robots.txt", Reply(200, [], b"User-agent: vendorrisk\nDisallow: /\n"))
        ran = await command("signals", "scan", DOMAIN, "--json", settings=settings)
        asked = {request.path for request in context.hosts["good"].requests}
    reasons = {one["rule"]: one["reason"] for one in json.loads(ran.out)["evaluations"]}
    assert (reasons["web.hsts"], reasons["tls.cert_name"], reasons["tls.legacy"]) == ("opt_out",) * 3
    assert reasons["email.spf"] != "opt_out", "its records are public"
    assert asked == {"/robots.txt"}


def one_line(ran: Ran) -> str:
    assert ran.code == 1
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert "Traceback" not in ran.err
    return ran.err


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("127.0.0.1", "address"),
        ("169.254.169.254", "address"),
        ("[::1]", "public name"),
        ("printer.local", "public name"),
        ("localhost", "public name"),
        ("metadata.google.internal", "public name"),
        ("not a domain", "public name"),
        ("https://acme.test/", "public name"),
        ("*.acme.test", "public name"),
        (
            "www.acme.test",
            "is a host of acme.test, and only a domain can be scanned: run `vendorrisk signals scan acme.test`",
        ),
        ("nobody.test", "nobody.test does not exist"),
    ],
)
async def test_what_cannot_be_scanned_is_told_in_one_line(wrong: str, words: str) -> None:
    async with internet() as (context, settings):
        line = one_line(await command("signals", "scan", wrong, settings=settings))
        assert words in line
        assert wrong == "nobody.test" or context.dns.questions == [], "nothing was asked"


async def test_a_domain_whose_name_servers_fail_is_unknown_and_no_error() -> None:
    async with internet() as (context, settings):
        for name in [*context.dns.zone, (f"www.{DOMAIN}", "CNAME")]:
            context.dns.zone[name] = Behaviour.SERVFAIL
        ran = await command("signals", "scan", DOMAIN, "--json", settings=settings)
    assert ran.code == 0, ran.err
    seen = json.loads(ran.out)
    seen_well = {one["rule"]: one["reason"] for one in seen["evaluations"] if one["verdict"] not in {"unknown", "na"}}
    assert seen_well == {}
    assert (seen["score"]["grade"], seen["score"]["score"]) == ("NR", None)


async def test_an_opt_out_is_kept_for_the_whole_domain_and_can_be_taken_back(settings: Settings, owner: Any) -> None:
    here = msgspec.structs.replace(settings, egress_test_networks="127.0.0.0/8")
    told = await command("signals", "opt-out", f"shop.{DOMAIN}", "--note", "by letter", settings=here)
    assert (told.code, told.out) == (0, f"{DOMAIN} is opted out\n"), told.err
    row = await owner.fetchrow("select opt_out_source, opt_out_note from registrable_domains where name = $1", DOMAIN)
    assert tuple(row) == ("operator", "by letter")
    back = await command("signals", "opt-out", DOMAIN, "--remove", settings=here)
    assert (back.code, back.out) == (0, f"{DOMAIN} is scanned again\n")
    assert await owner.fetchval("select opted_out_at from registrable_domains where name = $1", DOMAIN) is None
    again = await command("signals", "opt-out", DOMAIN, "--remove", settings=here)
    assert one_line(again) == f"vendorrisk: {DOMAIN} was not opted out\n"
    assert "public name" in one_line(await command("signals", "opt-out", "10.0.0.1", settings=here))


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir()]


async def test_the_lab_tells_a_week_adds_up_and_leaves_nothing_behind(tmp_path: Path) -> None:
    began = monotonic()
    ran = await command("signals", "lab", TMPDIR=str(tmp_path), HOME=str(tmp_path / "home"))
    assert (ran.code, ran.err) == (0, ""), ran.err
    assert monotonic() - began < 20
    for words in ("signal_finding: careless.test", "domain_changed: solid.test", "breach_listed: careless.test"):
        assert words in ran.out
    assert "subprocessors_changed: https://solid.test/subprocessors" in ran.out
    grades = re.findall(r"^(solid|careless|lapsing)\.test +([A-F]|NR) +(\d+|-)", ran.out, re.MULTILINE)
    assert {name for name, _, _ in grades} == {"solid", "careless", "lapsing"}
    assert int(grades[-1][2]) <= 59, "an expired certificate caps"
    number, story = re.search(r"Why careless\.test has (\d+) ─*\n(.*)", ran.out, re.DOTALL).groups()  # type: ignore[union-attr]  # fails where it is absent
    costs = [round(100 * float(cost)) for cost in re.findall(r"^ +- *([\d.]+)", story, re.MULTILINE)]
    assert 10_000 - sum(costs) == 100 * int(number)
    assert left_in(tmp_path) == []
