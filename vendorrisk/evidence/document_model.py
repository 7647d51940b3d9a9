"""Documents: stored records, request bodies and responses."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from vendorrisk.access.records import Body, Metadata, Reference
from vendorrisk.evidence.model import Text
from vendorrisk.findings.model import Title


class DocumentKind(StrEnum):
    """The kinds of documents, which decide how long they are relied on."""

    SOC2_TYPE1 = "soc2_type1"
    SOC2_TYPE2 = "soc2_type2"
    BRIDGE_LETTER = "bridge_letter"
    SOC1 = "soc1"
    SOC3 = "soc3"
    ISO27001_CERTIFICATE = "iso27001_certificate"
    PCI_AOC = "pci_aoc"
    PEN_TEST_REPORT = "pen_test_report"
    INSURANCE_CERTIFICATE = "insurance_certificate"
    DPA = "dpa"
    POLICY = "policy"
    OTHER = "other"


class DocumentClassification(StrEnum):
    """How confidential a document is."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Assurance(StrEnum):
    """A document's assurance about security: `partial` is design only, little detail, or a missing surveillance."""

    FULL = "full"
    PARTIAL = "partial"
    NONE = "none"


class TextExtraction(StrEnum):
    """Whether the text of a document's file was read for proposals."""

    NONE = "none"
    WAITING = "waiting"
    READ = "read"
    UNREADABLE = "unreadable"


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence. `expires_on` follows from its kind and dates. It is null if coverage decides, or nothing ends."""

    id: UUID
    vendor_id: UUID
    vendor_name: str
    service_id: UUID | None
    kind: DocumentKind
    title: str
    classification: DocumentClassification
    issued_on: date | None
    valid_from_on: date | None
    stated_until_on: date | None
    surveillance_on: date | None
    expires_on: date | None
    """Last day the document is relied on, by its kind and dates. Null if coverage decides, or nothing ends."""
    assurance: Assurance
    note: str | None
    revision: int
    """Counts the revisions of the document, from 1."""
    supersedes_id: UUID | None
    superseded_at: datetime | None
    withdrawn_at: datetime | None
    file_sha256: str | None
    file_bytes: int | None
    file_name: str | None
    media_type: str | None
    extraction: TextExtraction
    extraction_detail: str | None
    """Why the text could not be extracted. Null if it could."""
    reference: str | None
    metadata: dict[str, str]
    created_at: datetime
    updated_at: datetime
    version: int


class DocumentChanges(Body):
    """Changes to a document."""

    title: Title | UnsetType = UNSET
    service_id: UUID | UnsetType | None = UNSET
    classification: DocumentClassification | UnsetType = UNSET
    issued_on: date | UnsetType | None = UNSET
    valid_from_on: date | UnsetType | None = UNSET
    stated_until_on: date | UnsetType | None = UNSET
    surveillance_on: date | UnsetType | None = UNSET
    reference: Reference | UnsetType | None = UNSET
    metadata: Metadata | UnsetType = UNSET
    note: Text | UnsetType | None = UNSET


class NewDocument(Body):
    """A document. With `supersedes_id` it is the next revision of that one, which then no longer counts."""

    vendor_id: UUID
    kind: DocumentKind
    title: Title
    classification: DocumentClassification = DocumentClassification.CONFIDENTIAL
    service_id: UUID | None = None
    issued_on: date | None = None
    valid_from_on: date | None = None
    stated_until_on: date | None = None
    surveillance_on: date | None = None
    note: Text | None = None
    reference: Reference | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)
    supersedes_id: UUID | None = None


class Withdrawal(Body):
    """Why a record no longer counts. It stays on record."""

    reason: Text
