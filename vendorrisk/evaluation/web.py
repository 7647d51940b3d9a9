"""Evaluation of a host's front page: redirect, HSTS, CSP, framing, cookies, scripts.

A response of another status than 2xx, 3xx, 401 or 403, or behind a robot check, is no evidence about the site: the
error page may come from a proxy in front of it. A host that sends its visitors to another site has no content of its
own to protect.
"""

import re
from collections.abc import Callable

from vendorrisk.evaluation import csp
from vendorrisk.evaluation.model import Evaluation, Facts, RuleSeverity
from vendorrisk.evaluation.results import failed, inapplicable, passed, unknown, warned
from vendorrisk.probes.observation import Unknown
from vendorrisk.probes.public_suffix import registrable_domain
from vendorrisk.probes.web.site import ODD_ORIGIN, Cookie, Cors, Step, Visit, WebObservation

HSTS_LEAST_SECONDS = 15_552_000  # 180 days
_CONTENT_RULES = ("web.csp", "web.frame", "web.nosniff", "web.referrer", "web.cookies", "web.sri", "web.banner")
_SESSION = re.compile(
    r"sess|^sid$|[._-]sid$|^(?:__host-|__secure-)?(?:auth|token|jwt|login)(?:$|[._-])|[._-](?:auth|token|jwt)$",
    re.IGNORECASE,
)
_ANTI_FORGERY = re.compile(r"csrf|xsrf", re.IGNORECASE)
_VERSION = re.compile(r"\d+\.\d+|/\d")
_REFERRER_SAFE = frozenset({"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"})
_REFERRER_LOOSE = frozenset({"origin", "origin-when-cross-origin", "no-referrer-when-downgrade"})


def evaluate(
    observation: WebObservation, *, preloaded: Callable[[str], bool] = lambda _: False
) -> tuple[Evaluation, ...]:
    """Evaluate every web rule. `preloaded` says whether a host is in the HSTS preload list of the named snapshot."""
    first = (_redirect(observation), _hsts(observation, preloaded=preloaded(observation.host)))
    return (*first, *_content(observation), _cors(observation.cors))


def _content(observation: WebObservation) -> tuple[Evaluation, ...]:
    visit = observation.secure if isinstance(observation.secure, Visit) else observation.plain
    if isinstance(visit, Unknown):
        return tuple(unknown(rule, visit.reason) for rule in _CONTENT_RULES)
    reason = _not_evaluable(visit)
    if reason:
        return tuple(unknown(rule, reason) for rule in _CONTENT_RULES)
    if _site(visit.final.host) != _site(observation.host):
        words = f"The host sends its visitors to {visit.final.host}."
        return tuple(inapplicable(rule, "leads_away", words) for rule in _CONTENT_RULES)
    reading = csp.read(visit.headers.get("content-security-policy", ()), visit.meta_csp)
    return (
        _csp(visit, reading),
        _frame(visit, reading),
        _nosniff(visit),
        _referrer(visit),
        _cookies(visit.cookies),
        _sri(visit),
        _banner(visit),
    )


def _not_evaluable(visit: Visit) -> str:
    if visit.challenge:
        return "robot_check"
    if visit.stopped:
        return visit.stopped
    return _untelling(visit.final) if visit.steps else "not_scanned"


def _untelling(step: Step) -> str:
    """Return why a response says nothing of the site, or an empty string."""
    is_telling = 200 <= step.status < 400 or step.status in {401, 403}  # noqa: PLR2004 - HTTP
    return "" if is_telling else f"http_{step.status}"


def _site(host: str) -> str:
    return registrable_domain(host) or host


def _redirect(observation: WebObservation) -> Evaluation:
    rule, plain = "web.redirect", observation.plain
    if isinstance(plain, Unknown):
        if plain.reason == "connect_refused" and isinstance(observation.secure, Visit):
            return passed(rule, "https_only", "Port 80 is closed. Only HTTPS is offered.")
        return unknown(rule, plain.reason)
    if plain.challenge:
        return unknown(rule, "robot_check")
    if len(plain.steps) <= 1 or plain.final.scheme != "https":
        if reason := _not_evaluable(plain):
            return unknown(rule, reason)
        return failed(rule, "stays_http", "Visitors who come over HTTP stay on HTTP.")
    first = plain.steps[1]
    if first.host != observation.host:
        words = f"The first redirect leaves for {first.host}, before HSTS could be set for this host."
        return warned(rule, "leaves_host_first", words)
    if first.scheme != "https":
        return warned(rule, "http_again", "The first redirect stays on HTTP.")
    return passed(rule, "to_https", "HTTP leads to HTTPS on the same host.")


