"""The browsers' HSTS preload list, from a snapshot of Chromium's file (BSD licence). Pure; no scan per domain."""

import re

import msgspec

from vendorrisk.probes.feeds.feed_parser import FeedError
from vendorrisk.probes.public_suffix import parents

_COMMENT = re.compile(rb"(?m)^[ \t]*+//.*$")


class _Entry(msgspec.Struct):
    name: str
    mode: str = ""
    include_subdomains: bool = False


class _File(msgspec.Struct):
    entries: list[_Entry]


class PreloadList:
    """Returns True for a preloaded host. Call it with the host."""

    def __init__(self, version: str, hosts: dict[str, bool]) -> None:
        self.version = version
        self._hosts = hosts

    def __call__(self, host: str) -> bool:
        """A host is preloaded by its own entry, or by a parent's that includes subdomains."""
        own, *above = parents(host)
        return own in self._hosts or any(self._hosts.get(parent, False) for parent in above)


def read(body: bytes, version: str) -> PreloadList:
    """Read the file into the list. Raises `FeedError` for another shape."""
    return PreloadList(version, hosts(body))


def hosts(body: bytes) -> dict[str, bool]:
    """Return the preloaded hosts, and whether they include subdomains.

    The file's JSON has comment lines. Raises `FeedError` for another shape.
    """
    try:
        file = msgspec.json.decode(_COMMENT.sub(b"", body), type=_File)
    except msgspec.ValidationError:
        raise FeedError("feed_schema") from None
    except (msgspec.DecodeError, RecursionError):
        raise FeedError("feed_malformed") from None
    found = {e.name.lower(): e.include_subdomains for e in file.entries if e.mode == "force-https"}
    if not found:
        raise FeedError("feed_empty")
    return found
