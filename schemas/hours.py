"""A robot's life in hours and days, as arrays: what findings are made from.

In: rows of `vitals_hourly`, or of a simulated life. Out: `Hours`, one element an hour that has data, in order of
event time; `Joints`, what the hours say of each joint and the battery; `Sighting`, a part as telemetry saw it.
Called by the simulator (`ingest/lives/`), by whoever loads lives from the database, and by `processors/audit/`.

Times are UTC µs. A counter that the robot does not have is ABSENT; any other value that is not known is NaN.
"""

from dataclasses import dataclass, fields

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.columns import Float32, Int64, Texts

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


@dataclass(frozen=True, slots=True)
class Hours:
    """`last_us`: event time of an hour's last window; `received_us`: when the broker had that one.

    `active_s`: how long the robot said that it worked. The counters are those at `last_us`. `boots`: how many boots
    the hour's windows are of.
    """

    start_us: Int64
    last_us: Int64
    received_us: Int64
    seen_s: Float32
    active_s: Float32
    boots: Int64
    runtime_s: Int64
    energy_wh: Int64
    cycles: Int64
    software: Texts
    scenario: Texts

    def __len__(self) -> int:
        return len(self.start_us)

    def at(self, rows: Int64 | NDArray[np.bool_] | slice) -> "Hours":
        """Some of them."""
        chosen = np.arange(len(self))[rows]
        texts = {name: getattr(self, name).at(chosen) for name in ("software", "scenario")}
        others = {f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name not in texts}
        return Hours(**others, **texts)


@dataclass(frozen=True, slots=True)
class Joints:
    """Beside `Hours`, hour by hour. The first three are hours × joints.

    `wear`: consumed life as estimated, 0..1. `backlash`: arcmin. `friction`: what the joint takes to move, in any
    unit that does not change (amperes, say). `soh` 0..1 and `resistance` mΩ are the battery's.
    """

    wear: Float32
    backlash: Float32
    friction: Float32
    soh: Float32
    resistance: Float32


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A part's serial as the robot itself reported it, from `first_us` to `last_us` and no other in between."""

    component: str
    serial: str
    first_us: int
    last_us: int


class Elsewhere(msgspec.Struct, frozen=True, kw_only=True):
    """One of this robot's serials, reported by another robot while this one reported it too.

    From `first_us` to `last_us` both say that they have it; `hours`: in so many of those the other one was live, by
    a clock that the broker vouches for.
    """

    component: str
    serial: str
    robot_id: str
    first_us: int
    last_us: int
    hours: int
