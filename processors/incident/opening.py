"""Which faults open an incident by themselves. Pure.

In: a fault's place in its robot's frames, and what was opened lately. Out: the incident's id, or why none is
opened. Called by `keep.py`. A fault that flaps, or a release that stops a whole fleet, must not fill the disk: 40 s
at 10 Hz of a robot with 29 joints are about 400 kB.
"""

import hashlib

import msgspec

NEAR_AT_MOST = 0
A_DAY = 12
FLEET_AN_HOUR = 200
FAULT = "fault"


class Lately(msgspec.Struct, frozen=True):
    """Incidents of the robot within ten minutes, those that faults of its opened within a day, and those that
    faults of any robot opened within the last hour.
    """

    near: int
    of_day: int
    of_fleet: int


def id_of(robot_id: str, boot_id: int, seq: int) -> str:
    """The same for the same frame, whoever finds it and however often."""
    return hashlib.sha256(f"{robot_id}/{boot_id}/{seq}".encode()).hexdigest()[:32]


def refusal(lately: Lately) -> str:
    """Why no incident is opened; empty where one is."""
    if lately.near > NEAR_AT_MOST:
        return "within ten minutes of another incident of the robot"
    if lately.of_day >= A_DAY:
        return f"{A_DAY} faults of the robot have opened incidents within a day"
    if lately.of_fleet >= FLEET_AN_HOUR:
        return f"{FLEET_AN_HOUR} faults of the fleet have opened incidents within the last hour"
    return ""
