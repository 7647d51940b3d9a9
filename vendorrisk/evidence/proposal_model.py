"""Proposals and decisions on them: stored records, request bodies and responses."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

import msgspec

from vendorrisk.access.records import Body


class ProposalDecision(StrEnum):
    """Whether a proposal was decided, and how."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A value that our rules read in a file: its field, the value, and its place. `confidence` runs from 0 to 1."""

    id: UUID
    document_id: UUID
    """The document that was read."""
    field: str
    """The field of the record that the value is for."""
    value: Any
    """Its type depends on the field."""
    page: int
    """Page of the file, from 1."""
    quotation: str
    """The page's own words."""
    confidence: float
    """0 to 1. It orders proposals and is no probability."""
    decision: ProposalDecision
    decided_by_label: str | None
    decided_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class NewProposalDecision(Body):
    """A person's word on a proposal."""

    decision: Literal["confirmed", "rejected"]
    """Whether the value is right."""
