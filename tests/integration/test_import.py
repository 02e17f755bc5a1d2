"""Bags made by rosbags' own writers, through the command line, Kafka and the lander, into the database."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from rosbags.rosbag2 import StoragePlugin

from schemas.kafka import Kafka
from schemas.robot_code import make_code
from support.bags import CODE, JOINTS, Walk, mapping_for, write_ros1, write_rosbag2
from support.pipeline import Pipeline, pipeline

OTHER = make_code("ZZ", "TEST", "OTHER1", "1")
WALK = Walk(seconds=20, joint_hz=50)
READINGS = "SELECT extract(epoch FROM time) * 1000000 AS us, signal, joint, value FROM reading WHERE robot_id = $1"


def _bag(into: Path, kind: str) -> Path:
    if kind == "ROS 1":
        return write_ros1(into / "walk.bag", WALK)
    return write_rosbag2(into / "walk", WALK, StoragePlugin.MCAP if kind == "MCAP" else StoragePlugin.SQLITE3)


@pytest.mark.parametrize("kind", ["MCAP", "rosbag2", "ROS 1"])
async def test_rows_are_what_was_written_and_a_second_import_adds_none(
    lander: Pipeline, tmp_path: Path, kind: str
) -> None:
    bag = _bag(tmp_path, kind)
    mapping = str(mapping_for(tmp_path, f"*{bag.suffix}"))
    frames = WALK.seconds * (WALK.joint_hz + 2)
    for _ in range(2):
        done = lander.command("import", str(bag), "--recording", mapping, "--wait", "--json")
        assert done.returncode == 0, done.stderr
        assert f'"sent":{frames},"landed":{frames},"rejected":0' in done.stdout
    connection = await asyncpg.connect(lander.database_url)
    rows = await connection.fetchval("SELECT count(*) FROM frame")
    late = await connection.fetchval("SELECT count(*) FROM frame WHERE backfill")
    found = {(int(r["us"]), r["signal"], r["joint"]): r["value"] for r in await connection.fetch(READINGS, CODE)}
    await connection.close()
    assert rows == late == frames
    signals = {
        "position": "joint_position_rad", "velocity": "joint_velocity_rad_s", "effort": "joint_torque_nm",
    }  # fmt: skip
    expected = {
        (time_us, signals[field], joint): value
        for time_us in WALK.joint_times_us()
        for field, values in WALK.joint_row(time_us).items()
        for joint, value in enumerate(values, 1)
    }
    of_joints = {key: value for key, value in found.items() if key[1] in signals.values()}
    assert len(expected) == len(WALK.joint_times_us()) * 3 * len(JOINTS)
    assert of_joints == pytest.approx(expected, rel=1e-6)
    charges = {key[0]: value for key, value in found.items() if key[1] == "battery_soc"}
    assert charges == pytest.approx(
        {t: WALK.battery_row(t)["percentage"] for t in WALK.battery_times_us()}, rel=1e-6
    )
    knee = {key[0]: value for key, value in found.items() if key[1] == "joint_temperature_c" and value is not None}
    assert knee == pytest.approx({t: WALK.knee_c(t) for t in WALK.diagnostics_times_us()}, rel=1e-6)


async def test_a_bag_replays_live_at_a_speed(lander: Pipeline, tmp_path: Path) -> None:
    bag = _bag(tmp_path, "MCAP")
    mapping = mapping_for(tmp_path, "*.mcap", rate_hz=10)
    summary = lander.replay(bag, str(mapping), "--times", "live", "--speed", "20")
    assert summary["sent"] == summary["landed"] == WALK.seconds * 10
    connection = await asyncpg.connect(lander.database_url)
    apart_s = await connection.fetchval("SELECT extract(epoch FROM max(time) - min(time)) FROM frame")
    await connection.close()
    assert float(apart_s) == pytest.approx(WALK.seconds / 20, abs=0.05)


async def test_where_seals_are_required_an_import_lands_with_its_robots_credentials_and_else_says_that_it_does_not(
    topics: Kafka, database_url: str, database: asyncpg.Connection, tmp_path: Path
) -> None:
    walk, file = Walk(seconds=5, joint_hz=50), tmp_path / "robot.toml"
    bag = write_rosbag2(tmp_path / "walk", walk, StoragePlugin.MCAP)
    arguments = ("import", str(bag), "--recording", str(mapping_for(tmp_path, "*.mcap")), "--wait")
    frames = walk.seconds * (walk.joint_hz + 2)
    with pipeline(tmp_path, topics, database_url) as running:
        assert running.command("robot", "master").returncode == 0
        assert running.command("robot", "register", CODE, "--out", str(file)).returncode == 0
        await database.execute("INSERT INTO seal_policy VALUES ('*', now() - interval '1 day', 'require', 'test')")
        running.start("land")
        unsealed = await asyncio.to_thread(running.command, *arguments)
        assert unsealed.returncode == 1
        assert f"{frames} of {frames} frames were rejected ({frames} seal_missing)" in unsealed.stderr
        assert "--credentials FILE" in unsealed.stderr
        sealed = await asyncio.to_thread(running.command, *arguments, "--credentials", str(file))
        assert (sealed.returncode, sealed.stderr) == (0, "")
        assert await database.fetchval("SELECT count(*) FROM frame") == frames
        file.write_text(file.read_text().replace(CODE, OTHER))
        foreign = running.command(*arguments, "--credentials", str(file))
        assert foreign.returncode == 2
        assert f"no seal key of {CODE} is among them" in foreign.stderr


def test_a_broken_bag_arrives_as_far_as_it_goes_and_the_exit_code_says_so(lander: Pipeline, tmp_path: Path) -> None:
    bag = write_ros1(tmp_path / "walk.bag", Walk(seconds=300, joint_hz=50))  # some four chunks
    whole = bag.read_bytes()
    bag.write_bytes(whole[: len(whole) // 2])
    done = lander.command("import", str(bag), "--recording", str(mapping_for(tmp_path, "*.bag")), "--wait")
    assert done.returncode == 1
    assert "walk.bag:" in done.stderr
    assert "what can be read beside it was sent" in done.stderr


def test_a_bag_is_listed_and_a_mapping_drafted_without_servers(tmp_path: Path) -> None:
    bag = _bag(tmp_path, "MCAP")
    with pipeline(tmp_path, Kafka("127.0.0.1:1"), "postgresql://nobody@127.0.0.1:1/none") as offline:
        listed = offline.command("import", str(bag), "--list")
        drafted = offline.command("replay", str(bag), "--draft", str(tmp_path / "robot.toml"), "--robot", CODE)
    assert (listed.returncode, drafted.returncode) == (0, 0), listed.stderr + drafted.stderr
    assert "sensor_msgs/msg/JointState" in listed.stdout
    assert (tmp_path / "robot.toml").exists()
