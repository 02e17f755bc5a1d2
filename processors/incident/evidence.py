"""What the window, its timing and the fleet say for and against software and neglected maintenance. Pure.

In: a `Case` and the part that failed. Out: `Piece`s, each with the records that it rests on. Called by
`verdict.py`; `service.py` has what service and alarms say. The rows are those of the project's evidence table:
command against measurement, timing, fleet, the component before, records. Every number here is ours.

A piece is decisive where it would not be so without that cause; what only fits (service is current, a component was
as new) supports, and makes no verdict.
"""

from collections.abc import Iterator
from math import lgamma

import numpy as np

from processors.incident.case import Case, Share
from processors.incident.usual import Course, course, latest_change, reached, stepped
from schemas.incident import Cause, Kind, Piece, Stance

COMMANDED = "joint_velocity_rad_s"
FOLLOWED = "joint_tracking_error_rad"
WORN = (
    "joint_tracking_error_rad", "joint_backlash_arcmin", "joint_vibration_mm_s", "joint_temperature_c",
    "joint_current_a", "battery_resistance_mohm", "battery_cell_spread_mv", "battery_temperature_c",
)  # fmt: skip
STARTED = (COMMANDED, "joint_torque_nm", "joint_current_a", *WORN)
ABNORMAL, NORMAL = 1.3, 1.15  # of the usual peak
RISEN, KEPT = 1.5, 1.3
OF_ITS_OWN = 1.2  # how much more it rose than its like did at the same time
HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
VERSIONS_WITHIN_US = 14 * DAY_US
SURE = 0.01  # of a share that is larger by luck alone
TIMES = 3.0
ENOUGH = 20  # robots, to say of a version, or of service, that it is not it


def frames_record(case: Case) -> str:
    window = case.window
    if not len(window.seq):
        return "frames"
    return f"frames/{int(window.boot_id[-1])}/{int(window.seq[0])}-{int(window.seq[-1])}"


def command(case: Case, part: str) -> Iterator[Piece]:
    """Whether the command itself was abnormal, and whether the actuator followed it."""
    commanded, followed = reached(case, (part, COMMANDED)), reached(case, (part, FOLLOWED))
    if commanded is None or followed is None:
        return
    records = (frames_record(case), "hours")
    if commanded >= ABNORMAL:
        how = "and it followed" if followed <= KEPT else f"with {followed:.1f} times the usual error"
        text = f"{part} was driven at {commanded:.1f} times its usual highest speed, {how}"
        yield Piece(kind=Kind.COMMAND, cause=Cause.SOFTWARE, stance=Stance.FOR, text=text, records=records)
    if followed >= RISEN:
        text = f"the tracking error of {part} reached {followed:.1f} times its usual peak"
        if commanded <= NORMAL:
            text += " while its speed was as usual"
            yield Piece(kind=Kind.COMMAND, cause=Cause.SOFTWARE, stance=Stance.AGAINST, text=text, records=records)
        yield Piece(kind=Kind.COMMAND, cause=Cause.MAINTENANCE, stance=Stance.FOR, text=text, records=records)
    elif followed <= KEPT:
        text = f"{part} followed its command to {followed:.1f} times its usual peak error"
        yield Piece(kind=Kind.COMMAND, cause=Cause.MAINTENANCE, stance=Stance.AGAINST, text=text, records=records)


def timing(case: Case, part: str) -> Iterator[Piece]:
    """Onset at a version, or weeks of trend."""
    yield from _onset(case, part)
    trend = trend_of(case, part)
    if trend is not None:
        signal, found = trend
        text = f"{signal} of {part} rose to {found.rise:.1f} times over {found.days} days (tau {found.tau:.2f})"
        yield Piece(kind=Kind.TIMING, cause=Cause.MAINTENANCE, stance=Stance.FOR, text=text, records=("hours",))
    elif any(course(case.past, (part, signal)).days for signal in WORN):
        text = f"nothing of {part} had been rising for weeks"
        yield Piece(kind=Kind.TIMING, cause=Cause.MAINTENANCE, stance=Stance.AGAINST, text=text, records=("hours",))


