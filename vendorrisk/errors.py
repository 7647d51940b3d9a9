"""Every refusal the service can give.

    Refusal
      code Code the problem. A code is never renamed or reused
      kind Kind how a caller should treat it. Only http/problems.py knows the status
      detail   str       for the caller: how to solve it
      errors   [FieldError]   one per field, with a JSON pointer (RFC 6901) into the body, or a parameter's name

Details for the operator are logged once, where the refusal is handled, and never in `detail`. Facts that only the
refusing code knows travel as `noted`, for the log alone.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, StrEnum
from uuid import UUID

import msgspec


class Kind(StrEnum):
    """How a caller should treat a refusal."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD = "method"
    NOT_ACCEPTABLE = "not_acceptable"
    CONFLICT = "conflict"
    STALE = "stale"
    TOO_LARGE = "too_large"
    MEDIA_TYPE = "media_type"
    INVALID = "invalid"
    PRECONDITION = "precondition"
    TOO_MANY = "too_many"
    HEADERS_TOO_LARGE = "headers_too_large"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


class Code(Enum):
    """The closed list: (code, kind, title). Grouped by feature. Append only."""

    # every route
    BODY_MALFORMED = ("body_malformed", Kind.MALFORMED, "The body is not valid JSON")
    BODY_INVALID = ("body_invalid", Kind.INVALID, "The body does not fit its schema")
    BODY_TOO_LARGE = ("body_too_large", Kind.TOO_LARGE, "The body is too large")
    MEDIA_TYPE_UNSUPPORTED = ("media_type_unsupported", Kind.MEDIA_TYPE, "The content type is not supported here")
    PARAMETER_INVALID = ("parameter_invalid", Kind.MALFORMED, "A parameter is not valid")
    FILTER_INVALID = ("filter_invalid", Kind.MALFORMED, "A filter is not valid")
    SORT_INVALID = ("sort_invalid", Kind.MALFORMED, "The sort order is not valid")
    CURSOR_INVALID = ("cursor_invalid", Kind.MALFORMED, "The cursor is not valid")
    CREDENTIALS_MISSING = ("credentials_missing", Kind.UNAUTHENTICATED, "No credentials were sent")
    CREDENTIALS_INVALID = ("credentials_invalid", Kind.UNAUTHENTICATED, "The credentials are not valid")
    PERMISSION_DENIED = ("permission_denied", Kind.FORBIDDEN, "The credentials do not allow this")
    NOT_FOUND = ("not_found", Kind.NOT_FOUND, "There is no such thing here")
    METHOD_NOT_ALLOWED = ("method_not_allowed", Kind.METHOD, "The method is not allowed here")
    IF_MATCH_REQUIRED = ("if_match_required", Kind.PRECONDITION, "An If-Match header is required")
    IF_MATCH_INVALID = ("if_match_invalid", Kind.MALFORMED, "The If-Match header is not valid")
    VERSION_STALE = ("version_stale", Kind.STALE, "The record has changed since it was read")
    IDEMPOTENCY_KEY_INVALID = ("idempotency_key_invalid", Kind.MALFORMED, "The Idempotency-Key is not valid")
    IDEMPOTENCY_KEY_REUSED = (
        "idempotency_key_reused",
        Kind.INVALID,
        "The Idempotency-Key was used for another request",
    )
    RATE_LIMITED = ("rate_limited", Kind.TOO_MANY, "Too many requests")
    OVERLOADED = ("overloaded", Kind.UNAVAILABLE, "The service is at its limit")
    DATABASE_UNAVAILABLE = ("database_unavailable", Kind.UNAVAILABLE, "The database cannot be reached")
    DISK_FULL = ("disk_full", Kind.UNAVAILABLE, "A disk of the service is full")
    DATABASE_NOT_MIGRATED = ("database_not_migrated", Kind.UNAVAILABLE, "The database is not ready for this release")
    SEALING_KEY_UNKNOWN = ("sealing_key_unknown", Kind.UNAVAILABLE, "This process lacks the key that sealed this")
    INTERNAL = ("internal", Kind.INTERNAL, "Something went wrong on our side")
    REFERENCE_DIFFERS = ("reference_differs", Kind.INVALID, "The body has another reference than the address")
    REFERENCE_UNKNOWN = ("reference_unknown", Kind.INVALID, "A record that is referred to does not exist")
    TEXT_INVALID = ("text_invalid", Kind.INVALID, "A text holds characters that cannot be stored")

    # identity
    TENANT_NAME_TAKEN = ("tenant_name_taken", Kind.CONFLICT, "Another tenant has this name")
    MEMBER_EMAIL_TAKEN = ("member_email_taken", Kind.CONFLICT, "Another member has this e-mail address")
    TIME_ZONE_UNKNOWN = ("time_zone_unknown", Kind.INVALID, "There is no such time zone")
    API_KEY_ENDED = ("api_key_ended", Kind.CONFLICT, "The key has ended")
    EXPIRY_IN_THE_PAST = ("expiry_in_the_past", Kind.INVALID, "The expiry lies in the past")
    OWN_ACCESS = ("own_access", Kind.CONFLICT, "This would end your own access")
    KEY_EXCEEDS_MEMBER = ("key_exceeds_member", Kind.INVALID, "The key would have permissions that its member lacks")
    LAST_ADMIN_KEY = ("last_admin_key", Kind.CONFLICT, "The tenant would have no key left that may do everything")

    # vendors
    VENDOR_NAME_TAKEN = ("vendor_name_taken", Kind.CONFLICT, "Another vendor has this name")
    VENDOR_DOMAIN_TAKEN = ("vendor_domain_taken", Kind.CONFLICT, "Another vendor has this domain")
    VENDOR_REFERENCE_TAKEN = ("vendor_reference_taken", Kind.CONFLICT, "Another vendor has this reference")
    VENDOR_LEI_TAKEN = ("vendor_lei_taken", Kind.CONFLICT, "Another vendor has this legal entity identifier")
    VENDOR_FIELD_INVALID = ("vendor_field_invalid", Kind.INVALID, "A field of the vendor cannot be accepted")
    VENDOR_TRANSITION_NOT_ALLOWED = (
        "vendor_transition_not_allowed",
        Kind.CONFLICT,
        "The vendor cannot make this transition",
    )
    VENDOR_TRANSITION_INCOMPLETE = (
        "vendor_transition_incomplete",
        Kind.CONFLICT,
        "Something is missing for this transition",
    )
    VENDOR_TIER_IS_COMPUTED = ("vendor_tier_is_computed", Kind.CONFLICT, "The tier follows from answers")
    VENDOR_NOT_REVIEWED = ("vendor_not_reviewed", Kind.CONFLICT, "Vendors in this state are not reviewed")
    SERVICE_NAME_TAKEN = ("service_name_taken", Kind.CONFLICT, "The vendor has a service of this name")
    FOURTH_PARTY_NAME_TAKEN = ("fourth_party_name_taken", Kind.CONFLICT, "The fourth party is listed already")
    FOURTH_PARTY_IS_THE_VENDOR = ("fourth_party_is_the_vendor", Kind.INVALID, "A vendor is not its own fourth party")
    IN_USE = ("in_use", Kind.CONFLICT, "Other records refer to this one")
    INTAKE_DECIDED = ("intake_decided", Kind.CONFLICT, "The request has been decided")
    FOUR_EYES_NEEDED = ("four_eyes_needed", Kind.CONFLICT, "Someone else must decide this")
    OFFBOARDING_NOT_BEGUN = ("offboarding_not_begun", Kind.CONFLICT, "The vendor is not being offboarded")
    RESOLUTION_INCOMPLETE = ("resolution_incomplete", Kind.INVALID, "The step is missing a note or proof")
    IMPORT_UNREADABLE = ("import_unreadable", Kind.INVALID, "The file cannot be read as a table")
    IMPORT_NOT_READY = ("import_not_ready", Kind.CONFLICT, "The import is not in a state for this")
    IMPORT_HAS_PROBLEMS = ("import_has_problems", Kind.CONFLICT, "Rows of the import have problems")
    IMPORT_OUTDATED = ("import_outdated", Kind.CONFLICT, "Records have changed since the import was checked")

    # files
    FILE_EMPTY = ("file_empty", Kind.INVALID, "The file is empty")
    STORE_UNAVAILABLE = ("store_unavailable", Kind.UNAVAILABLE, "The file store cannot be reached")
    FILE_PART_INVALID = (
        "file_part_invalid",
        Kind.MALFORMED,
        "The multipart body does not hold exactly one whole file",
    )
    FILE_TYPE_REFUSED = ("file_type_refused", Kind.MEDIA_TYPE, "Files of this kind are not accepted")

    # alerts
    RECEIVER_NAME_TAKEN = ("receiver_name_taken", Kind.CONFLICT, "Another receiver has this name")
    RECEIVER_ADDRESS_INVALID = ("receiver_address_invalid", Kind.INVALID, "The receiver cannot be reached there")
    RECEIVER_INACTIVE = ("receiver_inactive", Kind.CONFLICT, "The receiver is switched off")
    RECEIVER_WITHOUT_ADDRESS = (
        "receiver_without_address",
        Kind.CONFLICT,
        "The receiver has no address of its own",
    )
    RECEIVERS_TOO_MANY = ("receivers_too_many", Kind.CONFLICT, "The tenant has as many receivers as it may")
    RECEIVER_UNCONFIRMED = ("receiver_unconfirmed", Kind.CONFLICT, "The e-mail address is not confirmed")
    RECEIVER_CONFIRMED = ("receiver_confirmed", Kind.CONFLICT, "The receiver needs no confirmation")
    RECEIVER_MESSAGES_TOO_MANY = (
        "receiver_messages_too_many",
        Kind.TOO_MANY,
        "The tenant has sent as many tests and confirmations as it may",
    )
    DELIVERY_NOT_ENDED = ("delivery_not_ended", Kind.CONFLICT, "The delivery is not dead or cancelled")
    PERIOD_INVALID = ("period_invalid", Kind.MALFORMED, "The period cannot be shown")
    # findings
    FINDING_TRANSITION_NOT_ALLOWED = (
        "finding_transition_not_allowed",
        Kind.CONFLICT,
        "The finding cannot make this transition",
    )
    FINDING_REFERENCE_TAKEN = (
        "finding_reference_taken",
        Kind.CONFLICT,
        "Another finding has this reference",
    )
    FINDING_REASON_MISSING = ("finding_reason_missing", Kind.INVALID, "A reason is needed")
    FINDING_DATE_INVALID = ("finding_date_invalid", Kind.INVALID, "The date is not possible here")

    # evidence
    DATES_INVALID = ("dates_invalid", Kind.INVALID, "The facts are not possible together")
    SECURITY_CATEGORY_MISSING = (
        "security_category_missing",
        Kind.INVALID,
        "Security is missing in the categories of the SOC 2 report",
    )
    CRITERION_UNKNOWN = ("criterion_unknown", Kind.INVALID, "There is no such criterion")
    SOC2_REPORT_KNOWN = ("soc2_report_known", Kind.CONFLICT, "This report is recorded already")
    BRIDGE_LETTER_KNOWN = ("bridge_letter_known", Kind.CONFLICT, "This bridge letter is recorded already")
    BRIDGE_LETTER_INVALID = ("bridge_letter_invalid", Kind.INVALID, "The bridge letter does not follow its report")
    CUEC_WITHOUT_PROOF = ("cuec_without_proof", Kind.INVALID, "A control in place needs an owner and a proof")
    DOCUMENT_REFERENCE_TAKEN = (
        "document_reference_taken",
        Kind.CONFLICT,
        "Another document has this reference",
    )
    DOCUMENT_SUPERSEDED = ("document_superseded", Kind.CONFLICT, "The document no longer counts")
    DOCUMENT_WITHOUT_FILE = ("document_without_file", Kind.NOT_FOUND, "The document has no file")
    REPORT_WITHDRAWN = ("report_withdrawn", Kind.CONFLICT, "The report was withdrawn")
    PROPOSAL_DECIDED = ("proposal_decided", Kind.CONFLICT, "The proposal was decided already")
    PROPOSALS_INCOMPLETE = ("proposals_incomplete", Kind.CONFLICT, "The confirmed proposals do not make a report")
    # questionnaires
    QUESTIONNAIRE_KEY_TAKEN = ("questionnaire_key_taken", Kind.CONFLICT, "Another questionnaire has this key")
    QUESTIONNAIRE_INVALID = ("questionnaire_invalid", Kind.INVALID, "The questionnaire has faults")
    CONDITION_INVALID = ("condition_invalid", Kind.INVALID, "A condition of the questionnaire has faults")
    CHANGE_NOTE_MISSING = ("change_note_missing", Kind.INVALID, "A note of the changes is needed")
    VERSION_PUBLISHED = ("version_published", Kind.CONFLICT, "The version is published and never changes")
    VERSION_UNCHANGED = ("version_unchanged", Kind.CONFLICT, "The draft equals the latest version")
    QUESTIONNAIRE_RETIRED = ("questionnaire_retired", Kind.CONFLICT, "The questionnaire is retired")

    # signals
    ASSET_ATTACHED = ("asset_attached", Kind.CONFLICT, "The vendor has this asset already")
    ASSET_INVALID = ("asset_invalid", Kind.INVALID, "The asset cannot be scanned")
    ASSETS_TOO_MANY = ("assets_too_many", Kind.CONFLICT, "The vendor has as many assets as it may")
    PRODUCT_NOTED = ("product_noted", Kind.CONFLICT, "The vendor has this product already")
    PRODUCT_NAMELESS = ("product_nameless", Kind.INVALID, "The product has no name to be found by")
    RATINGS_UNREADABLE = ("ratings_unreadable", Kind.INVALID, "The file of ratings cannot be read")
    SUBPROCESSOR_CHANGE_DECIDED = (
        "subprocessor_change_decided",
        Kind.CONFLICT,
        "The change was decided already",
    )
    SCORE_NOT_REPLAYABLE = ("score_not_replayable", Kind.CONFLICT, "The score was made by another methodology")
    FINDING_WITHOUT_SIGNAL = (
        "finding_without_signal",
        Kind.NOT_FOUND,
        "The finding does not rest on an external signal",
    )
    FILE_DAMAGED = ("file_damaged", Kind.INTERNAL, "The stored file differs from the written one")

    def __init__(self, code: str, kind: Kind, title: str) -> None:
        self.code = code
        self.kind = kind
        self.title = title


