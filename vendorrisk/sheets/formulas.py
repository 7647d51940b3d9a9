"""Text that a spreadsheet program could take for a formula: how it is guarded, and how the guard is taken off."""

import re

# OWASP, "CSV Injection": a cell that begins with one of these may be taken for a formula.
_RISKY = "[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
# Text that already has the ' gets one more, so that reading can take it off.
_MAY_RUN = re.compile(f"'*{_RISKY}")
_GUARDED = re.compile(f"'+{_RISKY}")


def guarded(text: str) -> str:
    """Put a ' before text that a spreadsheet program could take for a formula."""
    return f"'{text}" if _MAY_RUN.match(text) else text


def unguarded(text: str) -> str:
    """Take off the ' that `guarded` put before a text."""
    return text[1:] if text[0] == "'" and _GUARDED.match(text) else text
