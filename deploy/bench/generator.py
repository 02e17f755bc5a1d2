"""The generator of a steady load, in a process of its own: it must not wait for whoever watches, nor they for it.

In: a `Task` as JSON on standard input. Out: the frames on `telemetry.frames`, each when it is due; on standard
output, as JSON, how late each probe was handed over (s). Run by `latency.py`; both read the machine's monotonic
clock.
"""

import sys
from time import monotonic, sleep

import msgspec
from confluent_kafka import Producer

from deploy.bench.broker import client
from deploy.bench.load import Load, make_plan
from deploy.bench.preload import FLUSH_WITHIN_S, PRODUCER, produce
from schemas.frame import encode_frame
from schemas.kafka import Kafka
from schemas.topics import FRAMES

TICK_S = 0.001


class Task(msgspec.Struct, frozen=True):
    """A plan's arguments, and when it begins by both clocks."""

    kafka: Kafka
    rate: float
    robots: int
    lead_in_s: float
    seconds: float
    start_s: float
    start_us: int


def run(task: Task) -> list[float]:
    """Each tick everything that is due by then."""
    plan = make_plan(task.rate, task.robots, task.lead_in_s, task.seconds)
    load = Load(plan, task.start_us)
    producer = Producer({**client(task.kafka), **PRODUCER})
    producer.list_topics(FRAMES.name)  # connect before the first is due
    sent, behind_s = 0, []
    while sent < plan.frames:
        due = min(plan.frames, int((monotonic() - task.start_s) * plan.rate) + 1)
        for number in range(sent, due):
            frame = load.frame(number)
            produce(producer, FRAMES.name, encode_frame(frame), frame.robot_id)
            if number in plan.probes:
                behind_s.append(monotonic() - task.start_s - plan.due_s(number))
        sent = max(sent, due)
        sleep(TICK_S)
    if left := producer.flush(FLUSH_WITHIN_S):
        raise SystemExit(f"Kafka does not take {left} frames")
    return behind_s


if __name__ == "__main__":
    found = run(msgspec.json.decode(sys.stdin.buffer.read(), type=Task))
    sys.stdout.buffer.write(msgspec.json.encode(found))
