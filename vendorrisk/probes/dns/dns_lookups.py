"""Answers: DNS questions asked in rounds, by plans that are pure.

A plan reads `Answers` as if every answer were known. A missing answer is noted, reported as a failure for the moment,
and asked in the next round, so that evaluation and questions follow the same walk.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

import dns.rdata
import dns.rdatatype

from vendorrisk.egress.resolver import Answer, Resolver
from vendorrisk.probes.observation import Lookup, Question

MOST_QUESTIONS = 150
MOST_ROUNDS = 24
NOT_ASKED = Lookup(outcome="not_asked")
_AT_ONCE = 16


def key(name: str, kind: str) -> str:
    """Return how a question is written in an observation: `acme.example/MX`."""
    return f"{name.lower().rstrip('.')}/{kind}"


class Answers:
    """Reads a table of answers, noting the questions it lacks."""

    def __init__(self, table: Mapping[str, Lookup]) -> None:
        self._table = table
        self.missing: dict[Question, None] = {}

    def get(self, name: str, kind: str) -> Lookup:
        found = self._table.get(key(name, kind))
        if found is None:
            self.missing[name.lower().rstrip("."), kind] = None
            return NOT_ASKED
        return found


Plan = Callable[[Answers], object]
"""Reads the answers that it needs. Its return value is ignored here."""


async def ask_all(resolver: Resolver, plan: Plan) -> dict[str, Lookup]:
    """Ask until the plan has all answers, or its bounds are reached (remaining questions stay `not_asked`)."""
    table: dict[str, Lookup] = {}
    for _ in range(MOST_ROUNDS):
        answers = Answers(table)
        plan(answers)
        asked = list(answers.missing)[: MOST_QUESTIONS - len(table)]
        if not asked:
            break
        table.update(await _ask(resolver, asked))
    return table


async def _ask(resolver: Resolver, questions: Iterable[Question]) -> dict[str, Lookup]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str, kind: str) -> tuple[str, Lookup]:
        async with gate:
            return key(name, kind), await look_up(resolver, name, kind)

    return dict(await asyncio.gather(*(one(*question) for question in questions)))


async def look_up(resolver: Resolver, name: str, kind: str) -> Lookup:
    """Ask one question. A name that cannot be written in DNS is a failure like any other."""
    try:
        answer = await resolver.ask(name, kind)
    except (ValueError, dns.exception.DNSException, UnicodeError):
        return Lookup(outcome="name_invalid")
    return as_lookup(answer)


def as_lookup(answer: Answer) -> Lookup:
    records = tuple(sorted(_text(record) for record in answer.records))
    return Lookup(outcome=answer.outcome.value, records=records, authenticated=answer.authenticated)


def _text(record: dns.rdata.Rdata) -> str:
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(record.strings).decode("latin-1")  # type: ignore[attr-defined]  # TXT alone has strings
    text = record.to_text()
    return text if record.rdtype == dns.rdatatype.CAA else text.lower().removesuffix(".")
