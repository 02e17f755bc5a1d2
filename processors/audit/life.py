"""What a robot's findings are made from, and which of its hours may speak against anybody.

In: hours, levels by day, logbook, parts. Out: a `Life`. Called by every rule of this folder.

An hour is **vouched for** where the broker received its last frame when the robot's clock says that it was made.
What came late, twice, or by a clock that was wrong has another time of receipt: it fills gaps, but no rule takes it
as support for anything. So a clock that steps, or a spool that is flushed, cannot turn a counter back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.audit.levels import Levels
from schemas.columns import Int64, Texts
from schemas.history import History
from schemas.hours import DAY_US, Elsewhere, Hours, Sighting
from schemas.logbook import What
from schemas.maintenance import Due

Bools = NDArray[np.bool_]

CLOCK_US = 10 * 60 * 1_000_000
"""Ours: so far apart the robot's clock and the broker's may be, with the way between them."""
SUPPORT = 3
"""Ours: so many hours that are vouched for must stand on either side of a contradiction."""
ENTRY_DAYS = 7
"""Ours: so far off may a date be that somebody wrote into an entry."""
GRACE_DAYS = 90
"""Ours: until then a missing entry may be on its way, and what it would explain is suspected at most. An author
must send within 30 days what he has signed (`schemas/chain.py`), but papers lie around longer unsigned."""


@dataclass(frozen=True)
class Life:
    """`now_us`: as of when it is judged."""

    robot_id: str
    now_us: int
    hours: Hours
    levels: Levels
    history: History
    sightings: Sequence[Sighting] = ()
    elsewhere: Sequence[Elsewhere] = ()
    overdue: Sequence[Due] = ()

    @cached_property
    def vouched(self) -> Hours:
        return self.hours.at(vouched_for(self.hours))

    def grace_over(self, us: int) -> bool:
        """Whether an entry about that time would be here by now."""
        return self.now_us - us >= GRACE_DAYS * DAY_US


def vouched_for(hours: Hours) -> Bools:
    return np.asarray(np.abs(hours.received_us - hours.last_us) <= CLOCK_US)


def count_between(times_us: Int64, first_us: int, last_us: int) -> int:
    """Of times in order, how many lie between two, both included."""
    return int(np.searchsorted(times_us, last_us, "right") - np.searchsorted(times_us, first_us, "left"))


class Change(NamedTuple):
    """A text that became another between two hours."""

    before: str
    after: str
    us: int


def changes(texts: Texts, times_us: Int64) -> list[Change]:
    """Where a column of texts changes."""
    at = np.nonzero(texts.codes[1:] != texts.codes[:-1])[0] + 1
    return [Change(texts.values[texts.codes[i - 1]], texts.values[texts.codes[i]], int(times_us[i])) for i in at]


def near(us: int, first_us: int, last_us: int, days: float = ENTRY_DAYS) -> bool:
    """Whether a time lies between two others, give or take some days."""
    return first_us - days * DAY_US <= us <= last_us + days * DAY_US


def entries_near(
    history: History, kinds: tuple[type[What], ...], first_us: int, last_us: int, days: float = ENTRY_DAYS
) -> list[int]:
    """Numbers of the entries of these kinds that tell of about that time."""
    return [
        stated.number
        for stated in history.stated
        if isinstance(stated.what, kinds) and near(stated.happened_us, first_us, last_us, days)
    ]
