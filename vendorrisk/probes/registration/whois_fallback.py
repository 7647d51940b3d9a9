"""A second opinion on a WHOIS text: python-whois, in the sandbox, for at most two seconds.

That library knows a hundred dialects, and reads them with patterns that 16 KB of the letter `a` keep busy for
minutes without letting go of the interpreter. So it gets 32 KB at most, and only its dates are taken.
"""

from datetime import UTC, datetime

import msgspec
from whois.parser import WhoisEntry  # type: ignore[import-untyped]  # the library has no types

from vendorrisk.probes.registration.rdap import Registration, told
from vendorrisk.sandbox.running import SMALL, Sandbox, SandboxError

MOST_BYTES = 32 * 1024
LIMITS = msgspec.structs.replace(SMALL, answer_bytes=4096)


class Opinion(msgspec.Struct):
    expires_at: datetime | None = None
    created_at: datetime | None = None


class WhoisOpinions:
    """Calls the child process. It is a `registration.SecondOpinion`."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def __call__(self, domain: str, text: str) -> Registration | None:
        """Return the child's dates. None if it finds no expiry, takes too long, or dies."""
        payload = f"{domain}\n{text}".encode("utf-8", "replace")[:MOST_BYTES]
        try:
            found = await self._sandbox.run(opinion, payload, LIMITS)
        except SandboxError:
            return None
        if found.expires_at is None:
            return None
        return Registration(source="whois_opinion", expires_at=found.expires_at, created_at=found.created_at)


def opinion(payload: bytes) -> Opinion:
    """The child's function. The first line is the domain, the rest the answer about it."""
    domain, _, text = payload.decode("utf-8", "replace").partition("\n")
    entry = WhoisEntry.load(domain, text)
    return Opinion(_one(entry.get("expiration_date")), _one(entry.get("creation_date")))


def _one(value: object) -> datetime | None:
    """Return the one date. None if several dates differ, because none is certain."""
    given = value if isinstance(value, list) else [value]
    dates = {at for v in given if isinstance(v, datetime) and (at := told(_utc(v)))}
    return dates.pop() if len(dates) == 1 else None


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
