"""Why a status is what it is, in words: the text of `robovitals explain`.

In: an `Explained`, which `deploy/commands/explain.py` gathers from the database, and the time. Out: lines. Here is
also what a rule's evidence is looked up by: which figure of the windows it judges, and over which stretch of time.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec
from rich.text import Text

from deploy.standing import Standing, extreme, joint_of
from deploy.text import STATUS_STYLE, number, since
from schemas.health import NO_VALUE_US, ComponentHealth, Evidence, Status, Zone
from schemas.robot_code import RobotCodeParts, checked_code, format_code
from schemas.signals import SIGNAL, Statistic
from serve import figures
from serve.database import HistoryLine, RobotState, Stretch
from serve.words import matter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A limit judges a window's extreme, a slow rule an epoch's mean level.
_LEVELS = (Statistic.RMS, Statistic.MEAN, Statistic.LAST, Statistic.MAX, Statistic.MIN)
_COUNTS = {
    "silence": ("frames", "frames received"),
    "gap": ("missing", "frames missing"),
    "restart": ("boots", "boots seen"),
    "mode": ("fault_frames", "frames in mode fault"),
    "clock": ("frames", "frames received"),
}
_EPOCH_LENGTH, _DAY = timedelta(minutes=10), timedelta(days=1)
_LENGTHS = dict.fromkeys(("drift", "step", "peer", "pattern", "sensor"), _EPOCH_LENGTH) | {"trend": _DAY}

_STATUS_WORDS = {
    Status.NORMAL: "values come, and no rule has an open episode",
    Status.UNKNOWN: "no value has come for a while: nobody can say how it is, and it does not count as healthy",
    Status.MAINTENANCE_REQUIRED: "it works, and somebody should look after it before it no longer does",
    Status.OFF_SPEC: "it works outside of its limits",
    Status.CHECK_FUNCTION: "its data cannot be trusted",
    Status.FAILURE: "it reports a fault",
}
_ZONE_WORDS = {
    Zone.A: "as new, well within its limits",
    Zone.B: "nearer to a warning limit than the alarm limit lies beyond that",
    Zone.C: "fit for a limited time: beyond a warning limit, off its baseline, or heading for its limit",
    Zone.D: "beyond an alarm limit",
    Zone.NONE: "none, since nothing of it has a limit, or there is no value",
}


class Look(NamedTuple):
    """What of the windows shows an evidence: an aggregate of `serve/figures.py`, its words and unit, and over which
    stretch of time (None: one window).
    """

    figure: str
    words: str
    unit: str
    length: timedelta | None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One evidence and the stretches of windows around its first sign and before its last; `shows` says of what."""

    evidence: Evidence
    shows: str
    unit: str
    stretch_s: float
    stretches: list[Stretch]


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """One component: why it has its status, how the values of the robot's last window stand to its limits, when its
    last value was (None: none is known), and what happened to it.
    """

    component: ComponentHealth
    last_value: datetime | None
    reasons: list[Reason]
    standings: list[Standing]
    history: list[HistoryLine]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What the command prints, as it appears in `--json`."""

    code: RobotCodeParts
    state: RobotState
    components: list[Why]


def look_of(evidence: Evidence, component: str) -> Look | None:
    """Where to look for what `evidence` of `component` says; None where no window shows it."""
    if evidence.rule in _COUNTS:
        name, words = _COUNTS[evidence.rule]
        return Look(figures.of_count(name), words, "", None)
    if evidence.signal not in SIGNAL:
        return None
    signal, length = SIGNAL[evidence.signal], _LENGTHS.get(evidence.rule)
    if length:
        statistic = next(one for one in _LEVELS if one in signal.statistics)
    else:
        statistic = extreme(signal, evidence.side or "above")
    unit = "" if signal.unit == "1" else signal.unit
    figure = figures.of_signal(signal.name, joint_of(component), statistic)
    return Look(figure, f"{signal.name} {statistic}", unit, length)


def last_value_of(component: ComponentHealth, robot: RobotState) -> datetime | None:
    """When the component's last value was."""
    if component.last_value_us == NO_VALUE_US:
        return None
    return robot.last_seen if component.last_value_us < 0 else time_of(component.last_value_us)


def time_of(time_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_us)


