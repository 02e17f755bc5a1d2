"""Findings in a technician's words.

In: a finding or an episode's numbers. Out: one sentence. Called by `processors/episodes.py`.
"""

from datetime import UTC, datetime, timedelta

from processors.findings import (
    CLOCK,
    DRIFT,
    GAP,
    LIMIT,
    MODE,
    PATTERN,
    PEER,
    RESTART,
    SENSOR,
    SILENCE,
    STEP,
    TREND,
    Level,
)  # fmt: skip
from schemas.signals import SIGNAL

_UNITS = ("rad_s", "mm_s", "nm", "rad", "arcmin", "mm", "mv", "ms", "mohm", "ah", "a", "v", "c")
_WORDS = {"battery_soc": "battery charge", "battery_soh": "battery state of health"}
_LEVEL = {Level.WARN: "warning", Level.ALARM: "alarm"}


def sentence(
    rule: str, component: str, signal: str, side: str, level: Level, value: float | None, limit: float | None,
    baseline: float | None, since_us: int,
) -> str:  # fmt: skip
    """What is the matter, with its numbers and since when."""
    since = f"since {moment(since_us)}"
    if rule in _STRAYS:
        return _strayed(rule, component, signal, value, baseline, since)
    if rule == LIMIT:
        subject, bound = _subject(component, signal), f"{_LEVEL[level]} limit of {_quantity(signal, limit)}"
        if value is None:
            return f"{subject} went {side} its {bound}, {since}; it has no value now."
        if not _is_beyond(side, value, limit):
            return f"{subject} is {_quantity(signal, value)}, not yet clear of its {bound}, {since}."
        return f"{subject} is {_quantity(signal, value)}, {side} its {bound}, {since}."
    return {
        MODE: f"The robot reports a fault (mode fault), {since}.",
        CLOCK: f"The robot's clock runs ahead: its frames carry times in the future, {since}.",
        SILENCE: f"Nothing has come from the robot {since}; its state is unknown.",
        PATTERN: f"{_owner(component)}'s signals together are not as they were when it was new, though none is so "
        f"alone, {since}.",
        TREND: f"{_subject(component, signal)}, now {_quantity(signal, value)}, will reach its alarm limit within "
        f"a month at its present pace, {since}.",
        SENSOR: f"{_subject(component, signal)} cannot be believed: it is stuck, jumps or is missing, {since}.",
        GAP: f"Frames of the robot get lost on the way: its sequence numbers have gaps, {since}.",
        RESTART: f"The robot's sender starts again and again, {since}.",
    }[rule]


# What each rule compares a value with, and the rest of its sentence.
_STRAYS = {
    DRIFT: "has left its baseline slowly and lastingly",
    STEP: "has changed suddenly",
    PEER: "is unlike that of its model's other robots",
}


def _strayed(
    rule: str, component: str, signal: str, value: float | None, baseline: float | None, since: str
) -> str:
    subject = _subject(component, signal)
    if value is None or baseline is None:
        return f"{subject} {_STRAYS[rule]}, {since}; it has no value to compare now."
    expected = f"{_quantity(signal, baseline)} at this load and temperature when it was new"
    return f"{subject} {_STRAYS[rule]}: {_quantity(signal, value)}, where it was {expected}, {since}."


def ended(rule: str, component: str, signal: str, value: float | None, since_us: int) -> str:
    """What is over."""
    since = f"it began {moment(since_us)}"
    if rule == LIMIT:
        back = f"to {_quantity(signal, value)}, within its limits" if value is not None else "within its limits"
        return f"{_subject(component, signal)} is back {back}; {since}."
    return {
        MODE: f"The robot no longer reports a fault; {since}.",
        CLOCK: f"The robot's clock is right again; {since}.",
        SILENCE: f"Frames come from the robot again; it was silent, {since}.",
        PATTERN: f"{_owner(component)}'s signals are together as they were when it was new; {since}.",
        TREND: f"{_subject(component, signal)} is no longer about to reach its alarm limit; {since}.",
        SENSOR: f"{_subject(component, signal)} can be believed again; {since}.",
        GAP: f"Frames of the robot get lost no longer; {since}.",
        RESTART: f"The robot's sender keeps running; {since}.",
        **{name: f"{_subject(component, signal)} is as it was when it was new; {since}." for name in _STRAYS},
    }[rule]


def unit_of(signal: str) -> str:
    """As people write it: nothing for a pure number, or for what is no signal."""
    return "" if signal not in SIGNAL or SIGNAL[signal].unit == "1" else SIGNAL[signal].unit


def moment(time_us: int) -> str:
    """A time for people, UTC, to the second."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).strftime("%Y-%m-%d %H:%M:%S UTC")


def words_of(signal: str) -> str:
    """`joint_temperature_c` is «temperature», `battery_cell_spread_mv` «battery cell spread»."""
    if signal in _WORDS:
        return _WORDS[signal]
    bare = signal.removeprefix("joint_")
    for unit in _UNITS:
        if bare.endswith(f"_{unit}"):
            return bare.removesuffix(f"_{unit}").replace("_", " ")
    return bare.replace("_", " ")


def _owner(component: str) -> str:
    kind, _, number = component.partition("/")
    return f"{kind.capitalize()} {number}".rstrip()


def _subject(component: str, signal: str) -> str:
    _, _, number = component.partition("/")
    estimated = signal in SIGNAL and SIGNAL[signal].estimate
    words = f"estimated {words_of(signal)}" if estimated else words_of(signal)
    return f"Joint {number} {words}" if number else words[:1].upper() + words[1:]


def _quantity(signal: str, value: float | None) -> str:
    if value is None:
        return "nothing"
    return f"{value:.4g} {unit_of(signal)}".rstrip()


def _is_beyond(side: str, value: float, limit: float | None) -> bool:
    return limit is not None and (value >= limit if side == "above" else value <= limit)
