"""Rows of a series through the shipped detectors, one after the other, as one robot's epochs.

In: blocks of readings (rows × columns). Out: for each row a score and a flag. Called by
`deploy/evaluate/csv_file.py` and the recordings. Nothing looks ahead: what is said of a row depends on it and the
rows before it alone, however the rows fall into blocks.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.detectors.tracks import Track
from processors.detectors.tuning import Tuning
from processors.detectors.watch import Seen, Watch
from schemas.columns import Float32, Int64

Bools = NDArray[np.bool_]

# Differences below this share of the first reading are what arithmetic leaves, not the machine.
DUST = 1e-12
MOST = 1e9
EARLY = 30  # readings


class Scored(NamedTuple):
    """A block's rows. `scores`, `flags` and `sides` are rows × rules × tracks; a score is NaN where it cannot be
    told. `ready`: rows where a track is past its commissioning.
    """

    rules: tuple[str, ...]
    scores: Float32
    flags: Bools
    sides: NDArray[np.int8]
    ready: Bools

    @property
    def score(self) -> Float32:
        """The highest score of each row; 0 where none can be told."""
        highest: Float32 = np.nan_to_num(self.scores).max(axis=(1, 2))
        return highest

    @property
    def flag(self) -> Bools:
        """Rows of which any rule flags any track."""
        any_flag: Bools = self.flags.max(axis=(1, 2))
        return any_flag

    @property
    def by_rule(self) -> Bools:
        """Rows × rules: those that flag any track."""
        any_track: Bools = self.flags.max(axis=2)
        return any_track

    def only(self, rules: Collection[str], side: int) -> "Scored":
        """These rules alone, and what they say of one side (1 above, -1 below)."""
        places = [at for at, rule in enumerate(self.rules) if rule in rules]
        sides = self.sides[:, places]
        chosen = sides == side
        return Scored(
            tuple(self.rules[at] for at in places),
            np.where(chosen, self.scores[:, places], np.float32(0)),
            self.flags[:, places] & chosen,
            sides,
            self.ready,
        )


class Scorer:
    """One series, row by row."""

    def __init__(self, tracks: Sequence[Track], tuning: Tuning) -> None:
        self._watch = Watch(tuple(tracks), tuning)
        self._state = self._watch.empty(robots=1)

    def score(self, time_us: Int64, values: Float32) -> Scored:
        """One row at least."""
        watch, state = self._watch, self._state
        scores, flags, sides, learning = [], [], [], []
        for at, now_us in enumerate(time_us.tolist()):
            state, marks = watch.step(state, Seen(now_us, values[at : at + 1]))
            said = marks.by_rule.values()
            scores.append([mark.score for mark in said])
            flags.append([mark.flag for mark in said])
            sides.append([mark.side for mark in said])
            learning.append(marks.learning)
        self._state = state
        # Rows × rules × 1 robot × tracks. Nothing can be beyond what is not learned yet.
        waiting = np.array(learning, bool)[:, 0]
        score = np.array(scores, np.float32)[:, :, 0]
        score[np.broadcast_to(waiting[:, None], score.shape)] = np.nan
        return Scored(
            tuple(marks.by_rule),
            score,
            np.array(flags, bool)[:, :, 0],
            np.array(sides, np.int8)[:, :, 0],
            ~waiting.min(axis=1),
        )


class Ruler:
    """Readings of any unit and offset as float32, of which the detectors keep 24 bits: differences from a column's
    first reading, in units of the first such difference.
    """

    def __init__(self, columns: int, learning: int = 1) -> None:
        self._learning = learning
        self._first = np.full(columns, np.nan)
        self._unit = np.full(columns, np.nan)

    def measure(self, values: NDArray[np.float64]) -> Float32:
        measured = np.empty(values.shape, np.float32)
        for column in range(values.shape[1]):
            measured[:, column] = self._column(column, values[:, column])
        return measured

    def _column(self, column: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
        start = 0
        if np.isnan(self._unit[column]):
            start = self._begin(column, values)
        apart = values - self._first[column]
        measured: NDArray[np.float64] = np.clip(apart / self._unit[column], -MOST, MOST)
        # Until the first difference there is none.
        measured[:start] = np.where(np.isnan(values[:start]), np.nan, 0.0)
        return measured

    def _begin(self, column: int, values: NDArray[np.float64]) -> int:
        """Fix offset and unit by the first readings; returns the row of the first difference."""
        present = values[~np.isnan(values)]
        if np.isnan(self._first[column]) and len(present):
            self._first[column] = np.median(present[: self._learning])
        apart = np.abs(values - self._first[column])
        differs = np.nonzero(apart > DUST * abs(self._first[column]))[0]
        if not len(differs):
            return len(values)
        # Rows that teach are not judged, so that the unit may be theirs together: one odd reading is no unit.
        taught = differs[differs < self._learning]
        self._unit[column] = np.median(apart[taught]) if len(taught) else apart[differs[0]]
        _calm(values[: self._learning])
        return int(differs[0])


def _calm(taught: NDArray[np.float64]) -> None:
    """The first readings, of which nobody can know yet what is far off, kept near the others that teach."""
    rest = taught[EARLY:]
    rest = rest[~np.isnan(rest)]
    if len(rest) < EARLY:
        return
    low, high = np.quantile(rest, (0.01, 0.99))
    room = 3 * (high - low)
    if room > 0:
        np.clip(taught[:EARLY], low - room, high + room, out=taught[:EARLY])
