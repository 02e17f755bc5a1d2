"""The loop of the simulator: a fleet's frames to Kafka, spread over each period, on time.

In: settings, and the fault file that `robovitals demo break` writes. Out: frames on `telemetry.frames`. Runs in
`deploy/shell.py` as `robovitals simulate`. The past that was asked for comes first, as fast as it goes and in time
order across the fleet, then live without a gap: both are the same loop, which waits only where it is early. A
demo's past (`ingest/past.py`) comes otherwise: its alarms first, and what fills charts while the loop would wait.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from aiokafka.errors import KafkaError
from prometheus_client import CollectorRegistry, Counter, Gauge

from ingest.answers import Answers, Operator
from ingest.faults import Broken, add_faults, faults_stamp, read_faults, read_fleet, write_fleet
from ingest.opening import Opening, opened, opened_demo
from ingest.past import Past
from ingest.publish import Publisher
from ingest.schedule import Schedule, Slot
from ingest.stories import broken_at, moments, still_broken
from schemas.errors import RetryError, UnavailableError
from schemas.frame import Frame
from schemas.kafka import Kafka

LOOK_EVERY_US = 1_000_000  # how often fleet.json is written and faults.json looked at
# So long each robot has been heard before the rest of its past comes: by then that is late, and raises nothing.
REST_AFTER_US = 2_000_000
RECONNECT_S = 1.0
STUCK_S = 60.0
_log = logging.getLogger("robovitals")


@dataclass(frozen=True, slots=True)
class SimulateSettings:
    """`history_s` of past come first, or a demo's day; `duration_s` of live frames, None = until stopped."""

    kafka: Kafka
    home: Path
    robots: int
    hz: float
    seed: int
    history_s: float
    duration_s: float | None
    demo: bool = False


@dataclass(frozen=True, slots=True)
class SimulateMetrics:
    """Every metric of the simulator with its meaning."""

    frames: Counter
    send_errors: Counter
    behind_seconds: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "SimulateMetrics":
        return cls(
            Counter("robovitals_simulate_frames", "frames that Kafka acknowledged", registry=registry),
            Counter("robovitals_simulate_send_errors", "frames that Kafka did not acknowledge", registry=registry),
            Gauge("robovitals_simulate_behind_seconds", "how late frames are sent", registry=registry),
        )


