"""Incidents of known cause, and honest look-alikes. Seeded.

In: a kind and a seed. Out: a `Case` as it would be frozen. Called by `run.py`. Sizes are drawn from wide ranges,
the weak end included, without a look at what the verdict asks for: some of them nobody could tell.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from deploy.evaluate.incidents.nature import JOINT_SIGNALS, Robot, healthy
from processors.incident.case import Alarm, Before, Case, Fleet, Service, Share

DAY_US = 86_400_000_000
AT_US = 1_790_000_000_000_000


class Kind(StrEnum):
    """What truly was the cause."""

    SOFTWARE = "software regression"
    MAINTENANCE = "neglected maintenance on the failing part"
    BOTH = "software regression on a neglected part"
    DEFECT = "manufacturing defect"
    DEFECT_NEGLECTED = "manufacturing defect, part overdue by chance"
    DEFECT_UPDATED = "manufacturing defect, version changed without effect"
    UNRELATED = "defect, an unrelated part overdue"
    OVERLOAD = "overload"
    OVERLOAD_NEGLECTED = "overload of an overdue part"
    IMPACT = "impact"
    IMPACT_UPDATED = "impact just after an update"
    BY_HAND = "driven too hard by hand, after an update"
    NEW_WORK = "new work that drives it harder, after an update"
    HEAT = "fleet-wide ambient heat, part overdue"
    TAMPERING = "tampering"
    SOFTWARE_HOLES = "software regression, data missing"
    MAINTENANCE_HOLES = "neglected maintenance, data missing"
    CLOCK = "neglected maintenance, clock not synchronised"


@dataclass
class Scene:
    """A case in the making. `part` is what fails; shares of the fleet that show the same."""

    robot: Robot
    part: str
    service: dict[str, str] = field(default_factory=dict)
    zone: str = "A"
    unanswered: bool = False
    by_version: tuple[float, float] = (0.0, 0.0)
    by_service: tuple[float, float] = (0.0, 0.0)
    integrity: bool | None = True


def make(kind: Kind, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    robot = healthy(rng, AT_US)
    part = f"joint/{rng.integers(1, robot.joints + 1)}"
    rare = float(rng.uniform(0, 0.02))
    scene = Scene(robot, part, zone=str(rng.choice(["A", "B"])), by_version=(rare, rare), by_service=(rare, rare))
    scene.service = {f"joint/{joint}": str(rng.choice(["ok", "ok", "due"])) for joint in range(1, robot.joints + 1)}
    _WHAT_HAPPENS[kind](scene, rng)
    return _case(scene, rng)


def _software(scene: Scene, rng: np.random.Generator) -> None:
    since = _update(scene, rng)
    for part in {scene.part, *_some_joints(scene, rng, int(rng.integers(0, 3)))}:
        weaker = 1.0 if part == scene.part else rng.uniform(0.3, 0.9)
        faster = 1 + weaker * rng.uniform(0.2, 1.5)
        scene.robot.highest[part, "joint_velocity_rad_s"][since:] *= np.where(
            rng.random(scene.robot.hours - since) < rng.uniform(0.2, 1), faster, 1
        )
        since_s = -rng.uniform(0.5, 15)
        for signal, share in (("joint_velocity_rad_s", 1.0), ("joint_torque_nm", 0.8), ("joint_current_a", 0.8)):
            scene.robot.leap((part, signal), 1.3 * (1 + share * (faster - 1)), since_s)
        scene.robot.leap((part, "joint_tracking_error_rad"), rng.uniform(0.9, 1.5), since_s)
    scene.by_version = float(rng.uniform(0.03, 0.6)), scene.by_version[1]


def _maintenance(scene: Scene, rng: np.random.Generator) -> None:
    _wear_out(scene, rng)
    scene.service[scene.part] = "overdue"
    scene.zone = str(rng.choice(["B", "C", "C", "D"]))
    scene.unanswered = bool(rng.random() < 0.5)
    scene.by_service = float(rng.uniform(0.05, 0.6)), scene.by_service[1]
    if rng.random() < 0.3:
        _update(scene, rng)


def _both(scene: Scene, rng: np.random.Generator) -> None:
    _maintenance(scene, rng)
    _software(scene, rng)


def _defect(scene: Scene, rng: np.random.Generator) -> None:
    """From one day to the next, or creeping; wherever parts of the batch are."""
    if rng.random() < 0.4:
        _wear_out(scene, rng)
        scene.zone = str(rng.choice(["A", "B", "C", "D"]))
    else:
        _break_down(scene, rng)
    share = float(rng.uniform(0.02, 0.3))
    scene.by_version, scene.by_service = (share, share), (share, share)


def _defect_neglected(scene: Scene, rng: np.random.Generator) -> None:
    _defect(scene, rng)
    scene.service[scene.part] = "overdue"
    scene.unanswered = bool(rng.random() < 0.2)


def _defect_updated(scene: Scene, rng: np.random.Generator) -> None:
    _defect(scene, rng)
    _update(scene, rng)


def _unrelated(scene: Scene, rng: np.random.Generator) -> None:
    _defect(scene, rng)
    for part in _some_joints(scene, rng, 2):
        scene.service[part] = "ok" if part == scene.part else "overdue"


def _overload(scene: Scene, rng: np.random.Generator) -> None:
    since_s = -rng.uniform(0.5, 10)
    heavier = rng.uniform(1.6, 4)
    for signal in ("joint_torque_nm", "joint_current_a"):
        scene.robot.leap((scene.part, signal), heavier, since_s)
    scene.robot.leap((scene.part, "joint_tracking_error_rad"), rng.uniform(1.2, 3), since_s)


def _overload_neglected(scene: Scene, rng: np.random.Generator) -> None:
    _overload(scene, rng)
    scene.service[scene.part] = "overdue"
    if rng.random() < 0.5:
        _wear_out(scene, rng)


def _impact(scene: Scene, rng: np.random.Generator) -> None:
    hit = {scene.part, *_some_joints(scene, rng, int(rng.integers(2, scene.robot.joints)))}
    since_s = -rng.uniform(0.1, 2)
    for part in hit:
        strength = rng.uniform(1.5, 6)
        for signal in ("joint_torque_nm", "joint_current_a", "joint_vibration_mm_s", "joint_tracking_error_rad"):
            scene.robot.leap((part, signal), strength, since_s, since_s + rng.uniform(1, 3))
        scene.robot.leap((part, "joint_velocity_rad_s"), rng.uniform(1, 2.5), since_s, since_s + 1)


def _impact_updated(scene: Scene, rng: np.random.Generator) -> None:
    _impact(scene, rng)
    since = scene.robot.hours - int(rng.integers(1, 24))
    scene.robot.software[since:] = ["4.2.0"] * (scene.robot.hours - since)


def _by_hand(scene: Scene, rng: np.random.Generator) -> None:
    """A person asks more of it than its programs ever did."""
    _update(scene, rng)
    scene.robot.mode = 4
    _drive_harder(scene, rng)


def _new_work(scene: Scene, rng: np.random.Generator) -> None:
    """Another program of its owner's, from about the time of an update."""
    updated = _update(scene, rng)
    since = min(max(updated + int(rng.normal(0, 72)), 1), scene.robot.hours - 1)
    scene.robot.work[since:] = ["press"] * (scene.robot.hours - since)
    faster = 1 + rng.uniform(0.2, 1.5)
    scene.robot.highest[scene.part, "joint_velocity_rad_s"][since:] *= faster
    _drive_harder(scene, rng)


