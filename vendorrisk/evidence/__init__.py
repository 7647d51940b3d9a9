"""Evidence: documents and reports of a vendor, how long they are relied on, and the gaps they leave.

A *document* is a piece of evidence of some kind, with a classification, a validity that the rule of its kind
computes, and perhaps a *file*, sealed in the encrypted file store. It has *revisions*: a newer one
supersedes the older, which stays on record.

A *SOC 2 report* is a record of its own: its type, its day or period, its auditor and opinion, the categories in scope,
its *exceptions*, its *CUECs* (complementary user entity controls: ours to operate), its *subservice organisations*
(carved out or included), its *bridge letters*. *Coverage* follows from the reports of a service: which days are proven,
by which reports, until when. `coverage` has the rules. A SOC 3 report and an ISO 27001 certificate *support* it in
part. The five *audit areas* (CC1 to CC5) are a view of a report.

A *proposal* is a value that our own rules read in a PDF, with page and quotation. Nothing is decided by it: a person
confirms or rejects, and the confirmed ones become the record.

More files than usual, because the nouns are many:

    policy, coverage, criteria      the tenant's policy, intervals of proof, the criteria and audit areas
    documents, reports              the operations on documents and SOC 2 reports
    proposal_service                the operations on proposals
    service                         the policy and coverage, kept in step with their basis
    …_model                         records and responses of documents, reports, coverage and proposals
    report_routes                   the routes of SOC 2 reports
    report_parts, report_part_routes  one part of a report: read, corrected, removed; and its routes
    report_part_queries             the lists of exceptions, CUECs and subservice organisations, and one of each
    holders                         the document, report or letter that a conflict names
    bulk_routes                     the operations on documents, reports and proposals, for many at once
    proposal_queries                the statements of text extraction and of proposals
    report_text                     where the parts of a report stand in its text
    extract_fields, extract_lists   fields and lists proposed from a text
    phrases                         the turns of phrase that are looked for

Invariants: coverage is never written by hand. A bridge letter never covers, and never hides a gap. An adverse report is
not relied on. A proposal becomes a record only by a person. A file leaves only as an attachment.
"""
