"""What is each simulated robot's and each joint's own.

In: a generator and sizes. Out: arrays, robots × 1 or robots × joints. A part that is swapped is drawn anew, in
place. Called by `fleet.py`.
"""

from dataclasses import dataclass

import numpy as np

from deploy.evaluate.simulated import nature
from deploy.evaluate.simulated.nature import Between
from schemas.columns import Float32, Int64

STRONGEST_NM, WEAKEST_NM = 140.0, 6.0
TAU_LOW, TAU_HIGH = nature.TAU_S


def even(rng: np.random.Generator, between: Between, size: tuple[int, ...]) -> Float32:
    return rng.uniform(between.low, between.high, size).astype(np.float32)


def lognormal(rng: np.random.Generator, spread: float, size: tuple[int, ...]) -> Float32:
    """Around 1."""
    return np.asarray(np.exp(np.float32(spread) * rng.standard_normal(size, np.float32)), np.float32)


@dataclass(slots=True)
class Parts:
    """The joints: robots × joints. A joint of a model is alike in all robots, but for each one's own share."""

    noise: Float32
    load_nm: Float32
    friction_nm: Float32
    motor_nm_a: Float32
    speed_rad_s: Float32
    rise_c: Float32
    keep: Float32
    tracking_rad: Float32
    vibration_mm_s: Float32
    backlash_arcmin: Float32
    wear: Float32
    life_h: Float32

    def replace(self, robot: int, joint: int, spare: "Parts", *, used: bool) -> None:
        """Put in the part that `spare` has there; a used one has more backlash and wear than a part that is new."""
        for name in ("friction_nm", "motor_nm_a", "rise_c", "tracking_rad", "vibration_mm_s"):
            getattr(self, name)[robot, joint] = getattr(spare, name)[robot, joint]
        backlash, wear = spare.backlash_arcmin[robot, joint], spare.wear[robot, joint]
        self.backlash_arcmin[robot, joint] = backlash * (1.8 if used else 0.7)
        self.wear[robot, joint] = self.wear[robot, joint] + 0.25 if used else 0.05 * wear


def draw_parts(rng: np.random.Generator, model: np.random.Generator, robots: int, joints: int) -> Parts:
    """`model` draws what all robots share: give the same one for the same model."""
    size, alike = (robots, joints), (1, joints)
    rated_nm = np.geomspace(STRONGEST_NM, WEAKEST_NM, joints).astype(np.float32)[None, :]
    torque_nm = rated_nm * even(model, Between(0.15, 0.45), alike)
    tau_s = even(model, nature.TAU_S, alike)
    noise = np.clip(nature.NOISE_MEDIAN * lognormal(model, nature.NOISE_SPREAD, alike), *nature.NOISE)
    rise_c = even(model, nature.RISE_C, alike)
    return Parts(
        noise=(noise * lognormal(rng, 0.1, size)).astype(np.float32),
        load_nm=np.broadcast_to(torque_nm * (1 - nature.FRICTION_SHARE), size).astype(np.float32),
        friction_nm=torque_nm * nature.FRICTION_SHARE * lognormal(rng, nature.OWN_FRICTION, size),
        motor_nm_a=(1.2 * np.sqrt(rated_nm / STRONGEST_NM) + 0.4) * lognormal(rng, nature.OWN_MOTOR, size),
        speed_rad_s=np.broadcast_to(even(model, Between(0.3, 2.0), alike), size).astype(np.float32),
        rise_c=rise_c * lognormal(rng, nature.OWN_RISE, size),
        keep=np.broadcast_to(np.exp(-nature.EPOCH_S / tau_s), size).astype(np.float32),
        tracking_rad=np.float32(0.004) * lognormal(rng, nature.OWN_TRACKING, size),
        vibration_mm_s=np.float32(1.2) * lognormal(rng, nature.OWN_VIBRATION, size),
        backlash_arcmin=even(rng, nature.BACKLASH_ARCMIN, size),
        wear=even(rng, nature.WEAR_NEW, size),
        life_h=even(rng, nature.LIFE_H, size),
    )


@dataclass(frozen=True, slots=True)
class Robots:
    """What is a robot's own: robots, or robots × 1 where joints are beside it."""

    site: Int64
    site_c: Float32
    place_c: Float32
    powered_c: Float32
    resolution_c: Float32
    shifts: Int64
    shift_start_h: Float32
    free_weekend: Int64
    switched_off: Int64
    work_h: Float32
    charge_h: Float32
    soh: Float32
    fade_a_cycle: Float32
    resistance_mohm: Float32
    spread_mv: Float32
    accuracy_mm: Float32


def draw_robots(rng: np.random.Generator, robots: int) -> Robots:
    site = rng.integers(0, nature.SITES, robots)
    sites_c = np.linspace(nature.SITE_C.low, nature.SITE_C.high, nature.SITES, dtype=np.float32)
    return Robots(
        site=site,
        site_c=sites_c[site],
        place_c=nature.PLACE_C * rng.standard_normal(robots, np.float32),
        powered_c=even(rng, nature.POWERED_C, (robots, 1)),
        resolution_c=rng.choice(np.array(nature.RESOLUTIONS_C, np.float32), (robots, 1)),
        shifts=rng.choice(np.array([1, 2, 3]), robots, p=nature.SHIFT_SHARES),
        shift_start_h=even(rng, Between(5.5, 8.0), (robots,)),
        free_weekend=(rng.random(robots) < nature.WEEKEND_SHARE).astype(np.int64),
        switched_off=(rng.random(robots) < nature.SWITCHED_OFF_SHARE).astype(np.int64),
        work_h=even(rng, nature.WORK_H, (robots,)),
        charge_h=even(rng, nature.CHARGE_H, (robots,)),
        soh=even(rng, nature.SOH_NEW, (robots,)),
        fade_a_cycle=even(rng, nature.FADE_A_CYCLE, (robots,)),
        resistance_mohm=even(rng, nature.RESISTANCE_MOHM, (robots,)),
        spread_mv=even(rng, nature.SPREAD_MV, (robots,)),
        accuracy_mm=even(rng, Between(0.3, 0.8), (robots,)),
    )
