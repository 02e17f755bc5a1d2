"""Frozen rows as arrays."""

from datetime import UTC, datetime, timedelta

import numpy as np

from processors.incident.rows import FRAME_COLUMNS, PAST_COLUMNS, past_of, us_of, window_of

AT = datetime(2026, 11, 24, 8, tzinfo=UTC)


def frame(second: int, **readings: object) -> dict[str, object]:
    names = FRAME_COLUMNS.split(", ")
    return {**dict.fromkeys(names), "time": AT + timedelta(seconds=second), "seq": second, "boot_id": 1, "mode": 1,
            "software": "1", "scenario": "", **readings}  # fmt: skip


def hour(number: int, **statistics: object) -> dict[str, object]:
    names = PAST_COLUMNS.split(", ")
    return {
        **dict.fromkeys(names),
        "start": AT + timedelta(hours=number),
        "software": "1",
        "scenario": "shop",
        **statistics,
    }


def test_joints_count_from_one_and_what_is_absent_is_no_number():
    window = window_of(
        [frame(0, joint_velocity_rad_s=[1.0, None]), frame(1, joint_velocity_rad_s=None, battery_soc=0.5)]
    )
    assert set(window.readings) == {("joint/1", "joint_velocity_rad_s"), ("battery", "battery_soc")}
    np.testing.assert_array_equal(window.readings["joint/1", "joint_velocity_rad_s"], [1.0, np.nan])
    assert window.time_us.tolist() == [us_of(AT), us_of(AT) + 1_000_000]


def test_an_hours_highest_is_a_magnitude_of_its_extremes():
    past = past_of([hour(0, joint_current_a_min=[-9.0], joint_current_a_max=[4.0], joint_current_a_rms=[3.0])])
    assert past.highest["joint/1", "joint_current_a"].tolist() == [9.0]
    assert past.level["joint/1", "joint_current_a"].tolist() == [3.0]
    assert past.work == ["shop"]


def test_a_signal_of_which_hours_keep_no_extremes_has_no_highest():
    past = past_of([hour(0, joint_torque_nm_rms=[30.0])])
    assert ("joint/1", "joint_torque_nm") in past.level
    assert ("joint/1", "joint_torque_nm") not in past.highest


def test_nothing_is_nothing():
    assert len(window_of([]).time_us) == 0
    assert past_of([]).level == {}
