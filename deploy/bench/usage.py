"""What processes use: CPU since they began, and the most memory that they ever had.

In: process ids by a name. Out: seconds, bytes. Called by the benchmarks around what they measure. A process's
children count as its own, also those that have ended: PostgreSQL is one process a connection.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

Pids = Mapping[str, int]


def cpu_s(pids: Pids) -> dict[str, float]:
    """User and system time of each."""
    return {name: _cpu_s(pid) for name, pid in pids.items()}


def machine_cpu_s() -> float:
    """What all processors together have been busy with, or were not given by their host."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def peak_bytes(pids: Pids) -> dict[str, int]:
    """The largest resident set of each, without its children: theirs would count shared memory twice."""
    return {name: _peak_bytes(pid) for name, pid in pids.items()}


def resident_bytes(pids: Pids) -> dict[str, int]:
    """What each has now; one that has ended is left out."""
    found: dict[str, int] = {}
    for name, pid in pids.items():
        with suppress(psutil.NoSuchProcess):
            found[name] = psutil.Process(pid).memory_info().rss
    return found


def _cpu_s(pid: int) -> float:
    process = psutil.Process(pid)
    total = 0.0
    for one in (process, *process.children()):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue  # its time is its parent's from now on
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _peak_bytes(pid: int) -> int:
    """Linux keeps it: VmHWM, in kB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
