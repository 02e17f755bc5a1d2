"""Faults of known onset: which robots break, when, how fast, and what it does to them.

In: a generator and the fleet's size; then an epoch. Out: the plan, a Case a fault; and the epoch's Effects. Called
by `run.py`. A case grows from its onset on and is at 1 when the limit of what fails is reached: that of
`schemas/signals.py` where there is one, else what `docs/simulated.md` calls broken. All sizes are [assumed].
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from deploy.evaluate.simulated.effects import Effects, healthy
from deploy.evaluate.simulated.fleet import Fleet
from deploy.evaluate.simulated.nature import EPOCHS_A_DAY, WAVE_C, WAVE_DAYS, Between
from processors.detectors.tracks import Track
from schemas.signals import SIGNAL


class Kind(StrEnum):
    """What can break."""

    OVERHEAT = "overheat"
    BEARING = "bearing"
    BACKLASH = "backlash growth"
    BELT = "belt slip"
    AGEING = "battery ageing"
    CELL = "weak cell"
    STUCK = "stuck sensor"
    CLOCK = "clock drift"
    SWAP = "part swap"
    SOFTWARE = "software regression"
    NEW = "bad from new"


# Days from onset to the limit. At once: the sensor, the swap, the release.
DAYS = {
    Kind.OVERHEAT: Between(3, 14), Kind.BEARING: Between(20, 60), Kind.BACKLASH: Between(30, 90),
    Kind.BELT: Between(5, 20), Kind.AGEING: Between(40, 90), Kind.CELL: Between(20, 60),
    Kind.CLOCK: Between(5, 20), Kind.STUCK: Between(0, 0), Kind.SWAP: Between(0, 0), Kind.SOFTWARE: Between(0, 0),
    Kind.NEW: Between(0, 0),
}  # fmt: skip
OF_BATTERY = (Kind.AGEING, Kind.CELL)
OF_ROBOT = (Kind.CLOCK,)

EACH_SHARE = 0.045  # of robots get each fault that hits single robots
SOFTWARE_SHARE = 0.08  # of robots get the bad release; about half of the fleet stays healthy
HEALTHY_DAYS = 15  # before the first onset: a week of commissioning for a robot of one shift a day
WAVE_FROM = 0.6  # of the time: when the heat wave begins
STICKING = ("joint_temperature_c", "joint_current_a", "joint_vibration_mm_s", "joint_tracking_error_rad")


@dataclass(frozen=True, slots=True)
class Case:
    """One fault of the robot `row`; `joint` counts from 0. `dice` is its own number from 0 to 1. `epochs` from
    onset to the limit, 0 = at once. One bad release is a case for each robot that got it."""

    kind: Kind
    row: int
    joint: int
    onset: int
    epochs: int
    dice: float

    def grown(self, epoch: int) -> float:
        """0 before the onset, 1 at the limit, and no more than 1.5."""
        if epoch < self.onset:
            return 0.0
        return 1.0 if not self.epochs else min(1.5, (epoch - self.onset) / self.epochs)

    @property
    def limit_epoch(self) -> int | None:
        return self.onset + self.epochs if self.epochs else None


@dataclass(frozen=True, slots=True)
class Plan:
    """Who breaks; the others stay healthy. The heat wave is over everybody, and no fault."""

    cases: tuple[Case, ...]
    wave: tuple[int, int]


def plan(rng: np.random.Generator, robots: int, joints: int, epochs: int) -> Plan:
    """Onsets in the second quarter of the time, or later for what is quick: there must be time to see it."""
    order = iter(rng.permutation(robots).tolist())
    first = min(HEALTHY_DAYS * EPOCHS_A_DAY, epochs // 2)
    cases = []
    for kind in Kind:
        together = kind is Kind.SOFTWARE
        release = int(rng.integers(first, max(first + 1, epochs // 2)))
        for _ in range(max(1, round(robots * (SOFTWARE_SHARE if together else EACH_SHARE)))):
            length = round(rng.uniform(*DAYS[kind]) * EPOCHS_A_DAY)
            latest = max(first + 1, epochs - max(7 * EPOCHS_A_DAY, length))
            onset = release if together else int(rng.integers(first, latest))
            onset = 0 if kind is Kind.NEW else onset
            cases.append(Case(kind, next(order), int(rng.integers(joints)), onset, length, float(rng.random())))
    begin = round(epochs * WAVE_FROM)
    return Plan(tuple(cases), (begin, begin + round(WAVE_DAYS * EPOCHS_A_DAY)))


def effects(fleet: Fleet, planned: Plan, epoch: int, rng: np.random.Generator) -> Effects:
    """What the faults do in this epoch. A swap changes the fleet's parts, once."""
    found = healthy(fleet.robots, fleet.lines.joints)
    begin, end = planned.wave
    if begin <= epoch < end:
        # It comes and goes within a day.
        found.wave_c = WAVE_C * min(1.0, (epoch - begin) / EPOCHS_A_DAY, (end - epoch) / EPOCHS_A_DAY)
    for case in planned.cases:
        if epoch >= case.onset and case.kind in _BREAK:
            _BREAK[case.kind](found, fleet, case, epoch, rng)
    return found


