"""UR3: protective stops and lost grips of one cobot, one reading a second.

In: the folder of the recording. Out: a `Result`: which of these the shipped detectors foresee, which they see, and
which neither, **held against chance**. Called by `deploy/evaluate/recordings.py`.

A detector that flags often is often early by luck: `luck.py` says how often. And where no detector tells, the
readings themselves are asked which of them is most unlike itself around the episodes, with hindsight and on the
average.
"""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from deploy.evaluate.luck import Met, met, shift
from deploy.evaluate.picture import Picture
from deploy.evaluate.stream import Scored, Scorer
from deploy.evaluate.table import Block, Names, read_all
from deploy.progress import Progress
from processors.detectors.tracks import Track
from processors.detectors.tuning import rolling
from schemas.columns import Int64
from schemas.errors import UnavailableError

FILE = "ur3_cobotops.csv"
JOINTS = 6
CURRENTS = tuple(f"Current_J{joint}" for joint in range(JOINTS))
TEMPERATURES = ("Temperature_T0", *(f"Temperature_J{joint}" for joint in range(1, JOINTS)))
SPEEDS = tuple(f"Speed_J{joint}" for joint in range(JOINTS))
TOOL = "Tool_current"
COLUMNS = (*CURRENTS, *TEMPERATURES, *SPEEDS, TOOL)
LABELS = {"Robot_ProtectiveStop": "protective stop", "grip_lost": "lost grip"}
BEFORE_ROWS = 60
AFTER_ROWS = 10
TREND_ROWS = 601
SHOWN_ROWS = 900
# Less likely than this is more than luck: two labels, two questions and five rules are asked, 0.05 / 20.
SIGNIFICANT = 0.0025
ANY = "any rule"


class Answer(msgspec.Struct, frozen=True):
    """Of one label and one rule: `foreseen` within a minute before the onset, `seen` within ten seconds from it."""

    label: str
    rule: str
    foreseen: Met
    seen: Met


class Result(msgspec.Struct, frozen=True, kw_only=True):
    rows: int
    flagged: dict[str, float]
    episodes: dict[str, int]
    answers: list[Answer]
    traces: "list[Trace]"
    pictures: list[Picture]

    def as_json(self) -> dict[str, Any]:
        return {
            "recording": "ur3",
            "rows": self.rows,
            "flagged_share": self.flagged,
            "episodes": self.episodes,
            "before_s": BEFORE_ROWS,
            "after_s": AFTER_ROWS,
            "answers": self.answers,
            "traces": self.traces,
        }

    def table(self) -> Group:
        right = [
            Column(head, justify="right")
            for head in ("rows flagged", "foreseen", "by luck", "p", "seen", "by luck", "p")
        ]
        table = Table("label", "rule", *right, box=None, pad_edge=False)
        for answer in self.answers:
            met = (answer.foreseen, answer.seen)
            cells = [text for one in met for text in (f"{one.share:.0%}", f"{one.luck:.0%}", f"{one.p:.3f}")]
            table.add_row(answer.label, answer.rule, f"{self.flagged[answer.rule]:.1%}", *cells)
        return Group(
            Text(
                f"UR3: foreseen = a flag in the {BEFORE_ROWS} s before the onset, seen = in the {AFTER_ROWS} s "
                "from it\n"
                "by luck: the same flags moved in time; p: how often luck does as well\n"
            ),
            table,
            *map(Text, ["", *self.verdicts(), ""]),
            self._traces(),
            Text(
                "by: standard deviations of the mean over all episodes; apart: how often one episode is farther "
                "off than one other moment (50 %: it cannot be told from it)"
            ),
        )

    def verdicts(self) -> list[str]:
        lines = []
        for label in LABELS.values():
            mine = [answer for answer in self.answers if answer.label == label]
            foreseen = _unlikely({answer.rule: answer.foreseen for answer in mine})
            seen = _unlikely({answer.rule: answer.seen for answer in mine})
            lines.append(
                f"{label}, {self.episodes[label]} episodes: more often than by luck foreseen by {foreseen}, "
                f"seen by {seen}"
            )
        lines.append(
            "a protective stop is what the robot reports itself: the rule `mode` tells each with its first window"
        )
        return lines

    def _traces(self) -> Table:
        table = Table(
            "with hindsight", "", "off most", Column("by", justify="right"), Column("apart", justify="right"),
            box=None, pad_edge=False,
        )  # fmt: skip
        for trace in self.traces:
            when = f"{AFTER_ROWS} s {trace.when} the onset"
            table.add_row(trace.label, when, trace.column, f"{trace.deviations:+.1f}", f"{trace.apart:.0%}")
        return table


class Trace(msgspec.Struct, frozen=True):
    """The column that is off most on the average over all episodes of a label; see `luck.Shift`."""

    label: str
    when: str
    column: str
    deviations: float
    apart: float


