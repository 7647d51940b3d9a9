"""Every operation of the API, as its handlers declare it and its document shows it."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from vendorrisk.access.permissions import Permission
from vendorrisk.app import Api, create_app
from vendorrisk.db.paging import ListOf
from vendorrisk.http.query_parameters import resolved
from vendorrisk.http.routing import WRITES, Kind
from vendorrisk.settings import Settings


class Operation(msgspec.Struct, frozen=True):
    method: str
    path: str
    name: str
    kind: Kind
    permission: Permission
    match: bool
    raw: Any
    of: ListOf | None
    is_bulk: bool
    document: dict[str, Any]

    @property
    def writes(self) -> bool:
        return self.kind in WRITES

    @property
    def parameters(self) -> list[str]:
        return [p["name"] for p in self.document.get("parameters", ()) if p["in"] == "path"]

    @property
    def document_parameters(self) -> set[str]:
        return {p["name"] for p in self.document.get("parameters", ())}

    @property
    def query(self) -> dict[str, str]:
        """Return a value for every query parameter that must be sent."""
        needed = [p for p in self.document.get("parameters", ()) if p["in"] == "query" and p.get("required")]
        return {p["name"]: p["example"] for p in needed}

    @property
    def example(self) -> Any:
        body = self.document.get("requestBody", {}).get("content", {}).get("application/json", {})
        return body.get("example")

    @property
    def takes_json(self) -> bool:
        return self.raw is None and "application/json" in self.document.get("requestBody", {}).get("content", {})


def unopened_app() -> Api:
    """Return the application without any server behind it, to look at what it declares."""
    from tests.conftest import SECRET_KEYS

    return create_app(
        Settings(database_url="postgresql://nowhere/x", redis_url="redis://nowhere", secret_keys=SECRET_KEYS)
    )


LEAST = {"GET": 60, "POST": 48, "PATCH": 12, "PUT": 6, "DELETE": 7}
"""How many operations of each method there are at least: a walk over none of them would find nothing wrong."""


def operations(api: Api) -> list[Operation]:
    found = sorted(_operations(api), key=lambda o: (o.path, o.method))
    methods = Counter(operation.method for operation in found)
    assert all(methods[method] >= least for method, least in LEAST.items()), methods
    assert sum(operation.of is not None for operation in found) >= 30
    return found


def _whole(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """Return an operation with the shared parameters and responses in their places."""
    parameters = [resolved(document, parameter) for parameter in operation.get("parameters", ())]
    responses = {status: resolved(document, response) for status, response in operation["responses"].items()}
    return {**operation, "parameters": parameters, "responses": responses}


def _operations(api: Api) -> Iterator[Operation]:
    document = api.litestar.state.document
    for route in api.litestar.routes:
        for method, (handler, _) in getattr(route, "route_handler_map", {}).items():
            if "permission" not in handler.opt or method == "OPTIONS":
                continue
            shown = _whole(document, document["paths"][route.path_format][method.lower()])
            yield Operation(
                method=method,
                path=route.path_format,
                name=shown["operationId"],
                kind=handler.opt["kind"],
                permission=handler.opt["permission"],
                match=handler.opt["match"],
                raw=handler.opt["raw"],
                of=handler.opt["of"],
                is_bulk=handler.opt["bulk"] is not None,
                document=shown,
            )
