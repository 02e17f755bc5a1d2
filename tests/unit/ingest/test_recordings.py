"""The real recordings as frames, against the files read by plain csv and struct; and how files are refused.

What is expected here is computed without the mappings: column by column, as the recordings' README describes them.
"""

import csv
import math
import shutil
import struct
from collections import defaultdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.account import Account
from ingest.mapping_file import load_mapping
from ingest.recordings import spell_frames, spells
from ingest.sessions import find_sessions
from schemas.errors import SettingError
from schemas.frame import Frame
from schemas.signals import MODES
from support.recorded import recording


def _replayed(path: Path, mapping: str, *only: str) -> tuple[list[Frame], Account]:
    loaded, account = load_mapping(mapping), Account()
    sessions = find_sessions(loaded, path, only)
    frames = [frame for spell in spells(sessions) for frame in spell_frames(loaded, spell, account)]
    return frames, account


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _float32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _values(frame: Frame) -> dict[str, list[float]]:
    """Signal to values, by the layout's text alone."""
    joints, _, names = frame.layout.partition(":")
    flat = list(struct.unpack(f"<{len(frame.values) // 4}f", frame.values))
    found = {}
    for name in names.split(","):
        width = int(joints) if name.startswith("joint_") else 1
        found[name], flat = flat[:width], flat[width:]
    assert flat == []
    return found


def _same(found: list[float], expected: list[float]) -> bool:
    """Equal to the bit, with NaN equal to NaN."""
    return struct.pack(f"{len(found)}f", *found) == struct.pack(f"{len(expected)}f", *expected)


def _cell(text: str) -> float:
    return float(text) if text.strip() else math.nan


def test_every_value_of_the_ur3_recording_arrives_as_the_file_has_it() -> None:
    rows = _table(recording("ur3") / "ur3_cobotops.csv")
    frames, account = _replayed(recording("ur3"), "ur3")
    assert len(frames) == len(rows) == 7409
    for number, (frame, row) in enumerate(zip(frames, rows, strict=True)):
        values = _values(frame)
        expected = {
            "joint_velocity_rad_s": [row[f"Speed_J{i}"] for i in range(6)],
            "joint_current_a": [row[f"Current_J{i}"] for i in range(6)],
            "joint_temperature_c": [row["Temperature_T0"], *(row[f"Temperature_J{i}"] for i in range(1, 6))],
            "tool_current_a": [row["Tool_current"]],
        }
        assert values.keys() == expected.keys()
        for name, cells in expected.items():
            assert _same(values[name], [_cell(cell) for cell in cells]), (number, name)
        assert frame.time_us == datetime.fromisoformat(row["Timestamp"].strip('"')).timestamp() * 1e6
        assert (frame.cycles, frame.seq) == (int(row["cycle"]), number)
        assert MODES[frame.mode] == {"1": "fault", "0": "working", "": "idle"}[row["Robot_ProtectiveStop"]]
    blank = sum(not cell for row in rows for name, cell in row.items() if name != "Robot_ProtectiveStop")
    assert (account.absent, account.impossible, account.refused) == (blank, 0, 0)
    assert blank == 1018


def test_every_value_of_the_armpi_sessions_arrives_as_the_files_have_it() -> None:
    frames, account = _replayed(recording("armpi"), "armpi", "sessions")
    sessions = sorted((recording("armpi") / "sessions").iterdir())
    impossible, at = 0, 0
    for session in sessions:
        motors = [_table(session / f"data_motor_{motor}.csv") for motor in range(1, 7)]
        began_us = frames[at].time_us
        for number, rows in enumerate(zip(*motors, strict=True)):
            frame, values = frames[at], _values(frames[at])
            at += 1
            angles = [(float(row["position"]) - 500) * 0.24 * math.pi / 180 for row in rows]
            temperatures = [float(row["temperature"]) for row in rows]
            volts = [float(row["voltage"]) / 1000 for row in rows]
            assert list(map(_float32, angles)) == values["joint_position_rad"]
            assert list(map(_float32, temperatures)) == values["joint_temperature_c"]
            assert list(map(_float32, volts)) == values["joint_voltage_v"]
            since_s = float(rows[0]["time"]) - float(motors[0][0]["time"])
            assert abs(frame.time_us - began_us - since_s * 1e6) <= 1
            assert frame.seq == number
            impossible += sum(abs(angle) > 12.6 for angle in angles)
            impossible += sum(t > 150 for t in temperatures) + sum(v < 0 for v in volts)
    assert at == len(frames) == 27_923
    assert (account.absent, account.impossible, account.refused) == (0, impossible, 0)
    assert impossible == 34


