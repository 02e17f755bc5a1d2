"""How the page and the terminal say things: statuses, states, rules, ages, quantities.

In: values as the database has them. Out: text. Called by the templates (`serve/pages.py`) and by `deploy/text.py`.
Pure.
"""

import re
from datetime import UTC, datetime

import msgspec

from schemas.health import Status, Zone
from schemas.signals import SIGNAL


class StatusWord(msgspec.Struct, frozen=True):
    """How a status looks and what it means. `letter` is NE 107's where it has one: colour never stands alone."""

    letter: str
    name: str
    meaning: str


STATUS_WORDS: dict[Status, StatusWord] = {
    Status.FAILURE: StatusWord("F", "Failure", "It does not do its work; see to it now."),
    Status.CHECK_FUNCTION: StatusWord("C", "Check function", "Its output cannot be relied on; look before use."),
    Status.OFF_SPEC: StatusWord("S", "Out of spec", "It works outside of what it was made for, or near its end."),
    Status.MAINTENANCE_REQUIRED: StatusWord("M", "Maintenance", "It works, and wears: plan a service."),
    Status.UNKNOWN: StatusWord("?", "Unknown", "Nothing comes from it: no sign of health, and it ends no alarm."),
    Status.NORMAL: StatusWord("N", "Normal", "It sends, and nothing is the matter."),
}

ZONE_WORDS: dict[Zone, str] = {
    Zone.A: "as new",
    Zone.B: "fit for long use",
    Zone.C: "worn: plan a service",
    Zone.D: "damage: beyond its alarm limit",
}

STATE_WORDS = {
    "unacknowledged_active": "Needs somebody",
    "acknowledged_active": "Acknowledged",
    "unacknowledged_cleared": "Ended, not seen",
    "shelved": "Shelved",
    "out_of_service": "Out of service",
    "normal": "Over",
}

RULE_WORDS = {
    "clock": "clock ahead",
    "drift": "slow drift",
    "fleet": "many robots",
    "gap": "lost frames",
    "limit": "limit",
    "mode": "fault reported",
    "pattern": "unusual pattern",
    "peer": "unlike its peers",
    "restart": "restarts",
    "sensor": "sensor",
    "silence": "silent",
    "step": "sudden change",
    "trend": "trend",
}

_CONTROL = {*range(0x20), *range(0x7F, 0xA0)} - {*map(ord, "\t\n\r")}
_DIRECTION = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
UNSEEN = dict.fromkeys(_CONTROL | _DIRECTION, "\ufffd")
"""Control characters, and those that turn the direction of what follows: none is ever ours, and with them a text
can look like another one.
"""

_SINCE = re.compile(r"(,? since|; it began) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
# What processors/telling.py puts before a condition's sentence, where no person did it or somebody did.
_DEED = (
    r"(?:Acknowledged|Shelved until [-\d]+ [:\d]+ UTC|Off the shelf|Comment|Taken out of service|Back in service)"
)
_GROUPED = r"(?:Part of episode \S+, which speaks for it|Speaks for itself again)"
_SIGNAL_WORDS = {"battery_soc": "battery charge", "battery_soh": "battery state of health"}
_UNIT_SUFFIXES = ("rad_s", "mm_s", "nm", "rad", "arcmin", "mm", "mv", "ms", "mohm", "ah", "a", "v", "c")


def age(seconds: float) -> str:
    """A duration as people say it: `0.4 s`, `12 s`, `4 m 12 s`, `3 h 5 m`, `12 d 4 h`."""
    if abs(seconds) < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, size, smaller, part in (("d", 86_400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if abs(whole) >= size:
            return f"{whole // size} {unit} {whole % size // part} {smaller}"
    return f"{whole} s"


def since(time: datetime | None, now: datetime) -> str:
    """How long ago; a time ahead of us is said to be so (a clock that is wrong)."""
    if time is None:
        return "never"
    seconds = (now - time).total_seconds()
    return age(seconds) if seconds > -1 else f"{age(-seconds)} ahead"


def number(value: float) -> str:
    """A reading for people: four significant digits."""
    return f"{value:.4g}"


def moment(time: datetime) -> str:
    """A time for people, UTC, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def status_word(status: str | None) -> StatusWord:
    """Of a robot that was not judged yet: UNKNOWN."""
    return STATUS_WORDS[Status(status or Status.UNKNOWN)]


def matter(text: str, actor: str = "", note: str = "") -> str:
    """What is the matter, without what was done about it. `actor`, `note`: who did what there is beside it."""
    by = f" by {re.escape(actor)}(?:: {re.escape(note)})?" if actor else ""
    return re.sub(rf"^(?:{_GROUPED}|{_DEED}(?:{by})?)[.!?]? ", "", text)


def group_words(text: str) -> str:
    """Of a parent's sentence whom it speaks for: `34 robots of model ZZSIMUHUMA29`."""
    return brief(text).partition(": ")[0].rstrip(".")


def brief(text: str) -> str:
    """A finding's sentence for a list that has a column for since when."""
    return _SINCE.sub("", text)


def signal_words(signal: str) -> str:
    """`joint_temperature_c` is «temperature», `battery_cell_spread_mv` «battery cell spread»."""
    if signal in _SIGNAL_WORDS:
        return _SIGNAL_WORDS[signal]
    bare = signal.removeprefix("joint_")
    for unit in _UNIT_SUFFIXES:
        if bare.endswith(f"_{unit}"):
            return bare.removesuffix(f"_{unit}").replace("_", " ")
    return bare.replace("_", " ")


def unit_of(signal: str) -> str:
    """As people write it: nothing for a pure number, or for what is no signal."""
    return "" if signal not in SIGNAL or SIGNAL[signal].unit == "1" else SIGNAL[signal].unit


def component_words(component: str) -> str:
    """`joint/3` is «joint 3»."""
    return component.replace("/", " ")


def count_of(number: int, one: str, many: str = "") -> str:
    """`1 robot`, `12 345 robots`: a thin space between thousands."""
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")
