"""Callers who do what people do, repeat what was not answered, and remember what was acknowledged."""

import hashlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

_TRY_AGAIN = {429, 503}
_PATIENCE_SECONDS = 120
_THINKS_SECONDS = 0.12  # at most, between two operations
_DUE_SOON = timedelta(days=10)  # between the thresholds 14 and 7, so that a midnight in between changes nothing
_DUE_LATE = timedelta(days=700)


@dataclass
class Vendor:
    """A vendor as it was acknowledged; `version` counts its acknowledged changes."""

    id: str
    name: str
    description: str | None = None
    version: int = 1
    has_report: bool = False


@dataclass
class Memory:
    """Everything that was acknowledged."""

    vendors: dict[str, Vendor] = field(default_factory=dict)
    reports: dict[str, str] = field(default_factory=dict)  # id → vendor
    documents: dict[str, str] = field(default_factory=dict)  # id → title
    files: dict[str, str] = field(default_factory=dict)  # document → SHA-256
    findings: dict[str, str] = field(default_factory=dict)  # id → title
    tests: set[str] = field(default_factory=set)  # deliveries of test messages
    expiring: set[str] = field(default_factory=set)  # vendors and documents of which people must be told
    posts: list[tuple[str, str, dict[str, Any] | None, str]] = field(default_factory=list)  # path, key, body, id


class SurpriseError(AssertionError):
    """A response that nothing explains."""


