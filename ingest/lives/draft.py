"""A life while it is being written: every hour of it, whether anybody saw it or not.

In: a generator. Out: a `Draft`, which `events.py` and `frauds.py` change, and `rows.py` turns into what was seen.
Called by `lives.py`. Sizes are assumed and stated in docs/findings.md.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.lives.book import Book
from ingest.lives.truth import Fraud, Honest, Lookalike, Truth
from schemas.columns import Float32, Int64
from schemas.hours import DAY_US, HOUR_US, Elsewhere

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

END_US = 1_793_491_200_000_000  # 2026-11-01: every life ends there, and began before
SHORTEST_DAYS, LONGEST_DAYS = 90.0, 3650.0
POWER_WANDER, CYCLES_WANDER = 0.06, 0.04
USES = ("factory_line", "warehouse", "classroom", "home_care")
_HOURS_A_DAY = {
    "factory_line": (0, 24, 7),
    "warehouse": (5, 22, 6),
    "classroom": (8, 17, 5),
    "home_care": (7, 22, 7),
}
_POWER_W = {"factory_line": 420.0, "warehouse": 380.0, "classroom": 240.0, "home_care": 290.0}
_CYCLES_H = {"factory_line": 260.0, "warehouse": 150.0, "classroom": 60.0, "home_care": 75.0}


class Set(NamedTuple):
    """Before an hour its counters were set: to so much of what they were, plus so much runtime.

    `others`: energy and cycles likewise.
    """

    hour: int
    keep: float
    plus_s: float
    others: float


class Changed(NamedTuple):
    """An entry about a setting of its counter, to be written once it is known what the counter had said by then."""

    hour: int
    happened_us: int
    late_us: int
    off_by: float | None


@dataclass(slots=True)
class Draft:
    """Hours: `on` switched on; `work` the share of it that it works; `counted` how much of that its counter counts.

    `seen`: whether anybody had its frames in the end; `delay_us` how late; `clock_us` how wrong its clock was.
    `misread`: what its counter said there instead, -1 for nothing else.
    Days × joints: `renewed` what a younger gear takes off its wear,
    `estimate` what the software adds, `play` and `grip` multiply backlash and friction. Days: `health` and `ohms`.
    `second`: where a second robot's frames stand in an hour's end, and that one's counters less the first one's.
    `neglected_from`: the hour from which on nobody services it any more.
    `sets`: how its counters were set, `changed`: what is to be written about that.
    `installs`: from which hour on it has which software.
    """

    rng: np.random.Generator
    start_us: int
    joints: int
    life_h: Floats
    new_wear: Floats
    on: Bools
    work: Float32
    idle: Float32
    counted: Float32
    power_w: Float32
    cycles_h: Float32
    seen: Bools
    delay_us: Int64
    clock_us: Int64
    misread: Int64
    boots: Int64
    scenario: NDArray[np.int32]
    renewed: Floats
    estimate: Floats
    play: Floats
    grip: Floats
    health: Floats
    ohms: Floats
    second: Bools
    second_s: Int64
    book: Book
    neglected_from: int = 1 << 40
    sets: list[Set] = field(default_factory=list)
    installs: list[tuple[int, str]] = field(default_factory=lambda: [(0, "fw 1.0")])
    serials: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    changed: list[Changed] = field(default_factory=list)
    elsewhere: list[Elsewhere] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)
    lookalikes: list[Lookalike] = field(default_factory=list)

    @property
    def hours(self) -> int:
        return len(self.on)

    def us(self, hour: float) -> int:
        """When an hour begins."""
        return self.start_us + int(hour * HOUR_US)

    def runtime_s(self) -> Floats:
        """What the robot has truly run by the end of each hour."""
        return np.cumsum(self.on * self.work * 3600.0)

    def reading_s(self) -> Floats:
        """What its counter says, by the end of each hour."""
        return self.set_by(np.cumsum(self.on * self.work * self.counted * 3600.0), others=False)

    def set_by(self, counts: Floats, *, others: bool) -> Floats:
        """A counter as it went on by itself, to what it says after all its settings; in place."""
        for one in sorted(self.sets):
            before = counts[one.hour - 1]
            after = before * one.others if others else before * one.keep + one.plus_s
            counts[one.hour :] += max(after, 0.0) - before
        return counts

    def moment(self, low: float = 0.1, high: float = 0.9) -> int:
        """An hour somewhere within these shares of its life."""
        return int(self.rng.uniform(low, high) * self.hours)

    def span(self, hour: int, days: float) -> slice:
        """Hours from one on."""
        return slice(hour, min(hour + max(round(days * 24), 1), self.hours))

    def day(self, hour: int) -> int:
        return self.us(hour) // DAY_US - self.start_us // DAY_US

    def tell(self, kind: Fraud, component: str, hours: slice, size: float, unit: str) -> None:
        self.truths.append(Truth(kind, component, self.us(hours.start), self.us(hours.stop), float(size), unit))

    def note(self, kind: Honest, component: str, hours: slice) -> None:
        self.lookalikes.append(Lookalike(kind, component, self.us(hours.start), self.us(hours.stop)))


def draft(rng: np.random.Generator, robot_id: str) -> Draft:
    """An honest life in which nothing happens but work."""
    days = round(float(np.exp(rng.uniform(np.log(SHORTEST_DAYS), np.log(LONGEST_DAYS)))))
    hours, joints = days * 24, int(rng.integers(6, 44))
    start_us = END_US - days * DAY_US
    use = USES[int(rng.integers(len(USES)))]
    on = _switched_on(rng, use, hours)
    busy = rng.uniform(0.3, 0.85)
    days_matrix = (days + 1, joints)
    return Draft(
        rng=rng, start_us=start_us, joints=joints,
        life_h=rng.uniform(12_000, 60_000, joints), new_wear=rng.uniform(0.0, 0.12, joints),
        on=on, work=np.clip(busy + 0.2 * rng.standard_normal(hours), 0, 1).astype(np.float32),
        idle=np.zeros(hours, np.float32),
        counted=(rng.uniform(0.93, 1.0) * (1 + 0.004 * rng.standard_normal(hours))).astype(np.float32),
        power_w=_POWER_W[use] * rng.uniform(0.8, 1.2) * _wander(rng, hours, POWER_WANDER),
        cycles_h=_CYCLES_H[use] * rng.uniform(0.7, 1.3) * _wander(rng, hours, CYCLES_WANDER),
        seen=rng.random(hours) > rng.choice([0.0, 0.002, 0.02]),
        delay_us=np.zeros(hours, np.int64), clock_us=np.zeros(hours, np.int64),
        misread=np.full(hours, -1, np.int64), boots=1 + (rng.random(hours) < 0.01).astype(np.int64),
        scenario=np.full(hours, USES.index(use), np.int32),
        renewed=np.zeros(days_matrix), estimate=np.zeros(days_matrix), play=np.ones(days_matrix),
        grip=np.ones(days_matrix), health=np.zeros(days + 1), ohms=np.ones(days + 1),
        second=np.zeros(hours, bool), second_s=np.zeros(hours, np.int64), book=Book(robot_id, start_us),
    )  # fmt: skip


def change_use(life: Draft, hours: slice) -> None:
    """Another use from then on: another power, other movements."""
    use = USES[int(life.rng.integers(len(USES)))]
    life.scenario[hours] = USES.index(use)
    length = hours.stop - hours.start
    life.power_w[hours] = _POWER_W[use] * life.rng.uniform(0.8, 1.2) * _wander(life.rng, length, POWER_WANDER)
    life.cycles_h[hours] = _CYCLES_H[use] * life.rng.uniform(0.7, 1.3) * _wander(life.rng, length, CYCLES_WANDER)


def _wander(rng: np.random.Generator, hours: int, spread: float) -> Float32:
    """Around 1, from one month to the next: no month's work is like another's."""
    knots = rng.standard_normal(hours // 720 + 2)
    return np.exp(spread * np.interp(np.arange(hours) / 720, np.arange(len(knots)), knots)).astype(np.float32)


def _switched_on(rng: np.random.Generator, use: str, hours: int) -> Bools:
    opens, closes, weekdays = _HOURS_A_DAY[use]
    hour = np.arange(hours)
    of_day, of_week = hour % 24, hour // 24 % 7
    on = (of_day >= opens) & (of_day < closes) & (of_week < weekdays) & (rng.random(hours) > 0.03)
    return np.asarray(on)
