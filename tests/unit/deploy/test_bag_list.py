"""What `--list` says of a bag, and the mapping that `--draft` writes."""

import struct
from pathlib import Path

import pytest
from rosbags.rosbag2 import StoragePlugin

from deploy.bag_list import draft_of, list_of
from ingest.account import Account
from ingest.mapping_file import load_mapping
from ingest.recordings import spell_frames
from ingest.sessions import find_sessions
from schemas.errors import SettingError
from schemas.layout import parse_layout
from support.bags import CODE, Walk, mapping_for, write_ros1, write_rosbag2


def test_the_list_has_each_topic_with_type_count_rate_and_what_it_is_used_for(tmp_path: Path) -> None:
    file = write_rosbag2(tmp_path / "walk", Walk(), StoragePlugin.MCAP)
    said = list_of(file.parent, load_mapping(str(mapping_for(tmp_path, "*.mcap"))), [])
    lines = {line.split()[0]: line.split() for line in said.splitlines()}
    assert lines["/joint_states"][1:4] == ["sensor_msgs/msg/JointState", "40", "10.0"]
    assert lines["/battery_state"][1:4] == ["sensor_msgs/msg/BatteryState", "4", "1.0"]
    assert "joint_position_rad," in lines["/joint_states"]
    assert "2025-10-09 08:53:20 to 2025-10-09 08:53:23" in said
    assert "joints: 1 left_hip, 2 left_knee, 3 right_hip, 4 right_knee" in said


def test_without_a_mapping_nothing_is_used(tmp_path: Path) -> None:
    write_ros1(tmp_path / "walk.bag", Walk())
    said = list_of(tmp_path, None, [])
    assert [line.split()[-1] for line in said.splitlines() if line.startswith("  /")] == ["–", "–", "–"]


def test_the_time_of_json_lines_is_what_the_mapping_says(tmp_path: Path) -> None:
    (tmp_path / "walk.jsonl").write_text('{"time": 1760000000.0}\n{"time": 1760000060.5}\n')
    assert "no time without a mapping" in list_of(tmp_path, None, [])
    said = list_of(tmp_path, load_mapping("unitree_lowstate"), [])
    assert "2025-10-09 08:53:20 to 2025-10-09 08:54:20" in said


def test_damage_is_listed_with_its_place(tmp_path: Path) -> None:
    file = write_ros1(tmp_path / "walk.bag", Walk())
    file.write_bytes(file.read_bytes()[:-5000])
    assert "damaged at " in list_of(file, None, [])


@pytest.mark.parametrize("kind", ["mcap", "bag"])
def test_a_draft_loads_as_it_is_and_reads_joints_and_battery(tmp_path: Path, kind: str) -> None:
    if kind == "bag":
        folder = write_ros1(tmp_path / "walk.bag", Walk()).parent
    else:
        folder = write_rosbag2(tmp_path / "walk", Walk(), StoragePlugin.MCAP).parent
    draft_of(folder, tmp_path / "draft.toml", CODE)
    mapping = load_mapping(str(tmp_path / "draft.toml"))
    assert mapping.robot.joints == ("left_hip", "left_knee", "right_hip", "right_knee")
    account = Account()
    frames = list(spell_frames(mapping, find_sessions(mapping, folder), account))
    assert (len(frames), account.refused) == (40, 0)
    names = {name for frame in frames for name in parse_layout(frame.layout).signals}
    assert names == {
        "joint_position_rad", "joint_velocity_rad_s", "joint_torque_nm", "battery_soc", "battery_voltage_v",
        "battery_current_a", "battery_cell_min_v", "battery_cell_max_v", "battery_cell_spread_mv",
    }  # fmt: skip
    assert struct.unpack("<f", frames[0].values[:4])[0] == pytest.approx(0.0)
    text = (tmp_path / "draft.toml").read_text()
    assert '# "status[name=left_knee].values[key=temperature].value" = { signal = "", joint_name = "" }' in text
    assert "key=state" not in text, "what is no number is not proposed"


def test_a_draft_never_writes_over_a_file(tmp_path: Path) -> None:
    write_ros1(tmp_path / "walk.bag", Walk())
    (tmp_path / "mine.toml").write_text("mine")
    with pytest.raises(SettingError, match="not written over"):
        draft_of(tmp_path, tmp_path / "mine.toml", CODE)
    assert (tmp_path / "mine.toml").read_text() == "mine"


def test_a_folder_without_bags_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no bag in it"):
        list_of(tmp_path, None, [])
    with pytest.raises(SettingError, match="no bag in it"):
        draft_of(tmp_path, tmp_path / "draft.toml", CODE)
