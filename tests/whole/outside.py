"""The world outside: a signed webhook, a Slack webhook and a mail server, which note each message they take.

They run in a thread of their own, so that they answer while the test kills and waits.
"""

import asyncio
import json
import random
import ssl
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Self

import msgspec
import trustme

from tests.fakes.smtp import SmtpFake, smtp_fake
from vendorrisk.lab.dns import dns_fake
from vendorrisk.lab.http import Received, Reply, http_fake

HOST = "hooks.example.com"
_FAILS, _IS_SLOW = 0.02, 0.1


class Taken(msgspec.Struct, frozen=True):
    """A message that a receiver took, by the key it carried; `at` is a monotonic time."""

    channel: str
    key: str
    body: bytes
    at: float


class Outside:
    """`with Outside(folder, seed) as there:` serves for the length of the block."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.authority = trustme.CA()
        self.trust = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(str(self.trust))
        self.taken: list[Taken] = []
        self.refused: set[str] = set()
        self.is_moody = True
        self.mail = SmtpFake()
        self._web_port = self._dns_port = 0
        self._moods = random.Random(f"receivers {seed}")
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def settings(self) -> dict[str, str]:
        """Return what leads a worker here."""
        return {
            "SSL_CERT_FILE": str(self.trust),
            "VENDORRISK_EGRESS_RESOLVERS": f"127.0.0.1:{self._dns_port}",
            "VENDORRISK_EGRESS_TEST_NETWORKS": "127.0.0.0/8",
            "VENDORRISK_EGRESS_TEST_PORTS": f"443={self._web_port}",
            "VENDORRISK_RECEIVER_MESSAGES_PER_HOUR": "1000000",
            "VENDORRISK_SMTP_URL": f"smtp://127.0.0.1:{self.mail.port}?tls=never",
            "VENDORRISK_MAIL_FROM": "Vendor risk <risk@example.org>",
        }

    def arrivals(self) -> Counter[str]:
        """Return how often each key arrived, over all channels."""
        mails = (str(message["Message-ID"]).strip("<>").partition("@")[0] for message in list(self.mail.messages))
        return Counter([each.key for each in list(self.taken)]) + Counter(mails)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(HOST).configure_cert(tls)
        async with dns_fake({(HOST, "A"): ["127.0.0.1"]}) as names, http_fake(tls=tls) as web, smtp_fake() as mail:
            web.on("/in", lambda request: self._respond("webhook", request.headers["webhook-id"], request))
            web.on("/slack", lambda request: self._respond("slack", _slack_key(request), request))
            mail.delay_seconds = 0.02
            self.mail, self._web_port, self._dns_port = mail, web.port, names.address[1]
            self._ready.set()
            await self._over.wait()

    def _respond(self, channel: str, key: str, request: Received) -> Reply:
        """Take it, mostly soon, sometimes late, and now and then not at all."""
        mood = self._moods.random()
        if mood < _FAILS and self.is_moody:
            self.refused.add(key)
            return Reply(503)
        self.taken.append(Taken(channel, key, request.body, time.monotonic()))
        return Reply(200, body=b"ok", delay_seconds=0.4 if mood < _FAILS + _IS_SLOW else 0.02 * mood)


def _slack_key(request: Received) -> str:
    return str(json.loads(request.body)["blocks"][0]["block_id"])
