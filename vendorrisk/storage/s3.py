"""Any S3-compatible store, by obstore: signing, multipart uploads and retries are its work.

An object is seen when its multipart upload is completed, so a cut upload leaves no object. The bucket's lifecycle rule
must clear its remaining parts (AbortIncompleteMultipartUpload), because the store hides them from us.
"""

import asyncio
import errno
import tempfile
from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING, Final

import msgspec
import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from vendorrisk.storage.port import FullError, Listed, MissingError, UnreachableError, checked_name, checked_prefix

if TYPE_CHECKING:  # obstore's typed dictionaries exist for the checker only
    from obstore import BytesStream, GetOptions
    from obstore.store import S3Config

_PIECE: Final = 1 << 20
_PART: Final = 8 << 20  # memory per upload that is being sent: twice this
_AT_ONCE: Final = 4


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bucket is. Without an access key, obstore's own order holds: environment, then instance role."""

    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = "us-east-1"
    access_key_id: str = ""
    secret_access_key: str = ""
    retries: int = 4
    wait_seconds: int = 30


class S3CompatibleStore:
    """The adapter."""

    def __init__(self, bucket: Bucket) -> None:
        self._sending = asyncio.Semaphore(_AT_ONCE)
        self._where = f"s3://{bucket.name}/{bucket.prefix}"
        self._store = S3Store(
            bucket.name,
            prefix=bucket.prefix or None,
            config=_config(bucket),
            client_options={
                "allow_http": bucket.endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=bucket.wait_seconds),
            },
            retry_config={"max_retries": bucket.retries, "retry_timeout": timedelta(seconds=bucket.wait_seconds)},
        )

    async def put(self, name: str, chunks: AsyncIterable[bytes]) -> None:
        """See the port. The chunks, which are sealed, wait on the disk, so that a slow source holds no memory."""
        checked_name(name)
        with tempfile.SpooledTemporaryFile(max_size=_PIECE) as file:
            async for chunk in chunks:
                await self._spooled(file, chunk)
            file.seek(0)
            async with self._sending:
                try:
                    await obstore.put_async(self._store, name, _read(file), chunk_size=_PART, max_concurrency=1)
                except Exception as error:
                    raise self._unreachable("write", error) from error

    async def _spooled(self, file: IO[bytes], chunk: bytes) -> None:
        try:
            await asyncio.to_thread(file.write, chunk)
        except OSError as error:
            fault = FullError if error.errno in {errno.ENOSPC, errno.EDQUOT} else UnreachableError
            raise fault(f"cannot write to {tempfile.gettempdir()}: {error.strerror}") from error

    async def open(self, name: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        if length == 0:
            if await self.size(name) is None:
                raise MissingError(f"there is no {name} in {self._where}")
            return _nothing()
        whole = length is None and start == 0
        options: GetOptions = {"range": {"offset": start} if length is None else (start, start + length)}
        try:
            response = await obstore.get_async(self._store, checked_name(name), options=None if whole else options)
        except FileNotFoundError:
            raise MissingError(f"there is no {name} in {self._where}") from None
        except (BaseError, OSError) as error:
            if await self._ends_before(name, start):
                return _nothing()
            raise self._unreachable("read", error) from error
        return self._pieces(response.stream(min_chunk_size=_PIECE))

    async def _ends_before(self, name: str, start: int) -> bool:
        """Return True if a range was refused only because the object ends before it."""
        try:
            size = await self.size(name)
        except UnreachableError:
            return False
        return size is not None and start >= size

    async def size(self, name: str) -> int | None:
        try:
            return (await obstore.head_async(self._store, checked_name(name)))["size"]
        except FileNotFoundError:
            return None
        except (BaseError, OSError) as error:
            raise self._unreachable("look at", error) from error

    async def delete(self, name: str) -> None:
        try:
            await obstore.delete_async(self._store, checked_name(name))
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise self._unreachable("remove from", error) from error

    async def list(self, prefix: str) -> AsyncIterator[Listed]:
        try:
            async for batch in obstore.list(self._store, checked_prefix(prefix).removesuffix("/")):
                for meta in batch:
                    yield Listed(meta["path"], meta["size"], meta["last_modified"])
        except (BaseError, OSError) as error:
            raise self._unreachable("list", error) from error

    async def tidy(self, before: datetime) -> int:  # noqa: ARG002 - the port's
        """Remains cannot be seen from here: see the lifecycle rule above."""
        return 0

    async def check(self) -> None:
        """Ask for an object that need not be there: the bucket answers, and takes our key."""
        await self.size("check")

    async def close(self) -> None:
        """No action is needed: obstore closes its connections when the store is collected."""

    async def _pieces(self, stream: "BytesStream") -> AsyncIterator[bytes]:
        try:
            async for piece in stream:
                yield bytes(piece)
        except (BaseError, OSError) as error:
            raise self._unreachable("read on in", error) from error

    def _unreachable(self, verb: str, error: Exception) -> UnreachableError:
        return UnreachableError(f"cannot {verb} {self._where}: {str(error).partition(chr(10))[0][:300]}")


def _config(bucket: Bucket) -> "S3Config":
    config: S3Config = {"region": bucket.region, "virtual_hosted_style_request": not bucket.endpoint}
    if bucket.endpoint:
        config["endpoint"] = bucket.endpoint
    if bucket.access_key_id:
        config["access_key_id"] = bucket.access_key_id
        config["secret_access_key"] = bucket.secret_access_key
    return config


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, _PIECE):
        yield piece


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
