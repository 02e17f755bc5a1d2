"""When simulated robots work, charge, stand or are switched off, and what their halls' air is like.

In: the robots' own, and the time since Monday midnight, 1 March. Out: shares of an epoch, and °C, by robot. Called
by `fleet.py`.
"""

from dataclasses import dataclass

import numpy as np

from deploy.evaluate.simulated import nature
from deploy.evaluate.simulated.own import Robots
from schemas.columns import Float32

HOURS_A_SHIFT = 8.0
SPRING_DAY, YEAR_DAYS = 59, 365.0  # the first day is 1 March; the coldest is 20 January
EPOCH_H = nature.EPOCH_S / 3600


@dataclass(frozen=True, slots=True)
class Shift:
    """Shares of an epoch, 0 to 1, by robot. What is neither work nor charging is standing, if the power is `on`."""

    work: Float32
    charge: Float32
    on: Float32


def shift(own: Robots, epoch: int) -> Shift:
    """Work for some hours, charge, and again, while the shifts last; then charge and stand, or be switched off."""
    hours = epoch * EPOCH_H
    into_h = np.remainder(hours - own.shift_start_h, 24)
    day = np.floor((hours - own.shift_start_h) / 24)
    free = (own.free_weekend == 1) & (np.remainder(day, 7) >= 5)
    length_h = np.where(free, 0, own.shifts * HOURS_A_SHIFT)
    within = _covered(into_h, np.zeros_like(length_h), length_h)
    round_h = np.remainder(into_h, own.work_h + own.charge_h)
    work = np.minimum(within, _covered(round_h, np.zeros_like(round_h), own.work_h))
    after = _covered(into_h, length_h, length_h + own.charge_h) * ~free
    charge = np.minimum(1 - work, np.maximum(within - work, after))
    off = (own.switched_off == 1) & (work + charge == 0)
    return Shift(work.astype(np.float32), charge.astype(np.float32), (~off).astype(np.float32))


def _covered(at_h: Float32, begin_h: Float32, end_h: Float32) -> Float32:
    """The share of the epoch from `at_h` on that lies between the two."""
    covered = np.minimum(at_h + EPOCH_H, end_h) - np.maximum(at_h, begin_h)
    return np.asarray(np.clip(covered / EPOCH_H, 0, 1), np.float32)


class Air:
    """The halls' temperature: season, day, and weather that stays for days. A step an epoch."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._weather = nature.WEATHER_C * rng.standard_normal(nature.SITES, np.float32)

    def step(self, own: Robots, epoch: int, wave_c: float) -> Float32:
        """°C around each robot; `wave_c` comes on top everywhere."""
        keep = np.float32(np.exp(-1 / (nature.WEATHER_DAYS * nature.EPOCHS_A_DAY)))
        push = nature.WEATHER_C * np.sqrt(1 - keep**2) * self._rng.standard_normal(nature.SITES, np.float32)
        self._weather = keep * self._weather + push.astype(np.float32)
        days = epoch / nature.EPOCHS_A_DAY
        season = -nature.SEASON_C * np.cos(2 * np.pi * (SPRING_DAY - 20 + days) / YEAR_DAYS)
        day = -nature.DAY_C * np.cos(2 * np.pi * (days - 3 / 24))
        air = own.site_c + own.place_c + self._weather[own.site] + np.float32(season + day + wave_c)
        return np.asarray(air, np.float32)
