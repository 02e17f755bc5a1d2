"""Mapping files: what they may say, and how a wrong one is named."""

from pathlib import Path

import pytest

from ingest.mapping_file import known_recordings, load_mapping
from ingest.timestamps import Time
from schemas.errors import SettingError
from schemas.robot_code import has_check_character

GOOD = """
title = "arm"

[robot]
enterprise = "TEST"
model = "ARM001"
serial = "7"
joints = 2

[[source]]
files = "arm.csv"

[source.time]
column = "time"
format = "iso"

[source.columns]
t1 = { signal = "joint_temperature_c", joint = 1 }
t2 = { signal = "joint_temperature_c", joint = 2 }
charge = { signal = "battery_soc", scale = 0.01 }
rounds = { counter = "cycles" }
state = { mode = { RUN = "working", STOP = "fault" } }

[source.left_out]
note = "free text"
"""


def _load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "arm.toml"
    path.write_text(text, "utf-8")
    load_mapping(str(path))


def test_the_shipped_mappings_load() -> None:
    assert known_recordings() == ["armpi", "battery_nasa", "unitree_lowstate", "ur3"]
    for name in known_recordings():
        assert load_mapping(name).source


def test_the_code_of_a_fixed_robot_is_of_our_own_making() -> None:
    code = load_mapping("ur3").robot.make({})
    assert code.startswith("ZZUROBUR3COB")
    assert has_check_character(code)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "arm"', 'title = "arm', r"not TOML: .*line 2"),
        ('title = "arm"', "", r"`title`"),
        ('files = "arm.csv"', "files = 3", r"Expected `str`.*source\[0\].files"),
        ('files = "arm.csv"', 'file = "arm.csv"', r"`file`.*source\[0\]"),
        ('files = "arm.csv"', 'files = "../arm.csv"', r"source\[0\].files: "),
        (
            '"joint_temperature_c", joint = 1',
            '"joint_heat", joint = 1',
            r"source\[0\].columns.t1: signal 'joint_heat'",
        ),
        ("joint = 2 }", "joint = 3 }", r"columns.t2: joint_temperature_c needs joint = 1 … 2"),
        ("joint = 2 }", "joint = 1 }", r"columns.t2: feeds joint_temperature_c as t1 does"),
        ('"battery_soc"', '"battery_soc", joint = 1', r"columns.charge: joint is for a joint's signal"),
        ('counter = "cycles"', 'counter = "rounds"', r"columns.rounds: counter 'rounds' is none of"),
        ('counter = "cycles"', 'counter = "cycles", signal = "battery_soh"', r"columns.rounds: give one of"),
        ('"fault"', '"broken"', r"columns.state: mode.STOP: 'broken' is none of"),
        ('note = "free text"', 'note = "free text"\ncharge = "no"', r"left_out.charge: is in columns too"),
        ('format = "iso"', 'format = "ISO"', r"source\[0\].time: format 'ISO' is not known"),
        ('format = "iso"', 'format = "elapsed_s"', r"time: folder_is"),
        ('column = "time"', "", r"time: column is missing"),
        ('format = "iso"', 'format = "iso"\nutc_offset = "8"', r"time: utc_offset '8'"),
        ('enterprise = "TEST"', 'enterprise = "TESTER"', r"robot: robot code .* has 31 characters"),
        ('enterprise = "TEST"', 'enterprise = "test"', r"robot: robot code"),
        ('serial = "7"', "", r"robot: serial missing"),
        ('serial = "7"', 'serial = "7"\ncode = "{id}"', r"robot: give code, or"),
        ('serial = "7"', 'serial = "{id}"\nline = "4"', r"`line`.*robot"),
    ],
)
def test_a_wrong_mapping_is_named_by_file_table_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(SettingError, match=rf"arm\.toml: .*{said}"):
        _load(tmp_path, GOOD.replace(old, new))


def test_the_mapping_that_those_differ_from_is_good(tmp_path: Path) -> None:
    _load(tmp_path, GOOD)


