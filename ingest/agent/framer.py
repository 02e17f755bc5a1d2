"""Framer: readings become frames, with boot, sequence, event time, parts and the agent's own vital signs.

In: readings with what both clocks said when they arrived, and the agent's own signals. Out: frames, at most so many
a second as `robot.toml` says. Pure; called by `process.py`, which spools them.
"""

from collections.abc import Callable
from typing import NamedTuple

from ingest.agent.clock import Clock
from ingest.agent.config import Config
from ingest.agent.downsample import Downsampler, Sample, Summary
from ingest.agent.reading import Reading
from schemas.frame import FRAME_VERSION, Frame, Readings
from schemas.parts import Parts

PARTS_EVERY_US = 3_600_000_000


class Made(NamedTuple):
    """Frames that are due, and by how much the wall clock has jumped before this reading (0: it has not)."""

    frames: list[Frame]
    jumped_us: int


class Framer:
    """`draw` gives a random number for each boot: one at the start, another where the clock goes far back."""

    def __init__(self, config: Config, robot_id: str, draw: Callable[[], int]) -> None:
        self._config = config
        self._robot_id = robot_id
        self._draw = draw
        self._clock = Clock()
        self._downsampler = Downsampler(config.rate_hz)
        self._boot_id, self._seq = draw(), 0
        self._last_us = 0
        self._parts: Parts | None = None
        self._told_parts: Parts | None = None
        self._told_mono_us = 0

    def take(self, reading: Reading, wall_us: int, mono_us: int, own: Readings, dropped: int | None) -> Made:
        """`dropped` is what the robot had to drop so far. Raises RejectError, having taken nothing."""
        moment = self._clock.read(wall_us, mono_us)
        frames = []
        if moment.new_boot:
            frames = self.flush(dropped)
            self._boot_id, self._seq, self._last_us = self._draw(), 0, 0
            self._told_parts = None
        # A source that knows when it measured is believed, but not that it measures the future or runs backwards.
        time_us = moment.time_us if reading.time_us is None else min(reading.time_us, moment.time_us)
        time_us = max(time_us, self._last_us + 1)
        sample = Sample(
            time_us=time_us,
            mono_us=mono_us,
            readings={**reading.readings, **own},
            runtime_s=reading.runtime_s,
            energy_wh=reading.energy_wh,
            cycles=reading.cycles,
            mode=reading.mode,
            scenario=reading.scenario,
            software=reading.software,
        )
        frames += self._frames(self._downsampler.add(sample), dropped)
        self._last_us = time_us
        if reading.parts is not None:
            self._parts = reading.parts
        return Made(frames, moment.jumped_us)

    @property
    def waits(self) -> bool:
        """Whether there is something that `due` will give."""
        return self._downsampler.waits

    def due(self, mono_us: int, dropped: int | None) -> list[Frame]:
        """The frame of a period that is over, though nothing came after it."""
        return self._frames(self._downsampler.due(mono_us), dropped)

    def flush(self, dropped: int | None) -> list[Frame]:
        """What there is of the period that runs: the agent stops."""
        return self._frames(self._downsampler.flush(), dropped)

    def _frames(self, summaries: list[Summary], dropped: int | None) -> list[Frame]:
        return [self._frame(summary, dropped) for summary in summaries]

    def _frame(self, of: Summary, dropped: int | None) -> Frame:
        seq, self._seq = self._seq, self._seq + 1
        return Frame(
            v=FRAME_VERSION,
            robot_id=self._robot_id,
            boot_id=self._boot_id,
            seq=seq,
            time_us=of.time_us,
            mono_us=of.mono_us,
            runtime_s=of.runtime_s,
            energy_wh=of.energy_wh,
            cycles=of.cycles,
            mode=of.mode,
            scenario=of.scenario or self._config.scenario,
            software=of.software or self._config.software,
            flags=0,
            layout=of.layout,
            values=of.values,
            dropped=dropped,
            extremes=of.extremes,
            parts=self._due_parts(of.mono_us),
        )

    def _due_parts(self, mono_us: int) -> Parts | None:
        """In a boot's first frame that knows them, once an hour, and when one is another."""
        is_old = mono_us - self._told_mono_us >= PARTS_EVERY_US
        if self._parts is None or (self._parts == self._told_parts and not is_old):
            return None
        self._told_parts, self._told_mono_us = self._parts, mono_us
        return self._parts
