"""The scan of a host's web site: only its front page over HTTP and HTTPS, and security.txt.

If plain HTTP redirects to the host's own HTTPS front page, that response serves both, so that most hosts see two
requests. Certificates are not checked here (their own rules do that), and no secret is sent. Only the evaluated parts
of a page are kept: no text, no form, no cookie's value.
"""

import re
from urllib.parse import urljoin, urlsplit

import msgspec
from selectolax.lexbor import LexborHTMLParser

from vendorrisk.egress.answer import Fetched
from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError
from vendorrisk.probes.observation import Raw, Unknown
from vendorrisk.probes.web.security_txt import SecurityTxt, parse

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_SCRIPTS = 100
_MOST_COOKIES = 50
_MOST_VALUE = 8 * 1024
_KEPT = (
    "strict-transport-security", "content-security-policy", "content-security-policy-report-only", "x-frame-options",
    "x-content-type-options", "referrer-policy", "server", "x-powered-by",
)  # fmt: skip
_CHALLENGE_HEADERS = ("cf-mitigated", "x-amzn-waf-action", "x-datadome", "x-sucuri-block")
_CHALLENGE_TITLES = re.compile(
    r"<title>[^<]{0,80}(?:just a moment|attention required|access denied|request rejected|are you a robot|"
    r"human verification|security check|pardon our interruption|ddos.?guard)",
    re.IGNORECASE,
)
ODD_ORIGIN = "https://probe.example"


class Step(Raw, frozen=True, kw_only=True, omit_defaults=True):
    """One response on the way. Its path and query could hold a visitor's token and are not kept."""

    scheme: str
    host: str
    status: int


class Cookie(Raw, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    secure: bool = False
    http_only: bool = False
    same_site: str = ""


class Script(Raw, frozen=True, kw_only=True, omit_defaults=True):
    scheme: str
    host: str
    integrity: bool = False


class Visit(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="visit"):
    """A walk to a final response. `own_hsts` is the header of the host's own first HTTPS response.

    `stopped` is the reason why the walk ended at a redirect. The last step is then the redirect's target, with status
    0. `headers` are of the final response, repeated ones in order.
    """

    steps: tuple[Step, ...]
    headers: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    cookies: tuple[Cookie, ...] = ()
    scripts: tuple[Script, ...] = ()
    meta_csp: tuple[str, ...] = ()
    meta_referrer: str = ""
    own_hsts: tuple[str, ...] = ()
    challenge: bool = False
    stopped: str = ""

    @property
    def final(self) -> Step:
        return self.steps[-1]


class Cors(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="cors"):
    allowed_origin: str = ""
    with_credentials: bool = False


class SecurityTxtFile(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="security_txt"):
    """The file at the well-known path. `read` is set only if the status was 200."""

    status: int
    plain_text: bool = False
    read: SecurityTxt | None = None


class WebObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="web"):
    host: str
    plain: Visit | Unknown
    secure: Visit | Unknown
    cors: Cors | Unknown | None = None
    security_txt: SecurityTxtFile | Unknown | None = None


async def scan(
    host: str, *, fetcher: Fetcher, with_cors: bool = False, with_security_txt: bool = True
) -> WebObservation:
    """Scan a host's front page. `fetcher` should not verify certificates (see the module's docstring)."""
    plain = await _walk(f"http://{host}/", fetcher)
    secure = _from_own_https(plain, host) or await _walk(f"https://{host}/", fetcher)
    seen = plain if isinstance(plain, Unknown) else _visit(plain, host)
    if isinstance(seen, Visit) and not isinstance(secure, Unknown):  # its page is evaluated over HTTPS: keep the way
        seen = Visit(steps=seen.steps, challenge=seen.challenge, stopped=seen.stopped)
    return WebObservation(
        host=host,
        plain=seen,
        secure=secure if isinstance(secure, Unknown) else _visit(secure, host),
        cors=await _cors(host, fetcher) if with_cors else None,
        security_txt=await _security_txt(host, fetcher) if with_security_txt else None,
    )


class _Walked:
    """Responses in order. If the walk ended early, the reason and the target of the last redirect."""

    def __init__(self, responses: list[Fetched], stopped: str = "", towards: str = "") -> None:
        self.responses = responses
        self.stopped = stopped
        self.towards = towards


async def _walk(url: str, fetcher: Fetcher) -> _Walked | Unknown:
    responses: list[Fetched] = []
    visited = {url}
    while True:
        try:
            responses.append(await fetcher.get_once(url))
        except EgressError as error:
            return _Walked(responses, error.reason.value, url) if responses else Unknown(reason=error.reason.value)
        location = responses[-1].header("location")
        if responses[-1].status not in _REDIRECTS or location is None:
            return _Walked(responses)
        url = _target(url, location)
        if url in visited or len(responses) > MOST_REDIRECTS:
            return _Walked(responses, "redirect_loop" if url in visited else "too_many_redirects", url)
        visited.add(url)


def _target(url: str, location: str) -> str:
    try:
        return urljoin(url, location.strip())
    except ValueError:
        return "invalid:"


def _from_own_https(plain: _Walked | Unknown, host: str) -> _Walked | None:
    """Return the part of the plain walk that begins at the host's own HTTPS front page."""
    if isinstance(plain, Unknown):
        return None
    for place, response in enumerate(plain.responses):
        parts = urlsplit(response.url)
        if parts.scheme == "https" and parts.hostname == host and parts.path in {"", "/"} and not parts.query:
            return _Walked(plain.responses[place:], plain.stopped, plain.towards)
    return None


