"""The loop of the simulator: a fleet's frames to Kafka, spread over each period, on time.

In: settings, and the fault file that `robovitals demo break` writes. Out: frames on `telemetry.frames`. Runs in
`deploy/shell.py` as `robovitals simulate`. First the past that was asked for, as fast as it goes and in time order
across the fleet, then live without a gap: both are the same loop, which waits only where it is early.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge

from ingest.faults import (
    Broken,
    FleetFile,
    break_robots,
    faults_stamp,
    heal_robots,
    read_faults,
    read_fleet,
    write_fleet,
)
from ingest.fleet import Fault
from ingest.publish import Publisher
from ingest.schedule import Schedule, Slot
from schemas.errors import RetryError, UnavailableError

LOOK_EVERY_US = 1_000_000  # how often fleet.json is written and faults.json looked at
RECONNECT_S = 1.0
STUCK_S = 60.0
_log = logging.getLogger("robovitals")


@dataclass(frozen=True, slots=True)
class SimulateSettings:
    """`history_s` of past come first; `duration_s` of live frames, None = until stopped; `break_first_after_s` into
    the live part the first robot overheats, None = it does not."""

    bootstrap: str
    home: Path
    robots: int
    hz: float
    seed: int
    history_s: float
    duration_s: float | None
    break_first_after_s: float | None


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
        now_us = _now_us()
        self._fleet, boot_us = opened_fleet(settings, now_us)
        robots = self._fleet.members()
        self._first = robots[0].code
        self._schedule = Schedule(settings.seed, robots, settings.hz, boot_us, self._fleet.first_day_us)
        self._broken: Broken = {}
        self._stamp: tuple[int, int] | None = None
        self._looked_us = 0
        self._live_us: int | None = None
        self._break_us: int | None = None
        self._connected = False
        self._counted = 0
        self._progress_s = time.monotonic()

    def not_ready(self) -> str | None:
        return None if self._connected else "Kafka is not reached yet"

    def stuck(self, now_s: float) -> str | None:
        idle_s = now_s - self._progress_s
        return f"no frame could be sent for {idle_s:.0f} s" if idle_s > STUCK_S else None

    async def run(self, stop: asyncio.Event) -> None:
        """Raises UnavailableError when Kafka is not there at the start; a later outage is waited out."""
        home, slots = self._settings.home, self._schedule.slots()
        write_fleet(home, self._fleet)
        if self._settings.break_first_after_s is not None:
            heal_robots(home, [self._first])
        over = False
        while not over and not stop.is_set():
            publisher, self._counted = Publisher(self._settings.bootstrap, "robovitals.simulate"), 0
            try:
                async with publisher:
                    self._connected = True
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

    async def _send(self, publisher: Publisher, slots: Iterator[Slot], stop: asyncio.Event) -> bool:
        """Send slot after slot; True when stopped, or when the time is up."""
        for slot in slots:
            early_us = slot.time_us - _now_us()
            if early_us > 0:
                self._go_live(slot.time_us)
            await (_wait(stop, early_us / 1e6) if early_us > 0 else asyncio.sleep(0))
            if stop.is_set() or self._is_over(slot.time_us):
                return True
            self._look_around(slot.time_us)
            for frame in self._schedule.frames(slot, self._broken):
                await publisher.send(frame)
            self._fleet = msgspec.structs.replace(self._fleet, sent_until_us=slot.time_us)
            self._count(publisher)
            self._metrics.behind_seconds.set(max(0, _now_us() - slot.time_us) / 1e6)
            self._progress_s = time.monotonic()
        raise AssertionError("slots never end")

    def _count(self, publisher: Publisher) -> None:
        acknowledged = publisher.acknowledged.records
        self._metrics.frames.inc(acknowledged - self._counted)
        self._counted = acknowledged

    def _go_live(self, time_us: int) -> None:
        """The first time that we are early: the past is told."""
        if self._live_us is not None:
            return
        self._live_us = time_us
        _log.info("live: %d robots at %g Hz", self._fleet.robots, self._settings.hz)
        if self._settings.break_first_after_s is not None:
            self._break_us = time_us + round(self._settings.break_first_after_s * 1e6)

    def _is_over(self, time_us: int) -> bool:
        duration_s = self._settings.duration_s
        if duration_s is None or self._live_us is None:
            return False
        return time_us >= self._live_us + duration_s * 1e6

    def _look_around(self, time_us: int) -> None:
        """Remember how far we are, break the robot that was promised to break, and see who else is broken."""
        home = self._settings.home
        if self._break_us is not None and time_us >= self._break_us:
            self._break_us = None
            break_robots(home, [self._first], Fault.OVERHEAT, time_us)
            _log.info("on purpose: robot %s overheats; `robovitals demo break 1 --heal` ends it", self._first)
        elif time_us < self._looked_us + LOOK_EVERY_US:
            return
        self._looked_us = time_us
        write_fleet(home, self._fleet)
        stamp = faults_stamp(home)
        if stamp != self._stamp:
            self._stamp, self._broken = stamp, read_faults(home)


def opened_fleet(settings: SimulateSettings, now_us: int) -> tuple[FleetFile, int]:
    """The fleet's file and its first moment: the past that was asked for, but not what was sent before."""
    before = read_fleet(settings.home)
    boot_us = now_us - round(settings.history_s * 1e6)
    if before is None or before.seed != settings.seed:
        return FleetFile(settings.seed, settings.robots, boot_us, 0), boot_us
    fleet = msgspec.structs.replace(before, robots=settings.robots)
    return fleet, max(boot_us, before.sent_until_us + 1)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _now_us() -> int:
    return time.time_ns() // 1000
