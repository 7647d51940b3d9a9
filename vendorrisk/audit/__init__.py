"""The audit log: who did what to which record, before and after.

Every write leaves exactly one *entry*, in the same transaction, or the write does not happen. Entries of a tenant
form a *chain*: each hash covers the one before, the sequence number and the whole content, so that a changed, removed
or reordered entry shows; the *head* shows a cut-off tail; an *anchor*, kept outside the database, shows a chain that
was written again from some point on. The closed list of actions stands in `actions`.

Secrets never enter an entry. An entry is never changed or deleted, by anyone.
"""
