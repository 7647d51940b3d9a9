"""Questionnaires in workbooks of other makers: recognised by content, read into our format and answers, and filled.

A *form* is a maker's questionnaire. Its *edition* and *version* come from the workbook, because one id means different
questions in different editions. The key of a question is its id in lower case. The id itself stands in `same_as`.

    outcome          what reading gives: a questionnaire, answers, odd cells, counts
    cells            texts of cells, cleaned, and words such as yes, no and n/a
    headings         a row of headings found by its texts
    recognise        the form of a workbook: by sheet names, then headings, then the shape of ids
    twins            an id that a workbook has twice
    contents         rows that were read become a questionnaire in our format
    caiq             CSA CAIQ 3 and 4
    hecvat           EDUCAUSE HECVAT 2, 3 and 4, and K-12CVAT
    choice_lists     the choices that a cell offers, by its list
    hecvat_weights   weights and compliant answers from the hidden sheet of a HECVAT
    hecvat_gates     the qualifiers that decide which sections of a HECVAT are asked
    platform_export  exports of questionnaire platforms, VSA and CISO Assistant libraries
    own_table        any sheet, with a mapping of its columns
    workbook         the whole way, as a child of the sandbox takes it
    filled_workbook  a tenant's own CAIQ or HECVAT with its answer columns filled

An *odd cell* holds something other than its form expects. Its text is kept as a note, and a person decides. A cell that
is blank is unanswered. *Not asked* (by a qualifier, or skipped) is something else, and so is not applicable.

Invariants: values are read, never formulas. The name of a file and the order of sheets are no evidence. Guidance and
the columns of an assessor are never read as answers.
"""
