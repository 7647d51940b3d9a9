"""Every setting with a wrong type, range or form: `vendorrisk up` says which and why, in one line."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import vendorrisk.embedded.supervisor
from tests.commands.make import command
from tests.commands.values import CANARY, GOOD, NEVER_WRONG, TOGETHER, WRONG, wrong_values
from vendorrisk.__main__ import main
from vendorrisk.doctor.machine import settings as settings_check
from vendorrisk.doctor.model import Level, Patient
from vendorrisk.setting_forms import BY_TYPE, FORMS
from vendorrisk.settings import FILE_SUFFIX, VARIABLES, Settings, from_environment, read


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Up":
    for name in (name + suffix for name in VARIABLES.values() for suffix in ("", FILE_SUFFIX)):
        monkeypatch.delenv(name, raising=False)
    return Up(tmp_path / "home", monkeypatch)


class Up:
    """`vendorrisk up`, whose supervisor counts as started once it is made."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home, self.started = home, False

        def start(*_arguments: object, **_more: object) -> None:
            self.started = True

        monkeypatch.setattr(vendorrisk.embedded.supervisor, "up", start)

    def __call__(self, given: Mapping[str, str]) -> Result:
        said = {VARIABLES[field]: value for field, value in given.items()}
        return CliRunner().invoke(main, ["up"], env={"VENDORRISK_HOME": str(self.home), **said})


def test_every_setting_has_a_row_a_value_and_wrong_values() -> None:
    assert list(FORMS) == list(Settings.__struct_fields__), "a setting without a row, or in another order"
    assert set(GOOD) == set(VARIABLES)
    assert set(WRONG) == set(VARIABLES) - NEVER_WRONG


def test_a_text_has_a_form_unless_its_type_names_the_values() -> None:
    kinds = Settings.__annotations__
    assert [name for name in FORMS if FORMS[name] is BY_TYPE and kinds[name] is str] == []
    assert {name for name in FORMS if FORMS[name].check is None and FORMS[name] is not BY_TYPE} == NEVER_WRONG


def test_every_value_that_a_setting_takes_is_taken() -> None:
    together = from_environment({VARIABLES[field]: value for field, value in GOOD.items()})
    assert {field: str(getattr(together, field)) for field in GOOD} == GOOD


@pytest.mark.parametrize(("field", "value"), list(wrong_values()))
def test_a_wrong_value_is_named_in_one_line_before_anything_starts(up: Up, field: str, value: str) -> None:
    needs = {"environment": "test"} if field == "egress_test_networks" else {}
    needs |= {"environment": "test", "egress_test_networks": "127.0.0.0/8"} if field == "egress_test_ports" else {}
    ran = up({**needs, field: value})
    assert (ran.exit_code, ran.stdout) == (1, "")
    [line] = ran.stderr.splitlines()
    assert line.startswith(f"vendorrisk: {VARIABLES[field]}: "), line
    assert FORMS[field].takes in line or " Send " in line, "it says what the setting takes"
    assert CANARY not in line
    assert not up.started
    assert not up.home.exists()


@pytest.mark.parametrize(("given", "said"), TOGETHER)
def test_settings_that_contradict_each_other_are_named(up: Up, given: dict[str, str], said: str) -> None:
    ran = up(given)
    assert ran.exit_code == 1
    assert said in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert not up.started


def test_what_is_right_starts(up: Up) -> None:
    assert up({"port": "0"}).exit_code == 0
    assert up.started


def test_several_wrong_ones_are_all_named(up: Up) -> None:
    ran = up({"trusted_proxies": "10.0.0.0/33", "public_url": "risk.example.org"})
    assert "VENDORRISK_TRUSTED_PROXIES: '10.0.0.0/33' is no network" in ran.stderr
    assert "VENDORRISK_PUBLIC_URL: it does not begin with https://" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.anyio
async def test_the_doctor_shares_the_table_and_lists_what_is_wrong() -> None:
    wrong = read({"VENDORRISK_TRUSTED_PROXIES": "10.0.0.0/33", "VENDORRISK_SIGNAL_CT_URL": "https://ct.example/"})
    found = await settings_check(Patient(wrong, None, None))  # type: ignore[arg-type]  # neither is asked
    assert [one.level for one in found] == [Level.FAILURE, Level.FAILURE]
    assert ["VENDORRISK_TRUSTED_PROXIES" in found[0].said, "{domain}" in found[1].said] == [True, True]
    ran = await command("doctor", VENDORRISK_TRUSTED_PROXIES="10.0.0.0/33", VENDORRISK_HOME="/nonexistent/x")
    assert ran.code == 1
    assert "VENDORRISK_TRUSTED_PROXIES: '10.0.0.0/33' is no network" in ran.out


def test_links_begin_with_the_public_address_and_by_default_with_localhost_and_the_port() -> None:
    assert from_environment({}).public_url == "http://localhost:8080"
    assert from_environment({"PORT": "9000"}).public_url == "http://localhost:9000"
    assert (
        from_environment({"PORT": "9000", "VENDORRISK_PUBLIC_URL": "https://r.example"}).public_url
        == "https://r.example"
    )
