"""Words and colours that the terminal commands share: ages, statuses, times."""

from schemas.health import Status
from serve.words import age, number, since

__all__ = ["STATUS_STYLE", "age", "number", "since"]

# Colour never alone: the status word always stands beside it.
STATUS_STYLE = {
    Status.FAILURE: "bold white on red",
    Status.CHECK_FUNCTION: "bold magenta",
    Status.OFF_SPEC: "bold red",
    Status.MAINTENANCE_REQUIRED: "yellow",
    Status.UNKNOWN: "dim",
    Status.NORMAL: "green",
}
