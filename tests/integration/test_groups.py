"""The grouping on a real Kafka: anomalies of a thousand robots in, a handful of parents out, killed and gone on."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced
from prometheus_client import CollectorRegistry

from deploy.local.servers import Servers
from processors.fleet_state import Fleet, Head
from processors.group_metrics import GroupMetrics
from processors.group_store import GroupStore
from processors.group_work import Grouping
from processors.groups import Outcome
from schemas.action import Action, Kind, decode_action, encode_action
from schemas.anomaly import FLEET, AlarmState, Anomaly, Transition, decode_anomaly, encode_anomaly
from schemas.kafka import Kafka
from schemas.topics import ACTIONS, ANOMALIES, DEFAULT_PARTITIONS, GROUP_STATE, Topic
from support.flood import HOT, opened, then
from support.pipeline import pipeline

CONDITIONS = (HOT, ("drift", "joint_current_a", "above"), ("step", "joint_tracking_error_rad", "above"))
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"
WITHIN_S = 60


async def publish(kafka: Kafka, anomalies: Iterable[Anomaly]) -> None:
    async with AIOKafkaProducer(**kafka.client(), linger_ms=5) as producer:
        for anomaly in anomalies:
            value, headers = encode_anomaly(anomaly)
            await producer.send(ANOMALIES.name, value, key=anomaly.robot_id.encode(), headers=headers)
        await producer.flush()


async def values(kafka: Kafka, topic: Topic) -> list[bytes]:
    async with AIOKafkaConsumer(**kafka.client()) as consumer:
        partitions = [TopicPartition(topic.name, number) for number in range(DEFAULT_PARTITIONS)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[bytes] = []
        while any([await consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [record.value for record in records]
    return found


async def parents(kafka: Kafka) -> list[Anomaly]:
    """What was told of parents, each transition once, in order."""
    told = {a.id: a for a in map(decode_anomaly, await values(kafka, ANOMALIES)) if a.robot_id == FLEET}
    return sorted(told.values(), key=lambda a: (a.episode, a.number))


async def actions(kafka: Kafka) -> list[Action]:
    return list({a.id: a for a in map(decode_action, await values(kafka, ACTIONS))}.values())


@asynccontextmanager
async def grouping(kafka: Kafka) -> AsyncIterator[GroupMetrics]:
    """One in this process, stopped in order at the end."""
    metrics = GroupMetrics.create(CollectorRegistry())
    stop = asyncio.Event()
    running = asyncio.create_task(Grouping(kafka, metrics, lambda: True).run(stop))
    try:
        yield metrics
    finally:
        stop.set()
        await running


async def adopted(kafka: Kafka, count: int) -> list[Action]:
    """Wait until so many episodes have been given a parent."""
    async with asyncio.timeout(WITHIN_S):
        while len(found := [a for a in await actions(kafka) if a.kind is Kind.ADOPT]) < count:
            await asyncio.sleep(0.2)
    return found


async def told(kafka: Kafka, transition: Transition, count: int) -> list[Anomaly]:
    """Wait until so many parents have done this."""
    async with asyncio.timeout(WITHIN_S):
        while len(found := [a for a in await parents(kafka) if a.transition is transition]) < count:
            await asyncio.sleep(0.2)
    return found


def obeyed(of: Iterable[Anomaly], given: Iterable[Action]) -> list[Anomaly]:
    """What the assessor tells of episodes when it has adopted them."""
    by_id = {anomaly.episode_id: anomaly for anomaly in of}
    return [then(by_id[a.episode_id], Transition.ADOPTED, parent=a.parent) for a in given]


async def test_a_thousand_robots_that_overheat_at_once_are_one_parent(topics: Kafka) -> None:
    hot = [opened(n, model=f"MODEL{n % 5}", software=f"{n % 3}.0") for n in range(1000)]
    async with grouping(topics) as metrics:
        await publish(topics, hot)
        given = await adopted(topics, 1000)
        (parent,) = [a for a in await parents(topics) if a.transition is Transition.OPENED]
        assert {a.parent for a in given} == {parent.episode_id}
        assert len({a.episode_id for a in given}) == 1000
        await publish(topics, obeyed(hot, given))
        cooled = [then(a, Transition.CLEARED, number=3, parent=parent.episode_id) for a in hot]
        await publish(topics, cooled)
        (end,) = await told(topics, Transition.CLEARED, 1)
    assert (end.episode_id, end.count) == (parent.episode_id, 1000)
    assert metrics.calls._value.get() <= 1


async def test_an_operator_acknowledges_the_parent_and_a_restart_remembers_it(topics: Kafka) -> None:
    hot = [opened(n) for n in range(20)]
    async with grouping(topics):
        await publish(topics, hot)
        (parent,) = await told(topics, Transition.OPENED, 1)
        await act(topics, parent.episode_id, "one")
        await told(topics, Transition.ACKNOWLEDGED, 1)
    async with grouping(topics):
        await act(topics, parent.episode_id, "one")
        cooled = [then(a, Transition.CLEARED, number=3, parent=parent.episode_id) for a in hot]
        await publish(topics, cooled)
        (end,) = await told(topics, Transition.CLEARED, 1)
    assert end.state is AlarmState.NORMAL
    assert len(await told(topics, Transition.ACKNOWLEDGED, 1)) == 1


async def act(kafka: Kafka, parent: str, name: str) -> None:
    action = Action(
        v=1, id=name, robot_id=FLEET, kind=Kind.ACKNOWLEDGE, actor="Kim", time_us=time.time_ns() // 1000,
        episode_id=parent,
    )  # fmt: skip
    async with AIOKafkaProducer(**kafka.client()) as producer:
        await producer.send_and_wait(ACTIONS.name, encode_action(action), key=FLEET.encode())


async def test_a_bad_release_that_upsets_three_signals_of_a_thousand_robots_is_one_parent(topics: Kafka) -> None:
    sick = [opened(n, condition, software="4.2.1") for condition in CONDITIONS for n in range(1000)]
    async with grouping(topics):
        await publish(topics, sick)
        await adopted(topics, 3000)
    opening = [a for a in await parents(topics) if a.transition is Transition.OPENED]
    assert len(opening) == 1
    last = (await parents(topics))[-1]
    assert last.software == "4.2.1"
    assert "tracking error has changed all at once" in last.text


async def test_stopped_between_the_state_and_the_outputs_the_next_one_sends_them(
    topics: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = [opened(n) for n in range(30)]
    with monkeypatch.context() as patched:

        async def lost(*_: object) -> None:
            raise OSError("failed by the test")

        patched.setattr("processors.group_work._Turn._sent", lost)
        patched.setattr("processors.group_work.unsent", lambda *_: Outcome())
        await publish(topics, hot)
        with pytest.raises(OSError, match="failed by the test"):
            await Grouping(topics, GroupMetrics.create(CollectorRegistry()), lambda: True).run(asyncio.Event())
    assert await parents(topics) == []
    async with grouping(topics):
        given = await adopted(topics, 30)
    (parent,) = await parents(topics)
    assert {a.parent for a in given} == {parent.episode_id}


def test_killed_again_and_again_a_flood_stays_one_parent(topics: Kafka, tmp_path: Path) -> None:
    """`kill -9` of the process that groups, while a flood grows: one opening, and one parent for each robot."""
    with pipeline(tmp_path, topics, NO_DATABASE, ROBOVITALS_INSTANCE="test") as running:
        for number in range(4):
            running.start("assess")
            asyncio.run(publish(topics, [opened(n) for n in range(250 * number, 250 * number + 250)]))
            asyncio.run(adopted(topics, 250 * number + 20 * (number % 2)))
            running.kill("assess")
        running.start("assess")
        given = asyncio.run(adopted(topics, 1000))
        assert running.stop() == {"assess": 0}
        found = asyncio.run(parents(topics))
        assert [a.transition for a in found].count(Transition.OPENED) == 1
        assert len({a.episode_id for a in found}) == 1
        assert [a.number for a in found] == list(range(1, len(found) + 1))
        assert Counter(a.parent for a in given).keys() == {found[0].episode_id}
        assert len({a.episode_id for a in given}) == 1000


async def test_another_replica_takes_over_and_goes_on_with_the_same_parent(topics: Kafka) -> None:
    hot = [opened(n) for n in range(60)]
    ours = {"one": True, "two": False}
    stop = asyncio.Event()
    metrics = {name: GroupMetrics.create(CollectorRegistry()) for name in ours}
    running = [
        asyncio.create_task(Grouping(topics, metrics[name], partial(ours.__getitem__, name)).run(stop))
        for name in ours
    ]
    await publish(topics, hot[:30])
    await adopted(topics, 30)
    ours.update(one=False, two=True)
    await publish(topics, hot[30:])
    given = await adopted(topics, 60)
    assert [metrics[name].active._value.get() for name in ours] == [0, 1]
    stop.set()
    await asyncio.gather(*running)
    assert len({a.parent for a in given}) == 1
    assert len(await told(topics, Transition.OPENED, 1)) == 1


async def test_a_broker_that_is_gone_for_a_while_is_waited_for(topics: Kafka, servers: Servers) -> None:
    hot = [opened(n) for n in range(60)]
    async with grouping(topics) as metrics:
        await publish(topics, hot[:30])
        await adopted(topics, 30)
        await asyncio.to_thread(servers.kafka.kill)
        await asyncio.sleep(3)
        await asyncio.to_thread(servers.kafka.start)
        await publish(topics, hot[30:])
        given = await adopted(topics, 60)
    assert len({a.parent for a in given}) == 1
    assert metrics.parents._value.get() == 1


async def test_a_state_that_cannot_be_read_is_made_anew_with_the_same_parent(topics: Kafka) -> None:
    hot = [opened(n) for n in range(20)]
    async with grouping(topics):
        await publish(topics, hot)
        await adopted(topics, 20)
    (parent,) = await parents(topics)
    async with AIOKafkaProducer(**topics.client()) as producer:
        for key in (b"head", f"p/{parent.episode_id}".encode(), b"m/what is this"):
            await producer.send_and_wait(GROUP_STATE.name, b"\xc1", key=key)
    async with grouping(topics):
        await publish(topics, [then(a, Transition.CLEARED, parent=parent.episode_id) for a in hot])
        (end,) = await told(topics, Transition.CLEARED, 1)
    assert end.episode_id == parent.episode_id
    assert len((await GroupStore(topics).read()).members) == 20


async def test_whoever_was_thought_dead_and_comes_back_writes_nothing(topics: Kafka) -> None:
    await _fenced(topics)
    # A fenced producer of aiokafka leaves a future that complains when it is collected: better now than anywhen.
    gc.collect()


async def _fenced(topics: Kafka) -> None:
    old, new = GroupStore(topics), GroupStore(topics)
    await old.open()
    kept = await old.read()
    await old.write(kept, {"a/0": 5})
    await new.open()
    found = await new.read()
    assert found.head == Head(positions={"a/0": 5})
    with pytest.raises(ProducerFenced):
        await old.write(kept, {"a/0": 9})
    await new.write(found, {"a/0": 7})
    await old.close()
    await new.close()
    last = GroupStore(topics)
    assert (await last.read()).head == Head(positions={"a/0": 7})


async def test_an_empty_topic_is_an_empty_fleet(topics: Kafka) -> None:
    found = await GroupStore(topics).read()
    assert (found.members, found.parents, found.head) == (Fleet().members, Fleet().parents, Head())
