"""A book that was kept judges the next entry as one that never was away; what is tried on changes nothing."""

import msgspec
import pytest

from schemas.book import asked_ids, decode_book, encode_book
from schemas.chain import Book, Fault, try_on
from schemas.entry import Record, Submission, decode_submission, encode_submission
from schemas.errors import RejectError
from schemas.logbook import Correction
from support.logbooks import (
    MAKER,
    OPERATOR,
    OWNER,
    PLATFORM,
    PLATFORMS,
    SOLD,
    STRANGER,
    SWAPPED,
    WORKSHOP,
    Writer,
    begun,
    every_kind,
    life,
)


def kept(book: Book, record: Record) -> Book:
    """Out of the database again, with those kinds that it looks up for this entry."""
    asked = asked_ids(record.signed.entry)
    return decode_book(encode_book(book), PLATFORMS, {i: kind for i, kind in book.kinds.items() if i in asked})


@pytest.mark.parametrize("records", [every_kind().records, life(7, 60).records], ids=["every kind", "a life"])
def test_it_takes_all_that_the_whole_book_takes(records: list[Record]):
    writer = Writer()
    for record in records:
        book = kept(writer.book, record)
        writer.now_us = record.link.received_us
        assert writer.add(record.signed) == msgspec.structs.replace(record, opened=())
        try_on(book, record.signed, record.link.received_us)
        assert book.chain != writer.book.chain, "without the platform's key its link is another"
        assert (book.number, book.keys, book.registered) == (
            writer.book.number, writer.book.keys, writer.book.registered,
        )  # fmt: skip


def test_it_refuses_what_the_whole_book_refuses():
    writer = begun()
    sold = writer.write(SOLD, MAKER, OWNER)
    for signed, fault in (
        (writer.sign(SWAPPED, STRANGER), Fault.UNREGISTERED),
        (writer.sign(Correction(corrects="0" * 32, reason="x"), MAKER), Fault.OUT_OF_PLACE),
        (writer.sign(Correction(corrects=sold.signed.entry.id, reason="x"), WORKSHOP), Fault.OUT_OF_PLACE),
        (sold.signed, Fault.REPEATED),
    ):
        record = msgspec.structs.replace(sold, signed=signed)
        with pytest.raises(RejectError) as refused:
            try_on(kept(writer.book, record), signed, writer.now_us)
        assert refused.value.reason == fault


def test_its_size_does_not_grow_with_the_logbook():
    assert len(encode_book(life(3, 10).book)) == pytest.approx(len(encode_book(life(3, 200).book)), abs=8)


def test_what_an_author_sends_reads_back_with_and_without_what_it_opens():
    writer = begun()
    signed = writer.sign(SOLD, OPERATOR)
    for opened in ((), (OWNER,)):
        submission = Submission(signed=signed, opened=opened)
        assert decode_submission(encode_submission(submission)) == submission
    assert b"opened" not in encode_submission(Submission(signed=signed))


@pytest.mark.parametrize(
    "changed", [b"", b"{}", b"[]", b'{"entry":{},"signature":""}', None], ids=["empty", "{}", "[]", "bare", "more"]
)
def test_what_is_no_submission_is_refused(changed: bytes | None):
    data = encode_submission(Submission(signed=begun().sign(SOLD, PLATFORM)))
    with pytest.raises(RejectError):
        decode_submission(data.replace(b'{"entry"', b'{"also":1,"entry"', 1) if changed is None else changed)