class Simulator:
    """A `Process` of the shell."""

    def __init__(self, settings: SimulateSettings, metrics: SimulateMetrics) -> None:
        self._settings, self._metrics = settings, metrics
        opening = _opening(settings)
        self._fleet, self._told = opening.fleet, opening.told
        robots = self._fleet.members()
        self._schedule = Schedule(settings.seed, robots, settings.hz, opening.boot_us, self._fleet.first_day_us)
        self._begins_us = opening.boot_us
        self._past = Past(
            settings.seed,
            robots if opening.past_from_us < opening.boot_us else [],
            self._fleet.first_day_us,
            opening.past_from_us,
            opening.boot_us,
            moments(self._told, opening.boot_us),
            self._was_broken,
        )
        self._rest, self._rest_sent = self._past.rest(), 0
        self._broken: Broken = {}
        self._stamp: tuple[int, int] | None = None
        self._looked_us = 0
        self._live_us: int | None = None
        self._connected = False
        self._counted = 0
        self._progress_s = time.monotonic()

    def not_ready(self) -> str | None:
        if not self._connected:
            return "Kafka is not reached yet"
        return None if self._live_us else "the past is being sent"

    def stuck(self, now_s: float) -> str | None:
        idle_s = now_s - self._progress_s
        return f"no frame could be sent for {idle_s:.0f} s" if idle_s > STUCK_S else None

    async def run(self, stop: asyncio.Event) -> None:
        """Raises UnavailableError when Kafka is not there at the start; a later outage is waited out."""
        home, told, slots = self._settings.home, self._past.told(), self._schedule.slots()
        write_fleet(home, self._fleet)
        add_faults(home, still_broken(self._told, self._begins_us))
        answering = await self._answer()
        over = False
        while not over and not stop.is_set():
            publisher, self._counted = Publisher(self._settings.kafka, "robovitals.simulate"), 0
            try:
                async with publisher:
                    self._connected = True
                    await self._tell(publisher, told, stop)
                    over = await self._send(publisher, slots, stop)
            except (RetryError, UnavailableError) as error:
                if not self._connected:
                    raise
                _log.warning("%s; connecting again", error)
                self._metrics.send_errors.inc(max(1, publisher.failed))
                await _wait(stop, RECONNECT_S)
            finally:
                self._count(publisher)
                write_fleet(home, self._fleet)
        if answering is not None:
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering

    async def _answer(self) -> "asyncio.Task[None] | None":
        """Somebody who answers the alarms of the past; listening when this returns."""
        answers = Answers(self._told, self._begins_us)
        if not answers.left:
            return None
        operator = Operator(self._settings.kafka, answers)
        try:
            await operator.open()
        except KafkaError as error:
            _log.warning("nobody answers the alarms of the past: %r", error)
            await operator.close()
            return None
        return asyncio.create_task(operator.run(), name="answers")

    async def _tell(self, publisher: Publisher, told: Iterator[list[Frame]], stop: asyncio.Event) -> None:
        """The frames of a demo's past that its alarms come from."""
        for frames in told:
            await self._publish(publisher, frames)
            if stop.is_set():
                return
        await publisher.flush()

    async def _send(self, publisher: Publisher, slots: Iterator[Slot], stop: asyncio.Event) -> bool:
        """Send slot after slot; True when stopped, or when the time is up."""
        for slot in slots:
            await self._wait_for(slot.time_us, publisher, stop)
            if stop.is_set() or self._is_over(slot.time_us):
                return True
            self._look_around(slot.time_us)
            await self._publish(publisher, self._schedule.frames(slot, self._broken))
            self._fleet = msgspec.structs.replace(self._fleet, sent_until_us=slot.time_us)
            self._metrics.behind_seconds.set(max(0, _now_us() - slot.time_us) / 1e6)
        raise AssertionError("slots never end")

    async def _publish(self, publisher: Publisher, frames: Iterable[Frame]) -> None:
        for frame in frames:
            await publisher.send(frame)
        self._count(publisher)
        self._progress_s = time.monotonic()

    async def _wait_for(self, time_us: int, publisher: Publisher, stop: asyncio.Event) -> None:
        """Until it is time; meanwhile the rest of a demo's past is sent."""
        await asyncio.sleep(0)
        while (early_us := time_us - _now_us()) > 0 and not stop.is_set():
            if self._live_us is None:
                self._live_us = time_us
                _log.info("live: %d robots at %g Hz", self._fleet.robots, self._settings.hz)
            frames = next(self._rest, None) if time_us >= self._live_us + REST_AFTER_US else None
            if frames is None:
                await _wait(stop, early_us / 1e6)
            else:
                await self._publish(publisher, frames)
                self._tell_progress()
                await asyncio.sleep(0)

    def _tell_progress(self) -> None:
        """A line each quarter."""
        self._rest_sent += 1
        if self._rest_sent * 4 % self._past.slots < 4:
            _log.info("the day before: %.0f %% sent", 100 * self._rest_sent / self._past.slots)

    def _count(self, publisher: Publisher) -> None:
        acknowledged = publisher.acknowledged.records
        self._metrics.frames.inc(acknowledged - self._counted)
        self._counted = acknowledged

    def _was_broken(self, time_us: int) -> Broken:
        """In the past: as it is told; of a fleet that goes on, as it is since."""
        return broken_at(self._told, self._begins_us, time_us) if self._told else self._broken

    def _is_over(self, time_us: int) -> bool:
        duration_s = self._settings.duration_s
        if duration_s is None or self._live_us is None:
            return False
        return time_us >= self._live_us + duration_s * 1e6

    def _look_around(self, time_us: int) -> None:
        """Remember how far we are, and see who is broken."""
        if time_us < self._looked_us + LOOK_EVERY_US:
            return
        home, self._looked_us = self._settings.home, time_us
        write_fleet(home, self._fleet)
        stamp = faults_stamp(home)
        if stamp != self._stamp:
            self._stamp, self._broken = stamp, read_faults(home)


def _opening(settings: SimulateSettings) -> Opening:
    before, now_us = read_fleet(settings.home), _now_us()
    if settings.demo:
        return opened_demo(before, settings.seed, settings.robots, now_us)
    return opened(before, settings.seed, settings.robots, settings.history_s, now_us)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _now_us() -> int:
    return time.time_ns() // 1000
