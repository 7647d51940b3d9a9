"""Builders of findings, by the route."""

from datetime import date
from typing import Any

from tests.client import Client

DUE = {"critical": date(2026, 3, 9), "high": date(2026, 4, 1), "medium": date(2026, 5, 31), "low": date(2026, 8, 29)}
"""Seven, thirty, ninety and one hundred and eighty days after the Monday that tests begin on."""


async def vendor(client: Client, name: str = "Nimbus Storage") -> str:
    made = await client.post("/v1/vendors", {"name": name})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def finding(client: Client, vendor_id: str | None = None, **more: Any) -> dict[str, Any]:
    """Open a finding; returns it as it is listed."""
    body = {"vendor_id": vendor_id or await vendor(client), "title": "No second factor", "severity": "high", **more}
    made = await client.post("/v1/findings", body)
    assert made.status_code == 201, made.text
    return dict(made.json())


async def transition(client: Client, opened: dict[str, Any], to: str, **more: Any) -> dict[str, Any]:
    """Transition a finding from the version in hand; returns it with its transitions."""
    place = f"/v1/findings/{opened['id']}/transitions"
    transitioned = await client.post(place, {"to": to, **more}, etag=f'"{opened["version"]}"')
    assert transitioned.status_code == 200, transitioned.text
    return dict(transitioned.json())
