"""What is true about a simulated life: what was done to it, and what only looks like that.

In: nothing. Out: the shapes `Truth`, `Lookalike`, `SimulatedLife`. Filled by the files of this folder, read by
`deploy/evaluate/lives/`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from schemas.history import History
from schemas.hours import Elsewhere, Hours, Joints, Sighting


class Fraud(StrEnum):
    """What may have been done, or left undone."""

    ROLLBACK = "rollback"
    JUMP = "counter set ahead"
    SLOWED = "counter slowed"
    SWAP = "swap without entry"
    HIDDEN = "swap under the old serial"
    HIDDEN_BATTERY = "battery swap under the old serial"
    CLONED_PART = "serial used twice"
    CLONED_ROBOT = "code used twice"
    UNLOGGED = "run without telemetry"
    MISSED = "service left out"
    UNOWNED = "used without an owner"
    SOLD_TWICE = "sold twice"
    SOLD_AFTER = "sold soon after"
    SCRAPPED = "used after scrapping"


class Honest(StrEnum):
    """What looks like one of those and is none."""

    LATE_ENTRY = "swap, entry late"
    SWAP = "swap with entry"
    BOARD = "controller swapped, recorded"
    REGREASED = "regreased"
    CALIBRATED = "calibrated"
    FIRMWARE = "firmware changes an estimate"
    RELABELLED = "firmware writes serials anew"
    MISREAD = "serial misread for a while"
    LENT = "part lent to another robot"
    LATE_DATA = "telemetry comes late"
    CLOCK = "clock steps"
    POWER_LOSS = "counter loses what was not saved"
    BAD_COUNTER = "counter misread for a while"
    OFF = "planned off"
    SHIPPED = "shipped"
    IDLE_ON = "left on, idle"
    MODE = "firmware counts more as working"
    USE = "other use"
    RELEARNED = "battery learns its capacity anew"
    SOLD = "sold"
    DISMANTLED = "switched on after scrapping"


class Truth(msgspec.Struct, frozen=True):
    """`size`: how much of it there is, in `unit`."""

    kind: Fraud
    component: str
    first_us: int
    last_us: int
    size: float
    unit: str


class Lookalike(msgspec.Struct, frozen=True):
    kind: Honest
    component: str
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class SimulatedLife:
    """`hours` in order of event time. `end_us`: how far it has been lived."""

    robot_id: str
    end_us: int
    hours: Hours
    joints: Joints
    history: History
    sightings: tuple[Sighting, ...]
    elsewhere: tuple[Elsewhere, ...]
    truths: tuple[Truth, ...] = field(default=())
    lookalikes: tuple[Lookalike, ...] = field(default=())
