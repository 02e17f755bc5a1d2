"""What the simulator and `robovitals demo break` share: two small files in ROBOVITALS_HOME/simulator.

`fleet.json` says which robots there are, when their first day was and up to when they have sent; the simulator
writes it. `faults.json` says who is broken how and since when; whoever breaks or heals writes it, the simulator
reads it when it has changed. Both are replaced whole.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from ingest.fleet import Fault
from ingest.traits import Robot, robot
from schemas.errors import SettingError, UnavailableError
from schemas.robot_code import RobotCode

Broken = dict[str, dict[Fault, int]]  # robot code: fault: since when, in UTC µs


class FleetFile(msgspec.Struct, frozen=True):
    """`sent_until_us`: up to this event time frames have been sent."""

    seed: int
    robots: int
    first_day_us: int
    sent_until_us: int

    def members(self) -> list[Robot]:
        return [robot(self.seed, number) for number in range(1, self.robots + 1)]


def _fleet_path(home: Path) -> Path:
    return home / "simulator" / "fleet.json"


def _faults_path(home: Path) -> Path:
    return home / "simulator" / "faults.json"


def read_fleet(home: Path) -> FleetFile | None:
    """None when no fleet has run in `home`, or its file cannot be read: then a new one begins."""
    try:
        return msgspec.json.decode(_fleet_path(home).read_bytes(), type=FleetFile)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write_fleet(home: Path, fleet: FleetFile) -> None:
    _replace(_fleet_path(home), msgspec.json.encode(fleet))


def read_faults(home: Path) -> Broken:
    try:
        return msgspec.json.decode(_faults_path(home).read_bytes(), type=Broken)
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}


def faults_stamp(home: Path) -> tuple[int, int]:
    """Changes whenever the faults do."""
    try:
        status = _faults_path(home).stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_ino


def break_robots(home: Path, codes: Iterable[RobotCode], fault: Fault, now_us: int) -> None:
    """From now on; a fault that stands already keeps its beginning."""
    with _changing(home) as broken:
        for code in codes:
            broken.setdefault(code, {}).setdefault(fault, now_us)


def add_faults(home: Path, more: Broken) -> None:
    """Several at once, each since its own time; one that stands already keeps its beginning."""
    with _changing(home) as broken:
        for code, faults in more.items():
            broken[code] = {**faults, **broken.get(code, {})}


def heal_robots(home: Path, codes: Iterable[RobotCode]) -> None:
    """All their faults end."""
    with _changing(home) as broken:
        for code in codes:
            broken.pop(code, None)


def all_robots(home: Path) -> list[Robot]:
    """The simulated fleet. Raises UnavailableError when there is none."""
    return _fleet(home).members()


def find_robot(home: Path, text: str) -> Robot:
    """A simulated robot by its code, a unique beginning or end of it, or its number. Raises StopError."""
    fleet = _fleet(home)
    if text.isdecimal() and 1 <= int(text) <= fleet.robots:
        return robot(fleet.seed, int(text))
    wanted = text.strip().replace("-", "").upper()
    members = fleet.members()
    found = [r for r in members if wanted and (r.code.startswith(wanted) or r.code.endswith(wanted))]
    if len(found) == 1:
        return found[0]
    some = ", ".join(r.code for r in (found or members)[:3])
    what = f"{len(found)} simulated robots are" if found else "no simulated robot is"
    raise SettingError(f"robot {text!r}: {what} named so; give a code or a number up to {fleet.robots}: {some} …")


def _fleet(home: Path) -> FleetFile:
    fleet = read_fleet(home)
    if fleet is None:
        raise UnavailableError(f"no simulated fleet has run in {home}: `robovitals demo` starts one")
    return fleet


@contextmanager
def _changing(home: Path) -> Iterator[Broken]:
    """Read, change and write back as one, though simulator and command may do so at once."""
    _faults_path(home).parent.mkdir(parents=True, exist_ok=True)
    with _faults_path(home).with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        broken = read_faults(home)
        yield broken
        _replace(_faults_path(home), msgspec.json.format(msgspec.json.encode(broken)))


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    os.replace(beside, path)