# ── HSTS


def parse_hsts(value: str) -> tuple[int, bool, bool] | None:
    """Return max-age in seconds, includeSubDomains and preload. None if RFC 6797 requires ignoring the header."""
    found: dict[str, str] = {}
    for part in value.split(";"):
        name, _, given = (piece.strip() for piece in part.partition("="))
        if not name:
            continue
        if re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) is None or name.lower() in found:
            return None
        found[name.lower()] = given.strip('"')
    age = found.get("max-age", "")
    if re.fullmatch(r"\d{1,12}", age) is None:
        return None
    return int(age), "includesubdomains" in found, "preload" in found


def _hsts(observation: WebObservation, *, preloaded: bool) -> Evaluation:
    rule = "web.hsts"
    if preloaded:
        return passed(rule, "preloaded", "The host is in the browsers' preload list.")
    if isinstance(observation.secure, Unknown):
        return unknown(rule, observation.secure.reason)
    if observation.secure.challenge:
        return unknown(rule, "robot_check")
    reason = _untelling(observation.secure.steps[0]) if observation.secure.steps else "not_scanned"
    if reason:
        return unknown(rule, reason)
    values = observation.secure.own_hsts
    if not values:
        return failed(rule, "missing", "No Strict-Transport-Security.")
    read = parse_hsts(values[0])  # of several the first counts (RFC 6797, section 8.1)
    if read is None:
        return failed(rule, "invalid", "Strict-Transport-Security is not valid, so browsers ignore it.")
    facts: Facts = {"max_age": read[0], "subdomains": read[1], "preload": read[2]}
    if read[0] == 0:
        return failed(rule, "switched_off", "max-age=0 switches HSTS off.", evidence=facts)
    if read[0] < HSTS_LEAST_SECONDS:
        return warned(rule, "short", f"max-age is {read[0] // 86400} days.", evidence=facts)
    return passed(rule, "set", "Browsers stay on HTTPS.", evidence=facts)


# ── headers of the page


def _csp(visit: Visit, reading: csp.CspSummary) -> Evaluation:
    rule = "web.csp"
    if not reading.present:
        if visit.headers.get("content-security-policy-report-only"):
            return failed(rule, "report_only", "The policy is only reported, not enforced.")
        return failed(rule, "missing", "No Content-Security-Policy.")
    if reading.invalid:
        return failed(rule, "invalid", "'strict-dynamic' without nonce or hash lets nothing run.")
    for danger, reason, words in (
        (reading.inline_script, "unsafe_inline", "Inline script may run."),
        (reading.broad_script, "broad_script", "Script may come from anywhere."),
        (reading.broad_object, "broad_object", "Plugins may come from anywhere: object-src is open."),
        (reading.plain_http, "plain_http", "Active content may come over HTTP."),
        (reading.eval_script, "unsafe_eval", "Script may be made from text."),
    ):
        if danger:
            return warned(rule, reason, words)
    return passed(rule, "strict", "Inline and foreign script are stopped.")


def _frame(visit: Visit, reading: csp.CspSummary) -> Evaluation:
    rule = "web.frame"
    if not reading.framing:
        return passed(rule, "frame_ancestors", "frame-ancestors limits framing.")
    values = {part.strip().lower() for v in visit.headers.get("x-frame-options", ()) for part in v.split(",")}
    if values and values <= {"deny", "sameorigin"}:
        return passed(rule, "x_frame_options", "X-Frame-Options limits framing.")
    if values:
        return failed(rule, "invalid", "X-Frame-Options is not valid, so browsers ignore it.")
    return failed(rule, "missing", "Any site may frame the page.")


