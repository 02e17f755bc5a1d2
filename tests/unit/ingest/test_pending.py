"""Records gather until a batch is full, or has lingered while the database is free."""

from ingest.pending import BatchPolicy, Pending
from support.frames import FakeRecord

POLICY = BatchPolicy(records=4, size_bytes=100, linger_s=0.5)


def _records(count: int, size: int = 1) -> list[FakeRecord]:
    return [FakeRecord(b"", b"x" * size, offset=i) for i in range(count)]


def test_nothing_is_due_before_it_has_lingered():
    pending = Pending(POLICY)
    assert pending.due(0, database_free=True) is None
    pending.add("a", _records(1), now_s=10)
    assert pending.due(10.4, database_free=True) is None
    assert pending.due(10.5, database_free=True) == "a"


def test_later_records_do_not_delay_the_first():
    pending = Pending(POLICY)
    pending.add("a", _records(1), now_s=10)
    pending.add("a", _records(1), now_s=10.4)
    assert pending.due(10.5, database_free=True) == "a"
    assert len(pending.take("a")) == 2


def test_a_busy_database_lets_a_batch_grow_until_it_is_full():
    pending = Pending(POLICY)
    pending.add("a", _records(3), now_s=10)
    assert pending.due(99, database_free=False) is None
    assert pending.has_room("a")
    pending.add("a", _records(1), now_s=99)
    assert pending.due(99, database_free=False) == "a"
    assert not pending.has_room("a")
    assert pending.has_room("b")


def test_large_records_fill_a_batch_by_their_size():
    pending = Pending(POLICY)
    pending.add("a", _records(2, size=50), now_s=10)
    assert not pending.has_room("a")
    assert pending.due(10, database_free=False) == "a"


def test_the_topic_that_has_waited_longest_comes_first():
    pending = Pending(POLICY)
    pending.add("frames", _records(4), now_s=10)
    pending.add("vitals", _records(4), now_s=9)
    assert pending.due(10, database_free=True) == "vitals"
    pending.take("vitals")
    assert pending.due(10, database_free=True) == "frames"


def test_patience_ends_when_the_first_has_lingered():
    pending = Pending(POLICY)
    assert pending.patience_s(0, database_free=True, longest_s=2) == 2
    pending.add("a", _records(1), now_s=10)
    assert pending.patience_s(10.25, database_free=True, longest_s=2) == 0.25
    assert pending.patience_s(11, database_free=True, longest_s=2) == 0
    assert pending.patience_s(11, database_free=False, longest_s=2) == 0.5


def test_what_is_dropped_is_gone():
    pending = Pending(POLICY)
    pending.add("a", _records(4), now_s=10)
    pending.add("b", _records(4), now_s=11)
    pending.drop("a")
    assert pending.due(12, database_free=True) == "b"
    assert pending.oldest_ms("a") is None
    assert pending.oldest_ms("b") == FakeRecord(b"", b"").timestamp
    pending.clear()
    assert pending.due(12, database_free=True) is None
