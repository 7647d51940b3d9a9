"""The console, the default channel of embedded mode."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from vendorrisk.channels.port import Address, Failure, Message, Sent, Undeliverable
from vendorrisk.channels.text import plain


def _to_stdout(text: str) -> None:
    """Write one event, whichever level and form the log has: a message that is dropped counts as sent.

    The supervisor of `vendorrisk up` shows its text in the terminal.
    """
    event = {"event": "console_message", "level": "info", "timestamp": datetime.now(UTC).isoformat(), "text": text}
    sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")
    sys.stdout.flush()


class ConsoleChannel:
    """Writes the text form, indented under its key, in one piece."""

    def __init__(self, write: Callable[[str], None] = _to_stdout) -> None:
        self._write = write

    async def send(self, message: Message, to: Address, key: str) -> Sent:  # noqa: ARG002 - one console
        body = "".join(f"  {line}\n" if line else "\n" for line in plain(message).splitlines())
        try:
            self._write(f"[{key}]\n{body}\n")
        except (OSError, ValueError) as error:
            raise Undeliverable(Failure.UNREACHABLE, type(error).__name__, retryable=True) from error
        return Sent("written")
