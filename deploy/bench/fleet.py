"""Frames as a humanoid sends them, of a fleet of any size, by number.

In: how many robots, when they begin, how far apart their frames are. Out: the frames. Pure; called by every
benchmark, through `load.py` by `latency.py`.
"""

from dataclasses import dataclass, field

import numpy as np

from schemas.frame import FRAME_VERSION, Frame
from schemas.layout import Layout
from schemas.robot_code import RobotCode, make_code
from schemas.signals import MODES

JOINTS = 29

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

_WORKING = MODES.index("working")
_VARIETY = 20_000  # so many different frames, by turns: made before, or making them would be what is measured


@dataclass(frozen=True, slots=True)
class Fleet:
    """Frame i has its event time `i * apart_us` after `start_us` (UTC) and comes from robot i % robots, as frame
    i // robots of it. Robots and boot follow from `start_us`.
    """

    robots: int
    start_us: int
    apart_us: float
    _codes: list[RobotCode] = field(init=False)
    _values: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        codes = [_code(self.start_us, number) for number in range(1, self.robots + 1)]
        object.__setattr__(self, "_codes", codes)
        object.__setattr__(self, "_values", _values())

    @property
    def boot_id(self) -> int:
        return self.start_us

    def frame(self, number: int) -> Frame:
        turn, robot = divmod(number, self.robots)
        since_us = round(self.apart_us * number)
        return Frame(
            v=FRAME_VERSION,
            robot_id=self._codes[robot],
            boot_id=self.start_us,
            seq=turn,
            time_us=self.start_us + since_us,
            mono_us=since_us,
            runtime_s=since_us // 1_000_000,
            energy_wh=0,
            cycles=0,
            mode=_WORKING,
            scenario="bench",
            software="bench",
            flags=0,
            layout=LAYOUT.text,
            values=self._values[number % _VARIETY],
        )


def _code(start_us: int, number: int) -> RobotCode:
    return make_code("ZZ", "BNCH", "HUMA29", f"{start_us // 1_000_000:010d}{number:06d}")


def _values() -> list[bytes]:
    low, high = np.array([BETWEEN[slot.signal.name] for slot in LAYOUT.slots]).T
    rows = np.random.default_rng(2).uniform(low, high, (_VARIETY, READINGS)).astype("<f4")
    return [row.tobytes() for row in rows]
