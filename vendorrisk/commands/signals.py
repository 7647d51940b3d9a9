"""Outside signals from the shell: one look, the lab, and who does not want to be looked at."""

from typing import TYPE_CHECKING

import click

from vendorrisk.commands.running import database_or_give_up, give_up, run, settings_or_give_up
from vendorrisk.settings import Settings

if TYPE_CHECKING:
    from vendorrisk.signals.one_off_scan import Checked

_COLOURS = {"pass": "green", "warn": "yellow", "fail": "red", "unknown": "magenta", "na": "dim"}
_ORDER = ("fail", "unknown", "warn", "pass", "na")


@click.group()
def signals() -> None:
    """External security signals of vendors."""


@signals.command("check")
@click.argument("domain")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def check_domain(domain: str, *, as_json: bool) -> None:
    """Look once at DOMAIN from outside and print what is seen, as a table. Stores nothing."""
    import msgspec

    checked = run(_checked(settings_or_give_up(), domain))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(checked)).decode())
    else:
        _print(checked)


@signals.command("lab")
def show_lab() -> None:
    """Show a week of three made-up vendors, on loopback: looks, findings, scores and alerts. Needs no internet."""
    from vendorrisk.embedded.binaries import MissingServerError
    from vendorrisk.embedded.borrowed import throw_away_postgres
    from vendorrisk.embedded.postgres import PostgresError

    try:
        with throw_away_postgres() as dsn:
            run(_story(dsn))
    except (MissingServerError, PostgresError) as error:
        give_up(str(error))


@signals.command("opt-out")
@click.argument("domain")
@click.option("--note", help="Who asked, and how.")
@click.option("--remove", is_flag=True, help="Look at it again.")
def opt_out(domain: str, note: str | None, *, remove: bool) -> None:
    """Never connect to DOMAIN's machines again, for any tenant: its signals become "unknown: opt_out"."""
    with database_or_give_up() as settings:
        place = run(_opted_out(settings, domain, note, remove=remove))
    click.echo(f"{place} is {'looked at again' if remove else 'opted out'}")


async def _checked(settings: Settings, domain: str) -> "Checked":
    from vendorrisk.clock import system_clock
    from vendorrisk.egress.guard import guard_from
    from vendorrisk.egress.pacing import OwnTurns, PolitePacer
    from vendorrisk.egress.sessions import session
    from vendorrisk.evaluation.certificates import mozilla_store
    from vendorrisk.evaluation.evaluate import Datasets
    from vendorrisk.probes.registration.whois_fallback import WhoisOpinions
    from vendorrisk.probes.scanner import LiveLooks
    from vendorrisk.sandbox.running import Sandbox
    from vendorrisk.signals.one_off_scan import check
    from vendorrisk.signals.schedule import place_of
    from vendorrisk.signals.service import off_rules

    place = _place(settings, domain)
    guard = guard_from(settings)
    guard.pacer = PolitePacer(
        place_of,
        OwnTurns(),
        seconds_between=settings.signal_seconds_between,
        seconds_between_of_address=settings.signal_seconds_between_of_address,
    )
    looks = LiveLooks(guard, contact_url=settings.contact_url, second_opinion=WhoisOpinions(Sandbox()))
    try:
        async with session():
            return await check(
                place,
                looks=looks,
                settings=settings,
                now=system_clock(),
                datasets=Datasets(store=mozilla_store()),
                off=off_rules(settings),
            )
    finally:
        await looks.aclose()


def _place(settings: Settings, domain: str) -> str:
    """Return the registrable domain, or refuse what can never be looked at."""
    from vendorrisk.signals.schedule import place_of

    host = _host(settings, domain)
    place = place_of(host)
    if place != host:
        give_up(f"{host} is a host of {place}, and one look is at a domain: run `vendorrisk signals check {place}`")
    return place


def _print(checked: "Checked") -> None:
    from rich.console import Console
    from rich.table import Table

    from vendorrisk.evaluation.rules import RULES

    console = Console()
    table = Table(title=f"{checked.domain}, {checked.at:%Y-%m-%d %H:%M} UTC", title_justify="left")
    for heading in ("rule", "verdict", "what was seen", "reason"):
        table.add_column(heading, overflow="fold")
    ordered = sorted(
        checked.judgements, key=lambda j: (list(RULES).index(j.rule), _ORDER.index(j.verdict.value), j.discriminator)
    )
    for one in ordered:
        about = f" ({one.discriminator})" if one.discriminator else ""
        verdict = f"[{_COLOURS[one.verdict.value]}]{one.verdict.value}[/]"
        table.add_row(one.rule, verdict, f"{one.detail}{about}", one.reason)
    console.print(table)
    result = checked.score
    number = "no number: too little was seen" if result.score is None else f"{result.score} of 100"
    console.print(
        f"grade {result.grade}, {number} (from {result.low} to {result.high} if all that is unknown were bad or good);"
        f" {result.coverage_bp / 100:.0f} % of what applies was seen; methodology {result.model_version}"
    )


async def _story(dsn: str) -> None:
    from rich.console import Console

    from vendorrisk.lab import story

    await story.tell(dsn, Console())


async def _opted_out(settings: Settings, domain: str, note: str | None, *, remove: bool) -> str:
    from vendorrisk.clock import system_clock
    from vendorrisk.db.pool import Database
    from vendorrisk.signals import queries, schedule

    place = schedule.place_of(_host(settings, domain))
    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            if not remove:
                await queries.opt_out(connection, place, system_clock(), note)
            elif not await queries.opt_in(connection, place, system_clock()):
                give_up(f"{place} was not opted out")
    finally:
        await database.close()
    return place


def _host(settings: Settings, domain: str) -> str:
    from vendorrisk.evaluation.model import AssetKind
    from vendorrisk.signals.asset_model import NewVendorAsset
    from vendorrisk.signals.service import settled_name

    wanted = NewVendorAsset(kind=AssetKind.HOST, name=domain)
    return settled_name(wanted, test_names=bool(settings.egress_test_networks))[0]
