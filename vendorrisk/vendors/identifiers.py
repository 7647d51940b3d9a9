"""Names and identifiers of a vendor: domains, register numbers, countries, money. Normalised or refused.

Every function here is pure, returns the one form in which a thing is stored, and raises `UnfitError` with words
for the person who typed it. Checks need no network: they say that a number is well formed, not that a register
knows it.
"""

import re
import unicodedata
from decimal import Decimal
from functools import cache, lru_cache

import idna
import pycountry
from publicsuffixlist import PublicSuffixList
from stdnum import lei as stdnum_lei
from stdnum import vatin as stdnum_vatin
from stdnum.exceptions import ValidationError

from vendorrisk.normal_form import UnfitError, clean_line, written_amount

_LONGEST_DOMAIN = 253
_LEI = re.compile(r"[0-9A-Z]{18}[0-9]{2}")
_DUNS = re.compile(r"[0-9]{9}")
_EMAIL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@([^@]{1,253})")
# No label with hyphens in third and fourth place: those are IDNA's (RFC 5891, section 4.2.3.1).
_PLAIN_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_HOST = re.compile(rf"{_PLAIN_LABEL}(?:\.{_PLAIN_LABEL})*")
_HOST = re.compile(r"[^\s/?#@\\:]+")
_AMOUNT = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,4})?")
_GROUPED_COMMA = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,4})?")
_GROUPED_DOT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]{1,4})?")
_THOUSANDS_OR_PART = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_TAG = re.compile(r"[^\s,;][^,;]*")
# Names that only a private network resolves, or none (RFC 6761, RFC 7686, RFC 9476), whatever a later edition of
# the Public Suffix List says. `.example` (RFC 2606) may stand: documentation and demonstrations use it.
_PRIVATE_ENDINGS = frozenset({"alt", "arpa", "internal", "invalid", "local", "localhost", "onion", "test"})


@lru_cache(maxsize=65536)
def name_key(name: str) -> str:
    """Return the form in which two names are the same name: compatibility-composed, without case."""
    if name.isascii():
        return name.lower()
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False, only_icann=True)


@lru_cache(maxsize=65536)
def domain_of(text: str) -> str:
    """Return the host name of a domain or web address, lower-case and in its ASCII form, without a leading `www.`.

    Refuses addresses, private names, bare public suffixes and names that IDNA 2008 (RFC 5891, with UTS 46) refuses.
    """
    if _PLAIN_HOST.fullmatch(text) and "." in text and not text.startswith("www."):
        return _public(text)
    rest = text.strip()
    scheme, mark, after = rest.partition("://")
    if mark:
        if scheme.lower() not in {"http", "https"}:
            raise UnfitError("Write a domain such as acme.com.")
        rest = after
    found = _HOST.match(rest)
    if found is None or rest[found.end() : found.end() + 1] in {"@", "\\"}:
        raise UnfitError("Write a domain such as acme.com.")
    name = _ascii_host(found.group().rstrip("."))
    name = name.removeprefix("www.") if name.count(".") > 1 else name
    return _public(name)


