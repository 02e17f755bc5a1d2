"""The real recordings that the detectors are held against, by name.

In: the folder of one. Out: an `Outcome`. Called by `deploy/commands/evaluate.py`.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from deploy.evaluate import armpi, battery, ur3
from deploy.evaluate.outcome import Outcome
from deploy.evaluate.picture import LifePicture
from deploy.progress import Progress
from schemas.errors import SettingError


def evaluate(name: str, folder: Path, progress: Progress) -> Outcome:
    """Raises SettingError for a name or a file that is wrong, UnavailableError for a folder that has no such."""
    if name not in RECORDINGS:
        raise SettingError(f"--recording {name}: not known; give one of {', '.join(RECORDINGS)}")
    return RECORDINGS[name](folder, progress)


def _armpi(folder: Path, progress: Progress) -> Outcome:
    result = armpi.run(folder, progress)
    return Outcome(result.table(), result.as_json(), result.pictures)


def _ur3(folder: Path, progress: Progress) -> Outcome:
    result = ur3.run(folder, progress)
    return Outcome(result.table(), result.as_json(), result.pictures)


def _battery_nasa(folder: Path, progress: Progress) -> Outcome:
    result = battery.run(folder)
    progress(1, 1)
    ends = {cell.name: cell.end for cell in result.cells}
    pictures = [_life(path, ends) for path in sorted(folder.glob(battery.PATTERN))]
    return Outcome(result.table(), msgspec.json.decode(result.as_json()), pictures)


def _life(path: Path, ends: dict[str, int | None]) -> LifePicture:
    name = path.name.partition("_")[0]
    judged = battery.judge(battery.read(path))
    return LifePicture(
        name=f"battery-{name}",
        title=f"NASA cell {name}: capacity, and the cycles left as said after each",
        capacity_ah=judged.capacity_ah,
        end_of_life_ah=battery.END_OF_LIFE_AH,
        remaining=judged.remaining,
        low=judged.low,
        high=judged.high,
        end=ends[name],
    )


RECORDINGS: dict[str, Callable[[Path, Progress], Outcome]] = {
    "armpi": _armpi,
    "ur3": _ur3,
    "battery_nasa": _battery_nasa,
}
