"""The summariser on a real Kafka: frames in, vitals out; and killed in the middle, the same vitals."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client import CollectorRegistry

from processors.group import GROUP
from processors.summarise import Summariser, SummariseSettings
from processors.summarise_metrics import SummariseMetrics
from schemas.errors import ContractError, UnavailableError
from schemas.frame import encode_frame
from schemas.kafka import Kafka
from schemas.limits import Limits
from schemas.topics import FRAMES, VITALS, shard_key
from schemas.vitals import PROVISIONAL, Crossing, Late, Message, Pulse, Vitals, decode_vitals
from schemas.watermark import Resume, to_metadata
from support.frames import frame
from support.pipeline import pipeline
from support.windows import RULE, S, Sent, windows_in

PARTITION = 3
WITHIN_S = 120.0


@pytest.fixture
async def producer(topics: Kafka) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(**topics.client(), enable_idempotence=True, linger_ms=5) as producer:
        yield producer


async def publish(producer: AIOKafkaProducer, sent: list[Sent], partition: int = PARTITION) -> None:
    """All on one partition, in order. The broker's time is its own: what is sent is of the past."""
    for s in sent:
        value = encode_frame(
            frame(
                s.readings, robot_id=s.code, boot_id=s.boot, seq=s.seq, time_us=s.at_us, mode=s.mode, flags=s.flags
            )
        )
        await producer.send(FRAMES.name, value, key=s.code.encode(), partition=partition)
    await producer.flush()


class Reader:
    """What is on `telemetry.vitals`, from the beginning."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.records = []

    @property
    def messages(self) -> list[Message]:
        return [decode_vitals(record.value) for record in self.records]

    async def until(self, enough) -> list[Message]:
        """Read until `enough(messages)`."""
        async with asyncio.timeout(WITHIN_S):
            while not enough(self.messages):
                for records in (await self._consumer.getmany(timeout_ms=100)).values():
                    self.records += records
        return self.messages


@pytest.fixture
async def reader(topics: Kafka) -> AsyncIterator[Reader]:
    async with AIOKafkaConsumer(VITALS.name, **topics.client(), auto_offset_reset="earliest") as consumer:
        yield Reader(consumer)


def summariser(kafka: Kafka, database_url: str) -> Summariser:
    settings = SummariseSettings(kafka=kafka, database_url=database_url, rule=RULE, limits=Limits())
    return Summariser(settings, SummariseMetrics.create(CollectorRegistry()))


@asynccontextmanager
async def running(process: Summariser) -> AsyncIterator[Summariser]:
    """Stopped in order at the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(process.run(stop))
    try:
        yield process
    finally:
        stop.set()
        await task


def finals(messages: list[Message]) -> dict[tuple[str, int], dict]:
    """Final windows by robot and start; one that comes twice must be the same."""
    found = {}
    for message in messages:
        if isinstance(message, Vitals) and message.kind != PROVISIONAL:
            for key, window in windows_in(message).items():
                assert str(found.setdefault(key, window)) == str(window)
    return found


def of_kind(messages: list[Message], kind: type) -> list[Message]:
    return [message for message in messages if isinstance(message, kind)]


def seconds(*times: float, **changes) -> list[Sent]:
    return [Sent(time_us=int(t * S), seq=seq, **changes) for seq, t in enumerate(times)]


async def test_frames_become_windows_on_their_own_partition_number(topics, database_url, producer, reader):
    async with running(summariser(topics, database_url)):
        await publish(producer, seconds(0, 1, 2, 16))
        await reader.until(finals)
    [record] = [r for r in reader.records if isinstance(decode_vitals(r.value), Vitals)]
    message = decode_vitals(record.value)
    assert record.partition == PARTITION
    assert record.key == shard_key(PARTITION, message.shard)
    assert finals([message])[Sent().code, Sent().at_us]["frames"] == 3


async def test_a_crossing_a_late_mark_and_a_pulse_come_without_waiting_for_a_window(
    topics, database_url, producer, reader
):
    hot = Sent(time_us=S, seq=1, readings={"joint_temperature_c": [95.0, 30.0], "battery_soc": 0.5})
    async with running(summariser(topics, database_url)):
        await publish(producer, [Sent(), hot, hot])
        messages = await reader.until(lambda m: of_kind(m, Crossing) and of_kind(m, Late) and of_kind(m, Pulse))
    [crossing], [late] = of_kind(messages, Crossing), of_kind(messages, Late)
    assert (crossing.robot_id, crossing.seq, crossing.joint, crossing.value) == (hot.code, 1, 1, 95)
    assert (late.robot_id, late.offset, late.partition) == ([hot.code], [2], PARTITION)
    assert {pulse.partition for pulse in of_kind(messages, Pulse)} <= set(range(8))


async def test_a_partition_that_goes_quiet_tells_its_open_windows_as_provisional(
    topics, database_url, producer, reader
):
    async with running(summariser(topics, database_url)):
        await publish(producer, seconds(0, 1))
        messages = await reader.until(lambda m: of_kind(m, Vitals))
    [told] = of_kind(messages, Vitals)
    assert told.kind == PROVISIONAL
    assert windows_in(told)[Sent().code, Sent().at_us]["frames"] == 2


