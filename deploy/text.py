"""Words and colours that the terminal commands share: ages, statuses, times."""

from datetime import datetime

from schemas.health import Status

# Colour never alone: the status word always stands beside it.
STATUS_STYLE = {
    Status.FAILURE: "bold white on red",
    Status.CHECK_FUNCTION: "bold magenta",
    Status.OFF_SPEC: "bold red",
    Status.MAINTENANCE_REQUIRED: "yellow",
    Status.UNKNOWN: "dim",
    Status.NORMAL: "green",
}


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
