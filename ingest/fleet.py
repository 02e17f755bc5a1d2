"""Simulated robots: what a fleet's readings are at a time, computed for many robots at once.

In: seed, robot numbers, a time and who is broken how. Out: a robots × slots matrix, modes and counters. Pure and
seeded; called by `ingest/simulate.py`. What is slow (shifts, charge, wear, counters) is a function of the time
since the fleet's first day, so that a restart goes on where it was; only temperatures carry state.
These robots are nobody's: the numbers are plausible, not measured. Their makers (SIMU, SIMV) and their software
(simulator …) say so, and their country (ZZ) is none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ingest.traits import CHARGING, DAY_S, WORKING, Float64, Robot, Shift, draw
from schemas.columns import Float32, Int64

JOINT_TAU_S, BATTERY_TAU_S = 240.0, 400.0
OVERHEAT_C_PER_S, OVERHEAT_TOP_C = 14.0, 115.0  # from 45 °C past the alarm limit of 90 °C in four seconds
WARM_C, HOT_PACK_C = 84.0, 48.0  # warnings, no alarms
WORN_FOR_S = 30 * DAY_S
"""How long a worn joint has been wearing when it is about to fail."""
# Of a worn joint: age of the fault, and its temperature then, whether the robot works or stands, as of a brake that
# drags: past the warn limit of 80 °C three hours before, past the alarm limit of 90 °C some three minutes after.
_WORN_AGE_S = WORN_FOR_S + np.array([-DAY_S, -10_800.0, 0.0, 240.0, 7200.0])
_WORN_C = np.array([52.0, 80.5, 88.9, 90.6, 97.0])
_WORN_WEAR, _WORN_WEAR_A_DAY = 0.76, 0.01  # when it is about to fail; the alarm limit is 0.8


class Fault(StrEnum):
    """How a robot can be broken on demand."""

    OVERHEAT = "overheat"
    BACKLASH = "backlash"
    BATTERY = "battery"
    SILENT = "silent"
    CLOCK = "clock"
    RELEASE = "release"
    WARM = "warm"
    HOT_PACK = "hot_pack"
    WORN = "worn"


Ages = Mapping[Fault, float]
"""The faults of a robot, and for how long each has stood, in s."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What n robots say at one moment. `values` is n × slots of the model's layout, NaN = absent."""

    values: Float32
    mode: Int64
    runtime_s: Int64
    energy_wh: Int64
    cycles: Int64


