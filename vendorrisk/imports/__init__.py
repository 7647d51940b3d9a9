"""Imports: one machine that turns the rows of a spreadsheet into the records of a feature.

An *import* is a file on its way:

    received → checked → accepted → applied

It is *refused* if its file cannot be read or its records changed after the check, and *cancelled* if a person cancels
it. A *row* has an outcome: it would *create* a record, *change* one, leave one *unchanged*, or it has a *problem*. A
*conflict* is a record that changed since the file was exported, and a *skipped* row is no record. A *dry run* stops
when it is checked. A *partial* import leaves out the rows that have problems. A blank cell leaves the stored value.

The machine knows no feature. A feature hands it a *kind*, which `app.py` and `worker.py` list. The kind has the name of
its records, the permissions, and a *layout*: the columns of its table, and how a cell becomes a value. It has two
statements over many rows at once, because a row at a time would be slow. The first finds the record of each row of a
chunk and writes the rows to `import_rows`, with outcome, `record_id`, `record_version` and `record_key`. The second
applies the rows that create or change a record. An import of another kind is as absent as one of another tenant.

The audit log has one entry for each request or job that moves an import, such as `vendor_import:applied`. The entry of
an applied import holds a digest of its rows in order: number, outcome, record, given and earlier values. `vendorrisk
audit verify` computes the digest again.

Invariants
- no import is applied twice, or in part without a request for that
- no import is applied to a record that changed after the check
- if rows of an applied import change, `vendorrisk audit verify` finds it
- no worker takes an import of a kind that it does not know

    kind      the parts that a feature hands over
    columns   headings are matched with fields, cells become values, problems are found within the file
    cells     readers that any kind may use: lists, words, dates
    options   how the sender wants a file to be treated
"""
