"""The command line as a whole: each command has help, and wrong input gives one clear line."""

import pytest
from click import Command, Group
from click.testing import CliRunner

from tests.commands.make import command
from tests.conftest import Servers, with_database
from vendorrisk.__main__ import main

pytestmark = pytest.mark.anyio


def every(group: Group = main, before: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Command]]:  # type: ignore[assignment]  # a click group
    found: list[tuple[tuple[str, ...], Command]] = []
    for name, one in sorted(group.commands.items()):
        found.append(((*before, name), one))
        if isinstance(one, Group):
            found += every(one, (*before, name))
    return found


@pytest.mark.parametrize(("words", "one"), every(), ids=[" ".join(words) for words, _ in every()])
def test_every_command_has_help_that_says_what_it_does(words: tuple[str, ...], one: Command) -> None:
    for flag in ("--help", "-h"):
        ran = CliRunner().invoke(main, [*words, flag])
        assert ran.exit_code == 0, ran.output
        assert ran.output.startswith(f"Usage: main {' '.join(words)}")
    assert one.help
    assert one.help.partition("\n")[0].rstrip()[-1] in ".,:"
    for parameter in one.params:
        if parameter.param_type_name == "option":
            assert getattr(parameter, "help", None), (words, parameter.name)


@pytest.mark.parametrize(("words", "one"), every(), ids=[" ".join(words) for words, _ in every()])
def test_every_command_called_with_what_it_does_not_know_ends_with_2_and_one_error_line(
    words: tuple[str, ...], one: Command
) -> None:
    del one
    ran = CliRunner().invoke(main, [*words, "--nonsense"])
    assert ran.exit_code == 2
    [said] = [line for line in ran.output.splitlines() if line.startswith("Error: ")]
    assert "No such option" in said
    assert "--nonsense" in said


@pytest.mark.parametrize(
    "words",
    [["api"], ["worker"], ["migrate"]],
    ids=["api", "worker", "migrate"],
)
async def test_a_command_that_needs_a_database_says_so_in_one_line(words: list[str]) -> None:
    ran = await command(*words)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "vendorrisk: DATABASE_URL is not set. `vendorrisk up` starts everything on this machine\n"


@pytest.mark.parametrize("words", [["api"], ["up"], ["schema"], ["demo"]], ids=["api", "up", "schema", "demo"])
@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("VENDORRISK_NONSENSE", "1", "VENDORRISK_NONSENSE is not a setting"),
        ("PORT", "eighty", "PORT"),
        ("VENDORRISK_LOG_LEVEL", "loud", "VENDORRISK_LOG_LEVEL"),
    ],
    ids=["unknown", "not a number", "not in the list"],
)
async def test_a_wrong_setting_is_named_in_one_line(words: list[str], variable: str, value: str, told: str) -> None:
    ran = await command(*words, **{variable: value})
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("vendorrisk: ")
    assert told in ran.err
    assert ran.err.count("\n") == 1


async def test_a_login_or_database_that_is_none_is_one_line_that_names_the_setting(servers: Servers) -> None:
    there = servers.admin_url
    for url in (with_database(there, "nowhere"), there.replace("vendorrisk@", "nobody-here@")):
        for words in (["migrate"], ["tenants", "list"]):
            ran = await command(*words, DATABASE_URL=url)
            assert (ran.code, ran.out) == (1, "")
            assert ran.err.startswith("vendorrisk: the database of DATABASE_URL cannot be reached: ")
            assert "does not exist" in ran.err
            assert ran.err.count("\n") == 1, ran.err


async def test_a_database_that_does_not_answer_is_one_line_that_names_the_setting() -> None:
    for words in (["migrate"], ["schema"], ["tenants", "add", "Acme"]):
        ran = await command(*words, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err.startswith("vendorrisk: ")
        assert "DATABASE_URL" in ran.err
        assert ran.err.count("\n") == 1, ran.err
