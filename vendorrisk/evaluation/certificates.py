"""Facts that a presented chain proves: names, dates, trust, strength, each independent of the others.

An expired certificate may be well named and well trusted, and a self-signed one in date. So trust is evaluated at an
instant inside the leaf's dates and for a name of its own, with `cryptography`'s verifier over a named store. That
verifier also refuses keys and signatures that are merely weak, which another rule evaluates. For those alone the path
is walked here.
"""

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path

import certifi
import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtensionOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from vendorrisk.probes.tls.certificates import read_certificate

_RSA_BITS, _EC_BITS = 2048, 224
_WEAK_HASHES = frozenset({"md5", "sha1"})
_LONGEST_PATH = 6
_SECOND = timedelta(seconds=1)


class TrustStore(msgspec.Struct, frozen=True, dict=True):
    """Roots by name, with the version that is written down with each evaluation."""

    version: str
    roots: tuple[x509.Certificate, ...]

    @cached_property
    def anchors(self) -> Store:
        """The roots as the library holds them, which costs as much to make as ten certificates to verify."""
        return Store(list(self.roots))


@lru_cache(maxsize=1)
def mozilla_store() -> TrustStore:
    """Return the Mozilla roots that certifi carries.

    Their set changes with certifi's version, and so may old chains' trust.
    """
    pem = Path(certifi.where()).read_bytes()
    with warnings.catch_warnings():  # a root or two has a serial number of zero, which is theirs to fix
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        return TrustStore(f"certifi-{certifi.__version__}", tuple(x509.load_pem_x509_certificates(pem)))


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed chain, leaf first. `extra` is an issuer that was fetched, not sent."""

    leaf: x509.Certificate
    others: tuple[x509.Certificate, ...]
    extra: x509.Certificate | None = None


def parse_chain(ders: Sequence[bytes], extra: bytes = b"") -> Chain:
    """Raises `ValueError` if the bytes are not a certificate."""
    leaf, *others = [read_certificate(der) for der in ders]
    fetched = read_certificate(extra) if extra else None
    return Chain(leaf=leaf, others=tuple(others), extra=fetched)


def names(leaf: x509.Certificate) -> tuple[str, ...]:
    """Return the DNS names of subjectAltName, in lower case. The common name does not count (RFC 9525)."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    return tuple(name.lower().rstrip(".") for name in found.get_values_for_type(x509.DNSName))


def is_named(host: str, leaf: x509.Certificate) -> bool:
    """Return True if the certificate names the host (RFC 9525, section 6.3): `*` matches one whole leftmost label."""
    host = host.lower().rstrip(".")
    rest = host.partition(".")[2]
    return any(name == host or (rest and name == f"*.{rest}" and "." in rest) for name in names(leaf))


def weaknesses(chain: Chain) -> tuple[str, ...]:
    """Return the weaknesses of the leaf and the sent intermediates.

    A root's own signature is ignored: it proves nothing.
    """
    return tuple(dict.fromkeys(w for c in (chain.leaf, *chain.others) for w in _weak(c)))


def _weak(certificate: x509.Certificate) -> list[str]:
    found = []
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return ["key_unknown"]
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _RSA_BITS:
        found.append(f"rsa_{key.key_size}")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size < _EC_BITS:
        found.append(f"ec_{key.curve.key_size}")
    if isinstance(key, dsa.DSAPublicKey):
        found.append("dsa")
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return [*found, "signature_unknown"]
    if certificate.issuer != certificate.subject and algorithm is not None and algorithm.name in _WEAK_HASHES:
        found.append(algorithm.name)
    return found


class Trust(msgspec.Struct, frozen=True):
    """`reason` is trusted, incomplete, self_signed or untrusted."""

    reason: str

    @property
    def is_trusted(self) -> bool:
        return self.reason in {"trusted", "incomplete"}