class FieldCode(StrEnum):
    """Codes of field errors that have no code of a feature. Append only."""

    REQUIRED = "field_required"
    UNKNOWN = "field_unknown"
    INVALID = "field_invalid"  # another type, or another form
    NOT_ALLOWED = "value_not_allowed"  # none of the values that are allowed
    OUT_OF_RANGE = "value_out_of_range"  # a number, a length or a count outside its bounds


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One field that is wrong. Exactly one of `pointer` (body) and `parameter` (query, header, path) is set."""

    detail: str
    code: str = ""
    pointer: str | None = None
    parameter: str | None = None
    record_id: UUID | None = None  # of the record that already has the unique value
    offset: int | None = None  # the character of a text that is read as a language, from 0


def under(errors: Sequence[FieldError], place: str) -> tuple[FieldError, ...]:
    """Return the faults of a part of a body with pointers that begin at the body. `place` is the part's own."""
    return tuple(
        field_error
        if field_error.pointer is None
        else msgspec.structs.replace(field_error, pointer=place + field_error.pointer)
        for field_error in errors
    )


class Refusal(Exception):  # noqa: N818 - refusing is normal work, not an error of the service
    """The one exception that features raise if a caller may not or cannot do something."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        pointer: str | None = None,
        parameter: str | None = None,
        retry_after_seconds: int | None = None,
        noted: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{code.code}: {detail}")
        self.code = code
        self.detail = detail
        if pointer is not None or parameter is not None:
            errors = [*errors, FieldError(detail, code.code, pointer=pointer, parameter=parameter)]
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds
        self.noted = noted or {}
