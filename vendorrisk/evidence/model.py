"""Evidence: stored records, request bodies and responses."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from vendorrisk.vendors.model import TrustCategory

_NOT_BLANK, _US = {"words": "text that is not blank"}, {"words": "two letters of a US state, like CA"}
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S", extra=_NOT_BLANK)]
Text = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S", extra=_NOT_BLANK)]
Criterion = Annotated[str, Meta(min_length=2, max_length=10, examples=["CC6.1"])]
Categories = Annotated[list[TrustCategory], Meta(min_length=1, max_length=5)]
Criteria = Annotated[list[Criterion], Meta(max_length=80)]
ServiceIds = Annotated[list[UUID], Meta(max_length=100)]
