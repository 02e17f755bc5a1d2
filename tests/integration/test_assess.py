"""The assessor on a real Kafka: vitals made by hand in, health and anomalies out, killed and gone on."""

import asyncio
import itertools
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import CollectorRegistry

from deploy.topics import delete_all, ensure
from processors import assess_work, assessor
from processors.assess import Assess, AssessSettings
from processors.assess_metrics import AssessMetrics
from processors.assess_state import AssessState
from processors.faust_app import DurableTable, ExactConsumer, make_app
from processors.inbox import Inbox
from schemas.anomaly import Anomaly, decode_anomaly
from schemas.errors import ContractError, RejectError, StopError, UnavailableError
from schemas.health import Health, Status
from schemas.kafka import Kafka
from schemas.limits import Limits
from schemas.topics import (
    ANOMALIES,
    DEFAULT_PARTITIONS,
    EPISODE_CHANGELOG,
    EPISODE_TABLE,
    SHARD_CHANGELOG,
    SHARD_TABLE,
    VITALS,
)
from schemas.vitals import Vitals, decode_vitals
from support.assess import robot, start_of
from support.assessing import Assessed
from support.assessor import (
    SILENCE_US,
    Addressed,
    all_assessed,
    assessed,
    assessing,
    crossing,
    partition_of,
    publish,
    pulses,
    records,
    told,
    windows,
)
from support.pipeline import Pipeline, pipeline

NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none"
ROBOTS = [robot(number) for number in range(12)]


def test_faust_names_its_changelogs_as_we_create_them(tmp_path: Path) -> None:
    app = make_app(Kafka("127.0.0.1:1"), tmp_path, None)
    assert app.Table(SHARD_TABLE).changelog_topic.get_topic_name() == SHARD_CHANGELOG.name
    assert app.Table(EPISODE_TABLE).changelog_topic.get_topic_name() == EPISODE_CHANGELOG.name


async def test_a_hot_joint_becomes_an_anomaly_and_a_health_of_its_robot(topics: Kafka, tmp_path: Path) -> None:
    hot, well = ROBOTS[:2]
    await assessed(topics, tmp_path, [*windows(hot, [40, 95]), *windows(well, [40, 41])])
    (record,) = await records(topics, ANOMALIES)
    anomaly = decode_anomaly(record.value)
    assert (record.key, record.partition) == (hot.encode(), partition_of(hot))
    assert dict(record.headers)["ce_id"] == anomaly.id.encode()
    assert dict(record.headers)["ce_subject"] == hot.encode()
    assert (anomaly.component, anomaly.value, anomaly.first_us) == ("joint/1", 95.0, start_of(1))
    _, healths = await told(topics)
    assert (healths[hot].status, healths[well].status) == (Status.OFF_SPEC, Status.NORMAL)


async def test_a_crossing_and_a_silence_are_told_and_end(topics: Kafka, tmp_path: Path) -> None:
    code = ROBOTS[0]
    log = [*windows(code, [40]), crossing(code, start_of(1) + 5), *windows(code, [95.5], first=1)]
    log += [*pulses(start_of(9)), *windows(code, [40, 40], first=10)]
    metrics = await assessed(topics, tmp_path, log)
    anomalies, healths = await told(topics)
    assert [(a.rule, a.transition.value) for a in anomalies] == [
        ("limit", "opened"), ("silence", "opened"), ("silence", "cleared"), ("limit", "cleared"),
    ]  # fmt: skip
    assert healths[code].status is Status.NORMAL
    assert metrics.windows._value.get() == 4


async def test_what_cannot_be_read_is_counted_and_its_neighbours_are_assessed(
    topics: Kafka, tmp_path: Path
) -> None:
    code = ROBOTS[0]
    first, second = windows(code, [40, 95])
    junk = [(partition_of(code), b"junk", value) for value in (b"\xc1", b"", second[2][:-20])]
    metrics = await assessed(topics, tmp_path, [first, *junk, second])
    anomalies, _ = await told(topics)
    assert len(anomalies) == 1
    assert metrics.rejected.labels("undecodable")._value.get() == 3


