"""Findings: what is wrong with a vendor, how severe it is, who sees to it, and until when.

A *finding* has a *source*: a person who wrote it down, or an exception or the opinion of a SOC 2 report; a source opens
one finding, ever. Its *severity* sets its due date by the policy of the tenant. Its *states*:

    open → acknowledged → remediated | accepted (until a day) | disputed (until a day) | false_positive

`open` and `acknowledged` are *active*: they count, and people are notified when they are overdue. The others are closed
and need a reason. `accepted` (we live with it) and `disputed` (the vendor says it is not so) are *suppressed*: they end
on their day, and a job then opens the finding again. A closed finding may be
reopened, and then has as many days as a new one; whatever happened to it stays in its *transitions*.

What can never happen: a finding is deleted; two findings are active for one source; one is accepted or disputed for
ever; one is closed without a reason.
"""
