"""The book: what is written can be read, and it is begun once."""

import pytest

from deploy.ledger.book import ACKNOWLEDGED, ATTEMPTED, INTENDED, Book
from deploy.ledger.plan import Plan
from schemas.errors import SettingError

PLAN = Plan(seed=3, start_us=1_760_000_000_000_000, rate=100, seconds=10, robots=10)


def test_a_record_goes_from_intended_to_acknowledged_and_never_back(tmp_path):
    book = Book.create(tmp_path / "a" / "book.db", PLAN)
    book.write(range(4), [], [])
    book.write([], [0, 1, 2], [])
    book.write([4], [], [(1, 5, 77)])
    book.write([], [1], [])
    book.close()
    again = Book.open_book(tmp_path / "a" / "book.db")
    records = again.records()
    assert again.plan == PLAN
    assert records.number.tolist() == [0, 1, 2, 3, 4]
    assert records.state.tolist() == [ATTEMPTED, ACKNOWLEDGED, ATTEMPTED, INTENDED, INTENDED]
    assert (records.partition[1], records.offset[1], records.offset[0]) == (5, 77, -1)
    again.close()


def test_a_book_is_begun_once_and_another_file_is_none(tmp_path):
    Book.create(tmp_path / "book.db", PLAN).close()
    with pytest.raises(SettingError, match="name another"):
        Book.create(tmp_path / "book.db", PLAN)
    with pytest.raises(SettingError, match="robovitals ledger"):
        Book.open_book(tmp_path / "none.db")
    (tmp_path / "text.db").write_text("not a database" * 100)
    with pytest.raises(SettingError, match="not a ledger's book"):
        Book.open_book(tmp_path / "text.db")
