"""A channel that only remembers: for tests that look at what would be sent, to whom, how often.

It passes the conformance suite of every channel (tests/channels/test_conformance.py).
"""

import asyncio
from dataclasses import dataclass, field

from vendorrisk.channels.port import Address, Failure, Message, Sent, Undeliverable


@dataclass
class RecordingOutlet:
    """`sent` holds (key, address, message) in order; `trouble` is raised instead, once per entry, oldest first.

    `times_out_after` waits that long and counts as a timeout; `before_response` runs when the message is accepted
    but the sender does not know it yet (the place to die in). One that `breaks` takes it and hangs up.
    """

    sent: list[tuple[str, Address, Message]] = field(default_factory=list)
    trouble: list[Undeliverable] = field(default_factory=list)
    times_out_after: float | None = None
    breaks: bool = False
    tries: int = 0

    async def send(self, message: Message, to: Address, key: str) -> Sent:
        self.tries += 1
        if self.times_out_after is not None:
            await asyncio.sleep(self.times_out_after)
            raise Undeliverable(Failure.TIMEOUT, "no response in time", retryable=True)
        if self.trouble:
            raise self.trouble.pop(0)
        self.sent.append((key, to, message))
        if self.breaks:
            raise Undeliverable(Failure.UNREACHABLE, "hung up", retryable=True, perhaps_accepted=True)
        self.before_response()
        return Sent("recorded")

    def before_response(self) -> None:
        """Do nothing; a test that kills the sender between taking and recording overrides this."""

    @property
    def keys(self) -> list[str]:
        return [key for key, _, _ in self.sent]