async def test_state_goes_on_after_a_restart_and_from_the_changelog_alone(topics: Kafka, tmp_path: Path) -> None:
    one, two = ROBOTS[:2]
    await assessed(topics, tmp_path / "a", [*windows(one, [85]), *windows(two, [95])])
    await assessed(topics, tmp_path / "a", windows(one, [85], first=1))
    anomalies, _ = await told(topics)
    assert {a.robot_id: a.first_us for a in anomalies} == {one: start_of(0), two: start_of(0)}
    shutil.rmtree(tmp_path / "a")
    await assessed(topics, tmp_path / "b", [*windows(one, [95], first=2), *windows(two, [40, 40], first=1)])
    anomalies, _ = await told(topics)
    assert [(a.number, a.transition.value) for a in anomalies if a.robot_id == one] == [
        (1, "opened"),
        (2, "updated"),
    ]
    assert [(a.number, a.transition.value) for a in anomalies if a.robot_id == two] == [
        (1, "opened"),
        (2, "cleared"),
    ]


def _script() -> list[Addressed]:
    """Robots that get hot and cool down at different times, and crossings before their windows. Too few for a
    flood: when a parent adopts its members depends on the clock.
    """
    log: list[Addressed] = []
    for number in range(40):
        for at, code in enumerate(ROBOTS[:10]):
            temperature = 95.5 if (number + 3 * at) % 20 in (5, 6, 7) else 40.0
            if temperature > 90:
                log.append(crossing(code, start_of(number) + 1_000_000))
            log += windows(code, [temperature], first=number)
    return log