def _onset(case: Case, part: str) -> Iterator[Piece]:
    change = latest_change(case.past, case.past.software)
    if change is None or case.at_us - change[0] > VERSIONS_WITHIN_US:
        text = "no version changed in the two weeks before"
        yield Piece(kind=Kind.TIMING, cause=Cause.SOFTWARE, stance=Stance.AGAINST, text=text, records=("hours",))
        return
    changed_us, before, after = change
    at_version = [signal for signal in STARTED if stepped(case.past, (part, signal), changed_us)]
    versions = f"from {before or 'none'} to {after or 'none'}"
    if at_version:
        text = f"{at_version[0]} of {part} left what was usual when the software changed {versions}"
        stance, decisive = Stance.FOR, not _is_work_new(case)
        text += "" if decisive else ", and so did its work"
    elif case.at_us - changed_us <= DAY_US and _shows(case, part):
        text = f"{part} showed what was not usual, and the software had changed {versions} within the day before"
        stance, decisive = Stance.FOR, False
    else:
        text = f"the software changed {versions}, and nothing of {part} changed with it"
        stance, decisive = Stance.AGAINST, True
    yield Piece(
        kind=Kind.TIMING, cause=Cause.SOFTWARE, stance=stance, text=text, records=("hours",), decisive=decisive
    )


def _is_work_new(case: Case) -> bool:
    """Whether the robot was given other work in those weeks: then nobody can say which of the two it was."""
    new = latest_change(case.past, case.past.work)
    return new is not None and case.at_us - new[0] <= VERSIONS_WITHIN_US


def _shows(case: Case, part: str) -> bool:
    return any((reached(case, (part, signal)) or 0) >= ABNORMAL for signal in STARTED)


def trend_of(case: Case, part: str) -> tuple[str, Course] | None:
    """A trend of this part of its own: where its like rose as much, it is the weather, or the work."""
    for signal in WORN:
        found = course(case.past, (part, signal))
        if not found.is_trend:
            continue
        like = [name for name, other in case.past.level if other == signal and name != part]
        others = [course(case.past, (name, signal)).rise for name in like]
        if not others or found.rise >= OF_ITS_OWN * float(np.median(others)):
            return signal, found
    return None


def fleet(case: Case) -> Iterator[Piece]:
    """Other robots of the model, by version and by service."""
    if case.fleet is None:
        return
    same, other = case.fleet.same_version, case.fleet.other_version
    overdue, current = case.fleet.overdue, case.fleet.current
    records = (case.fleet.record,)
    versions = f"{_said(same)} of this version showed the same, {_said(other)} of others"
    if _is_more(same, other):
        yield Piece(kind=Kind.FLEET, cause=Cause.SOFTWARE, stance=Stance.FOR, text=versions, records=records)
    elif same.robots >= ENOUGH:
        yield Piece(kind=Kind.FLEET, cause=Cause.SOFTWARE, stance=Stance.AGAINST, text=versions, records=records)
    service = f"{_said(overdue)} that are overdue showed the same, {_said(current)} whose service is current"
    if _is_more(overdue, current):
        yield Piece(kind=Kind.FLEET, cause=Cause.MAINTENANCE, stance=Stance.FOR, text=service, records=records)
    elif min(overdue.robots, current.robots) >= ENOUGH:
        yield Piece(kind=Kind.FLEET, cause=Cause.MAINTENANCE, stance=Stance.AGAINST, text=service, records=records)


def _said(share: Share) -> str:
    return f"{share.affected} of {share.robots} robots"


def _is_more(one: Share, other: Share) -> bool:
    """Whether one share is larger for certain: three times, three robots, and not by luck (Fisher's exact test)."""
    if one.affected < TIMES or not other.robots or one.part < TIMES * other.part:
        return False
    return _by_luck(one, other) < SURE


def _by_luck(one: Share, other: Share) -> float:
    """How probable so many, or more, of the affected ones are among `one`, if it made no difference."""
    robots, affected = one.robots + other.robots, one.affected + other.affected
    tail = [
        _ln_choose(affected, k) + _ln_choose(robots - affected, one.robots - k) - _ln_choose(robots, one.robots)
        for k in range(one.affected, min(affected, one.robots) + 1)
        if one.robots - k <= robots - affected
    ]
    return float(np.exp(tail).sum())


def _ln_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
