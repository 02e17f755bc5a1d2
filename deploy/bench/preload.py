"""Fills `telemetry.frames` once, for all rounds of a benchmark to read.

In: a fleet and how many of its frames. Out: where they are. Called by the benchmarks. librdkafka does it: aiokafka
would need half a minute for a million frames. Partitions, order and compression are as `Publisher` has them.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaException, Producer

from deploy.bench.broker import client, watermarks
from deploy.bench.fleet import Fleet
from deploy.bench.stand import Stand
from schemas.errors import UnavailableError
from schemas.frame import Frame, encode_frame
from schemas.seal import HEADER, derive_key, seal
from schemas.topics import FRAMES

# Java's murmur2, as aiokafka has it: any other would put a robot into another partition.
PRODUCER = {
    "partitioner": "murmur2_random",
    "enable.idempotence": True,
    "compression.type": "zstd",
    "linger.ms": 10,
    "batch.size": 256 * 1024,
    "queue.buffering.max.messages": 200_000,
    "queue.buffering.max.kbytes": 256 * 1024,
}
FLUSH_WITHIN_S = 60.0
ANY = -1  # the partitioner chooses
KEY_VERSION = 1
_TELL_EVERY = 250_000


@dataclass(frozen=True, slots=True)
class Preloaded:
    """`spans`: of each partition its first offset and the one after its last."""

    frames: int
    spans: dict[int, tuple[int, int]]

    @property
    def first(self) -> int:
        """The sum of all first offsets."""
        return sum(first for first, _ in self.spans.values())


def preload(stand: Stand, fleet: Fleet, frames: int, master: bytes | None = None) -> Preloaded:
    """Send the fleet's first `frames` frames, sealed where there is a master key. Raises UnavailableError where
    Kafka does not take them all.
    """
    kafka, began_s = stand.endpoints.kafka, time.monotonic()
    producer = Producer({**client(kafka), **PRODUCER})
    try:
        for number in range(frames):
            frame = fleet.frame(number)
            value = encode_frame(frame)
            headers = [] if master is None else [(HEADER, _seal(master, frame, value))]
            produce(producer, FRAMES.name, value, frame.robot_id, headers=headers)
            if number % _TELL_EVERY == _TELL_EVERY - 1:
                print(f"  {number + 1} of {frames} frames sent", file=sys.stderr)
        left = producer.flush(FLUSH_WITHIN_S)
    except KafkaException as error:
        raise UnavailableError(f"Kafka at {kafka} does not take frames: {error}") from None
    spans = watermarks(kafka, FRAMES.name)
    there = sum(end - first for first, end in spans.values())
    if left or there != frames:
        raise UnavailableError(f"Kafka at {kafka} has {there} of {frames} frames: see its log in {stand.home}")
    print(f"preloaded {frames} frames in {time.monotonic() - began_s:.0f} s", file=sys.stderr)
    return Preloaded(frames, spans)


def _seal(master: bytes, frame: Frame, value: bytes) -> bytes:
    code = frame.robot_id
    return seal(derive_key(master, code, KEY_VERSION), KEY_VERSION, code, frame.time_us, value)


def produce(
    producer: Producer,
    topic: str,
    value: bytes,
    key: str | bytes | None,
    partition: int = ANY,
    headers: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Hand one record over, waiting while the queue is full."""
    while True:
        try:
            producer.produce(topic, value, key, partition, headers=[*headers])
            break
        except BufferError:
            producer.poll(0.05)
    producer.poll(0)
