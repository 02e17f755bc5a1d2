"""Every parameter of the slow detectors, once, with its reason. All are ours.

Read by `processors/detectors/watch.py` and the detectors. The unit of time is the epoch: 10 minutes of a robot, or
one row of a series that is evaluated. Thresholds are in units of what the commissioning time showed, so that they
mean the same for every signal. A limits file may say otherwise for a model.
"""

from functools import lru_cache

import msgspec

from schemas.errors import SettingError
from schemas.limits import Limits

SHORTEST = 20  # epochs; of fewer no scatter is known


class Tuning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The defaults are what the assessor runs with, and `robovitals evaluate`."""

    # A week of a robot that works round the clock: every load and every hour of the day was seen a few times.
    # The first half of it teaches the baseline alone, the second half how far the statistics stray in health.
    commissioning: int = 1008
    # Of a joint that works one shift on five days fewer epochs count: so many at least.
    least_values: int = 300

    # After commissioning the baseline stays as it is, since wear is what leaves it slowly. A series of which nobody
    # said that it begins healthy has a rolling one instead: the epochs it remembers; 0 = it stays.
    memory: int = 0

    # Means over so many epochs: short enough to see a change within two hours, long enough for half a day's load.
    fast: int = 8
    slow: int = 72
    # The logarithm of a mean square over 24 epochs has a standard deviation near 0.3: so four times the variance is
    # told.
    scatter: int = 24

    # CUSUM of the residual over its long-run scatter: slack and threshold. By Siegmund's approximation
    # ARL = (exp(2k(h + 1.166)) - 2k(h + 1.166) - 1) / 2k² a side: 2e7 epochs, two false alarms of 145 tracks and
    # two sides in 1 000 robot-days, if residuals were independent and normal.
    drift_slack: float = 0.5
    drift_threshold: float = 15.0
    # What is material is so many times the slack: less than three quarters of it is never summed up.
    drift_material: float = 1.5

    # A sudden change, in standard deviations of the same statistic in health.
    step_threshold: float = 7.0
    # ... and at least so many times what is material.
    step_material: float = 1.6
    # A single reading that jumps is told from so many times what is material on.
    spike_material: float = 10.0
    # Scatter, in standard deviations of its logarithm.
    scatter_threshold: float = 4.5
    # ... where the differences from epoch to epoch are at least so many times what is material.
    scatter_material: float = 0.5

    # One reading against the one before it, in standard deviations of such differences.
    spike_threshold: float = 7.5
    # A value that stays exactly the same, or is absent, for so many epochs more than it ever was in health.
    stuck_epochs: int = 12
    # ... of a known signal so many times as long, and that many more: its robot rests longer on another weekend.
    stuck_times: int = 3
    missing_epochs: int = 12

    # The distance of all signals of a component together, in standard deviations of its logarithm. That has a short
    # right tail: of a chi-square with 5 degrees of freedom 4 deviations up are exceeded with 5e-13.
    pattern_threshold: float = 4.0
    # ... where the signals' lasting changes together are at least so many times what is material for one.
    pattern_material: float = 1.2
    # The mean lasting change over all joints of a robot, in what is material for one: a release that drives all of
    # them harder moves none far. In health such means stay below 0.15.
    pattern_whole: float = 0.3

    # A joint against the same joint of its model's other robots, in robust standard deviations (1.4826 MAD). Joints
    # differ by nature, so this is only for what is far out; and fewer peers do not tell how they differ.
    peer_threshold: float = 5.0
    peers: int = 24
    # ... and at least so many times what is material.
    peer_material: float = 3.0

    # No threshold lies nearer than this share above the most that the commissioning time showed.
    guard: float = 1.3
    # A flag ends below this share of its threshold.
    release: float = 0.7

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if not getattr(self, name) > 0 and name != "memory":
                raise ValueError(f"{name} must be more than 0")
        if self.release > 1 or self.guard < 1 or self.memory < 0 or self.commissioning < SHORTEST:
            raise ValueError(f"release is at most 1, guard at least 1, memory at least 0, commissioning {SHORTEST}")


@lru_cache(maxsize=1024)
def tuning_of(limits: Limits, model: str) -> Tuning:
    """The parameters of a model's robots: these, and what its limits file says instead. Raises SettingError."""
    try:
        return msgspec.convert(dict(limits.detectors(model)), Tuning)
    except msgspec.ValidationError as error:
        raise SettingError(f"[{model}.detectors]: {error}") from None


def rolling() -> Tuning:
    """For a series that may begin sick: judged after 400 epochs, by what it did in about the last 3 000."""
    return Tuning(commissioning=400, memory=3000)


def commissioned(epochs: int) -> Tuning:
    """For a series whose first `epochs` are known to be healthy. Nobody can say what is material for it, so what is
    usual goes on being learned, slowly: on the recordings' series with faults put in, that took four of five false
    flags away for a twentieth of the true ones.
    """
    return Tuning(commissioning=epochs, memory=20_000)
