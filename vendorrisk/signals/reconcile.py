"""Reconciling a vendor: from the states of its assets to findings, score, dates and alerts, in one transaction.

It starts from current states, never from earlier messages, so it may run at any time, twice, or after a year's pause: a
finding has one source, an alert one key, a date one deadline.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid5

import msgspec

from vendorrisk.access.work import Work
from vendorrisk.alerts import service as alerts
from vendorrisk.alerts.model import AlertClass
from vendorrisk.audit import service as audit
from vendorrisk.audit.model import Change
from vendorrisk.evaluation import change_detection
from vendorrisk.evaluation.model import Score, ScoreInput
from vendorrisk.evaluation.rules import MODEL_VERSION, RULES
from vendorrisk.evaluation.score import score
from vendorrisk.findings import service as findings
from vendorrisk.findings.model import Finding, FindingSeverity, FindingState
from vendorrisk.ids import new_id
from vendorrisk.probes.observation import canonical, value_hash
from vendorrisk.signals import api_queries, auto_assets, reconcile_queries, schedule, vendor_alerts
from vendorrisk.signals.asset_model import VendorAsset
from vendorrisk.signals.finding_rules import (
    covered_by_another,
    finding_severity,
    is_disproved,
    is_finding,
    is_more_severe,
    suppressions,
    unobservable,
)
from vendorrisk.signals.reconcile_queries import ReconciledVendor, SignalFinding, VendorState
from vendorrisk.signals.score_history import _BETWEEN_SCORES, Snapshotted, rose, with_latest
from vendorrisk.signals.score_inputs import score_inputs_of, waits_for_a_scan
from vendorrisk.signals.score_model import CurrentScore
from vendorrisk.signals.shared_assets import Key, key_of
from vendorrisk.vendors.model import Lifecycle

SOURCE = "signal"
_AGAIN = timedelta(hours=24)
_WEEK = timedelta(days=7)
_UNTIL_SCANNED = timedelta(hours=1)  # a scan without news triggers no reconciliation
_NAMESPACE = UUID("b1d9f7d2-0d0e-5c8c-8f60-1b6a7f6f2e90")
_SEVERE = frozenset({FindingSeverity.CRITICAL, FindingSeverity.HIGH})
_STAYS = frozenset({"dom.change", "tr.subprocessors"})
"""Findings of these rules stay open until a person acts. A later pass does not close them."""


class Reconciler:
    """One reconciliation of one vendor."""

    def __init__(
        self,
        work: Work,
        vendor: ReconciledVendor,
        row: CurrentScore,
        *,
        disabled_rules: frozenset[str],
        paused: frozenset[str],
    ) -> None:
        self._work, self._vendor, self._row = work, vendor, row
        self._disabled_rules, self._paused = disabled_rules, paused
        self._assets: dict[UUID, VendorAsset] = {}
        self._states: list[VendorState] = []
        self._sources: dict[tuple[UUID, str, str], SignalFinding] = {}
        self._again_at: datetime | None = None
        self._changes: list[Change] = []

    async def run(self, leased_until: datetime) -> None:
        work, vendor = self._work, self._vendor
        is_over = vendor.lifecycle is Lifecycle.TERMINATED
        if is_over:
            await self._leave()
        else:
            await self._watch()
        self._sources = {
            (f.vendor_asset_id, f.rule, f.subject): f for f in await reconcile_queries.signal_findings(work, vendor.id)
        }
        await self._save_findings()
        if not is_over:
            await self._notify()
        result = await self._score()
        await self._close(result, leased_until)
        await audit.record_all(work, self._changes)

    async def _notify(self) -> None:
        work, vendor = self._work, self._vendor
        await vendor_alerts.save_dates(work, vendor, self._assets, self._states)
        await vendor_alerts.notify_events(work, vendor, self._row.notified_until, self._paused)
        outage_at = await vendor_alerts.notify_outages(work, vendor, self._assets, self._states)
        self._again_at = min(filter(None, (self._again_at, outage_at)), default=None)
        if "kev.product" not in self._disabled_rules | self._paused:
            await vendor_alerts.notify_exploits(work, vendor)

    # ── assets

    async def _watch(self) -> None:
        """Read the watched assets with their states, and remove the deadlines of detached assets."""
        work, vendor = self._work, self._vendor
        self._changes += await auto_assets.attach(work, vendor.id)
        self._assets = {a.id: a for a in await reconcile_queries.assets(work, vendor.id)}
        self._states = [
            s for s in await reconcile_queries.vendor_states(work, vendor.id) if s.rule not in self._disabled_rules
        ]
        await vendor_alerts.forget_dates(work, await reconcile_queries.removed_assets(work, vendor.id))

    async def _leave(self) -> None:
        """A vendor that is gone is watched no more."""
        own = await reconcile_queries.assets(self._work, self._vendor.id)
        await vendor_alerts.forget_dates(self._work, [asset.id for asset in own])
        self._changes += await auto_assets.detach(self._work, self._vendor.id)

    # ── findings

    async def _save_findings(self) -> None:
        of_another = self._covered_by_another()
        if None in of_another.values():
            self._again_at = self._work.now + _UNTIL_SCANNED
        wanted = {key_of(s): s for s in self._states if is_finding(s)}
        for key, state in wanted.items():
            if state.rule not in self._paused and key not in of_another:
                await self._open(key, state)
        unknown = unobservable(self._states, self._work.now)
        for key, states in unknown.items():
            await self._open_unknown(key, states)
        # Seen well once is not enough to close: the state stays open until it was seen well twice.
        open_still = {key_of(s) for s in self._states if s.is_open}
        for key, source in self._sources.items():
            if source.closed_at is None and key not in open_still and key not in unknown and self._may_close(source):
                await self._shut(source)

    def _covered_by_another(self) -> dict[Key, Key | None]:
        return covered_by_another([*self._assets.values()], self._states, self._sources.values())

    def _may_close(self, source: SignalFinding) -> bool:
        """Return True if a finding whose state is good may be closed. Some rules need a person's decision first."""
        if source.vendor_asset_id not in self._assets:
            return True
        if source.rule in _STAYS:
            return source.state not in {FindingState.OPEN, FindingState.ACKNOWLEDGED}
        return source.rule not in self._paused

    async def _open(self, key: tuple[UUID, str, str], state: VendorState) -> None:
        severity = finding_severity(state)
        if severity is None:
            return
        asset = self._assets[state.vendor_asset_id]
        about = f" ({state.subject})" if state.subject and state.subject != asset.name else ""
        title = f"{asset.name}: {state.detail}{about}"
        description = f"Expected: {RULES[state.rule].observes}\n\n{RULES[state.rule].remedy}"
        current = self._sources.get(key)
        if current is not None and is_disproved(current, state):  # it is reopened, like one seen fixed
            current = self._sources[key] = msgspec.structs.replace(current, closed_at=current.state_changed_at)
        if current is not None and current.closed_at is None and is_more_severe(severity, current.severity):
            source = await self._raise_severity(current, severity, title, description)
        else:
            source = await self._stand(key, severity, title, description, state.observation_id)
        if source is not None and severity in _SEVERE and not state.is_flapping:
            await self._notify_finding(source, severity, title, state)

    async def _open_unknown(self, key: tuple[UUID, str, str], states: Sequence[VendorState]) -> None:
        asset, reason = self._assets[key[0]], states[0].reason
        title = f"{asset.name}: {key[2]} cannot be observed ({reason})"
        rules = ", ".join(sorted({s.rule for s in states}))
        words = f"No scan has succeeded for seven days. Unknown does not count as good. Affected rules: {rules}."
        await self._stand(key, FindingSeverity.LOW, title, words)

    async def _stand(
        self,
        key: tuple[UUID, str, str],
        severity: FindingSeverity,
        title: str,
        description: str,
        observation_id: UUID | None = None,
    ) -> SignalFinding | None:
        """Ensure that the finding of a source is active. Return it if it was opened or reopened now."""
        before = self._sources.get(key)
        if before is not None and before.closed_at is None:
            return None
        source_id = self._source_id(key, self._generation(key, before))
        opened = await findings.open_for(
            self._work,
            SOURCE,
            source_id,
            vendor_id=self._vendor.id,
            severity=severity,
            title=title,
            description=description,
        )
        if before is not None and is_more_severe(severity, before.severity):  # it returns more severe than before
            await findings.raise_severity(
                self._work, SOURCE, source_id, severity=severity, title=title, description=description
            )
        return await self._keep(key, severity, opened, observation_id)

    def _generation(self, key: tuple[UUID, str, str], before: SignalFinding | None) -> int:
        """Return the finding's number for this source.

        A new event gets a new number. A problem that returns within 30 days keeps its number and is reopened.
        """
        if before is None or before.closed_at is None:
            return 1 if before is None else before.generation
        is_same = key[1] not in _STAYS and change_detection.is_same_finding(before.closed_at, self._work.now)
        return before.generation + (0 if is_same else 1)

    async def _keep(
        self, key: tuple[UUID, str, str], severity: FindingSeverity, opened: Finding, observation_id: UUID | None
    ) -> SignalFinding:
        """Record that the finding of a source is active from now on."""
        before = self._sources.get(key)
        generation, (asset_id, rule, subject) = self._generation(key, before), key
        kept = SignalFinding(
            id=self._source_id(key, generation) if before is None else before.id,
            vendor_asset_id=asset_id,
            rule=rule,
            subject=subject,
            generation=generation,
            finding_id=opened.id,
            opened_at=self._work.now,
            closed_at=None,
            notified_at=None if before is None else before.notified_at,
            severity=severity,
            model_version=MODEL_VERSION,
            observation_id=observation_id,
            state=opened.state,
            until_on=opened.until_on,
            state_changed_at=opened.state_changed_at,
        )
        await reconcile_queries.save_finding(self._work, self._vendor.id, kept)
        self._sources[key] = kept
        return kept

    async def _raise_severity(
        self, source: SignalFinding, severity: FindingSeverity, title: str, description: str
    ) -> SignalFinding | None:
        """Record that an active finding has grown more severe.

        People are notified again, however recent their last alert.
        """
        key = (source.vendor_asset_id, source.rule, source.subject)
        source_id, work = self._source_id(key, source.generation), self._work
        if not await findings.raise_severity(
            work, SOURCE, source_id, severity=severity, title=title, description=description
        ):
            return None
        raised = msgspec.structs.replace(source, severity=severity, notified_at=None)
        await reconcile_queries.save_finding(work, self._vendor.id, raised)
        self._sources[key] = raised
        return raised

    def _source_id(self, key: tuple[UUID, str, str], generation: int) -> UUID:
        asset_id, rule, subject = key
        return uuid5(_NAMESPACE, f"{self._work.tenant_id} {asset_id} {rule} {subject} {generation}")

    async def _shut(self, source: SignalFinding) -> None:
        key = (source.vendor_asset_id, source.rule, source.subject)
        source_id = self._source_id(key, source.generation)
        reason = "Seen fixed, twice."
        if source.vendor_asset_id not in self._assets:
            reason = "The asset is watched no longer."
        elif source.rule in self._disabled_rules:
            reason = "The rule is switched off."
        await findings.close_for(self._work, SOURCE, source_id, reason=reason)
        await reconcile_queries.finding_closed(self._work, source.id)

    async def _notify_finding(
        self, source: SignalFinding, severity: FindingSeverity, title: str, state: VendorState
    ) -> None:
        now = self._work.now
        if change_detection.is_cooling_down(source.notified_at, now):
            return
        await alerts.raise_event(
            self._work,
            AlertClass.SIGNAL_FINDING,
            f"{source.finding_id}:{source.generation}:{now:%Y%m%d%H%M}",
            self._vendor.id,
            "finding",
            source.finding_id,
            title,
            {"Severity": severity.value, "Rule": state.rule, "Remedy": RULES[state.rule].remedy},
        )
        await reconcile_queries.save_finding(
            self._work, self._vendor.id, msgspec.structs.replace(source, notified_at=now)
        )

    # ── score

    async def _score(self) -> tuple[Score, tuple[ScoreInput, ...]]:
        suppressed = suppressions(self._sources.values())
        slower = schedule.slower(self._vendor.tier)
        assets, of_another = [*self._assets.values()], self._covered_by_another()
        inputs = tuple(score_inputs_of(assets, self._states, suppressed, self._disabled_rules, slower, of_another))
        return score(inputs, now=self._work.now, disabled_rules=self._disabled_rules), inputs

    async def _close(self, made: tuple[Score, tuple[ScoreInput, ...]], leased_until: datetime) -> None:
        result, inputs = made
        row, now = self._row, self._work.now
        recent = msgspec.convert(row.recent, list[Snapshotted])
        baseline = None if row.baseline_score is None else msgspec.convert(row.baseline_score, Snapshotted)
        brief = Snapshotted(result.score, result.grade, result.model_version, now)
        if not waits_for_a_scan(self._assets.values(), self._states, self._disabled_rules, now):
            recent = with_latest(recent, brief)
            baseline = await self._compared(baseline, recent, result)
        snapshot_id = await self._snapshot(result, inputs)
        await reconcile_queries.reconciled(
            self._work,
            self._vendor.id,
            leased_until,
            min(filter(None, (self._again_at, now + _AGAIN))),
            now,
            now,
            snapshot_id,
            result.model_version,
            result.score,
            result.grade,
            result.number,
            result.low,
            result.high,
            result.coverage_bp,
            result.confidence_percent,
            now,
            baseline,
            recent,
        )

    async def _compared(
        self, baseline: Snapshotted | None, recent: Sequence[Snapshotted], result: Score
    ) -> Snapshotted:
        """Notify of a fallen score. Return the score that later ones are compared with."""
        brief = recent[-1]
        if baseline is None or baseline.model_version != brief.model_version or baseline.score is None:
            return brief
        if change_detection.score_fell(baseline, recent):
            await self._notify_score(baseline, brief, result)
            return brief
        if rose(baseline, recent):
            return brief
        if change_detection.score_fell(baseline, [brief, brief]):  # one score more bears it out
            self._again_at = min(filter(None, (self._again_at, self._work.now + _BETWEEN_SCORES)))
        return baseline

    async def _notify_score(self, baseline: Snapshotted, brief: Snapshotted, result: Score) -> None:
        worst = [d for d in result.deductions if d.kind == "rule"]
        worst.sort(key=lambda d: (-d.points_bp, d.rule))
        await alerts.raise_event(
            self._work,
            AlertClass.SIGNAL_SCORE_FELL,
            f"{self._vendor.id}:{self._work.now.isoformat()}",
            self._vendor.id,
            "vendor",
            self._vendor.id,
            f"{self._vendor.name}: score fell from {baseline.score} ({baseline.grade})"
            f" to {brief.score} ({brief.grade})",
            {f"{d.rule} on {d.asset}": f"-{d.points_bp / 100:.1f}" for d in worst[:5]},
        )

    async def _snapshot(self, result: Score, inputs: tuple[ScoreInput, ...]) -> UUID | None:
        """Save a score when it changed, when its methodology changed, and every week."""
        row, now = self._row, self._work.now
        if not inputs:  # the last score of an offboarded vendor stays. Without watched assets there is none
            return row.snapshot_id if self._vendor.lifecycle is Lifecycle.TERMINATED else None
        stored = {"inputs": msgspec.to_builtins(inputs), "disabled_rules": sorted(self._disabled_rules)}
        shown = msgspec.to_builtins(result)
        last = None
        if row.snapshot_id is not None and row.scored_at is not None:
            last = await api_queries.find_snapshot(self._work, row.snapshot_id)
        if last is None:
            reason = "first"
        elif last.model_version != MODEL_VERSION:
            reason = "model"
        elif last.result != msgspec.json.decode(msgspec.json.encode(shown)):
            reason = "change"
        elif abs(now - last.scored_at) >= _WEEK:
            reason = "keyframe"
        else:
            return last.id
        snapshot_id = new_id()
        await reconcile_queries.append_snapshot(
            self._work,
            snapshot_id,
            self._vendor.id,
            result.model_version,
            reason,
            result.score,
            result.grade,
            result.number,
            None if last is None else last.result["number"],
            None if last is None else last.model_version,
            shown,
            stored,
            value_hash(msgspec.Raw(canonical(stored))),
        )
        return snapshot_id
