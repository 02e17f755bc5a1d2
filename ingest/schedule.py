"""Which simulated robots report when, and the frames that they send.

In: robots, a rate, a first moment; then the faults that stand. Out: slots of time for ever, and for each slot its
frames. Called by `ingest/simulate.py`, and by `ingest/past.py` for what comes before. A robot's boot id is random a
run, as after a real boot; all else is seeded.
"""

import math
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ingest.faults import Broken
from ingest.fleet import Ages, Fault, Squad
from ingest.traits import BAD_SOFTWARE, MODELS, Robot, parts_of
from schemas.frame import FRAME_VERSION, Frame
from schemas.parts import Parts

# A period's robots report in squads, not in one burst: in steps of SLOT_S, but not so few together that numpy's
# cost a call outweighs the work.
SLOT_S = 0.05
SQUAD = 50
CLOCK_FAULT_US = 3_600_000_000
PARTS_EVERY_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Slot:
    """The robots of a squad report at `time_us`."""

    time_us: int
    squad: Squad


class Boots:
    """One boot of each robot, begun at `boot_us`. `first_day_us`: the day from which wear and shifts count.
    `number_of`: the number within the boot of a robot's frame at a time; without it they count as they are made.
    """

    def __init__(
        self,
        robots: Sequence[Robot],
        boot_us: int,
        first_day_us: int,
        number_of: Callable[[Robot, int], int] | None = None,
    ) -> None:
        self._boot_us, self._first_day_us = boot_us, first_day_us
        self._ids = {robot.code: secrets.randbits(53) for robot in robots}
        self._next_seq = dict.fromkeys(self._ids, 0)
        self._number_of = number_of or self._counted
        self._told_us: dict[str, int] = {}

    def _counted(self, robot: Robot, _time_us: int) -> int:
        seq = self._next_seq[robot.code]
        self._next_seq[robot.code] = seq + 1
        return seq

    def frames(self, slot: Slot, broken: Broken, flags: int = 0) -> Iterator[Frame]:
        """What the slot's robots send. A silent robot sends nothing and counts nothing."""
        squad = slot.squad
        faults = _standing(squad, broken, slot.time_us) if broken else {}
        readings = squad.step((slot.time_us - self._first_day_us) / 1e6, faults)
        width, packed = readings.values.shape[1] * 4, readings.values.astype("<f4", copy=False).tobytes()
        runtime_s, energy_wh = readings.runtime_s.tolist(), readings.energy_wh.tolist()
        cycles, mode = readings.cycles.tolist(), readings.mode.tolist()
        layout = squad.layout.text
        for row, robot in enumerate(squad.robots):
            ages = faults.get(row, {})
            if Fault.SILENT in ages:
                continue
            yield Frame(
                v=FRAME_VERSION,
                robot_id=robot.code,
                boot_id=self._ids[robot.code],
                seq=self._number_of(robot, slot.time_us),
                time_us=slot.time_us + (CLOCK_FAULT_US if Fault.CLOCK in ages else 0),
                mono_us=slot.time_us - self._boot_us,
                runtime_s=runtime_s[row],
                energy_wh=energy_wh[row],
                cycles=cycles[row],
                mode=mode[row],
                scenario=robot.scenario.name,
                software=BAD_SOFTWARE if Fault.RELEASE in ages else robot.software,
                flags=flags,
                layout=layout,
                values=packed[row * width : (row + 1) * width],
                parts=self._due_parts(robot, slot.time_us),
            )

    def _due_parts(self, robot: Robot, time_us: int) -> Parts | None:
        """In its first frame, and once an hour, as an agent does."""
        told_us = self._told_us.get(robot.code)
        if told_us is not None and abs(time_us - told_us) < PARTS_EVERY_US:
            return None
        self._told_us[robot.code] = time_us
        return parts_of(robot)


class Schedule:
    """A fleet that reports `hz` times a second from `boot_us` on."""

    def __init__(self, seed: int, robots: Sequence[Robot], hz: float, boot_us: int, first_day_us: int) -> None:
        self._period_us = round(1e6 / hz)
        self._boot_us = boot_us
        self._boots = Boots(robots, boot_us, first_day_us)
        self._squads = squads(seed, robots, max(SQUAD, math.ceil(len(robots) * SLOT_S * hz)))

    def slots(self) -> Iterator[Slot]:
        """For ever, in the order of time. A robot's moment is the same in each period."""
        period_us = self._boot_us
        while True:
            for place, squad in enumerate(self._squads):
                yield Slot(period_us + place * self._period_us // len(self._squads), squad)
            period_us += self._period_us

    def frames(self, slot: Slot, broken: Broken) -> Iterator[Frame]:
        """What the slot's robots send."""
        return self._boots.frames(slot, broken)


def squads(seed: int, robots: Sequence[Robot], size: int) -> list[Squad]:
    """Robots of one model together, at most `size` of them."""
    found: list[Squad] = []
    for model in MODELS:
        members = [robot for robot in robots if robot.model is model]
        found += [Squad(seed, members[first : first + size]) for first in range(0, len(members), size)]
    return found


def _standing(squad: Squad, broken: Broken, time_us: int) -> dict[int, Ages]:
    """Row to faults: those that have begun by then."""
    standing: dict[int, Ages] = {}
    for row, robot in enumerate(squad.robots):
        begun = broken.get(robot.code, {}).items()
        if ages := {fault: (time_us - since_us) / 1e6 for fault, since_us in begun if since_us <= time_us}:
            standing[row] = ages
    return standing
