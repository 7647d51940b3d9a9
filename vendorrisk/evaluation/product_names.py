"""Names of makers and products, in the form in which they are compared."""


def plain(name: str) -> str:
    """Return the name's letters and digits in lower case, with single blanks for all other characters."""
    return " ".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())


def is_named(noted: str, listed: str) -> bool:
    """Return True if a listed product covers a recorded one, compared by whole words without versions.

    Both names are plain. "exchange server 2019" is "exchange server". A single word must be the whole name, because
    "catalyst 9300" would otherwise be every Catalyst.
    """
    bare = _without_version(noted)
    return _holds(listed, noted) or bare == listed or (" " in bare and _holds(listed, bare))


def _holds(words: str, part: str) -> bool:
    return bool(part) and f" {part} " in f" {words} "


def _without_version(name: str) -> str:
    """Drop trailing words that begin with a digit, as versions and years do. A name of only such words stays."""
    words = name.split()
    while len(words) > 1 and words[-1].removeprefix("v")[:1].isdigit():
        words.pop()
    return " ".join(words)
