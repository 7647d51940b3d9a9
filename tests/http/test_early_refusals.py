"""A refusal before the last byte of a body reaches a caller that is still sending."""

from collections.abc import Iterator

import pytest

from tests.conftest import Company
from tests.evidence.make import vendor
from tests.http.serving import Api, response_of
from vendorrisk.settings import Settings

pytestmark = pytest.mark.anyio
_LARGE = b"W" * (6 << 20)  # more than the buffers of both kernels hold


@pytest.fixture
def serving(settings: Settings) -> Iterator[Api]:
    made = Api(settings)
    yield made
    made.shut_down()


async def test_a_caller_who_sends_a_large_file_reads_why_it_was_refused(serving: Api, company: Company) -> None:
    body = {"vendor_id": await vendor(company.client), "kind": "policy", "title": "A policy"}
    place = (await company.client.post("/v1/documents", body)).headers["location"]
    sent = [
        ("PUT", f"{place}/file", ["Content-Type: text/plain", 'If-Match: "7"'], (412, "version_stale")),
        ("POST", "/v1/vendor-imports", ["Content-Type: video/mp4"], (415, "media_type_unsupported")),
        ("POST", "/v1/vendors", ["Content-Type: application/json"], (413, "body_too_large")),
        ("PUT", f"{place}/file", ["Content-Type: text/plain", 'If-Match: "1"'], (200, None)),
    ]
    for method, path, headers, expected in sent:
        connection = serving.begin(company.key.secret, method, path, len(_LARGE), *headers)
        connection.sendall(_LARGE)
        status, answer = response_of(connection)
        assert (status, answer.get("code")) == expected, answer
