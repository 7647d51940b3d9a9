"""A small PKI with every kind of bad certificate: root → intermediate → leaf, each made to order.

Keys are made once per run. All are P-256, except deliberately weak ones.
"""

import datetime as dt
import ssl
import tempfile
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from vendorrisk.evaluation.certificates import TrustStore

NOW = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@lru_cache(maxsize=64)
def ec_key(label: str) -> ec.EllipticCurvePrivateKey:  # noqa: ARG001 - one key for each label, by the cache
    return ec.generate_private_key(ec.SECP256R1())


@lru_cache(maxsize=8)
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@dataclass(frozen=True)
class Authority:
    """A CA's certificate and key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


@lru_cache(maxsize=8)
def root(label: str = "Lab Root") -> Authority:
    return _authority(label, None)


@lru_cache(maxsize=8)
def intermediate(label: str = "Lab Intermediate", above: str = "Lab Root") -> Authority:
    return _authority(label, root(above))


def _authority(label: str, above: Authority | None) -> Authority:
    key = ec_key(label)
    issuer = above.certificate.subject if above else name(label)
    signer = above.key if above else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(label))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 3650 * DAY)
        .not_valid_after(NOW + 3650 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None if above is None else 0), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    return Authority(builder.sign(signer, hashes.SHA256()), key)


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=sign, crl_sign=sign, encipher_only=False, decipher_only=False,
    )  # fmt: skip


@dataclass(frozen=True)
class Leaf:
    """A server's chain as it sends it, leaf first, and its key."""

    chain: tuple[x509.Certificate, ...]
    key: Key

    @property
    def ders(self) -> tuple[bytes, ...]:
        return tuple(c.public_bytes(Encoding.DER) for c in self.chain)


@dataclass(frozen=True)
class Wish:
    """The properties of a leaf. The defaults make a good one."""

    names: tuple[str, ...] = ("acme.test", "www.acme.test")
    begins: dt.datetime = NOW - 30 * DAY
    ends: dt.datetime = NOW + 60 * DAY
    issuer: Authority = field(default_factory=intermediate)
    sent: tuple[Authority, ...] | None = None
    key: Key | None = None
    aia: str = ""
    self_signed: bool = False


def leaf(wish: Wish | None = None) -> Leaf:
    wish = wish or Wish()
    key = wish.key or ec_key("leaf")
    subject = name(wish.names[0] if wish.names else "nobody.test")
    signer = key if wish.self_signed else wish.issuer.key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if wish.self_signed else wish.issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(wish.begins)
        .not_valid_after(wish.ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if wish.names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(n) for n in wish.names]), critical=False
        )
    if wish.aia:
        issuers = x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(wish.aia)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([issuers]), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    sent = () if wish.self_signed else (wish.issuer,) if wish.sent is None else wish.sent
    return Leaf((certificate, *(a.certificate for a in sent)), key)


def store() -> TrustStore:
    """The lab's trust store: its root, and none of the world's."""
    return TrustStore("lab-1", (root().certificate,))


def server_context(
    made: Leaf,
    *,
    lowest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2,
    highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ciphers: str = "",
) -> ssl.SSLContext:
    """A server context for a chain. Old versions and weak keys need security level 0, which is set."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(ciphers or "ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point
        context.minimum_version, context.maximum_version = lowest, highest
    pem = b"".join(c.public_bytes(Encoding.PEM) for c in made.chain)
    pem += made.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.pem"
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context
