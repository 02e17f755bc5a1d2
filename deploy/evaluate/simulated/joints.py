"""The joints of the simulated fleet, a step an epoch: what the work does to each, and what its sensors say.

In: the parts, the shift, the air and the effects of faults. Out: the joints' signals, robots × joints. Called by
`fleet.py`. As in the assessor, a value is the mean over the windows of an epoch. Torque is what humanoids send: an
estimate from the current, less the friction that the maker knows. So new friction shows in both.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy.evaluate.simulated import nature
from deploy.evaluate.simulated.effects import Effects
from deploy.evaluate.simulated.own import Parts, Robots, draw_parts
from deploy.evaluate.simulated.work import EPOCH_H, Shift
from schemas.columns import Float32

FRICTION_HEAT = 0.3  # of a joint's heat as usual comes from friction, the rest from its current [assumed]
READINGS = 600  # of an epoch, at 1 Hz


@dataclass(slots=True)
class Program:
    """What each robot is doing these days: factors on speed and load, robots × joints."""

    speed: Float32
    load: Float32


class Joints:
    """State of all robots' joints."""

    def __init__(self, own: Robots, robots: int, joints: int, rng: np.random.Generator, model_seed: int) -> None:
        self.parts: Parts = draw_parts(rng, np.random.default_rng(model_seed), robots, joints)
        # What may be swapped in has its own differences, of the same model.
        self.spares: Parts = draw_parts(rng, np.random.default_rng(model_seed), robots, joints)
        self._own, self._rng, self._size = own, rng, (robots, joints)
        self._known_friction_nm = self.parts.friction_nm.mean(axis=0, keepdims=True)
        self._program = Program(np.ones(self._size, np.float32), np.ones(self._size, np.float32))
        self._change(np.arange(robots))
        self._wander = nature.WANDER * rng.standard_normal((3, *self._size), np.float32)
        self._temperature_c = np.broadcast_to(own.site_c[:, None] + 5, self._size).astype(np.float32)

    @property
    def load(self) -> Float32:
        """How hard each robot works, 1 as usual."""
        return np.asarray(self._program.load.mean(axis=1))

    def step(self, shift: Shift, air_c: Float32, effects: Effects) -> dict[str, Float32]:
        """All of the joints' signals."""
        parts, program, rng = self.parts, self._program, self._rng
        self._change(np.nonzero(rng.random(self._size[0]) < 1 / (nature.PROGRAM_DAYS * nature.EPOCHS_A_DAY))[0])
        self._walk()
        noise = self._tailed(rng.standard_normal((5, *self._size), np.float32))
        stopped = np.minimum(1, rng.exponential(nature.STOPPED_SHARE, self._size[0])).astype(np.float32)
        work = (shift.work * (1 - stopped))[:, None]
        standing = 1 - work
        pace = program.speed * np.exp(0.5 * parts.noise * noise[0])
        load_nm = parts.load_nm * program.load * np.exp(parts.noise * noise[1] + self._wander[0])
        colder = 1 + nature.FRICTION_BY_C * (np.clip(self._temperature_c, 0, 80) - 40)
        friction = np.maximum(0.3, colder) * (0.7 + 0.3 * pace) * (1 + effects.friction)
        drive_nm = (load_nm + parts.friction_nm * friction) * effects.drive * effects.torque
        held_nm = nature.HOLD_SHARE * parts.load_nm * effects.drive
        drive_a, held_a = drive_nm / parts.motor_nm_a, held_nm / parts.motor_nm_a
        current_a = (work * drive_a + standing * held_a) * (1 + nature.SENSOR_NOISE * noise[2])
        usual_a = (parts.load_nm + parts.friction_nm) / parts.motor_nm_a
        loss = (work * drive_a**2 + standing * held_a**2) / usual_a**2
        heat = (1 - FRICTION_HEAT) * loss + FRICTION_HEAT * friction * work * pace
        shown_c = self._warm(air_c[:, None] + self._own.powered_c * shift.on[:, None], heat, effects)
        shaking = (0.1 + work * pace * (0.7 + 0.3 * program.load)) * np.exp(
            parts.noise * noise[3] + self._wander[1]
        )
        backlash = parts.backlash_arcmin + effects.backlash_arcmin
        lag = (0.1 + work * (0.3 + 0.7 * pace * program.load)) * (1 + 0.3 * (backlash / parts.backlash_arcmin - 1))
        lag *= np.exp(nature.TRACKING_NOISE * noise[4] + self._wander[2])
        parts.wear += shift.work[:, None] * EPOCH_H / parts.life_h * program.load
        estimated_nm = current_a * parts.motor_nm_a - work * self._known_friction_nm * (0.7 + 0.3 * pace)
        return {
            "joint_velocity_rad_s": parts.speed_rad_s * work * pace,
            "joint_torque_nm": np.maximum(estimated_nm, 0) * (1 + nature.SENSOR_NOISE * noise[2, :, ::-1]),
            "joint_current_a": current_a,
            "joint_temperature_c": shown_c,
            "joint_tracking_error_rad": parts.tracking_rad * lag * effects.tracking,
            "joint_vibration_mm_s": parts.vibration_mm_s * shaking * effects.vibration,
            "joint_backlash_arcmin": backlash * (1 + nature.BACKLASH_NOISE * noise[3, :, ::-1]),
            "joint_wear": parts.wear,
        }  # fmt: skip

    def _warm(self, around_c: Float32, heat: Float32, effects: Effects) -> Float32:
        """Follow the heat with the joint's lag. Returns what the sensor's mean over the epoch is."""
        keep, before_c = self.parts.keep, self._temperature_c
        goal_c = around_c + self.parts.rise_c * heat * effects.cooling
        after_c = goal_c + (before_c - goal_c) * keep
        self._temperature_c = after_c
        mean_c = goal_c + (before_c - goal_c) * (1 - keep) / -np.log(keep)
        noise = self._rng.standard_normal(self._size, np.float32)
        shown_c: Float32 = mean_c + nature.TEMPERATURE_NOISE_C * noise
        junk = self._rng.random(self._size, np.float32) < nature.JUNK_SHARE * READINGS
        shown_c += junk * np.float32(nature.JUNK_C / READINGS)
        width_c = np.maximum(np.abs(after_c - before_c), 4 * nature.TEMPERATURE_NOISE_C)
        return rounded_mean(shown_c, width_c.astype(np.float32), self._own.resolution_c)

    def _change(self, rows: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        """These robots get another program."""
        draws = self._rng.standard_normal((2, len(rows), self._size[1]), np.float32)
        self._program.speed[rows] = np.exp(nature.SPEED_SPREAD * draws[0])
        self._program.load[rows] = np.exp(nature.LOAD_SPREAD * draws[1])

    def _walk(self) -> None:
        """Levels wander, and are drawn back to where they were."""
        keep = np.float32(np.exp(-1 / (nature.WANDER_DAYS * nature.EPOCHS_A_DAY)))
        self._wander *= keep
        push = np.float32(nature.WANDER * np.sqrt(1 - keep**2))
        self._wander += push * self._rng.standard_normal(self._wander.shape, np.float32)

    def _tailed(self, normal: Float32) -> Float32:
        """Student's t: an unruly epoch is one for all of a joint's signals; and rarely something else went on."""
        freedom = nature.TAIL_FREEDOM
        chi = self._rng.standard_gamma(freedom / 2, self._size, np.float32) * 2
        scale = np.sqrt((freedom - 2) / chi)
        scale *= 1 + (nature.OUTLIER_TIMES - 1) * (self._rng.random(self._size, np.float32) < nature.OUTLIER_SHARE)
        normal *= scale
        return normal


def rounded_mean(mean: Float32, width: Float32, resolution: Float32) -> Float32:
    """The mean of readings spread evenly over `width` around `mean`, each rounded to `resolution`."""
    middle, half = mean / resolution, width / (2 * resolution)
    # The integral of round(x), taken around the middle, where float32 is exact enough.
    centre = np.round(middle)
    off = middle - centre
    whole = _integral(off + half) - _integral(off - half)
    return np.asarray((whole / (2 * half) + centre) * resolution, np.float32)


def _integral(x: NDArray[Any]) -> NDArray[Any]:
    whole = np.round(x)
    return np.asarray(whole * x - whole * whole / 2)
