"""The closed list of checks, and how they are run: each within its time, none able to break another."""

import asyncio
from collections.abc import Iterator, Sequence
from urllib.parse import unquote, urlsplit

import msgspec

from vendorrisk.db.pool import NOT_READY
from vendorrisk.doctor import database, files, machine, messages, nudges
from vendorrisk.doctor.model import Check, DatabaseAwayError, Finding, Level, Patient, Report
from vendorrisk.settings import SettingError, Settings

CHECKS: tuple[tuple[str, Check], ...] = (
    ("settings", machine.settings),
    ("database", database.reachable),
    ("roles", database.roles),
    ("row-level security", database.row_level_security),
    ("schema", database.schema_version),
    ("redis", nudges.redis),
    ("worker", nudges.worker),
    ("installation", nudges.installation),
    ("clock", machine.clock),
    ("time zones", machine.time_zones),
    ("receivers", messages.receivers),
    ("e-mail", messages.email),
    ("slack", messages.slack),
    ("secret keys", files.secret_keys),
    ("keys of processes", files.process_keys),
    ("disc space", machine.disc),
    ("sandbox", machine.sandbox),
    ("backups", machine.backups),
    # Last and alone: as root it takes another user's place for a moment.
    ("storage", files.storage),
)
SECONDS = 15.0
_SHORTEST_SECRET = 4
_URLS = ("database_url", "database_migration_url", "redis_url", "smtp_url", "storage_url", "public_url")


async def examine(patient: Patient, checks: Sequence[tuple[str, Check]] = CHECKS, seconds: float = SECONDS) -> Report:
    """Run the checks one after the other and blank out every secret of the settings."""
    findings: list[Finding] = []
    for name, check in checks:
        findings += await _bounded(patient, name, check, seconds)
    hidden = sorted(set(_secrets(patient.settings)), key=len, reverse=True)
    shown = [_without(finding, hidden) for finding in findings]
    return Report(all(finding.level is not Level.FAILURE for finding in shown), shown)


async def _bounded(patient: Patient, name: str, check: Check, seconds: float) -> list[Finding]:
    try:
        async with asyncio.timeout(seconds):
            return await check(patient)
    except DatabaseAwayError:
        return []  # the check of the database has said so
    except SettingError as error:
        return [Finding(name, Level.FAILURE, str(error), "Correct the setting.")]
    except NOT_READY as error:
        todo = "Run `vendorrisk migrate`, and see that the login may take the roles."
        return [Finding(name, Level.FAILURE, f"cannot be looked at: {error}", todo)]
    except TimeoutError:
        return [
            Finding(name, Level.FAILURE, f"no answer within {seconds:.0f} s", "See that it runs and can be reached.")
        ]
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding, and the others go on
        said = f"could not be looked at: {type(error).__name__}: {error}"
        return [Finding(name, Level.FAILURE, said, "If what it names is right, report this as a fault of ours.")]


def _secrets(settings: Settings) -> Iterator[str]:
    """Yield every text of the settings that no one may read over a shoulder."""
    yield from filter(None, (part.strip() for part in settings.secret_keys.split(",")))
    yield from filter(None, (settings.storage_s3_secret_access_key,))
    for name in _URLS:
        # By hand, and not by urlsplit's own password: it refuses some addresses as a whole.
        authority = urlsplit(getattr(settings, name).replace("[", "").replace("]", "")).netloc
        login, at, _ = authority.rpartition("@")
        password = login.partition(":")[2]
        if at and password:
            yield from (text for text in (password, unquote(password)) if len(text) >= _SHORTEST_SECRET)


def _without(finding: Finding, hidden: Sequence[str]) -> Finding:
    said, todo = finding.said, finding.todo
    for secret in hidden:
        said, todo = said.replace(secret, "…"), todo.replace(secret, "…")
    return msgspec.structs.replace(finding, said=said, todo=todo)
