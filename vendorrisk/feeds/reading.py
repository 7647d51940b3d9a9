"""Each feed's body becomes its version and its items, in the sandbox's child, which must be able to import this."""

import zlib
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec

from vendorrisk.evaluation.product_names import plain
from vendorrisk.probes.feeds import feed_parser, hsts_preload
from vendorrisk.probes.feeds.feed_parser import AddressFacts, Breach, FeedError, Issuance
from vendorrisk.probes.observation import Unknown, canonical
from vendorrisk.probes.registration import rdap
from vendorrisk.probes.registration.rdap import RdapError

_LEAST_LIKELY_MILLIONTHS = 10_000  # under 1 % nobody acts, and it is nine tenths of the list

T = TypeVar("T")
Item = tuple[str, str, bytes]
"""(key, subject, canonical payload)."""


class FeedContent(msgspec.Struct, frozen=True, tag="feed"):
    version: str
    items: list[Item] = []


FeedRead = FeedContent | Unknown
"""A feed, or why it is refused whole."""


def _refusing(read: Callable[[bytes], T], body: bytes) -> T | Unknown:
    try:
        return read(body)
    except (FeedError, RdapError) as error:
        return Unknown(reason=str(error.args[0]))


def _checked(content: FeedContent) -> FeedContent:
    if "\0" in content.version or any("\0" in key or "\0" in subject for key, subject, _ in content.items):
        raise FeedError("feed_schema")  # no name has a NUL, and Postgres takes none
    return content


def _kev(body: bytes) -> FeedContent:
    catalogue = feed_parser.read_kev(body)
    return _checked(FeedContent(catalogue.version, [(i.cve, plain(i.vendor), canonical(i)) for i in catalogue.items]))


def _hibp(body: bytes) -> FeedContent:
    breaches = feed_parser.read_breaches(body)
    newest = max(b.added_at for b in breaches)
    return _checked(FeedContent(newest.isoformat(), [(b.name, b.domain, canonical(b)) for b in breaches]))


def _epss(body: bytes) -> FeedContent:
    scores = feed_parser.read_epss(body)
    likely = {cve: m for cve, m in scores.millionths.items() if m >= _LEAST_LIKELY_MILLIONTHS}
    items = [(cve, "", canonical({"millionths": m})) for cve, m in sorted(likely.items())]
    return _checked(FeedContent(f"{scores.model} {scores.scored_on}", items))


def _whole(read: Callable[[bytes], object], body: bytes) -> FeedContent:
    read(body)
    return FeedContent(f"{zlib.crc32(body):08x}")


def kev(body: bytes) -> FeedRead:
    return _refusing(_kev, body)


def hibp(body: bytes) -> FeedRead:
    return _refusing(_hibp, body)


def epss(body: bytes) -> FeedRead:
    return _refusing(_epss, body)


def rdap_bootstrap(body: bytes) -> FeedRead:
    return _refusing(lambda body: _whole(rdap.read_bootstrap, body), body)


def preload(body: bytes) -> FeedRead:
    return _refusing(lambda body: _whole(hsts_preload.hosts, body), body)


READERS: Final[Mapping[str, Callable[[bytes], FeedRead]]] = {
    "kev": kev,
    "hibp": hibp,
    "epss": epss,
    "rdap": rdap_bootstrap,
    "preload": preload,
}
"""The reader of each feed of `feed_sources`."""


# ── lists that are read whole, and answers about one thing


def registries(body: bytes) -> dict[str, str] | None:
    """Read the RDAP bootstrap. None if it cannot be used."""
    found = _refusing(rdap.read_bootstrap, body)
    return None if isinstance(found, Unknown) else found


def stored_registries(body: bytes) -> dict[str, str] | None:
    """Read the stored RDAP bootstrap. None if it cannot be used."""
    return registries(zlib.decompress(body))


def preloaded(body: bytes) -> dict[str, bool] | None:
    """Read the stored preload list. None if it cannot be used."""
    found = _refusing(lambda body: hsts_preload.hosts(zlib.decompress(body)), body)
    return None if isinstance(found, Unknown) else found


def breaches(body: bytes) -> list[Breach] | Unknown:
    return _refusing(lambda body: list(feed_parser.read_breaches(body)), body)


def issuances(body: bytes) -> list[Issuance] | Unknown:
    return _refusing(lambda body: list(feed_parser.read_issuances(body)), body)


def scorecard(payload: bytes) -> int | Unknown:
    """Read (repository, scorecard)."""
    repository, body = msgspec.msgpack.decode(payload, type=tuple[str, bytes])
    return _refusing(lambda body: feed_parser.read_scorecard(body, repository), body)


def address(payload: bytes) -> AddressFacts | Unknown:
    """Read (address, InternetDB's answer about it)."""
    about, body = msgspec.msgpack.decode(payload, type=tuple[str, bytes])
    return _refusing(lambda body: feed_parser.read_address(about, 200, body), body)
