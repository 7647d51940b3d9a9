"""The data folder of one machine: its layout, and the secrets made for it."""

import base64
import fcntl
import os
import secrets
import socket
from pathlib import Path
from typing import IO

import msgspec

from vendorrisk.embedded.guarded_files import guarded_folder, open_lock, read_text, real_path, write_new
from vendorrisk.embedded.postgres import Postgres
from vendorrisk.embedded.users import SystemUser, can_reach, private_folder, system_user
from vendorrisk.embedded.valkey import Valkey
from vendorrisk.settings import Settings

_KEY_BYTES = 32


class HomeError(Exception):
    """The data folder cannot be used. The message says how to solve it."""


class Home(msgspec.Struct, frozen=True):
    path: Path
    user: SystemUser | None

    @property
    def logs(self) -> Path:
        return self.path / "log"

    def lock(self) -> IO[bytes]:
        """Hold the folder for this supervisor alone. The lock goes with the process."""
        try:
            handle = open_lock(self.path / "lock")
        except OSError as error:
            raise _unusable(self.path, error) from None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            raise HomeError(
                f"another vendorrisk runs on {self.path}. Stop it, or set VENDORRISK_HOME to another folder."
            ) from None
        return handle

    def secret_keys(self) -> str:
        """Return the keys of this folder, made at the first start. Back them up: sealed data is lost without them."""
        place = self.path / "secret.keys"
        if not os.path.lexists(place):
            write_new(place, base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())
        try:
            keys = read_text(place).strip()
        except OSError as error:
            raise HomeError(f"{place} cannot be read ({error.strerror}). It is a plain file.") from None
        if not _is_key(keys.partition(",")[0]):
            raise HomeError(f"{place} holds no key. Put its backup there: what it sealed opens with no other.")
        return keys


def _is_key(text: str) -> bool:
    """Return True if it has the form that `secret_keys` makes. `vendorrisk.keys` checks other forms."""
    try:
        return len(base64.urlsafe_b64decode(text.strip().replace("+", "-").replace("/", "_"))) >= _KEY_BYTES
    except ValueError:
        return False


def _unusable(path: Path, error: OSError) -> HomeError:
    return HomeError(f"{path} cannot be used ({error.strerror}). Set VENDORRISK_HOME to a folder of yours.")


def open_home(settings: Settings) -> Home:
    """Make the folder where it is missing. The servers' user passes through it and owns only its own folders."""
    user = system_user()
    path = real_path(settings.home_path())
    try:
        for folder in (path, path / "log", path / "run"):
            guarded_folder(folder, user)
        private_folder(path / "files", user)
    except OSError as error:
        raise _unusable(path, error) from None
    if not can_reach(path, user):
        raise HomeError(
            f"{path} lies below a folder that the user {user.name if user else ''} cannot enter, as whom the servers "
            "run. Set VENDORRISK_HOME to a folder below one that all may enter, such as /var/lib."
        )
    # A unix socket's path has a short limit. It is found out here, not by Postgres.
    if len(os.fsencode(path / "run" / "postgres" / ".s.PGSQL.5432.lock")) > 107:  # noqa: PLR2004 - sun_path
        raise HomeError(f"{path} is too long for a socket. Set VENDORRISK_HOME to a shorter path.")
    return Home(path, user)


CLUSTER = "pg-18"
"""The cluster's folder: named by its major version, so that a newer one never starts on it."""


class Embedded(msgspec.Struct, frozen=True):
    """The settings completed by embedded mode, and the servers that are not started yet."""

    settings: Settings
    servers: tuple[Postgres | Valkey, ...]


def complete(settings: Settings, home: Home) -> Embedded:
    """Complete the settings for embedded mode: a server for each address that is not set, and the folder's keys."""
    run = home.path / "run"
    changes: dict[str, object] = {"home": str(home.path)}
    servers: list[Postgres | Valkey] = []
    if not settings.database_url:
        log = home.logs / "postgres.log"
        postgres = Postgres(home.path / CLUSTER, run / "postgres", user=home.user, log=log)
        changes["database_url"] = postgres.dsn()
        servers.append(postgres)
    if not settings.redis_url:
        log = home.logs / "valkey.log"
        valkey = Valkey(home.path / "valkey", run / "valkey", persist=True, user=home.user, log=log)
        changes["redis_url"] = valkey.url
        servers.append(valkey)
    if not settings.secret_keys:
        changes["secret_keys"] = home.secret_keys()
    return Embedded(msgspec.structs.replace(settings, **changes), tuple(servers))


def free_port(host: str, wanted: int) -> int:
    """Return the wanted port if it is free, otherwise another that is."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise HomeError(f"{host} is no address of this machine. Set VENDORRISK_HOST to one that is.")
