"""Which part of a name its owner registered (publicsuffix.org), from the snapshot the library carries."""

from functools import lru_cache

from publicsuffixlist import PublicSuffixList


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=True)


def registrable_domain(name: str) -> str | None:
    """Return the public suffix and one label, or None for a name that is itself a suffix (or malformed)."""
    if name.startswith(".") or not name:
        return None
    found = _suffixes().privatesuffix(name.lower().rstrip("."))
    return found or None


@lru_cache(maxsize=1)
def _registries() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=True, only_icann=True)


def is_registered_at_a_registry(domain: str) -> bool:
    """Return True if a registry has the domain, rather than the owner of a shared domain (`acme.github.io`)."""
    return _registries().privatesuffix(domain) == domain


def parents(name: str) -> tuple[str, ...]:
    """Return the name and each parent, longest first, the top label included."""
    labels = name.lower().rstrip(".").split(".")
    return tuple(".".join(labels[n:]) for n in range(len(labels)))
