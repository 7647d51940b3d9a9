"""What is stored of evidence, what comes in, and what is shown."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from vendorrisk.vendors.model import TrustCategory

Title = Annotated[str, Meta(min_length=1, max_length=300, pattern=r"\S")]
Line = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Text = Annotated[str, Meta(min_length=1, max_length=4000, pattern=r"\S")]
Criterion = Annotated[str, Meta(min_length=2, max_length=10, examples=["CC6.1"])]
Categories = Annotated[list[TrustCategory], Meta(min_length=1, max_length=5)]
Criteria = Annotated[list[Criterion], Meta(max_length=80)]
ServiceIds = Annotated[list[UUID], Meta(max_length=100)]
