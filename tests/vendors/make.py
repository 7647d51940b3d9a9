"""Builders: vendors, and the answers they give."""

from typing import Any

from tests.client import Client

ACME: dict[str, Any] = {
    "name": "  Acme  Cloud ",
    "reference": "V-001",
    "aliases": ["ACME"],
    "description": "Hosting",
    "contacts": [{"name": "Kim Lee", "email": "kim@acme.example", "role": "account manager"}],
    "domains": ["https://www.acme.example/", "bücher.de"],
    "country": "germany",
    "data_countries": ["IE", "de", "IE"],
    "data_classes": ["personal", "card"],
    "legal_name": "Acme Cloud GmbH",
    "lei": "213800KUD8LAJWSQ9D15",
    "vat": "de 136695976",
    "duns": "15-048-3782",
    "annual_spend": "125000.5",
    "currency": "eur",
    "tags": ["SaaS", "hosting"],
}
GRAVE = {
    "data_classification": 4,
    "data_volume": 3,
    "access": 3,
    "criticality": 4,
    "substitutability": 2,
    "regulatory_weight": 2,
    "geography": 1,
    "fourth_parties": 3,
}
"""The answers of the worked example: 77, critical."""


async def registered(client: Client, **fields: Any) -> Any:
    return await added(client, "/v1/vendors", **{"name": "Acme", **fields})


async def added(client: Client, path: str, **fields: Any) -> Any:
    """Create something that must succeed, and return it."""
    made = await client.post(path, fields)
    assert made.status_code == 201, made.text
    return made.json()


async def member(client: Client, email: str) -> str:
    made = await added(client, "/v1/members", name=email.split("@", maxsplit=1)[0], email=email, roles=["owner"])
    return str(made["id"])


async def transitioned(client: Client, place: str, to: str, **more: Any) -> Any:
    """Transition a vendor where it may go, and return it."""
    response = await client.post(f"{place}/transitions", {"to": to, **more}, etag=await client.etag(place))
    assert response.status_code == 200, response.text
    return response.json()