class Squad:
    """Robots of one model that report at the same moments. `step` must be called with times that never go back."""

    def __init__(self, seed: int, robots: list[Robot]) -> None:
        self.robots = robots
        self.model = robots[0].model
        self.layout = self.model.layout
        self._own, self._parts = draw(seed, robots)
        self._noise = np.random.default_rng([seed, robots[0].number, 1])
        self._joint_c: Float64 | None = None
        self._battery_c: Float64 = np.zeros(len(robots))
        self._last_s = 0.0
        self._broken_joint = np.array([r.number % self.model.joints for r in robots])

    def step(self, time_s: float, faults: Mapping[int, Ages]) -> Readings:
        """Readings at `time_s` since the fleet's first day; `faults` are those of a row."""
        own, parts = self._own, self._parts
        shift = own.shift(time_s)
        hours = shift.runtime_s / 3600.0
        wear = parts.wear(hours)
        noise = self._noise.standard_normal((4, *wear.shape), np.float32)
        working = (shift.mode == WORKING)[:, None]
        swing, load = parts.motion(time_s)
        velocity = working * parts.speed_rad_s * swing
        torque = parts.rated_nm * (
            np.where(working, parts.hold + 0.5 * parts.share * load, 0.5 * parts.hold) + 0.02 * noise[0]
        )
        ambient_c = own.ambient_c(time_s)
        self._warm(time_s, shift.mode, ambient_c, faults)
        assert self._joint_c is not None
        columns = {
            "joint_velocity_rad_s": velocity,
            "joint_torque_nm": torque,
            "joint_current_a": torque / parts.torque_constant + 0.02 * noise[1],
            "joint_temperature_c": self._joint_c + 0.05 * noise[1],
            "joint_tracking_error_rad": 0.0005 * (1 + wear) * (1 + np.abs(velocity)) * noise[2],
            "joint_backlash_arcmin": parts.backlash_arcmin * (1 + 1.5 * wear) * (1 + 0.02 * noise[3]),
            "joint_vibration_mm_s": 0.2 + (0.8 + wear) * np.abs(velocity) * (1 + 0.05 * noise[3]),
            "joint_wear": wear,
            **own.accuracy(time_s, self._last_s, shift.mode, wear.mean(axis=1), noise[0, :, 0]),
            **self._battery(shift, hours, noise[1, :, 0]),
            "ambient_temperature_c": ambient_c,
        }
        self._last_s = time_s
        values = np.empty((len(self.robots), len(self.layout.slots)), np.float32)
        for name, (first, end) in self.layout.spans.items():
            values[:, first:end] = columns[name].reshape(len(self.robots), -1)
        for row, ages in faults.items():
            self._break(values[row], row, ages)
        energy = hours * own.power_w(self.model)
        return Readings(values, shift.mode, _whole(shift.runtime_s), _whole(energy), _whole(shift.cycles))

    def _warm(self, time_s: float, mode: Int64, ambient_c: Float64, faults: Mapping[int, Ages]) -> None:
        """Joints and battery follow load and ambient with a lag; the first step finds them settled."""
        working, charging = (mode == WORKING), (mode == CHARGING)
        joint_goal = ambient_c[:, None] + 7 + working[:, None] * 32 * self._parts.share
        battery_goal = ambient_c + 4 + 6 * working + 8 * charging
        if self._joint_c is None:
            self._joint_c, self._battery_c, self._last_s = joint_goal, battery_goal, time_s
        passed_s = time_s - self._last_s
        self._joint_c = self._joint_c + (joint_goal - self._joint_c) * -np.expm1(-passed_s / JOINT_TAU_S)
        self._battery_c = self._battery_c + (battery_goal - self._battery_c) * -np.expm1(-passed_s / BATTERY_TAU_S)
        for row, ages in faults.items():
            place = row, self._broken_joint[row]
            if Fault.WARM in ages:
                self._joint_c[place] = WARM_C
            if Fault.WORN in ages:
                self._joint_c[place] = np.interp(ages[Fault.WORN], _WORN_AGE_S, _WORN_C)
            if Fault.OVERHEAT in ages:
                self._joint_c[place] = min(self._joint_c[place] + OVERHEAT_C_PER_S * passed_s, OVERHEAT_TOP_C)

    def _battery(self, shift: Shift, hours: Float64, noise: Float32) -> dict[str, Float64]:
        own, cells = self._own, self.model.cells
        soh = own.soh(hours)
        resistance_mohm = own.resistance_mohm * (1 + 0.8 * (1 - soh))
        power_w = own.power_w(self.model) * np.choose(shift.mode, [-0.15, -1.0, 1.6, 0.0, -1.0]) * (1 + 0.1 * noise)
        open_v = cells * (3.3 + 0.8 * shift.soc)
        current_a = power_w / open_v
        voltage_v = open_v + current_a * resistance_mohm / 1000
        spread_mv = own.spread_mv + 6 * (1 - shift.soc) + 0.3 * noise
        return {
            "battery_soc": shift.soc,
            "battery_soh": soh,
            "battery_voltage_v": voltage_v,
            "battery_current_a": current_a,
            "battery_temperature_c": self._battery_c,
            "battery_cell_spread_mv": spread_mv,
            "battery_resistance_mohm": resistance_mohm,
            "battery_cell_min_v": voltage_v / cells - spread_mv / 2000,
            "battery_cell_max_v": voltage_v / cells + spread_mv / 2000,
        }

    def _break(self, values: Float32, row: int, ages: Ages) -> None:
        """Change one robot's readings in place. Heat is in the state; silence and clock are the sender's."""
        spans, joint = self.layout.spans, self._broken_joint[row]
        if Fault.WORN in ages:
            days = (ages[Fault.WORN] - WORN_FOR_S) / DAY_S
            values[spans["joint_wear"][0] + joint] = min(_WORN_WEAR + _WORN_WEAR_A_DAY * days, 1.0)
        if Fault.BACKLASH in ages or Fault.RELEASE in ages:
            for name, factor in (
                ("joint_backlash_arcmin", 12.0), ("joint_tracking_error_rad", 4.0), ("joint_vibration_mm_s", 3.0),
            ):  # fmt: skip
                values[spans[name][0] + joint] *= factor
        if Fault.HOT_PACK in ages:
            values[spans["battery_temperature_c"][0]] = HOT_PACK_C
        if Fault.BATTERY in ages or Fault.RELEASE in ages:
            values[spans["battery_soh"][0]] = 0.74
            values[spans["battery_cell_spread_mv"][0]] += 150
            values[spans["battery_resistance_mohm"][0]] *= 1.8
            values[spans["battery_cell_min_v"][0]] -= 0.075
            values[spans["battery_cell_max_v"][0]] += 0.075


def _whole(amounts: Float64) -> Int64:
    return np.floor(amounts).astype(np.int64)
