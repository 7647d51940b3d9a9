"""Deadlines and alerts: dates that come due, the people who are notified, and a record of each delivery.

    class      the kind of thing people are notified of: the closed list in `model`
    deadline   a date that matters: evidence that expires, a review, a finding's due date. Other features keep it by
               `service.watch` and `unwatch`, in their own transaction. A vendor's review date is kept by a trigger,
               because vendors stand below alerts. A vendor that is being offboarded raises no alert of an expiry
    threshold  days left at which an alert is raised: 30 is thirty days ahead, 0 the day itself, -14 two weeks overdue
    policy     the tenant's thresholds for a class, by the vendor's tier, and how often an overdue date is notified
               again
    alert      something people should know, raised once: by the sweep, when a threshold was crossed since the last
               check, or by `service.raise_event` without a date (a coverage gap)
    receiver   who is notified and by which channel, filtered by class, tier (none known counts as critical) and vendor
               owner. `owners` is the vendor's business and security owner, by e-mail
    confirmation  the owner of an e-mail receiver's address allows alerts to it, by the link of a mail
               (`confirmations`, `confirmation_queries`). Until then the receiver gets no alerts
    delivery   one alert to one recipient, kept and sent by the outbox, which explains its states and attempts

Two jobs: `raise_due_alerts` checks deadlines, `dispatch_alerts` makes deliveries. Each takes no input, may run twice
and may die anywhere. The rows are the work. `deliveries` holds the operations on deliveries of alerts,
`receiver_model` the receivers with their targets. `messages` tells
the outbox how alerts are loaded, addressed and rendered. If a receiver is removed or switched off, its deliveries are
cancelled.

Invariants
- A threshold is notified once for a date, and an event once for its key: both are unique in the database.
- The latest threshold is never lost. A threshold counts as crossed since the last check, however long ago that was. If
  several were crossed, one message notifies of the latest. A week of downtime sends one message, not seven.
- An alert without recipients is visible: it says so (`has_recipients`), is counted, and makes `vendorrisk doctor` warn.

Alerts are themselves the record of the jobs' work. The audit log holds changes by people.
"""
