"""Bags of every format, written by rosbags' own writers, as frames; and what of a broken one arrives."""

import math
import re
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from rosbags.rosbag2 import StoragePlugin

from ingest.account import Account
from ingest.mapping_file import load_mapping
from ingest.recordings import spell_frames, spells
from ingest.sessions import find_sessions
from schemas.errors import SettingError
from schemas.frame import Frame
from schemas.layout import parse_layout
from schemas.signals import MODES
from support.bags import (
    BEGAN_US,
    CODE,
    JOINTS,
    SENT_LATER_US,
    Walk,
    mapping_for,
    write_json_mcap,
    write_ros1,
    write_rosbag2,
)

WALK = Walk()
FORMATS: dict[str, Callable[[Path], Path]] = {
    "MCAP": lambda path: write_rosbag2(path / "walk", WALK, StoragePlugin.MCAP),
    "rosbag2": lambda path: write_rosbag2(path / "walk", WALK, StoragePlugin.SQLITE3),
    "ROS 1, lz4": lambda path: write_ros1(path / "walk.bag", WALK, "lz4"),
    "ROS 1, bz2": lambda path: write_ros1(path / "walk.bag", WALK, "bz2"),
    "ROS 1": lambda path: write_ros1(path / "walk.bag", WALK, ""),
}


def _frames(file: Path, rate_hz: float = 0) -> tuple[list[Frame], Account]:
    mapping = load_mapping(str(mapping_for(file.parent, f"*{file.suffix}", rate_hz)))
    account = Account()
    sessions = find_sessions(mapping, file.parent)
    return [frame for spell in spells(sessions) for frame in spell_frames(mapping, spell, account)], account


def _values(frame: Frame) -> dict[str, list[float]]:
    layout = parse_layout(frame.layout)
    flat = struct.unpack(f"<{len(frame.values) // 4}f", frame.values)
    return {name: list(flat[begin:end]) for name, (begin, end) in layout.spans.items()}


def _float32(values: list[float]) -> list[float]:
    return list(struct.unpack(f"<{len(values)}f", struct.pack(f"<{len(values)}f", *values)))


@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
def test_every_message_arrives_as_it_was_written(tmp_path: Path, written: Callable[[Path], Path]) -> None:
    frames, account = _frames(written(tmp_path))
    assert (account.refused, account.damaged, len(frames)) == (0, 0, WALK.seconds * (WALK.joint_hz + 2))
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    assert {frame.robot_id for frame in frames} == {CODE}
    by_time = {frame.time_us: _values(frame) for frame in frames}
    for time_us in WALK.joint_times_us():
        row = WALK.joint_row(time_us)
        assert by_time[time_us] == {
            "joint_position_rad": _float32(row["position"]),
            "joint_velocity_rad_s": _float32(row["velocity"]),
            "joint_torque_nm": _float32(row["effort"]),
        }
    for time_us in WALK.battery_times_us():
        row = WALK.battery_row(time_us)
        found = by_time[time_us]
        assert math.isnan(found.pop("battery_temperature_c")[0]), "a battery that does not measure it says NaN"
        assert found == {
            "battery_soc": _float32([row["percentage"]]),
            "battery_voltage_v": _float32([row["voltage"]]),
            "battery_cell_spread_mv": [125.0],
        }
    for time_us in WALK.diagnostics_times_us():
        absent, knee, *others = by_time[time_us]["joint_temperature_c"]
        assert knee == _float32([WALK.knee_c(time_us)])[0]
        assert all(map(math.isnan, [absent, *others]))
    modes = {MODES[frame.mode] for frame in frames if frame.time_us in WALK.battery_times_us()}
    assert modes == {"working"}


@pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)
def test_at_a_rate_frames_have_mean_lowest_and_highest_of_all_topics(
    tmp_path: Path, written: Callable[[Path], Path]
) -> None:
    frames, _ = _frames(written(tmp_path), rate_hz=1)
    assert len(frames) == WALK.seconds
    assert all(MODES[frame.mode] == "working" for frame in frames)
    for number, frame in enumerate(frames):
        begin_us = BEGAN_US + number * 1_000_000
        rows = [
            WALK.joint_row(t)["position"] for t in WALK.joint_times_us() if begin_us <= t < begin_us + 1_000_000
        ]
        first = [row[0] for row in rows]
        assert _values(frame)["joint_position_rad"][0] == pytest.approx(sum(first) / len(first), rel=1e-6)
        assert frame.extremes is not None
        half = len(frame.extremes) // 2
        lowest = _values(msgspec.structs.replace(frame, values=frame.extremes[:half]))
        highest = _values(msgspec.structs.replace(frame, values=frame.extremes[half:]))
        assert lowest["joint_position_rad"][0] == _float32([min(first)])[0]
        assert highest["joint_position_rad"][0] == _float32([max(first)])[0]
        assert _values(frame)["battery_soc"] != []


def test_the_recorders_time_holds_where_the_mapping_says_so(tmp_path: Path) -> None:
    file = FORMATS["MCAP"](tmp_path)
    mapping = mapping_for(file.parent, "*.mcap")
    mapping.write_text(mapping.read_text().replace('"header"', '"log"'))
    loaded = load_mapping(str(mapping))
    [session] = find_sessions(loaded, file.parent)
    frames = list(spell_frames(loaded, [session], Account()))
    assert frames[0].time_us == BEGAN_US + SENT_LATER_US == session.first_us
    assert frames[-1].time_us == session.last_us


def test_a_second_reading_gives_the_same_boot_and_another_rate_another(tmp_path: Path) -> None:
    file = FORMATS["MCAP"](tmp_path)
    boots = [{frame.boot_id for frame in _frames(file, rate)[0]} for rate in (0, 0, 1)]
    assert boots[0] == boots[1]
    assert boots[0].isdisjoint(boots[2])


@pytest.mark.parametrize("written", [FORMATS["MCAP"], FORMATS["ROS 1"], FORMATS["ROS 1, lz4"]])
def test_a_file_cut_short_anywhere_gives_what_is_before_the_cut_and_says_where(
    tmp_path: Path, written: Callable[[Path], Path]
) -> None:
    file = written(tmp_path)
    whole = file.read_bytes()
    all_frames, _ = _frames(file)
    got = []
    for cut in range(len(whole) - 1, 0, -(len(whole) // 40)):
        file.write_bytes(whole[:cut])
        try:
            frames, account = _frames(file)
        except SettingError as error:
            assert file.name in str(error)
            continue
        assert [frame.values for frame in frames] == [frame.values for frame in all_frames[: len(frames)]]
        if len(frames) < len(all_frames):
            assert account.damages
            assert account.damages[0].startswith(f"{file.name}:")
        got.append(len(frames))
    assert got == sorted(got, reverse=True)
    assert got[0] == len(all_frames), "the index at the end is not needed"


def test_a_damaged_chunk_costs_itself_only(tmp_path: Path) -> None:
    lines = [(BEGAN_US + n, "/joint_states", _json_line(n)) for n in range(200)]
    file = write_json_mcap(tmp_path / "walk.mcap", lines)
    data = bytearray(file.read_bytes())
    fourth = [match.start() for match in re.finditer(re.escape(b"\x28\xb5\x2f\xfd"), data)][3]
    data[fourth + 40] ^= 0xFF
    file.write_bytes(data)
    frames, account = _frames(file)
    assert account.damaged == 1
    assert "walk.mcap:" in account.damages[0]
    assert "chunk" in account.damages[0]
    assert 150 < len(frames) < 200
    times = {frame.time_us for frame in frames}
    assert {BEGAN_US, BEGAN_US + 199} <= times, "what is before and behind it is there"


def _json_line(number: int) -> bytes:
    header = {"stamp": {"sec": 0, "nanosec": 0}}
    return msgspec.json.encode({"header": header, "name": list(JOINTS), "position": [number / 100] * 4})


def test_json_in_mcap_is_read_and_a_stamp_that_nobody_set_is_the_recorders_time(tmp_path: Path) -> None:
    file = write_json_mcap(tmp_path / "walk.mcap", [(BEGAN_US, "/joint_states", _json_line(7))])
    [frame], account = _frames(file)
    assert frame.time_us == BEGAN_US
    assert _values(frame)["joint_position_rad"] == _float32([0.07] * 4)
    assert account.refusals == [
        "walk.mcap:0: /joint_states: no message had velocity[*]",
        "walk.mcap:0: /joint_states: no message had effort[*]",
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"name": ["left_hip"], "position": [1, 2]}', "position[*] has 2 elements, and there are 1 joint names"),
        (b'{"name": ["left_hip"], "position": ["warm"]}', "position[*]: 'warm' is not a number"),
        (b'{"name": ', "cannot be decoded"),
        (b'{"header": {"stamp": {"sec": -5, "nanosec": 0}}, "name": [], "position": []}', "time lies before 1970"),
    ],
)
def test_a_message_that_cannot_be_used_is_refused_with_its_place_and_the_rest_goes_on(
    tmp_path: Path, line: bytes, reason: str
) -> None:
    lines = [(BEGAN_US, "/joint_states", _json_line(1)), (BEGAN_US + 1, "/joint_states", line)]
    lines.append((BEGAN_US + 2, "/joint_states", _json_line(2)))
    frames, account = _frames(write_json_mcap(tmp_path / "walk.mcap", lines))
    assert [frame.time_us - BEGAN_US for frame in frames] == [0, 2]
    assert "walk.mcap:" in account.refusals[0]
    assert reason in account.refusals[0]


