"""The batteries of the simulated fleet, a step an epoch.

In: the shift, the air, and what faults do to the cells. Out: the battery's signals by robot. What a battery
management system says of health is renewed once a charge, and stays until the next. Called by `fleet.py`.
"""

from dataclasses import dataclass

import numpy as np

from deploy.evaluate.simulated import nature
from deploy.evaluate.simulated.own import Robots
from deploy.evaluate.simulated.work import EPOCH_H, Shift
from schemas.columns import Float32

CELLS, POWER_W, STANDING_W = 15, 450.0, 60.0
SOC_FULL = 0.95


@dataclass(frozen=True, slots=True)
class Ageing:
    """What faults add, by robot: health lost, resistance by a factor, millivolts between cells."""

    health: Float32
    resistance: Float32
    spread_mv: Float32


class Batteries:
    """State of all robots' batteries."""

    def __init__(self, own: Robots, rng: np.random.Generator) -> None:
        robots = len(own.soh)
        self._own, self._rng = own, rng
        self._soc = rng.uniform(0.4, SOC_FULL, robots).astype(np.float32)
        self._cycles = np.zeros(robots, np.float32)
        self._charged = np.zeros(robots, bool)
        self._noise = nature.SOH_NOISE * rng.standard_normal(robots, np.float32)
        self._regained = np.zeros(robots, np.float32)
        self._temperature_c = own.site_c + 4
        self._soh_said = own.soh.copy()
        self._resistance_said = own.resistance_mohm.copy()

    def step(self, shift: Shift, air_c: Float32, load: Float32, ageing: Ageing) -> dict[str, Float32]:
        """`load` is how hard each robot works, 1 as usual."""
        own, robots = self._own, len(self._soc)
        noise = self._rng.standard_normal((3, robots), np.float32)
        work_w = POWER_W * load * (1 + 0.04 * noise[0])
        self._soc += (shift.charge / own.charge_h - shift.work * load / (own.work_h * 1.15)) * EPOCH_H * 0.75
        self._soc = np.clip(self._soc, 0.1, SOC_FULL)
        open_v = CELLS * (3.3 + 0.8 * self._soc)
        drawn_w = shift.work * work_w + (1 - shift.work - shift.charge) * STANDING_W
        current_a = (shift.charge * 1.8 * POWER_W * (self._soc < SOC_FULL) - drawn_w) / open_v
        keep = np.float32(np.exp(-nature.EPOCH_S / nature.BATTERY_TAU_S))
        goal_c = air_c + 3 + nature.BATTERY_RISE_C * (current_a / 10) ** 2 * self._resistance_said / 55
        self._temperature_c = goal_c + keep * (self._temperature_c - goal_c)
        self._renew(shift, ageing)
        empty = 1 - self._soc
        return {
            "battery_soc": self._soc + 0.002 * noise[1],
            "battery_soh": self._soh_said,
            "battery_voltage_v": open_v + current_a * self._resistance_said / 1000 + 0.01 * noise[2],
            "battery_current_a": current_a,
            "battery_temperature_c": self._temperature_c + nature.TEMPERATURE_NOISE_C * noise[1],
            "battery_cell_spread_mv": own.spread_mv + nature.SPREAD_EMPTY_MV * empty
            + ageing.spread_mv * (0.7 + 0.6 * empty) + nature.SPREAD_NOISE_MV * noise[2],
            "battery_resistance_mohm": self._resistance_said,
        }  # fmt: skip

    def _renew(self, shift: Shift, ageing: Ageing) -> None:
        """Batteries whose charge has just begun get new estimates."""
        begun = (shift.charge > 0) & ~self._charged
        self._charged = shift.charge > 0
        rows = np.nonzero(begun)[0]
        if not len(rows):
            return
        self._cycles[rows] += 1
        draws = self._rng.standard_normal((2, len(rows)), np.float32)
        memory = nature.SOH_MEMORY
        self._noise[rows] = memory * self._noise[rows] + nature.SOH_NOISE * np.sqrt(1 - memory**2) * draws[0]
        rested = self._rng.random(len(rows)) < 1 / nature.REGENERATION_CYCLES
        gain = rested * self._rng.exponential(nature.REGENERATION, len(rows))
        self._regained[rows] = nature.REGENERATION_KEPT * self._regained[rows] + gain
        faded = self._own.soh[rows] - self._own.fade_a_cycle[rows] * self._cycles[rows] - ageing.health[rows]
        said = faded * (1 + self._noise[rows]) + self._regained[rows]
        self._soh_said[rows] = np.clip(said, 0, 1.05)
        warmer_c = self._temperature_c[rows] - 25
        ohms = self._own.resistance_mohm[rows] * (1 + 0.8 * (1 - faded)) * ageing.resistance[rows]
        ohms *= (1 + nature.RESISTANCE_BY_C * warmer_c) * (1 + nature.RESISTANCE_NOISE * draws[1])
        self._resistance_said[rows] = ohms
