"""Names, domains, register numbers, codes and amounts: one stored form each, or a refusal that helps."""

import unicodedata
from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vendorrisk.normal_form import UnfitError, clean_line, clean_text, written_amount
from vendorrisk.vendors import identifiers

READERS = [
    clean_line,
    clean_text,
    identifiers.domain_of,
    identifiers.email_of,
    identifiers.lei_of,
    identifiers.vat_of,
    identifiers.duns_of,
    identifiers.country_of,
    identifiers.currency_of,
    identifiers.amount_of,
    identifiers.alias_of,
    identifiers.tag_of,
]
ANYTHING = st.text() | st.text(alphabet="ABCDEFGHILX0123456789 .-/@,;'+*") | st.text(alphabet="\u0301\u202e\ud800aé")


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@given(text=ANYTHING)
def test_whatever_is_written_is_taken_or_refused_in_words(read: Callable[[str], object], text: str) -> None:
    try:
        taken = read(text)
    except UnfitError as refused:
        words = str(refused)
        taken = None
    else:
        words = "."
    assert words.endswith(".")
    if isinstance(taken, str):
        assert read(taken) == taken, "the stored form is its own stored form"
        assert "\x00" not in taken
        taken.encode()


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("  Acme   Ltd ", "Acme Ltd"),
        ("Acme\u00a0Ltd", "Acme Ltd"),
        ("Cafe\u0301", "Café"),
        ("株式会社\u3000例", "株式会社 例"),
        ("\u0645\u06cc\u200c\u0631\u0648\u0645", "\u0645\u06cc\u200c\u0631\u0648\u0645"),
    ],
)
def test_a_name_is_composed_and_its_blanks_are_trimmed(written: str, stored: str) -> None:
    assert clean_line(written) == stored


@pytest.mark.parametrize(
    "hidden",
    ["\x00", "\x07", "\u202e", "\u2066", "\u200b", "\u200f", "\ufeff", "\ud800", "\ue000", "\u2028", "\x7f", "\x85"],
)
def test_characters_that_hide_are_refused_and_named(hidden: str) -> None:
    with pytest.raises(UnfitError, match=f"U\\+{ord(hidden):04X}"):
        clean_line(f"Ac{hidden}me")


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\u3000 "])
def test_nothing_but_blanks_is_refused(blank: str) -> None:
    with pytest.raises(UnfitError):
        clean_line(blank)


def test_a_flood_of_combining_marks_is_refused() -> None:
    with pytest.raises(UnfitError, match="combining"):
        clean_line("a" + "\u0335" * 20)


def test_a_text_keeps_its_lines() -> None:
    assert clean_text("one\r\n\r\n two\tthree \n") == "one\n\n two three"


@given(st.text(min_size=1))
def test_names_that_differ_by_case_or_composition_are_the_same_name(name: str) -> None:
    key = identifiers.name_key(name)
    assert identifiers.name_key(unicodedata.normalize("NFD", name)) == key
    assert identifiers.name_key(name.upper()) == identifiers.name_key(name.upper().casefold())
    assert identifiers.name_key(key) == key


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("acme.com", "acme.com"),
        ("https://WWW.Acme.com/about?x=1", "acme.com"),
        ("acme.com.", "acme.com"),
        ("acme.com:8443", "acme.com"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("faß.de", "xn--fa-hia.de"),
        ("login.acme.co.uk", "login.acme.co.uk"),
        ("acme.github.io", "acme.github.io"),
        ("acme.example", "acme.example"),
        ("www.com", "www.com"),
    ],
)
def test_a_domain_or_web_address_gives_the_host_in_ascii(written: str, stored: str) -> None:
    assert identifiers.domain_of(written) == stored


