"""Evaluation of a vendor's own publications: security.txt, status and trust pages, its list of sub-processors."""

from datetime import datetime

from vendorrisk.evaluation.model import Evaluation, Facts
from vendorrisk.evaluation.results import inapplicable, passed, unknown, warned
from vendorrisk.probes.observation import Unknown
from vendorrisk.probes.web.page_parser import PageText, diff, unreadable
from vendorrisk.probes.web.pages import PageObservation
from vendorrisk.probes.web.site import SecurityTxtFile

_GONE = frozenset({404, 410})


def evaluate_security_txt(file: SecurityTxtFile | Unknown | None, *, now: datetime) -> Evaluation:
    rule = "tr.security_txt"
    if file is None or isinstance(file, Unknown):
        return unknown(rule, "not_scanned" if file is None else file.reason)
    read = file.read
    if read is None:
        return warned(rule, "absent", "There is no security.txt.")
    facts: Facts = {"contacts": read.contacts, "fields": read.fields, "problems": read.problems}
    if read.problems:
        return warned(rule, "invalid", f"security.txt is not valid: {read.problems[0]}.", evidence=facts)
    if not file.plain_text:
        return warned(rule, "not_text", "security.txt is not served as text/plain.", evidence=facts)
    if read.expires_at is not None and read.expires_at <= now:
        return warned(rule, "expired", f"security.txt ended on {read.expires_at:%Y-%m-%d}.", evidence=facts)
    return passed(rule, "valid", "security.txt is valid.", evidence=facts)


def evaluate_page(rule: str, observation: PageObservation | None) -> Evaluation:
    """Evaluate whether a page that people named exists. `rule` is tr.status_page, tr.trust or tr.dpa."""
    if observation is None:
        return inapplicable(rule, "none_named", "No such page is known.")
    if isinstance(observation.page, Unknown):
        return unknown(rule, observation.page.reason)
    if observation.page.status == 200:  # noqa: PLR2004 - HTTP
        return passed(rule, "there", "The page is there.", evidence={"url": observation.url})
    if observation.page.status in _GONE:
        return warned(
            rule, "gone", "The page is gone.", evidence={"url": observation.url, "status": observation.page.status}
        )
    return unknown(rule, f"http_{observation.page.status}")


def evaluate_subprocessors(observation: PageObservation | None, before: PageText | None) -> Evaluation:
    """Evaluate the list against the one last confirmed. A change is a warn that the reviewer takes note of."""
    rule = "tr.subprocessors"
    if observation is None:
        return inapplicable(rule, "none_named", "No page of sub-processors is known.")
    if isinstance(observation.page, Unknown):
        return unknown(rule, observation.page.reason)
    if observation.page.text is None:
        return unknown(rule, f"http_{observation.page.status}")
    if before is None or not before.rows:
        reason = unreadable(observation.page.text)
        if reason:
            return unknown(rule, reason)
        return passed(rule, "first_reading", f"{len(observation.page.text.rows)} sub-processors.")
    change = diff(before, observation.page.text)
    if change.unreadable:
        return unknown(rule, change.unreadable)
    if not (change.added or change.removed or change.changed):
        return passed(rule, "same", f"{len(observation.page.text.rows)} sub-processors, as before.")
    named = {"added": change.added, "removed": change.removed, "changed": change.changed}
    facts: Facts = {**named, "details": change.details}
    words = f"{len(change.added)} added, {len(change.removed)} removed, {len(change.changed)} changed."
    return warned(rule, "changed", words, evidence=facts)
