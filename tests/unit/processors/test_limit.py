"""Limit rules over a shard's matrix: levels, hysteresis, delays, absence, both sides, models, the fault mode."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.detectors import limit
from processors.findings import LIMIT, MODE, Finding, Level, Report
from processors.shard import Column, Shard, empty_shard, restore, snapshot, widened, with_rows
from processors.shard_window import columns_of, components_of, models_of, read_window
from schemas.limits import Limits, read_limits
from schemas.vitals import Vitals
from support.assess import NAN, Readings, robot, start_of, window

DEFAULT = Limits()
CODE, OTHER = robot(1), robot(2)
OK, WARN, ALARM = Level.OK, Level.WARN, Level.ALARM


def judge(
    shard: Shard, vitals: Vitals, limits: Limits = DEFAULT, due: bool = False
) -> tuple[Shard, dict[int, Report]]:
    """One step, as the assessor does it."""
    seen = read_window(vitals)
    models, _ = models_of(seen.robots)
    columns = columns_of(seen.layout, tuple(models), limits)
    shard = widened(shard, seen.robots, columns, components_of(seen.layout))
    rows = shard.rows(seen.robots)
    shard, reports = limit.step(shard, rows, seen, limits, np.full(len(rows), due))
    return with_rows(shard, rows, window_us=seen.start_us), reports


def levels(shard: Shard, code: str = CODE) -> dict[Column, Level]:
    row = shard.find(code)
    assert row is not None
    found = limit.levels(shard.phase[[row]])[0]
    return {column: Level(level) for column, level in zip(shard.columns, found, strict=True)}


def temperatures(values: Sequence[float], limits: Limits = DEFAULT, code: str = CODE) -> list[Level]:
    """The level of joint 1's temperature after each window."""
    shard, found = empty_shard(), []
    for number, value in enumerate(values):
        shard, _ = judge(shard, window({code: {"joint_temperature_c": [value]}}, number), limits)
        found.append(levels(shard, code)[Column("joint_temperature_c", 1, "above")])
    return found


def only(reports: dict[int, Report]) -> Finding:
    (report,) = reports.values()
    (finding,) = report.findings
    return finding


def test_an_alarm_begins_with_the_first_window_beyond() -> None:
    assert temperatures([30, 90]) == [OK, ALARM]


def test_a_warning_begins_with_the_second_window_beyond_in_a_row() -> None:
    assert temperatures([80, 79.9, 80, 80, 80]) == [OK, OK, OK, WARN, WARN]


def test_a_level_ends_with_the_second_window_in_a_row_that_is_inside_by_the_deadband() -> None:
    assert temperatures([95, 30, 30]) == [ALARM, ALARM, OK]
    assert temperatures([95, 86, 88, 86, 86]) == [ALARM, ALARM, ALARM, ALARM, WARN]


def test_a_value_within_the_deadband_keeps_the_level_for_ever() -> None:
    assert temperatures([95, *[87.5] * 20])[-1] == ALARM
    assert temperatures([85, 85, *[77.5] * 20])[-1] == WARN


def test_an_alarm_that_eases_becomes_a_warning() -> None:
    assert temperatures([95, 82, 82, 30, 30]) == [ALARM, ALARM, WARN, WARN, OK]


def test_what_is_absent_neither_begins_nor_ends_anything() -> None:
    assert temperatures([NAN] * 3) == [OK, OK, OK]
    assert temperatures([95, NAN, NAN, NAN]) == [ALARM] * 4
    assert temperatures([85, NAN, 85]) == [OK, OK, WARN]
    assert temperatures([95, 30, NAN, 30]) == [ALARM, ALARM, ALARM, OK]


def test_a_side_below_is_judged_mirrored() -> None:
    shard, found = empty_shard(), []
    for number, soh in enumerate([0.95, 0.84, 0.84, 0.79, 0.805, 0.805, 0.812, 0.812, 0.87, 0.87]):
        shard, _ = judge(shard, window({CODE: {"battery_soh": soh}}, number))
        found.append(levels(shard)[Column("battery_soh", 0, "below")])
    assert found == [OK, OK, WARN, ALARM, ALARM, ALARM, ALARM, WARN, WARN, OK]


