"""Structured logs: one JSON object a line (or a readable line), with request and job ids bound by context."""

import json
import logging
import sys
from contextlib import suppress
from functools import lru_cache
from typing import Any, TextIO

import msgspec
import structlog

from vendorrisk.settings import Settings

_SECRET_NAMES = ("secret", "password", "token", "authorization", "api_key", "cookie")


def configure(settings: Settings) -> None:
    """Send our logs and the libraries' through one pipeline to standard output."""
    level = getattr(logging, settings.log_level.upper())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_secrets,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_written)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(_Unbreakable(sys.stdout)),  # type: ignore[arg-type]  # what it calls
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(_Unbreakable(sys.stdout))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


class _Unbreakable:
    """A stream whose failures stay its own: a full disk or a closed pipe loses lines, and never a response."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        try:
            self._stream.write(text)
        except UnicodeEncodeError:
            self.write(text.encode("ascii", "backslashreplace").decode())
        except (OSError, ValueError):
            return

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


def silence() -> None:
    """Switch logging off: a command reports its failures itself, and its standard output holds only its result."""
    structlog.configure(processors=[_drop])
    logging.disable(logging.CRITICAL)


def _drop(_logger: object, _method: str, _event: Any) -> Any:
    raise structlog.DropEvent


def _without_secrets(_logger: object, _method: str, event: Any) -> Any:
    """Blank a value whose name marks it as a secret. This is the last defence, not the first."""
    for name in event:
        if _is_secret(name):
            event[name] = "…"
    return event


@lru_cache(maxsize=4096)
def _is_secret(name: str) -> bool:
    lower = name.lower()
    return any(word in lower for word in _SECRET_NAMES)


def _written(event: Any, **_more: Any) -> str:
    """Write an event as JSON. A value without a form in JSON is written as Python shows it."""
    try:
        return msgspec.json.encode(event, enc_hook=repr).decode()
    except UnicodeEncodeError:
        return json.dumps(event, default=repr)  # a lone surrogate, which only this writes, as an escape
