"""Which simulated robots report when, and the frames that they send.

In: robots, a rate, a first moment; then the faults that stand. Out: slots of time for ever, and for each slot its
frames. Called by `ingest/simulate.py`. A robot's boot id is random a run, as after a real boot; all else is seeded.
"""

import math
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.faults import Broken
from ingest.fleet import Fault, Squad
from ingest.traits import MODELS, Robot
from schemas.frame import FRAME_VERSION, Frame

# A period's robots report in squads, not in one burst: in steps of SLOT_S, but not so few together that numpy's
# cost a call outweighs the work.
SLOT_S = 0.05
SQUAD = 50
CLOCK_FAULT_US = 3_600_000_000
SCENARIO, SOFTWARE, BAD_SOFTWARE = "simulated: factory line", "simulator 1", "simulator 2"


@dataclass(frozen=True, slots=True)
class Slot:
    """The robots of a squad report at `time_us`."""

    time_us: int
    squad: Squad


class Schedule:
    """`boot_us`: the first moment; `first_day_us`: the day from which wear and shifts count."""

    def __init__(self, seed: int, robots: Sequence[Robot], hz: float, boot_us: int, first_day_us: int) -> None:
        self._period_us = round(1e6 / hz)
        self._boot_us, self._first_day_us = boot_us, first_day_us
        self._boots = {robot.code: secrets.randbits(53) for robot in robots}
        self._next_seq = dict.fromkeys(self._boots, 0)
        self._squads = _squads(seed, robots, max(SQUAD, math.ceil(len(robots) * SLOT_S * hz)))

    def slots(self) -> Iterator[Slot]:
        """For ever, in the order of time. A robot's moment is the same in each period."""
        period_us = self._boot_us
        while True:
            for place, squad in enumerate(self._squads):
                yield Slot(period_us + place * self._period_us // len(self._squads), squad)
            period_us += self._period_us

    def frames(self, slot: Slot, broken: Broken) -> Iterator[Frame]:
        """What the slot's robots send. A silent robot sends nothing and counts nothing."""
        squad = slot.squad
        faults = _standing(squad, broken, slot.time_us) if broken else {}
        readings = squad.step((slot.time_us - self._first_day_us) / 1e6, faults)
        width, packed = readings.values.shape[1] * 4, readings.values.astype("<f4", copy=False).tobytes()
        runtime_s, energy_wh = readings.runtime_s.tolist(), readings.energy_wh.tolist()
        cycles, mode = readings.cycles.tolist(), readings.mode.tolist()
        layout = squad.layout.text
        for row, robot in enumerate(squad.robots):
            kinds = faults.get(row, frozenset())
            if Fault.SILENT in kinds:
                continue
            seq = self._next_seq[robot.code]
            self._next_seq[robot.code] = seq + 1
            yield Frame(
                v=FRAME_VERSION,
                robot_id=robot.code,
                boot_id=self._boots[robot.code],
                seq=seq,
                time_us=slot.time_us + (CLOCK_FAULT_US if Fault.CLOCK in kinds else 0),
                mono_us=slot.time_us - self._boot_us,
                runtime_s=runtime_s[row],
                energy_wh=energy_wh[row],
                cycles=cycles[row],
                mode=mode[row],
                scenario=SCENARIO,
                software=BAD_SOFTWARE if Fault.RELEASE in kinds else SOFTWARE,
                flags=0,
                layout=layout,
                values=packed[row * width : (row + 1) * width],
            )


def _squads(seed: int, robots: Sequence[Robot], size: int) -> list[Squad]:
    """Robots of one model together, at most `size` of them."""
    squads: list[Squad] = []
    for model in MODELS:
        members = [robot for robot in robots if robot.model is model]
        squads += [Squad(seed, members[first : first + size]) for first in range(0, len(members), size)]
    return squads


def _standing(squad: Squad, broken: Broken, time_us: int) -> dict[int, frozenset[Fault]]:
    """Row to faults: those that have begun by then."""
    standing: dict[int, frozenset[Fault]] = {}
    for row, robot in enumerate(squad.robots):
        begun = frozenset(fault for fault, since_us in broken.get(robot.code, {}).items() if since_us <= time_us)
        if begun:
            standing[row] = begun
    return standing
