"""The audit log: every change of a record, with its actor and the record before and after.

Every write of a record leaves exactly one *entry* under the record's id, in the same transaction, or the write does not
happen. This holds for people and for jobs. An operation that writes several records leaves one entry for each. An
import leaves one, with the digest of its rows, which stay. Rows that follow from records (deadlines, coverage, scores)
and rows that are a history themselves (alerts, deliveries, attempts, transitions) have no entries. Entries of a tenant
form a *chain*: each hash covers the one before, the sequence number and the whole content, so that a changed, removed
or reordered entry shows. The *head* shows a cut-off tail. An *anchor*, kept outside the database, shows a chain that
was written again from some point on. The closed list of actions stands in `actions`.

Secrets never enter an entry. An entry is never changed or deleted, by anyone.
"""
