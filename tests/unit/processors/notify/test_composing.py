"""What goes out now, what of it together, and how fast."""

from processors.notify.composing import Head, Parcel, message_id, parcels
from processors.notify.limiter import Limiter
from processors.notify.receivers import Pace


def head(number: int, message: str = "", bundle: str = "") -> Head:
    return Head(number, f"msg_{number}", message, bundle)


def ids(found: list[Parcel]) -> list[tuple[int, ...]]:
    return [parcel.ids for parcel in found]


def test_each_goes_alone_as_far_as_there_is_room() -> None:
    assert ids(parcels([head(n) for n in range(9)], free=4, left=None, can_digest=True)) == [(0,), (1,), (2,), (3,)]


def test_a_bundle_is_one_message_and_one_that_was_sent_before_is_too() -> None:
    found = parcels([head(1, bundle="a"), head(2, bundle="a"), head(3, "m", "a"), head(4, "m", "a")], 9, None, True)
    assert [(parcel.bundle, parcel.message_id) for parcel in found] == [("a", ""), ("", "m")]


def test_what_is_over_the_rate_goes_out_as_one_digest() -> None:
    found = parcels([head(n) for n in range(9)], free=4, left=3, can_digest=True)
    assert ids(found) == [(0,), (1,), tuple(range(2, 9))]
    assert ids(parcels([head(n) for n in range(9)], free=1, left=3, can_digest=True)) == [tuple(range(2, 9))]


def test_where_there_are_no_digests_it_waits() -> None:
    assert ids(parcels([head(n) for n in range(9)], free=4, left=2, can_digest=False)) == [(0,), (1,)]
    assert parcels([head(1)], free=4, left=0, can_digest=True) == []


def test_what_was_sent_before_is_not_told_in_another_message() -> None:
    found = parcels([head(1), head(2, "m"), head(3), head(4)], free=4, left=1, can_digest=True)
    assert ids(found) == [(1, 3, 4)]


def test_what_was_sent_before_goes_in_its_turn_however_many_new_ones_come() -> None:
    found = parcels([head(1, "m"), head(2), head(3), head(4)], free=4, left=1, can_digest=True)
    assert [parcel.message_id for parcel in found] == ["m"]


def test_a_message_of_one_has_its_id_and_one_of_several_the_same_whatever_the_order() -> None:
    assert message_id(["msg_1"]) == "msg_1"
    assert message_id(["a", "b"]) == message_id(["b", "a"]) != message_id(["a", "c"])


def test_the_rate_is_what_may_come_at_once_and_fills_up_again() -> None:
    limiter = Limiter(Pace(rate=6, rate_s=60), 100.0)
    assert limiter.left(100.0) == 6
    limiter.take(6)
    assert limiter.left(109.0) == 0
    assert limiter.left(110.0) == 1
    assert limiter.left(10_000.0) == 6


def test_without_a_rate_there_is_no_limit() -> None:
    limiter = Limiter(Pace(), 0.0)
    limiter.take(1000)
    assert limiter.left(0.0) is None
