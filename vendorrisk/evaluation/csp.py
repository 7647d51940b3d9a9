"""Content-Security-Policy (W3C CSP level 3), read for the dangerous sources that it still allows.

All policies of a page are enforced at once, so a danger is stopped if any one of them stops it.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

_BROAD = frozenset({"*", "http:", "https:", "ftp:", "http://*", "https://*", "http://*.*", "https://*.*"})
_INLINE = frozenset({"'unsafe-inline'", "data:"})
_TRUSTED_INLINE = re.compile(r"'(?:nonce-|sha256-|sha384-|sha512-)")
_NOT_IN_META = frozenset({"frame-ancestors", "report-uri", "report-to", "sandbox"})
_DIRECTIVES = frozenset({
    "base-uri", "block-all-mixed-content", "child-src", "connect-src", "default-src", "fenced-frame-src", "font-src",
    "form-action", "frame-ancestors", "frame-src", "img-src", "manifest-src", "media-src", "navigate-to", "object-src",
    "plugin-types", "prefetch-src", "referrer", "reflected-xss", "report-to", "report-uri",
    "require-sri-for", "require-trusted-types-for", "sandbox", "script-src", "script-src-attr", "script-src-elem",
    "style-src", "style-src-attr", "style-src-elem", "trusted-types", "upgrade-insecure-requests", "worker-src",
})  # fmt: skip
_PASSIVE = ("img-src", "media-src")

Policy = Mapping[str, tuple[str, ...]]


class CspSummary(msgspec.Struct, frozen=True):
    """The dangers that all policies together still allow, and whether there is a policy at all."""

    present: bool
    invalid: bool = False
    inline_script: bool = False
    broad_script: bool = False
    broad_object: bool = False
    eval_script: bool = False
    plain_http: bool = False
    framing: bool = True


def policies(headers: Iterable[str], meta: Iterable[str] = ()) -> list[Policy]:
    """Split header values into policies, at commas. In meta elements some directives have no effect."""
    found = [_policy(text) for value in headers for text in value.split(",")]
    for value in meta:
        found += [{k: v for k, v in _policy(t).items() if k not in _NOT_IN_META} for t in value.split(",")]
    return [policy for policy in found if policy]


def _policy(text: str) -> dict[str, tuple[str, ...]]:
    """If a directive is repeated, the first counts (CSP3, section 2.2.1). Unknown directives are ignored."""
    found: dict[str, tuple[str, ...]] = {}
    for part in text.split(";"):
        words = part.split()
        if words and words[0].lower() in _DIRECTIVES:
            found.setdefault(words[0].lower(), tuple(_normal(word) for word in words[1:]))
    return found


def _normal(word: str) -> str:
    """Return the source in lower case, except for the value of a nonce or hash."""
    return word if _TRUSTED_INLINE.match(word.lower()) else word.lower()


def read(headers: Iterable[str], meta: Iterable[str] = ()) -> CspSummary:
    found = policies(headers, meta)
    if not found:
        return CspSummary(present=False)
    effective = [_effective_script(p) for p in found]
    return CspSummary(
        present=True,
        invalid=any(_is_helpless(p) for p in found),
        inline_script=all(_has(sources, _INLINE) for sources in effective),
        broad_script=all(_has(sources, _BROAD) for sources in effective),
        broad_object=all(_has(_of(p, "object-src"), _BROAD) for p in found),
        eval_script=all(sources is None or "'unsafe-eval'" in sources for sources in effective),
        plain_http=all(_lets_http(p) for p in found),
        framing=all(_has(p.get("frame-ancestors"), _BROAD) for p in found),
    )


def _of(policy: Policy, directive: str) -> tuple[str, ...] | None:
    """Return the sources of a directive, or those of default-src. None if neither limits it."""
    return policy.get(directive, policy.get("default-src"))


def _has(sources: tuple[str, ...] | None, dangers: frozenset[str]) -> bool:
    return sources is None or any(source in dangers for source in sources)


def _effective_script(policy: Policy) -> tuple[str, ...] | None:
    """Return the effective script-src of a current browser: nonces and hashes switch 'unsafe-inline' off, and with
    'strict-dynamic' hosts and schemes as well.
    """
    sources = _of(policy, "script-src")
    if sources is None or not any(_TRUSTED_INLINE.match(source.lower()) for source in sources):
        return sources
    kept = [source for source in sources if source != "'unsafe-inline'"]
    if "'strict-dynamic'" in kept:
        kept = [s for s in kept if s != "'self'" and not any(s.startswith(b) for b in _BROAD)]
    return tuple(kept)


def _is_helpless(policy: Policy) -> bool:
    """'strict-dynamic' without a nonce or hash blocks every script, which is never intended."""
    sources = _of(policy, "script-src") or ()
    return "'strict-dynamic'" in sources and not any(_TRUSTED_INLINE.match(s.lower()) for s in sources)


def _lets_http(policy: Policy) -> bool:
    active = [s for name, sources in policy.items() if name not in {*_PASSIVE, "script-src"} for s in sources]
    active += _effective_script(policy) or ()
    return any(source.startswith(("http:", "ftp:")) for source in active)
