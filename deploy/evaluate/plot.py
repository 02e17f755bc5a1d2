"""Pictures of what was evaluated: signal, score, threshold, label, alarms; or a life, and what was said of it.

In: a picture. Out: a PNG file. Called by `deploy/commands/evaluate.py` with --plots; matplotlib comes with the
extra `evaluate`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from deploy.evaluate.picture import LifePicture, Picture

THRESHOLD = 0.5
SIZE_INCHES = (9, 4.2)
DOTS_PER_INCH = 90
MOST_CYCLES = 250
SIGNAL_COLOUR, SCORE_COLOUR, LABEL_COLOUR, ALARM_COLOUR = "#1f4e79", "#444444", "#f2c14e", "#c0392b"


def draw(picture: Picture | LifePicture, folder: Path) -> Path:
    """Returns the file written. Raises OSError."""
    figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    if isinstance(picture, Picture):
        _series(figure, picture)
    else:
        _life(figure, picture)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{picture.name}.png"
    # Without the program's name and version the same picture is the same file.
    figure.savefig(path, metadata={"Software": None})
    return path


def _series(figure: Figure, picture: Picture) -> None:
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    seconds = picture.seconds
    for axes in (above, below):
        axes.axvspan(0, picture.train_s, color="#eeeeee", label="learning")
        _shade(axes, seconds, picture.labels == 1, picture.label_name)
        axes.grid(alpha=0.3)
        axes.margins(x=0)
    above.plot(seconds, picture.signal, color=SIGNAL_COLOUR, linewidth=1, label=picture.signal_name)
    flagged = np.where(picture.flag, picture.signal, np.nan)
    above.plot(seconds, flagged, color=ALARM_COLOUR, linewidth=3, alpha=0.7, label="alarm")
    above.set_title(picture.title, fontsize=10, loc="left")
    above.set_ylabel(picture.signal_name, fontsize=8)
    below.plot(seconds, picture.score, color=SCORE_COLOUR, linewidth=1, label="score")
    below.axhline(THRESHOLD, color=ALARM_COLOUR, linestyle="--", linewidth=1, label="threshold")
    below.set_ylim(0, 1.05)
    below.set_ylabel("score", fontsize=8)
    below.set_xlabel("seconds", fontsize=8)
    _finish(above, below)


def _life(figure: Figure, picture: LifePicture) -> None:
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
    cycles = np.arange(len(picture.capacity_ah))
    above.plot(cycles, picture.capacity_ah, color=SIGNAL_COLOUR, linewidth=1, label="capacity, Ah")
    above.axhline(picture.end_of_life_ah, color=ALARM_COLOUR, linestyle="--", linewidth=1, label="end of life")
    above.set_title(picture.title, fontsize=10, loc="left")
    above.set_ylabel("capacity, Ah", fontsize=8)
    shown = picture.end or len(cycles)
    if picture.end is not None:
        below.plot(cycles[:shown], shown - cycles[:shown], color="black", linewidth=1, label="cycles that came")
    below.plot(cycles[:shown], picture.remaining[:shown], color=SIGNAL_COLOUR, linewidth=1.5, label="said")
    below.fill_between(
        cycles[:shown], picture.low[:shown], np.minimum(picture.high[:shown], MOST_CYCLES),
        color=SIGNAL_COLOUR, alpha=0.2, label="80 % interval",
    )  # fmt: skip
    below.set_ylim(0, MOST_CYCLES)
    below.set_ylabel("cycles left", fontsize=8)
    below.set_xlabel("cycle", fontsize=8)
    for axes in (above, below):
        axes.grid(alpha=0.3)
        axes.margins(x=0)
    _finish(above, below)


def _finish(*both: Any) -> None:
    for axes in both:
        axes.tick_params(labelsize=8)
        axes.legend(fontsize=7, loc="upper left", ncols=5, framealpha=0.8)


def _shade(axes: Any, seconds: NDArray[np.float64], labelled: NDArray[np.bool_], name: str) -> None:
    edges = np.diff(labelled.astype(np.int8), prepend=0, append=0)
    starts, ends = np.nonzero(edges == 1)[0], np.nonzero(edges == -1)[0]
    for first, end in zip(starts.tolist(), ends.tolist(), strict=True):
        until = seconds[min(end, len(seconds) - 1)]
        axes.axvspan(seconds[first], until, color=LABEL_COLOUR, alpha=0.5, label=name)
        name = "_"
