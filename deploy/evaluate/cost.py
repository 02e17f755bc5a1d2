"""What the detectors cost: robots' windows a second through the pure core, on one core.

In: robots of a shard, joints, how many windows. Out: figures. Called by `deploy/commands/evaluate.py`. Measured are
the steps alone, over values that were made before.
"""

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deploy.evaluate.simulated.effects import healthy
from deploy.evaluate.simulated.fleet import Fleet
from processors.detectors.tracks import TRACKED
from processors.detectors.watch import Seen, Watch

GOAL = 50_000
EPOCH_WINDOWS = 60  # windows of ten seconds in an epoch


@dataclass(frozen=True, slots=True)
class Cost:
    """`epochs_per_s`: robots' epochs through the slow detectors. `windows_per_s`: what that is worth in windows, of
    which an epoch has 60 (the fast detectors have their own cost)."""

    robots: int
    joints: int
    tracks: int
    epochs_per_s: float

    @property
    def windows_per_s(self) -> float:
        return self.epochs_per_s * EPOCH_WINDOWS

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"windows_per_s": self.windows_per_s, "goal": GOAL}


def measure(robots: int = 400, joints: int = 29, epochs: int = 60, commissioned: bool = True) -> Cost:
    """The middle of `epochs` steps, after commissioning unless said otherwise."""
    fleet = Fleet(robots, joints, seed=1)
    places = np.array([at for at, track in enumerate(fleet.lines.tracks) if track.signal in TRACKED])
    watch = Watch(tuple(fleet.lines.tracks[place] for place in places))
    state, models = watch.empty(robots), np.zeros(robots, np.int64)
    before = watch.tuning.commissioning + 1 if commissioned else 1
    nothing = healthy(robots, joints)
    day = [fleet.step(nothing)[:, places] for _ in range(36)]
    for epoch in range(before):
        state, _ = watch.step(state, Seen(epoch * 600_000_000, day[epoch % len(day)], models))
    taken_s = []
    for epoch in range(before, before + epochs):
        seen = Seen(epoch * 600_000_000, day[epoch % len(day)], models)
        begun_s = time.perf_counter()
        state, _ = watch.step(state, seen)
        taken_s.append(time.perf_counter() - begun_s)
    return Cost(robots, joints, len(places), robots / float(np.median(taken_s)))