def _overheat(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    """The joint loses its heat worse and worse: 90 °C at work in a hall of 22 °C is 1. (It makes a fifth less heat
    then: hot grease rubs less.)"""
    limit = SIGNAL["joint_temperature_c"].above
    assert limit is not None
    usual_c = 0.8 * fleet.joints.parts.rise_c[case.row, case.joint]
    most = (limit.alarm - 22 - fleet.own.powered_c[case.row, 0]) / usual_c
    found.cooling[case.row, case.joint] = 1 + (most - 1) * case.grown(epoch)


def _bearing(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    """Three times its vibration, half of its friction again, a tenth more error is broken."""
    grown = case.grown(epoch)
    found.vibration[case.row, case.joint] = 3**grown
    found.friction[case.row, case.joint] = 0.5 * grown
    found.tracking[case.row, case.joint] = 1 + 0.1 * grown


def _backlash(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    """From its own backlash to the alarm limit, faster with time."""
    limit = SIGNAL["joint_backlash_arcmin"].above
    assert limit is not None
    begins = fleet.joints.parts.backlash_arcmin[case.row, case.joint]
    found.backlash_arcmin[case.row, case.joint] = (limit.alarm - begins) * case.grown(epoch) ** 1.5


def _belt(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    """Now and then it slips: seldom at first, in half of the epochs when it is broken."""
    if rng.random() < 0.05 + 0.45 * case.grown(epoch):
        found.tracking[case.row, case.joint] = 2 + 3 * rng.random()
        found.vibration[case.row, case.joint] = 1.3
        found.torque[case.row, case.joint] = 0.9


def _ageing(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    """To a health of 0.80, with half of its resistance again."""
    limit = SIGNAL["battery_soh"].below
    assert limit is not None
    grown = case.grown(epoch)
    found.ageing.health[case.row] = (fleet.own.soh[case.row] - limit.alarm) * grown
    found.ageing.resistance[case.row] = 1 + 0.5 * grown


def _cell(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    """One cell falls behind the others, faster with time, to 100 mV at half charge."""
    limit = SIGNAL["battery_cell_spread_mv"].above
    assert limit is not None
    found.ageing.spread_mv[case.row] = (limit.alarm - fleet.own.spread_mv[case.row] - 3) * case.grown(epoch) ** 1.5


def _stuck(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    found.stuck.append((case.row, Track(STICKING[int(case.dice * len(STICKING))], case.joint + 1)))


def _swap(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    """Another part of the same model, new or used."""
    if epoch == case.onset:
        fleet.joints.parts.replace(case.row, case.joint, fleet.joints.spares, used=case.dice < 0.5)


def _new(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    """A bearing that was damaged when it was put in: four times the vibration, half of the friction again."""
    found.vibration[case.row, case.joint] = 4.0
    found.friction[case.row, case.joint] = 0.5


def _software(found: Effects, fleet: Fleet, case: Case, epoch: int, rng: np.random.Generator) -> None:
    """A controller that was tuned worse: every joint draws an eighth more and follows worse."""
    found.drive[case.row] = 1.12
    found.tracking[case.row] = 1.4
    found.vibration[case.row] = 1.2


_Break = Callable[[Effects, Fleet, Case, int, np.random.Generator], None]
_BREAK: dict[Kind, _Break] = {
    Kind.OVERHEAT: _overheat, Kind.BEARING: _bearing, Kind.BACKLASH: _backlash, Kind.BELT: _belt,
    Kind.AGEING: _ageing, Kind.CELL: _cell, Kind.STUCK: _stuck, Kind.SWAP: _swap, Kind.SOFTWARE: _software,
    Kind.NEW: _new,
}  # fmt: skip

# A clock that nobody sets runs off by 20 to 200 millionths of the time: 1.7 to 17 s a day, ahead or behind.
CLOCK_PPM = Between(20, 200)


def clock_ahead_s(case: Case, epoch: int) -> float:
    """How far a drifting clock is ahead of true time."""
    ppm = CLOCK_PPM.low + (CLOCK_PPM.high - CLOCK_PPM.low) * abs(2 * case.dice - 1)
    return float(np.sign(case.dice - 0.5) * ppm * 1e-6 * max(0, epoch - case.onset) * 600)
