"""A URL that others name, checked piece by piece and rebuilt from the checked pieces.

The dialled address comes from the checked pieces, so that no second parser can read the text differently. Only http and
https are accepted, without userinfo and without characters that another parser might strip or change.
"""

from urllib.parse import urljoin, urlsplit

import httpx

from vendorrisk.egress.guard import Guard
from vendorrisk.egress.reasons import EgressError, Reason

_PORTS = {"http": 80, "https": 443}
_MOST_CHARACTERS = 4096


def checked_url(guard: Guard, url: str) -> httpx.URL:
    """Return the URL with its host normalised and its port allowed. Refuses all others."""
    if len(url) > _MOST_CHARACTERS:
        raise EgressError(Reason.URL_INVALID, f"a URL has at most {_MOST_CHARACTERS} characters")
    if any(ord(c) <= ord(" ") or c in "\\\x7f" for c in url):
        raise EgressError(Reason.URL_INVALID, "a URL holds no blanks, control characters or backslashes")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise EgressError(Reason.URL_INVALID, "the URL cannot be read") from None
    if parts.scheme not in _PORTS:
        raise EgressError(Reason.SCHEME, "only http and https are accepted")
    if "@" in parts.netloc:
        raise EgressError(Reason.USERINFO, "a URL here carries no user name or password")
    name, port = _authority(parts.netloc, _PORTS[parts.scheme])
    authority = f"{guard.host(name)}:{guard.port(port)}"
    query = f"?{parts.query}" if parts.query else ""
    try:
        return httpx.URL(f"{parts.scheme}://{authority}{parts.path or '/'}{query}")
    except (httpx.InvalidURL, UnicodeError):
        raise EgressError(Reason.URL_INVALID, "the URL cannot be read") from None


def redirect_target(current: httpx.URL, location: bytes) -> str:
    """Return the absolute URL a Location header means (RFC 9110, section 10.2.2), unchecked."""
    try:
        text = location.decode("utf-8")
    except UnicodeDecodeError:
        text = location.decode("latin-1")
    try:
        return urljoin(str(current), text.strip(" \t"))
    except ValueError:
        raise EgressError(Reason.REDIRECT_INVALID, "the Location header cannot be read") from None


def _authority(netloc: str, default: int) -> tuple[str, int]:
    if netloc.startswith("["):
        raise EgressError(Reason.HOST_BAD_CHAR, "give a name, not an address")
    name, colon, port = netloc.rpartition(":")
    if not colon:
        return netloc, default
    if ":" in name:
        raise EgressError(Reason.HOST_BAD_CHAR, "give a name, not an address")
    if not port:
        return name, default
    if not (port.isascii() and port.isdigit()) or len(port) > len("65535"):
        raise EgressError(Reason.PORT, "the port is not a number")
    return name, int(port)
