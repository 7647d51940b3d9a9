"""Which addresses of the settings answer, asked before anything is started.

The service cannot run without its database and Redis. Without the mail server or the file store it runs, and its
messages and files wait.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import msgspec

from vendorrisk.settings import VARIABLES, Settings

_SECONDS = 3.0
_PORTS = {"postgresql": 5432, "postgres": 5432, "redis": 6379, "rediss": 6379, "smtp": 25, "smtps": 465}
_PORTS |= {"http": 80, "https": 443}
_NEEDED = {"database_url": "the database", "database_migration_url": "the database", "redis_url": "the server"}
_WAITING = {"smtp_url": "the mail server", "storage_s3_endpoint": "the file store"}


class Away(msgspec.Struct, frozen=True):
    """An address that does not answer. `is_needed` if nothing can start without it."""

    said: str
    is_needed: bool


def away(settings: Settings) -> Iterator[Away]:
    for field, noun in {**_NEEDED, **_WAITING}.items():
        if (url := getattr(settings, field)) and (reason := _unreachable(url)):
            yield Away(f"{noun} of {VARIABLES[field]} cannot be reached: {reason}", field in _NEEDED)
    if settings.storage_url.startswith("file:"):
        folder = Path(unquote(urlsplit(settings.storage_url).path))
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            yield Away(f"{VARIABLES['storage_url']}: {there} is no folder that can be written", is_needed=True)


def taken(host: str, port: int) -> str | None:
    """Return why a port cannot be listened on, None if it can."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or "it cannot be had"
    return None


def holder(port: int) -> str:
    """Name the process that listens on a port, as far as we may see it."""
    sockets = set(_listening(port))
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and any(f"socket:[{number}]" in _handles(process) for number in sockets):
            return f"process {process.name} ({_name(process)})"
    return "another process"


def _listening(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _handles(process: Path) -> set[str]:
    try:
        return {str(handle.readlink()) for handle in (process / "fd").iterdir()}
    except OSError:
        return set()


def _name(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return "unknown"
    # Never its arguments, which may hold a secret. `python -m name` is shown with the name.
    named = [Path(words[0]).name, *(words[1:3] if words[1:2] == ["-m"] else [])]
    return "".join(character if character.isprintable() else " " for character in " ".join(named))[:100]


def _unreachable(url: str) -> str | None:
    """Return why nothing answers at any place that an address names, None if something does."""
    reason = "it names no host"
    for place in _places(urlsplit(url)):
        try:
            _connect(place)
        except OSError as error:
            reason = f"{_shown(place)}: {error.strerror or error}"
        else:
            return None
    return reason


def _connect(place: str | tuple[str, int]) -> None:
    if isinstance(place, str):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(_SECONDS)
            probe.connect(place)
        return
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(*place, type=socket.SOCK_STREAM):
        with socket.socket(family, kind, protocol) as probe:
            probe.settimeout(_SECONDS)
            try:
                probe.connect(address)
            except OSError as error:
                failure = error
            else:
                return
    raise failure or OSError("it has no address")


def _places(parts: SplitResult) -> Iterator[str | tuple[str, int]]:
    """Yield the sockets that an address leads to: of Postgres several hosts, or a folder of a socket."""
    query = parse_qs(parts.query)
    port = 587 if parts.scheme == "smtp" and parts.username else _PORTS.get(parts.scheme, 0)
    if parts.scheme == "unix":
        yield unquote(parts.path)
        return
    named = parts.netloc.rpartition("@")[2].split(",")
    hosts = named if named != [""] else ",".join(query.get("host", [])).split(",")
    for host in hosts:
        name, own = _host_and_port(unquote(host), int(query.get("port", [str(port)])[0]))
        if name.startswith("/"):
            yield f"{name}/.s.PGSQL.{own}"
        elif name:
            yield name, own


def _host_and_port(text: str, port: int) -> tuple[str, int]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, int(rest[1:] or port)
    host, colon, rest = text.partition(":")
    return host, int(rest) if colon and rest else port


def _shown(place: str | tuple[str, int]) -> str:
    return place if isinstance(place, str) else f"{place[0]} port {place[1]}"
