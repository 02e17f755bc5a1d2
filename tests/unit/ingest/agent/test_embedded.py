"""The Python class, with no Kafka anywhere: it takes readings, spools them, and never waits."""

import threading
from pathlib import Path
from typing import Any

import pytest

from ingest.agent.clocks import wall_us
from ingest.agent.config import Config
from ingest.agent.embedded import Agent
from ingest.agent.process import AgentProcess
from ingest.agent.reading import ReadingError, read_mapping
from ingest.agent.spool import Spool, SpoolLimits
from ingest.agent.status import read_status
from schemas.errors import SettingError, StopError
from schemas.frame import decode_frame
from schemas.kafka import Kafka
from support.frames import CODE

NOWHERE = Kafka("127.0.0.1:1")  # nobody listens on port 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "robot.toml"
    path.write_text(f'robot = "{CODE}"\nrate_hz = 1000.0\nsoftware = "2.1"\n')
    return path


def spooled(file: Path) -> Spool:
    return Spool.open(file.parent / "spool.db", SpoolLimits(10**9, 10**9), wall_us())


def test_what_is_published_lies_in_the_spool_when_there_is_no_kafka(file: Path) -> None:
    with Agent(file, kafka=NOWHERE) as agent:
        for number in range(5):
            agent.publish({"accuracy_samples": number}, mode="working", cycles=number)
    spool = spooled(file)
    frames = [decode_frame(one.value) for one in spool.oldest(100)]
    spool.close()
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    assert frames[-1].cycles == 4
    assert {(frame.robot_id, frame.software) for frame in frames} == {(CODE, "2.1")}
    assert read_status(file.parent / "spool.db.status.json").state == "stopped"


def test_a_bad_reading_is_told_to_whoever_publishes_it(file: Path) -> None:
    with Agent(file, kafka=NOWHERE) as agent:
        with pytest.raises(ReadingError, match=r"readings\.heat"):
            agent.publish({"heat": 1})
        agent.publish({"battery_soc": 0.5})
    status = read_status(file.parent / "spool.db.status.json")
    assert (status.bad_lines, status.frames_made) == (1, 1)


def test_a_closed_agent_takes_nothing_silently(file: Path) -> None:
    with Agent(file, kafka=NOWHERE) as agent:
        pass
    with pytest.raises(StopError, match="it is closed"):
        agent.publish({"battery_soc": 0.5})


def test_a_second_agent_on_the_same_spool_is_told(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.agent.store.BUSY_S", 0.1)
    with Agent(file, kafka=NOWHERE), pytest.raises(SettingError, match="another process has this spool open"):
        Agent(file, kafka=NOWHERE).open()


def test_a_spool_that_is_long_in_opening_is_told_before_a_control_loop_begins(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_open = threading.Event()

    def open_late(*given: Any) -> Spool:
        may_open.wait()
        return Spool(*given)

    monkeypatch.setattr("ingest.agent.embedded.START_WITHIN_S", 0.0)
    monkeypatch.setattr("ingest.agent.process.Spool.open", open_late)
    agent = Agent(file, kafka=NOWHERE)
    try:
        with pytest.raises(StopError, match="has not opened its spool"):
            agent.open()
    finally:
        may_open.set()
        agent.close()


def test_what_overflows_just_before_the_end_is_counted(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop is held in the turn in which the stop comes, while the control loop goes on."""
    file.write_text(f'robot = "{CODE}"\nrate_hz = 1000.0\n')
    monkeypatch.setattr("ingest.agent.inbox.MOST_WAITING", 2)
    agent = Agent(file, kafka=NOWHERE)
    really_tell = AgentProcess._tell

    def tell(process: AgentProcess) -> None:
        really_tell(process)
        stop = agent._stop
        if process.started.is_set() and stop is not None and not stop.is_set():
            for number in range(5):
                process.inbox.put(read_mapping({"accuracy_samples": number}, Config(), {}))
            stop.set()

    monkeypatch.setattr(AgentProcess, "_tell", tell)
    with agent:
        agent._thread.join()
    assert read_status(file.parent / "spool.db.status.json").lost_readings == 3


def test_a_wrong_file_is_told_before_anything_begins(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="name the agent's TOML file"):
        Agent(tmp_path / "robot.toml")
