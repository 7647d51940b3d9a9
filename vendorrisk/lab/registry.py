"""Registry servers: WHOIS in several dialects, RDAP documents.

The texts are fiction. The forms are those of real registries.
"""

import asyncio
import json
from collections.abc import Mapping

DIALECTS: Mapping[str, str] = {
    "gtld": (
        "   Domain Name: ACME.TEST\r\n   Registry Domain ID: 1_DOMAIN\r\n   Registrar: Lab Registrar Ltd\r\n"
        "   Registrar WHOIS Server: internal-host.local\r\n   Creation Date: 2001-02-03T04:05:06Z\r\n"
        "   Registry Expiry Date: 2027-02-03T04:05:06Z\r\n"
        "   Domain Status: clientTransferProhibited https://icann.org/epp#clientTransferProhibited\r\n"
        "   Name Server: NS1.ACME.TEST\r\n   Name Server: NS2.ACME.TEST\r\n   DNSSEC: unsigned\r\n"
        ">>> Last update of whois database: 2026-11-23T00:00:00Z <<<\r\n"
        "NOTICE: access may be restricted if too many requests come; try again later.\r\n"
    ),
    "dotted": (
        "domain: acme.test\nnserver: a.acme.test 192.0.2.1\nstatus: active\nexpires: 03. 02. 2027\ncreated: 3.2.2001\n"
    ),
    "bracketed": (
        "[Domain Name]  ACME.TEST\n[Name Server]  ns1.acme.test\n[Expires on]  2027/02/03\n[State] Connected\n"
    ),
    "named_month": "Domain name: acme.test\nRegistrar: Lab\nRegistered on: 03-Feb-2001\nExpiry date: 03-Feb-2027\n",
    "us": "Domain Name: acme.test\nRegistrar: Lab\nExpiration Date: Wed Feb 03 23:59:59 GMT 2027\n",
    "ambiguous": "Domain: acme.test\nRegistrar: Lab\nExpires: 03/02/2027\n",
    "no_dates": "Domain: acme.test\nNserver: ns1.acme.test\nStatus: connect\nChanged: 2020-01-01T00:00:00+01:00\n",
}
"""Answers about acme.test. All that have an expiry mean 3 February 2027, but for `ambiguous`."""

NOT_FOUND = (
    'No match for domain "ACME.TEST".\r\n>>> Last update of WHOIS database: 2026-11-23T00:00:00Z <<<\r\n',
    "% No entries found.\n",
    "Domain: acme.test\nStatus: free\n",
    "NOT FOUND\n",
    "The queried object does not exist: no matching objects found\n",
    "acme.test is available for registration\n",
    "% The lab's database.\n% Rights restricted.\n\n%ERROR:101: no entries found\n%\nNo entries found for acme.test\n",
    "Domain Name: acme.test\nDomain Status: No Object Found\n",
    "Domain acme.test has not been registered\n",
)

TIRED = (
    "WHOIS LIMIT EXCEEDED - SEE WWW.PIR.ORG/WHOIS FOR DETAILS\n",
    "Error: 55000000002 Connection refused; access control limit reached.\n",
    "%% Quota exceeded, try again in 24 hours\n",
    "Too many requests from your address.\n",
    "Your IP has been blacklisted\n",
)


class WhoisServer:
    """Answers each question from a table, or with `otherwise`. It records the questions."""

    def __init__(self, answers: Mapping[str, str] | None = None, otherwise: str = "") -> None:
        self.answers = dict(answers or {})
        self.otherwise = otherwise
        self.asked: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readuntil(b"\r\n")
        self.asked.append(question)
        writer.write(self.answers.get(question.decode().strip(), self.otherwise).encode())
        await writer.drain()


async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never stop answering."""
    await reader.readuntil(b"\r\n")
    while True:
        writer.write(b"Registrar: a\n" * 4096)
        await writer.drain()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte now and then, for ever."""
    await reader.readuntil(b"\r\n")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


def rdap_domain(domain: str, *, expires: str = "2027-02-03T04:05:06Z", **changes: object) -> bytes:
    """An RFC 9083 document, with people in it that nobody may keep."""
    document: dict[str, object] = {
        "objectClassName": "domain",
        "ldhName": domain.upper(),
        "status": ["client transfer prohibited", "active"],
        "events": [
            {"eventAction": "registration", "eventDate": "2001-02-03T04:05:06Z"},
            {"eventAction": "expiration", "eventDate": expires},
            {"eventAction": "last update of RDAP database", "eventDate": "2026-11-23T00:00:00Z"},
        ],
        "nameservers": [{"objectClassName": "nameserver", "ldhName": f"NS{n}.{domain}."} for n in (2, 1)],
        "secureDNS": {"delegationSigned": True},
        "entities": [
            {"roles": ["registrar"], "vcardArray": ["vcard", [["version", {}, "text", "4.0"],
                                                              ["fn", {}, "text", "Lab Registrar Ltd"]]]},
            {"roles": ["registrant"], "vcardArray": ["vcard", [["fn", {}, "text", "Jane Canary"],
                                                               ["email", {}, "text", "jane@canary.test"]]]},
        ],
    }  # fmt: skip
    return json.dumps({**document, **changes}).encode()


def bootstrap(top: str, base: str) -> bytes:
    """Return an RDAP bootstrap file (RFC 9224) that knows one top level."""
    services = [[[top], [base]]]
    return json.dumps({"version": "1.0", "publication": "2026-11-01T00:00:00Z", "services": services}).encode()
