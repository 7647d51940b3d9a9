"""Text that a spreadsheet program could take for a formula: how it is guarded, and how the guard is taken off.

A program splits a file where its own locale says: at commas, semicolons, tabs or bars, and at line breaks. If it splits
at another character than the file was written with, quotes inside a line no longer protect. So a guard stands before
every formula sign that could begin a cell: at the start of the text, and after each character that may separate.
"""

import re

# OWASP, "CSV Injection": a cell that begins with one of these may be taken for a formula.
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_SEPARATORS = ";,|\t\r\n\x0b\x0c\x85\u2028\u2029"
_BEGINNING = f'(?:^|(?<=[{_SEPARATORS}]))[ "]*'
# Text that already has the ' gets one more, so that reading can take it off.
_MAY_RUN = re.compile(f"({_BEGINNING})(?='*[{_SIGNS}])|^(?='*[\t\r\n])")
_GUARDED = re.compile(f"({_BEGINNING})'(?='*[{_SIGNS}])|^'(?='*[\t\r\n])")


def guarded(text: str) -> str:
    """Put a ' before whatever a spreadsheet program could take for a formula."""
    return _MAY_RUN.sub(r"\1'", text)


def unguarded(text: str) -> str:
    """Take off each ' that `guarded` put before a formula sign."""
    return _GUARDED.sub(r"\1", text) if "'" in text else text
