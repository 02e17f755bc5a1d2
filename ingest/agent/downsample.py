"""Readings at any rate become frames at a set rate, which keep each slot's mean, lowest and highest.

In: readings by name, as a robot gives them, with the monotonic clock. Out: a `Summary` for each period that had
any: means packed as a frame's `values`, lowest and highest as its `extremes`; of counters, mode and texts the last.
Called by the agent between its sources and the spool; pure.

Periods lie on a grid of the monotonic clock, so frames keep the rate whatever the input does. Nothing ends a period
early, neither a mode that changes nor a reading beyond a limit: the rate is what a network was planned for, a mode
that flaps would break it, and the crossing is in the extremes, at most a period late. A reading that is physically
impossible is left out of the mean and kept in the extremes, so that it is noted and spoils nothing.
"""

import math
from typing import TypeVar

import msgspec

from schemas.frame import pack_readings, pack_values
from schemas.signals import SIGNAL, Component

Reading = float | list[float | None] | None
Readings = dict[str, Reading]

_T = TypeVar("_T")


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What a robot told at one moment; None and "" where it did not. `mode` indexes `schemas.signals.MODES`."""

    time_us: int
    mono_us: int
    readings: Readings
    runtime_s: int | None = None
    energy_wh: int | None = None
    cycles: int | None = None
    mode: int | None = None
    scenario: str | None = None
    software: str | None = None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A period of samples: times, counters, mode and texts are the last that were told, within this period or
    before. `extremes` is None where no slot had more than one reading: `values` says it all."""

    time_us: int
    mono_us: int
    samples: int
    runtime_s: int | None
    energy_wh: int | None
    cycles: int | None
    mode: int
    scenario: str
    software: str
    layout: str
    values: bytes
    extremes: bytes | None


class _Slots:
    """One signal's slots within a period. Readings that are possible go into sum and count."""

    __slots__ = ("count", "high", "highest", "impossible", "low", "lowest", "several", "total")

    def __init__(self, name: str, width: int) -> None:
        self.low, self.high = SIGNAL[name].low, SIGNAL[name].high
        self.total = [0.0] * width
        self.count = [0] * width
        self.lowest: list[float | None] = [None] * width
        self.highest: list[float | None] = [None] * width
        self.impossible: list[float | None] = [None] * width
        self.several = False

    def add(self, readings: list[float | None]) -> None:
        for slot, reading in enumerate(readings):
            if reading is None or reading != reading:
                continue
            lowest, highest = self.lowest[slot], self.highest[slot]
            if lowest is None or highest is None:
                self.lowest[slot] = self.highest[slot] = reading
            else:
                self.several = True
                if reading < lowest:
                    self.lowest[slot] = reading
                elif reading > highest:
                    self.highest[slot] = reading
            if self.low <= reading <= self.high:
                self.total[slot] += reading
                self.count[slot] += 1
            else:
                self.impossible[slot] = reading

    def means(self) -> list[float | None]:
        """Of a slot whose readings were all impossible: the last of them, so that it is noted."""
        return [
            total / count if count else impossible
            for total, count, impossible in zip(self.total, self.count, self.impossible, strict=True)
        ]


class Downsampler:
    """`add` each sample, and `due` now and then, so that the last period before a pause comes as well."""

    def __init__(self, rate_hz: float) -> None:
        self._period_us = max(1, round(1e6 / rate_hz))
        self._slots: dict[str, _Slots] = {}
        self._joints = 0
        self._samples = 0
        self._period = 0
        self._last: Sample | None = None

    def add(self, sample: Sample) -> list[Summary]:
        """Take a sample. Out: the period that it ends, if any; two where its number of joints is another as well.

        Raises RejectError as `pack_readings` does, and has then taken nothing.
        """
        pack_readings(sample.readings)
        ended = self.due(sample.mono_us)
        joints = next((len(reading) for reading in sample.readings.values() if isinstance(reading, list)), 0)
        if joints and self._joints and joints != self._joints:
            ended += self.flush()
        if not self._samples:
            self._period = sample.mono_us // self._period_us
        self._joints = joints or self._joints
        self._samples += 1
        self._take(sample)
        return ended

    @property
    def waits(self) -> bool:
        """Whether there is something that `due` will give."""
        return self._samples > 0

    def due(self, mono_us: int) -> list[Summary]:
        """The period that is over by now, if it had samples."""
        return self.flush() if self._samples and mono_us // self._period_us != self._period else []

    def flush(self) -> list[Summary]:
        """What there is of the period that runs: before the agent stops."""
        if not self._samples or self._last is None:
            return []
        summary = self._summary(self._last)
        self._slots, self._samples, self._joints = {}, 0, 0
        return [summary]

    def _take(self, sample: Sample) -> None:
        for name, reading in sample.readings.items():
            row = reading if isinstance(reading, list) else [reading]
            slots = self._slots.get(name)
            if slots is None:
                slots = self._slots[name] = _Slots(name, len(row))
            slots.add(row)
        before = self._last
        if before is not None:
            sample = msgspec.structs.replace(
                sample,
                runtime_s=_or(sample.runtime_s, before.runtime_s),
                energy_wh=_or(sample.energy_wh, before.energy_wh),
                cycles=_or(sample.cycles, before.cycles),
                mode=_or(sample.mode, before.mode),
                scenario=_or(sample.scenario, before.scenario),
                software=_or(sample.software, before.software),
            )
        self._last = sample

    def _summary(self, last: Sample) -> Summary:
        means = {name: self._shaped(name, slots.means()) for name, slots in self._slots.items()}
        layout, values = pack_readings(means)
        extremes = None
        if any(slots.several for slots in self._slots.values()):
            ordered = [self._slots[name] for name in layout.signals]
            extremes = _packed([slots.lowest for slots in ordered]) + _packed([slots.highest for slots in ordered])
        return Summary(
            time_us=last.time_us,
            mono_us=last.mono_us,
            samples=self._samples,
            runtime_s=last.runtime_s,
            energy_wh=last.energy_wh,
            cycles=last.cycles,
            mode=last.mode or 0,
            scenario=last.scenario or "",
            software=last.software or "",
            layout=layout.text,
            values=values,
            extremes=extremes,
        )

    def _shaped(self, name: str, means: list[float | None]) -> Reading:
        return means if SIGNAL[name].component is Component.JOINT else means[0]


def _or(told: _T | None, before: _T | None) -> _T | None:
    return before if told is None else told


def _packed(rows: list[list[float | None]]) -> bytes:
    return pack_values([math.nan if reading is None else reading for row in rows for reading in row])
