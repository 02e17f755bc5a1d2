"""The load of a benchmark: frames as a humanoid sends them, when each is sent, and which of them are watched.

In: a rate, robots and how long. Out: a plan, made before anything is sent, and its frames by number. Pure; called
by `deploy/bench/latency.py`, which watches, and by `deploy/bench/generator.py`, which sends.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np

from deploy.bench.fleet import JOINTS, LAYOUT, Fleet
from schemas.frame import Frame

FEWEST_ROBOTS = 200
PROBES_PER_S = 40
CROSSINGS_PER_S = 10
HOT_C = 95.0  # beyond the signal table's alarm limit of 90 °C; all other readings are far inside theirs

_FIRST_TEMPERATURE = LAYOUT.spans["joint_temperature_c"][0]


@dataclass(frozen=True, slots=True)
class Plan:
    """Frame i is due i / rate seconds after the start and comes from robot i % robots, as its frame i // robots.

    `probes` are the frames whose rows are looked for; `crossings` those with a joint beyond its limit, and which.
    Both are drawn from the frames after the lead-in.
    """

    rate: float
    robots: int
    frames: int
    probes: frozenset[int]
    crossings: dict[int, int]

    def due_s(self, frame: int) -> float:
        """Seconds after the start."""
        return frame / self.rate


def make_plan(rate: float, robots: int, lead_in_s: float, seconds: float) -> Plan:
    """The measured time must hold two frames of each robot."""
    draw = np.random.default_rng(1)
    first, frames = round(rate * lead_in_s), round(rate * (lead_in_s + seconds))
    probes = draw.choice(
        np.arange(first, frames), min(frames - first, round(PROBES_PER_S * seconds)), replace=False
    )
    # Moments are random, or they might keep step with a batch or a poll. No joint crosses twice: what comes back
    # within a minute continues its episode, and is not told as a new one.
    count = round(CROSSINGS_PER_S * seconds)
    rounds = np.arange(math.ceil(first / robots), frames // robots)
    crossing = draw.choice(robots, min(robots, count), replace=False).tolist()
    each = min(max(1, round(count / robots)), JOINTS, len(rounds))
    crossings = {
        turn * robots + robot: joint
        for robot in crossing
        for joint, turn in enumerate(draw.choice(rounds, each, replace=False).tolist(), start=1)
    }
    return Plan(rate, robots, frames, frozenset(probes.tolist()), crossings)


class Load:
    """The frames of a plan that begins at `start_us` (UTC): robots and a boot of its own, never seen before."""

    def __init__(self, plan: Plan, start_us: int) -> None:
        self._plan = plan
        self._fleet = Fleet(plan.robots, start_us, 1e6 / plan.rate)
        self.boot_id = self._fleet.boot_id

    def frame(self, number: int) -> Frame:
        """A frame's event time is when it is due, however late it is sent."""
        frame = self._fleet.frame(number)
        if joint := self._plan.crossings.get(number):
            at = 4 * (_FIRST_TEMPERATURE + joint - 1)
            frame.values = frame.values[:at] + struct.pack("<f", HOT_C) + frame.values[at + 4 :]
        return frame
