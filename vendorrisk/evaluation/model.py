"""The types of signals: rules, evaluations, score inputs, scores."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

Fact = str | int | bool | None | tuple[str, ...]
"""A value of an evaluation's evidence: small, comparable, free of personal data."""

Facts = dict[str, Fact]


class Verdict(StrEnum):
    """The result of a rule on an asset."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"
    NA = "na"
    UNKNOWN = "unknown"


class RuleSeverity(StrEnum):
    """How bad a failing rule is."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class SignalFactor(StrEnum):
    """A part of the score."""

    TLS = "tls"
    WEB = "web"
    EMAIL = "email"
    DNS = "dns"
    EXPOSURE = "exposure"
    EVENTS = "events"
    TRANSPARENCY = "transparency"


class ScanKind(StrEnum):
    """Rules that are scanned together, on one schedule. `FEEDS` are joined locally, without a scan of the vendor."""

    DNS = "dns"
    EMAIL = "email"
    HTTP = "http"
    CERT = "cert"
    TLS = "tls"
    REG = "reg"
    CT = "ct"
    PAGES = "pages"
    STATUS = "status"
    EXPOSURE = "exposure"
    FEEDS = "feeds"


class Scope(StrEnum):
    """The subject of a rule: each host, or the domain (or vendor) once."""

    HOST = "host"
    DOMAIN = "domain"


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the methodology. The whole table is `rules.RULES`.

    `cap` is the highest overall score while the rule fails in its worst form, which the evaluation marks. `swift` marks
    the critical class: a change is scanned again after 5 minutes, not 15. `disabled_reason` is empty for a rule that is
    on.
    """

    id: str
    factor: SignalFactor
    group: ScanKind
    scope: Scope
    observes: str
    cadence_hours: int
    severity: RuleSeverity
    weight: int
    remedy: str
    criteria: tuple[str, ...]
    confidence_percent: int = 100
    cap: int | None = None
    swift: bool = False
    disabled_reason: str = ""


class Evaluation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule's verdict on one observation.

    `reason` is a short slug from the evaluator (stable, part of the API). `detail` is a sentence for people.
    `severity`, `confidence_percent` and `cap` override the rule's if the case requires it. `subject` names one of
    several subjects that a rule covers (a host name, a certificate, a status-page incident). `evidence` holds the facts
    behind the verdict. Changes are detected by it.
    """

    rule: str
    verdict: Verdict
    reason: str
    detail: str
    evidence: dict[str, Fact] = {}
    severity: RuleSeverity | None = None
    confidence_percent: int | None = None
    cap: int | None = None
    subject: str = ""


class ScoreInput(msgspec.Struct, frozen=True, kw_only=True):
    """The scorer's input about a rule on one asset.

    `known` is the last verdict that was not unknown, seen at `known_at`. Both are None if there was never one.
    `primary` marks the vendor's main host, whose TLS and web factors no average can soften. A score input is left out
    of the score until `suppressed_until`. `slower` is the number of cadences between two scans.
    """

    rule: str
    asset: str
    verdict: Verdict
    primary: bool = True
    known: Verdict | None = None
    known_at: datetime | None = None
    confidence_percent: int | None = None
    cap: int | None = None
    deficit_percent: int = 100
    """How much of a warn's or fail's deficit still counts: events fade."""
    suppressed_until: datetime | None = None
    slower: int = 1
    observation: str = ""


class ScoreDeduction(msgspec.Struct, frozen=True, kw_only=True):
    """A deduction from 100, in hundredths of a point. `kind` distinguishes a rule from a cap and rounding."""

    kind: str  # rule | cap | coverage | rounding
    """`rule`, `cap`, `coverage` or `rounding`."""
    rule: str = ""
    """Key of the rule. Empty if the deduction is no rule's."""
    asset: str = ""
    """Id of the asset. Empty if it is no rule's."""
    verdict: Verdict | None = None
    """The verdict. Null if it is no rule's."""
    points_bp: int = 0
    """The deduction, in hundredths of a point."""
    observation: str = ""
    """Id of the observation. Empty if it is no rule's."""


class SignalFactorScore(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one factor."""

    factor: SignalFactor
    weight: int
    score_bp: int
    """Score of the factor, in hundredths of a point."""
    coverage_bp: int


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """`score` is None exactly when `grade` is NR (under half of the applicable weight is covered).

    `low` and `high` are the number with every unknown taken as fail and as pass. `deductions` add up:
    100 `number` + the sum of `points_bp` = 10 000, where `number` is the score even when it is not shown.
    `score_unsuppressed` is the number had nothing been suppressed.
    """

    score: int | None
    grade: str
    number: int
    low: int
    high: int
    coverage_bp: int
    confidence_percent: int
    factors: tuple[SignalFactorScore, ...]
    deductions: tuple[ScoreDeduction, ...]
    caps: tuple[ScoreDeduction, ...]
    suppressed: tuple[ScoreDeduction, ...]
    score_unsuppressed: int
    disabled_rules: tuple[str, ...]
    model_version: str


class RuleState(msgspec.Struct, frozen=True, kw_only=True):
    """The latest state of a rule on an asset. `change_detection` compares it with the next evaluation."""

    verdict: Verdict = Verdict.UNKNOWN
    value_hash: bytes = b""
    first_seen_at: datetime | None = None
    changed_at: datetime | None = None
    known_at: datetime | None = None
    pending_verdict: Verdict | None = None
    pending_hash: bytes = b""
    pending_n: int = 0
    pending_at: datetime | None = None
    unknown_n: int = 0
    unknown_since: datetime | None = None
    unknown_reason: str = ""
    passes: int = 0
    is_open: bool = False
    flips: tuple[datetime, ...] = ()


class ChangeKind(StrEnum):
    """The effect of a new evaluation on a rule's state."""

    CONFIRMED = "confirmed"  # a worse verdict has been seen twice: a finding opens
    CHANGED = "changed"  # same verdict, another confirmed value
    IMPROVED = "improved"  # a better verdict: the state follows at once
    CLOSED = "closed"  # seen good twice: the finding closes
    SCAN_AGAIN = "scan_again"  # not confirmed yet; `again_after` is the time of the next scan
    FLAPPING = "flapping"  # changes too often to be notified each time
    GAP = "gap"  # three scans in a row were unknown
    UNOBSERVABLE = "unobservable"  # seven days of it: a low finding, with the reason
    SEEN_AGAIN = "seen_again"  # the gap is over


class Change(msgspec.Struct, frozen=True, kw_only=True):
    kind: ChangeKind
    before: Verdict
    after: Verdict
    reason: str = ""
    again_after: timedelta | None = None


class AssetKind(StrEnum):
    """The kinds of assets that can be scanned. A domain is scanned as a host too."""

    DOMAIN = "domain"
    HOST = "host"
    STATUS_PAGE = "status_page"
    TRUST_PAGE = "trust_page"
    DPA_PAGE = "dpa_page"
    SUBPROCESSOR_PAGE = "subprocessor_page"
    REPOSITORY = "repository"
