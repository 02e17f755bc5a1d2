"""A fleet of agents that loses its broker: how many return in which second, and when all is caught up.

In: a stand with a broker of its own, how many agents, how long the outage lasts. Out: a report with the curve, and
with the books of each robot: made = in the topic + still spooled + dropped and counted, to the frame.
Called by `robovitals bench agents`. Every agent is the real uplink on a spool of its own, all in one process
and one event loop, so that a fleet fits on one machine; what makes readings of a robot's messages is left out.
"""

import asyncio
import logging
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
from confluent_kafka import Consumer, TopicPartition

from deploy.bench import broker
from deploy.bench.report import Goal, Line, Report
from deploy.bench.stand import Stand
from ingest.agent.clocks import mono_us, wall_us
from ingest.agent.config import Config
from ingest.agent.config_file import Setup
from ingest.agent.spool import Spool, SpoolLimits
from ingest.agent.uplink import State, Uplink
from schemas.errors import UnavailableError
from schemas.frame import FRAME_VERSION, Frame, decode_frame, encode_frame, pack_readings
from schemas.kafka import Kafka
from schemas.robot_code import make_code
from schemas.topics import FRAMES

PERIOD_S = 5.0
CONNECT_WITHIN_S = 120.0
RETURN_WITHIN_S = 600.0
READ_WITHIN_S = 30.0
LOOK_EVERY_S = 0.25
OPEN_FILES = 16  # of each agent: its spool's, its connections', and some to spare
CURVE_S = 5
SMALL_EVERY = 10  # each so many has a spool that is too small for the outage: it must drop, and count
ROOMY, SMALL = SpoolLimits(10**8, 10**7), SpoolLimits(16_384, 10**7)


class Member:
    """One robot."""

    def __init__(self, directory: Path, kafka: Kafka, number: int) -> None:
        self.code = code = make_code("ZZ", "BENC", "AGENTS", str(number))
        setup = Setup(Config(), code, kafka, b"", 0, directory / f"{number}.db", None)
        self.spool = Spool.open(setup.spool, SMALL if number % SMALL_EVERY == 0 else ROOMY, wall_us())
        self.uplink = Uplink(setup, self.spool, lambda told: None)
        self._frame = _frame(code)
        self.made = 0

    def make_frame(self) -> None:
        frame = msgspec.structs.replace(self._frame, seq=self.made, time_us=wall_us(), mono_us=mono_us())
        self.made += 1
        self.spool.append(encode_frame(frame), frame.seq, frame.boot_id, frame.time_us)
        if (spooled := self.spool.newest()) is not None:
            self.uplink.offer(spooled)


def measure(stand: Stand, robots: int, outage_s: float) -> Report:
    """Raises UnavailableError where the broker is not ours to stop, or the fleet does not come back."""
    if stand.servers is None:
        raise UnavailableError("this stops the broker: unset ROBOVITALS_KAFKA_BOOTSTRAP, so that it starts its own")
    directory = stand.home / "agents"
    directory.mkdir()
    _raise_open_files(robots)
    logging.getLogger("ingest.agent").setLevel(logging.CRITICAL)
    return asyncio.run(_measure(stand, directory, robots, outage_s))


async def _measure(stand: Stand, directory: Path, robots: int, outage_s: float) -> Report:
    assert stand.servers is not None
    members = [Member(directory, stand.endpoints.kafka, number) for number in range(1, robots + 1)]
    running = [asyncio.create_task(member.uplink.run()) for member in members]
    making = asyncio.create_task(_make(members))
    try:
        await _until(lambda: _online(members) == robots, CONNECT_WITHIN_S, "all are connected")
        stand.servers.kafka.kill()
        await asyncio.sleep(outage_s)
        waiting = sum(member.spool.frames for member in members)
        await asyncio.to_thread(stand.servers.kafka.start)
        curve = await _watch(members, time.monotonic())
        making.cancel()
        await _until(lambda: not any(member.spool.frames for member in members), RETURN_WITHIN_S, "all is sent")
    finally:
        making.cancel()
        for member in members:
            member.uplink.finish(0.0)
        await asyncio.gather(*running)
    books = _books(members, _in_topic(stand.endpoints.kafka))
    for member in members:
        member.spool.close()
    return _report(robots, outage_s, curve, waiting, books)


class Books(msgspec.Struct):
    """Of all robots; `wrong` are those whose own do not balance."""

    made: int = 0
    landed: int = 0
    twice: int = 0
    spooled: int = 0
    dropped: int = 0
    wrong: int = 0


def _books(members: list[Member], landed: dict[str, Counter[int]]) -> Books:
    books = Books()
    for member in members:
        found = landed.get(member.code, Counter())
        spooled = {decode_frame(frame.value).seq for frame in member.spool.oldest(member.made)} - set(found)
        dropped = member.spool.dropped or 0
        books.made += member.made
        books.landed += len(found)
        books.twice += found.total() - len(found)
        books.spooled += len(spooled)
        books.dropped += dropped
        books.wrong += member.made != len(found) + len(spooled) + dropped
    return books


