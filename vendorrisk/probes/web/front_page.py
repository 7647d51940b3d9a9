"""The parts of a front page and of security.txt that are evaluated. Runs in the sandbox's child."""

import re
from urllib.parse import urljoin, urlsplit

import msgspec
from selectolax.lexbor import LexborHTMLParser

from vendorrisk.probes.observation import Raw
from vendorrisk.probes.web import html_bounds
from vendorrisk.probes.web.security_txt import SecurityTxt, parse

_MOST_SCRIPTS = 100
_MOST_VALUE = 8 * 1024


class Script(Raw, frozen=True, kw_only=True, omit_defaults=True):
    scheme: str
    host: str
    integrity: bool = False


class FrontPage(msgspec.Struct, frozen=True):
    """`too_complex` marks a page beyond the bounds, of which nothing was read."""

    scripts: tuple[Script, ...] = ()
    meta_csp: tuple[str, ...] = ()
    meta_referrer: str = ""
    too_complex: bool = False
    security_txt: SecurityTxt | None = None


def read(payload: bytes) -> FrontPage:
    """Read (URL, page, security.txt). The page and the file may each be missing."""
    url, page, security_txt = msgspec.msgpack.decode(payload, type=tuple[str, bytes | None, bytes | None])
    about = parse(security_txt) if security_txt is not None else None
    if page is None:
        return FrontPage(security_txt=about)
    try:
        html_bounds.check(page)
    except html_bounds.PageTooComplexError:
        return FrontPage(too_complex=True, security_txt=about)
    tree = LexborHTMLParser(page)
    return FrontPage(_scripts(tree, url), _meta_csp(tree), _meta_referrer(tree), security_txt=about)


def _scripts(page: LexborHTMLParser, url: str) -> tuple[Script, ...]:
    found = set()
    for node in page.css("script[src]")[:_MOST_SCRIPTS]:
        parts = urlsplit(target(url, node.attributes.get("src") or ""))
        if parts.scheme in {"http", "https"} and parts.hostname:
            found.add((parts.scheme, parts.hostname, bool(node.attributes.get("integrity"))))
    return tuple(Script(scheme=s, host=h, integrity=i) for s, h, i in sorted(found))


def _meta_csp(page: LexborHTMLParser) -> tuple[str, ...]:
    found = page.css("head meta[http-equiv]")
    equivs = [(n.attributes.get("http-equiv") or "", n.attributes.get("content") or "") for n in found]
    return tuple(steady(text[:_MOST_VALUE]) for name, text in equivs if name.lower() == "content-security-policy")


def _meta_referrer(page: LexborHTMLParser) -> str:
    node = page.css_first("head meta[name=referrer]")
    return (node.attributes.get("content") or "")[:100] if node is not None else ""


def target(url: str, location: str) -> str:
    """Return the address that a page or a redirect names, or `invalid:`."""
    try:
        return urljoin(url, location.strip())
    except ValueError:
        return "invalid:"


def steady(value: str) -> str:
    """Remove values that differ in each response: only the presence of a nonce matters."""
    return re.sub(r"'nonce-[^']*'", "'nonce-*'", value)
