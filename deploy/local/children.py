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

LOG_KEEP_BYTES = 10_000_000
POLL_EVERY_S = 0.02
SERVER_ENVIRON = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
"""For Kafka and the database: nothing of the user's (JAVA_TOOL_OPTIONS, LD_LIBRARY_PATH, PG…) reaches them."""


class Identity(msgspec.Struct, frozen=True):
    """These three name one process for ever. None of them comes from the wall clock, which may be set."""

    pid: int
    boot: str
    """The kernel's random id of the boot in which the process began."""
    start_ticks: int
    """When it began, in clock ticks since that boot."""


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
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): the state is field 3 and the start field 22; field 2 is the name, which may hold anything.
    fields = stat[stat.rindex(b")") + 1 :].split()
    if fields[0] in (b"Z", b"X"):
        return None
    return Identity(pid, Path("/proc/sys/kernel/random/boot_id").read_text().strip(), int(fields[19]))


def is_alive(identity: Identity) -> bool:
    return identify(identity.pid) == identity


def uptime_s(identity: Identity) -> float:
    """How long a process of this boot has been there."""
    since_boot_s = float(Path("/proc/uptime").read_text().split()[0])
    return since_boot_s - identity.start_ticks / os.sysconf("SC_CLK_TCK")


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
