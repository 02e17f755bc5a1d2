"""Epochs for tests of slow detectors: a robot's life, one window or several an epoch."""

from collections.abc import Iterator

import msgspec
import numpy as np

from processors.detectors.tuning import Tuning
from processors.epochs import EPOCH_US
from schemas.anomaly import Anomaly, Transition
from schemas.vitals import Vitals
from support.assess import START_US, Readings, robot, window
from support.assessing import Assessed

ONE = robot(1)
COMMISSIONING = Tuning().commissioning
BEGIN_US = START_US // EPOCH_US * EPOCH_US
DAY = 144


def epoch(robots: dict[str, Readings], number: int, kind: int = 0, parts: int = 1, part: int = 0) -> Vitals:
    """The n-th epoch's only window, or one of several."""
    start_us = BEGIN_US + number * EPOCH_US + part * EPOCH_US // parts
    times = np.full(len(robots), start_us + 1, np.int64).tobytes()
    vitals = window(robots, 0, kind=kind)
    return msgspec.structs.replace(
        vitals, start_us=start_us, length_us=EPOCH_US // parts, last_time_us=times, received_us=times
    )


def readings(rng: np.random.Generator, more_current: float = 0.0, wear: float = 0.1) -> Readings:
    speed = 1 + 0.1 * rng.normal()
    torque = 10 * speed + 0.3 * rng.normal()
    return {
        "joint_velocity_rad_s": [speed],
        "joint_torque_nm": [torque],
        "joint_current_a": [0.5 * torque + 0.05 * rng.normal() + more_current],
        "joint_wear": [wear],
    }


def life(epochs: int, rng: np.random.Generator, **faults: float) -> Iterator[Vitals]:
    for number in range(epochs):
        yield epoch({ONE: readings(rng)}, number)


def past_commissioning() -> Assessed:
    """A robot whose first week is over."""
    return Assessed().take(*life(COMMISSIONING + 1, np.random.default_rng(1)))


def copy_of(assessed: Assessed) -> Assessed:
    return Assessed(shard=assessed.shard, slow=dict(assessed.slow), records=dict(assessed.records))


def slowly(anomalies: list[Anomaly]) -> list[tuple[str, str, str, Transition]]:
    return [(a.rule, a.component, a.signal, a.transition) for a in anomalies]
