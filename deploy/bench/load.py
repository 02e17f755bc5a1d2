"""The load of a benchmark: frames as a humanoid sends them, when each is sent, and which of them are watched.

In: a rate and how long. Out: a plan, made before anything is sent, and its frames by number. Pure; called by
`deploy/bench/latency.py`.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np

from schemas.frame import FRAME_VERSION, Frame
from schemas.layout import Layout
from schemas.robot_code import RobotCode, make_code
from schemas.signals import MODES

ROBOTS = 200
JOINTS = 29
PROBES_PER_S = 40
CROSSINGS_PER_S = 10
HOT_C = 95.0  # beyond the signal table's alarm limit of 90 °C; all other readings are far inside theirs

# 29 × 4 + 6 + 10 = 132 readings, each between these two, in the order of the signal table.
BETWEEN = {
    "joint_position_rad": (-1.5, 1.5),
    "joint_velocity_rad_s": (-3.0, 3.0),
    "joint_torque_nm": (-40.0, 40.0),
    "joint_temperature_c": (35.0, 60.0),
    "pose_accuracy_mm": (0.3, 0.4),
    "pose_repeatability_mm": (0.05, 0.1),
    "path_accuracy_mm": (0.5, 0.6),
    "path_repeatability_mm": (0.1, 0.2),
    "position_overshoot_mm": (0.1, 0.2),
    "accuracy_samples": (30.0, 30.0),
    "battery_soc": (0.5, 0.9),
    "battery_soh": (0.95, 0.97),
    "battery_voltage_v": (46.0, 50.0),
    "battery_current_a": (-12.0, -4.0),
    "battery_temperature_c": (28.0, 34.0),
    "battery_cell_spread_mv": (8.0, 20.0),
    "battery_resistance_mohm": (40.0, 60.0),
    "battery_capacity_ah": (18.0, 20.0),
    "battery_cell_min_v": (3.6, 3.7),
    "battery_cell_max_v": (3.7, 3.8),
}
LAYOUT = Layout(JOINTS, tuple(BETWEEN))
READINGS = len(LAYOUT.slots)

_FIRST_TEMPERATURE = LAYOUT.spans["joint_temperature_c"][0]
_WORKING = MODES.index("working")
_VARIETY = 2_000  # so many different frames, by turns: made before, or making them would be what is measured


@dataclass(frozen=True, slots=True)
class Plan:
    """Frame i is due i / rate seconds after the start and comes from robot i % ROBOTS, as its frame i // ROBOTS.

    `probes` are the frames whose rows are looked for; `crossings` those with a joint beyond its limit, and which.
    Both are drawn from the frames after the lead-in.
    """

    rate: float
    frames: int
    probes: frozenset[int]
    crossings: dict[int, int]

    def due_s(self, frame: int) -> float:
        """Seconds after the start."""
        return frame / self.rate


def make_plan(rate: float, lead_in_s: float, seconds: float) -> Plan:
    """The measured time must hold two frames of each robot."""
    draw = np.random.default_rng(1)
    first, frames = round(rate * lead_in_s), round(rate * (lead_in_s + seconds))
    probes = draw.choice(
        np.arange(first, frames), min(frames - first, round(PROBES_PER_S * seconds)), replace=False
    )
    # Moments are random, or they might keep step with a batch or a poll. No joint crosses twice: what comes back
    # within a minute continues its episode, and is not told as a new one.
    rounds = np.arange(math.ceil(first / ROBOTS), frames // ROBOTS)
    each = min(max(1, round(CROSSINGS_PER_S * seconds / ROBOTS)), JOINTS, len(rounds))
    crossings = {
        turn * ROBOTS + robot: joint
        for robot in range(ROBOTS)
        for joint, turn in enumerate(draw.choice(rounds, each, replace=False).tolist(), start=1)
    }
    return Plan(rate, frames, frozenset(probes.tolist()), crossings)


class Load:
    """The frames of a plan that begins at `start_us` (UTC): robots and a boot of its own, never seen before."""

    def __init__(self, plan: Plan, start_us: int) -> None:
        self._plan = plan
        self._start_us = start_us
        self.boot_id = start_us
        self._codes = [_code(start_us, number) for number in range(1, ROBOTS + 1)]
        self._values = _values()

    def frame(self, number: int) -> Frame:
        """A frame's event time is when it is due, however late it is sent."""
        turn, robot = divmod(number, ROBOTS)
        values = self._values[number % _VARIETY]
        if joint := self._plan.crossings.get(number):
            at = 4 * (_FIRST_TEMPERATURE + joint - 1)
            values = values[:at] + struct.pack("<f", HOT_C) + values[at + 4 :]
        since_us = round(1e6 * self._plan.due_s(number))
        return Frame(
            v=FRAME_VERSION,
            robot_id=self._codes[robot],
            boot_id=self.boot_id,
            seq=turn,
            time_us=self._start_us + since_us,
            mono_us=since_us,
            runtime_s=since_us // 1_000_000,
            energy_wh=0,
            cycles=0,
            mode=_WORKING,
            scenario="bench",
            software="bench",
            flags=0,
            layout=LAYOUT.text,
            values=values,
        )


def _code(start_us: int, number: int) -> RobotCode:
    return make_code("ZZ", "BNCH", "HUMA29", f"{start_us // 1_000_000:010d}{number:06d}")


def _values() -> list[bytes]:
    low, high = np.array([BETWEEN[slot.signal.name] for slot in LAYOUT.slots]).T
    rows = np.random.default_rng(2).uniform(low, high, (_VARIETY, READINGS)).astype("<f4")
    return [row.tobytes() for row in rows]
