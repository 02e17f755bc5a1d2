import random

import msgspec
import pytest

from schemas.errors import RejectError
from schemas.signing import public_key
from serve.report import html, pdf, seal
from serve.report.model import SignedReport
from serve.report.verify import check
from support.logbooks import MAKER, PLATFORM, PLATFORMS
from support.reports import clean_facts, hardly_any_facts, messy_facts, report_of, signed_of

DRAWN = {"html": html.draw, "json": seal.encode, "pdf": pdf.draw}


@pytest.fixture(scope="module")
def signed() -> SignedReport:
    return signed_of(clean_facts(), personal=False)


@pytest.mark.parametrize("form", DRAWN)
@pytest.mark.parametrize("facts", [clean_facts, hardly_any_facts])
def test_a_report_of_the_platform_is_proven_in_each_form(form, facts):
    checked = check(DRAWN[form](signed_of(facts(), personal=False)), PLATFORMS)
    assert (checked.form, checked.word, checked.unproven) == (form, "PROVEN", ())


def test_whatever_byte_of_a_page_is_changed_is_noticed(signed):
    page = html.draw(signed)
    dice = random.Random(8)
    for place in [0, 1, len(page) - 1, *(dice.randrange(len(page)) for _ in range(30))]:
        changed = bytes([*page[:place], page[place] ^ 1, *page[place + 1 :]])
        assert check(changed, PLATFORMS).word == "FALSE", (place, page[place - 20 : place + 20])


def test_whatever_byte_of_the_data_is_changed_cut_off_or_added_is_noticed(signed):
    data = seal.encode(signed)
    dice = random.Random(8)
    for place in [0, *(dice.randrange(len(data) - 1) for _ in range(200))]:
        changed = bytes([*data[:place], data[place] ^ 1, *data[place + 1 :]])
        assert check(changed, PLATFORMS).word == "FALSE", (place, data[place - 20 : place + 20])
    for changed in (data[:-2], data + b" ", b" " + data, b""):
        assert check(changed, PLATFORMS).word == "FALSE"


def test_a_page_with_other_words_around_good_data_is_false(signed):
    page = html.draw(signed).replace(b"Nothing is known to be wrong", b"Something is known to be wrong", 1)
    (fault,) = check(page, PLATFORMS).faults
    assert "drawn again from its data it is another" in fault


def test_a_page_that_says_it_was_drawn_by_another_version_is_verified_as_far_as_its_data(signed):
    """Only who has the key can make it say so."""
    report = msgspec.structs.replace(signed.report, drawn_by="9.9/0123456789abcdef")
    page = html.draw(seal.seal(report, PLATFORM))
    checked = check(page, PLATFORMS)
    assert checked.word == "NOT PROVEN"
    assert "only its data was verified" in checked.unproven[0]
    forged = html.draw(msgspec.structs.replace(signed, report=report))
    assert check(forged, PLATFORMS).word == "FALSE"


def test_a_report_signed_by_somebody_else_is_false(signed):
    forged = seal.seal(signed.report, MAKER)
    assert check(seal.encode(forged), PLATFORMS).word == "FALSE"
    own_key = seal.seal(msgspec.structs.replace(signed.report, platform=public_key(MAKER)), MAKER)
    assert check(seal.encode(own_key), PLATFORMS).faults == ("it is signed by a key that is not the platform's",)
    assert check(seal.encode(own_key)).word == "NOT PROVEN"


def test_a_report_that_is_not_signed_is_not_proven():
    checked = check(html.draw(seal.seal(report_of(clean_facts(), personal=False), None)), PLATFORMS)
    assert (checked.word, checked.unproven) == ("NOT PROVEN", ("it is not signed",))


def test_pages_with_letters_that_need_a_machines_fonts_are_verified_as_far_as_their_data():
    signed = signed_of(messy_facts())
    assert pdf.needs_fonts(signed)
    assert check(html.draw(signed), PLATFORMS).word == "PROVEN"
    checked = check(pdf.draw(signed), PLATFORMS)
    assert (checked.word, checked.digest) == ("NOT PROVEN", signed.digest)
    assert not pdf.needs_fonts(signed_of(messy_facts(), personal=False))


def test_a_pdf_with_other_data_is_false(signed):
    other = pdf.draw(signed_of(messy_facts(), personal=False))
    assert check(other, PLATFORMS).digest != check(pdf.draw(signed), PLATFORMS).digest
    assert check(other.replace(b"obj", b"obk"), PLATFORMS).word in ("FALSE", "NOT PROVEN")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b"<html>", b"%PDF-1.7", b'{"format":"other","report":{"v":1}}']
)
def test_what_is_no_report_is_said_to_be_none(data):
    checked = check(data, PLATFORMS)
    assert (checked.word, checked.report) == ("FALSE", None)


def test_a_report_of_a_later_version_is_refused_and_not_misread(signed):
    data = msgspec.json.decode(seal.encode(signed))
    data["report"]["v"] = 2
    with pytest.raises(RejectError, match="version 2"):
        seal.decode(msgspec.json.encode(data), in_form=False)


def test_what_travels_reads_back_as_it_was(signed):
    assert seal.decode(seal.encode(signed)) == signed
