"""ArmPi: over-temperature faults in six servos, sixteen sessions, four of them with faults.

In: the folder of the recording. Out: a `Result`. Called by `deploy/evaluate/recordings.py`. Each servo's
temperature in each session is a series of its own: it commissions itself with its first rows, and is judged by the
shipped rules about machines, at their defaults. No session teaches another. An over-temperature has a side, so only
what is above its baseline counts. What was chosen with the labels in view is said in `docs/evaluation.md`.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from deploy.evaluate.metrics import Counts, Tally
from deploy.evaluate.picture import Picture
from deploy.evaluate.stream import Scorer
from deploy.evaluate.table import Names, read_all
from deploy.progress import Progress
from processors.detectors.tracks import Track
from processors.detectors.tuning import commissioned
from processors.findings import DRIFT, STEP
from schemas.columns import Float32, Int64
from schemas.errors import UnavailableError
from schemas.signals import SIGNAL

SIGNAL_NAME = "joint_temperature_c"
MOTORS = 6
# Ten seconds: the shortest session with a fault has 23 s, the fault after 13.
TRAIN_ROWS = 100
RULES = (DRIFT, STEP)
ABOVE = 1
PUBLISHED_F1 = 0.277
# What the least injected fault does to a thermometer of whole degrees.
LEAST_RISE_C = 1.0
LEVEL_ROWS = 60


class Series(msgspec.Struct, frozen=True):
    """One servo in one session. `temperature_c` NaN where the reading was impossible."""

    session: str
    motor: int
    time_us: Int64
    temperature_c: Float32
    labels: NDArray[np.int8]
    score: Float32
    flag: NDArray[np.bool_]

    @property
    def counts(self) -> Counts:
        tally = Tally()
        tally.take(self.labels[TRAIN_ROWS:], self.flag[TRAIN_ROWS:], self.time_us[TRAIN_ROWS:])
        return tally.end()

    @property
    def faulty(self) -> bool:
        return bool((self.labels == 1).any())


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """`faulty`: the sessions that have faults, together; `all`: every session. `shows`: the share of labelled rows
    in which the thermometer is above what it was; `blind`: the share before it first is, which nobody can flag
    without foresight; `fixed_f1`: the best that one fixed limit could reach, chosen with hindsight.
    """

    sessions: dict[str, Counts]
    faulty: Counts
    all: Counts
    shows: float
    blind: float
    fixed_f1: float
    fixed_c: float
    pictures: list[Picture]

    @property
    def most_f1(self) -> float:
        """Of one who flags from the first sign to the label's end, and nothing else."""
        return 2 * (1 - self.blind) / (2 - self.blind)

    @property
    def shown_f1(self) -> float:
        """Of one who flags just the rows that show something."""
        return 2 * self.shows / (1 + self.shows)

    def as_json(self) -> dict[str, Any]:
        return {
            "recording": "armpi",
            "f1": self.faulty.f1,
            "precision": self.faulty.precision,
            "recall": self.faulty.recall,
            "false_alarm_rate": self.faulty.false_alarm_rate,
            "missed_rate": self.faulty.missed_rate,
            "episodes": len(self.faulty.episodes),
            "found": len(self.faulty.found),
            "delay_s": self.faulty.median_delay_s,
            "published_f1": PUBLISHED_F1,
            "labels_allow_f1": self.most_f1,
            "labels_show_f1": self.shown_f1,
            "fixed_limit_f1": self.fixed_f1,
            "all_sessions": {
                "f1": self.all.f1,
                "false_alarm_rate": self.all.false_alarm_rate,
                "false_episodes": self.all.false_episodes,
            },
            "sessions": {name: counts.f1 for name, counts in self.sessions.items() if counts.episodes},
        }

    def table(self) -> Group:
        heads = (
            "faulty rows",
            "precision",
            "recall",
            "F1",
            "false alarm rate",
            "found",
            "delay, s",
            "false episodes",
        )
        table = Table("session", *(Column(head, justify="right") for head in heads), box=None, pad_edge=False)
        for name, counts in self.sessions.items():
            if counts.episodes:
                table.add_row(name, *_cells(counts))
        table.add_row("these four", *_cells(self.faulty))
        table.add_row("all sixteen", *_cells(self.all))
        return Group(
            Text("ArmPi: over-temperature of a servo, row by row, each session alone\n"),
            table,
            Text(
                f"\npublished best F1: {PUBLISHED_F1}; one fixed limit, chosen with hindsight "
                f"({self.fixed_c:.0f} °C): {self.fixed_f1:.3f}\n"
                f"the labels allow {self.most_f1:.3f} at most: {self.blind:.1%} of their rows come before the "
                f"thermometer moves at all\n"
                f"flagging just the rows {LEAST_RISE_C:.0f} °C or more above what the servo had before "
                f"({self.shows:.1%} of the labelled) gives {self.shown_f1:.3f}"
            ),
        )