def test_killed_again_and_again_it_tells_what_it_would_have_told(topics: Kafka, tmp_path: Path) -> None:
    """The ids and contents of all anomalies and the last health of each robot, against a run without a crash."""

    async def straight() -> tuple[list[Anomaly], dict[str, Health]]:
        await publish(topics, _script())
        async with assessing(topics, tmp_path / "straight"):
            await all_assessed(topics)
            await publish(topics, pulses(start_of(60)))
            await all_assessed(topics)
        return await told(topics)

    async def publish_and_kill(running: Pipeline, part: list[Addressed]) -> None:
        """Kill it as soon as it tells the first of what comes of these messages: most of them are still waiting."""
        async with AIOKafkaConsumer(**topics.client()) as consumer:
            partitions = [TopicPartition(ANOMALIES.name, number) for number in range(DEFAULT_PARTITIONS)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            for partition, end in ends.items():
                consumer.seek(partition, end)
            await publish(topics, part)
            await consumer.getone()
            running.kill("assess")

    expected, healths = asyncio.run(straight())
    asyncio.run(_empty_topics(topics))
    script = _script()
    quarter = len(script) // 4
    with pipeline(tmp_path / "killed", topics, NO_DATABASE, ROBOVITALS_INSTANCE="test") as running:
        for kills in range(3):
            running.start("assess")
            asyncio.run(all_assessed(topics))
            asyncio.run(publish_and_kill(running, script[kills * quarter : (kills + 1) * quarter]))
        running.start("assess")
        asyncio.run(publish(topics, script[3 * quarter :]))
        asyncio.run(all_assessed(topics))
        asyncio.run(publish(topics, pulses(start_of(60))))
        asyncio.run(all_assessed(topics))
        assert running.stop() == {"assess": 0}
    anomalies, last = asyncio.run(told(topics))
    assert len(expected) > 30
    assert {a.id: a for a in anomalies} == {a.id: a for a in expected}
    assert last == healths


async def _empty_topics(kafka: Kafka) -> None:
    await delete_all(kafka)
    await ensure(kafka)


async def test_a_failure_that_is_not_the_datas_stops_the_process_with_the_message_unacknowledged(
    topics: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = ROBOTS[0]
    await publish(topics, windows(code, [40, 95, 95]))
    on_window = assessor.on_window

    def broken(shard: Any, vitals: Vitals, *args: Any, **kwargs: Any) -> Any:
        if vitals.start_us == start_of(1):
            raise OSError("the disk is on fire")
        return on_window(shard, vitals, *args, **kwargs)

    monkeypatch.setattr(assessor, "on_window", broken)
    metrics = AssessMetrics.create(CollectorRegistry())
    settings = AssessSettings(topics, tmp_path, "test", SILENCE_US, Limits())
    with pytest.raises(StopError, match="the disk is on fire"):
        await Assess(settings, metrics).run(asyncio.Event())
    assert metrics.windows._value.get() == 1, "what came after it was left alone too"
    assert await records(topics, ANOMALIES) == []
    monkeypatch.undo()
    await assessed(topics, tmp_path, [])
    anomalies, _ = await told(topics)
    assert [(a.first_us, a.transition.value) for a in anomalies] == [(start_of(1), "opened")]


def _fail_at(point: str, patched: pytest.MonkeyPatch) -> None:
    """Between two steps of a batch that has something to write, not the first one."""
    # A batch is what has come meanwhile: at once it could be everything, and then there would be no later one.
    patched.setattr(assess_work, "BATCH_JOBS", 50)
    calls = itertools.count()

    def failing(real: Any, is_due: Callable[..., bool]) -> Any:
        def step(*args: Any) -> Any:
            if is_due(*args) and next(calls) == 3:
                raise OSError("failed by the test")
            return real(*args)

        return step

    owner, name, is_due = {
        "outputs, then nothing": (AssessState, "write_records", lambda _, records: bool(records)),
        "episodes, then nothing": (AssessState, "write_shards", lambda _, shards: bool(shards)),
        "some of the states": (DurableTable, "write", lambda _, __, key, *___: b"/" in key),
        "all but the acknowledgement": (Inbox, "finish", lambda _, jobs: bool(jobs)),
    }[point]
    patched.setattr(owner, name, failing(getattr(owner, name), is_due))


@pytest.mark.parametrize(
    "done",
    ["outputs, then nothing", "episodes, then nothing", "some of the states", "all but the acknowledgement"],
)
async def test_stopped_within_a_batch_it_goes_on_and_tells_the_same(
    done: str, topics: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = _script()
    await publish(topics, script)
    with monkeypatch.context() as patched:
        _fail_at(done, patched)
        settings = AssessSettings(topics, tmp_path, "test", SILENCE_US, Limits())
        with pytest.raises(StopError, match="failed by the test"):
            await Assess(settings, AssessMetrics.create(CollectorRegistry())).run(asyncio.Event())
    await assessed(topics, tmp_path, [])
    anomalies, _ = await told(topics)
    expected = Assessed().take(*(decode_vitals(value) for _, _, value in script)).anomalies
    assert {a.id: a for a in anomalies} == {a.id: a for a in expected}


async def test_a_message_that_was_fetched_and_lost_stops_the_process_which_then_begins_before_it(
    topics: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(topics, windows(ROBOTS[0], [40, 95, 95]))
    getmany = ExactConsumer._getmany
    lost: list[Any] = []

    async def losing(self: Any, active_partitions: Any, timeout: float) -> Any:
        fetched = await getmany(self, active_partitions, timeout)
        for partition, found in fetched.items():
            if partition.topic == VITALS.name and not lost:
                lost.append(found.pop(0))
        return fetched

    monkeypatch.setattr(ExactConsumer, "_getmany", losing)
    settings = AssessSettings(topics, tmp_path, "test", SILENCE_US, Limits())
    with pytest.raises(StopError, match="jumped from offset 0 to 1"):
        await Assess(settings, AssessMetrics.create(CollectorRegistry())).run(asyncio.Event())
    monkeypatch.undo()
    metrics = await assessed(topics, tmp_path, [])
    assert (len(lost), metrics.windows._value.get()) == (1, 3)


async def test_a_step_that_finds_fault_with_the_data_skips_the_message(
    topics: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rejecting(*args: Any, **kwargs: Any) -> Any:
        raise RejectError("values_mismatch", "made for the test")

    monkeypatch.setattr(assessor, "on_window", rejecting)
    metrics = await assessed(topics, tmp_path, windows(ROBOTS[0], [40, 95]))
    assert metrics.rejected.labels("values_mismatch")._value.get() == 2


async def test_state_that_is_ahead_of_its_changelogs_is_named(topics: Kafka, tmp_path: Path) -> None:
    await assessed(topics, tmp_path, windows(ROBOTS[0], [85, 85, 85]))
    await delete_all(topics)
    await ensure(topics)
    settings = AssessSettings(topics, tmp_path, "test", SILENCE_US, Limits())
    with pytest.raises(ContractError, match=f"the state in {tmp_path} is ahead of its changelogs"):
        await Assess(settings, AssessMetrics.create(CollectorRegistry())).run(asyncio.Event())


async def test_a_missing_topic_and_a_missing_broker_are_named(kafka: Kafka, tmp_path: Path) -> None:
    await delete_all(kafka)
    for where, named in ((kafka, "robovitals topics"), (Kafka("127.0.0.1:1"), "no Kafka answers")):
        assess = Assess(
            AssessSettings(where, tmp_path, None, SILENCE_US, Limits()),
            AssessMetrics.create(CollectorRegistry()),
        )
        with pytest.raises(UnavailableError, match=named):
            await assess.run(asyncio.Event())