async def test_bytes_that_are_no_frame_are_passed_over(topics, database_url, producer, reader):
    async with running(summariser(topics, database_url)):
        await producer.send_and_wait(FRAMES.name, b"\xc1", partition=PARTITION)
        await publish(producer, seconds(0, 1))
        await producer.send_and_wait(FRAMES.name, b"{", partition=PARTITION)
        await publish(producer, [Sent(time_us=16 * S, seq=2)])
        messages = await reader.until(finals)
    assert finals(messages)[Sent().code, Sent().at_us]["frames"] == 2


async def test_a_restart_in_order_goes_on_where_it_stopped(topics, database_url, producer, reader):
    sent = seconds(*range(60))
    async with running(summariser(topics, database_url)):
        await publish(producer, sent[:33])
        await reader.until(lambda m: len(finals(m)) == 2)
    async with running(summariser(topics, database_url)):
        await publish(producer, sent[33:])
        messages = await reader.until(lambda m: len(finals(m)) == 5)
    assert len([m for m in of_kind(messages, Vitals) if m.kind != PROVISIONAL]) == 5
    assert {window["frames"] for window in finals(messages).values()} == {10}
    assert of_kind(messages, Late) == []


@pytest.mark.parametrize("membership", [{}, {"ROBOVITALS_INSTANCE": "summarise-1"}], ids=["dynamic", "static"])
async def test_a_kill_in_the_middle_gives_the_same_windows(
    topics, database_url, producer, reader, tmp_path, membership
):
    robots, length_s = range(40), 100
    sent = [Sent(time_us=t * S, seq=t, robot=robot) for t in range(length_s) for robot in robots]
    with pipeline(tmp_path, topics, database_url, **membership) as processes:
        processes.start("summarise")
        await publish(producer, sent[:1500])
        await reader.until(lambda m: len(finals(m)) >= len(robots))
        processes.kill("summarise")
        await publish(producer, sent[1500:2500])
        processes.start("summarise")
        await publish(producer, sent[2500:])
        messages = await reader.until(lambda m: len(finals(m)) == 9 * len(robots))
    assert {window["frames"] for window in finals(messages).values()} == {10}
    assert {window["missing"] for window in finals(messages).values()} == {0}
    assert of_kind(messages, Late) == []


async def test_two_share_the_partitions_and_one_takes_over(topics, database_url, producer, reader):
    sent = [Sent(time_us=t * S, seq=t, robot=robot) for t in range(60) for robot in range(8)]
    by_partition = {robot: [s for s in sent if s.robot == robot] for robot in range(8)}
    async with running(summariser(topics, database_url)):
        async with running(summariser(topics, database_url)):
            for partition, frames in by_partition.items():
                await publish(producer, frames[:30], partition)
            await reader.until(lambda m: len(finals(m)) == 2 * 8)
        for partition, frames in by_partition.items():
            await publish(producer, frames[30:], partition)
        messages = await reader.until(lambda m: len(finals(m)) == 5 * 8)
    assert {window["frames"] for window in finals(messages).values()} == {10}


async def test_a_commit_for_frames_that_are_gone_stops_loudly(topics, database_url, producer):
    await publish(producer, seconds(0, 1))
    consumer = AIOKafkaConsumer(**topics.client(), group_id=GROUP, enable_auto_commit=False)
    async with consumer:
        place = TopicPartition(FRAMES.name, PARTITION)
        consumer.assign([place])
        await consumer.commit({place: (90, to_metadata(Resume(-1, -1, 99, 10 * S, 5 * S, 5 * S)))})
    with pytest.raises(ContractError, match="made anew"):
        await summariser(topics, database_url).run(asyncio.Event())


async def test_it_is_ready_when_it_has_its_partitions(topics, database_url, reader):
    process = summariser(topics, database_url)
    assert process.not_ready() == "starting"
    async with running(process):
        await reader.until(lambda m: of_kind(m, Pulse))
        assert process.not_ready() is None
        assert process.stuck(asyncio.get_running_loop().time()) is None
    assert process.not_ready() == "stopping"


async def test_a_broker_that_is_gone_for_a_moment_loses_nothing(
    servers, topics, database_url, producer, reader, tmp_path
):
    sent = [Sent(time_us=t * S, seq=t, robot=robot) for t in range(60) for robot in range(10)]
    with pipeline(tmp_path, topics, database_url) as processes:
        processes.start("summarise")
        await publish(producer, sent[:300])
        await reader.until(lambda m: len(finals(m)) == 2 * 10)
        await asyncio.to_thread(servers.kafka.kill)
        await asyncio.to_thread(servers.kafka.start)
        await publish(producer, sent[300:])
        messages = await reader.until(lambda m: len(finals(m)) == 5 * 10)
        assert processes.stop() == {"summarise": 0}
    assert {window["frames"] for window in finals(messages).values()} == {10}
    assert of_kind(messages, Late) == []


async def test_without_a_broker_it_says_so_in_one_line(database_url):
    with pytest.raises(UnavailableError, match="no Kafka answers"):
        await summariser(Kafka("127.0.0.1:1"), database_url).run(asyncio.Event())
