"""Queues that are fair between tenants, and rows that fail without holding up others.

    queue   rows of many tenants that a job works through, such as deliveries to send. The rows are the work
    turn    a tenant's place in a queue. A tenant that was served goes behind the others (`turns`)
    slice   the rows that a tenant gets in one turn
    places  the things that one worker has under way at once, shared by tenants and by hosts (`places`)
    try     one attempt at a row. It is counted before it begins, so that the death of its worker counts (`rows`)

Work is claimed in two steps. First a job finds out which tenants are due: one small row for each tenant and queue, in
`due_tenants`. Every run writes missing rows from the queue's own rows, so a lost or late row heals by itself. Then
the job claims inside one tenant at a time, by statements that name the tenant.

Some queues have no tries of their own: deadlines of evidence, acceptances, digests. Their rows are tried one by one,
each in a transaction of its own, and counted in `failed_rows`. The others count in a column of their rows.

Invariants
- A tenant with a thousand rows delays another tenant's row by one slice, not by a thousand rows.
- A row that fails is tried again later and later, and never first. After `rows.MOST_TRIES` it is given up.
- A tenant that fails as a whole is logged and counted. The others are served in the same run.
"""
