"""Settings as files: what orchestrators mount is read, and a mistake is named."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.pretty import Pretty

from tests.commands.values import GOOD
from vendorrisk.evaluation.rules import default_disabled_rules
from vendorrisk.settings import SIGNAL_RULES, VARIABLES, SettingError, Settings, from_environment, read


def test_any_setting_may_be_a_file(tmp_path: Path) -> None:
    assert set(GOOD) == set(VARIABLES)
    for field, variable in VARIABLES.items():
        place = tmp_path / field
        place.write_text(f"{GOOD[field]}\n")
        read_back = read({f"{variable}_FILE": str(place)})
        assert str(getattr(read_back, field)) == GOOD[field], variable


def test_a_setting_both_said_and_in_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="both DATABASE_URL and DATABASE_URL_FILE are set"):
        from_environment({"DATABASE_URL": "x", "DATABASE_URL_FILE": str(tmp_path / "y")})


def test_a_file_that_cannot_be_read_is_named_by_its_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"VENDORRISK_SECRET_KEYS_FILE: .* cannot be read: No such file"):
        from_environment({"VENDORRISK_SECRET_KEYS_FILE": str(tmp_path / "none")})
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingError, match="it is not text"):
        from_environment({"VENDORRISK_SECRET_KEYS_FILE": str(binary)})


def test_a_file_of_a_setting_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingError, match="VENDORRISK_NONSENSE_FILE is not a setting"):
        from_environment({"VENDORRISK_NONSENSE_FILE": "/x"})


def test_an_empty_variable_leaves_the_file_and_an_empty_file_name_is_unset(tmp_path: Path) -> None:
    place = tmp_path / "host"
    place.write_text("h")
    assert from_environment({"VENDORRISK_HOST": "", "VENDORRISK_HOST_FILE": str(place)}).host == "h"
    assert from_environment({"VENDORRISK_HOST_FILE": ""}).host == "127.0.0.1"


def test_settings_that_are_printed_show_no_secret() -> None:
    secrets = {"secret_keys": "hidden1", "database_url": "postgresql://u:hidden2@h/d", "smtp_url": "smtp://u:hidden3@h",
               "storage_s3_secret_access_key": "hidden4", "signal_ct_token": "hidden5"}  # fmt: skip
    settings = Settings(**secrets)  # type: ignore[arg-type]  # all of them are text
    written = io.StringIO()
    Console(file=written, width=500).print(settings, Pretty(settings))
    assert "hidden" not in f"{settings} {settings!r} {written.getvalue()}"


def test_a_rule_that_cannot_be_switched_on_is_refused_with_those_that_can() -> None:
    assert from_environment({"VENDORRISK_SIGNAL_RULES_ON": " web.cors, exp.ports,"}).signal_rules_on
    for wrong in ("web.coors", "exp", "web.csp", "web.cors;exp.kev"):
        with pytest.raises(SettingError) as refused:
            from_environment({"VENDORRISK_SIGNAL_RULES_ON": f"web.cors,{wrong}"})
        told = str(refused.value)
        assert told.startswith(f"VENDORRISK_SIGNAL_RULES_ON: '{wrong}' is no rule")
        assert all(rule in told for rule in default_disabled_rules())


def test_the_settings_name_every_rule_that_is_off_by_default() -> None:
    assert set(SIGNAL_RULES) == default_disabled_rules()
