"""How long a frame takes to its row, and a reading beyond its alarm limit to its event, under a steady load.

In: servers of a stack that runs, a rate, robots, how long. Out: `Latencies`. Called by `robovitals bench latency`.

The load is open-loop: when each frame is due is fixed beforehand, and every time here begins at that moment. So
whatever stalls, `generator.py` included, counts against us. Rows are looked for on a connection of its own, and a
row is seen when the answer is here: a time is too long by up to one poll, never too short.
"""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic, time_ns
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError, UnknownTopicOrPartitionError

from deploy.bench import flush, generator, usage
from deploy.bench.backlog import Backlog, Returning
from deploy.bench.load import Load, Plan, make_plan
from deploy.settings import Endpoints
from schemas.anomaly import Transition, decode_anomaly
from schemas.errors import UnavailableError
from schemas.kafka import Kafka
from schemas.topics import ANOMALIES
from serve import database

LEAD_IN_S = 30.0  # by then the first window of every robot has closed, by which the assessor learns them
GIVE_UP_S = 15.0  # after the last frame
START_IN_S = 3.0  # until then the generator is up
POLL_S = 0.01
MEMORY_EVERY_S = 60.0
EVENT_POLL_S = 0.1

# A lookup in the key's index for each, whatever the planner thinks of the table.
_ROWS = """
SELECT sent.robot_id, sent.time, sent.seq, landed.received
FROM unnest($1::text[], $2::timestamptz[], $3::bigint[]) AS sent (robot_id, time, seq)
CROSS JOIN LATERAL (
    SELECT received FROM frame
    WHERE frame.robot_id = sent.robot_id AND frame.time = sent.time AND frame.seq = sent.seq AND frame.boot_id = $4
    LIMIT 1
) AS landed
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Awaited:
    """What was sent and is not seen yet, with when it was due (monotonic); and how long the others took."""

    due_s: dict[Hashable, float] = field(default_factory=dict)
    took_s: list[float] = field(default_factory=list)

    def seen(self, key: Hashable, now_s: float) -> None:
        """What is not awaited, or was seen before, is somebody else's."""
        due_s = self.due_s.pop(key, None)
        if due_s is not None:
            self.took_s.append(now_s - due_s)


class Spool(msgspec.Struct, frozen=True):
    """How many late frames one robot sends, and how many a second."""

    frames: int
    rate: float


class Memory(msgspec.Struct, frozen=True):
    """What each process of the stack has resident, `at_s` after the start."""

    at_s: float
    resident_bytes: dict[str, int]


@dataclass(slots=True)
class Latencies:
    """In seconds. `to_broker_s` are the probes' by the broker's time stamp, which has whole ms; `behind_s` how late
    they were handed to the producer; `polls_s` how far apart two looks for rows were; `flush_s` how long the robot
    that flushes its spool took to send it; `backlog` what came of the agent that returned.
    """

    frames: int
    rows: Awaited = field(default_factory=Awaited)
    events: Awaited = field(default_factory=Awaited)
    to_broker_s: list[float] = field(default_factory=list)
    behind_s: list[float] = field(default_factory=list)
    polls_s: list[float] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    flush_s: float | None = None
    backlog: Backlog | None = None


async def measure(
    servers: Endpoints,
    rate: float,
    robots: int,
    seconds: float,
    spool: Spool,
    pids: Mapping[str, int],
    returning: Returning | None = None,
) -> Latencies:
    """`spool`: what one more robot sends late when the measured time begins; `returning`: an agent that comes back
    then. `pids`: whose memory is watched.

    Raises UnavailableError where a server, topics or tables are not there.
    """
    plan = make_plan(rate, robots, LEAD_IN_S, seconds)
    connection = await database.connect(servers.database_url)
    consumer = AIOKafkaConsumer(ANOMALIES.name, **servers.kafka.client())
    try:
        await _begin(consumer, servers.kafka)
        found = await _Run(plan, seconds, spool, pids, returning).run(servers.kafka, connection, consumer)
        found.backlog = await returning.found(connection) if returning else None
        return found
    except asyncpg.UndefinedTableError:
        raise UnavailableError("the database has no tables of ours: `robovitals migrate`") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise UnavailableError(f"the database went away while measuring ({error}): `robovitals doctor`") from None
    finally:
        await consumer.stop()
        connection.terminate()


async def _begin(consumer: AIOKafkaConsumer, kafka: Kafka) -> None:
    """Read only events that come from now on."""
    try:
        await consumer.start()
    except KafkaConnectionError:
        raise UnavailableError(f"no Kafka answers at {kafka}: `robovitals doctor`") from None
    except UnknownTopicOrPartitionError:
        raise UnavailableError(f"topic {ANOMALIES.name} does not exist: `robovitals topics`") from None
    await consumer.seek_to_end()


