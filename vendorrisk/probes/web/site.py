"""The scan of a host's web site: only its front page over HTTP and HTTPS, and security.txt.

If plain HTTP redirects to the host's own HTTPS front page, that response serves both, so that most hosts see two
requests. Certificates are not checked here (their own rules do that), and no secret is sent. Only the evaluated parts
of a page are kept: no text, no form, no cookie's value.
"""

import re
from urllib.parse import urlsplit

import msgspec

from vendorrisk.egress.answer import Fetched
from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.reasons import EgressError
from vendorrisk.probes import reading
from vendorrisk.probes.observation import Raw, Unknown
from vendorrisk.probes.web import front_page
from vendorrisk.probes.web.front_page import FrontPage, Script, steady, target
from vendorrisk.probes.web.security_txt import SecurityTxt
from vendorrisk.sandbox.running import Sandbox

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
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
    host: str, *, fetcher: Fetcher, sandbox: Sandbox, with_cors: bool = False, with_security_txt: bool = True
) -> WebObservation:
    """Scan a host's front page. `fetcher` should not verify certificates (see the module's docstring)."""
    plain = await _walk(f"http://{host}/", fetcher)
    secure = _from_own_https(plain, host) or await _walk(f"https://{host}/", fetcher)
    cors = await _cors(host, fetcher) if with_cors else None
    file = await _security_txt(host, fetcher) if with_security_txt else None
    main = plain if isinstance(secure, Unknown) else secure
    read = await _read(main, file, sandbox, host)
    if isinstance(read, Unknown):
        # A page that no parser gets through says nothing of the site, neither good nor bad.
        return WebObservation(host=host, plain=read, secure=read, cors=cors, security_txt=read if file else None)
    return WebObservation(
        host=host,
        plain=_plain_visit(plain, secure, host, read),
        secure=secure if isinstance(secure, Unknown) else _visit(secure, host, read),
        cors=cors,
        security_txt=_as_read(file, read),
    )


def _plain_visit(
    plain: "_Walked | Unknown", secure: "_Walked | Unknown", host: str, read: FrontPage
) -> Visit | Unknown:
    if isinstance(plain, Unknown):
        return plain
    if isinstance(secure, Unknown):
        return _visit(plain, host, read)
    seen = _visit(plain, host, FrontPage())  # its page is evaluated over HTTPS: keep the way
    return Visit(steps=seen.steps, challenge=seen.challenge, stopped=seen.stopped)


def _as_read(file: "_File | Unknown | None", read: FrontPage) -> SecurityTxtFile | Unknown | None:
    if file is None or isinstance(file, Unknown):
        return file
    return SecurityTxtFile(status=file.status, plain_text=file.plain_text, read=read.security_txt)


async def _read(
    main: "_Walked | Unknown", file: "_File | Unknown | None", sandbox: Sandbox, host: str
) -> FrontPage | Unknown:
    """Read the page and security.txt in one child. Unknown if the child fails, or if the page is beyond the bounds."""
    final = None if isinstance(main, Unknown) else main.responses[-1]
    page = final.body or None if final is not None and _is_html(final) else None
    text = file.body if isinstance(file, _File) else None
    if page is None and text is None:
        return FrontPage()
    payload = reading.packed("" if final is None else final.url, page, text)
    read = await reading.read(sandbox, front_page.read, payload, about=host)
    return Unknown(reason="page_too_complex") if isinstance(read, FrontPage) and read.too_complex else read


def _is_html(response: Fetched) -> bool:
    kind = (response.header("content-type") or "text/html").partition(";")[0].strip().lower()
    return kind in {"text/html", "application/xhtml+xml"}


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
        url = target(url, location)
        if url in visited or len(responses) > MOST_REDIRECTS:
            return _Walked(responses, "redirect_loop" if url in visited else "too_many_redirects", url)
        visited.add(url)


def _from_own_https(plain: _Walked | Unknown, host: str) -> _Walked | None:
    """Return the part of the plain walk that begins at the host's own HTTPS front page."""
    if isinstance(plain, Unknown):
        return None
    for place, response in enumerate(plain.responses):
        parts = urlsplit(response.url)
        if parts.scheme == "https" and parts.hostname == host and parts.path in {"", "/"} and not parts.query:
            return _Walked(plain.responses[place:], plain.stopped, plain.towards)
    return None


def _visit(walked: _Walked, host: str, page: FrontPage) -> Visit:
    final = walked.responses[-1]
    steps = tuple(_step(response.url, response.status) for response in walked.responses)
    own = next((a for a, s in zip(walked.responses, steps, strict=True) if (s.scheme, s.host) == ("https", host)), None)
    return Visit(
        steps=(*steps, _step(walked.towards, 0)) if walked.towards else steps,
        headers={name: values for name in _KEPT if (values := _values(final, name))},
        cookies=_cookies(walked.responses),
        scripts=page.scripts,
        meta_csp=page.meta_csp,
        meta_referrer=page.meta_referrer,
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
    return tuple(steady(value[:_MOST_VALUE]) for value in found)


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


class _File(msgspec.Struct, frozen=True):
    """security.txt as it came. Without a body it is not there."""

    status: int
    plain_text: bool = False
    body: bytes | None = None


async def _security_txt(host: str, fetcher: Fetcher) -> _File | Unknown:
    """Fetch security.txt at its well-known path, or at its old one (RFC 9116, section 3)."""
    found: _File | Unknown = Unknown(reason="not_asked")
    for path in ("/.well-known/security.txt", "/security.txt"):
        try:
            response = await fetcher.get(f"https://{host}{path}")
        except EgressError as error:
            return Unknown(reason=error.reason.value)
        kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
        if response.status == 200 and kind != "text/html":  # noqa: PLR2004 - HTTP
            return _File(status=200, plain_text=kind == "text/plain", body=response.body)
        if response.status not in {200, 404, 410, 403}:
            return Unknown(reason=f"http_{response.status}")
        found = _File(status=404)
    return found
