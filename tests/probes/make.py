"""Answer tables for pure tests: a zone in a few lines, where what is not named does not exist."""

from collections.abc import Mapping

from vendorrisk.probes.dns.dns_lookups import Answers, key
from vendorrisk.probes.observation import Lookup


class Zone(Answers):
    """Answers from `name/TYPE` → records; a name with other records has no data, any other does not exist."""

    def __init__(self, records: Mapping[str, list[str]], failing: Mapping[str, str] | None = None) -> None:
        table = {key(*name.rsplit("/", 1)): Lookup(outcome="ok", records=tuple(r)) for name, r in records.items()}
        table |= {key(*name.rsplit("/", 1)): Lookup(outcome=outcome) for name, outcome in (failing or {}).items()}
        super().__init__(table)
        self._names = {name.rsplit("/", 1)[0].lower() for name in records}
        self.asked: list[str] = []

    def get(self, name: str, kind: str) -> Lookup:
        self.asked.append(key(name, kind))
        found = self._table.get(key(name, kind))
        if found is not None:
            return found
        return Lookup(outcome="nodata" if name.lower().rstrip(".") in self._names else "nxdomain")


def whole(zone: Zone) -> dict[str, Lookup]:
    """The table of everything that was asked of a zone, as an observation would hold it."""
    return {asked: zone.get(*asked.rsplit("/", 1)) for asked in dict.fromkeys(zone.asked)}
