"""Builders of vendors and reports for tests of evidence."""

from typing import Any

from tests.client import Client


async def vendor(client: Client, name: str = "Nimbus Storage", **more: Any) -> str:
    made = await client.post("/v1/vendors", {"name": name, **more})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def type_2(vendor_id: str, start: str = "2025-01-01", end: str = "2025-12-31", **more: Any) -> dict[str, Any]:
    """Return a clean Type 2 report, as a body."""
    return {
        "vendor_id": vendor_id,
        "report_type": "type_2",
        "period_start_on": start,
        "period_end_on": end,
        "opinion": "unqualified",
        "categories": ["security"],
        "auditor": "Example CPA LLP",
        **more,
    }


async def recorded(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    made = await client.post("/v1/soc2-reports", body)
    assert made.status_code == 201, made.text
    return dict(made.json())


async def coverage(client: Client, vendor_id: str, at: str | None = None) -> list[dict[str, Any]]:
    found = await client.get(f"/v1/vendors/{vendor_id}/coverage", params={"at": at} if at else {})
    assert found.status_code == 200, found.text
    return list(found.json()["services"])