def _in_topic(kafka: Kafka) -> dict[str, Counter[int]]:
    """By robot, how often each sequence number is there."""
    ends = broker.watermarks(kafka, FRAMES.name)
    left = sum(end - first for first, end in ends.values())
    consumer = Consumer({**broker.client(kafka), "group.id": "robovitals.bench"})
    consumer.assign([TopicPartition(FRAMES.name, partition, first) for partition, (first, _) in ends.items()])
    found: dict[str, Counter[int]] = {}
    while left > 0:
        records = consumer.consume(1000, READ_WITHIN_S)
        if not records:
            raise UnavailableError(f"Kafka does not give {left} frames that it has")
        for record in records:
            frame = decode_frame(record.value() or b"")
            found.setdefault(frame.robot_id, Counter())[frame.seq] += 1
        left -= len(records)
    consumer.close()
    return found


async def _make(members: list[Member]) -> None:
    """A frame of each robot every PERIOD_S, one robot after the other."""
    began_s, number = time.monotonic(), 0
    while True:
        members[number % len(members)].make_frame()
        number += 1
        await asyncio.sleep(max(0.0, began_s + number * PERIOD_S / len(members) - time.monotonic()))


class Curve(msgspec.Struct):
    """Since the broker is back: how many returned in each second, and how many frames waited at its end."""

    returned: Counter[int]
    waiting: dict[int, int]
    caught_up_s: float = 0.0


async def _watch(members: list[Member], back_s: float) -> Curve:
    """Until everybody is connected, and no more waits than at any time: what was sent in the last second or two."""
    curve, away, at_rest = Curve(Counter(), {}), set(members), len(members) // 2
    while True:
        now_s = time.monotonic() - back_s
        returned = {member for member in away if member.uplink.state in (State.ONLINE, State.THROTTLED)}
        away -= returned
        curve.returned[int(now_s)] += len(returned)
        curve.waiting[int(now_s)] = waiting = sum(member.spool.frames for member in members)
        if not away and waiting <= at_rest:
            curve.caught_up_s = now_s
            return curve
        if now_s > RETURN_WITHIN_S:
            raise UnavailableError(f"{len(away)} agents do not come back within {RETURN_WITHIN_S:g} s")
        await asyncio.sleep(LOOK_EVERY_S)


def _report(robots: int, outage_s: float, curve: Curve, waiting: int, books: Books) -> Report:
    returned = [second for second, count in curve.returned.items() if count]
    most = max(curve.returned.values())
    lines = [
        Line("last_returned_s", "the last is connected, s after the broker is back", [max(returned)]),
        Line("most_a_second", "most that return in one second, of all %", [100 * most / robots], Goal(at_most=10)),
        Line("caught_up_s", "the backlog is sent, s after the broker is back", [curve.caught_up_s]),
    ]
    frames = [
        Line("frames_waiting", "wait in the spools at the end of the outage", [waiting]),
        Line("frames_made", "made in all", [books.made]),
        Line("frames_landed", "of them in the topic", [books.landed]),
        Line("frames_spooled", "still in a spool", [books.spooled]),
        Line(
            "frames_dropped", f"dropped and counted, by each {SMALL_EVERY}th robot's small spool", [books.dropped]
        ),
        Line("frames_twice", "in the topic twice: the answer was lost; the database takes one", [books.twice]),
        Line("robots_wrong", "robots whose books do not balance to the frame", [books.wrong], Goal(at_most=0)),
    ]
    return Report(
        "agents",
        f"{robots} agents, a frame every {PERIOD_S:g} s each; their broker is killed and away for {outage_s:g} s.",
        {"the return": lines, "frames": frames},
        _drawn(curve, robots),
    )


def _drawn(curve: Curve, robots: int) -> list[str]:
    """A line each few seconds: who is back, and what still waits."""
    notes, back = ["seconds   returned   of all   frames waiting"], 0
    for begin in range(0, max(curve.waiting) + 1, CURVE_S):
        seconds = range(begin, begin + CURVE_S)
        returned = sum(curve.returned.get(second, 0) for second in seconds)
        back += returned
        waiting = [curve.waiting[second] for second in seconds if second in curve.waiting]
        if waiting:
            notes.append(f"{begin:3}–{begin + CURVE_S:<3} {returned:10} {back / robots:9.0%} {waiting[-1]:14}")
    return notes


def _online(members: list[Member]) -> int:
    return sum(member.uplink.state in (State.ONLINE, State.THROTTLED) for member in members)


async def _until(holds: Callable[[], bool], within_s: float, what: str) -> None:
    until_s = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > until_s:
            raise UnavailableError(f"{what}: not within {within_s:g} s")
        await asyncio.sleep(LOOK_EVERY_S)


def _raise_open_files(robots: int) -> None:
    """Raises UnavailableError."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = robots * OPEN_FILES
    if most != resource.RLIM_INFINITY and wanted > most:
        raise UnavailableError(f"{robots} agents need {wanted} open files, and {most} are allowed: ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _frame(code: str) -> Frame:
    layout, values = pack_readings({"battery_soc": 0.5, "joint_temperature_c": [40.0] * 29})
    return Frame(FRAME_VERSION, code, mono_us(), 0, 0, 0, None, None, None, 1, "", "", 0, layout.text, values)
