"""An S3-shaped server on loopback, over the scripted HTTP fake: one bucket, path style, objects in memory.

    async with s3_fake() as s3:
        store = S3CompatibleStore(s3.bucket())
        s3.failures = 2          # the next two requests are answered 503

It knows what the adapter uses: PUT, GET with Range, HEAD, DeleteObjects, ListObjectsV2, and multipart uploads, whose
object appears on completion. A request that is not signed for its access key is answered 403.
"""

import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

from vendorrisk.lab.http import HttpFake, Received, Reply, http_fake
from vendorrisk.storage.s3 import Bucket

ACCESS_KEY = "AKIACANARY"
_NAME = "evidence"


class S3Fake:
    """The bucket. `objects` maps a key to its bytes; `uploads` holds multipart uploads that were not completed."""

    def __init__(self, server: HttpFake) -> None:
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.failures = 0
        self._server = server
        self._count = 0
        server.on("*", self._respond)

    def bucket(self, **changes: object) -> Bucket:
        """Return settings that lead here."""
        options = {
            "name": _NAME,
            "prefix": "one/two",
            "endpoint": f"http://127.0.0.1:{self._server.port}",
            "access_key_id": ACCESS_KEY,
            "secret_access_key": "canary-secret",
            "retries": 2,
            "wait_seconds": 5,
        }
        return Bucket(**(options | changes))  # type: ignore[arg-type] # a test's own overrides

    def _respond(self, request: Received) -> Reply:
        if self.failures > 0:
            self.failures -= 1
            return Reply(503, body=_error("SlowDown"))
        if f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/" not in request.headers.get("authorization", ""):
            return Reply(403, body=_error("AccessDenied"))
        url = urlsplit(request.target)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        _, bucket, key = (unquote(url.path) + "/").split("/", 2)
        if bucket != _NAME:
            return Reply(404, body=_error("NoSuchBucket"))
        if query.get("uploadId", "upload") not in {"upload", *self.uploads}:
            # A part that was under way arrives after its upload was aborted.
            return Reply(404, body=_error("NoSuchUpload"))
        return getattr(self, f"_{request.method.lower()}")(request, key.removesuffix("/"), query)

    def _put(self, request: Received, key: str, query: dict[str, str]) -> Reply:
        if "uploadId" in query:
            self.uploads[query["uploadId"]][int(query["partNumber"])] = request.body
        else:
            self.objects[key] = request.body
        return Reply(200, [("ETag", f'"{hashlib.md5(request.body).hexdigest()}"')])  # noqa: S324 - S3's own ETag

    def _post(self, request: Received, key: str, query: dict[str, str]) -> Reply:
        if "uploads" in query:
            self._count += 1
            self.uploads[f"upload{self._count}"] = {}
            inside = f"<UploadId>upload{self._count}</UploadId><Bucket>{_NAME}</Bucket><Key>{escape(key)}</Key>"
            return Reply(200, body=_xml("InitiateMultipartUploadResult", inside))
        if "delete" in query:
            named = re.findall(r"<Key>(.*?)</Key>", request.body.decode())
            for each in named:
                self.objects.pop(unescape(each), None)
            return Reply(200, body=_xml("DeleteResult", "".join(f"<Deleted><Key>{k}</Key></Deleted>" for k in named)))
        parts = self.uploads.pop(query["uploadId"])
        self.objects[key] = b"".join(parts[number] for number in sorted(parts))
        return Reply(
            200, body=_xml("CompleteMultipartUploadResult", f"<Key>{escape(key)}</Key><ETag>&quot;1&quot;</ETag>")
        )

    def _get(self, request: Received, key: str, query: dict[str, str]) -> Reply:
        if query.get("list-type") == "2":
            return self._list(query.get("prefix", ""))
        found = self.objects.get(key)
        if found is None:
            return Reply(404, body=_error("NoSuchKey"))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if asked is None:
            return Reply(200, _meta(), found)
        start, end = int(asked[1]), min(int(asked[2] or len(found) - 1), len(found) - 1)
        if start >= len(found):
            return Reply(416, body=_error("InvalidRange"))
        return Reply(206, [*_meta(), ("Content-Range", f"bytes {start}-{end}/{len(found)}")], found[start : end + 1])

    def _head(self, _: Received, key: str, __: dict[str, str]) -> Reply:
        found = self.objects.get(key)
        return Reply(404) if found is None else Reply(200, _meta(), found)

    def _delete(self, _: Received, key: str, query: dict[str, str]) -> Reply:
        if "uploadId" in query:
            self.uploads.pop(query["uploadId"], None)
        else:
            self.objects.pop(key, None)
        return Reply(204)

    def _list(self, prefix: str) -> Reply:
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        inside = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{stamp}</LastModified>"
            f"<Size>{len(body)}</Size><ETag>&quot;1&quot;</ETag></Contents>"
            for key, body in sorted(self.objects.items())
            if key.startswith(prefix)
        )
        return Reply(200, body=_xml("ListBucketResult", f"<IsTruncated>false</IsTruncated>{inside}"))


def _meta() -> list[tuple[str, str]]:
    return [("ETag", '"1"'), ("Last-Modified", datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT"))]


def _xml(name: str, inside: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{inside}</{name}>'.encode()


def _error(code: str) -> bytes:
    return _xml("Error", f"<Code>{code}</Code><Message>{code}</Message>")


@asynccontextmanager
async def s3_fake() -> AsyncIterator[S3Fake]:
    """Serve an empty bucket for the length of the block."""
    async with http_fake() as server:
        yield S3Fake(server)
