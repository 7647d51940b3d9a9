"""Findings: problems of a vendor, each with its severity, its owner and its due date.

A *finding* has a *source*: a person who wrote it down, or an exception or the opinion of a SOC 2 report. A source opens
only one finding, ever. Its *severity* sets its due date by the policy of the tenant. Its *states*:

    open → acknowledged → remediated | accepted (until a day) | disputed (until a day) | false_positive

`open` and `acknowledged` are *active*: they count, and people are notified when they are overdue. The others are closed
and need a reason. `accepted` (we live with it) and `disputed` (the vendor says it is not so) are *suppressed*: they end
on their day, and a job then opens the finding again. A closed finding may be
reopened, and then has as many days as a new one. Its *transitions* keep its history.

Invariants: no finding is deleted, closed without a reason, or accepted or disputed without an end. A source has at most
one active finding.
"""