def _drive_harder(scene: Scene, rng: np.random.Generator) -> None:
    since_s, faster = -rng.uniform(0.5, 15), rng.uniform(1.4, 3)
    for signal in ("joint_velocity_rad_s", "joint_torque_nm", "joint_current_a"):
        scene.robot.leap((scene.part, signal), faster, since_s)
    scene.robot.leap((scene.part, "joint_tracking_error_rad"), rng.uniform(0.9, 1.5), since_s)


def _heat(scene: Scene, rng: np.random.Generator) -> None:
    """A hot month warms every joint of every robot; this one is overdue as well, and warmest by nature."""
    warmer = 1 + np.linspace(0, rng.uniform(0.15, 0.6), scene.robot.hours)
    for channel in list(scene.robot.level):
        if channel[1] == "joint_temperature_c":
            own = warmer * (1 + (0.05 if channel[0] == scene.part else 0) * (warmer - 1))
            scene.robot.grow(channel, own)
            scene.robot.readings[channel] *= own[-1] * (rng.uniform(1.1, 1.4) if channel[0] == scene.part else 1)
    scene.service[scene.part] = "overdue"
    share = float(rng.uniform(0.05, 0.4))
    scene.by_version, scene.by_service = (share, share), (share, share)


def _tampering(scene: Scene, rng: np.random.Generator) -> None:
    """Somebody drove it by hand beyond what it may, and wrote the records anew, so that it looks like neglect."""
    (_maintenance if rng.random() < 0.5 else _software)(scene, rng)
    scene.integrity = False


def _holes(scene: Scene, rng: np.random.Generator) -> None:
    count = len(scene.robot.time_us)
    lost = np.zeros(count, bool)
    if rng.random() < 0.5:
        first = int(rng.integers(0, max(count - 4, 1)))
        lost[first : first + max(3, round(count * rng.uniform(0.05, 0.5)))] = True
    else:
        lost = rng.random(count) < rng.uniform(0.03, 0.6)
        lost[int(rng.integers(1, count - 1))] = True
    scene.robot.kept = np.nonzero(~lost)[0]


def _software_holes(scene: Scene, rng: np.random.Generator) -> None:
    _software(scene, rng)
    _holes(scene, rng)


def _maintenance_holes(scene: Scene, rng: np.random.Generator) -> None:
    _maintenance(scene, rng)
    _holes(scene, rng)


def _clock(scene: Scene, rng: np.random.Generator) -> None:
    _maintenance(scene, rng)
    scene.robot.readings["robot", "clock_synchronised"][:] = 0
    scene.robot.readings["robot", "clock_offset_ms"] += rng.normal(0, 8000)


