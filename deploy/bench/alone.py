"""The assessor's own speed: windows of a large fleet, one assessor, nothing else to do.

In: the vitals that a drain has left on the topic. Out: robots' windows a second, and where the time goes. Called
by `bench pipeline`. First the windows as they came, by which the assessor learns the robots; then the same again as
the windows that follow, which is what it does all day. It is stopped (SIGSTOP) while they are sent: all wait then.
"""

import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition

from deploy.bench import broker, metrics
from deploy.bench.preload import FLUSH_WITHIN_S, PRODUCER, produce
from deploy.bench.stand import Stand
from deploy.bench.steady import STALLED_AFTER_S, Mark, between, mark
from deploy.local.processes import ProductProcess
from schemas.errors import StopError
from schemas.robot_code import CODE_LENGTH
from schemas.topics import VITALS
from schemas.vitals import FINAL, Vitals, decode_vitals, encode_vitals

FOLLOWING = 2
"""So many windows of each robot are assessed once it is known."""
LOOK_EVERY_S = 0.1
_READ_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of the topic."""

    partition: int
    key: bytes
    vitals: Vitals

    @property
    def windows(self) -> int:
        return len(self.vitals.robot_id) // CODE_LENGTH


@dataclass(frozen=True, slots=True)
class Assessed:
    """Of a robot's window, in µs of time: `step_us` our own computing, `rest_us` sending, writing and waiting for
    both; `outside_us` between messages, which is Faust's. `cpu_us` is all of the process.
    """

    per_s: float
    step_us: float
    rest_us: float
    outside_us: float
    cpu_us: float
    robots_a_message: float


def assessed_alone(stand: Stand) -> tuple[Assessed, Assessed]:
    """Of unknown robots, and of known ones. It empties all topics but that of the frames."""
    first = _kept(stand.endpoints.kafka_bootstrap)
    broker.empty_topics(stand.endpoints.kafka_bootstrap)
    assess = stand.product("assess", "-alone")
    with stand.running(assess):
        stand.wait_until_ready(assess)
        known = [following(sent, number) for number in range(1, FOLLOWING + 1) for sent in first]
        return _assess(stand, assess, first), _assess(stand, assess, known)


def following(sent: Sent, number: int) -> Sent:
    """The same window of the same robots, `number` windows later."""
    vitals = decode_vitals(encode_vitals(sent.vitals))
    assert isinstance(vitals, Vitals)
    later_us = number * vitals.length_us
    frames = np.frombuffer(vitals.frames, "<i4").astype("<i8")
    vitals.start_us += later_us
    for name, by in (
        ("last_time_us", later_us),
        ("received_us", later_us),
        ("first_seq", number * frames),
        ("last_seq", number * frames),
    ):
        setattr(vitals, name, (np.frombuffer(getattr(vitals, name), "<i8") + by).tobytes())
    return Sent(sent.partition, sent.key, vitals)


def _kept(bootstrap: str) -> list[Sent]:
    """The first window of each shard, as the summariser has sent it."""
    consumer = Consumer({**broker.client(bootstrap), "group.id": "robovitals.bench"})
    spans = broker.watermarks(bootstrap, VITALS.name)
    consumer.assign([TopicPartition(VITALS.name, partition, first) for partition, (first, _) in spans.items()])
    try:
        found = list(_read(consumer, sum(end - first for first, end in spans.values())))
    finally:
        consumer.close()
    start_us = min((sent.vitals.start_us for sent in found), default=0)
    return [sent for sent in found if sent.vitals.start_us == start_us]


def _read(consumer: Consumer, count: int) -> Iterator[Sent]:
    while count:
        messages = consumer.consume(min(count, 100), _READ_WITHIN_S)
        if not messages:
            raise StopError(f"{VITALS.name} does not give what it holds: run it again")
        count -= len(messages)
        for message in messages:
            vitals, partition = decode_vitals(message.value() or b""), message.partition()
            if isinstance(vitals, Vitals) and vitals.kind == FINAL and partition is not None:
                yield Sent(partition, bytes(message.key() or b""), vitals)


def _assess(stand: Stand, assess: ProductProcess, sent: Sequence[Sent]) -> Assessed:
    assert assess.process is not None
    pids = {assess.name: assess.process.pid}
    before = metrics.read(assess.port)
    assess.process.send_signal(signal.SIGSTOP)
    try:
        _send(stand.endpoints.kafka_bootstrap, sent)
    finally:
        assess.process.send_signal(signal.SIGCONT)
    begin, windows = mark(0, pids), sum(one.windows for one in sent)
    end, after = _wait(stand, assess, pids, int(before[metrics.ASSESSED_WINDOWS]) + windows, windows)
    rate = between(begin, end)
    handled_s, stepped_s = (
        after[name] - before[name] for name in (metrics.ASSESSED_HANDLED_S, metrics.ASSESSED_STEPPED_S)
    )
    return Assessed(
        per_s=rate.per_s,
        step_us=1e6 * stepped_s / windows,
        rest_us=1e6 * (handled_s - stepped_s) / windows,
        outside_us=1e6 * max(0.0, end.at_s - begin.at_s - handled_s) / windows,
        cpu_us=rate.cpu_us[assess.name],
        robots_a_message=windows / len(sent),
    )


def _wait(
    stand: Stand, assess: ProductProcess, pids: dict[str, int], until: int, windows: int
) -> tuple[Mark, dict[str, float]]:
    before, moved_s = -1.0, time.monotonic()
    while True:
        stand.check()
        said = metrics.read(assess.port)
        end = mark(windows, pids)
        if said[metrics.ASSESSED_WINDOWS] >= until:
            return end, said
        if said[metrics.ASSESSED_WINDOWS] != before:
            before, moved_s = said[metrics.ASSESSED_WINDOWS], time.monotonic()
        elif time.monotonic() - moved_s > STALLED_AFTER_S:
            raise StopError(f"the assessor stands still at {before:g} of {until} windows: see {assess.log}")
        time.sleep(LOOK_EVERY_S)


def _send(bootstrap: str, sent: Sequence[Sent]) -> None:
    producer = Producer({**broker.client(bootstrap), **PRODUCER, "compression.type": "lz4"})
    for one in sent:
        produce(producer, VITALS.name, encode_vitals(one.vitals), one.key, partition=one.partition)
    if producer.flush(FLUSH_WITHIN_S):
        raise StopError("Kafka does not take the vitals: run it again")
