"""The shipped mapping of Unitree's LowState, held against messages with the fields of unitree_hg."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from ingest.account import Account
from ingest.mapping_file import load_mapping
from ingest.recordings import spell_frames
from ingest.sessions import find_sessions
from schemas.layout import parse_layout

SLOTS, JOINTS = 35, 29
BEGAN_S = 1_760_000_000.0


def low_state(number: int) -> dict[str, Any]:
    """As `json.dumps(asdict(message))` of unitree_sdk2py writes it; slots beyond the robot's joints are 0."""
    motors = [
        {"mode": 1, "q": slot / 100, "dq": -slot / 100, "ddq": 0.0, "tau_est": slot / 10,
         "temperature": [30, 40 + slot], "vol": 54.5, "sensor": [0, 0], "motorstate": 0, "reserve": [0] * 4}
        if slot < JOINTS else
        {"mode": 0, "q": 0.0, "dq": 0.0, "ddq": 0.0, "tau_est": 0.0, "temperature": [0, 0], "vol": 0.0,
         "sensor": [0, 0], "motorstate": 0, "reserve": [0] * 4}
        for slot in range(SLOTS)
    ]  # fmt: skip
    return {"time": BEGAN_S + number / 500, "version": [1, 0], "mode_pr": 0, "mode_machine": 5, "tick": number * 2,
            "imu_state": {"quaternion": [1, 0, 0, 0], "temperature": 70}, "motor_state": motors}  # fmt: skip


BMS = {
    "time": BEGAN_S + 0.05,
    "bms_state": {
        "version_high": 1, "version_low": 0, "fn": 0, "cell_vol": [4000, 4010, 3990] + [0] * 37,
        "bmsvoltage": [52000, 0, 0], "current": -2500, "soc": 83, "soh": 99,
        "temperature": [31, 35, 33] + [0] * 9, "cycle": 41, "manufacturer_date": 0, "bmsstate": [0] * 5,
    },
}  # fmt: skip


def test_joints_and_battery_of_a_g1_arrive_by_their_numbers_and_units(tmp_path: Path) -> None:
    lines = [low_state(number) for number in range(100)]
    (tmp_path / "walk.jsonl").write_text("\n".join(map(json.dumps, [*lines[:25], BMS, *lines[25:]])))
    mapping, account = load_mapping("unitree_lowstate"), Account()
    sessions = find_sessions(mapping, tmp_path)
    frames = list(spell_frames(mapping, sessions, account))
    assert (account.refused, account.damaged, len(frames)) == (0, 0, 2)
    layout = parse_layout(frames[0].layout)
    flat = struct.unpack(f"<{len(frames[0].values) // 4}f", frames[0].values)
    found = {name: flat[begin:end] for name, (begin, end) in layout.spans.items()}
    assert layout.joints == JOINTS
    assert found["joint_position_rad"] == pytest.approx([slot / 100 for slot in range(JOINTS)])
    assert found["joint_temperature_c"] == pytest.approx([40 + slot for slot in range(JOINTS)]), "of the winding"
    assert found["joint_voltage_v"] == pytest.approx([54.5] * JOINTS)
    expected = {
        "battery_soc": 0.83, "battery_soh": 0.99, "battery_voltage_v": 52.0, "battery_current_a": -2.5,
        "battery_temperature_c": 35.0, "battery_cell_min_v": 3.99, "battery_cell_max_v": 4.01,
        "battery_cell_spread_mv": 20.0,
    }  # fmt: skip
    assert {name: found[name][0] for name in expected} == pytest.approx(expected)
    assert [frame.cycles for frame in frames] == [41, 41]


def test_a_line_that_is_no_message_is_refused_with_the_byte_where_it_begins(tmp_path: Path) -> None:
    first = json.dumps(low_state(0)) + "\n"
    (tmp_path / "walk.jsonl").write_text(f'{first}{{"motor_state": []}}\n{json.dumps(low_state(1))}\n')
    mapping, account = load_mapping("unitree_lowstate"), Account()
    assert len(list(spell_frames(mapping, find_sessions(mapping, tmp_path), account))) == 1
    assert account.refusals[0] == f"walk.jsonl:{len(first)}: lines: there is no time, which is its time"


def test_a_field_that_no_message_has_is_told_at_the_end(tmp_path: Path) -> None:
    message = low_state(0)
    for motor in message["motor_state"]:
        del motor["vol"]
    (tmp_path / "walk.jsonl").write_text(json.dumps(message))
    mapping, account = load_mapping("unitree_lowstate"), Account()
    [frame] = spell_frames(mapping, find_sessions(mapping, tmp_path), account)
    assert "joint_voltage_v" not in frame.layout
    assert "walk.jsonl:0: lines: no message had motor_state[*].vol" in account.refusals
