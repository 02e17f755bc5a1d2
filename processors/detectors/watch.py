"""The slow detectors together, over the tracks of a shard's robots: one call an epoch.

In: values (robots × tracks, NaN absent) and the state. Out: the state and what each rule says. Called by the
assessor, and by `robovitals evaluate` with the rows of a file as epochs of one robot. Pure: what it says of an
epoch depends on that epoch and the ones before, and a restored state goes on as it would have.

Every detector scores an epoch before it learns from it, and none learns after commissioning (see `Tuning.memory`).
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from processors.detectors import baseline, drift, level, matched, pattern, peer, sensor
from processors.detectors.arrays import Arrays, Bools, Field, Mark
from processors.detectors.pattern import Covariance
from processors.detectors.tracks import Track, wiring
from processors.detectors.tuning import Tuning
from processors.findings import DRIFT, PATTERN, PEER, SENSOR, STEP
from schemas.columns import Float32, Int64

FIELDS: dict[str, Field] = (
    matched.FIELDS | baseline.FIELDS | drift.FIELDS | level.FIELDS | sensor.FIELDS | pattern.FIELDS | peer.FIELDS
)
EPOCH_US = 600_000_000
RULES = (DRIFT, STEP, PEER, SENSOR, PATTERN)
_FARTHEST = 30.0  # of a logarithm: what is said of a value stays a number


class Seen(NamedTuple):
    """One epoch. `value` robots × tracks; `models`: a number for the model of each robot, None for no peers."""

    time_us: int
    value: Float32
    models: Int64 | None = None


@dataclass(frozen=True, slots=True)
class WatchState:
    """`arrays`: those of FIELDS, robots × tracks. `kinds`: what all robots share (`pattern.py`)."""

    arrays: Arrays
    kinds: tuple[Covariance, ...]


class Marks(NamedTuple):
    """What the rules say of each robot and track. `z`: the residual in standard deviations of health. In the
    signal's unit: `scale`, one of these, and `least`, the lasting residual that drift finds within the slow span.
    """

    by_rule: dict[str, Mark]
    z: Float32
    scale: Float32
    least: Float32
    learning: Bools
    logarithmic: Bools

    def expected(self, row: int, track: int, value: float) -> float:
        """What the baseline expects instead of `value`, in the signal's unit; NaN where nothing is compared."""
        residual = float(self.z[row, track] * self.scale[row, track])
        if not self.logarithmic[track]:
            return value - residual
        return value * math.exp(math.copysign(_FARTHEST, -residual) if abs(residual) > _FARTHEST else -residual)

    def threshold(self, row: int, track: int, value: float, side: int) -> float:
        """Where a lasting change begins to be one, in the signal's unit, above (1) or below (-1) the expected."""
        expected, least = self.expected(row, track, value), side * float(self.least[row, track])
        return expected * math.exp(least) if self.logarithmic[track] else expected + least

    @property
    def score(self) -> dict[str, Float32]:
        return {rule: mark.score for rule, mark in self.by_rule.items()}

    @property
    def flag(self) -> dict[str, Bools]:
        return {rule: mark.flag for rule, mark in self.by_rule.items()}


class Watch:
    """`rules`: those that are asked; all of them unless it is to be seen what one of them is worth."""

    def __init__(
        self, tracks: tuple[Track, ...], tuning: Tuning | None = None, rules: tuple[str, ...] = RULES
    ) -> None:
        self.tracks = tracks
        self.tuning = tuning or Tuning()
        self._rules = rules
        self.wiring = wiring(tracks)
        self._silenced = None if self.wiring.judged.all() else ~self.wiring.judged

    def empty(self, robots: int) -> WatchState:
        """Nothing seen yet."""
        shape = robots, len(self.tracks)
        arrays: Arrays = {
            name: np.full(shape, field.initial, _computed(field.kind)) for name, field in FIELDS.items()
        }
        return WatchState(arrays, tuple(pattern.nothing(places.shape[1]) for places in self.wiring.groups))

    def step(self, state: WatchState, seen: Seen) -> tuple[WatchState, Marks]:
        """Judge one epoch, then learn from it."""
        wires, tuning = self.wiring, self.tuning
        arrays, compared = matched.step(state.arrays, seen.value, wires)
        epoch = seen.time_us // EPOCH_US
        arrays, residual = baseline.step(arrays, compared, epoch, seen.models, wires, tuning)
        marks: dict[str, Mark] = {}
        arrays, marks[DRIFT], least = drift.step(arrays, residual, tuning)
        if STEP in self._rules:
            arrays, marks[STEP] = level.step(arrays, residual, wires, tuning)
        if SENSOR in self._rules:
            arrays, marks[SENSOR] = sensor.step(arrays, seen.value, residual, wires, tuning)
        kinds = state.kinds
        if PATTERN in self._rules and kinds:
            arrays, kinds, marks[PATTERN] = pattern.step(arrays, kinds, residual, wires, tuning)
        if PEER in self._rules and seen.models is not None:
            arrays, marks[PEER] = peer.step(arrays, residual, seen.models, tuning)
        told = self._judged({rule: mark for rule, mark in marks.items() if rule in self._rules}, residual.learning)
        return WatchState(arrays, kinds), Marks(
            told, residual.z, residual.scale, residual.scale * least, residual.learning, wires.logarithmic
        )

    def _judged(self, marks: dict[str, Mark], learning: Bools) -> dict[str, Mark]:
        """What is still in commissioning, or followed as context alone, is not judged."""
        silenced = learning if self._silenced is None else learning | self._silenced
        if not silenced.any():
            return marks
        told = {rule: _without(mark, silenced) for rule, mark in marks.items()}
        if PATTERN in marks and self.wiring.whole >= 0:
            of_robots = silenced.copy()
            of_robots[:, self.wiring.whole] = False
            told[PATTERN] = _without(marks[PATTERN], of_robots)
        return told


def _without(mark: Mark, silenced: Bools) -> Mark:
    return mark._replace(score=np.where(silenced, np.float32(np.nan), mark.score), flag=mark.flag & ~silenced)


def _computed(kind: str) -> str:
    """What is kept in half precision is computed in single."""
    return "<f4" if kind == "<f2" else kind
