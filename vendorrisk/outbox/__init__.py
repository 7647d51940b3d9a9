"""The one way for a message to leave.

    owner        the row that a message is made of, such as an alert, and its kind
    delivery     one message to one recipient. Its id is the key that travels with the message
    destination  the record that holds the address, such as a receiver. A delivery without a destination has the e-mail
                 address itself, as its recipient
    attempt      one try of a delivery, written down before the message leaves
    lease        a sender's claim on a delivery: a token, and the instant at which it runs out
    kind         a feature's part of the outbox (`kind`): how its messages are loaded, addressed and rendered

The outbox imports no feature that sends by it. `worker.py` lists the kinds, and a worker sends deliveries of these
kinds alone. A feature makes deliveries in its own transaction, one by `service.deliver` or many in a statement of its
own. The routes, permissions and audit entries of its deliveries are the feature's as well.

States of a delivery: pending → sending → sent. From sending a delivery may go back to pending (tried again later, or
nobody knows whether it arrived) or to dead (rejected for good, or tried often enough). Dead and cancelled deliveries
can be resent, which makes them pending. If a destination is removed or switched off, its pending deliveries are
cancelled. A sender cancels deliveries that the kind does not load: their owners no longer want them sent.

`send_deliveries` is the only job. `sending` holds one run of it, which keeps a fixed number of messages under way:
`claims` takes deliveries, `attempts` sends them, `results` records the results. `rules` decides on further
attempts.

Invariants
- No message is sent with a transaction open, or recorded by a sender that has lost its lease.
- No message is lost because its sender died. The sender that finds the expired lease sends it again under the same key,
  as often as a delivery is tried at all. Then the delivery is dead, and can be resent.
- One destination cannot take every place: after a failure its other deliveries wait as well.
- A kind cannot hold up the others: if it cannot load its messages, the run goes on without it, and fails at its end.

The window. Between the moment a destination takes a message and the commit that records it, the sender may die, and
nothing outside can be asked whether the message was taken. So `sending` is committed before each send, for at most as
many deliveries as are under way. A lease that runs out becomes an *uncertain* attempt, shown and counted
(`possible_duplicates`). If a message left and no response came, because time ran out or the connection broke, its
attempt is uncertain as well. The next attempt carries the same key: a webhook's receiver drops it by `webhook-id`, mail
systems by `Message-ID`. Slack has no such key for incoming webhooks. There, a message rather arrives twice than never,
and the delivery says that it may have.

Deliveries and attempts are themselves the record of the job's work. The audit log holds changes by people.
"""
