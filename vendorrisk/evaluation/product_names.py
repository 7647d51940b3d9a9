"""Names of makers and products, in the form in which they are compared."""


def plain(name: str) -> str:
    """Return letters and digits in lower case, with single blanks for all else."""
    return " ".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())


def is_named(noted: str, listed: str) -> bool:
    """Say whether a noted product is meant by a listed one, both plain: by whole words, whatever its version.

    "exchange server 2019" is "exchange server"; a single word must be all of it, or "catalyst 9300" would be every
    Catalyst.
    """
    bare = _without_version(noted)
    return _holds(listed, noted) or bare == listed or (" " in bare and _holds(listed, bare))


def _holds(words: str, part: str) -> bool:
    return bool(part) and f" {part} " in f" {words} "


def _without_version(name: str) -> str:
    """Drop the words at the end that begin with a digit, as versions and years do; a name of nothing else stays."""
    words = name.split()
    while len(words) > 1 and words[-1].removeprefix("v")[:1].isdigit():
        words.pop()
    return " ".join(words)
