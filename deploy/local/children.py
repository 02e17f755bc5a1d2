"""Starting, recognising and ending operating system processes.

In: a command line. Out: a `subprocess.Popen`, and an `Identity` that a later run can recognise it by: a process
id alone may have been given to somebody else since. Called by the servers and the supervisor.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil

LOG_KEEP_BYTES = 10_000_000
POLL_EVERY_S = 0.02
CREATED_TOLERANCE_S = 3.0
SERVER_ENVIRON = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
"""For Kafka and the database: nothing of the user's (JAVA_TOOL_OPTIONS, LD_LIBRARY_PATH, PG…) reaches them."""


class Identity(msgspec.Struct, frozen=True):
    pid: int
    created_s: float
    """When the process began, as the operating system tells it: with the id, this names one process for ever."""


class User(msgspec.Struct, frozen=True):
    uid: int
    gid: int


class Signalled(msgspec.Struct, frozen=True):
    """One step of ending a process: send this, then wait that long before the next step."""

    number: signal.Signals
    wait_s: float


KILL = Signalled(signal.SIGKILL, 10.0)


def spawn(
    command: Sequence[str | Path],
    log: Path,
    cwd: Path,
    environ: dict[str, str],
    user: User | None = None,
) -> subprocess.Popen[bytes]:
    """Start it in a session of its own (a terminal's Ctrl-C is for the supervisor), output appended to `log`.

    Only root may name another `user`. The directory is entered before the user changes, so `cwd` may lie where
    that user could not go by path.
    """
    rotate(log)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env=environ,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            start_new_session=True,
        )


def rotate(log: Path) -> None:
    """A log that has grown large is set aside, in place of the one set aside before."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_KEEP_BYTES:
        log.rename(log.with_name(log.name + ".1"))


def identify(pid: int) -> Identity | None:
    """None when there is no such process (any more)."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Identity(pid, process.create_time())
    except psutil.Error:
        return None


def is_alive(identity: Identity) -> bool:
    """The creation time is derived from the clock, which may have been set a little since."""
    now = identify(identity.pid)
    return now is not None and abs(now.created_s - identity.created_s) < CREATED_TOLERANCE_S


def stop(process: subprocess.Popen[bytes], steps: Sequence[Signalled]) -> None:
    """End a child of ours, gently first; returns when it is gone."""
    for step in (*steps, KILL):
        process.send_signal(step.number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=step.wait_s)
            break


def end_by_identity(identity: Identity, steps: Sequence[Signalled]) -> bool:
    """End exactly this process, which need not be a child of ours; whether it was there."""
    if not is_alive(identity):
        return False
    for step in (*steps, KILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(identity.pid, step.number)
        if wait_until_gone(identity, step.wait_s):
            break
    return True


def wait_until_gone(identity: Identity, timeout_s: float) -> bool:
    """Whether it is. A dead process whose new parent has not yet asked for it counts as gone."""
    until_s = time.monotonic() + timeout_s
    while is_alive(identity):
        if time.monotonic() > until_s:
            return False
        time.sleep(POLL_EVERY_S)
    return True


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 64_000))
            return file.read().decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def last_words(log: Path) -> str:
    """What the log ends with, as one line for an error message."""
    lines = [line.strip() for line in tail(log, 20) if line.strip()]
    worst = [line for line in lines if "FATAL" in line or "ERROR" in line or "rror:" in line]
    return f"{(worst or lines or ['it said nothing'])[-1][:300]} (see {log})"