def lines(explained: Explained, now: datetime) -> Iterator[Text]:
    """The whole explanation. Components worst first."""
    state, code = explained.state, explained.code
    status, zone = Status(state.status or Status.UNKNOWN), Zone(state.zone or "")
    yield Text(format_code(checked_code(state.robot_id)), style="bold")
    yield Text(f"country {code.country}, maker {code.enterprise}, model {code.model}, serial {code.serial}")
    yield _verdict("The robot", status, zone)
    yield Text(
        f"  as judged {_moment(state.assessed, now)}; last frame {_moment(state.last_seen, now)}, "
        f"software {state.software or '–'}"
    )
    for why in explained.components:
        yield Text()
        yield from _of_component(why, now)


def _verdict(subject: str, status: Status, zone: Zone) -> Text:
    text = (
        Text(f"{subject} is ")
        .append(status.value, style=STATUS_STYLE[status])
        .append(f": {_STATUS_WORDS[status]}.")
    )
    return text.append(f" Zone {zone.value or '–'}: {_ZONE_WORDS[zone]}.")


def _of_component(why: Why, now: datetime) -> Iterator[Text]:
    component = why.component
    yield _verdict(component.component, component.status, component.zone)
    for reason in why.reasons:
        yield from _of_reason(reason, now)
    if why.standings:
        yield Text(f"  its values, in the window of {_moment(why.standings[0].time, now)}:")
    for standing in why.standings:
        yield Text(f"    {_standing(standing)}")
    if component.remaining_life:
        yield Text(f"  remaining life: {component.remaining_life.text}")
    last = "none is known" if why.last_value is None else _moment(why.last_value, now)
    yield Text(f"  last value: {last}")
    if why.history:
        yield Text("  what happened, newest first:")
    for line in why.history:
        yield Text(f"    {_clock(line.time)}  {_happened(line)}  [{line.episode_id}]")


def _happened(line: HistoryLine) -> str:
    """A person's deed by who did it and why, anything else by its sentence."""
    if line.actor:
        return f"{line.rule} {line.transition} by {line.actor}{f': {line.note}' if line.note else ''}"
    return f"{line.rule} {line.transition}{'' if line.live else ' (from late data)'}  {matter(line.text)}"


def _of_reason(reason: Reason, now: datetime) -> Iterator[Text]:
    evidence = reason.evidence
    yield Text(f"  because: {evidence.text}")
    version = f" version {evidence.rule_version}" if evidence.rule_version else ""
    confidence = "–" if evidence.confidence is None else f"{evidence.confidence:.0%}"
    yield Text(
        f"    rule {evidence.rule}{version}; value {_quantity(evidence.value, evidence.unit)}, "
        f"baseline {_quantity(evidence.baseline, evidence.unit)}, "
        f"threshold {_quantity(evidence.limit, evidence.unit)}, confidence {confidence}"
    )
    last = f", latest {_moment(time_of(evidence.last_us), now)}" if evidence.last_us >= 0 else ""
    yield Text(f"    first sign {_moment(time_of(evidence.since_us), now)}{last}")
    if not reason.stretches:
        shows = (
            f"    no windows of that time are kept ({reason.shows})" if reason.shows else "    no window shows it"
        )
        yield Text(shows)
        return
    yield Text(
        f"    windows: {reason.shows}{f' in {reason.unit}' if reason.unit else ''}, every {reason.stretch_s:g} s"
    )
    yield from _of_stretches(reason)


def _of_stretches(reason: Reason) -> Iterator[Text]:
    """One line each; a gap is said."""
    length, first = timedelta(seconds=reason.stretch_s), time_of(reason.evidence.since_us)
    expected: datetime | None = None
    for stretch in reason.stretches:
        if expected is not None and stretch.time > expected:
            yield Text("      …")
        expected = stretch.time + length
        value = "no value" if stretch.value is None else number(stretch.value)
        sign = "  first sign" if stretch.time <= first < stretch.time + length else ""
        yield Text(f"      {_clock(stretch.time)}  {value}{sign}")


def _standing(standing: Standing) -> str:
    limits = f"warning from {number(standing.warn)}, alarm from {number(standing.alarm)} {standing.unit}".rstrip()
    side = "" if standing.side == "above" else " (downwards)"
    return f"{standing.signal} {_quantity(standing.value, standing.unit)}; {limits}{side}"


def _quantity(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{number(value)} {unit}".rstrip()


def _moment(time: datetime | None, now: datetime) -> str:
    """When, and how long ago that is."""
    if time is None:
        return "never"
    ago = since(time, now)
    return f"{_clock(time)} ({ago if ago.endswith('ahead') else f'{ago} ago'})"


def _clock(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
