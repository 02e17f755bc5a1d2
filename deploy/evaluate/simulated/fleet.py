"""A simulated fleet of one model, ten minutes a step: what its robots send, robots × series.

In: how many robots and joints, a seed, and the effects of faults. Out: float32 values in the order of
`tracks.Lines`, NaN where nothing came. Called by `run.py`. Seeded: the same seed, the same values. Nothing here
knows a detector; every number is in `nature.py`.
"""

import numpy as np

from deploy.evaluate.simulated import nature, work
from deploy.evaluate.simulated.battery import Batteries
from deploy.evaluate.simulated.effects import Effects
from deploy.evaluate.simulated.joints import Joints
from deploy.evaluate.simulated.own import draw_robots
from deploy.evaluate.simulated.tracks import ACCURACY_SIGNALS, JOINT_SIGNALS, Lines
from schemas.columns import Float32

ACCURACY_SHARE = (1.0, 0.2, 1.6)  # of pose accuracy: itself, repeatability, path accuracy


class Fleet:
    """`step` goes one epoch on."""

    def __init__(self, robots: int, joints: int, seed: int, squad: int = 0) -> None:
        """Squads of one seed are of the same model, each with robots of its own."""
        self._rng = np.random.default_rng([seed, squad])
        self.lines = Lines(joints)
        self.robots = robots
        self.own = draw_robots(self._rng, robots)
        self.joints = Joints(self.own, robots, joints, self._rng, seed)
        self._air = work.Air(np.random.default_rng([seed, 1, 1]))
        self._batteries = Batteries(self.own, self._rng)
        self._held: dict[tuple[int, int], np.float32] = {}
        self._epoch = 0

    def step(self, effects: Effects) -> Float32:
        """The values of the next epoch."""
        shift = work.shift(self.own, self._epoch)
        air_c = self._air.step(self.own, self._epoch, effects.wave_c)
        self._epoch += 1
        values = np.empty((self.robots, len(self.lines.tracks)), np.float32)
        joints = self.joints.step(shift, air_c, effects)
        for name in JOINT_SIGNALS:
            values[:, self.lines.joint_signal(name)] = joints[name]
        for name, of_robots in self._others(shift, air_c, effects).items():
            values[:, self.lines.other(name)] = of_robots
        for row, track in effects.stuck:
            self._hold(values, row, self.lines.at[track])
        gone = (shift.on == 0) | (self._rng.random(self.robots) < nature.OFFLINE_SHARE)
        values[gone] = np.nan
        return values

    def _others(self, shift: work.Shift, air_c: Float32, effects: Effects) -> dict[str, Float32]:
        noise = self._rng.standard_normal((4, self.robots), np.float32)
        told = self._batteries.step(shift, air_c, self.joints.load, effects.ageing)
        play = (effects.backlash_arcmin + self.joints.parts.backlash_arcmin).mean(axis=1)
        pose_mm = self.own.accuracy_mm * (0.7 + 0.3 * play) * (1 + 0.01 * (air_c - 22))
        measured = np.where(shift.work > 0, pose_mm, np.nan)
        for at, (name, share) in enumerate(zip(ACCURACY_SIGNALS, ACCURACY_SHARE, strict=True)):
            told[name] = measured * share * (1 + nature.ACCURACY_NOISE * noise[at])
        told["ambient_temperature_c"] = air_c + nature.AMBIENT_NOISE_C * noise[3]
        return told

    def _hold(self, values: Float32, row: int, place: int) -> None:
        """A stuck sensor says for ever what it said first."""
        values[row, place] = self._held.setdefault((row, place), values[row, place])
