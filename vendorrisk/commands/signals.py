"""External signals from the shell: one scan, the lab, and domains that opt out of scans."""

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


@signals.command("scan")
@click.argument("domain")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def scan_domain(domain: str, *, as_json: bool) -> None:
    """Scan DOMAIN once from outside and print the results as a table. Stores nothing."""
    import msgspec

    checked = run(_checked(settings_or_give_up(), domain))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(checked)).decode())
    else:
        _print(checked)


@signals.command("lab")
def show_lab() -> None:
    """Show a week of three made-up vendors, on loopback: scans, findings, scores and alerts. Needs no internet."""
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
@click.option("--note", help="The person who asked, and the way.")
@click.option("--remove", is_flag=True, help="Scan it again.")
def opt_out(domain: str, note: str | None, *, remove: bool) -> None:
    """Never connect to DOMAIN's machines again, for any tenant: its signals become "unknown: opt_out"."""
    with database_or_give_up() as settings:
        registrable_domain = run(_opted_out(settings, domain, note, remove=remove))
    click.echo(f"{registrable_domain} is {'scanned again' if remove else 'opted out'}")


async def _checked(settings: Settings, domain: str) -> "Checked":
    from vendorrisk.clock import system_clock
    from vendorrisk.egress.guard import guard_from
    from vendorrisk.egress.pacing import OwnTurns, PolitePacer
    from vendorrisk.egress.sessions import session
    from vendorrisk.evaluation.certificates import mozilla_store
    from vendorrisk.evaluation.evaluate import Datasets
    from vendorrisk.probes.scanner import LiveScanner
    from vendorrisk.sandbox.running import Sandbox
    from vendorrisk.signals.one_off_scan import check
    from vendorrisk.signals.schedule import registrable_domain_of
    from vendorrisk.signals.service import configured_disabled_rules

    registrable_domain = _registrable_domain(settings, domain)
    guard = guard_from(settings)
    guard.pacer = PolitePacer(
        registrable_domain_of,
        OwnTurns(),
        seconds_between=settings.signal_seconds_between,
        seconds_between_of_address=settings.signal_seconds_between_of_address,
    )
    scanner = LiveScanner(guard, contact_url=settings.contact_url, sandbox=Sandbox())
    try:
        async with session():
            return await check(
                registrable_domain,
                scanner=scanner,
                settings=settings,
                now=system_clock(),
                datasets=Datasets(store=mozilla_store()),
                disabled_rules=configured_disabled_rules(settings),
            )
    finally:
        await scanner.aclose()


def _registrable_domain(settings: Settings, domain: str) -> str:
    """Return the registrable domain, or refuse a name that can never be scanned."""
    from vendorrisk.signals.schedule import registrable_domain_of

    host = _host(settings, domain)
    registrable_domain = registrable_domain_of(host)
    if registrable_domain != host:
        give_up(
            f"{host} is a host of {registrable_domain}, and only a domain can be scanned:"
            f" run `vendorrisk signals scan {registrable_domain}`"
        )
    return registrable_domain


def _print(checked: "Checked") -> None:
    from rich.console import Console
    from rich.table import Table

    from vendorrisk.evaluation.rules import RULES

    console = Console()
    table = Table(title=f"{checked.domain}, {checked.at:%Y-%m-%d %H:%M} UTC", title_justify="left")
    for heading in ("rule", "verdict", "what was seen", "reason"):
        table.add_column(heading, overflow="fold")
    ordered = sorted(
        checked.evaluations, key=lambda j: (list(RULES).index(j.rule), _ORDER.index(j.verdict.value), j.subject)
    )
    for one in ordered:
        about = f" ({one.subject})" if one.subject else ""
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

    registrable_domain = schedule.registrable_domain_of(_host(settings, domain))
    database = Database(settings)
    await database.open()
    try:
        async with database.system() as connection:
            if not remove:
                await queries.opt_out(connection, registrable_domain, system_clock(), note)
            elif not await queries.opt_in(connection, registrable_domain, system_clock()):
                give_up(f"{registrable_domain} was not opted out")
    finally:
        await database.close()
    return registrable_domain


def _host(settings: Settings, domain: str) -> str:
    from vendorrisk.evaluation.model import AssetKind
    from vendorrisk.signals.asset_model import NewVendorAsset
    from vendorrisk.signals.service import normalised_name

    wanted = NewVendorAsset(kind=AssetKind.HOST, name=domain)
    return normalised_name(wanted, test_names=bool(settings.egress_test_networks))[0]
