"""The assessor's own speed: windows of a large fleet, one assessor, nothing else to do.

In: a stand whose topics are empty but for the frames, and the fleet. Out: robots' windows a second, and where the
time goes. Called by `bench pipeline` and `bench scale`. First a window of each robot, by which the assessor learns
it; then windows that follow, which is what it does all day. It is stopped (SIGSTOP) while they are sent.
"""

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Producer

from deploy.bench import broker, metrics
from deploy.bench.drain import WINDOW_US
from deploy.bench.fleet import Fleet
from deploy.bench.known import FOLLOWING, Sent, following, windows_before
from deploy.bench.preload import FLUSH_WITHIN_S, PRODUCER, produce
from deploy.bench.stand import Stand
from deploy.bench.steady import STALLED_AFTER_S, Mark, between, mark
from deploy.local.processes import ProductProcess
from schemas.errors import StopError
from schemas.kafka import Kafka
from schemas.topics import VITALS

LOOK_EVERY_S = 0.1
COMMITTED_AFTER_S = 2.0  # Faust commits every second


@dataclass(frozen=True, slots=True)
class Assessed:
    """Of a robot's window, in µs of time: `step_us` our own computing, `settle_us` sending and writing until the
    broker has it, `rest_us` the rest of a batch, `outside_us` between batches, Faust's. `cpu_us` is the process's.
    """

    per_s: float
    step_us: float
    settle_us: float
    rest_us: float
    outside_us: float
    cpu_us: float
    robots_a_message: float


def assessed_alone(stand: Stand, fleet: Fleet, partitions: int) -> tuple[Assessed, Assessed]:
    """Of unknown robots, and of known ones. It leaves an assessor's state that knows them, for `drain`."""
    first = windows_before(fleet, WINDOW_US, partitions)
    known = [following(sent, number) for number in range(1, FOLLOWING + 1) for sent in first]
    assess = stand.product("assess")
    with stand.running(assess):
        stand.wait_until_ready(assess)
        found = _assess(stand, assess, first), _assess(stand, assess, known)
        time.sleep(COMMITTED_AFTER_S)
    return found


def _assess(stand: Stand, assess: ProductProcess, sent: Sequence[Sent]) -> Assessed:
    assert assess.process is not None
    pids = {assess.name: assess.process.pid}
    before = metrics.read(assess.port)
    assess.process.send_signal(signal.SIGSTOP)
    try:
        _send(stand.endpoints.kafka, sent)
    finally:
        assess.process.send_signal(signal.SIGCONT)
    begin, windows = mark(0, pids), sum(one.windows for one in sent)
    end, after = _wait(stand, assess, pids, int(before[metrics.ASSESSED_WINDOWS]) + windows, windows)
    rate = between(begin, end)

    def passed_us(*names: str) -> float:
        """Of a robot's window."""
        return 1e6 * sum(after.get(name, 0) - before.get(name, 0) for name in names) / windows

    handled_us, step_us = passed_us(metrics.ASSESSED_HANDLED_S), passed_us(metrics.ASSESSED_STEPPED_S)
    settle_us = passed_us(*metrics.ASSESSED_SETTLED_S)
    return Assessed(
        per_s=rate.per_s,
        step_us=step_us,
        settle_us=settle_us,
        rest_us=max(0.0, handled_us - step_us - settle_us),
        outside_us=max(0.0, 1e6 / rate.per_s - handled_us),
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


def _send(kafka: Kafka, sent: Sequence[Sent]) -> None:
    producer = Producer({**broker.client(kafka), **PRODUCER, "compression.type": "lz4"})
    for one in sent:
        produce(producer, VITALS.name, one.value, one.key, one.partition)
    if producer.flush(FLUSH_WITHIN_S):
        raise StopError("Kafka does not take the vitals: run it again")
