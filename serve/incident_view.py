"""An incident as its page and its report show it: evidence by cause, charts of the window, records by kind.

In: an `Incident` and its frames, by column name. Out: structs for `serve/templates/incident*.html`. Pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from schemas.incident import Cause, Piece, Stance
from schemas.signals import SIGNAL
from serve.incident_chart import Chart, Point, chart
from serve.incident_words import said
from serve.incidents import FrozenRecord, Incident
from serve.words import component_words, signal_words

OF_JOINT = (
    "joint_velocity_rad_s", "joint_tracking_error_rad", "joint_current_a", "joint_torque_nm", "joint_temperature_c",
    "joint_vibration_mm_s",
)  # fmt: skip
OF_BATTERY = ("battery_voltage_v", "battery_current_a", "battery_temperature_c", "battery_cell_spread_mv")
KINDS = {
    "transition": "Alarms and what became of them",
    "action": "What people did",
    "task": "Maintenance as it stood",
    "logbook": "Logbook",
    "health": "Health as judged",
    "fleet": "The fleet",
    "hours": "Hours of the part",
    "impossible": "Impossible readings",
    "security": "Seals",
    "note": "Notes",
}


class Side(msgspec.Struct, frozen=True):
    """What there is for and against one cause."""

    cause: str
    speaks_for: list[Piece]
    against: list[Piece]
    neither: list[Piece]


class Line(msgspec.Struct, frozen=True):
    """A record, and what it says in a line."""

    record: FrozenRecord
    text: str


class Group(msgspec.Struct, frozen=True):
    title: str
    lines: list[Line]


class View(msgspec.Struct, frozen=True):
    sides: list[Side]
    charts: list[Chart]
    groups: list[Group]


def view(shown: Incident, frames: Sequence[Mapping[str, Any]]) -> View:
    return View(_sides(shown), charts(shown, frames), _groups(shown.records))


def _sides(shown: Incident) -> list[Side]:
    pieces = shown.evidence.pieces if shown.evidence else ()

    def of(cause: Cause, stance: Stance) -> list[Piece]:
        return [piece for piece in pieces if piece.cause is cause and piece.stance is stance]

    return [Side(cause.value, *(of(cause, stance) for stance in Stance)) for cause in Cause]


def charts(shown: Incident, frames: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """Of the part that failed; where that is not clear, of every joint the largest, and of the battery."""
    joint = int(shown.part.removeprefix("joint/")) if shown.part.startswith("joint/") else 0
    names = OF_BATTERY if shown.part == "battery" else OF_JOINT if joint else (*OF_JOINT[:3], *OF_BATTERY[:2])
    found = []
    for name in names:
        points = [
            Point((frame["time"] - shown.at).total_seconds(), value, frame["appended"])
            for frame in frames
            if (value := _value(frame[name], joint)) is not None
        ]
        if points:
            of = component_words(shown.part) if shown.part else "largest of all joints"
            title = signal_words(name) + (f", {of}" if name in OF_JOINT else "")
            found.append(chart(title, SIGNAL[name].unit, points))
    return found


def _value(reading: Any, joint: int) -> float | None:
    if not isinstance(reading, list):
        return None if reading is None else float(reading)
    if joint:
        return reading[joint - 1] if joint <= len(reading) else None
    return max((abs(value) for value in reading if value is not None), default=None)


def _groups(records: Sequence[FrozenRecord]) -> list[Group]:
    groups = [
        Group(title, [Line(one, said(one)) for one in records if one.kind == kind]) for kind, title in KINDS.items()
    ]
    return [group for group in groups if group.lines]
