"""What a vendor shows of itself: security.txt, status and trust pages, its list of sub-processors."""

from datetime import datetime

from vendorrisk.evaluation.model import Facts, Judgement
from vendorrisk.evaluation.results import inapplicable, passed, unknown, warned
from vendorrisk.probes.observation import Unseen
from vendorrisk.probes.web.page_parser import PageText, diff, unreadable
from vendorrisk.probes.web.pages import PageLook
from vendorrisk.probes.web.site import SecurityTxtFile

_GONE = frozenset({404, 410})


def judge_security_txt(file: SecurityTxtFile | Unseen | None, *, now: datetime) -> Judgement:
    rule = "tr.security_txt"
    if file is None or isinstance(file, Unseen):
        return unknown(rule, "not_looked_for" if file is None else file.reason)
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


def judge_page(rule: str, look: PageLook | None) -> Judgement:
    """Judge whether a page that people named is there; `rule` is tr.status_page, tr.trust or tr.dpa."""
    if look is None:
        return inapplicable(rule, "none_named", "No such page is known.")
    if isinstance(look.page, Unseen):
        return unknown(rule, look.page.reason)
    if look.page.status == 200:  # noqa: PLR2004 - HTTP
        return passed(rule, "there", "The page is there.", evidence={"url": look.url})
    if look.page.status in _GONE:
        return warned(rule, "gone", "The page is gone.", evidence={"url": look.url, "status": look.page.status})
    return unknown(rule, f"http_{look.page.status}")


def judge_subprocessors(look: PageLook | None, before: PageText | None) -> Judgement:
    """Judge the list against the one last confirmed. A change is a warn that the reviewer takes note of."""
    rule = "tr.subprocessors"
    if look is None:
        return inapplicable(rule, "none_named", "No page of sub-processors is known.")
    if isinstance(look.page, Unseen):
        return unknown(rule, look.page.reason)
    if look.page.text is None:
        return unknown(rule, f"http_{look.page.status}")
    if before is None or not before.rows:
        reason = unreadable(look.page.text)
        if reason:
            return unknown(rule, reason)
        return passed(rule, "first_reading", f"{len(look.page.text.rows)} sub-processors.")
    change = diff(before, look.page.text)
    if change.unreadable:
        return unknown(rule, change.unreadable)
    if not (change.added or change.removed or change.changed):
        return passed(rule, "same", f"{len(look.page.text.rows)} sub-processors, as before.")
    named = {"added": change.added, "removed": change.removed, "changed": change.changed}
    facts: Facts = {**named, "details": change.details}
    words = f"{len(change.added)} added, {len(change.removed)} removed, {len(change.changed)} changed."
    return warned(rule, "changed", words, evidence=facts)
