"""The repairer on a real TimescaleDB; and with the lander and the summariser, vitals that equal the rows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from deploy.ledger.recount import differences
from processors import repair
from processors.repair import Repairer
from processors.summarise_metrics import SummariseMetrics
from schemas.topics import FRAMES
from schemas.vitals import FINAL, PROVISIONAL, REPAIRED, Vitals
from schemas.watermark import Resume
from support.pipeline import pipeline
from support.windows import RULE, START_US, S, Sent, assert_same, records, window_of, windows_in

WITHIN_S = 120.0
PARTITION = 3
MEANS = {"joint_temperature_c": [None, 88.5]}


class Database:
    """What the lander would have written."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def land(self, *sent: Sent, next_offset: int) -> None:
        await self.connection.executemany(
            "INSERT INTO frame (robot_id, time, seq, boot_id, mono_us, received, mode, backfill, scenario, "
            "software, joint_temperature_c, battery_soc) "
            "VALUES ($1, $2, $3, $4, 0, $5, $6, false, $7, $8, $9, $10)",
            [
                (
                    s.code, at(s.at_us), s.seq, s.boot, at(s.received_us), s.mode, s.scenario, s.software,
                    s.readings["joint_temperature_c"], s.readings["battery_soc"],
                )
                for s in sent
            ],
        )  # fmt: skip
        await self.connection.execute(
            "INSERT INTO landed VALUES ($1, $2, $3) ON CONFLICT (topic, partition) DO UPDATE SET next_offset = $3",
            FRAMES.name,
            PARTITION,
            next_offset,
        )

    async def mark(self, sent: Sent, offset: int, reason: str = "window_closed") -> None:
        await self.connection.execute(
            "INSERT INTO late_window VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (robot_id, start, length_us) "
            "DO UPDATE SET frame_offset = $5, reason = $6",
            sent.code,
            at(sent.at_us // RULE.window_us * RULE.window_us),
            RULE.window_us,
            PARTITION,
            offset,
            reason,
        )

    async def tell(self, kind: int, last: Sent, frames: int) -> None:
        await self.connection.execute(
            "INSERT INTO vitals (robot_id, start, length_us, kind, frames, first_seq, last_seq, boot_id, missing, "
            "last_time, received, fault_frames, backfill_frames, mode, software, scenario) "
            "VALUES ($1, $2, $3, $4, $5, 0, $6, $7, 0, $8, $9, 0, 0, $10, $11, $12)",
            last.code, at(START_US), RULE.window_us, kind, frames, last.seq, last.boot, at(last.at_us),
            at(last.received_us), last.mode, last.software, last.scenario,
        )  # fmt: skip

    async def count(self, table: str) -> int:
        return await self.connection.fetchval(f"SELECT count(*) FROM {table}")

    async def until(self, table: str, count: int) -> None:
        async with asyncio.timeout(WITHIN_S):
            while await self.count(table) != count:
                await asyncio.sleep(0.02)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    connection = await asyncpg.connect(database_url)
    yield Database(connection)
    await connection.close()


class Work:
    """A repairer's surroundings: what it published, and what the summarisers have committed."""

    def __init__(self, database_url: str) -> None:
        self.published: list[tuple[int, Vitals]] = []
        self.commits: dict[int, Resume] = {}
        self.arrived = asyncio.Event()
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.registry = CollectorRegistry()
        metrics = SummariseMetrics.create(self.registry)
        self.repairer = Repairer(database_url, metrics, self.publish, self.committed)

    async def publish(self, partition: int, vitals: Sequence[Vitals]) -> None:
        if self.meanwhile:
            await self.meanwhile()
        self.published += [(partition, message) for message in vitals]
        self.arrived.set()

    async def committed(self) -> dict[int, Resume]:
        return self.commits

    @property
    def windows(self) -> list[dict]:
        return [window for _, message in self.published for window in windows_in(message).values()]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        task = asyncio.create_task(self.repairer.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task


@pytest.fixture
def work(database_url: str) -> Work:
    return Work(database_url)


def at(time_us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)


def committed(closed_us: int, read_to: int) -> Resume:
    return Resume(START_US, START_US + closed_us, read_to, *msgspec.structs.astuple(RULE))


def seconds(*times: float) -> list[Sent]:
    return [Sent(time_us=int(t * S), seq=seq) for seq, t in enumerate(times)]


async def test_a_window_that_misses_frames_is_computed_from_its_rows(database, work):
    await database.land(*seconds(0, 1, 9.5, 10), next_offset=10)
    await database.mark(Sent(), 9)
    async with work.running():
        await database.until("late_window", 0)
    [(partition, message)] = work.published
    assert (partition, message.kind, message.start_us) == (PARTITION, REPAIRED, START_US)
    window = windows_in(message)[Sent().code, START_US]
    assert (window["frames"], window["last_seq"], window["joint_temperature_c/2/mean"]) == (3, 2, 31)
    assert await database.count("repair_again") == 0


async def test_what_is_absent_from_rows_is_absent_from_their_window(database, work):
    readings = [([None, 31.0], 0.75), ([30.5, None], None), ([None, None], 0.5), ([22.25, -40.0], None)]
    sent = [
        Sent(time_us=t * S, seq=t, readings={"joint_temperature_c": joints, "battery_soc": soc})
        for t, (joints, soc) in enumerate(readings)
    ]
    await database.land(*sent, next_offset=10)
    await database.mark(Sent(), 9)
    async with work.running():
        await database.until("late_window", 0)
    [(_, message)] = work.published
    assert_same({(Sent().code, START_US): window_of(sent)}, windows_in(message))


async def test_a_mark_waits_until_its_frame_has_landed(database, work):
    await database.land(*seconds(0), next_offset=9)
    await database.mark(Sent(), 9)
    other = Sent(robot=2)
    await database.land(other, next_offset=9)
    await database.mark(other, 8)
    async with work.running():
        await database.until("late_window", 1)
        assert [window["frames"] for window in work.windows] == [1]
        await database.land(Sent(time_us=S, seq=1), next_offset=10)
        await database.until("late_window", 0)
    assert [window["frames"] for window in work.windows] == [1, 2]


async def test_a_mark_that_grows_while_its_window_is_repaired_stays(database, work, database_url):
    await database.land(*seconds(0), next_offset=20)
    await database.mark(Sent(), 9)

    async def grow():
        work.meanwhile = None
        connection = await asyncpg.connect(database_url)  # the test waits on the other one
        await Database(connection).land(Sent(time_us=S, seq=1), next_offset=21)
        await Database(connection).mark(Sent(), 20)
        await connection.close()

    work.meanwhile = grow
    async with work.running():
        await database.until("late_window", 0)
    assert [window["frames"] for window in work.windows] == [1, 2]


async def test_a_window_that_is_still_open_is_repaired_now_and_once_more_when_it_has_closed(database, work):
    await database.land(*seconds(0, 1), next_offset=2)
    await database.mark(Sent(), 1, "sequence_seen")
    work.commits = {PARTITION: committed(S, read_to=2)}
    async with work.running():
        await database.until("late_window", 0)
        assert await database.count("repair_again") == 1
        work.commits = {PARTITION: committed(15 * S, read_to=5)}
        await database.land(*[Sent(time_us=s * S, seq=s) for s in (2, 3)], next_offset=4)
        work.arrived.clear()
        await database.mark(Sent(robot=2), 3)
        await database.until("late_window", 0)
        assert await database.count("repair_again") == 1, "what had been read by the commit has not landed"
        await database.land(next_offset=5)
        await database.until("repair_again", 0)
    assert [window["frames"] for window in work.windows] == [2, 4]


# What the last window of a partition that stands may be when its last frames have landed: the repaired one, which
# counts more than the provisional or final one that came after it, and not all; or one of these, which counts more.
@pytest.mark.parametrize(("kind", "frames"), [(REPAIRED, 2), (PROVISIONAL, 3), (FINAL, 3)])
async def test_a_window_that_nothing_closes_is_repaired_again_until_it_counts_all_its_rows(
    database, work, monkeypatch, kind, frames
):
    monkeypatch.setattr(repair, "STANDS_AFTER_S", 0)
    await database.land(*seconds(0, 1), next_offset=2)
    await database.mark(Sent(), 1, "sequence_seen")
    work.commits = {PARTITION: committed(4 * S, read_to=4)}
    async with work.running():
        await database.until("late_window", 0)
        await database.tell(kind, Sent(time_us=3 * S, seq=3), frames)
        work.arrived.clear()
        await database.land(*[Sent(time_us=s * S, seq=s) for s in (2, 3)], next_offset=4)
        await asyncio.wait_for(work.arrived.wait(), WITHIN_S)
        await database.connection.execute("UPDATE vitals SET kind = $1, frames = 4", REPAIRED)
        assert await database.count("repair_again") == 1, "it is still open"
        work.commits = {PARTITION: committed(15 * S, read_to=4)}
        await database.until("repair_again", 0)
    assert {window["frames"] for window in work.windows[1:]} == {4}


async def test_while_a_window_counts_all_its_rows_it_is_not_repaired_again(database, work, monkeypatch):
    monkeypatch.setattr(repair, "STANDS_AFTER_S", 0)
    ahead = Sent(time_us=12 * S)
    await database.land(*seconds(0, 1), ahead, next_offset=3)
    await database.tell(REPAIRED, Sent(time_us=S, seq=1), frames=2)
    await database.mark(Sent(), 1, "sequence_seen")
    await database.mark(ahead, 2, "clock_ahead")
    work.commits = {PARTITION: committed(4 * S, read_to=3)}
    async with work.running():
        await database.until("late_window", 0)
        await database.mark(Sent(robot=2), 2)
        await database.until("late_window", 0)
    assert sorted(window["frames"] for window in work.windows) == [1, 2]
    assert await database.count("repair_again") == 2


async def test_of_two_repairers_one_works(database, work, database_url):
    other = Work(database_url)
    async with work.running():
        await database.land(*seconds(0), next_offset=10)
        await database.mark(Sent(), 9)
        await database.until("late_window", 0)
        async with other.running():
            await database.mark(Sent(), 9)
            await database.until("late_window", 0)
            assert other.published == []


async def test_a_long_list_of_marks_is_worked_off_without_a_pause(database, work):
    robots = [Sent(robot=robot) for robot in range(500)]
    await database.land(*robots, next_offset=1000)
    for robot in robots:
        await database.mark(robot, 999)
    async with work.running():
        await database.until("late_window", 0)
    assert sorted(window["frames"] for window in work.windows) == [1] * 500


async def test_an_outage_of_the_database_is_waited_for(servers, database, work, database_url):
    await database.land(*seconds(0), next_offset=10)
    async with work.running():
        await database.mark(Sent(), 9)
        await asyncio.wait_for(work.arrived.wait(), WITHIN_S)
        await asyncio.to_thread(servers.database.kill)
        async with asyncio.timeout(WITHIN_S):
            while not work.registry.get_sample_value("robovitals_summarise_repair_retries_total"):
                await asyncio.sleep(0.02)
        await asyncio.to_thread(servers.database.start)
        database.connection = await asyncpg.connect(database_url)
        await database.until("late_window", 0)  # the first mark, if the outage came before it was taken away
        work.arrived.clear()
        await database.mark(Sent(), 9)
        await asyncio.wait_for(work.arrived.wait(), WITHIN_S)
        await database.until("late_window", 0)
    await database.connection.close()


async def test_vitals_end_equal_to_the_rows_whatever_comes_late_twice_or_ahead(tmp_path, topics, database_url):
    """Late, sent twice, out of order, from another boot, and with a clock ahead of the broker's."""
    wanted = [
        Sent(time_us=t * S, seq=t, robot=robot, highest=MEANS if robot % 3 == t % 2 else {})
        for t in range(60)
        for robot in range(6)
    ]
    held_back = [s for s in wanted if s.seq % 7 == 3]
    sent = [s for s in wanted if s.seq % 7 != 3]
    sent[200:200] = sent[150:190]
    booted = [Sent(time_us=t * S, seq=t - 40, robot=1, boot=99) for t in range(40, 50)]
    now_us = int(datetime.now(UTC).timestamp()) * S - START_US
    ahead = [Sent(time_us=now_us + 3600 * S + t * S, seq=1000 + t, robot=2) for t in range(25)]
    again = sent[-30:]
    rows = {(s.code, s.at_us, s.seq) for s in [*wanted, *booted, *ahead]}
    with pipeline(tmp_path, topics, database_url) as processes:
        processes.start("land")
        processes.start("summarise")
        async with AIOKafkaProducer(**topics.client(), enable_idempotence=True) as producer:
            for s in [*sent, *held_back, *booted, *ahead, *again]:
                (made,) = records([s])
                await producer.send(FRAMES.name, made.value, key=made.key)
            await producer.flush()
        connection = await asyncpg.connect(database_url)
        async with asyncio.timeout(WITHIN_S):
            while await Database(connection).count("frame") < len(rows):
                await asyncio.sleep(0.1)
            while await differences(connection) or await Database(connection).count("late_window"):
                await asyncio.sleep(0.5)
        assert await connection.fetchval("SELECT count(*) FROM vitals WHERE kind = $1", REPAIRED) > 10
        highest = "SELECT DISTINCT joint_temperature_c_max[2] FROM vitals WHERE joint_temperature_c_last[2] = 31"
        assert {row[0] for row in await connection.fetch(highest)} == {31.0, 88.5}
        await connection.close()
        assert set(processes.stop().values()) == {0}
