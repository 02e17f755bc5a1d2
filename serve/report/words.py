"""How the report says things: days, spans, hours, counts. Pure; called by everything of the report that has
text.
"""

from datetime import UTC, datetime, timedelta

DAY_US = 24 * 3_600_000_000
HOUR_S = 3600
NARROW = "\u202f"
COUNTER_NAMES = {"runtime_s": "running time", "energy_wh": "energy", "cycles": "cycles"}
SIGNAL_NAMES = {
    "joint_wear": "Wear of the joints",
    "joint_backlash_arcmin": "Backlash of the joints",
    "pose_accuracy_mm": "Pose accuracy (ISO 9283 AP)",
    "pose_repeatability_mm": "Pose repeatability (ISO 9283 RP)",
    "battery_soh": "State of health of the battery",
}


def moment(us: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def day(us: int | None, otherwise: str = "not known") -> str:
    return otherwise if us is None else f"{moment(us):%Y-%m-%d}"


def minute(us: int) -> str:
    return f"{moment(us):%Y-%m-%d %H:%M} UTC"


def span(from_us: int, until_us: int | None) -> str:
    return f"{day(from_us)} to {day(until_us, 'today')}"


def grouped(number: float) -> str:
    return f"{round(number):,}".replace(",", NARROW)


def hours(seconds: int | None) -> str:
    return "not known" if seconds is None else f"{grouped(seconds / HOUR_S)}{NARROW}h"


def counted(name: str, value: int | None) -> str:
    """A counter's value with its unit."""
    if value is None:
        return "not known"
    match name:
        case "runtime_s":
            return hours(value)
        case "energy_wh":
            return f"{grouped(value / 1000)}{NARROW}kWh"
        case _:
            return grouped(value)


def lasting(us: int) -> str:
    """`3 days`, `14 h`."""
    days = us / DAY_US
    if days >= 2:
        return count(round(days), "day")
    return f"{round(us / 3_600_000_000)}{NARROW}h"


def count(number: int, one: str, many: str = "") -> str:
    return f"{grouped(number)} {one if number == 1 else many or one + 's'}"


def share(part: float, whole: float) -> str:
    """Never 100 % or 0 % where it is not."""
    if whole <= 0:
        return "none"
    percent = 100 * part / whole
    if part == 0 or part >= whole or 1 <= percent <= 99:
        return f"{percent:.0f}{NARROW}%"
    return f"less than 1{NARROW}%" if percent < 1 else f"more than 99{NARROW}%"


def number(value: float) -> str:
    return f"{value:.4g}"


def axis(value: float) -> str:
    """A round value beside an axis."""
    return grouped(value) if abs(value) >= 1000 else number(value)


def component(name: str) -> str:
    """`joint/3` is «joint 3»."""
    return name.replace("/", " ")


def listed(texts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")
