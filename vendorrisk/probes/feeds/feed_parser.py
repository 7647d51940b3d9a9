"""Feeds: lists that are fetched once for all vendors and joined locally. Readers are pure and strict.

A feed that is cut, renamed or of another schema is refused whole (`FeedError`): a half-read list of breaches would look
like good news. Items carry only the fields that a rule needs.

    KEV     CISA known exploited vulnerabilities, JSON, CC0
    EPSS    FIRST, daily CSV (gzip), free with attribution
    HIBP    Have I Been Pwned, list of breaches, CC BY 4.0 with visible attribution
    CT      Cert Spotter issuances, with a key; crt.sh answers in another shape, read as well
    IDB     Shodan InternetDB, by address; off by default, see `signals.rules`
"""

import csv
import io
import re
import zlib
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError
from vendorrisk.probes.observation import Raw, Unknown

KEV_URL = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"
EPSS_URL = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
HIBP_URL = "https://haveibeenpwned.com/api/v3/breaches"

_MOST_BYTES = 64 * 1024 * 1024
_LEAST_EPSS_ROWS = 1
_BEST_SCORE = 10
_CVE = re.compile(r"CVE-\d{4}-\d{4,19}")


class FeedError(Exception):
    """The feed cannot be used. `args[0]` is a slug: feed_malformed, feed_schema, feed_cut, feed_empty."""


class KevItem(Raw, frozen=True, kw_only=True, omit_defaults=True):
    cve: str
    vendor: str
    product: str
    added_on: date
    due_on: date | None = None
    ransomware: bool = False


class KevCatalogue(Raw, frozen=True, kw_only=True, omit_defaults=True):
    version: str
    items: tuple[KevItem, ...]


