"""The logs of the supervisor's children: the last line of one that ended, and the messages of the console receiver."""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_TAIL_BYTES = 16 * 1024
_LONGEST_LINE = 300
CONSOLE_EVENT = "console_message"
"""The event of `channels/console.py`, one line of JSON for each message."""


def last_line(path: Path) -> str:
    """Return the last line that says something, made short. Empty if there is none."""
    try:
        with path.open("rb") as log:
            log.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((_shown(line) for line in reversed(lines) if line.strip()), "")


def _shown(line: str) -> str:
    """Return a line of JSON by its event, and another line as it is."""
    with suppress(ValueError):
        event = json.loads(line)
        if isinstance(event, dict) and "event" in event:
            more = [f"{name}={event[name]}" for name in ("error", "exception") if name in event]
            line = " ".join([str(event["event"]), *(text.strip().splitlines()[-1] for text in more)])
    line = "".join(character if character.isprintable() else " " for character in line.strip())
    return line.removeprefix("vendorrisk: ")[:_LONGEST_LINE]


class ConsoleMessages:
    """Follows the worker's log and yields each message of the console receiver that was written since."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = path.stat().st_size if path.exists() else 0
        self._half = b""

    def new(self) -> Iterator[str]:
        with suppress(OSError):
            size = self._path.stat().st_size
            if size < self._at:  # it was rotated
                self._at, self._half = 0, b""
            if size == self._at:
                return
            with self._path.open("rb") as log:
                log.seek(self._at)
                piece = log.read(size - self._at)
            self._at += len(piece)
            *lines, self._half = (self._half + piece).split(b"\n")
            for line in lines:
                yield from _message(line)


def _message(line: bytes) -> Iterator[str]:
    if CONSOLE_EVENT.encode() in line:
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and event.get("event") == CONSOLE_EVENT:
                yield str(event.get("text", ""))