def test_a_reported_change_has_its_numbers() -> None:
    shard, _ = judge(empty_shard(), window({CODE: {"joint_temperature_c": [30.0, 85.0]}}, 0))
    shard, reports = judge(shard, window({CODE: {"joint_temperature_c": [30.0, 86.1]}}, 1))
    finding = only(reports)
    assert (finding.rule, finding.component, finding.signal, finding.side) == (
        LIMIT, "joint/2", "joint_temperature_c", "above",
    )  # fmt: skip
    assert (finding.level, finding.value, finding.limit, finding.windows) == (WARN, 86.1, 80.0, 2)
    assert finding.first_us == start_of(0), "the first sign was a window before"
    assert reports[0].until_us == start_of(2)
    _, reports = judge(shard, window({CODE: {"joint_temperature_c": [30.0, 99.0]}}, 2))
    assert (only(reports).level, only(reports).limit, only(reports).windows) == (ALARM, 90.0, 3)


def test_what_ends_is_reported_with_the_value_that_ended_it() -> None:
    shard = empty_shard()
    for number, value in enumerate([95.0, 31.0]):
        shard, _ = judge(shard, window({CODE: {"joint_temperature_c": [value]}}, number))
    shard, reports = judge(shard, window({CODE: {"joint_temperature_c": [30.0]}}, 2))
    assert (only(reports).level, only(reports).value, only(reports).limit) == (OK, 30.0, 90.0)
    _, reports = judge(shard, window({CODE: {"joint_temperature_c": [30.0]}}, 3), due=True)
    assert reports[0].findings == []


def test_nothing_is_reported_while_nothing_changes_but_to_who_is_due() -> None:
    shard, _ = judge(empty_shard(), window({CODE: {"joint_temperature_c": [95.0]}}, 0))
    shard, reports = judge(shard, window({CODE: {"joint_temperature_c": [96.0]}}, 1))
    assert reports == {}
    _, reports = judge(shard, window({CODE: {"joint_temperature_c": [97.0]}}, 2), due=True)
    assert (only(reports).level, only(reports).value) == (ALARM, 97.0)


def test_a_model_with_limits_of_its_own_is_judged_by_them_and_the_others_are_not() -> None:
    own = robot(3, "MODEL2")
    limits = read_limits({own[:12]: {"joint_temperature_c": {"above": _limit(40, 50, 2)}}}, "test")
    both = {CODE: {"joint_temperature_c": [60.0]}, own: {"joint_temperature_c": [60.0]}}
    shard, _ = judge(empty_shard(), window(both, 0), limits)
    column = Column("joint_temperature_c", 1, "above")
    assert (levels(shard)[column], levels(shard, own)[column]) == (OK, ALARM)


def test_a_signal_that_has_limits_only_in_the_file_is_judged_by_a_statistic_that_it_keeps() -> None:
    limits = read_limits({CODE[:12]: {"joint_torque_nm": {"above": _limit(10, 20, 1)}}}, "test")
    shard, _ = judge(empty_shard(), window({CODE: {"joint_torque_nm": [25.0]}}, 0), limits)
    assert levels(shard)[Column("joint_torque_nm", 1, "above")] == ALARM


def test_a_limit_that_is_taken_away_ends_its_level() -> None:
    limits = read_limits({CODE[:12]: {"joint_torque_nm": {"above": _limit(10, 20, 1)}}}, "test")
    shard, _ = judge(empty_shard(), window({CODE: {"joint_torque_nm": [25.0]}}, 0), limits)
    shard, reports = judge(shard, window({CODE: {"joint_torque_nm": [25.0]}}, 1))
    assert levels(shard)[Column("joint_torque_nm", 1, "above")] == OK
    assert only(reports).level == OK


def test_a_robot_that_says_fault_is_at_fault_until_two_windows_without() -> None:
    shard, found = empty_shard(), []
    for number, frames in enumerate([0, 1, 0, 0]):
        shard, reports = judge(shard, window({CODE: {"battery_soc": 0.5}}, number, fault_frames=frames))
        found += [(only(reports).rule, only(reports).level)] if reports else []
    assert found == [(MODE, ALARM), (MODE, OK)]


