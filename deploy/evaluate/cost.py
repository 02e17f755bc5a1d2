"""What judging costs: robots' windows a second through the assessor's pure core, on one core.

In: robots of a shard, joints, how many epochs. Out: figures. Called by `deploy/commands/evaluate.py`. Measured is
`assessor.on_window` from the decoded message to what is to be sent, with every detector: limits, health and clocks
each window, the slow detectors and trends once in the sixty windows of an epoch. The robots are healthy, and still
in their commissioning, which is the dearest time. It is CPU time, so that what else runs does not count.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deploy.evaluate.simulated.effects import healthy
from deploy.evaluate.simulated.fleet import Fleet
from processors import assessor
from processors.detectors.tracks import Track
from processors.episodes import Record
from processors.shard import empty_shard
from schemas.columns import Float32
from schemas.layout import Layout
from schemas.limits import Limits
from schemas.robot_code import make_code
from schemas.signals import SIGNAL_ORDER, STATISTICS
from schemas.vitals import FINAL, VITALS_VERSION, Vitals, pack_statistics

GOAL = 50_000
WINDOW_US = 10_000_000
WINDOWS_AN_EPOCH = 60
BEGIN_US = 1_800_000_000_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    """`windows_per_s`: robots' windows in a second of the whole pure core. `fast_share`: of its time, what windows
    take that end no epoch."""

    robots: int
    joints: int
    windows_per_s: float
    fast_share: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"goal": GOAL}


def measure(robots: int = 400, joints: int = 29, epochs: int = 8) -> Cost:
    """Whole epochs, after one that is not counted."""
    shard, taken_s = empty_shard(), []
    limits, nothing = Limits(), Record()
    for vitals in _windows(robots, joints, (epochs + 1) * WINDOWS_AN_EPOCH):
        begun_s = time.process_time()
        shard = assessor.on_window(shard, vitals, limits, lambda code: nothing).shard or shard
        taken_s.append(time.process_time() - begun_s)
    counted = np.array(taken_s[WINDOWS_AN_EPOCH:]).reshape(epochs, WINDOWS_AN_EPOCH)
    # The middle window is one that ends no epoch; the middle epoch has the one that does.
    epoch_s = float(np.median(counted.sum(axis=1)))
    fast_s = float(np.median(counted)) * WINDOWS_AN_EPOCH
    return Cost(robots, joints, robots * WINDOWS_AN_EPOCH / epoch_s, min(1.0, fast_s / epoch_s))


def _windows(robots: int, joints: int, count: int) -> Iterator[Vitals]:
    """Final windows of one shard. Values change with each epoch."""
    fleet, nothing = Fleet(robots, joints, seed=1), healthy(robots, joints)
    signals = sorted({track.signal for track in fleet.lines.tracks}, key=SIGNAL_ORDER.__getitem__)
    layout = Layout(joints, tuple(signals))
    places = [fleet.lines.at[Track(slot.signal.name, slot.joint)] for slot in layout.slots]
    codes = "".join(sorted(make_code("ZZ", "SIMU", "HUMA29", f"{number:08d}") for number in range(robots)))
    values = fleet.step(nothing)[:, places]
    for number in range(count):
        if number % WINDOWS_AN_EPOCH == 0:
            values = fleet.step(nothing)[:, places]
        yield _window(layout, codes, values, BEGIN_US + number * WINDOW_US)


def _window(layout: Layout, codes: str, values: Float32, start_us: int) -> Vitals:
    size = len(values)

    def all_the(value: int, kind: str) -> bytes:
        return np.full(size, value, kind).tobytes()

    last_us = all_the(start_us + WINDOW_US - 1, "<i8")
    return Vitals(
        v=VITALS_VERSION, shard=0, layout=layout.text, kind=FINAL, start_us=start_us, length_us=WINDOW_US,
        robot_id=codes.encode(), frames=all_the(10, "<i4"), first_seq=all_the(0, "<i8"),
        last_seq=all_the(9, "<i8"), boot_id=all_the(1, "<i8"), missing=all_the(0, "<i4"), last_time_us=last_us,
        received_us=last_us, fault_frames=all_the(0, "<i4"), backfill_frames=all_the(0, "<i4"),
        mode=all_the(1, "<i2"), runtime_s=all_the(-1, "<i8"), energy_wh=all_the(-1, "<i8"),
        cycles=all_the(-1, "<i8"), software=["1.0"] * size, scenario=[""] * size,
        statistics=pack_statistics(layout, dict.fromkeys(STATISTICS, values)),
    )  # fmt: skip