def run(folder: Path, progress: Progress) -> Result:
    """Raises UnavailableError and SettingError for what is not the recording."""
    files = _files(folder)
    told = []
    for done, (session, motor, path) in enumerate(files):
        told.append(judge(session, motor, path))
        progress(done + 1, len(files))
    sessions: dict[str, Counts] = {}
    for series in told:
        sessions.setdefault(series.session, Counts()).add(series.counts)
    faulty = [counts for counts in sessions.values() if counts.episodes]
    shows, blind = visible(told)
    fixed_c, fixed_f1 = fixed_limit([s for s in told if sessions[s.session].episodes])
    return Result(
        sessions=sessions,
        faulty=_sum(faulty),
        all=_sum(sessions.values()),
        shows=shows,
        blind=blind,
        fixed_f1=fixed_f1,
        fixed_c=fixed_c,
        pictures=[_picture(series) for series in told if series.faulty],
    )


def _files(folder: Path) -> list[tuple[str, int, Path]]:
    sessions = sorted(path for path in (folder / "sessions").glob("*") if path.is_dir())
    files = [(s.name, motor, s / f"data_motor_{motor}.csv") for s in sessions for motor in range(1, MOTORS + 1)]
    if not files:
        raise UnavailableError(
            f"{folder} has no sessions/*/data_motor_1.csv: name the folder of the recording armpi"
        )
    return files


def judge(session: str, motor: int, path: Path) -> Series:
    """One servo's temperature through the shipped detectors, an impossible reading taken out as in the pipeline."""
    block = read_all(path, Names("time", ("temperature",), "label"))
    signal = SIGNAL[SIGNAL_NAME]
    value = block.values.astype(np.float32)
    value[(value < signal.low) | (value > signal.high)] = np.nan
    scored = Scorer([Track("temperature", 0)], commissioned(TRAIN_ROWS)).score(block.time_us, value)
    hot = scored.only(RULES, ABOVE)
    assert block.labels is not None
    return Series(session, motor, block.time_us, value[:, 0], block.labels, hot.score, hot.flag)


def visible(told: list[Series]) -> tuple[float, float]:
    """Of the labelled rows the share that is above what the servo had before, and that before the first such."""
    shows = blind = labelled = 0
    for series in told:
        for first, end in _episodes(series):
            before_c = np.nanmedian(series.temperature_c[max(first - LEVEL_ROWS, 0) : first])
            higher = series.temperature_c[first:end] >= before_c + LEAST_RISE_C
            shows += int(higher.sum())
            blind += int(higher.argmax()) if higher.any() else end - first
            labelled += end - first
    return shows / max(labelled, 1), blind / max(labelled, 1)


def fixed_limit(told: list[Series]) -> tuple[float, float]:
    """The best limit in whole °C for these series together, and its F1: nobody knows it beforehand."""
    faulty = np.concatenate([series.labels[TRAIN_ROWS:] == 1 for series in told])
    temperature = np.concatenate([series.temperature_c[TRAIN_ROWS:] for series in told])
    best = max((_f1(faulty, temperature >= limit_c), -limit_c) for limit_c in range(20, 90))
    return -best[1], best[0]


def _f1(faulty: NDArray[np.bool_], flags: NDArray[np.bool_]) -> float:
    both = int((faulty & flags).sum())
    return 2 * both / max(int(faulty.sum()) + int(flags.sum()), 1)


def _episodes(series: Series) -> Iterator[tuple[int, int]]:
    return ((e.first_row + TRAIN_ROWS, e.first_row + TRAIN_ROWS + e.rows) for e in series.counts.episodes)


def _sum(parts: Iterable[Counts]) -> Counts:
    whole = Counts()
    for part in parts:
        whole.add(part)
    return whole


def _cells(counts: Counts) -> list[str]:
    ratios = (counts.precision, counts.recall, counts.f1, counts.false_alarm_rate)
    return [
        str(counts.true_positive + counts.false_negative),
        *("–" if ratio is None else f"{ratio:.3f}" for ratio in ratios),
        f"{len(counts.found)} of {len(counts.episodes)}",
        "–" if counts.median_delay_s is None else f"{counts.median_delay_s:.1f}",
        str(counts.false_episodes),
    ]


def _picture(series: Series) -> Picture:
    return Picture(
        name=f"armpi-{series.session}-{series.motor}",
        title=f"ArmPi {series.session}, servo {series.motor}: injected over-temperature",
        seconds=(series.time_us - series.time_us[0]) / 1e6,
        signal=series.temperature_c,
        signal_name="temperature, °C",
        score=series.score,
        flag=series.flag,
        labels=series.labels,
        label_name="fault injected",
        train_s=float(series.time_us[TRAIN_ROWS] - series.time_us[0]) / 1e6,
    )
