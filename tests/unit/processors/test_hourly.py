"""Windows of an hour to one row, from what the database sends."""

import math
import re
import struct
from datetime import UTC, datetime, timedelta

from deploy.migrate import DIRECTORY
from processors.hourly import HOUR_US, HOURLY_COLUMNS, JOINT_COLUMNS, OTHER_COLUMNS, VITALS_COLUMNS, hourly_rows
from schemas.columns import ABSENT
from schemas.signals import SIGNALS, Component

START_US = 1_760_000_400_000_000 // HOUR_US * HOUR_US
MINUTE_US = 60_000_000


def array(kind: str, oid: int, values):
    """As PostgreSQL sends an array: the head, then each element behind its length."""
    elements = b"".join(struct.pack(f">i{kind}", struct.calcsize(kind), value) for value in values)
    return struct.pack(">iiiii", 1, 0, oid, len(values), 1) + elements


def reals(values):
    return array("f", 700, [math.nan if value is None else value for value in values])


def window(minute: int = 0, frames: int = 60, robot: str = "ONE", boot: int = 1, cycles: int = 5, **statistics):
    """A row of vitals; a list is a joint's statistic."""
    start_us = START_US + minute * MINUTE_US
    integers = [start_us, start_us + 9, start_us + 10, MINUTE_US, frames, 2, 1, 0, boot, 1, 60, ABSENT, cycles]
    joints = {name: statistics.get(name) for name in JOINT_COLUMNS}
    return {name: values and reals(values) for name, values in joints.items()} | {
        "robot_id": robot, "software": f"{minute}.0", "scenario": "lab", "integers": array("q", 20, integers),
        "reals": reals([statistics.get(name) for name in OTHER_COLUMNS]),
    }  # fmt: skip


def hours(*windows):
    return [dict(zip(HOURLY_COLUMNS, row, strict=True)) for row in hourly_rows(windows)]


def test_no_windows_are_no_hours():
    assert hours() == []


def test_counts_add_up_and_the_last_window_says_how_it_ended():
    (hour,) = hours(
        window(0, frames=10, boot=1), window(1, frames=0, boot=2), window(2, frames=20, boot=1, cycles=7)
    )
    assert hour["start"] == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=START_US)
    assert (hour["windows"], hour["frames"], hour["missing"], hour["fault_frames"]) == (3, 30, 6, 3)
    assert (hour["seen_s"], hour["boots"]) == (120, 2)
    assert (hour["software"], hour["cycles"], hour["energy_wh"]) == ("2.0", 7, None)


def test_robots_and_hours_are_kept_apart_and_a_window_belongs_to_where_it_begins():
    found = hours(window(0), window(59), window(60), window(60, robot="TWO"))
    assert [(hour["robot_id"], hour["windows"]) for hour in found] == [("ONE", 2), ("ONE", 1), ("TWO", 1)]


def test_means_are_weighted_by_frames_and_rms_by_its_squares():
    (hour,) = hours(
        window(0, frames=30, joint_torque_nm_mean=[1.0], joint_torque_nm_rms=[3.0]),
        window(1, frames=10, joint_torque_nm_mean=[5.0], joint_torque_nm_rms=[1.0]),
    )
    assert hour["joint_torque_nm_mean"] == [2.0]
    assert hour["joint_torque_nm_rms"] == [math.sqrt((9 * 30 + 10) / 40)]


def test_what_a_window_does_not_have_changes_nothing():
    (hour,) = hours(
        window(0, battery_soc_last=0.5, battery_soc_min=0.25, joint_temperature_c_max=[70.0, None]),
        window(1, joint_temperature_c_max=None),
        window(2, joint_temperature_c_max=[60.0, None]),
    )
    assert (hour["battery_soc_last"], hour["battery_soc_min"]) == (0.5, 0.25)
    assert hour["joint_temperature_c_max"] == [70.0, None]
    assert (hour["joint_wear_last"], hour["battery_soh_last"]) == (None, None)


def test_an_hour_has_as_many_joints_as_its_longest_window():
    one, two = hours(
        window(0, joint_temperature_c_last=[1.0]),
        window(1, joint_temperature_c_last=[2.0, 3.0, 4.0]),
        window(0, robot="TWO", joint_temperature_c_last=[5.0, 6.0]),
    )
    assert one["joint_temperature_c_last"] == [2.0, 3.0, 4.0]
    assert two["joint_temperature_c_last"] == [5.0, 6.0]


def test_the_table_has_a_column_for_every_statistic_of_every_signal():
    parts = [
        part.partition(";")[0]
        for path in sorted(DIRECTORY.glob("*.sql"))
        for part in re.split("(?:CREATE|ALTER) TABLE vitals_hourly\\b", path.read_text())[1:]
    ]
    lines = [line.replace("ADD COLUMN ", "").split() for part in parts for line in part.splitlines()[1:]]
    found = {line[0]: line[1].rstrip(",") for line in lines if len(line) > 1}
    assert set(found) == set(HOURLY_COLUMNS)
    for signal in SIGNALS:
        for statistic in signal.statistics:
            kind = "real[]" if signal.component is Component.JOINT else "real"
            assert found[f"{signal.name}_{statistic}"] == kind


def test_every_statistic_is_selected():
    assert all(f"vitals.{name}" in VITALS_COLUMNS for name in (*JOINT_COLUMNS, *OTHER_COLUMNS))
