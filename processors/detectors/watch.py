"""The slow detectors together, over the tracks of a shard's robots: one call an epoch.

In: values (robots × tracks, NaN absent) and the state. Out: the state and what each rule says. Called by the
assessor, and by `robovitals evaluate` with the rows of a file as epochs of one robot. Pure: what it says of an
epoch depends on that epoch and the ones before, and a restored state goes on as it would have.

Every detector scores an epoch before it learns from it, and none learns after commissioning (see `Tuning.memory`).
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from processors.detectors import baseline, drift, level, pattern, peer, sensor
from processors.detectors.arrays import Arrays, Bools, Field, Mark
from processors.detectors.pattern import Covariance
from processors.detectors.tracks import Track, wiring
from processors.detectors.tuning import Tuning
from processors.findings import DRIFT, PATTERN, PEER, SENSOR, STEP
from schemas.columns import Float32, Int64

FIELDS: dict[str, Field] = (
    baseline.FIELDS | drift.FIELDS | level.FIELDS | sensor.FIELDS | pattern.FIELDS | peer.FIELDS
)
RULES = (DRIFT, STEP, PEER, SENSOR, PATTERN)


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
        arrays, residual = baseline.step(state.arrays, seen.value, wires, tuning)
        marks: dict[str, Mark] = {}
        arrays, marks[DRIFT] = drift.step(arrays, residual, tuning)
        if STEP in self._rules:
            arrays, marks[STEP] = level.step(arrays, residual, tuning)
        if SENSOR in self._rules:
            arrays, marks[SENSOR] = sensor.step(arrays, seen.value, residual, tuning)
        kinds = state.kinds
        if PATTERN in self._rules and kinds:
            arrays, kinds, marks[PATTERN] = pattern.step(arrays, kinds, residual, wires, tuning)
        if PEER in self._rules and seen.models is not None:
            arrays, marks[PEER] = peer.step(arrays, residual, seen.models, tuning)
        told = {rule: self._judged(mark) for rule, mark in marks.items() if rule in self._rules}
        least = residual.scale * drift.least(arrays, tuning)
        return WatchState(arrays, kinds), Marks(told, residual.z, residual.scale, least, residual.learning)

    def _judged(self, mark: Mark) -> Mark:
        """What is followed as context alone is not judged."""
        if self._silenced is None:
            return mark
        return mark._replace(
            score=np.where(self._silenced, np.float32(np.nan), mark.score), flag=mark.flag & ~self._silenced
        )

    def reset(self, state: WatchState, row: int, chosen: Bools) -> WatchState:
        """A part was replaced: these tracks of one robot begin anew."""
        arrays = {name: array.copy() for name, array in state.arrays.items()}
        for name, array in arrays.items():
            array[row, chosen] = FIELDS[name].initial
        return replace(state, arrays=arrays)


def _computed(kind: str) -> str:
    """What is kept in half precision is computed in single."""
    return "<f4" if kind == "<f2" else kind