def _visit(walked: _Walked, host: str) -> Visit:
    final = walked.responses[-1]
    steps = tuple(_step(response.url, response.status) for response in walked.responses)
    own = next((a for a, s in zip(walked.responses, steps, strict=True) if (s.scheme, s.host) == ("https", host)), None)
    page = _page(final)
    return Visit(
        steps=(*steps, _step(walked.towards, 0)) if walked.towards else steps,
        headers={name: values for name in _KEPT if (values := _values(final, name))},
        cookies=_cookies(walked.responses),
        scripts=_scripts(page, final.url) if page is not None else (),
        meta_csp=_meta_csp(page),
        meta_referrer=_meta_referrer(page),
        own_hsts=_values(own, "strict-transport-security") if own is not None else (),
        challenge=_is_challenge(final),
        stopped=walked.stopped,
    )


def _step(url: str, status: int) -> Step:
    try:
        parts = urlsplit(url)
        return Step(scheme=parts.scheme, host=(parts.hostname or "")[:253], status=status)
    except ValueError:
        return Step(scheme="", host="", status=status)


def _values(response: Fetched, name: str) -> tuple[str, ...]:
    found = [value for key, value in response.final.headers if key == name]
    return tuple(_steady(value[:_MOST_VALUE]) for value in found)


def _steady(value: str) -> str:
    """Remove values that differ in each response: only the presence of a nonce matters."""
    return re.sub(r"'nonce-[^']*'", "'nonce-*'", value)


def _cookies(responses: list[Fetched]) -> tuple[Cookie, ...]:
    """Read Set-Cookie (RFC 6265, section 5.2) of every response on the way. If a name is repeated, the last counts."""
    found: dict[str, Cookie] = {}
    for response in responses:
        for key, value in response.final.headers:
            if key == "set-cookie" and len(found) < _MOST_COOKIES:
                cookie = parse_cookie(value)
                if cookie is not None:
                    found[cookie.name] = cookie
    return tuple(found[name] for name in sorted(found))


def parse_cookie(value: str) -> Cookie | None:
    pair, *attributes = value.split(";")
    name, equals, _ = pair.partition("=")
    if not equals or not name.strip():
        return None
    given = {a.partition("=")[0].strip().lower(): a.partition("=")[2].strip() for a in attributes}
    return Cookie(
        name=name.strip()[:200],
        secure="secure" in given,
        http_only="httponly" in given,
        same_site=given.get("samesite", "").lower()[:20],
    )


# ── the page


def _page(response: Fetched) -> LexborHTMLParser | None:
    kind = (response.header("content-type") or "text/html").partition(";")[0].strip().lower()
    return LexborHTMLParser(response.body) if kind in {"text/html", "application/xhtml+xml"} and response.body else None


def _scripts(page: LexborHTMLParser, url: str) -> tuple[Script, ...]:
    found = set()
    for node in page.css("script[src]")[:_MOST_SCRIPTS]:
        parts = urlsplit(_target(url, node.attributes.get("src") or ""))
        if parts.scheme in {"http", "https"} and parts.hostname:
            found.add((parts.scheme, parts.hostname, bool(node.attributes.get("integrity"))))
    return tuple(Script(scheme=s, host=h, integrity=i) for s, h, i in sorted(found))


def _meta_csp(page: LexborHTMLParser | None) -> tuple[str, ...]:
    found = page.css("head meta[http-equiv]") if page is not None else []
    equivs = [(n.attributes.get("http-equiv") or "", n.attributes.get("content") or "") for n in found]
    return tuple(_steady(text[:_MOST_VALUE]) for name, text in equivs if name.lower() == "content-security-policy")


def _meta_referrer(page: LexborHTMLParser | None) -> str:
    node = page.css_first("head meta[name=referrer]") if page is not None else None
    return (node.attributes.get("content") or "")[:100] if node is not None else ""


def _is_challenge(response: Fetched) -> bool:
    """Whether a robot check answered in the site's place: its headers say nothing of the site."""
    if any(response.header(name) is not None for name in _CHALLENGE_HEADERS):
        return True
    return _CHALLENGE_TITLES.search(response.body[:20_000].decode("utf-8", "replace")) is not None


# ── two further requests


async def _cors(host: str, fetcher: Fetcher) -> Cors | Unknown:
    try:
        response = await fetcher.get_once(f"https://{host}/", headers={"origin": ODD_ORIGIN})
    except EgressError as error:
        return Unknown(reason=error.reason.value)
    credentials = (response.header("access-control-allow-credentials") or "").strip() == "true"
    return Cors(
        allowed_origin=(response.header("access-control-allow-origin") or "")[:200], with_credentials=credentials
    )


async def _security_txt(host: str, fetcher: Fetcher) -> SecurityTxtFile | Unknown:
    """Read security.txt at its well-known path, or at its old one (RFC 9116, section 3)."""
    found: SecurityTxtFile | Unknown = Unknown(reason="not_asked")
    for path in ("/.well-known/security.txt", "/security.txt"):
        try:
            response = await fetcher.get(f"https://{host}{path}")
        except EgressError as error:
            return Unknown(reason=error.reason.value)
        kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
        if response.status == 200 and kind != "text/html":  # noqa: PLR2004 - HTTP
            return SecurityTxtFile(status=200, plain_text=kind == "text/plain", read=parse(response.body))
        if response.status not in {200, 404, 410, 403}:
            return Unknown(reason=f"http_{response.status}")
        found = SecurityTxtFile(status=404)
    return found
