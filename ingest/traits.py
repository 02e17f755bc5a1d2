"""The traits of simulated robots: their models, and what is each robot's and each joint's own.

In: seed and number of a robot. Out: its code and model, and functions of the time since the fleet's first day.
Each robot draws from its own generator, so it is the same in a fleet of any size. Called by `ingest/fleet.py`.
The first day begins at midnight (UTC), and so do all days.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Float32, Int64
from schemas.layout import Layout
from schemas.parts import Parts
from schemas.robot_code import RobotCode, make_code
from schemas.signals import MODES, SIGNAL_ORDER

Float64 = NDArray[np.float64]

COUNTRY = "ZZ"
IDLE, WORKING, CHARGING = (MODES.index(name) for name in ("idle", "working", "charging"))
DAY_S = 86_400.0
ROUNDS_A_DAY = 2  # of work and charge, where there are working hours; 13 hours at most
SOC_FULL = 0.95
ACCURACY_EVERY_S = 300.0
ACCURACY_SAMPLES = 30.0  # ISO 9283 repeatability needs as many
OWN_DRAWS, JOINT_DRAWS = 12, 8

SIGNALS = (
    "joint_velocity_rad_s", "joint_torque_nm", "joint_current_a", "joint_temperature_c", "joint_tracking_error_rad",
    "joint_backlash_arcmin", "joint_vibration_mm_s", "joint_wear",
    "pose_accuracy_mm", "pose_repeatability_mm", "path_accuracy_mm", "accuracy_samples",
    "battery_soc", "battery_soh", "battery_voltage_v", "battery_current_a", "battery_temperature_c",
    "battery_cell_spread_mv", "battery_resistance_mohm", "battery_cell_min_v", "battery_cell_max_v",
    "ambient_temperature_c",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Model:
    """`maker` and `name` are segments of a code; `strongest_nm` and `weakest_nm` are rated torques of joints."""

    maker: str
    name: str
    joints: int
    strongest_nm: float
    weakest_nm: float
    cells: int
    power_w: float

    @property
    def layout(self) -> Layout:
        return Layout(self.joints, tuple(sorted(SIGNALS, key=SIGNAL_ORDER.__getitem__)))


MODELS = (
    Model("SIMU", "HUMA23", 23, 120.0, 8.0, 13, 350.0),
    Model("SIMU", "HUMA29", 29, 140.0, 6.0, 15, 450.0),
    Model("SIMV", "HAND43", 43, 140.0, 0.8, 15, 480.0),
)

SOFTWARE, BAD_SOFTWARE = ("simulator 1.8", "simulator 1.9"), "simulator 2"
RELEASED_MODEL = MODELS[1]
"""Of this model no robot runs BAD_SOFTWARE unless it was broken by it: on the others that software does no harm."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Where robots work. `opens_s`: seconds after midnight (UTC) from which they work; None: round the clock."""

    name: str
    opens_s: float | None


FACTORY, WAREHOUSE = Scenario("factory_line", None), Scenario("warehouse", None)
CLASSROOM, HOME = Scenario("classroom", 8 * 3600.0), Scenario("home_care", 7 * 3600.0)
# By turns: 7 is no multiple of the models' number, so each model is everywhere.
_SCENARIOS = (HOME, FACTORY, FACTORY, FACTORY, WAREHOUSE, WAREHOUSE, CLASSROOM)


@dataclass(frozen=True, slots=True)
class Robot:
    """The robot of a number, 1, 2, 3 …; all else follows from seed and number."""

    number: int
    model: Model
    code: RobotCode
    scenario: Scenario
    software: str


def robot(seed: int, number: int) -> Robot:
    """Models take turns, so that any fleet of a few robots has joints of several counts."""
    model = MODELS[(number - 1) % len(MODELS)]
    code = make_code(COUNTRY, model.maker, model.name, f"{seed:06d}{number:08d}")
    ahead = number % 5 == 0 and model is not RELEASED_MODEL
    software = BAD_SOFTWARE if ahead else SOFTWARE[number % 2]
    return Robot(number, model, code, _SCENARIOS[number % len(_SCENARIOS)], software)


def parts_of(of: Robot) -> Parts:
    """The serials of what is in it, as it left the works: joints, battery, controller."""
    serial = of.code[-9:]
    joints = {
        f"joint/{joint}": f"{of.model.maker}-J{joint:02d}-{serial}" for joint in range(1, of.model.joints + 1)
    }
    return joints | {"battery": f"{of.model.maker}-B-{serial}", "controller": f"{of.model.maker}-C-{serial}"}


def draw(seed: int, robots: list[Robot]) -> tuple["OwnTraits", "JointTraits"]:
    """The traits of robots of one model."""
    model = robots[0].model
    count = OWN_DRAWS + JOINT_DRAWS * model.joints
    draws = np.array([np.random.default_rng([seed, r.number]).random(count) for r in robots])
    joints = draws[:, OWN_DRAWS:].reshape(len(robots), JOINT_DRAWS, model.joints)
    return OwnTraits(draws[:, :OWN_DRAWS], [r.scenario.opens_s for r in robots]), JointTraits(joints, model)


