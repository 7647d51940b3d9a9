"""The scans of port 443: one full handshake for the certificate, and five greetings for versions and ciphers.

The handshake accepts any certificate and any old version on purpose: their faults are evaluated later, from the bytes.
Two cases make one more request: an incomplete chain fetches the issuer that the certificate names, and a failed
handshake fetches the front page over plain HTTP.
"""

import asyncio
import ssl
from typing import cast

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from vendorrisk.egress.dialling import Dialled, dial
from vendorrisk.egress.fetcher import Fetcher
from vendorrisk.egress.guard import Guard, Vetted
from vendorrisk.egress.reasons import EgressError, Reason
from vendorrisk.probes.observation import Raw, Unknown
from vendorrisk.probes.tls.certificates import read_certificate
from vendorrisk.probes.tls.clienthello import Greeting, NeedMoreError, ServerAnswer, client_hello, read_answer

_HTTPS = 443
_SECONDS = 6.0
_MOST_BYTES = 20 * 1024
_MOST_CERTIFICATES = 10
_MOST_CHAIN_BYTES = 64 * 1024


class Handshake(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="handshake"):
    """A completed handshake. `chain` is DER as sent, leaf first. `fetched` is the issuer at the leaf's URL."""

    version: str
    chain: tuple[bytes, ...]
    fetched: bytes = b""
    fetch_failed: str = ""


class CertObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="cert"):
    """`plain_answers` says whether port 80 answers in HTTP. It is tested only if the handshake failed.

    None if that could not be observed. A closed port does not answer.
    """

    host: str
    handshake: Handshake | Unknown
    plain_answers: bool | None = None


class HelloObservation(Raw, frozen=True, kw_only=True, omit_defaults=True, tag="hello"):
    """Greeting → outcome (accepted, refused, lower, closed, or a reason), and the accepted version."""

    host: str
    outcomes: dict[str, str]
    versions: dict[str, int] = msgspec.field(default_factory=dict)


def _open_minded() -> ssl.SSLContext:
    """A context that shakes hands with anything, so that there is a certificate to evaluate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    # Servers without RFC 5746 are still common enough to have certificates worth reading.
    context.options |= ssl.OP_LEGACY_SERVER_CONNECT if hasattr(ssl, "OP_LEGACY_SERVER_CONNECT") else 0x4
    return context


_CONTEXT = _open_minded()


async def scan_certificate(host: str, *, guard: Guard, fetcher: Fetcher) -> CertObservation:
    handshake = await _handshake(host, guard, fetcher)
    if isinstance(handshake, Handshake):
        return CertObservation(host=host, handshake=handshake)
    return CertObservation(host=host, handshake=handshake, plain_answers=await _plain_answers(host, fetcher))


async def _handshake(host: str, guard: Guard, fetcher: Fetcher) -> Handshake | Unknown:
    try:
        async with dial(guard, host, _HTTPS, timeout_seconds=_SECONDS, tls=_CONTEXT) as connection:
            tls = connection.writer.get_extra_info("ssl_object")
            version, chain = str(tls.version()), _chain(tls)
    except EgressError as error:
        return Unknown(reason=error.reason.value)
    if not chain or sum(map(len, chain)) > _MOST_CHAIN_BYTES:
        return Unknown(reason="chain_unusable")
    try:
        issuer = _missing_issuer(chain)
    except ValueError:
        return Unknown(reason="certificate_malformed")
    if issuer is None:
        return Handshake(version=version, chain=chain)
    fetched, failed = await _fetch_issuer(issuer, fetcher)
    return Handshake(version=version, chain=chain, fetched=fetched, fetch_failed=failed)


def _chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return the chain as it was sent, unverified.

    Public from Python 3.13; before that the same function stands one level deeper. If both are missing, only the leaf
    is returned.
    """
    if hasattr(tls, "get_unverified_chain"):
        return tuple(cast("list[bytes]", tls.get_unverified_chain()))[:_MOST_CERTIFICATES]
    inner = getattr(tls, "_sslobj", None)
    if inner is not None and hasattr(inner, "get_unverified_chain"):
        sent = [ssl.PEM_cert_to_DER_cert(c.public_bytes()) for c in inner.get_unverified_chain()]
        return tuple(sent[:_MOST_CERTIFICATES])
    leaf = tls.getpeercert(binary_form=True)
    return (leaf,) if leaf else ()


def _missing_issuer(chain: tuple[bytes, ...]) -> str | None:
    """Return the URL of the leaf's issuer if the chain lacks it. None if it is not needed or not named."""
    certificates = [read_certificate(der) for der in chain]
    leaf = certificates[0]
    if leaf.issuer == leaf.subject or any(c.subject == leaf.issuer for c in certificates[1:]):
        return None
    try:
        access = leaf.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_INFORMATION_ACCESS).value
    except x509.ExtensionNotFound:
        return None
    named = [a for a in cast("x509.AuthorityInformationAccess", access)
             if a.access_method == AuthorityInformationAccessOID.CA_ISSUERS]  # fmt: skip
    urls = [a.access_location.value for a in named if isinstance(a.access_location, x509.UniformResourceIdentifier)]
    return next(iter(urls), None)


async def _fetch_issuer(url: str, fetcher: Fetcher) -> tuple[bytes, str]:
    try:
        fetched = await fetcher.get(url)
    except EgressError as error:
        return b"", error.reason.value
    if fetched.status != 200:  # noqa: PLR2004 - HTTP
        return b"", f"http_{fetched.status}"
    try:
        return read_certificate(fetched.body).public_bytes(Encoding.DER), ""
    except ValueError:
        return b"", "certificate_malformed"


async def _plain_answers(host: str, fetcher: Fetcher) -> bool | None:
    try:
        await fetcher.get_once(f"http://{host}/")
    except EgressError as error:
        return False if error.reason is Reason.CONNECT_REFUSED else None
    return True


async def scan_versions(host: str, *, guard: Guard) -> HelloObservation:
    """Greet five times, one after another: a host gets one connection at a time, and is looked up once."""
    outcomes: dict[str, str] = {}
    versions: dict[str, int] = {}
    try:
        vetted = await guard.resolve(host)
    except EgressError as error:
        return HelloObservation(host=host, outcomes={Greeting.SSL3.value: error.reason.value})
    for greeting in Greeting:
        answer = await _greet(vetted, guard, greeting)
        outcomes[greeting.value] = answer.outcome
        if answer.outcome == "accepted":
            versions[greeting.value] = answer.version
        if answer.outcome in _HOPELESS:
            break
    return HelloObservation(host=host, outcomes=outcomes, versions=versions)


_HOPELESS = frozenset({"connect_refused", "connect_timeout"})


async def _greet(vetted: Vetted, guard: Guard, greeting: Greeting) -> ServerAnswer:
    try:
        async with dial(guard, vetted, _HTTPS, timeout_seconds=_SECONDS) as connection:
            connection.writer.write(client_hello(greeting, connection.host))
            return await _answer(connection, greeting)
    except EgressError as error:
        return ServerAnswer(error.reason.value)


async def _answer(connection: Dialled, greeting: Greeting) -> ServerAnswer:
    received = b""
    while len(received) < _MOST_BYTES:
        try:
            chunk = await connection.reader.read(4096)
        except (ConnectionError, asyncio.IncompleteReadError):
            chunk = b""
        if not chunk:
            return ServerAnswer("closed")
        received += chunk
        try:
            return read_answer(greeting, received)
        except NeedMoreError:
            continue
    return ServerAnswer("protocol")