def test_the_worst_junk_of_the_armpi_is_sent_as_it_is() -> None:
    frames, _ = _replayed(recording("armpi"), "armpi", "20240426_141532")
    lowest = min(value for frame in frames for value in _values(frame)["joint_position_rad"])
    assert lowest == _float32((-32233 - 500) * 0.24 * math.pi / 180)
    assert max(value for frame in frames for value in _values(frame)["joint_temperature_c"]) == 255


def test_an_armpi_session_ends_when_its_folder_says_though_that_has_sixty_four_seconds() -> None:
    frames, _ = _replayed(recording("armpi"), "armpi", "20240320_155664")
    assert frames[-1].time_us == datetime(2024, 3, 20, 15, 57, 4, tzinfo=UTC).timestamp() * 1e6


def test_sessions_of_one_arm_never_overlap_and_are_replayed_oldest_first() -> None:
    sessions = find_sessions(load_mapping("armpi"), recording("armpi"))
    assert len(sessions) == 18
    assert all(one.last_us < other.first_us for one, other in pairwise(sessions))
    assert len({session.boot_id("any") for session in sessions}) == 18


@pytest.mark.parametrize("run", ["20240331_150000", "20240506_144354"])
def test_tracking_errors_stand_where_a_movement_is_over_and_nowhere_else(run: str) -> None:
    folder = recording("armpi") / "trajectories" / run
    commands = _table(folder / "trajectory_monitoring_cmd.csv")
    frames, _ = _replayed(recording("armpi"), "armpi", run)
    for frame, row in zip(frames, _table(folder / "trajectory_monitoring_position.csv"), strict=True):
        values, at_s = _values(frame), float(row["timestamp"])
        begun = [command for command in commands if float(command["timestamp"]) <= at_s]
        standing = begun[-1] if begun and at_s >= float(begun[-1]["timestamp"]) + 1 else None
        for motor in range(1, 7):
            measured = float(row[f"motor_{motor}"])
            angle = values["joint_position_rad"][motor - 1]
            assert angle == _float32((measured - 500) * 0.24 * math.pi / 180)
            error = values["joint_tracking_error_rad"][motor - 1]
            if standing is None:
                assert math.isnan(error)
            else:
                assert error == _float32((measured - float(standing[f"motor_{motor}"])) * 0.24 * math.pi / 180)
    assert 0.3 < sum(math.isnan(_values(f)["joint_tracking_error_rad"][0]) for f in frames) / len(frames) < 0.7


def test_every_value_of_the_nasa_discharges_arrives_as_the_file_has_it() -> None:
    rows = _table(recording("battery_nasa") / "discharge_summary.csv")
    frames, account = _replayed(recording("battery_nasa"), "battery_nasa", "discharge_summary.csv")
    assert len(frames) == len(rows) == 298
    found = {(frame.robot_id[12:28].lstrip("0"), frame.cycles): frame for frame in frames}
    for row in rows:
        frame = found[row["battery"], int(row["discharge_no"])]
        assert frame.time_us == datetime.fromisoformat(f"{row['time']}+00:00").timestamp() * 1e6
        assert {name: value for name, [value] in _values(frame).items()} == {
            "battery_capacity_ah": _float32(float(row["capacity_ah"])),
            "battery_soh": _float32(float(row["capacity_ah"]) / 2.0),
            "battery_cell_min_v": _float32(float(row["min_v"])),
            "battery_temperature_c": _float32(float(row["max_temp_c"])),
            "battery_current_a": _float32(float(row["mean_current_a"])),
            "ambient_temperature_c": _float32(float(row["ambient_c"])),
        }
    assert (account.absent, account.impossible, account.refused) == (0, 0, 0)
    assert [f.time_us for f in frames] == sorted(f.time_us for f in frames), "in the order of time across robots"


def test_the_nasa_capacities_have_no_time_and_the_scenario_says_so() -> None:
    frames, _ = _replayed(recording("battery_nasa"), "battery_nasa", "B000*")
    found = defaultdict(list)
    for frame in frames:
        found[frame.robot_id[12:28].lstrip("0")].append(frame)
        assert frame.cycles is None
        assert "placed, not recorded" in frame.scenario
    for cell in ("B0005", "B0006", "B0007"):
        rows = _table(recording("battery_nasa") / f"{cell}_capacity_df.csv")
        capacities = [_float32(float(row["capacity"])) for row in rows]
        assert [_values(f)["battery_capacity_ah"][0] for f in found[cell]] == capacities
        assert {b.time_us - a.time_us for a, b in pairwise(found[cell])} == {28_800_000_000}


