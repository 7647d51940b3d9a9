"""The audit log: who did what to which record, before and after.

Every write of a record leaves exactly one *entry* under the record's id, in the same transaction, or the write does
not happen, whoever writes, a person or a job; an operation that writes several records leaves one for each. An import
leaves one, with the digest of its rows, which stay. What follows from records (deadlines, coverage, scores) or is a
record of doing itself (alerts, deliveries, attempts, transitions) is not recorded again. Entries of a tenant form a
*chain*: each hash covers the one before, the sequence number and the whole content, so that a changed, removed or
reordered entry shows; the *head* shows a cut-off tail; an *anchor*, kept outside the database, shows a chain that was
written again from some point on. The closed list of actions stands in `actions`.

Secrets never enter an entry. An entry is never changed or deleted, by anyone.
"""
