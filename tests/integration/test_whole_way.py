"""One reading's whole way on real input: replayed, landed, judged; killed in the middle; sent twice."""

import csv
import struct
from pathlib import Path

import asyncpg
import pytest

from deploy.commands.assess import SILENCE_S
from deploy.ledger.recount import differences
from deploy.settings import LIMITS
from support.pipeline import Pipeline, pipeline
from support.tables import checksums

RECORDINGS = Path(__file__).parents[3] / "shared" / "data"
PROCESSES = ("land", "summarise", "assess")


@pytest.fixture
def running(tmp_path, topics, database_url):
    """All three processes on empty topics and an empty database. Nobody falls silent, however long a test takes."""
    assert RECORDINGS.is_dir(), f"the real recordings are expected in {RECORDINGS}"
    limits = str(Path(__file__).parents[2] / "docs" / "limits.toml")
    environ = {LIMITS: limits, SILENCE_S: "86400"}
    with pipeline(tmp_path, topics, database_url, **environ) as started:
        for name in PROCESSES:
            started.start(name)
        yield started


async def test_everything_that_was_recorded_is_in_the_database_as_it_was(running: Pipeline):
    sent = {name: running.replay(RECORDINGS / name, name) for name in ("battery_nasa", "ur3", "armpi")}
    await running.settled()
    connection = await asyncpg.connect(running.database_url)
    rows = await connection.fetchval("SELECT count(*) FROM frame")
    assert rows == sum(summary["sent"] for summary in sent.values()) > 30_000
    assert all(summary["landed"] == summary["sent"] for summary in sent.values())
    assert await connection.fetchval("SELECT count(*) FROM reject") == 0
    noted = await connection.fetchval("SELECT count(*) FROM impossible_reading")
    assert noted == sum(summary["impossible"] for summary in sent.values()) > 0
    assert await connection.fetchval("SELECT count(*) FROM impossible_reading WHERE value = 255") == 5
    await _ur3_is_as_in_its_file(connection)
    assert await differences(connection) == []
    await _crossings_are_episodes(connection)
    await connection.close()
    assert set(running.stop().values()) == {0}


async def _ur3_is_as_in_its_file(connection: asyncpg.Connection) -> None:
    with (RECORDINGS / "ur3" / "ur3_cobotops.csv").open(newline="") as file:
        recorded = list(csv.DictReader(file))
    landed = await connection.fetch(
        "SELECT joint_current_a, joint_temperature_c, joint_velocity_rad_s, tool_current_a FROM frame "
        "WHERE cardinality(joint_current_a) = 6 ORDER BY seq"
    )
    assert len(landed) == len(recorded)
    for row, line in zip(landed, recorded, strict=True):
        assert row["joint_current_a"] == [_float32(line[f"Current_J{j}"]) for j in range(6)]
        temperatures = ["Temperature_T0", *(f"Temperature_J{j}" for j in range(1, 6))]
        assert row["joint_temperature_c"] == [_float32(line[name]) for name in temperatures]
        assert row["joint_velocity_rad_s"] == [_float32(line[f"Speed_J{j}"]) for j in range(6)]
        assert row["tool_current_a"] == _float32(line["Tool_current"])


async def _crossings_are_episodes(connection: asyncpg.Connection) -> None:
    """By the limits of docs/limits.toml: what the recordings hold, read off them once by eye."""
    found = await connection.fetch(
        "SELECT substr(robot_id, 7, 6) AS model, rule, signal, component, min(opened) AS first FROM episode "
        "WHERE rule <> 'silence' GROUP BY 1, 2, 3, 4"
    )
    episodes = {(row["model"], row["signal"], row["component"]): row["first"].isoformat() for row in found}
    assert episodes["UR3COB", "mode", "robot"].startswith("2022-10-26T08:17:40.967"), "the first protective stop"
    assert episodes["UR3COB", "joint_temperature_c", "joint/5"].startswith("2022-10-26T09:04")
    assert ("ARMPI6", "joint_temperature_c", "joint/1") in episodes
    assert ("LIION2", "battery_soh", "battery") in episodes
    assert ("LIION2", "battery_temperature_c", "battery") in episodes
    assert {model for model, _, _ in episodes} == {"UR3COB", "ARMPI6", "LIION2"}


def _float32(text: str) -> float | None:
    return float(struct.unpack("<f", struct.pack("<f", float(text)))[0]) if text.strip() else None


async def test_a_replay_run_twice_changes_nothing_and_opens_no_second_episode(running: Pipeline):
    first = running.replay(RECORDINGS / "ur3", "ur3")
    await running.settled()
    connection = await asyncpg.connect(running.database_url)
    before = await checksums(connection)
    again = running.replay(RECORDINGS / "ur3", "ur3")
    await running.settled()
    assert again["sent"] == first["sent"] == again["landed"]
    assert await checksums(connection) == before
    assert before["frame"][0] == first["sent"]
    assert before["anomaly"][0] > 0
    await connection.close()


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, dict[str, tuple[int, str]]]:
    """The tables of the run without a kill, kept for the runs with one."""
    return {}


@pytest.mark.parametrize("victim", ["nobody", *PROCESSES])
async def test_a_kill_in_the_middle_of_a_replay_leaves_the_same_tables(running: Pipeline, victim, undisturbed):
    """`nobody` comes first and is what the others are compared with."""
    for sessions in ("20240105_*", "20240425_*"):
        # Without --wait: what was sent is still on its way when the process dies.
        running.send(RECORDINGS / "armpi", "armpi", "--sessions", sessions)
        if victim != "nobody":
            running.kill(victim)
            running.start(victim)
    await running.settled()
    connection = await asyncpg.connect(running.database_url)
    undisturbed.setdefault("tables", await checksums(connection))
    assert await checksums(connection) == undisturbed["tables"]
    assert undisturbed["tables"]["frame"][0] > 7000
    await connection.close()
