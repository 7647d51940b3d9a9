"""A log that is kept: each line as it would be written, traces of failures and bound ids included.

It takes the place of each module's own logger, so that what an earlier test configured decides nothing; and it sees the
lines before the last defence, which blanks what is named like a secret.
"""

import sys
from typing import Any

import pytest
import structlog

Lines = list[dict[str, Any]]


def kept(monkeypatch: pytest.MonkeyPatch) -> Lines:
    """Return the lines that will be logged from now on, until the test ends."""
    lines: Lines = []

    def keep(_logger: object, method: str, event: Any) -> Any:
        lines.append({**event, "level": method})
        raise structlog.DropEvent

    made = structlog.wrap_logger(
        structlog.PrintLogger(),
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info, keep],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=False,
    )
    for name, module in list(sys.modules.items()):
        if name.startswith("vendorrisk.") and hasattr(module, "_log"):
            monkeypatch.setattr(module, "_log", made)
    return lines
