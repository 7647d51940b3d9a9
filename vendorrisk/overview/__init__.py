"""Overview: reads across features in one call, for a person's page, a dashboard or a report.

A *posture* of a vendor is its row in the list: how far it is proven, how it is graded, what is open, what comes next
*Today* has the work that waits for a person, the changes since the last working day ended, and the dates of the next
thirteen weeks. A *view* of the list is a set of filters with a name and a count.

Nothing is stored here and no rule of another feature is repeated: the statements read the tables that services and jobs
keep. A caller needs the right to read each of the nouns that are shown.

Invariants: every figure can be found in the lists behind it. No page needs a statement for each vendor.
"""
