"""Remaining life: what is known of a course, when it says that it does not know, and when it warns."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.detectors import trend
from processors.detectors.courses import Courses, Wearing
from processors.detectors.ends import Ends, ends
from processors.detectors.trend import DAY_US, Life
from schemas.columns import Float32
from schemas.limits import read_limits

EPOCH_US = DAY_US // 4
DEFAULT = Wearing()
UP_TO_ONE = Ends(np.float32([1]), np.float32([[1.0]]), np.float32([np.nan]))
DOWN_TO = Ends(np.float32([-1]), np.float32([[0.8]]), np.float32([np.nan]))


def watched(values: list[float] | np.ndarray, until: Ends = UP_TO_ONE, state: Courses | None = None, day: int = 0):
    """The state after a value a day of one track of one robot; the day after the last has begun."""
    state = trend.empty(1, 1) if state is None else state
    for number, value in enumerate([*values, np.nan], day):
        state, _ = trend.step(state, number * DAY_US, np.float32([[value]]), until, DEFAULT)
    return state


def said(state: Courses) -> Life:
    """What is said of one track of one robot, as numbers."""
    return Life(*(array[0, 0] for array in trend.life(state)))


def worn(days: int, rate: float, noise: float, seed: int = 1, start: float = 0.1) -> np.ndarray:
    return start + rate * np.arange(days) + noise * np.random.default_rng(seed).normal(size=days)


def test_steady_wear_reaches_its_limit_when_it_does() -> None:
    life = said(watched(worn(90, rate=0.005, noise=0.005)))
    truth = (1.0 - (0.1 + 0.005 * 89)) / 0.005
    assert life.remaining == pytest.approx(truth, rel=0.15)
    assert life.low < truth < life.high


def test_a_value_that_falls_towards_its_limit_is_judged_alike() -> None:
    life = said(watched(1.0 - 0.001 * np.arange(100), DOWN_TO))
    assert life.remaining == pytest.approx(101, rel=0.05)


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    robots, days = 400, 60
    generator = np.random.default_rng(7)
    rate = generator.uniform(0.002, 0.008, robots)
    state = trend.empty(robots, 1)
    for day in range(days + 1):
        noise = generator.standard_t(4, robots) * 0.01
        value = (0.1 + rate * day + noise)[:, None].astype(np.float32)
        state, _ = trend.step(state, day * DAY_US, value, UP_TO_ONE, DEFAULT)
    life = trend.life(state)
    truth = (0.9 - rate * (days - 1)) / rate
    known = np.isfinite(life.remaining[:, 0])
    held = (life.low[:, 0] <= truth) & (truth <= life.high[:, 0])
    assert known.mean() > 0.95
    assert held[known].mean() > 0.8


@pytest.mark.parametrize("days", range(1, DEFAULT.enough))
def test_a_few_days_tell_nothing(days: int) -> None:
    life = said(watched(worn(days, rate=0.02, noise=0.0001)))
    assert np.isnan([life.remaining, life.low, life.high, life.chance]).all()
    assert not life.due


def test_nothing_is_known_of_what_does_not_clearly_move() -> None:
    life = said(watched(worn(40, rate=0.0, noise=0.05, seed=3, start=0.5)))
    assert np.isnan(life.remaining)


def test_what_stands_still_far_from_its_limit_lasts_for_years() -> None:
    life = said(watched([0.1] * 60))
    assert np.isinf(life.remaining)
    assert np.isinf(life.high)
    assert life.low == DEFAULT.longest_days


def test_without_a_limit_nothing_is_said() -> None:
    endless = Ends(np.float32([1]), np.float32([[np.nan]]), np.float32([np.nan]))
    assert np.isnan(said(watched(worn(60, rate=0.005, noise=0.001), endless)).remaining)


def test_a_limit_can_be_a_multiple_of_the_value_when_new() -> None:
    tripled = Ends(np.float32([1]), np.float32([[np.nan]]), np.float32([3.0]))
    before = said(watched(0.2 + 0.001 * np.arange(DEFAULT.commissioning - 1), tripled))
    assert np.isnan(before.remaining), "nobody knows yet what it was when new"
    new = 0.2 + 0.001 * (DEFAULT.commissioning - 1)
    state = watched(0.2 + 0.001 * np.arange(60), tripled)
    assert trend.limits_of(state, tripled)[0, 0] == pytest.approx(3 * new, rel=0.01)
    assert said(state).remaining == pytest.approx((3 * new - 0.259) / 0.001, rel=0.05)


def test_a_warning_comes_before_the_limit_and_never_from_standing_still() -> None:
    state = trend.empty(1, 1)
    due = []
    for day, value in enumerate(worn(181, rate=0.005, noise=0.005)):
        state, _ = trend.step(state, day * DAY_US, np.float32([[value]]), UP_TO_ONE, DEFAULT)
        due.append(bool(said(state).due))
    first = due.index(True)
    assert 10 <= 180 - first <= DEFAULT.horizon_days + 5
    assert all(due[first:]), "nor is it taken back and raised again"
    assert not said(watched(worn(200, rate=0.0, noise=0.05))).due


def test_a_warning_ends_when_the_wear_does() -> None:
    state = watched(worn(165, rate=0.005, noise=0.002))
    assert said(state).due
    assert not said(watched([0.925] * 90, state=state, day=165)).due


def test_what_is_beyond_its_limit_has_nothing_left() -> None:
    life = said(watched(worn(220, rate=0.005, noise=0.002)))
    assert (life.remaining, life.low, life.chance) == (0, 0, 1)
    still = said(watched([1.2] * 60))
    assert (still.remaining, still.low, still.high, still.chance) == (0, 0, 0, 1)
    assert not still.due, "that is the limit's to say"


def test_one_wild_day_changes_little() -> None:
    values = worn(90, rate=0.005, noise=0.005)
    calm = said(watched(values)).remaining
    values[80] += 0.5
    assert said(watched(values)).remaining == pytest.approx(calm, rel=0.2)


def test_a_replaced_part_starts_anew_by_itself() -> None:
    state = watched([*worn(140, rate=0.005, noise=0.005), *worn(8, rate=0.001, noise=0.005, start=0.05)])
    assert state.days[0, 0] < 8
    assert np.isnan(state.new[0, 0]), "its value when new is learned again"
    assert np.isnan(said(state).remaining)
    life = said(watched(worn(60, rate=0.005, noise=0.002, start=0.05), state=state, day=148))
    assert life.remaining == pytest.approx((0.95 - 0.005 * 59) / 0.005, rel=0.15)


def test_a_jump_for_the_worse_starts_the_course_anew_but_not_the_part() -> None:
    state = watched([*worn(60, rate=0.001, noise=0.005), *worn(20, rate=0.001, noise=0.005, start=0.6)])
    assert state.days[0, 0] < 20
    assert state.new[0, 0] == pytest.approx(0.1, abs=0.03)
    assert state.level[0, 0] == pytest.approx(0.62, abs=0.03)


def test_wear_that_becomes_fast_is_foretold_by_its_new_pace_before_it_reaches_the_limit() -> None:
    slow = worn(200, rate=0.0002, noise=0.01)
    fast = slow[-1] + (1 - slow[-1]) / 20 * np.arange(1, 16) + 0.01 * np.random.default_rng(2).normal(size=15)
    life = said(watched([*slow, *fast]))
    assert life.due
    assert life.remaining == pytest.approx(5, abs=2)


def test_what_has_just_changed_its_pace_is_not_said_to_last_for_years() -> None:
    slow = worn(200, rate=0.0, noise=0.01)
    assert np.isinf(said(watched(slow)).remaining)
    for days in range(3, 12):
        fast = slow[-1] + 0.04 * np.arange(1, days + 1)
        assert not np.isinf(said(watched([*slow, *fast])).remaining)


def test_a_battery_that_recovers_for_a_few_days_is_the_same_battery() -> None:
    values = 1.0 - 0.001 * np.arange(100) + 0.003 * np.random.default_rng(3).normal(size=100)
    values[70:73] += 0.03
    state = watched(values, DOWN_TO)
    assert state.new[0, 0] == pytest.approx(0.987, abs=0.01)
    assert state.days[0, 0] == 100
    assert said(state).remaining == pytest.approx(101, rel=0.3)


def test_reset_forgets_one_track_of_one_robot() -> None:
    until = Ends(np.float32([1, 1]), np.float32([[1, 1]]), np.float32([np.nan, np.nan]))
    state = trend.empty(2, 2)
    for day, value in enumerate(worn(60, rate=0.005, noise=0.001)):
        state, _ = trend.step(state, day * DAY_US, np.full((2, 2), value, np.float32), until, DEFAULT)
    fresh = trend.reset(state, np.array([1]), np.array([0]))
    assert np.isnan(trend.life(fresh).remaining).tolist() == [[False, False], [True, False]]
    assert trend.empty(2, 2).days[1, 0] == fresh.days[1, 0]
    assert (state.days > 0).all(), "and the state before is left as it was"


def test_days_without_values_neither_teach_nor_mislead() -> None:
    days = np.arange(90)
    values = 0.1 + 0.005 * days
    values[30:60] = np.nan
    state = watched(values)
    assert state.days[0, 0] == 60
    assert said(state).remaining == pytest.approx((1 - values[-1]) / 0.005, rel=0.05)


def test_what_was_not_measured_lately_has_less_left_than_it_had() -> None:
    values = 0.1 + 0.005 * np.arange(90)
    fresh, old = said(watched(values)), said(watched([*values, *[np.nan] * 20]))
    assert old.remaining == pytest.approx(fresh.remaining - 20)
    assert old.low == pytest.approx(fresh.low - 20)


def test_epochs_of_a_day_count_as_their_mean_and_late_ones_not_at_all() -> None:
    state = trend.empty(1, 1)
    for epoch, value in enumerate([0.1, 0.3, np.nan, 0.2, 0.9]):
        state, closed = trend.step(state, epoch * EPOCH_US, np.float32([[value]]), UP_TO_ONE, DEFAULT)
        assert closed.tolist() == [epoch == 4]
    assert state.level[0, 0] == pytest.approx(0.2)
    late, _ = trend.step(state, EPOCH_US, np.float32([[5.0]]), UP_TO_ONE, DEFAULT)
    assert _same(late, state)


_series = st.lists(
    st.one_of(st.just(np.nan), st.floats(0, 2, width=32), st.sampled_from([0.1, 0.11, 0.5])),
    min_size=2,
    max_size=40,
)


@settings(max_examples=40)
@given(st.lists(st.tuples(_series, st.integers(0, 3)), min_size=2, max_size=3))
def test_robots_side_by_side_are_judged_as_each_alone(robots: list[tuple[list[float], int]]) -> None:
    """Also those that have not said anything yet, or a day later."""
    length = max(len(series) for series, _ in robots) + 3
    matrix = np.full((length, len(robots), 1), np.nan, np.float32)
    for robot, (series, delay) in enumerate(robots):
        matrix[delay : delay + len(series), robot, 0] = series
    together = _run(matrix)
    for robot in range(len(robots)):
        alone = _run(matrix[:, robot : robot + 1])
        for name, a in _arrays(alone).items():
            np.testing.assert_array_equal(a, _arrays(together)[name][robot : robot + 1])


@settings(max_examples=40)
@given(_series, _series, st.integers(0, 40))
def test_the_future_changes_nothing_and_a_stored_state_goes_on(
    past: list[float], future: list[float], at: int
) -> None:
    before = _run(np.float32(past)[:, None, None])
    stored = {name: array.tobytes() for name, array in _arrays(before).items()}
    both = np.float32([*past, *future])[:, None, None]
    restored = Courses(
        **{
            name: np.frombuffer(packed, _arrays(before)[name].dtype).reshape(_arrays(before)[name].shape)
            for name, packed in stored.items()
        }
    )
    assert _same(_run(both[len(past) :], restored, len(past)), _run(both))
    assert {name: array.tobytes() for name, array in _arrays(before).items()} == stored


def _run(matrix: Float32, state: Courses | None = None, epoch: int = 0) -> Courses:
    """Two epochs a day."""
    state = trend.empty(matrix.shape[1], 1) if state is None else state
    for number, value in enumerate(matrix, epoch):
        state, _ = trend.step(state, number * DAY_US // 2, value, UP_TO_ONE, DEFAULT)
    return state


def _arrays(state: Courses) -> dict[str, np.ndarray]:
    return {f.name: getattr(state, f.name) for f in fields(Courses)}


def _same(one: Courses, other: Courses) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(_arrays(one).values(), _arrays(other).values(), strict=True)
    )


def test_an_end_is_the_alarm_limit_of_the_robots_model() -> None:
    limits = read_limits(
        {"ZZSIM0HUMAN1": {"joint_wear": {"above": {"warn": 0.4, "alarm": 0.5, "deadband": 0}}}}, ""
    )
    signals = ("joint_wear", "battery_soh", "pose_accuracy_mm")
    found = ends(signals, ("ZZSIM0HUMAN1", "ZZSIM0HUMAN2", "ZZSIM0HUMAN1"), limits)
    assert found.sign.tolist() == [1, -1, 1]
    np.testing.assert_allclose(found.limit, [[0.5, 0.8, np.nan], [0.8, 0.8, np.nan], [0.5, 0.8, np.nan]])
    np.testing.assert_array_equal(found.factor, np.float32([np.nan, np.nan, 3]))
    assert ends(signals, ("ZZSIM0HUMAN2",) * 2, limits).limit.shape == (1, 3), "one row does for robots alike"
