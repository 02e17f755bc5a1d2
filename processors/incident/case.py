"""What is known of an incident: the shapes that evidence is drawn from. Pure.

In: nothing. Out: a `Case`. Made by `freeze.py` (with `rows.py`) of what was frozen, and by the scenarios that
verdicts are held against (`deploy/evaluate/incidents/`). Times are event times in UTC µs. A record id names a
frozen record, as the report and the bundle list it; see `schemas/incident.py`.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

BEFORE_US = 30_000_000
AFTER_US = 10_000_000
PAST_DAYS = 35

Channel: TypeAlias = tuple[str, str]
"""A component's path (`joint/3`, `battery`) and a signal."""
Float64: TypeAlias = NDArray[np.float64]
Int64: TypeAlias = NDArray[np.int64]


class Window(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The frames that were frozen, in the order of time; NaN where a reading is absent."""

    time_us: Int64
    seq: Int64
    boot_id: Int64
    mode: Int64
    readings: Mapping[Channel, Float64]


class Past(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """The hours before, oldest first: of each channel the highest magnitude in the hour, and its level (mean
    or RMS). `work`: the scenario that the robot named.
    """

    hour_us: Int64
    software: Sequence[str]
    work: Sequence[str]
    highest: Mapping[Channel, Float64]
    level: Mapping[Channel, Float64]


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that held before or in the window. `answered`: a person acknowledged or shelved it by then."""

    record: str
    component: str
    signal: str
    severity: int
    opened_us: int
    answered: bool


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """A component's zone by the last judgement of the day before; empty where the data could not tell."""

    record: str
    component: str
    zone: str


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """How a maintenance task stood at the moment: `state` ok, due, overdue or unknown."""

    record: str
    task: str
    component: str
    state: str
    overdue_since_us: int | None = None


class Share(msgspec.Struct, frozen=True):
    """Of so many robots so many showed the same in the same time."""

    affected: int
    robots: int

    @property
    def part(self) -> float:
        return self.affected / self.robots if self.robots else 0.0


class Fleet(msgspec.Struct, frozen=True, kw_only=True):
    """Other robots of the model: those on this robot's version and on others; those overdue with the same on the
    same component, and those whose service is current.
    """

    record: str
    same_version: Share
    other_version: Share
    overdue: Share
    current: Share


class Case(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """`alarms`, `before`, `services` in any order. `fleet` None: nothing to compare with."""

    robot_id: str
    at_us: int
    window: Window
    past: Past
    alarms: Sequence[Alarm]
    before: Sequence[Before]
    services: Sequence[Service]
    fleet: Fleet | None
    integrity: bool | None
