"""Counting: which faults were found, by which rule, when; and what was told about robots that are healthy.

In: an epoch's flags. Out: counts, which `result.py` makes figures of. Called by `run.py`. An episode is a run of
one rule on one component; one that pauses for an epoch (longer than REOPEN_US) is another.
"""

from dataclasses import dataclass, field

import numpy as np

from deploy.evaluate.simulated.detect import Bools, Flags
from deploy.evaluate.simulated.faults import OF_BATTERY, OF_ROBOT, Case, Kind, Plan
from deploy.evaluate.simulated.nature import EPOCHS_A_DAY


@dataclass(frozen=True, slots=True)
class Outcome:
    """A fault and the first epoch in which each rule began to flag what is broken, after the onset."""

    case: Case
    first: dict[str, int]


@dataclass(slots=True)
class Healthy:
    """Episodes of healthy robots by rule and kind of component; those during the heat wave once more by rule."""

    episodes: dict[tuple[str, str], int] = field(default_factory=dict)
    in_wave: dict[str, int] = field(default_factory=dict)
    robot_days: float = 0.0
    wave_robot_days: float = 0.0


class Tally:
    """One squad's count."""

    def __init__(self, planned: Plan, components: tuple[str, ...], robots: int) -> None:
        self._plan, self._components = planned, components
        self._before: dict[str, Bools] = {}
        self._first: list[dict[str, int]] = [{} for _ in planned.cases]
        self._of_row: dict[int, int] = {case.row: at for at, case in enumerate(planned.cases)}
        self._targets = [self._target(case) for case in planned.cases]
        self._healthy = np.ones(robots, bool)
        self._healthy[list(self._of_row)] = False
        self.healthy = Healthy()

    @property
    def outcomes(self) -> list[Outcome]:
        return [Outcome(case, first) for case, first in zip(self._plan.cases, self._first, strict=True)]

    def see(self, epoch: int, flags: Flags) -> None:
        """Count what begins with this epoch."""
        wave = self._plan.wave[0] <= epoch < self._plan.wave[1]
        judged = int((self._healthy & ~flags.learning).sum()) / EPOCHS_A_DAY
        self.healthy.robot_days += judged
        self.healthy.wave_robot_days += judged if wave else 0
        for rule, flag in flags.by_rule.items():
            before = self._before.get(rule)
            begun = flag if before is None else flag & ~before
            self._before[rule] = flag
            for row, component in np.argwhere(begun).tolist():
                if self._healthy[row]:
                    self._count(rule, row, component, wave)
                else:
                    self._found(rule, row, component, epoch)

    def hear(self, case: Case, rule: str, epoch: int) -> None:
        """A rule about the data found a fault that shows in no series."""
        self._first[self._of_row[case.row]].setdefault(rule, epoch)

    def _count(self, rule: str, row: int, component: int, wave: bool) -> None:
        kind = self._components[component].split("/")[0]
        self.healthy.episodes[rule, kind] = self.healthy.episodes.get((rule, kind), 0) + 1
        if wave:
            self.healthy.in_wave[rule] = self.healthy.in_wave.get(rule, 0) + 1

    def _found(self, rule: str, row: int, component: int, epoch: int) -> None:
        at = self._of_row[row]
        if epoch >= self._plan.cases[at].onset and component in self._targets[at]:
            self._first[at].setdefault(rule, epoch)

    def _target(self, case: Case) -> frozenset[int]:
        """The components on which a finding is about this fault."""
        joints = [at for at, name in enumerate(self._components) if name.startswith("joint/") or name == "robot"]
        if case.kind in OF_ROBOT:
            return frozenset()
        if case.kind is Kind.SOFTWARE:
            return frozenset(joints)  # or what is said of the whole robot
        name = "battery" if case.kind in OF_BATTERY else f"joint/{case.joint + 1}"
        return frozenset([self._components.index(name)])
