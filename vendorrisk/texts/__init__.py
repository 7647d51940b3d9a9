"""Texts: a document from outside becomes text whose every part knows where it came from.

    pdf             the text layer of a PDF, page by page, or the problem that prevented it
    text            all pages as one plain text: ligatures, dashes, divided words and running heads made plain
    written_dates   dates and periods as documents write them

Files are read in the sandbox's child (`vendorrisk.sandbox`). Features find things in a text. They do not read files.

What can never happen: a file's content raises in the caller; a quotation is other than the page's own characters.
"""
