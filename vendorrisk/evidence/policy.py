"""What a tenant may decide about evidence, with the defaults and their bounds."""

from typing import Annotated

import msgspec
from msgspec import Meta

Months = Annotated[int, Meta(ge=1, le=60)]


class EvidencePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long each kind of evidence is relied on, in months after the date that its kind counts from."""

    type2_months: Months = 12
    type1_months: Months = 6
    bridge_months: Annotated[int, Meta(ge=0, le=12)] = 3
    soc1_months: Months = 12
    soc3_months: Months = 12
    iso_surveillance_months: Months = 12
    pci_months: Months = 12
    pen_test_months: Months = 12
    review_months: Months = 12
    shortest_period_months: Annotated[int, Meta(ge=1, le=12)] = 3
    longest_period_months: Annotated[int, Meta(ge=12, le=36)] = 18
    preparation_days: Annotated[int, Meta(ge=0, le=365)] = 180
