"""A simulated fleet through the shipped detectors, one pass: `robovitals evaluate --simulated`.

In: robots, days, a seed. Out: a `Result`. Called by `deploy/commands/evaluate.py`. Robots go in shards of 400, as
in the assessor; every shard has its healthy robots and its broken ones.
"""

from dataclasses import dataclass

import numpy as np

from deploy.commands.summarise import DEFAULTS_S, GRACE_S, TOLERANCE_S, WINDOW_S
from deploy.evaluate.simulated import faults
from deploy.evaluate.simulated.detect import RULES, Detectors
from deploy.evaluate.simulated.faults import Case, Kind, Plan
from deploy.evaluate.simulated.fleet import Fleet
from deploy.evaluate.simulated.nature import EPOCHS_A_DAY
from deploy.evaluate.simulated.result import Result
from deploy.evaluate.simulated.tally import Healthy, Outcome, Tally
from deploy.progress import Progress
from processors.findings import CLOCK, SILENCE
from schemas.errors import SettingError
from schemas.watermark import ahead_of_broker

SHARD = 400
JOINTS = 29
LEAST_ROBOTS, LEAST_DAYS = 50, 30


@dataclass(frozen=True, slots=True)
class Told:
    """What one shard gave."""

    outcomes: list[Outcome]
    healthy: Healthy


def run(robots: int, days: int, seed: int, progress: Progress, rules: tuple[str, ...] = RULES) -> Result:
    """`progress` is told robot-days done and in all. Raises SettingError when it is too little to say anything."""
    if robots < LEAST_ROBOTS or days < LEAST_DAYS:
        raise SettingError(
            f"--robots {robots} --days {days}: at least {LEAST_ROBOTS} robots and {LEAST_DAYS} days are needed: "
            f"every kind of fault needs a robot, and two weeks pass before the first"
        )
    told, done = [], 0
    for squad, first in enumerate(range(0, robots, SHARD)):
        size = min(SHARD, robots - first)
        if size < LEAST_ROBOTS:
            break
        shard = _Shard(size, days * EPOCHS_A_DAY, seed, squad, rules)
        for _ in range(days):
            shard.day()
            done += size
            progress(done, robots * days)
        told.append(Told(shard.tally.outcomes, shard.tally.healthy))
    progress(robots * days, robots * days)
    outcomes = [outcome for shard_told in told for outcome in shard_told.outcomes]
    return Result.of(done // days, days, seed, outcomes, [shard_told.healthy for shard_told in told], rules)


class _Shard:
    """A fleet, its faults, its detectors and its count, an epoch at a time."""

    def __init__(self, robots: int, epochs: int, seed: int, squad: int, rules: tuple[str, ...]) -> None:
        self._rng = np.random.default_rng([seed, squad, 2])
        self._fleet = Fleet(robots, JOINTS, seed, squad)
        self._plan: Plan = faults.plan(self._rng, robots, JOINTS, epochs)
        self._detectors = Detectors(self._fleet.lines.tracks, robots, rules)
        self.tally = Tally(self._plan, self._detectors.components, robots)
        self._epoch = 0

    def day(self) -> None:
        for _ in range(EPOCHS_A_DAY):
            epoch, self._epoch = self._epoch, self._epoch + 1
            values = self._fleet.step(faults.effects(self._fleet, self._plan, epoch, self._rng))
            self.tally.see(epoch, self._detectors.step(epoch, values))
        for case in self._plan.cases:
            if case.kind is Kind.CLOCK:
                self._look_at_clock(case)

    def _look_at_clock(self, case: Case) -> None:
        """Once a day is enough to find the epoch: a clock runs off evenly."""
        for epoch in range(self._epoch - EPOCHS_A_DAY, self._epoch):
            rule = clock_rule(faults.clock_ahead_s(case, epoch))
            if rule:
                self.tally.hear(case, rule, epoch)


def clock_rule(ahead_s: float) -> str | None:
    """What the pipeline says of a clock: frames ahead by more than the tolerance are late marks (rule `clock`);
    those behind by a window and its grace come to closed windows, and the robot counts as silent."""
    tolerance_us = round(DEFAULTS_S[TOLERANCE_S] * 1e6)
    now_us = np.array([1_000_000_000_000])
    if ahead_of_broker(now_us + round(ahead_s * 1e6), now_us, tolerance_us).any():
        return CLOCK
    return SILENCE if -ahead_s > DEFAULTS_S[WINDOW_S] + DEFAULTS_S[GRACE_S] else None