def run(folder: Path, progress: Progress) -> Result:
    """Raises UnavailableError and SettingError for what is not the recording."""
    path = folder / FILE if folder.is_dir() else folder
    if not path.is_file():
        raise UnavailableError(f"{folder} has no {FILE}: name the folder of the recording ur3")
    blocks = {name: read_all(path, Names("Timestamp", COLUMNS, label)) for label, name in LABELS.items()}
    block = next(iter(blocks.values()))
    scored = judge(block, progress)
    flags = {ANY: scored.flag} | {rule: scored.by_rule[:, at] for at, rule in enumerate(scored.rules)}
    learning = int((~scored.ready).sum())
    answers: list[Answer] = []
    traces: list[Trace] = []
    episodes: dict[str, int] = {}
    for label, labelled in blocks.items():
        assert labelled.labels is not None
        onsets = onsets_of(labelled.labels)
        episodes[label] = len(onsets)
        onsets = onsets[(onsets >= learning + BEFORE_ROWS) & (onsets < len(block.times) - BEFORE_ROWS)] - learning
        traces += traces_of(label, _sizes(block.values[learning:]), onsets)
        for rule, flag in flags.items():
            judged = flag[learning:]
            answers.append(
                Answer(label, rule, met(judged, onsets, -BEFORE_ROWS, 0), met(judged, onsets, 0, AFTER_ROWS))
            )
    return Result(
        rows=len(block.times),
        flagged={rule: float(flag[learning:].mean()) for rule, flag in flags.items()},
        episodes=episodes,
        answers=answers,
        traces=traces,
        pictures=[_picture(name, labelled, scored) for name, labelled in blocks.items()],
    )


def judge(block: Block, progress: Progress) -> Scored:
    """Nobody says that the recording begins healthy: it has stops from the start. So the baseline is a rolling one.
    Of currents and speeds the size counts, as in the windows' root mean square.
    """
    scored = Scorer([Track(name, 0) for name in COLUMNS], rolling()).score(
        block.time_us, _sizes(block.values).astype(np.float32)
    )
    progress(1, 1)
    return scored


def _sizes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    directed = np.array([name in CURRENTS + SPEEDS for name in COLUMNS])
    return np.where(directed, np.abs(values), values)


def onsets_of(labels: NDArray[np.int8]) -> NDArray[np.int64]:
    """The first rows of labelled runs; a row without a label neither begins nor ends one."""
    known = np.nonzero(labels >= 0)[0]
    faulty = labels[known] == 1
    return known[np.nonzero(np.diff(faulty.astype(np.int8), prepend=0) == 1)[0]]


def _unlikely(met_by: dict[str, Met]) -> str:
    rules = [f"{rule} ({one.share:.0%})" for rule, one in met_by.items() if one.p < SIGNIFICANT]
    return ", ".join(rules) or "no rule"


def traces_of(label: str, values: NDArray[np.float64], onsets: Int64) -> list[Trace]:
    """The column that is most unlike itself before the onsets, and from them on."""
    flat = [_flat(values[:, at]) for at in range(values.shape[1])]
    traces = []
    for when, first, end in (("before", -AFTER_ROWS, 0), ("from", 0, AFTER_ROWS)):
        shifts = [shift(column, onsets, first, end) for column in flat]
        at = max(range(len(COLUMNS)), key=lambda at: abs(shifts[at].deviations))
        traces.append(Trace(label, when, COLUMNS[at], shifts[at].deviations, shifts[at].apart))
    return traces


def _flat(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """Without its trend over ten minutes: the arm warms up for two hours, and stops grow more frequent."""
    present = np.where(np.isnan(column), np.nanmedian(column), column)
    padded = np.pad(present, TREND_ROWS // 2, mode="edge")
    return present - np.convolve(padded, np.full(TREND_ROWS, 1 / TREND_ROWS), "valid")


def _picture(name: str, block: Block, scored: Scored) -> Picture:
    """The current of the joint that carries most, with everything the detectors said of the robot."""
    assert block.labels is not None
    # A stretch that a picture can show row by row, from the middle of the recording.
    first = max((len(block.times) - SHOWN_ROWS) // 2, 0)
    shown = slice(first, first + SHOWN_ROWS)
    return Picture(
        name=f"ur3-{name.replace(' ', '-')}",
        title=f"UR3, {name}: current of joint 2, and what the detectors say of the robot",
        seconds=(block.time_us[shown] - block.time_us[first]) / 1e6,
        signal=block.values[shown, 1].astype(np.float32),
        signal_name="current of joint 2, A",
        score=scored.score[shown],
        flag=scored.flag[shown],
        labels=block.labels[shown],
        label_name=name,
        train_s=0.0,
    )