MESSAGES = """
title = "walker"

[robot]
code = "ZZTESTPRESS100000000000000001"
joints = ["hip", "knee"]

[[source]]
files = "*.mcap"
rate_hz = 10

[source.time]
stamp = "header"

[source.topics."/joints"]
joint_names = "name"

[source.topics."/joints".fields]
"position[*]" = { signal = "joint_position_rad" }

[source.topics."/battery".fields]
percentage = { signal = "battery_soc" }
"cell[*]" = { signal = "battery_cell_min_v", fold = "min" }
knee_c = { signal = "joint_temperature_c", joint_name = "knee" }
hip_c = { signal = "joint_temperature_c", joint = 1 }
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"hip", "knee"', '"hip", "hip"', "robot.joints: names a joint twice"),
        ('stamp = "header"', 'stamp = "now"', "stamp"),
        ('stamp = "header"', 'stamp = "header"\ncolumn = "t"', r"source\[0\].time: stamp stands alone"),
        ('stamp = "header"', 'column = "t"\nformat = "iso"', r"source\[0\].time: give stamp"),
        ('"*.mcap"', '"joint_{joint}.mcap"', r"source\[0\].topics: \{joint\} in files"),
        ("rate_hz = 10", "rate_hz = -1", "rate_hz"),
        ('["hip", "knee"]', "2", r"topics./joints.joint_names: robot.joints must then be the names"),
        ('joint_names = "name"', 'joint_names = "name["', r"topics./joints.joint_names: '\[' is no step of a path"),
        ('"position[*]"', "position", r"fields.position: joint_position_rad needs joint = 1 … 2, or joint_name"),
        ('rad" }', 'rad", joint = 1 }', r"fields.position\[\*\]: \[\*\] runs over joints: leave joint out"),
        (', fold = "min"', "", r"fields.cell\[\*\]: \[\*\] gives many numbers: fold them"),
        ('soc" }', 'soc", fold = "min" }', r"fields.percentage: fold goes with a signal and with \[\*\]"),
        ('soc" }', 'soc", joint = 1 }', r"fields.percentage: joint is for a joint's signal"),
        ('joint_name = "knee"', 'joint_name = "hip"', r"fields.hip_c: feeds joint_temperature_c as knee_c does"),
        ('joint_name = "knee"', 'joint_name = "toe"', r"fields.knee_c: joint_temperature_c needs joint"),
        (
            '"battery_soc"',
            '"battery_charge"',
            r"fields.percentage: signal 'battery_charge' is not in the signal table",
        ),
    ],
)
def test_a_wrong_mapping_of_messages_is_named_too(tmp_path: Path, old: str, new: str, said: str) -> None:
    _load(tmp_path, MESSAGES)
    assert MESSAGES.count(old) == 1
    with pytest.raises(SettingError, match=said):
        _load(tmp_path, MESSAGES.replace(old, new))


def test_the_mapping_in_the_guide_for_ros_2_loads(tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "ros2.md").read_text("utf-8")
    [block] = [part.split("```")[0] for part in text.split("```toml\n") if part.startswith("title")]
    _load(tmp_path, block)


def test_a_source_is_a_table_or_messages(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"source\[0\].columns: give columns, for a table, or topics"):
        _load(tmp_path, MESSAGES.split("[source.topics")[0])


def test_an_unknown_recording_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        SettingError, match="--recording ur5: not known; give one of armpi, battery_nasa, unitree_lowstate, ur3"
    ):
        load_mapping("ur5")


@pytest.mark.parametrize(
    ("time", "text", "time_us"),
    [
        (Time("t", "iso"), "2022-10-26T08:17:21.847Z", 1_666_772_241_847_000),
        (Time("t", "iso"), "2022-10-26 08:17:21.847", 1_666_772_241_847_000),
        (Time("t", "iso", utc_offset="+08:00"), "2022-10-26T16:17:21.847", 1_666_772_241_847_000),
        (Time("t", "iso", utc_offset="+08:00"), "2022-10-26T08:17:21.847Z", 1_666_772_241_847_000),
        (Time("t", "iso", utc_offset="-01:30"), "1970-01-01T00:00:00", 5_400_000_000),
        (Time("t", "%d.%m.%Y %H:%M:%S"), "14.02.2009 00:31:30", 1_234_571_490_000_000),
        (Time("t", "epoch_s"), "1658390679.6847763", 1_658_390_679_684_776),
        (Time("t", "elapsed_s", "last_row"), "77765.349092245", 77_765_349_092),
    ],
)
def test_time_stamps_of_every_format_are_read_to_the_microsecond(time: Time, text: str, time_us: int) -> None:
    assert time.fault() is None
    assert time.reader()(text) == time_us


@pytest.mark.parametrize("text", ["", "yesterday", "nan", "inf", "1e300"])
@pytest.mark.parametrize("form", ["iso", "epoch_s", "%H:%M"])
def test_what_is_no_time_is_refused(form: str, text: str) -> None:
    with pytest.raises(ValueError, match="time"):
        Time("t", form).reader()(text)


def test_a_folder_may_name_sixty_four_seconds() -> None:
    time = Time("t", "elapsed_s", "first_row")
    assert time.folder_us("20240320_155664") == time.folder_us("20240320_155704") == 1_710_950_224_000_000
    with pytest.raises(ValueError, match="YYYYMMDD_hhmmss"):
        time.folder_us("session_3")
