"""What a file is, and which are not accepted."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.storage.make import office
from vendorrisk.errors import Code, Refusal
from vendorrisk.storage.media_types import MediaType, Sniffer

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(30)
ACCEPTED = {
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3", "x", MediaType.PDF),
    "a PDF called HTML": (b"%PDF-1.7\n", "x.html", MediaType.PDF),
    "a PDF after a blank line": (b"\r\n%PDF-2.0\n", "x", MediaType.PDF),
    "a PNG": (PNG, "x.jpg", MediaType.PNG),
    "a JPEG": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(30), "x", MediaType.JPEG),
    "a workbook": (office("[Content_Types].xml", "xl/workbook.xml"), "x.zip", MediaType.XLSX),
    "a text document": (office("[Content_Types].xml", "word/document.xml"), "x", MediaType.DOCX),
    "a workbook of 20,000 bytes": (
        office("[Content_Types].xml", "xl/workbook.xml", *(f"xl/{n}" for n in range(200))),
        "x",
        MediaType.XLSX,
    ),
    "a table": (b"a,b\n1,2\n", "Register.CSV", MediaType.CSV),
    "the same table under another name": (b"a,b\n1,2\n", "register", MediaType.TEXT),
    "prose": ("Täglich geprüft.\n".encode(), "policy.txt", MediaType.TEXT),
    "prose of Windows": ("Täglich geprüft.\r\n".encode("cp1252"), "policy.txt", MediaType.TEXT),
    "UTF-16 with a mark": ("a;b\n1;2".encode("utf-16"), "x.csv", MediaType.CSV),
    "UTF-8 with a mark": (b"\xef\xbb\xbfa;b", "x.csv", MediaType.CSV),
    "prose that speaks of <script>": (b"y" * 2000 + b" <script> was escaped", "pentest.txt", MediaType.TEXT),
}
REFUSED = {
    "a Windows program": (b"MZ\x90\0" + bytes(60), "a program"),
    "a program without NULs": (b"MZ hello", "a program"),
    "a Linux program": (b"\x7fELF\x02\x01\x01" + bytes(60), "a program"),
    "a script": (b"#!/bin/sh\nrm -rf /", "a program"),
    "HTML": (b"<!DOCTYPE html><html>", "HTML, SVG or XML"),
    "HTML in the middle": (b"hello <ScRiPt >alert(1)</script>", "HTML, SVG or XML"),
    "HTML after a mark": (b"\xef\xbb\xbf \n<html>", "HTML, SVG or XML"),
    "HTML in UTF-16": ("<html>".encode("utf-16"), "HTML, SVG or XML"),
    "SVG": (b"<?xml version='1.0'?><svg onload='x'>", "HTML, SVG or XML"),
    "an old or locked office file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password-protected"),
    "a workbook with macros": (
        office("[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"),
        "macros or programs",
    ),
    "a ZIP": (office("a.txt"), "a ZIP archive"),
    "a truncated workbook": (office("[Content_Types].xml", "xl/workbook.xml")[:-30], "a ZIP archive"),
    "a workbook with things behind it": (
        office("[Content_Types].xml", "xl/workbook.xml") + office("[Content_Types].xml", "xl/workbook.xml")[:-3],
        "a ZIP archive",
    ),
    "a GIF": (b"GIF89a" + bytes(20), "Graphics interchange"),
    "noise": (bytes([7, 200, 3]) * 40, "no kind that is accepted"),
    "text with a NUL": (b"hello\0world", "The file is"),
    "UTF-16 with a NUL character": ("a\0b".encode("utf-16"), "The file is"),
}


def _sniff(content: bytes, name: str = "x", step: int = 7) -> MediaType:
    sniffer = Sniffer(name)
    for at in range(0, len(content), step):
        sniffer.feed(content[at : at + step])
    return sniffer.media_type()


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_file_is_what_it_holds(case: str) -> None:
    content, name, expected = ACCEPTED[case]
    assert _sniff(content, name) is expected
    assert _sniff(content, name, step=100_000) is expected
    assert MediaType.called(expected.text) is expected


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_browser_or_a_machine_would_run_is_refused_with_its_name(case: str) -> None:
    content, named = REFUSED[case]
    for step in (7, 100_000):
        with pytest.raises(Refusal, match=named) as refused:
            _sniff(content, "report.pdf", step)
        assert refused.value.code is Code.FILE_TYPE_REFUSED


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        _sniff(b"")
    assert refused.value.code is Code.FILE_EMPTY


def test_a_refusal_comes_with_the_eighth_kibibyte_not_with_the_last() -> None:
    sniffer = Sniffer("x.pdf")
    sniffer.feed(b"MZ" + bytes(8000))
    with pytest.raises(Refusal):
        sniffer.feed(bytes(1000))


@given(st.binary(max_size=400), st.sampled_from([b"", b"PK\x03\x04", b"%PDF-", b"\xff\xfe", b"PK\x03\x04PK\x05\x06"]))
def test_any_bytes_get_a_type_or_a_refusal(content: bytes, start: bytes) -> None:
    with suppress(Refusal):
        assert isinstance(_sniff(start + content), MediaType)