def test_boot_ids_follow_from_names_and_content_not_from_where_the_files_are(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(recording("battery_nasa"), tmp_path / "copy"))
    boots = [(f.robot_id, f.boot_id, f.seq) for f in _replayed(recording("battery_nasa"), "battery_nasa")[0]]
    assert [(f.robot_id, f.boot_id, f.seq) for f in _replayed(copy, "battery_nasa")[0]] == boots
    one_file = [
        (f.robot_id, f.boot_id, f.seq) for f in _replayed(copy / "discharge_summary.csv", "battery_nasa")[0]
    ]
    assert set(one_file) < set(boots)
    assert all(0 <= boot_id < 2**53 for _, boot_id, _ in boots)
    assert len({boot_id for _, boot_id, _ in boots}) == len({robot for robot, _, _ in boots}) == 11
    (copy / "discharge_summary.csv").chmod(0o600)
    with (copy / "discharge_summary.csv").open("a") as file:
        file.write("\n")
    changed = _replayed(copy / "discharge_summary.csv", "battery_nasa")[0]
    assert {f.boot_id for f in changed}.isdisjoint(boot_id for _, boot_id, _ in one_file)


MAPPING = """
title = "press"
[robot]
code = "{robot}"
joints = 2
[[source]]
files = "*.csv"
absent = ["n/a"]
[source.time]
column = "time"
format = "epoch_s"
[source.columns]
hot = { signal = "joint_temperature_c", joint = 2, zero = 32, scale = 0.5555555555555556 }
rounds = { counter = "cycles" }
state = { mode = { on = "working" } }
[source.left_out]
note = "free text"
"""
HEADER = "time, robot ,hot,rounds,state,note\n"
ONE, OTHER = "ZZTESTPRESS100000000000000001", "ZZTESTPRESS100000000000000002"


def _press(tmp_path: Path, *lines: str, header: str = HEADER) -> tuple[list[Frame], Account]:
    (tmp_path / "press.csv").write_text(header + "\n".join(lines), "utf-8")
    (tmp_path / "press.toml").write_text(MAPPING, "utf-8")
    return _replayed(tmp_path, str(tmp_path / "press.toml"))


def test_what_a_row_does_not_hold_stays_absent(tmp_path: Path) -> None:
    frames, account = _press(tmp_path, f"5,{ONE},212,3,on,x", f"6,{ONE},n/a,,,", f"7,{ONE},,n/a,n/a,")
    assert [_values(f)["joint_temperature_c"][1] for f in frames[:1]] == [100.0]
    assert all(math.isnan(_values(f)["joint_temperature_c"][0]) for f in frames)
    assert all(math.isnan(_values(f)["joint_temperature_c"][1]) for f in frames[1:])
    assert [(f.cycles, MODES[f.mode]) for f in frames] == [(3, "working"), (None, "idle"), (None, "idle")]
    assert account.absent == 5


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"5,{ONE},warm,3,on,", "hot: 'warm' is not a number"),
        (f"5,{ONE},1_0,3,on,", "hot: '1_0' is not a number"),
        (f"soon,{ONE},20,3,on,", "time 'soon' is not a number of seconds"),
        (f"-5,{ONE},20,3,on,", "time lies before 1970 or after 2255"),
        (f"5,{ONE},20,-3,on,", "rounds: '-3' is not a counter: 0, 1, 2 …"),
        (f"5,{ONE},20,3.5,on,", "rounds: '3.5' is not a counter: 0, 1, 2 …"),
        (f"5,{ONE},20,3,off,", "state: 'off' is none of on"),
        (f"5,{ONE},20,3", "4 cells under a header of 6"),
        ("5,R2D2,20,3,on,", "robot code 'R2D2' has 4 characters; a code has 29"),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_with_its_line_and_the_rest_goes_on(
    tmp_path: Path, line: str, reason: str
) -> None:
    frames, account = _press(tmp_path, f"4,{ONE},20,1,on,", line, f"6,{ONE},20,2,on,")
    assert [(frame.seq, frame.cycles) for frame in frames] == [(0, 1), (1, 2)]
    assert account.refusals == [f"press.csv:3: {reason}"]


