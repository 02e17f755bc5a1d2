"""What a ledger sends, and when: everything follows from the plan, so nothing of a frame is kept in the book.

In: a seed, a start, a rate. Out: for record number n (sent at n / rate) its robot, and which *place* it carries: a
place is one frame, identified by (robot, boot, seq), with one content. Most records carry their own place; a robot
that sends duplicates carries the one before once more, one that is out of order swaps two. Pure, and by arrays.
Called by `deploy/ledger/frames.py` (content), `send.py` and the check.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.errors import SettingError
from schemas.robot_code import make_code

Int64 = NDArray[np.int64]
Flags = NDArray[np.bool_]

# The robots take these roles in turn; what is common stands more than once.
ROLES = ("plain", "plain", "plain", "hot", "twice", "swaps", "late", "ahead", "epoch", "poison")
PLAIN, HOT, TWICE, SWAPS, LATE, AHEAD, EPOCH, POISON = (ROLES.index(role) for role in dict.fromkeys(ROLES))
JOINTS = (6, 7, 12)

# After so many turns a robot boots anew. A clock in 1970 begins there again: two boots claim the same moments.
BOOT_TURNS, EPOCH_BOOT_TURNS = 1000, 100
SPOOLED = 1_000_000  # the boot numbers of what was sent late from a spool
HOUR_US = 3_600_000_000
LATE_US, AHEAD_US, EPOCH_US = 3 * HOUR_US, HOUR_US, 1_000_000

# A hot robot heats one joint after the other, each for a while; the same joint only after an episode may not go on.
FIRST_HOT_US, HOT_EVERY_US, HOT_FOR_US = 3_000_000, 20_000_000, 4_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """A joint of a robot is beyond its alarm limit in frames with event times from `from_us` up to `to_us`."""

    robot: int
    joint: int
    from_us: int
    to_us: int


class Plan(msgspec.Struct, frozen=True, dict=True):
    """`start_us` is UTC; `rate` in records a second, of all `robots` together."""

    seed: int
    start_us: int
    rate: float
    seconds: float
    robots: int

    def __post_init__(self) -> None:
        """Raises SettingError."""
        if self.robots < len(ROLES) or self.rate < self.robots:
            raise SettingError(
                f"{self.robots} robots at {self.rate:g} frames a second: give at least {len(ROLES)} robots, and "
                "for each of them a frame a second or more"
            )
        if not 1 <= self.rate * self.seconds <= 10_000_000:
            raise SettingError(f"{self.rate:g} frames a second for {self.seconds:g} s: give 1 to 10 million frames")

    @property
    def records(self) -> int:
        return int(self.rate * self.seconds)

    @cached_property
    def codes(self) -> list[str]:
        """Each robot's code, of this ledger only."""
        began = f"{self.start_us // 1000:013d}"
        return [
            make_code("ZZ", "LEDG", f"{ROLES[r % len(ROLES)].upper():X<6}", f"{began[-11:]}{r:05d}")
            for r in range(self.robots)
        ]

    def role(self, numbers: Int64) -> Int64:
        """The role of the robot of each record or place, as an index into ROLES; PLAIN for all that are plain."""
        role = numbers % self.robots % len(ROLES)
        return np.where(role < HOT, PLAIN, role)

    def joints(self, robot: int) -> int:
        return JOINTS[robot // len(ROLES) % len(JOINTS)]

    def place(self, records: Int64) -> Int64:
        """The place that each record carries."""
        role, turn = self.role(records), records // self.robots % 8
        place = records.copy()
        place[(role == TWICE) & (turn == 7)] -= self.robots
        place[(role == SWAPS) & (turn == 4)] += self.robots
        place[(role == SWAPS) & (turn == 5)] -= self.robots
        return place

    def is_poison(self, records: Int64) -> Flags:
        poison: Flags = (self.role(records) == POISON) & (records // self.robots % 8 == 7)
        return poison

    def since_us(self, numbers: Int64) -> Int64:
        """When each is due, after the start."""
        since_us: Int64 = np.rint(numbers * (1e6 / self.rate)).astype(np.int64)
        return since_us

    def due(self, since_s: float) -> int:
        """How many records are due by then."""
        return min(self.records, int(since_s * self.rate) + 1) if since_s >= 0 else 0

    def is_spooled(self, places: Int64) -> Flags:
        """Frames of a late robot that come from the time before its boot; it sends a live one between them."""
        spooled: Flags = (self.role(places) == LATE) & (places // self.robots % 2 == 1)
        return spooled

    def identity(self, places: Int64) -> tuple[Int64, Int64, Int64]:
        """Boot id, sequence number and event time (µs) of each place."""
        role, turn, spooled = self.role(places), places // self.robots, self.is_spooled(places)
        turn = np.where(role == LATE, turn // 2, turn)
        boot, seq = np.divmod(turn, np.where(role == EPOCH, EPOCH_BOOT_TURNS, BOOT_TURNS))
        boot_id = self.start_us + boot + np.where(spooled, SPOOLED, 0)
        since_us = self.since_us(places)
        time_us = self.start_us + since_us + np.where(role == AHEAD, AHEAD_US, 0) - np.where(spooled, LATE_US, 0)
        return boot_id, seq, np.where(role == EPOCH, EPOCH_US + self.since_us(seq * self.robots), time_us)

    def place_of(self, robot: Int64, boot_id: Int64, seq: Int64) -> Int64:
        """The inverse of `identity`, for identities that are some place's; of others, any number."""
        boot = boot_id - self.start_us
        spooled = boot >= SPOOLED
        role = self.role(robot)
        turns = np.where(role == EPOCH, EPOCH_BOOT_TURNS, BOOT_TURNS)
        turn = np.where(spooled, boot - SPOOLED, boot) * turns + seq
        turn = np.where(role == LATE, 2 * turn + spooled, turn)
        place: Int64 = turn * self.robots + robot
        return place

    def hot_joint(self, places: Int64) -> Int64:
        """The joint (from 1) that is hot in each place; 0 where none is."""
        robot = places % self.robots
        phase_us = self.since_us(places) - FIRST_HOT_US - robot * 1_700_000 % HOT_EVERY_US
        joints = np.array([self.joints(r) for r in range(self.robots)])[robot]
        hot = (self.role(places) == HOT) & (phase_us >= 0) & (phase_us % HOT_EVERY_US < HOT_FOR_US)
        return np.where(hot, phase_us // HOT_EVERY_US % joints + 1, 0)

    def intervals(self, places: Int64) -> list[Interval]:
        """The times in which joints are hot, of the places that there are."""
        found: list[Interval] = []
        for robot in range(HOT, self.robots, len(ROLES)):
            own = np.sort(places[places % self.robots == robot])
            joint = self.hot_joint(own)
            times = self.start_us + self.since_us(own)
            edges = np.nonzero(np.diff(joint, prepend=0, append=0))[0].tolist()
            found += [
                Interval(robot, int(joint[begin]), int(times[begin]), int(times[end - 1]))
                for begin, end in pairwise([*edges, len(joint)])
                if begin < len(joint) and joint[begin]
            ]
        return found
