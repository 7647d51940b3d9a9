"""Whether each name server that a domain is delegated to answers for it: one question to each, without a resolver."""

import asyncio
from collections.abc import Mapping

from vendorrisk.egress.guard import Guard
from vendorrisk.egress.reasons import EgressError


async def ask_servers(zone: str, addresses: Mapping[str, str], guard: Guard) -> dict[str, str]:
    """Query each server (name → address) for the zone's SOA.

    Return the outcomes, or the reason why one was not queried.
    """
    outcomes = await asyncio.gather(*(_ask(zone, address, guard) for address in addresses.values()))
    return dict(zip(addresses, outcomes, strict=True))


async def _ask(zone: str, address: str, guard: Guard) -> str:
    try:
        return (await guard.ask_server(address, zone, "SOA")).outcome.value
    except EgressError as error:
        return error.reason.value