@pytest.mark.parametrize(
    "written",
    [
        "",
        "localhost",
        "printer.local",
        "vault.internal",
        "x.test",
        "db.corp",
        "co.uk",
        "com",
        "example",
        "192.0.2.1",
        "[2001:db8::1]",
        "http://user:secret@acme.com",
        "ftp://acme.com",
        "acme .com",
        "a" * 64 + ".com",
        "-acme.com",
        "acme..com",
        "xn--a.com",
        "abc.onion",
        "acme.com\\@evil.com",
        "1.2.3.4.5",
        "0x7f.1",
    ],
)
def test_what_is_no_public_domain_is_refused(written: str) -> None:
    with pytest.raises(UnfitError):
        identifiers.domain_of(written)


@pytest.mark.parametrize("written", ["213800KUD8LAJWSQ9D15", "2138 00ku d8la jwsq 9d15"])
def test_a_lei_with_right_check_digits_is_taken(written: str) -> None:
    assert identifiers.lei_of(written) == "213800KUD8LAJWSQ9D15"


@pytest.mark.parametrize(
    "wrong", ["213800KUD8LXJWSQ9D15", "213800KUD8LAJWSQ9D51", "213800KUD8LAJWSQ9D1", "97", "", "é" * 20]
)
def test_any_other_lei_is_refused(wrong: str) -> None:
    with pytest.raises(UnfitError):
        identifiers.lei_of(wrong)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("DE 136,695 976".replace(",", "."), "DE136695976"),
        ("FR 40 303 265 045", "FR40303265045"),
        ("nl4495445B01", "NL004495445B01"),
    ],
)
def test_a_vat_number_is_checked_by_its_country(written: str, stored: str) -> None:
    assert identifiers.vat_of(written) == stored


@pytest.mark.parametrize("wrong", ["DE136695978", "136695976", "XX123456789", "DE", "FR 40 303"])
def test_a_wrong_vat_number_is_refused(wrong: str) -> None:
    with pytest.raises(UnfitError):
        identifiers.vat_of(wrong)


def test_a_duns_number_is_nine_digits() -> None:
    assert identifiers.duns_of("15-048-3782") == "150483782"
    for wrong in ("15048378", "1504837820", "000000000", "15048378X", "\uff11" * 9):
        with pytest.raises(UnfitError):
            identifiers.duns_of(wrong)


@pytest.mark.parametrize(("written", "code"), [("de", "DE"), ("DEU", "DE"), ("germany", "DE"), (" Ireland ", "IE")])
def test_a_country_is_known_by_code_or_name(written: str, code: str) -> None:
    assert identifiers.country_of(written) == code


@pytest.mark.parametrize("wrong", ["UK", "XX", "Europe", "", "EU", "D€"])
def test_an_unknown_country_is_refused(wrong: str) -> None:
    with pytest.raises(UnfitError):
        identifiers.country_of(wrong)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("125000", "125000"),
        ("125,000.50", "125000.50"),
        ("125.000,50", "125000.50"),
        ("1 250 000", "1250000"),
        ("1'250'000.00", "1250000"),
        ("12,5", "12.5"),
        ("1,000,000", "1000000"),
        ("0", "0"),
        ("0.0001", "0.0001"),
        ("1250.125", "1250.125"),
    ],
)
def test_an_amount_is_read_where_it_reads_in_one_way(written: str, amount: str) -> None:
    assert identifiers.amount_of(written) == Decimal(amount)


@pytest.mark.parametrize(
    "wrong", ["1,234", "1.234", "-5", "1e6", "NaN", "Infinity", "12.34567", "9" * 16, "€5", "", "٣", "1,23,456"]
)
def test_an_amount_that_reads_in_two_ways_or_none_is_refused(wrong: str) -> None:
    with pytest.raises(UnfitError):
        identifiers.amount_of(wrong)


@given(st.decimals(min_value=0, max_value=Decimal("999999999999999.9999"), places=4))
def test_a_written_amount_reads_back_as_itself(amount: Decimal) -> None:
    assert identifiers.amount_of(written_amount(amount)) == amount
