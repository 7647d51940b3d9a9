"""The closed list of permissions, the roles, and the permissions of each role.

Tests take their expectations from here.
"""

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """A permission, as `record:verb`."""

    TENANT_READ = "tenant:read"
    TENANT_MANAGE = "tenant:manage"
    MEMBERS_READ = "members:read"
    MEMBERS_MANAGE = "members:manage"
    KEYS_MANAGE = "keys:manage"
    AUDIT_READ = "audit:read"
    VENDORS_READ = "vendors:read"
    VENDORS_WRITE = "vendors:write"
    VENDORS_REQUEST = "vendors:request"
    VENDORS_APPROVE = "vendors:approve"
    EVIDENCE_READ = "evidence:read"
    EVIDENCE_WRITE = "evidence:write"
    EVIDENCE_CONFIRM = "evidence:confirm"
    FINDINGS_READ = "findings:read"
    FINDINGS_WRITE = "findings:write"
    SIGNALS_READ = "signals:read"
    SIGNALS_WRITE = "signals:write"
    ALERTS_READ = "alerts:read"
    ALERTS_MANAGE = "alerts:manage"
    QUESTIONNAIRES_READ = "questionnaires:read"
    QUESTIONNAIRES_WRITE = "questionnaires:write"
    QUESTIONNAIRES_PUBLISH = "questionnaires:publish"


class Role(StrEnum):
    """A set of permissions."""

    ADMIN = "admin"
    PROCUREMENT = "procurement"
    REVIEWER = "reviewer"
    OWNER = "owner"
    AUDITOR = "auditor"


_P = Permission
_READS: Final = frozenset(
    {
        *(_P.TENANT_READ, _P.MEMBERS_READ, _P.VENDORS_READ, _P.EVIDENCE_READ),
        *(_P.FINDINGS_READ, _P.ALERTS_READ, _P.SIGNALS_READ, _P.QUESTIONNAIRES_READ),
    }
)

GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    Role.ADMIN: frozenset(Permission),
    Role.PROCUREMENT: _READS | {_P.VENDORS_WRITE, _P.VENDORS_REQUEST, _P.EVIDENCE_WRITE, _P.SIGNALS_WRITE},
    Role.REVIEWER: _READS
    | {_P.VENDORS_WRITE, _P.VENDORS_REQUEST, _P.VENDORS_APPROVE}
    | {_P.EVIDENCE_WRITE, _P.EVIDENCE_CONFIRM, _P.FINDINGS_WRITE, _P.SIGNALS_WRITE}
    | {_P.QUESTIONNAIRES_WRITE, _P.QUESTIONNAIRES_PUBLISH},
    Role.OWNER: _READS | {_P.VENDORS_REQUEST},
    Role.AUDITOR: _READS | {_P.AUDIT_READ},
}
