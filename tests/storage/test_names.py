"""File names, from people's machines to a header."""

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.storage.media_types import MediaType
from vendorrisk.storage.names import content_disposition, safe_name

CASES = {
    "SOC 2 report.pdf": "SOC 2 report.pdf",
    "SOC2.PDF": "SOC2.pdf",
    "../../etc/passwd": "passwd.pdf",
    "C:\\Users\\a\\report.pdf": "report.pdf",
    "..": "document.pdf",
    "": "document.pdf",
    ".pdf": "document.pdf",
    "a\0b\r\nc.pdf": "ab c.pdf",
    "invoice\u202efdp.exe": "invoicefdp.exe.pdf",
    "run.bat": "run.bat.pdf",
    "page.html": "page.html.pdf",
    'a"b<c>|d?.pdf': "a_b_c__d_.pdf",
    "nul": "_nul.pdf",
    "COM1.x.pdf": "_COM1.x.pdf",
    "  a   b .pdf": "a b.pdf",
    "a.pdf.": "a.pdf",
    "\ud800x.pdf": "x.pdf",
    "Prüfbericht.pdf": "Prüfbericht.pdf",
    "Pru\u0308f.pdf": "Prüf.pdf",
    "報告.pdf": "報告.pdf",
}


@pytest.mark.parametrize("given_name", CASES)
def test_a_name_is_made_fit(given_name: str) -> None:
    assert safe_name(given_name, MediaType.PDF) == CASES[given_name]


def test_the_ending_fits_what_the_file_holds() -> None:
    assert safe_name("photo.jpeg", MediaType.JPEG) == "photo.jpeg"
    assert safe_name("photo.png", MediaType.JPEG) == "photo.png.jpg"
    assert safe_name("list.csv", MediaType.CSV) == "list.csv"


@given(st.text(max_size=400))
def test_any_name_becomes_short_printable_and_without_folders(given_name: str) -> None:
    name = safe_name(given_name, MediaType.PDF)
    assert name.endswith(".pdf")
    assert len(name.encode()) <= 255
    assert not set(name) & set('/\\<>:"|?*')
    assert all(unicodedata.category(c)[0] != "C" for c in name)
    assert safe_name(name, MediaType.PDF) == name


@given(st.text(max_size=400))
def test_the_header_is_one_attachment_that_gives_the_name_back(given_name: str) -> None:
    name = safe_name(given_name, MediaType.PDF)
    header = content_disposition(name)
    assert re.fullmatch(r"attachment; filename=\"[ !#-\[\]-~]+\"(; filename\*=UTF-8''[A-Za-z0-9._~%-]+)?", header)
    plain, _, extended = header.removeprefix('attachment; filename="').partition("\"; filename*=UTF-8''")
    assert (unquote(extended) if extended else plain.removesuffix('"')) == name


def test_the_header_of_a_plain_name_is_plain_and_of_another_has_both_forms() -> None:
    assert content_disposition("report.pdf") == 'attachment; filename="report.pdf"'
    assert (
        content_disposition("Prüf 100%.pdf")
        == "attachment; filename=\"Pruf 100.pdf\"; filename*=UTF-8''Pr%C3%BCf%20100%25.pdf"
    )
    assert (
        content_disposition("報告.pdf")
        == "attachment; filename=\"document.pdf\"; filename*=UTF-8''%E5%A0%B1%E5%91%8A.pdf"
    )