def _ascii_host(host: str) -> str:
    """Return the host in its ASCII form. Plain labels are passed by, since IDNA leaves them as they are."""
    lower = host.lower()
    if _PLAIN_HOST.fullmatch(lower) and len(lower) <= _LONGEST_DOMAIN:
        return lower
    try:
        return idna.encode(host, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        raise UnfitError("That is not a domain name. Write one such as acme.com.") from None


def _public(name: str) -> str:
    labels = name.split(".")
    if len(name) > _LONGEST_DOMAIN or labels[-1].isdigit():
        raise UnfitError("Write a domain such as acme.com, not an address.")
    if labels[-1] == "example" and len(labels) > 1:
        return name
    if labels[-1] not in _PRIVATE_ENDINGS and _suffixes().privatesuffix(name) is not None:
        return name
    if labels[-1] not in _PRIVATE_ENDINGS and _suffixes().publicsuffix(name) is not None:
        raise UnfitError(f"{name} is a public suffix. Write the full domain, such as acme.co.uk.")
    raise UnfitError(f"{name} cannot be reached from outside. Write a public domain such as acme.com.")


@lru_cache(maxsize=65536)
def email_of(text: str) -> str:
    """Return an e-mail address with its domain in ASCII form. The part before the @ is kept as written."""
    stripped = text.strip()
    found = _EMAIL.fullmatch(stripped)
    local, _, host = stripped.rpartition("@")
    if found is None or local.startswith(".") or local.endswith(".") or ".." in local:
        raise UnfitError("Write one e-mail address such as name@acme.com.")
    return f"{local}@{_ascii_host(host)}"


def lei_of(text: str) -> str:
    """Return a Legal Entity Identifier (ISO 17442: 18 letters and digits, 2 check digits by ISO 7064 MOD 97-10)."""
    try:
        number: str = stdnum_lei.validate(_ascii(text))
    except ValidationError:
        raise UnfitError("The LEI's check digits are wrong. Copy all 20 characters again.") from None
    if not _LEI.fullmatch(number):
        raise UnfitError("An LEI has 20 letters and digits, such as 213800KUD8LAJWSQ9D15.")
    return number


def vat_of(text: str) -> str:
    """Return a VAT number with its country in front, checked by that country's rules."""
    number = re.sub(r"[\s.\-/]", "", _ascii(text)).upper()
    if not re.fullmatch(r"[A-Z]{2}[0-9A-Z+*]{2,15}", number):
        raise UnfitError("Write the VAT number with its country in front, such as DE136695976.")
    try:
        return str(stdnum_vatin.validate(number))
    except ValidationError:
        raise UnfitError(f"That is not a valid VAT number of {number[:2]}. Check its digits.") from None


def duns_of(text: str) -> str:
    """Return a D-U-N-S number: nine digits. It carries no check digit since 2006, so none is checked."""
    number = re.sub(r"[\s-]", "", _ascii(text))
    if not _DUNS.fullmatch(number) or len(set(number)) == 1:
        raise UnfitError("A D-U-N-S number has nine digits, such as 15-048-3782.")
    return number


def _ascii(text: str) -> str:
    if not text.isascii():
        raise UnfitError("Only plain letters and digits are accepted here.")
    return text


@lru_cache(maxsize=4096)
def country_of(text: str) -> str:
    """Return the ISO 3166-1 alpha-2 code of a code or of a country's exact name."""
    wanted = text.strip()
    found = None
    if wanted.isascii() and wanted.isalpha() and len(wanted) == 2:  # noqa: PLR2004 - alpha-2
        found = pycountry.countries.get(alpha_2=wanted.upper())
    elif wanted.isascii() and wanted.isalpha() and len(wanted) == 3:  # noqa: PLR2004 - alpha-3
        found = pycountry.countries.get(alpha_3=wanted.upper())
    found = found or _countries_by_name().get(wanted.casefold())
    if found is None:
        raise UnfitError("Write the country's two-letter code (ISO 3166-1), such as DE.")
    return str(found.alpha_2)


@cache
def _countries_by_name() -> dict[str, pycountry.db.Country]:
    names: dict[str, pycountry.db.Country] = {}
    for country in pycountry.countries:
        for kind in ("name", "official_name", "common_name"):
            if name := getattr(country, kind, None):
                names[name.casefold()] = country
    return names


@lru_cache(maxsize=1024)
def currency_of(text: str) -> str:
    """Return an ISO 4217 code."""
    wanted = text.strip().upper()
    found = pycountry.currencies.get(alpha_3=wanted) if re.fullmatch(r"[A-Z]{3}", wanted) else None
    if found is None:
        raise UnfitError("Write the currency's three-letter code (ISO 4217), such as EUR.")
    return str(found.alpha_3)


def amount_of(text: str) -> Decimal:
    """Return an amount of at most 15 digits and 4 decimals. Refuse one that can be read in two ways."""
    plain = re.sub(r"[\s'\u2019]", "", text)
    if _THOUSANDS_OR_PART.fullmatch(plain):
        raise UnfitError(f"{plain} can be read in two ways. Write it without thousands marks, with 2 decimals.")
    if _GROUPED_COMMA.fullmatch(plain):
        plain = plain.replace(",", "")
    elif _GROUPED_DOT.fullmatch(plain):
        plain = plain.replace(".", "").replace(",", ".")
    elif plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if not plain.isascii() or not _AMOUNT.fullmatch(plain):
        raise UnfitError("Write an amount such as 125000.00: not negative, at most 15 digits and 4 decimals.")
    return Decimal(plain)


def plain_amount(amount: Decimal) -> Decimal:
    """Return an amount with 2 decimals, or 4 where it has more: the form in which it is stored."""
    return Decimal(written_amount(amount))


def alias_of(text: str) -> str:
    """Return another name of a vendor: one line without a semicolon (lists of names are written with it)."""
    alias = clean_line(text)
    if ";" in alias:
        raise UnfitError("A name in this list holds no semicolon.")
    return alias


@lru_cache(maxsize=16384)
def tag_of(text: str) -> str:
    """Return a tag: lower-case, at most 40 characters, no comma or semicolon (lists are written with those)."""
    tag = clean_line(text, 40).lower()
    if not _TAG.fullmatch(tag):
        raise UnfitError("A tag holds no comma and no semicolon.")
    return tag