class Caller(threading.Thread):
    """One of several; each changes only what it made itself, so that it knows what it must find."""

    def __init__(self, number: int, seed: int, address: str, key: str, receivers: list[str]) -> None:
        super().__init__(daemon=True)
        self.memory = Memory()
        self.done = self.repeated = self.replayed = 0
        self.trouble: BaseException | None = None
        self._number, self._receivers = number, receivers
        self.over = threading.Event()
        self._choices = random.Random(f"caller {number} {seed}")
        self._http = httpx.Client(base_url=address, headers={"authorization": f"Bearer {key}"}, timeout=10)

    def run(self) -> None:
        kinds: list[tuple[Callable[[], None], int]] = [
            (self.register, 5),
            (self.change, 6),
            (self.report, 4),
            (self.document, 4),
            (self.finding, 2),
            (self.test_receiver, 2),
            (self.repeat, 3),
        ]
        operations, weights = zip(*kinds, strict=True)
        try:
            self.register()
            while not self.over.wait(self._choices.uniform(0, _THINKS_SECONDS)):
                self._choices.choices(operations, weights)[0]()
                self.done += 1
        except BaseException as error:  # noqa: BLE001 - the test raises it
            self.trouble = error

    # What people do

    def register(self) -> None:
        name = self._unique("Vendor")
        made = self._post("/v1/vendors", {"name": name})
        self.memory.vendors[made["id"]] = Vendor(made["id"], name)

    def change(self) -> None:
        vendor = self._any_vendor()
        wanted = self._unique("Changed")
        place = f"/v1/vendors/{vendor.id}"
        response, repeated = self._send("PATCH", place, {"description": wanted}, {"if-match": f'"{vendor.version}"'})
        if response.status_code == 412 and repeated:
            # Nobody else changes it, so the lost response was a good one; what is stored says whether that is so.
            response = self._send("GET", place)[0]
        self._expect(response, 200)
        if response.json()["description"] != wanted or response.json()["version"] != vendor.version + 1:
            raise SurpriseError(f"{place}: {response.text}, wanted {wanted} as version {vendor.version + 1}")
        vendor.description, vendor.version = wanted, vendor.version + 1

    def report(self) -> None:
        free = [vendor for vendor in self.memory.vendors.values() if not vendor.has_report]
        if not free:
            self.register()
            return
        vendor, is_due = self._choices.choice(free), self._choices.random() < 0.7
        # Relied on for a year after its period: so it ends in some days, or in most of a year.
        end = _today() - (timedelta(days=365) - _DUE_SOON if is_due else timedelta(days=5))
        body = {
            "vendor_id": vendor.id,
            "report_type": "type_2",
            "period_start_on": str(end - timedelta(days=364)),
            "period_end_on": str(end),
            "opinion": "unqualified",
            "categories": ["security"],
        }
        made = self._post("/v1/soc2-reports", body)
        vendor.has_report = True
        self.memory.reports[made["id"]] = vendor.id
        if is_due:
            self.memory.expiring.add(vendor.id)

    def document(self) -> None:
        vendor, title = self._any_vendor(), self._unique("Insurance")
        is_due = self._choices.random() < 0.7
        until = _today() + (_DUE_SOON if is_due else _DUE_LATE)
        body = {
            "vendor_id": vendor.id,
            "kind": "insurance_certificate",
            "title": title,
            "stated_until_on": str(until),
        }
        made = self._post("/v1/documents", body)
        self.memory.documents[made["id"]] = title
        if is_due:
            self.memory.expiring.add(made["id"])
        self._upload(made["id"], title)

    def _upload(self, document: str, title: str) -> None:
        content = f"{title}\n".encode() * self._choices.randint(1, 20_000)
        digest, place = hashlib.sha256(content).hexdigest(), f"/v1/documents/{document}"
        headers = {"if-match": '"1"', "content-type": "text/plain"}
        response, repeated = self._send("PUT", f"{place}/file", content, headers)
        if response.status_code == 412 and repeated:
            response = self._send("GET", place)[0]
        self._expect(response, 200)
        if response.json()["file_sha256"] != digest or response.json()["version"] != 2:
            raise SurpriseError(f"{place}: {response.text}")
        self.memory.files[document] = digest

    def finding(self) -> None:
        title = self._unique("Finding")
        made = self._post("/v1/findings", {"vendor_id": self._any_vendor().id, "title": title, "severity": "high"})
        self.memory.findings[made["id"]] = title

    def test_receiver(self) -> None:
        made = self._post(f"/v1/receivers/{self._choices.choice(self._receivers)}/tests", None)
        self.memory.tests.add(made["id"])

    def repeat(self) -> None:
        """Send something again that was acknowledged long ago: the response is the same one."""
        path, key, body, made = self._choices.choice(self.memory.posts)
        response, _ = self._send("POST", path, body, {"idempotency-key": key})
        if response.json().get("id") != made or response.headers.get("idempotency-replayed") != "true":
            raise SurpriseError(f"{path} under {key} made {made}, and then: {response.text}")
        self.replayed += 1

    # How they call

    def _post(self, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        key = str(UUID(int=self._choices.getrandbits(128)))
        response, _ = self._send("POST", path, body, {"idempotency-key": key})
        self._expect(response, 201, 202)
        made: dict[str, Any] = response.json()
        self.memory.posts.append((path, key, body, made["id"]))
        return made

    def _send(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[httpx.Response, bool]:
        """Send until there is a response; returns it, and whether an earlier try may have had its effect."""
        content = {"content": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        deadline, repeated, why = time.monotonic() + _PATIENCE_SECONDS, False, ""
        while time.monotonic() < deadline:
            try:
                response = self._http.request(method, path, headers=headers, **content)
                if response.status_code not in _TRY_AGAIN:
                    return response, repeated
                why = response.text
            except httpx.TransportError as error:
                why = repr(error)
            repeated = True
            self.repeated += 1
            time.sleep(0.05)
        raise SurpriseError(f"{method} {path} is not answered well within {_PATIENCE_SECONDS} s: {why}")

    def _expect(self, response: httpx.Response, *statuses: int) -> None:
        if response.status_code not in statuses:
            raise SurpriseError(f"{response.request.method} {response.url}: {response.status_code} {response.text}")

    def _any_vendor(self) -> Vendor:
        return self._choices.choice(list(self.memory.vendors.values()))

    def _unique(self, what: str) -> str:
        return f"{what} {self._number}-{self._choices.getrandbits(48):012x}"


def _today() -> Any:
    return datetime.now(UTC).date()
