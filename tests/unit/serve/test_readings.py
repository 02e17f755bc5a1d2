"""The latest value of every signal, wherever it was last seen."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.signals import SIGNALS, Statistic
from serve.readings import latest_readings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def frame(age_s: float, **readings: Any) -> dict[str, Any]:
    return {signal.name: None for signal in SIGNALS} | readings | {"time": NOW - timedelta(seconds=age_s)}


def window(age_s: float, **lasts: Any) -> dict[str, Any]:
    columns = {f"{s.name}_last": None for s in SIGNALS if Statistic.LAST in s.statistics}
    return columns | lasts | {"last_time": NOW - timedelta(seconds=age_s)}


def found(frames: list[dict[str, Any]], windows: list[dict[str, Any]]) -> list[tuple[str, int, float, float]]:
    readings = latest_readings(frames, windows)
    return [(r.signal, r.joint, r.value, (NOW - r.time).total_seconds()) for r in readings]


def test_the_newest_frame_wins():
    assert found([frame(1, battery_soc=0.5), frame(2, battery_soc=0.6)], []) == [("battery_soc", 0, 0.5, 1)]


def test_a_joint_that_is_absent_in_the_newest_frame_keeps_its_older_value():
    frames = [frame(1, joint_wear=[0.1, None]), frame(2, joint_wear=[0.2, 0.3])]
    assert found(frames, []) == [("joint_wear", 1, 0.1, 1), ("joint_wear", 2, 0.3, 2)]


def test_what_is_measured_now_and_then_comes_from_the_windows():
    windows = [window(30), window(60, pose_accuracy_mm_last=0.4)]
    assert found([frame(1)], windows) == [("pose_accuracy_mm", 0, 0.4, 60)]


def test_a_signal_that_never_had_a_value_is_left_out():
    assert found([frame(1)], [window(1)]) == []
