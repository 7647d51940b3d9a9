"""The edge to spreadsheets: tables come in as CSV or XLSX and go out as CSV or XLSX.

    reading   turns the bytes of a file into a *table*, or raises `UnreadableError` with advice for the sender
    csv_text  finds the encoding and the delimiter of CSV, and yields its rows
    books       a whole workbook: all sheets with their merged cells and lists of choices
    book_parts  extents, formulas and lists of choices, from the XML of a workbook
    patching    cells of a workbook filled in place: all else stays as it was, byte for byte
    errors    finds the cells of a workbook that hold an error such as #N/A
    workbooks the worksheets of a workbook by name, for formats of several sheets
    portions  the table as a child process writes it: head, rows, end. The rows lie on disk until they are read
    files     finds the format of a file, and has it read in a child process
    writing   streams rows under given headings as CSV or XLSX
    formulas  the guard: a leading ' keeps spreadsheet programs from taking text for a formula

A *table* has headings and numbered rows of typed *cells*. A blank cell is None. This package knows no feature: each
caller brings its headings, and decides on the meaning of a cell.

Invariants
- no formula, macro or link of a file is evaluated
- no error of a cell is read as a blank
- no file takes down the process that asked for it, or its memory
- no cell of a written file is taken for a formula
"""
