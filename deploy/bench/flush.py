"""A robot that comes back after days and sends all of its spool, beside the load: does it hurt the others?

In: a `Task` as JSON on standard input. Out: the frames on `telemetry.frames`, at their rate or as fast as Kafka
takes them; on standard output, as JSON, how long that took (s). Run by `latency.py` in a process of its own.
"""

import sys
from time import monotonic, sleep

import msgspec
from confluent_kafka import Producer

from deploy.bench.broker import client
from deploy.bench.fleet import Fleet
from deploy.bench.preload import FLUSH_WITHIN_S, PRODUCER, produce
from schemas.frame import FLAG_BACKFILL, encode_frame
from schemas.kafka import Kafka
from schemas.topics import FRAMES

APART_US = 1_000_000
AT_ONCE = 100


class Task(msgspec.Struct, frozen=True):
    """`frames` a second apart up to the event time `until_us`, sent from `start_s` (monotonic), `rate` a second."""

    kafka: Kafka
    frames: int
    rate: float
    until_us: int
    start_s: float


def run(task: Task) -> float:
    fleet = Fleet(1, task.until_us - task.frames * APART_US, APART_US)
    producer = Producer({**client(task.kafka), **PRODUCER})
    producer.list_topics(FRAMES.name)  # connect before it begins
    sleep(max(0.0, task.start_s - monotonic()))
    for number in range(task.frames):
        if not number % AT_ONCE:
            sleep(max(0.0, task.start_s + number / task.rate - monotonic()))
        frame = fleet.frame(number)
        frame.flags = FLAG_BACKFILL
        produce(producer, FRAMES.name, encode_frame(frame), frame.robot_id)
    if left := producer.flush(FLUSH_WITHIN_S):
        raise SystemExit(f"Kafka does not take {left} frames")
    return monotonic() - task.start_s


if __name__ == "__main__":
    took_s = run(msgspec.json.decode(sys.stdin.buffer.read(), type=Task))
    sys.stdout.buffer.write(msgspec.json.encode(took_s))