def trust(chain: Chain, store: TrustStore, now: datetime) -> Trust:
    """Evaluate whether the chain leads to a root, independent of the leaf's other faults."""
    at = _inside_dates(chain.leaf, now)
    if _is_verified(chain.leaf, chain.others, store, at):
        return Trust("trusted")
    if chain.extra is not None and _is_verified(chain.leaf, (*chain.others, chain.extra), store, at):
        return Trust("incomplete")
    if chain.leaf.issuer == chain.leaf.subject:
        return Trust("self_signed")
    return Trust("untrusted")


def _inside_dates(leaf: x509.Certificate, now: datetime) -> datetime:
    """The instant nearest to now at which the leaf was in date. X.509 knows whole seconds only."""
    at = now.astimezone(UTC).replace(microsecond=0)
    return max(leaf.not_valid_before_utc, min(at, leaf.not_valid_after_utc - _SECOND))


def _is_verified(leaf: x509.Certificate, others: Sequence[x509.Certificate], store: TrustStore, at: datetime) -> bool:
    own_names = [name for name in names(leaf) if not name.startswith("*.")] or [
        f"www{name[1:]}" for name in names(leaf)
    ]
    if own_names and not any(_weak(c) for c in (leaf, *others)):
        return _by_the_library(leaf, others, store, at, own_names[0])
    return _by_walking(leaf, others, store, at)


def _by_the_library(
    leaf: x509.Certificate, others: Sequence[x509.Certificate], store: TrustStore, at: datetime, name: str
) -> bool:
    try:
        subject = x509.DNSName(name)
        verifier = PolicyBuilder().store(store.anchors).time(at).build_server_verifier(subject)
        verifier.verify(leaf, list(others))
    except (VerificationError, ValueError):
        return False
    return True


def _by_walking(leaf: x509.Certificate, others: Sequence[x509.Certificate], store: TrustStore, at: datetime) -> bool:
    current, left = leaf, list(others)
    for below in range(_LONGEST_PATH):
        if any(_issued(root, current, at, below) for root in store.roots if root.subject == current.issuer):
            return True
        issuer = next((c for c in left if c.subject == current.issuer and _issued(c, current, at, below)), None)
        if issuer is None:
            return False
        left.remove(issuer)
        current = issuer
    return False


def _issued(issuer: x509.Certificate, subject: x509.Certificate, at: datetime, below: int) -> bool:
    """Return True if one certificate signed the other and may sign it. `below` counts the CAs under the issuer."""
    if not issuer.not_valid_before_utc <= at <= issuer.not_valid_after_utc:
        return False
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        subject.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    length = constraints.path_length
    return constraints.ca and (length is None or below <= length) and _may_sign(issuer)


def _may_sign(issuer: x509.Certificate) -> bool:
    try:
        usage = issuer.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE).value
    except x509.ExtensionNotFound:
        return True
    return isinstance(usage, x509.KeyUsage) and usage.key_cert_sign


_LIMITS_DAYS = (
    (datetime(2029, 3, 15, tzinfo=UTC), 47),
    (datetime(2027, 3, 15, tzinfo=UTC), 100),
    (datetime(2026, 3, 15, tzinfo=UTC), 200),
    (datetime(2020, 9, 1, tzinfo=UTC), 398),
    (datetime(2018, 3, 1, tzinfo=UTC), 825),
)
"""The CA/Browser Forum's limits on lifetime by day of issue (Baseline Requirements 6.3.2; ballot SC-081v3)."""


def lifetime(leaf: x509.Certificate) -> timedelta:
    """Return the lifetime, both ends included (RFC 5280, section 4.1.2.5)."""
    return leaf.not_valid_after_utc - leaf.not_valid_before_utc + _SECOND


def lifetime_limit(leaf: x509.Certificate) -> timedelta | None:
    """Return the limit in days at the certificate's issue. None if no limit in days existed yet."""
    issued = leaf.not_valid_before_utc
    return next((timedelta(days=days) for since, days in _LIMITS_DAYS if issued >= since), None)