def test_robots_of_different_layouts_share_a_shard() -> None:
    shard, _ = judge(empty_shard(), window({CODE: {"joint_temperature_c": [95.0]}}, 0))
    shard, _ = judge(shard, window({OTHER: {"battery_soh": 0.7}}, 0))
    hot, flat = Column("joint_temperature_c", 1, "above"), Column("battery_soh", 0, "below")
    assert (levels(shard)[hot], levels(shard)[flat]) == (ALARM, OK)
    assert (levels(shard, OTHER)[hot], levels(shard, OTHER)[flat]) == (OK, ALARM)


def test_a_robot_that_changes_its_layout_keeps_the_state_of_the_slots_that_remain() -> None:
    shard, _ = judge(empty_shard(), window({CODE: {"joint_temperature_c": [85.0, 95.0], "battery_soc": 0.5}}, 0))
    shard, _ = judge(shard, window({CODE: {"joint_temperature_c": [85.0], "joint_wear": [0.1]}}, 1))
    found = levels(shard)
    assert found[Column("joint_temperature_c", 1, "above")] == WARN, "its first window counted"
    assert found[Column("joint_temperature_c", 2, "above")] == ALARM, "absent ends nothing"


@pytest.mark.parametrize(
    ("values", "zone"), [([69.9], 1), ([70], 2), ([80, 80], 3), ([90], 4), ([70, 69], 2), ([70, 66, 66], 1)]
)
def test_zones_lie_between_as_new_and_beyond_alarm(values: list[float], zone: int) -> None:
    shard = empty_shard()
    for number, value in enumerate(values):
        shard, _ = judge(shard, window({CODE: {"joint_temperature_c": [value]}}, number))
    assert limit.zones(shard.phase, shard.columns)[0].tolist() == [zone, 0], "the second is the mode, without one"


def test_a_slot_without_a_value_has_no_zone() -> None:
    shard, _ = judge(empty_shard(), window({CODE: {"joint_temperature_c": [NAN]}}, 0))
    assert not limit.zones(shard.phase, shard.columns).any()


_value = st.sampled_from([NAN, 30.0, 68.0, 75.0, 78.0, 82.0, 88.0, 92.0])
_fleet = st.lists(st.lists(_value, min_size=3, max_size=3), min_size=1, max_size=12)


@given(_fleet)
def test_robots_side_by_side_are_judged_as_each_alone(windows: list[list[float]]) -> None:
    codes = [robot(n) for n in range(3)]
    together, alone = empty_shard(), [empty_shard() for _ in codes]
    for number, values in enumerate(windows):
        readings: dict[str, Readings] = {
            code: {"joint_temperature_c": [value]} for code, value in zip(codes, values, strict=True)
        }
        together, _ = judge(together, window(readings, number))
        alone = [
            judge(shard, window({code: readings[code]}, number))[0]
            for shard, code in zip(alone, codes, strict=True)
        ]
    assert [levels(together, code) for code in codes] == [
        levels(shard, code) for shard, code in zip(alone, codes, strict=True)
    ]


@given(st.lists(_value, min_size=1, max_size=12), st.integers(0, 11))
def test_a_restored_state_goes_on_as_if_nothing_had_been(values: list[float], at: int) -> None:
    straight = restored = empty_shard()
    for number, value in enumerate(values):
        vitals = window({CODE: {"joint_temperature_c": [value]}}, number)
        straight, told = judge(straight, vitals)
        restored, told_again = judge(restore(snapshot(restored)) if number == at else restored, vitals)
        assert told == told_again
    assert snapshot(straight) == snapshot(restored)


@given(st.lists(_value, min_size=1, max_size=20))
def test_levels_never_rise_without_a_value_beyond(values: list[float]) -> None:
    before = OK
    for value, level in zip(values, temperatures(values), strict=True):
        if level > before:
            assert value >= (80 if level == WARN else 90)
        before = level


def _limit(warn: float, alarm: float, deadband: float) -> dict[str, float]:
    return {"warn": warn, "alarm": alarm, "deadband": deadband}
