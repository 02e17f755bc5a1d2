"""One message of a robot's own software: how it becomes signals, and what is said of one that cannot."""

import array
import json
import math
from typing import Any

import pytest

from ingest.agent.config import Config, read_config
from ingest.agent.reading import MAX_LINE_BYTES, Reading, ReadingError, read_line, read_mapping
from schemas.signals import MODES

PLAIN = Config()
MAPPED = read_config(
    {
        "readings": {
            "percent": {"signal": "battery_soc", "scale": 0.01},
            "kelvin": {"signal": "joint_temperature_c", "zero": 273.15},
            "knee_amps": {"signal": "joint_current_a", "joint": 2},
            "minutes": {"counter": "runtime_s", "scale": 60},
            "state": {"mode": {"RUN": "working", "3": "fault"}},
        },
        "joints": {"hip": 1, "knee": 3},
        "ignore": ["note"],
    },
    "robot.toml",
)


def read(readings: dict[str, Any], config: Config = PLAIN, **fields: Any) -> Reading:
    return read_line(json.dumps({"readings": readings, **fields}).encode(), config)


def test_signals_by_their_own_names_need_no_mapping() -> None:
    reading = read({"battery_soc": 0.5, "joint_wear": [0.1, None]}, mode="working", runtime_s=60, time_us=7)
    assert reading.readings == {"battery_soc": 0.5, "joint_wear": [0.1, None]}
    assert (reading.mode, reading.runtime_s, reading.energy_wh) == (MODES.index("working"), 60, None)
    assert reading.time_us == 7


def test_parts_come_beside_readings_by_line_and_by_call() -> None:
    parts = {"joint/3": "HD-0817", "battery": "B-1"}
    assert read({}, parts=parts).parts == parts
    assert read({"battery_soc": 0.5}).parts is None
    assert read_mapping({"battery_soc": 0.5}, PLAIN, {"parts": parts}).parts == parts
    with pytest.raises(ReadingError, match="parts"):
        read({}, parts={"knee": "HD-0817"})


def test_names_are_mapped_with_zero_and_scale() -> None:
    reading = read(
        {"percent": 50, "kelvin": [300.15, None, 290.15], "minutes": 2, "state": "RUN", "note": "x"}, MAPPED
    )
    assert reading.readings["battery_soc"] == 0.5
    assert reading.readings["joint_temperature_c"] == [27.0, None, 17.0]
    assert reading.runtime_s == 120
    assert reading.mode == MODES.index("working")


def test_named_joints_get_their_numbers_and_all_arrays_one_length() -> None:
    reading = read({"kelvin": {"knee": 280.15}, "knee_amps": 4.0}, MAPPED)
    assert reading.readings == {"joint_temperature_c": [None, None, 7.0], "joint_current_a": [None, 4.0, None]}


def test_a_mode_may_be_a_number() -> None:
    assert read({"state": 3}, MAPPED).mode == MODES.index("fault")


def test_what_python_writes_for_nan_is_absent_or_impossible() -> None:
    reading = read_line(b'{"readings": {"battery_soc": NaN, "tool_current_a": Infinity}}', Config())
    soc, current = reading.readings["battery_soc"], reading.readings["tool_current_a"]
    assert isinstance(soc, float)
    assert math.isnan(soc)
    assert current == math.inf


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"hello", "not JSON"),
        (b'{"readings": {"battery_soc": 0.5}', "not JSON"),
        (b"{}", "missing required field `readings`"),
        (b'{"readings": {}, "robot": "x"}', "unknown field `robot`"),
        (b'{"readings": {"heat": 1}}', "readings.heat: not in the signal table"),
        (b'{"readings": {"battery_soc": "full"}}', "readings.battery_soc: 'full' is not a number"),
        (b'{"readings": {"battery_soc": [1]}}', "readings.battery_soc: '[1.0]' is not a number"),
        (b'{"readings": {"joint_wear": 1}}', "readings.joint_wear: a joint's signal is an array"),
        (b'{"readings": {"joint_wear": {"knee": 1}}}', "readings.joint_wear.knee: [joints]"),
        (b'{"readings": {}, "mode": "asleep"}', "mode: 'asleep' is none of"),
        (b'{"readings": {}, "runtime_s": -1}', "runtime_s: Expected"),
        (b'{"readings": {}, "scenario": "a\\u0000"}', "scenario: a NUL"),
        (b'{"readings": {"joint_wear": [' + b"1," * 200 + b"1]}}", "201 joints; at most 128"),
        (b" " * (MAX_LINE_BYTES + 1), f"a reading has at most {MAX_LINE_BYTES}"),
        (b"[" * 100_000, "Expected `object`, got `array`"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_field(line: bytes, told: str) -> None:
    with pytest.raises(ReadingError) as caught:
        read_line(line, Config())
    assert told in str(caught.value)


def test_a_program_may_give_arrays_of_its_own_kind() -> None:
    reading = read_mapping(
        {"joint_wear": array.array("f", [0.5, 0.25]), "battery_soc": 1}, Config(), {"mode": "idle"}
    )
    assert reading.readings == {"joint_wear": [0.5, 0.25], "battery_soc": 1.0}
    with pytest.raises(ReadingError, match="is not a number"):
        read_mapping({"battery_soc": object()}, Config(), {})
    with pytest.raises(ReadingError, match="unknown field `colour`"):
        read_mapping({}, Config(), {"colour": "red"})
