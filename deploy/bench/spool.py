"""What the robot's spool costs: CPU and disk while it is online, room and time for a week that it was away.

In: a directory on the disk that is asked about, how many frames. Out: a report. Called by `robovitals bench spool`.
Frames are a humanoid's 132 readings. Online is measured without waiting in between: so many frames as a second has,
then the second's sync, for many seconds.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.bench.fleet import Fleet
from deploy.bench.report import Goal, Line, Report
from ingest.agent.spool import Spool, SpoolLimits
from schemas.frame import encode_frame

RATES_HZ = (1, 10, 100)
SECONDS = 120
BATCH = 500
SYNC_EVERY = 5_000  # what a second of draining at full speed has, or less
LIMITS = SpoolLimits(max_bytes=4 << 30, max_age_s=30 * 86_400)
START_US = 1_760_000_000_000_000
NAME = "spool.db"


@dataclass(slots=True)
class _Found:
    """Figures by name, one a round."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)

    def line(self, name: str, label: str, goal: Goal | None = None) -> Line:
        return Line(name, label, self.values[name], goal)


def measure(directory: Path, frames: int, rounds: int) -> Report:
    """Everything it writes is below `directory` and removed again."""
    robot = Fleet(1, START_US, 1_000_000.0)
    values = [encode_frame(robot.frame(number)) for number in range(1_000)]
    found = _Found()
    for number in range(rounds):
        home = directory / f"round-{number}"
        try:
            for rate in RATES_HZ:
                _online(home / f"{rate}-hz" / NAME, rate, values, found)
            _away(home / "away" / NAME, frames, values, found)
        finally:
            shutil.rmtree(home, ignore_errors=True)
    return _report(frames, sum(map(len, values)) / len(values), found)


def _online(path: Path, rate: int, values: list[bytes], found: _Found) -> None:
    """Every frame is appended, sent at once and acknowledged; a sync each second."""
    spool = Spool.open(path, LIMITS, START_US)
    written, cpu_s = _written_bytes(), time.process_time()
    for number in range(SECONDS * rate):
        spool.append(values[number % len(values)], number, 1, START_US + number)
        frame = spool.newest()
        if frame is not None:
            spool.acknowledge([frame.id])
        if number % rate == rate - 1:
            spool.sync()
    cpu_s, written = time.process_time() - cpu_s, _written_bytes() - written
    spool.close()
    found.note(f"cpu_share_{rate}_hz", 100 * cpu_s / SECONDS)
    found.note(f"gb_a_day_{rate}_hz", written / SECONDS * 86_400 / 1e9)


def _away(path: Path, frames: int, values: list[bytes], found: _Found) -> None:
    """No broker for so many frames; then a start, and all of them are sent as fast as it goes."""
    spool = Spool.open(path, LIMITS, START_US)
    with _timed(found, "append_us", 1e6 / frames):
        for number in range(frames):
            spool.append(values[number % len(values)], number, 1, START_US + number)
            if number % SYNC_EVERY == 0:
                spool.sync()
    spool.close()
    found.note("file_mb", path.stat().st_size / 1e6)
    found.note("bytes_a_frame", path.stat().st_size / frames)
    with _timed(found, "open_ms", 1e3):
        spool = Spool.open(path, LIMITS, START_US)
    begin_s, drained = time.perf_counter(), 0
    while batch := spool.oldest(BATCH):
        spool.acknowledge(frame.id for frame in batch)
        drained += len(batch)
        if drained % SYNC_EVERY < BATCH:
            spool.sync()
    spool.sync()
    found.note("drained_per_s", drained / (time.perf_counter() - begin_s))
    spool.close()
    found.note("file_after_kb", path.stat().st_size / 1e3)


def _report(frames: int, value_bytes: float, found: _Found) -> Report:
    line = found.line
    online = [
        line(f"cpu_share_{rate}_hz", f"CPU at {rate} Hz, % of a core", Goal(at_most=1.0) if rate == 10 else None)
        for rate in RATES_HZ
    ] + [line(f"gb_a_day_{rate}_hz", f"written to the disk at {rate} Hz, GB a day") for rate in RATES_HZ]
    away = [
        line("append_us", "µs a frame to append"),
        line("file_mb", "size of the file, MB"),
        line("bytes_a_frame", "bytes a frame in it"),
        line("open_ms", "ms to open it", Goal(at_most=500.0)),
        line("drained_per_s", "frames/s to read and remove, nothing sent", Goal(at_least=20_000.0)),
        line("file_after_kb", "size of the file when it is empty, kB"),
    ]
    return Report(
        "spool",
        f"a robot's spool: frames of {value_bytes:.0f} bytes, a sync each second; then {frames} without a broker",
        {"online": online, "away": away},
    )


@contextmanager
def _timed(found: _Found, name: str, scale: float) -> Iterator[None]:
    begin_s = time.perf_counter()
    yield
    found.note(name, (time.perf_counter() - begin_s) * scale)


def _written_bytes() -> int:
    """By this process to the disk, as Linux counts it."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["write_bytes"])
