"""ClientHello and its answer as bytes (RFC 5246, RFC 8446, RFC 6101): a server's versions, without a handshake.

Current TLS libraries can no longer offer the old versions that a server should refuse, so the greeting is written by
our own code. Only the server's first message is read, and no key is ever agreed.
"""

import os
import struct
from enum import StrEnum

import msgspec

_HANDSHAKE, _ALERT = 22, 21
_CLIENT_HELLO, _SERVER_HELLO = 1, 2
_RECORD_HEADER = 5
_MOST_RECORD = 16 * 1024 + 2048
_SSL3, _TLS1_0, _TLS1_1, _TLS1_2, _TLS1_3 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304

_MODERN = (0x1301, 0x1302, 0x1303)
_USUAL = (
    0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC009, 0xC013, 0xC00A, 0xC014, 0x009C, 0x009D, 0x009E, 0x009F,
    0xCCAA, 0x0033, 0x0039, 0x002F, 0x0035, 0x003C, 0x003D,
)  # fmt: skip
WEAK = (
    0x0004, 0x0005, 0x000A, 0x0016, 0xC007, 0xC008, 0xC011, 0xC012,  # RC4 and 3DES
    0x0001, 0x0002, 0x003B, 0xC006, 0xC010,  # NULL
    0x0003, 0x0006, 0x0008, 0x0009, 0x0014, 0x0015,  # export and single DES
)  # fmt: skip


class Greeting(StrEnum):
    """Our greetings, five in total, so that with one full handshake a host sees six a day."""

    SSL3 = "ssl3"
    LEGACY = "legacy"  # TLS 1.1 at most: a server with 1.0 alone answers it too
    TLS1_2 = "tls1_2"
    TLS1_3 = "tls1_3"
    WEAK = "weak"


_HIGHEST = {
    Greeting.SSL3: _SSL3,
    Greeting.LEGACY: _TLS1_1,
    Greeting.TLS1_2: _TLS1_2,
    Greeting.TLS1_3: _TLS1_3,
    Greeting.WEAK: _TLS1_2,
}
_LOWEST = {Greeting.LEGACY: _TLS1_0, Greeting.WEAK: _TLS1_0}
NAMES = {_SSL3: "SSL 3.0", _TLS1_0: "TLS 1.0", _TLS1_1: "TLS 1.1", _TLS1_2: "TLS 1.2", _TLS1_3: "TLS 1.3"}


class ServerAnswer(msgspec.Struct, frozen=True):
    """The content of the first message. `outcome`: accepted, refused, lower, or the reason why it is unusable."""

    outcome: str
    version: int = 0
    cipher: int = 0


class NeedMoreError(Exception):
    """The answer is not whole yet."""


def client_hello(greeting: Greeting, host: str) -> bytes:
    """Return a greeting as one TLS record."""
    highest = _HIGHEST[greeting]
    ciphers = _ciphers(greeting)
    body = struct.pack("!H", min(highest, _TLS1_2)) + os.urandom(32) + b"\x00"
    if greeting is Greeting.TLS1_3:  # a session id keeps middleboxes calm (RFC 8446, appendix D.4)
        body = body[:-1] + b"\x20" + os.urandom(32)
    body += _sized(b"".join(struct.pack("!H", c) for c in ciphers)) + b"\x01\x00"
    if highest != _SSL3:
        body += _sized(_extensions(host, greeting))
    message = bytes([_CLIENT_HELLO]) + len(body).to_bytes(3) + body
    record_version = _SSL3 if highest == _SSL3 else _TLS1_0
    return struct.pack("!BHH", _HANDSHAKE, record_version, len(message)) + message


def _ciphers(greeting: Greeting) -> tuple[int, ...]:
    if greeting is Greeting.TLS1_3:
        return _MODERN
    return WEAK if greeting is Greeting.WEAK else (*_USUAL, *(WEAK if greeting is Greeting.SSL3 else ()))


def _sized(content: bytes) -> bytes:
    return struct.pack("!H", len(content)) + content


def _extension(number: int, content: bytes) -> bytes:
    return struct.pack("!H", number) + _sized(content)


def _extensions(host: str, greeting: Greeting) -> bytes:
    name = host.encode("ascii")
    groups = b"".join(struct.pack("!H", g) for g in (0x001D, 0x0017, 0x0018))
    signatures = b"".join(
        struct.pack("!H", s)
        for s in (0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201)
    )
    parts = [
        _extension(0, _sized(b"\x00" + _sized(name))),
        _extension(10, _sized(groups)),
        _extension(11, b"\x01\x00"),
        _extension(13, _sized(signatures)),
        _extension(23, b""),
    ]
    if greeting is Greeting.TLS1_3:
        parts.append(_extension(43, b"\x02" + struct.pack("!H", _TLS1_3)))
        parts.append(_extension(45, b"\x01\x01"))
        parts.append(_extension(51, _sized(struct.pack("!H", 0x001D) + _sized(os.urandom(32)))))
    return b"".join(parts)


def read_answer(greeting: Greeting, received: bytes) -> ServerAnswer:
    """Read the server's first message. Raises `NeedMoreError` until it is complete.

    An acceptance counts only for an offered version and cipher.
    """
    if received and received[0] not in {_HANDSHAKE, _ALERT}:
        return ServerAnswer("not_tls")
    if len(received) < _RECORD_HEADER:
        raise NeedMoreError
    kind, version, length = struct.unpack("!BHH", received[:_RECORD_HEADER])
    if version >> 8 != 3 or not 0 < length <= _MOST_RECORD:  # noqa: PLR2004 - SSL 3 to TLS 1.3
        return ServerAnswer("not_tls")
    content = received[_RECORD_HEADER : _RECORD_HEADER + length]
    if kind == _ALERT:
        if len(content) < 2:  # noqa: PLR2004 - level and description
            raise NeedMoreError
        return ServerAnswer("refused")
    if content and content[0] != _SERVER_HELLO:
        return ServerAnswer("protocol")
    return _server_hello(greeting, content)


def _server_hello(greeting: Greeting, content: bytes) -> ServerAnswer:
    if len(content) < 4 or len(content) < 4 + int.from_bytes(content[1:4]):  # noqa: PLR2004 - message header
        raise NeedMoreError
    body = content[4 : 4 + int.from_bytes(content[1:4])]
    try:
        (version,) = struct.unpack("!H", body[:2])
        after_session = 35 + body[34]
        (cipher,) = struct.unpack("!H", body[after_session : after_session + 2])
        extensions = body[after_session + 5 :]
    except (struct.error, IndexError):
        return ServerAnswer("protocol")
    version = _chosen_version(extensions) or version
    lowest = _LOWEST.get(greeting, _HIGHEST[greeting])
    if _SSL3 <= version < lowest:  # RFC 5246, appendix E.1: the server speaks nothing newer
        return ServerAnswer("lower", version, cipher)
    if not lowest <= version <= _HIGHEST[greeting] or cipher not in _ciphers(greeting):
        return ServerAnswer("protocol", version, cipher)
    return ServerAnswer("accepted", version, cipher)


def _chosen_version(extensions: bytes) -> int:
    """Return the version in the supported_versions extension, or 0."""
    place = 0
    while place + 4 <= len(extensions):
        number, length = struct.unpack("!HH", extensions[place : place + 4])
        if number == 43 and length == 2 and place + 6 <= len(extensions):  # noqa: PLR2004 - supported_versions
            return int.from_bytes(extensions[place + 4 : place + 6])
        place += 4 + length
    return 0