class EpssScores(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """Probabilities in millionths, so that no float is stored or compared."""

    model: str
    scored_on: date
    millionths: dict[str, int]


class Breach(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """A breach as listed. `counts` is False where it is fabricated, a spam list, retired or malware."""

    name: str
    title: str
    domain: str
    breached_on: date
    added_at: datetime
    accounts: int
    verified: bool
    counts: bool
    classes: tuple[str, ...] = ()


class Issuance(Raw, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime


class AddressFacts(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="address"):
    """InternetDB's entry for one address. `known` is False if it has never seen the address (404)."""

    address: str
    known: bool
    ports: tuple[int, ...] = ()
    products: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    vulnerabilities: tuple[str, ...] = ()


# ── the shapes on the wire


class _KevRow(msgspec.Struct, rename={"cve": "cveID", "vendor": "vendorProject", "added": "dateAdded",
                                      "due": "dueDate", "ransomware": "knownRansomwareCampaignUse"}):  # fmt: skip
    cve: str
    vendor: str
    product: str
    added: date
    due: date | None = None
    ransomware: str = "Unknown"


class _KevFile(msgspec.Struct, rename="camel"):
    catalog_version: str
    count: int
    vulnerabilities: list[_KevRow]


class _HibpRow(msgspec.Struct, rename="pascal"):
    name: str
    title: str
    domain: str
    breach_date: date
    added_date: datetime
    pwn_count: int
    data_classes: list[str]
    is_verified: bool
    is_fabricated: bool
    is_retired: bool
    is_spam_list: bool
    is_malware: bool = False


class _SpotterIssuer(msgspec.Struct):
    name: str


class _SpotterRow(msgspec.Struct):
    id: str
    dns_names: list[str]
    not_before: datetime
    not_after: datetime
    issuer: _SpotterIssuer


class _CrtShRow(msgspec.Struct):
    id: int
    issuer_name: str
    name_value: str
    not_before: datetime
    not_after: datetime


class _ScorecardRepo(msgspec.Struct):
    name: str


class _Scorecard(msgspec.Struct):
    repo: _ScorecardRepo
    score: float


class _InternetDb(msgspec.Struct):
    ip: str
    ports: list[int]
    cpes: list[str]
    tags: list[str]
    vulns: list[str]


def _decoded(body: bytes, kind: Any) -> Any:
    if b"\\u0000" in body:  # feed items are stored in Postgres, which holds no NUL
        raise FeedError("feed_malformed")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise FeedError("feed_schema") from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise FeedError("feed_malformed") from None


# ── readers


def read_kev(body: bytes) -> KevCatalogue:
    """Read CISA's catalogue. If its own `count` is not met, it was cut."""
    file: _KevFile = _decoded(body, _KevFile)
    if file.count != len(file.vulnerabilities):
        raise FeedError("feed_cut")
    if not file.vulnerabilities:
        raise FeedError("feed_empty")
    items = tuple(
        KevItem(
            cve=row.cve.upper(),
            vendor=row.vendor,
            product=row.product,
            added_on=row.added,
            due_on=row.due,
            ransomware=row.ransomware.lower() == "known",
        )
        for row in sorted(file.vulnerabilities, key=lambda r: r.cve)
    )
    return KevCatalogue(version=file.catalog_version, items=items)


def read_epss(body: bytes) -> EpssScores:
    """Read the daily CSV, plain or gzip: one comment line, a header, then cve,epss,percentile."""
    lines = io.StringIO(_unzipped(body).decode("utf-8", "replace"))
    about = re.fullmatch(r"#model_version:([^,\s]+),score_date:(\d{4}-\d{2}-\d{2})\S*\s*", lines.readline())
    rows = csv.reader(lines)
    if about is None or next(rows, None) != ["cve", "epss", "percentile"]:
        raise FeedError("feed_schema")
    scores: dict[str, int] = {}
    try:
        scored_on = date.fromisoformat(about[2])
        for row in rows:
            if len(row) != 3 or not _CVE.fullmatch(row[0]) or not re.fullmatch(r"[01](?:\.\d+)?(?:e-\d+)?", row[1]):  # noqa: PLR2004 - columns
                raise FeedError("feed_schema")
            scores[row[0]] = round(float(row[1]) * 1_000_000)
    except (csv.Error, ValueError):
        raise FeedError("feed_schema") from None
    if len(scores) < _LEAST_EPSS_ROWS:
        raise FeedError("feed_empty")
    return EpssScores(model=about[1], scored_on=scored_on, millionths=scores)


def _unzipped(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, _MOST_BYTES)
    except zlib.error:
        raise FeedError("feed_malformed") from None
    if not unpacker.eof:
        raise FeedError("feed_cut")
    return plain


def read_breaches(body: bytes) -> tuple[Breach, ...]:
    rows: list[_HibpRow] = _decoded(body, list[_HibpRow])
    if not rows:
        raise FeedError("feed_empty")
    return tuple(
        Breach(
            name=row.name,
            title=row.title,
            domain=row.domain.lower(),
            breached_on=row.breach_date,
            added_at=_utc(row.added_date),
            accounts=row.pwn_count,
            verified=row.is_verified,
            counts=not (row.is_fabricated or row.is_retired or row.is_spam_list or row.is_malware),
            classes=tuple(sorted(row.data_classes)),
        )
        for row in sorted(rows, key=lambda r: r.name)
    )


def read_issuances(body: bytes) -> tuple[Issuance, ...]:
    """Read Cert Spotter's list or crt.sh's, distinguished by their fields. An empty list is valid here."""
    try:
        rows: list[_SpotterRow] = _decoded(body, list[_SpotterRow])
    except FeedError as error:
        if error.args[0] != "feed_schema":
            raise
        return _from_crt_sh(_decoded(body, list[_CrtShRow]))
    return tuple(
        Issuance(
            id=row.id,
            issuer=row.issuer.name,
            names=tuple(sorted(row.dns_names)),
            not_before=_utc(row.not_before),
            not_after=_utc(row.not_after),
        )
        for row in rows
    )


def _from_crt_sh(rows: list[_CrtShRow]) -> tuple[Issuance, ...]:
    return tuple(
        Issuance(
            id=str(row.id),
            issuer=row.issuer_name,
            names=tuple(sorted(set(row.name_value.split("\n")))),
            not_before=_utc(row.not_before),
            not_after=_utc(row.not_after),
        )
        for row in rows
    )


def read_address(address: str, status: int, body: bytes) -> AddressFacts:
    """Read InternetDB's response for an address. A response about another address is refused."""
    if status == 404:  # noqa: PLR2004 - HTTP
        return AddressFacts(address=address, known=False)
    row: _InternetDb = _decoded(body, _InternetDb)
    if row.ip != address:
        raise FeedError("feed_schema")
    return AddressFacts(
        address=address,
        known=True,
        ports=tuple(sorted(row.ports)),
        products=tuple(sorted(row.cpes)),
        tags=tuple(sorted(row.tags)),
        vulnerabilities=tuple(sorted(v.upper() for v in row.vulns)),
    )


def read_scorecard(body: bytes, repository: str) -> int:
    """Read an OpenSSF Scorecard into tenths (0 to 100). A scorecard of another repository is refused."""
    row: _Scorecard = _decoded(body, _Scorecard)
    if row.repo.name.lower() != repository.lower() or not 0 <= row.score <= _BEST_SCORE:
        raise FeedError("feed_schema")
    return round(row.score * 10)


def _utc(at: datetime) -> datetime:
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:  # the first day of the year 1, or the last of 9999, in another zone
        raise FeedError("feed_schema") from None


# ── fetching


class Fetched(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """A feed's body with the validators of the next conditional request. `body` is empty if it has not changed."""

    body: bytes = b""
    changed: bool = True
    etag: str = ""
    last_modified: str = ""


async def fetch(
    url: str, *, fetcher: Fetcher, etag: str = "", last_modified: str = "", token: str = ""
) -> Fetched | Unknown:
    """Fetch a feed, only if it changed. The fetcher's limits must leave room for it (EPSS: 3 MB packed).

    `token` is sent as a bearer token, and to no other origin: redirects lose it.
    """
    headers = {"if-none-match": etag} if etag else {}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if last_modified:
        headers["if-modified-since"] = last_modified
    try:
        response = await fetcher.get(url, headers=headers)
    except EgressError as error:
        return Unknown(reason=error.reason.value)
    if response.status == 304:  # noqa: PLR2004 - HTTP
        return Fetched(changed=False, etag=etag, last_modified=last_modified)
    if response.status != 200:  # noqa: PLR2004 - HTTP
        return Unknown(reason=f"http_{response.status}")
    if response.truncated:
        return Unknown(reason="feed_cut")
    return Fetched(
        body=response.body,
        etag=response.header("etag") or "",
        last_modified=response.header("last-modified") or "",
    )
