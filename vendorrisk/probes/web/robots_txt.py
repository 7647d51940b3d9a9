"""robots.txt (RFC 9309): the paths of a host that may be read, and how long this is cached.

Rules are patterns that a host writes. They are read and matched in the sandbox's child.
"""

import re
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec
from protego import Protego

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError
from vendorrisk.probes import reading
from vendorrisk.probes.observation import Unknown
from vendorrisk.sandbox.running import Sandbox

ROBOT = "vendorrisk"
_ROBOTS_BYTES = 500 * 1024
_GOOD_FOR = timedelta(hours=24)
_MOST_HOSTS = 50_000


class Robots(msgspec.Struct, frozen=True):
    """A host's robots.txt as it applies to us. `opted_out`: a group of our own name forbids everything."""

    text: str = ""
    opted_out: bool = False
    unreachable: bool = False


class Rules:
    """The rules of a text. Only the sandbox's child makes them of a stranger's."""

    def __init__(self, text: str) -> None:
        told = _told_apart(text)
        self._rules = Protego.parse(told)
        self.opted_out = f"User-agent: {ROBOT}" in told.split("\n") and not self.allows("/")

    def allows(self, path: str) -> bool:
        return bool(self._rules.can_fetch(path or "/", ROBOT))

    def allows_url(self, url: str) -> bool:
        """Whether an address of the host may be read: rules are of path and query together."""
        parts = urlsplit(url)
        return self.allows(f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}")


def opts_out(payload: bytes) -> bool:
    """Return True if a robots.txt opts out. The form in which a child can be asked."""
    return Rules(payload.decode("utf-8", "replace")).opted_out


def permits(payload: bytes) -> bool:
    """Return True if a (text, URL) permits the URL. The form in which a child can be asked."""
    text, url = msgspec.msgpack.decode(payload, type=tuple[str, str])
    return Rules(text).allows_url(url)


async def allows_url(robots: Robots, url: str, sandbox: Sandbox) -> bool:
    """Return True if an address may be read.

    While robots.txt itself cannot be read, none may (section 2.3.1.4). The same holds for rules that no parser gets
    through.
    """
    if robots.unreachable or not robots.text.strip():
        return not robots.unreachable
    return await reading.read(sandbox, permits, reading.packed(robots.text, url), about=url) is True


_AGENT = re.compile(r"[ \t]*user-agent[ \t]*[: \t][ \t]*([A-Za-z_-]+|\*)", re.IGNORECASE)

_RULE = re.compile(r"[ \t]*(?:dis)?allow\b", re.IGNORECASE)


def _told_apart(text: str) -> str:
    """Return the rules with each group named for us, for all, or for another robot.

    Groups go by their product token (section 2.2.1): `VendorRisk/1.0` is ours, and `vendor` is not, which the parser
    sees the other way round. Lines of other kinds, such as Sitemap, are left out, since they end no group.
    """
    return "\n".join(filter(None, map(_told, text.removeprefix("\ufeff").splitlines())))


def _told(line: str) -> str:
    match = _AGENT.match(line)
    if match is None:
        return line if _RULE.match(line) else ""
    token = match[1].lower()
    return f"User-agent: {token if token in {ROBOT, '*'} else 'another'}"


class RobotsPermissions:
    """Hosts whose robots.txt was read within the last day and allows us. Each worker keeps its own."""

    def __init__(self) -> None:
        self._read_at: dict[str, datetime] = {}

    def note(self, host: str, now: datetime) -> None:
        if len(self._read_at) >= _MOST_HOSTS:
            self._read_at = {one: at for one, at in self._read_at.items() if now - at < _GOOD_FOR}
        self._read_at[host] = now

    def holds(self, host: str, now: datetime) -> bool:
        """Whether robots.txt need not be read again: it is good for a day (RFC 9309, section 2.4)."""
        at = self._read_at.get(host)
        return at is not None and timedelta(0) <= now - at < _GOOD_FOR


async def robots(host: str, *, fetcher: Fetcher, sandbox: Sandbox) -> Robots:
    """Read a host's robots.txt: a 4xx allows all, a 5xx or no response forbids all. It may be cached for 24 hours."""
    try:
        response = await fetcher.get(f"https://{host}/robots.txt")
    except EgressError:
        return Robots(unreachable=True)
    if 400 <= response.status < 500:  # noqa: PLR2004 - HTTP
        return Robots()
    if response.status != 200:  # noqa: PLR2004 - HTTP
        return Robots(unreachable=True)
    body = response.body[:_ROBOTS_BYTES]
    opted_out = await reading.read(sandbox, opts_out, body, about=host) if body.strip() else False
    if isinstance(opted_out, Unknown):
        return Robots(unreachable=True)
    return Robots(body.decode("utf-8", "replace"), opted_out=opted_out)
