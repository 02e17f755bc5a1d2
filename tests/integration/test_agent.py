"""A robot's agent against a real Kafka: what it takes arrives, whatever happens to broker, agent or a line."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.servers import Servers
from deploy.topics import delete_all, ensure
from ingest.agent.clocks import wall_us
from ingest.agent.config_file import load_setup
from ingest.agent.link import Acknowledgement, Link
from ingest.agent.spool import Spool, SpoolLimits
from ingest.throttle import Throttle
from schemas.columns import decode_records
from schemas.frame import FLAG_BACKFILL, Frame, decode_frame, encode_frame
from schemas.kafka import Kafka
from schemas.layout import parse_layout
from schemas.seal import HEAD, HEADER, derive_key, seal
from support.frames import CODE
from support.frames import frame as good_frame
from support.robots import EAGER, RunningAgent, all_frames

MASTER = bytes(32)


@pytest.fixture
def agents(tmp_path: Path, topics: Kafka) -> Iterator[Callable[..., RunningAgent]]:
    made: list[RunningAgent] = []

    def make(text: str = EAGER, kafka: Kafka = topics) -> RunningAgent:
        made.append(RunningAgent(tmp_path / "robot", kafka, text))
        return made[-1]

    yield make
    for agent in made:
        agent.kill()


async def landed(kafka: Kafka) -> dict[tuple[int, int], Frame]:
    """By boot and sequence: a frame that was sent twice is one, as in the database."""
    frames = [decode_frame(record.value) for record in await all_frames(kafka)]
    return {(frame.boot_id, frame.seq): frame for frame in frames}


def sequences(frames: dict[tuple[int, int], Frame]) -> dict[int, list[int]]:
    """Of each boot, sorted."""
    found: dict[int, list[int]] = {}
    for boot_id, seq in sorted(frames):
        found.setdefault(boot_id, []).append(seq)
    return found


async def test_what_is_said_arrives_with_the_agents_own_signals_and_a_bad_line_costs_itself(
    agents: Callable[..., RunningAgent], topics: Kafka
) -> None:
    agent = agents()
    agent.start()
    agent.until(lambda status: status.state == "online")
    agent.say({"battery_soc": 0.5}, mode="working")
    agent.until(lambda status: status.acknowledged == 1)
    agent.say_raw(b'{"readings": {"heat": 1}}\n')
    agent.say({"battery_soc": 0.25})
    assert agent.end_input() == 0
    records = await all_frames(topics)
    assert [decode_frame(record.value).seq for record in records] == [0, 1]
    assert decode_records(records)[1] == []
    last = decode_frame(records[-1].value)
    assert last.dropped == 0
    signals = parse_layout(last.layout).signals
    assert {"clock_offset_ms", "spool_used", "agent_reconnects", "publish_latency_ms"} <= set(signals)
    status = agent.status()
    assert (status.state, status.spool_frames, status.bad_lines) == ("stopped", 0, 1)
    assert "line 2: readings.heat: not in the signal table" in agent.log()


async def test_sigterm_sends_what_is_live_and_ends_well(agents: Callable[..., RunningAgent], topics: Kafka) -> None:
    agent = agents()
    agent.start()
    for _ in range(50):
        agent.say({"battery_soc": 0.5})
    status = agent.until(lambda status: status.frames_made > 0)
    assert agent.terminate() == 0
    status = agent.status()
    assert (status.state, status.spool_frames) == ("stopped", 0)
    assert list(sequences(await landed(topics)).values()) == [list(range(status.frames_made))]


async def test_a_broker_that_is_gone_and_comes_back_costs_nothing(
    agents: Callable[..., RunningAgent], topics: Kafka, servers: Servers
) -> None:
    agent = agents()
    agent.start()
    agent.say({"battery_soc": 0.5})
    agent.until(lambda status: status.acknowledged == 1)
    servers.kafka.kill()
    try:
        made = 1
        while agent.status().state != "offline":
            agent.say({"battery_soc": 0.5})
            made += 1
            agent.until_made(made)
        agent.say({"battery_soc": 0.5})
    finally:
        servers.kafka.start()
    status = agent.until(lambda status: status.state == "online" and status.spool_frames == 0)
    assert status.reconnects >= 1
    assert agent.terminate() == 0
    assert list(sequences(await landed(topics)).values()) == [list(range(made + 1))]


async def test_kill_9_loses_no_frame_that_was_made(agents: Callable[..., RunningAgent], topics: Kafka) -> None:
    agent = agents()
    agent.start()
    for _ in range(300):
        agent.say({"battery_soc": 0.5})
    made = agent.until(lambda status: status.frames_made > 0).frames_made
    agent.kill()
    agent.start()
    agent.say({"battery_soc": 0.5})
    agent.until(lambda status: status.frames_made == 1 and status.spool_frames == 0)
    assert agent.terminate() == 0
    boots = sorted(sequences(await landed(topics)).values(), key=len)
    assert boots[0] == [0]
    assert boots[1] == list(range(len(boots[1])))
    assert len(boots[1]) >= made


async def test_a_backlog_drains_marked_and_what_is_live_goes_before_it(
    agents: Callable[..., RunningAgent], topics: Kafka
) -> None:
    agent = agents(EAGER.replace("1e6", "2000.0"))
    waiting = 10_000
    spool = Spool.open(agent.directory / "spool.db", SpoolLimits(10**9, 10**9), wall_us())
    for seq in range(waiting):
        spool.append(encode_frame(good_frame(boot_id=3, seq=seq, time_us=wall_us())), seq, 3, wall_us())
    spool.close()
    agent.start()
    agent.until(lambda status: status.state == "online" and status.acknowledged > 0)
    agent.say({"battery_soc": 0.5})
    agent.until(lambda status: status.spool_frames == 0)
    assert agent.terminate() == 0
    records = await all_frames(topics)
    frames = [decode_frame(record.value) for record in records]
    late = [record for record, frame in zip(records, frames, strict=True) if frame.flags & FLAG_BACKFILL]
    live = [record for record, frame in zip(records, frames, strict=True) if not frame.flags & FLAG_BACKFILL]
    assert [decode_frame(record.value).seq for record in late] == list(range(waiting))
    assert [record.offset < late[-1].offset for record in live] == [True]


async def test_a_frame_that_the_broker_never_takes_is_dropped_counted_and_its_neighbours_arrive(
    agents: Callable[..., RunningAgent], topics: Kafka
) -> None:
    agent = agents()
    spool = Spool.open(agent.directory / "spool.db", SpoolLimits(10**9, 10**9), wall_us())
    for seq in range(20):
        value = b"no frame at all" if seq == 7 else encode_frame(good_frame(boot_id=3, seq=seq))
        spool.append(value, seq, 3, wall_us())
    spool.close()
    agent.start()
    agent.until(lambda status: status.spool_frames == 0)
    agent.say({"battery_soc": 0.5})
    assert agent.until(lambda status: status.acknowledged == 20).dropped == 1
    agent.terminate()
    found = await landed(topics)
    assert sequences(found)[3] == [seq for seq in range(20) if seq != 7]
    assert [frame.dropped for (boot_id, _), frame in found.items() if boot_id != 3] == [1]


async def test_where_there_is_no_topic_for_it_the_agent_says_so_and_keeps_everything(
    agents: Callable[..., RunningAgent], topics: Kafka
) -> None:
    await delete_all(topics)
    agent = agents()
    agent.start()
    agent.say({"battery_soc": 0.5})
    status = agent.until(lambda status: status.state == "refused")
    assert "has no topic telemetry.frames" in status.error
    assert agent.terminate() == 0
    assert agent.status().spool_frames == 1
    await ensure(topics)


async def test_every_attempt_is_sealed_with_the_robots_key(
    agents: Callable[..., RunningAgent], topics: Kafka
) -> None:
    agent = agents('credentials = "credentials.toml"\n' + EAGER)
    key = derive_key(MASTER, CODE, 4)
    credentials = agent.directory / "credentials.toml"
    credentials.write_text(f'robot_id = "{CODE}"\nseal_key = "{key.hex()}"\nseal_key_version = 4\n')
    credentials.chmod(0o600)
    agent.start()
    agent.say({"battery_soc": 0.5})
    agent.until(lambda status: status.acknowledged == 1)
    agent.terminate()
    (record,) = await all_frames(topics)
    found = dict(record.headers)[HEADER]
    sealed_us = HEAD.unpack_from(found)[2]
    assert found == seal(key, 4, CODE, sealed_us, record.value)
    assert key.hex() not in agent.log()


async def test_a_broker_that_holds_the_line_and_says_nothing_is_left_and_found_again(
    agents: Callable[..., RunningAgent], topics: Kafka, servers: Servers
) -> None:
    agent = agents(EAGER + "stuck_s = 1.0\n")
    agent.start()
    agent.say({"battery_soc": 0.5})
    agent.until(lambda status: status.acknowledged == 1)
    broker = servers.kafka.process
    assert broker is not None
    broker.send_signal(signal.SIGSTOP)
    try:
        agent.say({"battery_soc": 0.5})
        assert "acknowledged nothing for 1 s" in agent.until(lambda status: status.state == "offline").error
    finally:
        broker.send_signal(signal.SIGCONT)
    status = agent.until(lambda status: status.state == "online" and status.spool_frames == 0)
    assert status.reconnects >= 1
    assert agent.terminate() == 0
    assert list(sequences(await landed(topics)).values()) == [[0, 1]]


async def test_a_link_that_is_given_up_leaves_nothing_behind(
    tmp_path: Path, topics: Kafka, servers: Servers
) -> None:
    (tmp_path / "robot.toml").write_text(f'robot = "{CODE}"\n')
    setup = load_setup(tmp_path / "robot.toml", kafka=topics)
    acknowledged: list[Acknowledgement] = []
    broker = servers.kafka.process
    assert broker is not None
    ours = asyncio.all_tasks()
    for frozen in (False, True):
        link = Link(setup, acknowledged.append, lambda: None, Throttle())
        await link.open()
        if frozen:
            broker.send_signal(signal.SIGSTOP)
        try:
            await link.send(1, encode_frame(good_frame()))
            while not frozen and not acknowledged:
                await asyncio.sleep(0.01)
            await link.close()
        finally:
            broker.send_signal(signal.SIGCONT)
        assert asyncio.all_tasks() == ours
    assert [one.id for one in acknowledged] == [1]
