"""What is about to be due, who is told, and whether they were.

    class      the kind of thing people are told: the closed list in `model`
    deadline   a date that matters: evidence that expires, a review, a finding's due date. Other features keep it by
               `service.watch` and `unwatch`, in their own transaction; a vendor's review date is kept by a trigger,
               because vendors stand below alerts. What runs out at a vendor that is being left is told to nobody
    step       days left at which a deadline is told: 30 is thirty days ahead, 0 the day itself, -14 two weeks overdue
    policy     the tenant's lead days for a class, by the vendor's tier, and how often what is overdue is told again
    alert      something people should know, raised once: by the sweep, when a step was crossed since the last look, or
               by `service.raise_event` for what is no date (a coverage gap)
    receiver   who is told and by which channel, filtered by class, tier (none known counts as critical) and vendor
               owner; `owners` is the vendor's business and security owner, by e-mail
    delivery   one alert to one recipient; its id is the key that travels with the message
    attempt    one try of a delivery, written down before the message leaves

States of a delivery: pending → sending → sent; from sending back to pending (tried again later, or nobody knows what
became of it) or to dead (refused for good, or tried often enough). Dead and cancelled ones can be resent, which makes
them pending. Those of a receiver that is removed or switched off are cancelled.

Three jobs: `raise_due_alerts` looks at deadlines, `dispatch_alerts` makes deliveries, `deliver_alerts` sends. Each
takes no input, may run twice and may die anywhere; the rows are the work.

What can never happen
- A step told twice for the same date, or an event twice for its key: both are unique in the database.
- A latest step lost: a step counts as crossed since the last look, however long ago that was; of several that were
  crossed, the latest is told, in one message. A week of downtime sends one message, not seven.
- A message sent with a transaction open, or recorded by someone who has lost the lease.
- An alert lost because its sender died. Whoever finds the expired lease sends again under the same key, as often as a
  delivery is tried at all; then it is dead, and can be resent.
- An alert that nobody hears of and nobody sees: one that no receiver lets pass says so (`has_recipients`), is counted,
  and makes `vendorrisk doctor` warn.

The window. Between the moment a receiver takes a message and the commit that records it, the sender may die; nothing
outside can be asked whether it was taken. So `sending` is committed before each send, at most as many at once as are
being sent, and a lease that runs out becomes an *uncertain* attempt, shown and counted (`possibly_doubled`). What left
and got no answer, because time ran out or the connection broke, is uncertain as well. The next try carries the same
key: a webhook's receiver drops it by `webhook-id`, mail systems by `Message-ID`. Slack has no such key for incoming
webhooks: there, an alert is rather told twice than never, and the delivery says that it may have been.

Alerts, deliveries and attempts are themselves the record of what jobs did; the audit log holds what people changed.
"""