class _Run:
    """One measurement: loops that watch, until all is seen or GIVE_UP_S after the generator has ended."""

    def __init__(
        self, plan: Plan, seconds: float, spool: Spool, pids: Mapping[str, int], returning: Returning | None
    ) -> None:
        self._returning = returning
        self._plan = plan
        self._seconds = seconds
        self._spool = spool
        self._pids = pids
        self._start_s, self._start_us = monotonic() + START_IN_S, time_ns() // 1000 + round(1e6 * START_IN_S)
        self._load = Load(plan, self._start_us)
        self._until_s: float | None = None
        self._found = Latencies(plan.frames)

    async def run(
        self, kafka: Kafka, connection: "asyncpg.Connection[Any]", consumer: AIOKafkaConsumer
    ) -> Latencies:
        for number, joint in self._plan.crossings.items():
            frame = self._load.frame(number)
            key = frame.robot_id, f"joint/{joint}", frame.time_us
            self._found.events.due_s[key] = self._start_s + self._plan.due_s(number)
        await asyncio.gather(
            self._generate(kafka),
            self._flush(kafka),
            self._return(kafka),
            self._watch_rows(connection),
            self._watch_events(consumer),
            self._watch_memory(),
        )
        return self._found

    async def _generate(self, kafka: Kafka) -> None:
        plan = self._plan
        task = generator.Task(
            kafka, plan.rate, plan.robots, LEAD_IN_S, self._seconds, self._start_s, self._start_us
        )
        out = await _child("deploy.bench.generator", task)
        self._until_s = monotonic() + GIVE_UP_S
        self._found.behind_s = msgspec.json.decode(out, type=list[float])

    async def _flush(self, kafka: Kafka) -> None:
        frames, rate = self._spool.frames, self._spool.rate
        if frames:
            task = flush.Task(kafka, frames, rate, self._start_us, self._start_s + LEAD_IN_S)
            self._found.flush_s = msgspec.json.decode(await _child("deploy.bench.flush", task), type=float)

    async def _return(self, kafka: Kafka) -> None:
        """Until the generator has ended."""
        if self._returning is not None:
            await self._returning.run(kafka, self._start_s + LEAD_IN_S, lambda: self._until_s is None)

    def _waits(self, awaited: Awaited) -> bool:
        return self._until_s is None or (bool(awaited.due_s) and monotonic() < self._until_s)

    async def _watch_rows(self, connection: "asyncpg.Connection[Any]") -> None:
        """Look again and again for the rows of the probes that are out."""
        found, rows = self._found, self._found.rows
        look = await connection.prepare(_ROWS)
        probes = deque(sorted(self._plan.probes))
        looked_s = monotonic()
        while probes or self._waits(rows):
            while probes and self._start_s + self._plan.due_s(probes[0]) <= monotonic():
                self._await_row(probes.popleft())
            robots, times, seqs = zip(*rows.due_s, strict=True) if rows.due_s else ((), (), ())
            landed = await look.fetch(robots, times, seqs, self._load.boot_id)
            now_s = monotonic()
            for robot, time, seq, received in landed:
                rows.seen((robot, time, seq), now_s)
                found.to_broker_s.append((received - time).total_seconds())
            found.polls_s.append(now_s - looked_s)
            looked_s = now_s
            await asyncio.sleep(POLL_S)

    def _await_row(self, number: int) -> None:
        frame = self._load.frame(number)
        time = _EPOCH + timedelta(microseconds=frame.time_us)
        self._found.rows.due_s[frame.robot_id, time, frame.seq] = self._start_s + self._plan.due_s(number)

    async def _watch_memory(self) -> None:
        """At the end of the lead-in and then every minute, to see whether it grows."""
        at_s = LEAD_IN_S
        while self._pids and at_s <= LEAD_IN_S + self._seconds:
            await asyncio.sleep(max(0.0, self._start_s + at_s - monotonic()))
            self._found.memory.append(Memory(at_s, usage.resident_bytes(self._pids)))
            at_s += MEMORY_EVERY_S

    async def _watch_events(self, consumer: AIOKafkaConsumer) -> None:
        events = self._found.events
        while self._waits(events):
            polled = await consumer.getmany(timeout_ms=round(1000 * EVENT_POLL_S))
            now_s = monotonic()
            for record in (record for records in polled.values() for record in records):
                anomaly = decode_anomaly(record.value)
                if anomaly.transition is Transition.OPENED:
                    events.seen((anomaly.robot_id, anomaly.component, anomaly.first_us), now_s)


async def _child(module: str, task: generator.Task | flush.Task) -> bytes:
    """What a module says that sends, in a process of its own. Raises UnavailableError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", module, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    try:
        out, said = await process.communicate(msgspec.json.encode(task))
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode:
        words = said.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise UnavailableError(f"the generator ended: {words[-1]}")
    return out
