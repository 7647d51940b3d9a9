"""Texts: a document from outside becomes text in which every part knows its page.

    pdf             the text layer of a PDF, page by page, or the problem that prevented it
    text            all pages as one plain text: ligatures, dashes, divided words and running heads made plain
    written_dates   dates and periods as documents write them

Files are read in the sandbox's child (`vendorrisk.sandbox`). Features find things in a text. They do not read files.

Invariants: a file's content never raises in the caller. A quotation is always the page's own characters.
"""
