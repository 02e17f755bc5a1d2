"""What an agent tells of itself: a small file beside its spool, and the same in words.

In: `Status`, written by `process.py` every second. Out: the file; read by `robovitals agent status`, which prints
`words` and exits by `unhealthy`. The file holds no secret.
"""

import os
from pathlib import Path

import msgspec

from schemas.errors import UnavailableError

STALE_S = 15.0  # a running agent writes every second
USED_UNHEALTHY = 0.9  # the alarm limit of spool_used


class Status(msgspec.Struct, frozen=True):
    """Times are UTC µs by the robot's clock; None is not known yet. `state` is of `uplink.State`. `dropped` are
    frames in the life of the spool, `lost_readings` those that went into no frame since the start."""

    robot_id: str
    pid: int
    written_us: int
    started_us: int
    state: str
    error: str
    frames_made: int
    acknowledged: int
    acknowledged_us: int | None
    latency_ms: float | None
    spool_frames: int
    spool_used: float
    spool_state: str
    dropped: int | None
    bad_lines: int
    last_bad_line: str
    reconnects: int
    throttled_ms: int
    clock_offset_ms: float | None
    clock_synchronised: bool | None
    clock_jumps: int
    lost_readings: int = 0


def write_status(path: Path, status: Status) -> None:
    """Replaced whole; not synced: after a power cut an old one is as good. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(status)))
    os.replace(beside, path)


def read_status(path: Path) -> Status:
    """Raises UnavailableError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Status)
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}: no agent has run here: `robovitals agent`") from None
    except msgspec.MsgspecError as error:
        raise UnavailableError(f"{path} cannot be read: {error}") from None


def unhealthy(status: Status, now_us: int) -> str | None:
    """Why somebody should look; None when all is well."""
    age_s = (now_us - status.written_us) / 1e6
    if status.state == "stopped":
        return "the agent was stopped"
    if age_s > STALE_S:
        return f"the agent does not run: its last word is {age_s:.0f} s old"
    if status.state == "refused":
        return "Kafka refuses this robot"
    if status.spool_state != "ok":
        return f"the spool's disk is {status.spool_state}"
    if status.spool_used >= USED_UNHEALTHY:
        return f"the spool is {status.spool_used:.0%} full"
    if status.state == "offline":
        return "Kafka cannot be reached"
    return None


_STATES = {
    "connecting": "connecting to Kafka",
    "online": "sending",
    "throttled": "sending as slowly as Kafka's quota lets it",
    "offline": "Kafka cannot be reached; readings go to the spool",
    "refused": "Kafka refuses this robot; readings go to the spool",
    "stopped": "stopped; nothing is taken",
}


def words(status: Status, now_us: int) -> list[tuple[str, str]]:
    """A line each: what, and how it is."""
    ntp = {True: "synchronised", False: "not synchronised", None: "synchronisation unknown"}
    clock = ntp[status.clock_synchronised]
    if status.clock_offset_ms is not None:
        clock = f"{status.clock_offset_ms:+.0f} ms against the broker's, {clock}"
    if status.clock_jumps:
        clock += f", jumped {status.clock_jumps} times"
    told = [
        ("robot", status.robot_id),
        ("state", _STATES.get(status.state, status.state)),
        ("since", f"{_ago(status.started_us, now_us)} (process {status.pid})"),
        ("frames", f"{status.frames_made} made, {status.acknowledged} acknowledged"),
        ("last acknowledged", "never" if status.acknowledged_us is None else _ago(status.acknowledged_us, now_us)),
        ("latency", "unknown" if status.latency_ms is None else f"{status.latency_ms:.0f} ms"),
        ("spool", f"{status.spool_frames} frames, {status.spool_used:.1%} of its limit, disk {status.spool_state}"),
        ("dropped", "unknown" if status.dropped is None else f"{status.dropped} frames"),
        ("clock", clock),
        ("reconnects", str(status.reconnects)),
    ]
    if status.throttled_ms:
        told.append(("quota", f"has made it wait {status.throttled_ms / 1000:.1f} s"))
    if status.lost_readings:
        told.append(("lost readings", f"{status.lost_readings}: they came faster than frames are made of them"))
    if status.bad_lines:
        told.append(("bad lines", f"{status.bad_lines}, the last: {status.last_bad_line}"))
    if status.error:
        told.append(("last error", status.error))
    return told


def _ago(then_us: int, now_us: int) -> str:
    seconds = max(0, now_us - then_us) // 1_000_000
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