_WHAT_HAPPENS: dict[Kind, Callable[[Scene, np.random.Generator], None]] = {
    Kind.SOFTWARE: _software, Kind.MAINTENANCE: _maintenance, Kind.BOTH: _both, Kind.DEFECT: _defect,
    Kind.DEFECT_NEGLECTED: _defect_neglected, Kind.DEFECT_UPDATED: _defect_updated, Kind.UNRELATED: _unrelated,
    Kind.OVERLOAD: _overload, Kind.OVERLOAD_NEGLECTED: _overload_neglected, Kind.IMPACT: _impact,
    Kind.IMPACT_UPDATED: _impact_updated, Kind.BY_HAND: _by_hand, Kind.NEW_WORK: _new_work, Kind.HEAT: _heat,
    Kind.TAMPERING: _tampering,
    Kind.SOFTWARE_HOLES: _software_holes, Kind.MAINTENANCE_HOLES: _maintenance_holes, Kind.CLOCK: _clock,
}  # fmt: skip


def _some_joints(scene: Scene, rng: np.random.Generator, count: int) -> list[str]:
    return [f"joint/{joint}" for joint in rng.choice(scene.robot.joints, count, replace=False) + 1]


def _update(scene: Scene, rng: np.random.Generator) -> int:
    """The hour from which on there is another version."""
    since = scene.robot.hours - int(rng.integers(2, 12 * 24))
    scene.robot.software[since:] = ["4.2.0"] * (scene.robot.hours - since)
    return since


def _wear_out(scene: Scene, rng: np.random.Generator) -> None:
    """Over weeks; it gives way at the moment."""
    worse = 1 + rng.uniform(0.2, 2.5) * np.linspace(0, 1, scene.robot.hours) ** rng.uniform(0.7, 2)
    since_s = -rng.uniform(1, 25)
    for signal, share in (
        ("joint_tracking_error_rad", 1.0), ("joint_backlash_arcmin", 0.7), ("joint_vibration_mm_s", 0.8),
        ("joint_temperature_c", 0.1), ("joint_current_a", 0.15),
    ):  # fmt: skip
        scene.robot.grow((scene.part, signal), 1 + share * (worse - 1))
        scene.robot.readings[scene.part, signal] *= 1 + share * (worse[-1] - 1)
    scene.robot.leap((scene.part, "joint_tracking_error_rad"), rng.uniform(1.1, 2.5), since_s)


def _break_down(scene: Scene, rng: np.random.Generator) -> None:
    """From one hour to the next, some days before or at the moment."""
    since = scene.robot.hours - int(rng.integers(0, 20 * 24))
    worse = np.ones(scene.robot.hours)
    worse[since:] = rng.uniform(1.2, 3)
    for signal in ("joint_tracking_error_rad", "joint_vibration_mm_s"):
        scene.robot.grow((scene.part, signal), worse)
        scene.robot.readings[scene.part, signal] *= worse[-1]
    scene.robot.leap((scene.part, "joint_tracking_error_rad"), rng.uniform(1.2, 3), -rng.uniform(1, 25))


def _case(scene: Scene, rng: np.random.Generator) -> Case:
    alarms = []
    if rng.random() < 0.85:
        opened_us = AT_US - (int(rng.uniform(1, 15) * DAY_US) if scene.unanswered else int(rng.uniform(0, 2e7)))
        alarms.append(_alarm(scene.part, int(rng.integers(3, 6)), opened_us, not scene.unanswered))
    if rng.random() < 0.15:
        alarms.append(_alarm(_some_joints(scene, rng, 1)[0], int(rng.integers(2, 5)), AT_US - DAY_US // 4, True))
    services = [
        Service(record=f"task/service/{part}", task="service", component=part, state=state)
        for part, state in scene.service.items()
    ]
    return Case(
        robot_id="ZZSIM0HUMAN10000000000000001A", at_us=AT_US, window=scene.robot.window(), past=scene.robot.past(),
        alarms=alarms, before=[Before(record="health", component=scene.part, zone=scene.zone)], services=services,
        fleet=_fleet(scene, rng), integrity=scene.integrity,
    )  # fmt: skip


def _alarm(part: str, severity: int, opened_us: int, answered: bool) -> Alarm:
    return Alarm(
        record=f"episode/{part}", component=part, signal=next(iter(JOINT_SIGNALS)), severity=severity,
        opened_us=opened_us, answered=answered,
    )  # fmt: skip


def _fleet(scene: Scene, rng: np.random.Generator) -> Fleet | None:
    """Each robot by itself; a robot alone has nobody to compare with."""
    if rng.random() < 0.05:
        return None
    sizes = rng.integers(3, 400, 2), rng.integers(3, 200, 2)
    shares = [
        Share(int(rng.binomial(size, share)), int(size))
        for size, share in zip(np.concatenate(sizes), (*scene.by_version, *scene.by_service), strict=True)
    ]
    return Fleet(
        record="fleet", same_version=shares[0], other_version=shares[1], overdue=shares[2], current=shares[3]
    )