@dataclass(frozen=True, slots=True)
class Shift:
    """Where in its round of work, rest and charging each robot is."""

    mode: Int64
    soc: Float64
    runtime_s: Float64
    cycles: Float64


class OwnTraits:
    """What is a robot's own, from OWN_DRAWS draws each and its scenario's `opens_s`."""

    def __init__(self, draws: Float64, opens_s: list[float | None]) -> None:
        d: list[Float64] = list(draws.T)
        self.always = np.array([opens is None for opens in opens_s])
        self.opens_s = np.array([opens or 0.0 for opens in opens_s])
        self.work_s = 3600 * (3.5 + d[0])
        self.idle_s = 3600 * (0.3 + 0.4 * d[1])
        self.charge_s = 3600 * (0.9 + 0.4 * d[2])
        self.phase_s = d[3] * (self.work_s + self.idle_s + self.charge_s)
        self.earlier_s = 3600 * 5000 * d[4]
        self.soc_low = 0.2 + 0.15 * d[5]
        self.soh_new = 0.93 + 0.06 * d[6]
        self.spread_mv = 8 + 10 * d[7]
        self.resistance_mohm = 40 + 30 * d[8]
        self.site_c = 19 + 5 * d[9]
        self.accuracy_mm = 0.3 + 0.5 * d[10]
        self.power = 0.8 + 0.4 * d[11]

    def shift(self, time_s: float) -> Shift:
        """Work from full to low, rest, charge to full, and again; in working hours that twice a day, then idle."""
        round_s = self.work_s + self.idle_s + self.charge_s
        days, open_s = np.divmod(time_s - self.opens_s, DAY_S)
        by_day_s = (days * ROUNDS_A_DAY + np.minimum(open_s / round_s, ROUNDS_A_DAY)) * round_s
        rounds, into_s = np.divmod(np.where(self.always, time_s + self.phase_s, by_day_s), round_s)
        worked = np.minimum(into_s / self.work_s, 1)
        charged = np.maximum(into_s - self.work_s - self.idle_s, 0) / self.charge_s
        closed = ~self.always & (open_s >= ROUNDS_A_DAY * round_s)
        return Shift(
            mode=np.select([closed, into_s < self.work_s, charged > 0], [IDLE, WORKING, CHARGING], IDLE),
            soc=SOC_FULL - (SOC_FULL - self.soc_low) * (worked - charged),
            runtime_s=self.earlier_s + (rounds + worked) * self.work_s,
            cycles=np.floor(self.earlier_s / self.work_s) + rounds,
        )

    def ambient_c(self, time_s: float) -> Float64:
        """Warmest at three in the afternoon."""
        return self.site_c + 2.5 * math.sin(2 * math.pi * (time_s / DAY_S - 0.375))

    def soh(self, hours: Float64) -> Float64:
        """A tenth of the health in 20 000 hours of work."""
        return self.soh_new - 0.1 * hours / 20_000

    def power_w(self, model: Model) -> Float64:
        return model.power_w * self.power

    def accuracy(
        self, time_s: float, last_s: float, mode: Int64, wear: Float64, noise: Float32
    ) -> dict[str, Float64]:
        """A working robot is measured now and then; in between there are no figures."""
        turn = np.floor((time_s + self.phase_s) / ACCURACY_EVERY_S)
        measured = (turn > np.floor((last_s + self.phase_s) / ACCURACY_EVERY_S)) & (mode == WORKING)
        pose_mm = np.where(measured, self.accuracy_mm * (1 + wear) * (1 + 0.03 * noise), np.nan)
        return {
            "pose_accuracy_mm": pose_mm,
            "pose_repeatability_mm": 0.2 * pose_mm,
            "path_accuracy_mm": 1.6 * pose_mm,
            "accuracy_samples": np.where(measured, ACCURACY_SAMPLES, np.nan),
        }


class JointTraits:
    """What is a joint's own, from JOINT_DRAWS draws each: robots × joints. Stronger joints come first."""

    def __init__(self, draws: Float64, model: Model) -> None:
        d: list[Float64] = list(draws.transpose(1, 0, 2))
        self.rated_nm = np.geomspace(model.strongest_nm, model.weakest_nm, model.joints) * (0.9 + 0.2 * d[0])
        self.share = 0.3 + 0.6 * d[1]
        self.hold = 0.05 + 0.15 * d[2]
        self.period_s = 2 + 6 * d[3]
        self.phase = 2 * np.pi * d[4]
        self.speed_rad_s = 0.4 + 2 * d[5]
        self.torque_constant = 1.2 * np.sqrt(self.rated_nm / model.strongest_nm) + 0.4
        self.wear_new = 0.02 + 0.18 * d[6]
        self.life_h = 25_000 + 35_000 * d[7]
        self.backlash_arcmin = 0.6 + 0.8 * d[6]

    def motion(self, time_s: float) -> tuple[Float32, Float32]:
        """How fast each joint swings and how it is loaded, both within ±1."""
        turned = np.remainder(2 * np.pi * time_s / self.period_s + self.phase, 2 * np.pi).astype(np.float32)
        return np.cos(turned), np.sin(turned)

    def wear(self, hours: Float64) -> Float64:
        """Share of the joint's life that its robot's hours of work have used."""
        return self.wear_new + hours[:, None] / self.life_h
