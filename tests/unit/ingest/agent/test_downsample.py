"""Readings at any rate become frames at a set rate."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.agent.downsample import Downsampler, Readings, Sample, Summary
from schemas.errors import RejectError
from schemas.layout import parse_layout

TIME_US = 1_760_000_000_000_000


def _sample(mono_us: int, readings: Readings, **told: object) -> Sample:
    return Sample(time_us=TIME_US + mono_us, mono_us=mono_us, readings=readings, **told)  # type: ignore[arg-type]


def _run(samples: list[Sample], rate_hz: float = 1.0) -> list[Summary]:
    downsampler = Downsampler(rate_hz)
    summaries = [summary for sample in samples for summary in downsampler.add(sample)]
    return summaries + downsampler.flush()


def _floats(packed: bytes) -> list[float]:
    return list(struct.unpack(f"<{len(packed) // 4}f", packed))


def _by_name(summary: Summary, packed: bytes, part: int = 0) -> dict[str, list[float]]:
    layout = parse_layout(summary.layout)
    floats = _floats(packed)[part * len(layout.slots) : (part + 1) * len(layout.slots)]
    return {name: floats[begin:end] for name, (begin, end) in layout.spans.items()}


def test_a_period_has_mean_lowest_and_highest_of_every_slot() -> None:
    (summary,) = _run([_sample(n, {"joint_current_a": [1.0 * n, 5.0], "battery_soc": 0.5}) for n in (1, 2, 6)])
    assert summary.samples == 3
    assert summary.extremes is not None
    assert _by_name(summary, summary.values) == {"joint_current_a": [3.0, 5.0], "battery_soc": [0.5]}
    assert _by_name(summary, summary.extremes, 0) == {"joint_current_a": [1.0, 5.0], "battery_soc": [0.5]}
    assert _by_name(summary, summary.extremes, 1) == {"joint_current_a": [6.0, 5.0], "battery_soc": [0.5]}


def test_a_slower_input_passes_as_it_is_without_extremes() -> None:
    summaries = _run([_sample(n * 2_000_000, {"battery_soc": n / 10}) for n in range(3)])
    assert [summary.extremes for summary in summaries] == [None] * 3
    assert [_floats(summary.values) for summary in summaries] == [pytest.approx([n / 10]) for n in range(3)]


def test_a_source_that_sends_joints_and_battery_in_turns_becomes_one_frame_a_period() -> None:
    readings: list[Readings] = [{"joint_current_a": [1.0, 2.0]}, {"battery_soc": 0.5}]
    summaries = _run([_sample(n * 100_000, readings[n % 2]) for n in range(20)])
    assert [summary.layout for summary in summaries] == ["2:joint_current_a,battery_soc"] * 2


def test_periods_lie_on_a_grid_so_a_pause_does_not_shift_them() -> None:
    monos = [100_000, 900_000, 1_950_000, 2_010_000, 7_500_000]
    assert [s.samples for s in _run([_sample(mono, {"battery_soc": 0.5}) for mono in monos])] == [2, 1, 1, 1]


def test_a_period_that_is_over_comes_without_another_sample() -> None:
    downsampler = Downsampler(1.0)
    downsampler.add(_sample(100_000, {"battery_soc": 0.5}))
    assert downsampler.due(999_999) == []
    assert len(downsampler.due(1_000_000)) == 1
    assert downsampler.due(5_000_000) == []


def test_counters_mode_and_texts_are_the_last_that_were_told() -> None:
    first, second = _run([
        _sample(0, {}, runtime_s=5, mode=1, scenario="factory_line"),
        _sample(1, {}, runtime_s=6, cycles=9, software="2.1"),
        _sample(2, {}, mode=2),
        _sample(1_000_000, {}),
    ])  # fmt: skip
    told = (6, None, 9, 2, "factory_line", "2.1")
    for summary in (first, second):
        s = summary
        assert (s.runtime_s, s.energy_wh, s.cycles, s.mode, s.scenario, s.software) == told
    assert (first.time_us, first.mono_us) == (TIME_US + 2, 2)


def test_a_mode_that_changes_does_not_end_a_period() -> None:
    assert len(_run([_sample(n, {"battery_soc": 0.5}, mode=n % 2) for n in range(10)])) == 1


def test_other_joints_end_a_period_since_they_are_another_layout() -> None:
    summaries = _run([_sample(0, {"joint_current_a": [1.0]}), _sample(1, {"joint_current_a": [1.0, 2.0]})])
    assert [summary.layout for summary in summaries] == ["1:joint_current_a", "2:joint_current_a"]


def test_an_absent_reading_counts_for_nothing_and_a_slot_without_any_stays_absent() -> None:
    rows = [[1.0, None], [None, None], [3.0, math.nan]]
    (summary,) = _run([_sample(n, {"joint_current_a": list(row)}) for n, row in enumerate(rows)])
    mean, absent = _floats(summary.values)
    assert mean == 2.0
    assert math.isnan(absent)


def test_an_impossible_reading_is_kept_as_an_extreme_and_out_of_the_mean() -> None:
    rows = [40.0, 255.0, 42.0]
    (summary,) = _run([_sample(n, {"joint_temperature_c": [row]}) for n, row in enumerate(rows)])
    assert summary.extremes is not None
    assert _floats(summary.values) == [41.0]
    assert _floats(summary.extremes) == [40.0, 255.0]


@pytest.mark.parametrize("impossible", [math.inf, -math.inf, 1e300, 255.0])
def test_where_all_are_impossible_the_value_is_too(impossible: float) -> None:
    (summary,) = _run([_sample(n, {"joint_temperature_c": [impossible]}) for n in range(2)])
    (value,) = _floats(summary.values)
    assert not -40 <= value <= 150


@pytest.mark.parametrize("readings", [
    {"no_such_signal": 1.0}, {"joint_current_a": 1.0}, {"battery_soc": [1.0]}, {"joint_current_a": []},
    {"joint_current_a": [1.0], "joint_voltage_v": [1.0, 2.0]},
])  # fmt: skip
def test_what_a_frame_could_not_hold_is_refused_and_its_neighbours_stay(readings: Readings) -> None:
    downsampler = Downsampler(1.0)
    downsampler.add(_sample(0, {"battery_soc": 0.25}))
    with pytest.raises(RejectError):
        downsampler.add(_sample(2_000_000, readings))
    (summary,) = downsampler.flush()
    assert _floats(summary.values) == [0.25]


_numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
_messages = st.fixed_dictionaries(
    {},
    optional={
        "joint_current_a": st.lists(_numbers, min_size=2, max_size=2),
        "joint_wear": st.lists(_numbers, min_size=2, max_size=2),
        "battery_soc": _numbers,
    },
)


@given(st.lists(st.tuples(st.integers(0, 700_000), _messages), max_size=30))
def test_every_sample_is_in_one_period_and_means_lie_between_their_extremes(
    steps: list[tuple[int, Readings]],
) -> None:
    mono_us, samples = 0, []
    for passed_us, readings in steps:
        mono_us += passed_us
        samples.append(_sample(mono_us, readings))
    summaries = _run(samples, rate_hz=2.0)
    assert sum(summary.samples for summary in summaries) == len(samples)
    assert len({summary.mono_us // 500_000 for summary in summaries}) == len(summaries)
    for summary in summaries:
        values = _floats(summary.values)
        assert len(values) == len(parse_layout(summary.layout).slots)
        if summary.extremes is None:
            continue
        extremes = _floats(summary.extremes)
        lowest, highest = extremes[: len(values)], extremes[len(values) :]
        for value, low, high in zip(values, lowest, highest, strict=True):
            assert low <= value <= high or (math.isnan(value) and math.isnan(low) and math.isnan(high))