def test_an_infinite_number_is_an_impossible_reading_not_a_refusal(tmp_path: Path) -> None:
    frames, account = _press(tmp_path, f"5,{ONE},inf,3,on,", f"6,{ONE},1e300,3,on,")
    assert len(frames) == account.impossible == 2


def test_rows_out_of_order_are_sent_in_the_order_of_time(tmp_path: Path) -> None:
    frames, _ = _press(
        tmp_path, f"9,{ONE},20,9,on,", f"7,{ONE},20,7,on,", f"7,{OTHER},20,8,on,", f"8,{ONE},20,8,on,"
    )
    assert [frame.time_us for frame in frames] == [7_000_000, 7_000_000, 8_000_000, 9_000_000]
    assert [(f.robot_id, f.seq) for f in frames] == [(ONE, 0), (OTHER, 0), (ONE, 1), (ONE, 2)]


def test_a_column_that_is_neither_mapped_nor_left_out_is_named(tmp_path: Path) -> None:
    header = HEADER.replace("note", "note,mood")
    with pytest.raises(SettingError, match=r"press\.csv: column 'mood' is neither mapped nor left out"):
        _press(tmp_path, f"5,{ONE},20,3,on,,", header=header)


def test_a_column_that_the_mapping_uses_and_the_file_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"press\.csv: no column 'hot', which the mapping uses"):
        _press(tmp_path, f"5,{ONE},20,3,on,", header=HEADER.replace("hot", "heat"))


def test_files_of_joints_are_merged_by_time_and_a_joint_that_lacks_a_row_is_absent(tmp_path: Path) -> None:
    text = MAPPING.replace('"*.csv"', '"joint_{joint}.csv"').replace(", joint = 2", "")
    (tmp_path / "press.toml").write_text(text, "utf-8")
    (tmp_path / "joint_1.csv").write_text(f"{HEADER}5,{ONE},32,,,\n6,{ONE},50,,,\n", "utf-8")
    (tmp_path / "joint_2.csv").write_text(f"{HEADER}6,{ONE},68,,,\n7,{ONE},86,,,\n", "utf-8")
    frames, _ = _replayed(tmp_path, str(tmp_path / "press.toml"))
    found = [_values(frame)["joint_temperature_c"] for frame in frames]
    assert all(map(_same, found, [[0, math.nan], [10, 20], [math.nan, 30]]))


def test_files_that_overlap_in_time_are_sent_side_by_side(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text(f"{HEADER}6,{OTHER},20,,,\n8,{OTHER},20,,,\n", "utf-8")
    frames, _ = _press(tmp_path, f"5,{ONE},20,,,", f"7,{ONE},20,,,")
    assert [frame.robot_id for frame in frames] == [ONE, OTHER, ONE, OTHER]


@pytest.mark.parametrize(
    ("path", "only", "said"),
    [
        ("ur3", ["2024*"], r"--sessions 2024\*: matches none"),
        ("battery_nasa", [], "nothing in it is of this recording"),
        ("ur4", [], "there is no such file or directory"),
    ],
)
def test_a_path_without_the_recording_is_named(path: str, only: list[str], said: str) -> None:
    root = recording("ur3").parent
    with pytest.raises(SettingError, match=said):
        find_sessions(load_mapping("ur3"), root / path, only)


def test_the_worked_example_of_the_documentation_does_what_it_says(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "recordings.md").read_text("utf-8")
    blocks = {kind: text.split(f"```{kind}\n")[1].split("```")[0] for kind in ("csv", "toml")}
    (tmp_path / "press").mkdir()
    (tmp_path / "press" / "2026-03-02.csv").write_text(blocks["csv"], "utf-8")
    (tmp_path / "press.toml").write_text(blocks["toml"], "utf-8")
    frames, account = _replayed(tmp_path / "press", str(tmp_path / "press.toml"))
    assert [(f.robot_id[:28].lstrip("Z"), f.cycles, MODES[f.mode]) for f in frames] == [
        ("SHOPPRESS200000000000000P1", 1200, "working"),
        ("SHOPPRESS200000000000000P2", 880, "working"),
        ("SHOPPRESS200000000000000P1", 1201, "fault"),
    ]
    assert frames[0].time_us == datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1e6, "08:00 at +08:00"
    assert list(map(round, _values(frames[0])["joint_temperature_c"])) == [40, 37]
    assert _values(frames[0])["battery_soc"] == [_float32(0.8)]
    [refusal] = account.refusals
    assert f"`{refusal}`" in text
    assert account.absent == 1