def test_a_joint_that_the_mapping_does_not_know_is_told_once_and_the_others_arrive(tmp_path: Path) -> None:
    file = write_rosbag2(tmp_path / "walk", Walk(joints=(*JOINTS, "tail")), StoragePlugin.MCAP)
    frames, account = _frames(file)
    assert len(frames) == WALK.seconds * (WALK.joint_hz + 2)
    assert account.refused == 1
    assert "joint 'tail' is not in robot.joints" in account.refusals[0]


def test_a_bag_of_a_recorder_that_was_killed_has_its_last_rows_in_the_log_beside_it(tmp_path: Path) -> None:
    file = FORMATS["rosbag2"](tmp_path)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(
        "INSERT INTO messages (topic_id, timestamp, data) SELECT topic_id, timestamp, data FROM messages"
    )
    connection.commit()
    frames, _ = _frames(file)
    connection.close()
    assert len(frames) == 2 * WALK.seconds * (WALK.joint_hz + 2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"when,what\n", "is no MCAP, no ROS bag"),
        (b"#ROSBAG V1.2\n", "V2.0 is read"),
        (b"\x28\xb5\x2f\xfdxxxxxx", "unpack it first"),
        (b"\x89MCAP0\r\n", "none of the topics"),
        (b"", "is no MCAP, no ROS bag"),
    ],
)
def test_what_is_no_bag_is_said_with_its_name(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "walk.mcap").write_bytes(content)
    with pytest.raises(SettingError, match=rf"walk\.mcap: .*{said}"):
        _frames(tmp_path / "walk.mcap")


def test_another_database_is_no_bag(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "walk.db3") as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    with pytest.raises(SettingError, match="but no rosbag2"):
        _frames(tmp_path / "walk.db3")


def test_a_field_that_the_type_does_not_have_is_named(tmp_path: Path) -> None:
    file = FORMATS["MCAP"](tmp_path)
    mapping = mapping_for(file.parent, "*.mcap")
    mapping.write_text(mapping.read_text().replace('"effort[*]"', '"torque[*]"'))
    loaded = load_mapping(str(mapping))
    with pytest.raises(SettingError, match=r"/joint_states \(sensor_msgs/msg/JointState\) have no field torque"):
        list(spell_frames(loaded, find_sessions(loaded, file.parent), Account()))
