"""A client for tests: JSON in and out, the ETag of a record sent back where a change needs it."""

from typing import Any

import httpx
import msgspec


class Client:
    """Calls the API; every method returns the response, whatever its status."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(path, **more)

    async def post(self, path: str, body: Any = None, *, etag: str | None = None, **more: Any) -> httpx.Response:
        return await self._send("POST", path, body, etag, more)

    async def patch(self, path: str, body: Any, *, etag: str | None = None, **more: Any) -> httpx.Response:
        return await self._send("PATCH", path, body, etag, more)

    async def put(self, path: str, body: Any, *, etag: str | None = None, **more: Any) -> httpx.Response:
        return await self._send("PUT", path, body, etag, more)

    async def delete(self, path: str, *, etag: str | None = None, **more: Any) -> httpx.Response:
        return await self._send("DELETE", path, None, etag, more)

    async def etag(self, path: str) -> str:
        """Read a record and return its ETag."""
        response = await self.get(path)
        assert response.status_code == 200, response.text
        return response.headers["etag"]

    async def items(self, path: str, **params: Any) -> list[Any]:
        """Return all items of a list, page after page."""
        found: list[Any] = []
        cursor: str | None = None
        while True:
            response = await self.get(path, params={**params, **({"cursor": cursor} if cursor else {})})
            assert response.status_code == 200, response.text
            page = response.json()
            found += page["items"]
            cursor = page.get("next")
            if cursor is None:
                return found

    async def _send(self, method: str, path: str, body: Any, etag: str | None, more: dict[str, Any]) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if etag is not None:
            headers["if-match"] = etag
        if body is not None:
            headers.setdefault("content-type", "application/json")
            more["content"] = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return await self.http.request(method, path, headers=headers, **more)
