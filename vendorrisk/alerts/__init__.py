"""What is about to be due, who is notified, and whether they were.

    class      the kind of thing people are notified of: the closed list in `model`
    deadline   a date that matters: evidence that expires, a review, a finding's due date. Other features keep it by
               `service.watch` and `unwatch`, in their own transaction; a vendor's review date is kept by a trigger,
               because vendors stand below alerts. Nobody is notified of what runs out at a vendor that is being left
    threshold  days left at which an alert is raised: 30 is thirty days ahead, 0 the day itself, -14 two weeks overdue
    policy     the tenant's thresholds for a class, by the vendor's tier, and how often what is overdue is notified
               again
    alert      something people should know, raised once: by the sweep, when a threshold was crossed since the last
               check, or by `service.raise_event` for what is no date (a coverage gap)
    receiver   who is notified and by which channel, filtered by class, tier (none known counts as critical) and vendor
               owner; `owners` is the vendor's business and security owner, by e-mail
    delivery   one alert to one recipient, kept and sent by the outbox, whose essay has its states and attempts

Two jobs: `raise_due_alerts` checks deadlines, `dispatch_alerts` makes deliveries. Each takes no input, may run twice
and may die anywhere; the rows are the work. `deliveries` holds the operations on deliveries of alerts. `messages` tells
the outbox how alerts are loaded, addressed and rendered. If a receiver is removed or switched off, its deliveries are
cancelled.

What can never happen
- A threshold notified twice for the same date, or an event twice for its key: both are unique in the database.
- A latest threshold lost: a threshold counts as crossed since the last check, however long ago that was; of several
  that were crossed, the latest is notified, in one message. A week of downtime sends one message, not seven.
- An alert without recipients that nobody sees: one that no receiver lets pass says so (`has_recipients`), is counted,
  and makes `vendorrisk doctor` warn.

Alerts are themselves the record of what jobs did. The audit log holds what people changed.
"""
