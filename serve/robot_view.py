"""A robot's state as its page shows it: components, the drawing, tables of last values, charts.

In: what the API answers of a robot (`serve/robot.py`). Out: structs for `serve/templates/robot*.html`. Pure.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from schemas.health import NO_VALUE_US, SEVERITY, ComponentHealth, Evidence, Status, Zone
from schemas.signals import SIGNAL, SIGNALS, Component
from serve.picture import ARM_TOP, HEIGHT, WIDTH, Figure, figure
from serve.readings import LatestReading
from serve.words import STATUS_WORDS, StatusWord

CHOSEN_AT_MOST = 4
"""Joints that charts show where nobody chose: the worst."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZONE_RANK = {Zone.D: 0, Zone.C: 1, Zone.B: 2, Zone.A: 3, Zone.NONE: 4}


class Chart(msgspec.Struct, frozen=True):
    """One chart: signals of one unit. Charts of a `group` are asked for at once. `percent`: shares of one."""

    key: str
    title: str
    group: str
    signals: tuple[str, ...]
    unit: str
    percent: bool = False
    note: str = ""


CHARTS = (
    Chart("wear", "Joint wear", "joint", ("joint_wear",), "%", True, "estimated consumed life"),
    Chart("temperature", "Joint temperature", "joint", ("joint_temperature_c",), "°C"),
    Chart("tracking", "Tracking error", "joint", ("joint_tracking_error_rad",), "rad", note="by its encoders"),
    Chart("backlash", "Backlash", "joint", ("joint_backlash_arcmin",), "arcmin", note="estimated"),
    Chart("vibration", "Vibration", "joint", ("joint_vibration_mm_s",), "mm/s"),
    Chart("current", "Motor current", "joint", ("joint_current_a",), "A"),
    Chart(
        "accuracy", "Accuracy", "accuracy",
        ("pose_accuracy_mm", "pose_repeatability_mm", "path_accuracy_mm"), "mm", note="ISO 9283, now and then",
    ),
    Chart("soh", "Battery health", "battery", ("battery_soh",), "%", True, "estimated state of health"),
    Chart("soc", "Battery charge", "battery", ("battery_soc",), "%", True),
    Chart("battery_temperature", "Battery temperature", "battery", ("battery_temperature_c",), "°C"),
    Chart("spread", "Cell spread", "battery", ("battery_cell_spread_mv",), "mV"),
    Chart("resistance", "Battery resistance", "battery", ("battery_resistance_mohm",), "mΩ", note="estimated"),
    Chart("spool", "Spool", "robot", ("spool_used",), "%", True, "share of what it may hold"),
    Chart("clock", "Clock offset", "robot", ("clock_offset_ms",), "ms", note="ahead of the broker's"),
    Chart("latency", "Publish latency", "robot", ("publish_latency_ms",), "ms"),
)  # fmt: skip


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One component. `last`: when its last value was, None where none is known. `joint` 0: it is none."""

    name: str
    joint: int
    status: str
    zone: str
    evidence: Sequence[tuple[Evidence, datetime]]
    remaining: str
    last: datetime | None


class DrawnJoint(msgspec.Struct, frozen=True, kw_only=True):
    """A joint in the drawing: where, how it is, and its name for those who do not see it."""

    joint: int
    x: float
    y: float
    status: str
    zone: str
    letter: str
    name: str


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """`top`, `width`, `height`: the part of the drawing that holds the figure."""

    figure: Figure
    joints: tuple[DrawnJoint, ...]
    top: int
    width: int
    height: int


class JointLine(msgspec.Struct, frozen=True):
    """A joint's last values, one a signal of the table's head (None: it has none), and the newest's time."""

    joint: int
    values: tuple[LatestReading | None, ...]
    newest: datetime


class LastValues(msgspec.Struct, frozen=True, kw_only=True):
    """`single`: component by component; `joints`: a table with a column for each of `signals`."""

    single: tuple[tuple[str, tuple[LatestReading, ...]], ...]
    signals: tuple[str, ...]
    joints: tuple[JointLine, ...]


