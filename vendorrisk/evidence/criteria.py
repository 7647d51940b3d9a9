"""The trust services criteria a SOC 2 report is tested against, and the five audit areas as a view of it.

Ids are those of AICPA TSP Section 100 (2017 criteria, points of focus revised 2022). The titles are our own words.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

TITLES: Final[Mapping[str, str]] = {
    "CC1.1": "Integrity and ethical values",
    "CC1.2": "Oversight by the board",
    "CC1.3": "Structures, reporting lines, authority",
    "CC1.4": "Attracting and keeping competent people",
    "CC1.5": "Holding people accountable",
    "CC2.1": "Information of good quality",
    "CC2.2": "Communication inside",
    "CC2.3": "Communication with outsiders",
    "CC3.1": "Objectives clear enough to see risks",
    "CC3.2": "Finding and analysing risks",
    "CC3.3": "Considering fraud",
    "CC3.4": "Noticing significant change",
    "CC4.1": "Evaluating whether controls work",
    "CC4.2": "Telling of deficiencies and correcting them",
    "CC5.1": "Choosing controls that reduce risk",
    "CC5.2": "Controls over technology",
    "CC5.3": "Policies and procedures",
    "CC6.1": "Logical access: software, infrastructure, architecture",
    "CC6.2": "Registering and removing users",
    "CC6.3": "Granting access by role, least privilege",
    "CC6.4": "Physical access",
    "CC6.5": "Disposing of assets",
    "CC6.6": "Protection against outside threats",
    "CC6.7": "Moving and transmitting data",
    "CC6.8": "Unauthorised and malicious software",
    "CC7.1": "Finding vulnerabilities and changed configurations",
    "CC7.2": "Monitoring for anomalies",
    "CC7.3": "Evaluating security events",
    "CC7.4": "Responding to incidents",
    "CC7.5": "Recovering from incidents",
    "CC8.1": "Managing change",
    "CC9.1": "Mitigating business disruption",
    "CC9.2": "Managing vendors and partners",
    "A1.1": "Capacity",
    "A1.2": "Environment, backup, recovery infrastructure",
    "A1.3": "Testing recovery",
    "C1.1": "Identifying and keeping confidential information",
    "C1.2": "Disposing of confidential information",
    "PI1.1": "Definitions of processing",
    "PI1.2": "Inputs complete and accurate",
    "PI1.3": "Processing complete and accurate",
    "PI1.4": "Outputs complete and accurate",
    "PI1.5": "Storing inputs and outputs",
    "P1.1": "Privacy notice",
    "P2.1": "Choice and consent",
    "P3.1": "Collecting what the objectives need",
    "P3.2": "Explicit consent where needed",
    "P4.1": "Use limited to purposes",
    "P4.2": "Retention",
    "P4.3": "Disposal",
    "P5.1": "Access for data subjects",
    "P5.2": "Correction",
    "P6.1": "Disclosure to third parties with consent",
    "P6.2": "Record of authorised disclosures",
    "P6.3": "Record of unauthorised disclosures",
    "P6.4": "Commitments from vendors",
    "P6.5": "Notification by vendors",
    "P6.6": "Notification of breaches",
    "P6.7": "Account of data held and disclosed",
    "P7.1": "Data quality",
    "P8.1": "Complaints and monitoring",
}


class AuditArea(StrEnum):
    """The five areas a reviewer reads a report through: CC1 to CC5."""

    CONTROL_ENVIRONMENT = "control_environment"
    COMMUNICATION = "communication"
    RISK_ASSESSMENT = "risk_assessment"
    MONITORING = "monitoring"
    CONTROL_ACTIVITIES = "control_activities"


AREA_CRITERIA: Final[Mapping[AuditArea, tuple[str, ...]]] = {
    area: tuple(c for c in TITLES if c.startswith(prefix))
    for area, prefix in (
        (AuditArea.CONTROL_ENVIRONMENT, "CC1."),
        (AuditArea.RISK_ASSESSMENT, "CC3."),
        (AuditArea.COMMUNICATION, "CC2."),
        (AuditArea.MONITORING, "CC4."),
        (AuditArea.CONTROL_ACTIVITIES, "CC5."),
    )
}

CATEGORY_PREFIXES: Final[Mapping[str, str]] = {
    "security": "CC",
    "availability": "A",
    "confidentiality": "C",
    "processing_integrity": "PI",
    "privacy": "P",
}


def normalised(criterion: str) -> str | None:
    """Return the id as the standard writes it (`cc 6.1` → `CC6.1`), or None where there is no such criterion."""
    text = criterion.upper().replace(" ", "")
    return text if text in TITLES else None
