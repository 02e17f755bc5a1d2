"""The shipped detectors over a simulated fleet, at their defaults: one epoch in, who is flagged out.

In: an epoch's values. Out: for each rule a matrix robots × components. Called by `run.py`. Nothing looks ahead; a
rule that was left out (`rules`) is not run.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deploy.evaluate.simulated.nature import EPOCH_S
from deploy.evaluate.simulated.tracks import component_starts
from processors.detectors import trend
from processors.detectors.ends import WEARING, ends
from processors.detectors.tracks import TRACKED, Track
from processors.detectors.watch import RULES as WATCHED
from processors.detectors.watch import Seen, Watch
from processors.findings import LIMIT
from schemas.columns import Float32, Int64
from schemas.limits import Limits
from schemas.signals import SIGNAL

Bools = NDArray[np.bool_]
TREND = "trend"
RULES = (LIMIT, *WATCHED, TREND)
EPOCH_US = EPOCH_S * 1_000_000


class Chosen:
    """Some of the fleet's tracks, and which components they belong to."""

    def __init__(self, tracks: tuple[Track, ...], signals: frozenset[str]) -> None:
        self.places: Int64 = np.array([at for at, track in enumerate(tracks) if track.signal in signals], np.int64)
        self.tracks = tuple(tracks[place] for place in self.places)
        names, self._starts = component_starts(self.tracks)
        of_all = component_starts(tracks)[0]
        self._components = np.array([of_all.index(name) for name in names], np.int64)
        self._count = len(of_all)

    def by_component(self, flags: Bools) -> Bools:
        """Robots × tracks to robots × all components."""
        found = np.zeros((len(flags), self._count), bool)
        found[:, self._components] = np.logical_or.reduceat(flags, self._starts, axis=1)
        return found


@dataclass(frozen=True, slots=True)
class Flags:
    """Robots × components by rule, and the robots that are still learning all of their tracks."""

    by_rule: dict[str, Bools]
    learning: Bools


class Detectors:
    """State of all rules for one squad of robots of one model."""

    def __init__(self, tracks: tuple[Track, ...], robots: int, rules: tuple[str, ...] = RULES) -> None:
        self.components = component_starts(tracks)[0]
        self._rules = rules
        self._watched = Chosen(tracks, frozenset(TRACKED))
        self._watch = Watch(self._watched.tracks, rules=tuple(rule for rule in WATCHED if rule in rules))
        self._state = self._watch.empty(robots)
        self._models = np.zeros(robots, np.int64)
        self._wearing = Chosen(tracks, frozenset(WEARING))
        self._courses = trend.empty(robots, len(self._wearing.tracks))
        self._ends = ends(tuple(track.signal for track in self._wearing.tracks), (), Limits())
        self._due = np.zeros((robots, len(self.components)), bool)
        self._limits = _LimitRule(tracks, robots)

    def step(self, epoch: int, values: Float32) -> Flags:
        """Judge an epoch; NaN = absent."""
        found: dict[str, Bools] = {}
        time_us = epoch * EPOCH_US
        seen = Seen(time_us, values[:, self._watched.places], self._models)
        self._state, marks = self._watch.step(self._state, seen)
        for rule, flag in marks.flag.items():
            found[rule] = self._watched.by_component(flag)
        if TREND in self._rules:
            wearing = values[:, self._wearing.places]
            self._courses, closed = trend.step(self._courses, time_us, wearing, self._ends, trend.Wearing())
            if closed.any():
                self._due = self._wearing.by_component(trend.life(self._courses).due)
            found[TREND] = self._due
        if LIMIT in self._rules:
            found[LIMIT] = self._limits.step(values)
        return Flags(found, np.asarray(marks.learning.all(axis=1)))


class _LimitRule:
    """The signal table's warn limits with their deadband, on the epoch's mean. (The limit detector itself judges
    each window's extreme, so it is a little earlier.)"""

    def __init__(self, tracks: tuple[Track, ...], robots: int) -> None:
        limited = frozenset(s.name for s in SIGNAL.values() if s.above or s.below)
        self._chosen = Chosen(tracks, limited)
        sides = [(SIGNAL[t.signal].above, SIGNAL[t.signal].below) for t in self._chosen.tracks]
        self._high, self._low = (
            np.array([pair[side].warn if pair[side] else np.nan for pair in sides], np.float32)  # type: ignore[union-attr]
            for side in (0, 1)
        )
        self._deadband = np.array([(above or below).deadband for above, below in sides], np.float32)  # type: ignore[union-attr]
        self._active = np.zeros((robots, len(self._chosen.tracks)), bool)

    def step(self, values: Float32) -> Bools:
        value = values[:, self._chosen.places]
        inside = np.where(self._active, self._deadband, np.float32(0))
        beyond = (value >= self._high - inside) | (value <= self._low + inside)
        self._active = np.where(np.isnan(value), self._active, beyond)
        return self._chosen.by_component(self._active)
