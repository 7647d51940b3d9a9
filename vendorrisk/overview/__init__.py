"""Overview: what stands across features, read in one call for a person's page, a dashboard or a report.

A *posture* of a vendor is its row in the list: how far it is proven, how it is graded, what is open, what comes next
and who sees to it. *Today* is what waits for a person, what changed since the last working day ended, and what falls
due in thirteen weeks. A *view* of the list is a set of filters with a name and a count.

Nothing is stored here and no rule of another feature is repeated: the statements read the tables that services and jobs
keep. A caller needs the right to read each of the nouns that are shown.

What can never happen: a figure that the lists behind it do not show; a statement for each vendor of a page.
"""
