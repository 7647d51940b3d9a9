"""Values that no well-behaved client sends, and ways to put them into a body, a query, a path or a header."""

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

_RAW = "\ue000raw:"
_TWIN = "\ue000twin:"

TEXTS = [
    *("", " ", "\t\n", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\x1b[31m", "\x7f", "\x85", "\u2028"),
    *("\u202eevil", "e" + "\u0301" * 2000, "Zoe\u0308", "\ufeffx", "\U0010ffff", "\U0001f469\u200d\U0001f4bb"),
    *("x" * 100_000, "%", "_", "\\", "'", '"', "'; drop table vendors;--", "$1", "{}", "{0.__class__}", "%s", "%n"),
    *("=1+1", "@SUM(A1)", "-1", "+1", "<script>alert(1)</script>", "<!channel>", "<@U012>", "&lt;", "../../etc/passwd"),
    *("a@example.com\r\nbcc: b@example.com", "null", "true", "NaN", "1e309", "0x10", "1_000", "\u0661", "½", "-0"),
    *("http://127.0.0.1/", "http://[::1]/", "file:///etc/passwd", "http://a@b:99999/", "xn--", "-.example", "1.1"),
    *("0000-00-00", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2027-02-29", "2026-13-01", "2026-1-1"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-06-30T23:59:60Z", "2026-06-30T24:00:00Z"),
    *("2026-01-01T00:00:00", "2026-01-01T00:00:00.123456789Z", "20260101", "2026-W01-1", "1e1000000"),
    *("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "018f0000", "{018f}"),
    *("018F0000-0000-7000-8000-000000000000", "urn:uuid:018f0000-0000-7000-8000-000000000000"),
    *("999999999999999999.99", "1e999999", "0." + "0" * 400 + "1", "9" * 400, "125000.00\n", "Infinity"),
]

NUMBERS = [
    *(0, -1, 1, 2**15, 2**31 - 1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**400),
    *(0.1, -0.0, 4.0, 1e300, 5e-324, -1.5),
]

RAWS = ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 4999, "01", "1.", "+1", "0x1", "'a'", "undefined", ""]

_DEEP = "[" * 10_000 + "]" * 10_000


def value(chance: random.Random) -> Any:
    """Return anything that JSON can say, and some that it cannot."""
    kind = chance.randrange(8)
    if kind == 0:
        return _RAW + chance.choice([*RAWS, _DEEP, '{"a":' * 2000 + "1" + "}" * 2000])
    if kind == 1:
        return chance.choice(NUMBERS)
    if kind == 2:
        return chance.choice([None, True, False, [], {}, [[]], [None], {"": None}, [{}], {"kind": "nothing"}])
    if kind == 3:
        return [chance.choice(TEXTS)] * chance.choice([1, 2, 300])
    return chance.choice(TEXTS)


def body(chance: random.Random, example: Any) -> bytes:
    """Return the example with one to three things wrong, as bytes."""
    made = json.loads(json.dumps(example))
    for _ in range(chance.randint(1, 3)):
        made = _spoilt(chance, made)
    text = encoded(json.dumps(made).encode())
    return _cut(chance, text) if chance.random() < 0.05 else text


def _spoilt(chance: random.Random, made: Any) -> Any:
    places = list(_places(made))
    if not places:
        return value(chance)
    holder, key = chance.choice(places)
    match chance.randrange(6):
        case 0 if isinstance(holder, dict):
            holder[_TWIN + str(key)] = holder[key]
        case 1 if isinstance(holder, dict):
            holder[chance.choice(TEXTS)[:200]] = value(chance)
        case 2 if isinstance(holder, dict):
            del holder[key]
        case 3 if isinstance(holder, list):
            holder.extend([holder[key]] * chance.choice([1, 10, 1000]))
        case _:
            holder[key] = value(chance)
    return made


def _places(made: Any) -> Iterator[tuple[Any, Any]]:
    keys = made.keys() if isinstance(made, dict) else range(len(made)) if isinstance(made, list) else ()
    for key in list(keys):
        yield made, key
        yield from _places(made[key])


def _cut(chance: random.Random, text: bytes) -> bytes:
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice([b"", b"\xff", b"\x00", b"\xed\xa0\x80", b"\xef\xbb\xbf", text])


def encoded(made: bytes) -> bytes:
    """Turn the marks of raw and twin values into what they stand for."""
    raw, twin = json.dumps(_RAW)[1:-1].encode(), json.dumps(_TWIN)[1:-1].encode()
    parts = made.split(b'"' + raw)
    for number, part in enumerate(parts[1:], 1):
        inside, _, rest = part.partition(b'"')
        parts[number] = inside.replace(b"\\", b"") + rest
    return b"".join(parts).replace(twin, b"")


def query(chance: random.Random, names: list[str]) -> str:
    """Return a query in which one to three parameters are strange."""
    some = chance.choices([*names, "nope", "filter", "tenant_id"], k=chance.randint(1, 3))
    return "&".join(f"{quote(name)}={in_query(chance)}" for name in some)


def in_query(chance: random.Random) -> str:
    if chance.random() < 0.2:
        return chance.choice(["%", "%zz", "%ff", "%00", "%ed%a0%80", "+", "a=b", "%26", ";", "[]", "%e2%80%ae"])
    return quote(str(chance.choice([*TEXTS, *NUMBERS]))[:8000].encode("utf-8", "surrogatepass"), safe="")


def in_path(chance: random.Random) -> str:
    return in_query(chance)[:2000].replace("/", "%2F") or "%20"


HEADERS = {
    "if-match": ["*", '"', '""', 'W/"1"', '"1","2"', '"99999999999"', '"\u00b9"', "1", '"-1"', "x" * 10_000],
    "idempotency-key": ["", " ", "x" * 256, "\u00e9", '"a"', '"', '""', "k", "a b"],
    "prefer": ["return=minimal", "return=minimal;x", ",,,", "return", "x" * 10_000, 'a="b;c'],
    "content-type": ["", "/", "text/plain", "application/json;charset=utf-16", "multipart/form-data", "a" * 5000],
    "content-encoding": ["gzip", "identity", "br, gzip", "\u00e9"],
    "content-length": ["0", "99999999999", "-1", "\u00b2", "1e3"],
    "accept": ["text/html", "*/*;q=0", "x", "application/json;q=nan"],
    "accept-encoding": ["gzip", "*;q=0", "\u00e9"],
    "traceparent": ["00-" + "0" * 32 + "-" + "0" * 16 + "-00", "x" * 8000, "\u00e9"],
    "x-forwarded-for": ["127.0.0.1", "::1", "a, b", "\u00e9" * 1000],
    "range": ["bytes=0-0", "bytes=-1", "bytes=9-1", "x"],
    "cookie": ["a=b", "=;;=", "\u00e9" * 3000],
    "expect": ["100-continue", "x"],
    "host": ["evil.example", "", "[::1", "a b"],
}


def headers(chance: random.Random) -> list[tuple[str, str]]:
    return [(name, chance.choice(HEADERS[name])) for name in chance.sample(sorted(HEADERS), chance.randint(1, 3))]


def encode(made: Any) -> bytes:
    return json.dumps(made).encode()
