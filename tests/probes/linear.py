"""Readers that run on the event loop, each over texts made to take the square of their length. Runs in a child."""

import ipaddress
from contextlib import suppress

from vendorrisk.evaluation import csp
from vendorrisk.probes.dns import dns_records
from vendorrisk.probes.dns.dns_records import TagError
from vendorrisk.probes.mail import dmarc, spf_macros, spf_record
from vendorrisk.probes.mail.dmarc import DmarcError
from vendorrisk.probes.mail.spf_record import SpfError
from vendorrisk.probes.web import front_page

_LONG = 60_000
_SENDER = spf_macros.Sender(ipaddress.IPv4Address("192.0.2.1"), "a", "b.test", "b.test")
_SPF = ("x." + "a" * _LONG, "a." * (_LONG // 2), "x." + "a-" * (_LONG // 2), "%{d" * (_LONG // 3), "%{d" + "." * _LONG)
_DMARC = ("mailto:a@" * (_LONG // 9), "mailto:" + "a" * _LONG, "mailto:a@b!" * (_LONG // 11))


def every(_: bytes) -> int:
    """Read them all. Return how many there were."""
    for name in _SPF:
        with suppress(SpfError):
            spf_record.parse(f"v=spf1 include:{name}! -all")
    for receivers in _DMARC:
        with suppress(DmarcError):
            dmarc.parse(f"v=DMARC1; p=none; rua={receivers}")
    with suppress(TagError):
        dns_records.tags("; ".join(f"a{number}=1" for number in range(_LONG // 8)))
    dns_records.parse_mta_sts_policy("version: STSv1\nmode: enforce\nmax_age: 1\nmx: " + "a-" * (_LONG // 2))
    csp.read(("'nonce-" * 1_000, "; ".join(f"d{number} a" for number in range(1_000))), ())
    front_page.steady("'nonce-" * 1_000)
    spf_macros.expand("%{d" + "9" * _LONG + "}", _SENDER, "b.test")
    return len(_SPF) + len(_DMARC) + 5
