"""What is stored and returned of proposals, and decisions on them."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import msgspec

from vendorrisk.access.records import Body


class Decision(StrEnum):
    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What our rules read in a file: a field, a value, and where it stands. `confidence` runs from 0 to 1."""

    id: UUID
    document_id: UUID
    field: str
    value: Any
    page: int
    quotation: str
    confidence: float
    decision: Decision
    decided_by_label: str | None
    decided_at: datetime | None
    created_at: datetime
    version: int


class NewDecision(Body):
    """A person's word on a proposal."""

    decision: Literal["confirmed", "rejected"]