def _nosniff(visit: Visit) -> Evaluation:
    rule, values = "web.nosniff", visit.headers.get("x-content-type-options", ())
    if values and values[0].partition(",")[0].strip().lower() == "nosniff":  # Fetch, section 3.6: the first value
        return passed(rule, "nosniff", "Types are not guessed.")
    reason = "invalid" if values else "missing"
    return failed(rule, reason, "Browsers may guess types.")


def _referrer(visit: Visit) -> Evaluation:
    rule, given = "web.referrer", ",".join([*visit.headers.get("referrer-policy", ()), visit.meta_referrer])
    words = [word.strip().lower() for word in given.split(",") if word.strip()]
    if not words:
        return inapplicable(rule, "absent", "Browsers use their own safe policy.")
    known = [w for w in words if w in _REFERRER_SAFE | _REFERRER_LOOSE | {"unsafe-url"}]
    if not known:
        return warned(rule, "invalid", "No word of the policy is known.")
    if known[-1] == "unsafe-url":
        return failed(rule, "unsafe_url", "Full addresses are sent to every site.")
    if known[-1] in _REFERRER_LOOSE:
        return warned(rule, "loose", f"{known[-1]} sends more than browsers do by themselves.")
    return passed(rule, "safe", f"{known[-1]}.")


def is_session(cookie: Cookie) -> bool:
    return _SESSION.search(cookie.name) is not None and _ANTI_FORGERY.search(cookie.name) is None


def _cookies(cookies: tuple[Cookie, ...]) -> Evaluation:
    rule = "web.cookies"
    if not cookies:
        return inapplicable(rule, "none", "No cookies are set on the front page.")
    sessions = [c for c in cookies if is_session(c)]
    bare = tuple(c.name for c in sessions if not c.secure)
    if bare:
        return failed(rule, "session_without_secure", f"{bare[0]} may travel in the clear.", evidence={"names": bare})
    loose = tuple(c.name for c in sessions if not c.http_only or c.same_site not in {"lax", "strict", "none"})
    if loose:
        words = f"{loose[0]} is without HttpOnly or SameSite."
        return warned(rule, "session_loose", words, evidence={"names": loose})
    others = tuple(c.name for c in cookies if not c.secure)
    if others:
        return warned(rule, "without_secure", f"{others[0]} is without Secure.", evidence={"names": others})
    return passed(rule, "guarded", "Cookies are guarded.")


def _sri(visit: Visit) -> Evaluation:
    rule, site = "web.sri", _site(visit.final.host)
    plain = tuple(s.host for s in visit.scripts if s.scheme == "http")
    if plain and visit.final.scheme == "https":
        return failed(rule, "script_over_http", f"Script comes over HTTP from {plain[0]}.", evidence={"hosts": plain})
    foreign = tuple(sorted({s.host for s in visit.scripts if _site(s.host) != site and not s.integrity}))
    if foreign:
        words = f"Script from {foreign[0]} carries no integrity hash."
        return warned(rule, "no_integrity", words, evidence={"hosts": foreign})
    return passed(rule, "own_or_hashed", "Foreign scripts carry hashes, or there are none.")


def _banner(visit: Visit) -> Evaluation:
    rule = "web.banner"
    values = [*visit.headers.get("server", ()), *visit.headers.get("x-powered-by", ())]
    telling = [v for v in values if _VERSION.search(v)]
    if telling:
        return warned(
            rule, "version_disclosed", f"Headers tell {telling[0][:80]}.", evidence={"banner": telling[0][:80]}
        )
    return passed(rule, "quiet", "No version is disclosed.")


def _cors(cors: Cors | Unknown | None) -> Evaluation:
    rule = "web.cors"
    if cors is None:
        return unknown(rule, "not_scanned")
    if isinstance(cors, Unknown):
        return unknown(rule, cors.reason)
    if cors.with_credentials and cors.allowed_origin in {ODD_ORIGIN, "null"}:
        words = "Any site may read the page with its visitor's credentials."
        return failed(rule, "reflected", words, severity=RuleSeverity.HIGH)
    return passed(rule, "not_reflected", "Foreign origins get no credentials.")
