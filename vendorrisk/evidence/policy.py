"""The tenant's policy about evidence, with the defaults and their bounds."""

from typing import Annotated

import msgspec
from msgspec import Meta

Months = Annotated[int, Meta(ge=1, le=60)]


class EvidencePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long each kind of evidence is relied on, in months after the date that its kind counts from."""

    type2_months: Months = 12
    """Months a Type 2 report is relied on after its period."""
    type1_months: Months = 6
    """Months a Type 1 report is relied on after its day."""
    bridge_months: Annotated[int, Meta(ge=0, le=12)] = 3
    """Months a bridge letter bridges at most."""
    soc1_months: Months = 12
    """Months a SOC 1 report is relied on."""
    soc3_months: Months = 12
    """Months a SOC 3 report is relied on."""
    iso_surveillance_months: Months = 12
    """Months between surveillance audits of an ISO certificate."""
    pci_months: Months = 12
    """Months a PCI attestation is relied on."""
    pen_test_months: Months = 12
    """Months a penetration-test report is relied on."""
    review_months: Months = 12
    """Months until another document is to be reviewed."""
    shortest_period_months: Annotated[int, Meta(ge=1, le=12)] = 3
    """A Type 2 period shorter than these months gives a warning."""
    longest_period_months: Annotated[int, Meta(ge=12, le=36)] = 18
    """A Type 2 period longer than these months gives a warning."""
    preparation_days: Annotated[int, Meta(ge=0, le=365)] = 180
    """Days before the end of reliance at which to ask for the next report."""
