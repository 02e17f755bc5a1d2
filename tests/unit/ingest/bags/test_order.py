"""Messages in the order of their times, and the marks at which reading can go on."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.agent.downsample import Summary
from ingest.bags.order import HORIZON_US, MOST_HELD, Order, Placed

JITTER_US = HORIZON_US // 2


def _placed(time_us: int, number: int) -> Placed[int]:
    """Ten messages a place, as a chunk has them."""
    return Placed(time_us, number // 10, number, number // 10 * 10, number)


def _summary(time_us: int) -> Summary:
    return Summary(
        time_us=time_us, mono_us=0, samples=1, runtime_s=None, energy_wh=None, cycles=None, mode=0, scenario="",
        software="", layout="0:", values=b"", extremes=None,
    )  # fmt: skip


def _all(order: Order[int], items: list[Placed[int]]) -> list[Placed[int]]:
    out: list[Placed[int]] = []
    for item in items:
        order.push(item)
        out += order.ready()
    return [*out, *order.rest()]


@given(st.lists(st.integers(0, JITTER_US), max_size=60))
def test_what_is_late_by_less_than_the_horizon_comes_out_in_order(lags_us: list[int]) -> None:
    items = [_placed(10_000_000 + n * 50_000 - lag_us, n) for n, lag_us in enumerate(lags_us)]
    out = _all(Order(), items)
    assert [(item.time_us, item.number) for item in out] == sorted((item.time_us, item.number) for item in items)


def test_what_is_later_than_that_comes_out_at_once_and_nothing_is_lost() -> None:
    times_us = [0, HORIZON_US * 3, HORIZON_US * 6, 1, HORIZON_US * 6 + 1]
    out = _all(Order(), [_placed(time_us, n) for n, time_us in enumerate(times_us)])
    assert sorted(item.number for item in out) == [0, 1, 2, 3, 4]
    assert [item.time_us for item in out][:3] == [0, HORIZON_US * 3, 1]


def test_one_clock_far_ahead_holds_no_more_than_a_bound() -> None:
    order: Order[int] = Order()
    held = 0
    for number in range(MOST_HELD + 500):
        order.push(_placed(5, number))
        held += 1 - len(list(order.ready()))
    assert held == MOST_HELD


def test_there_is_no_mark_where_what_is_late_would_be_lost_or_come_twice() -> None:
    order: Order[int] = Order()
    for number, time_us in enumerate([0, 10, HORIZON_US * 2, 5, HORIZON_US * 2 + 1]):
        order.push(_placed(time_us, number))
        list(order.ready())
    assert order.mark(3, _summary(10), None) is None, "5 came late, in the place that would be read again"


@settings(max_examples=60)
@given(st.lists(st.integers(0, JITTER_US), min_size=30, max_size=120), st.data())
def test_reading_on_from_any_mark_gives_exactly_what_had_not_come_out(
    lags_us: list[int], data: st.DataObject
) -> None:
    items = [_placed(10_000_000 + n * 100_000 - lag_us, n) for n, lag_us in enumerate(lags_us)]
    order: Order[int] = Order()
    out: list[Placed[int]] = []
    marks = []
    for item in items:
        order.push(item)
        for ready in order.ready():
            out.append(ready)
            if mark := order.mark(len(out), _summary(ready.time_us), None):
                marks.append(mark)
    whole = [item.number for item in [*out, *order.rest()]]
    if not marks:
        return
    mark = data.draw(st.sampled_from(marks))
    begin = mark.place * 10
    again = [
        item for item in items[begin:] if not (item.number - begin < mark.seen and item.time_us <= mark.time_us)
    ]
    assert [item.number for item in _all(Order(), again)] == whole[mark.frames :]