def parts(components: Iterable[ComponentHealth], last_seen: datetime | None) -> list[Part]:
    """As they come, worst first."""
    return [
        Part(
            name=component.component,
            joint=joint_of(component.component),
            status=component.status.value,
            zone=component.zone.value,
            evidence=[
                (evidence, _EPOCH + timedelta(microseconds=evidence.since_us)) for evidence in component.evidence
            ],
            remaining=component.remaining_life.text if component.remaining_life else "",
            last=_last_value(component, last_seen),
        )
        for component in components
    ]


def joint_of(component: str) -> int:
    """`joint/3` is 3; anything else is 0."""
    kind, _, number = component.partition("/")
    return int(number) if kind == Component.JOINT and number.isdecimal() else 0


def joints_of(components: Iterable[ComponentHealth], readings: Iterable[LatestReading]) -> list[int]:
    """Every joint that the robot was judged by or has sent, in order."""
    judged = {joint_of(component.component) for component in components}
    return sorted((judged | {reading.joint for reading in readings}) - {0})


def worst_joints(components: Iterable[ComponentHealth], joints: Sequence[int]) -> list[int]:
    """The joints that charts show where nobody chose: those in trouble, or else the first; in order."""
    worst = sorted(
        (component for component in components if joint_of(component.component)),
        key=lambda component: (-SEVERITY[component.status], not component.evidence, _ZONE_RANK[component.zone]),
    )
    found = [joint_of(component.component) for component in worst] or list(joints)
    return sorted(found[:CHOSEN_AT_MOST])


def drawing(components: Sequence[ComponentHealth], joints: Sequence[int]) -> Drawing:
    """Every joint with its status; one that was never judged is UNKNOWN."""
    judged = {joint_of(component.component): component for component in components}
    drawn = figure(joints)
    found = []
    for place in drawn.joints:
        component = judged.get(place.joint)
        status = component.status if component else Status.UNKNOWN
        zone = component.zone.value if component else ""
        word: StatusWord = STATUS_WORDS[status]
        found.append(
            DrawnJoint(
                joint=place.joint,
                x=place.x,
                y=place.y,
                status=status.value,
                zone=zone,
                letter=zone if status is Status.NORMAL and zone else word.letter,
                name=f"joint {place.joint}: {word.name}, {f'zone {zone}' if zone else 'no zone'}",
            )
        )
    top = 0 if drawn.head else ARM_TOP
    return Drawing(figure=drawn, joints=tuple(found), top=top, width=WIDTH, height=HEIGHT - top)


def last_values(readings: Sequence[LatestReading]) -> LastValues:
    """In the order of the signal table, which is that of the readings."""
    single: dict[str, list[LatestReading]] = {}
    by_joint: dict[int, dict[str, LatestReading]] = {}
    for reading in readings:
        if reading.joint:
            by_joint.setdefault(reading.joint, {})[reading.signal] = reading
        else:
            single.setdefault(SIGNAL[reading.signal].component.value, []).append(reading)
    present = {reading.signal for reading in readings if reading.joint}
    signals = tuple(signal.name for signal in SIGNALS if signal.name in present)
    lines = (
        JointLine(joint, tuple(found.get(name) for name in signals), max(one.time for one in found.values()))
        for joint, found in sorted(by_joint.items())
    )
    return LastValues(
        single=tuple((component, tuple(found)) for component, found in single.items()),
        signals=signals,
        joints=tuple(lines),
    )


def own_signs(readings: Sequence[LatestReading]) -> dict[str, LatestReading]:
    """What is the robot's as a whole, by signal: its agent's own vital signs among it."""
    return {reading.signal: reading for reading in readings if SIGNAL[reading.signal].component is Component.ROBOT}


def charts_of(readings: Sequence[LatestReading]) -> list[Chart]:
    """Those of which the robot has sent anything; of a chart, the signals that it has."""
    present = {reading.signal for reading in readings}
    found = []
    for chart in CHARTS:
        signals = tuple(signal for signal in chart.signals if signal in present)
        if signals:
            found.append(msgspec.structs.replace(chart, signals=signals))
    return found


def _last_value(component: ComponentHealth, last_seen: datetime | None) -> datetime | None:
    if component.last_value_us == NO_VALUE_US:
        return None
    return last_seen if component.last_value_us < 0 else _EPOCH + timedelta(microseconds=component.last_value_us)
