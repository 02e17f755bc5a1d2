"""The UR3 recording: a small one made by hand."""

from pathlib import Path

import numpy as np
import pytest

from deploy.evaluate import ur3
from schemas.errors import UnavailableError

ROWS = 1500
ONSETS = (700, 900, 1100, 1300)
LENGTH = 5


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> ur3.Result:
    """Noise; at each stop joint 2's current jumps, and nothing goes before it. Grips are lost at other times."""
    values = np.random.default_rng(8).normal(2, 0.1, (ROWS, len(ur3.COLUMNS)))
    stops = np.zeros(ROWS, int)
    for onset in ONSETS:
        stops[onset : onset + LENGTH] = 1
        values[onset : onset + LENGTH, 1] += 5
    lost = np.roll(stops, 97)
    lines = [",".join(("Num", "Timestamp", *ur3.COLUMNS, *ur3.LABELS))]
    for n in range(ROWS):
        readings = [""] * len(ur3.COLUMNS) if n == 50 else [f"{value:.4f}" for value in values[n]]
        stop = "" if n == 50 else str(stops[n])
        time = f"2026-03-02T08:{n // 60:02d}:{n % 60:02d}.000Z"
        lines.append(",".join((str(n), time, *readings, stop, str(bool(lost[n])))))
    folder = tmp_path_factory.mktemp("ur3")
    (folder / ur3.FILE).write_text("\n".join(lines) + "\n")
    return ur3.run(folder, lambda done, whole: None)


def test_what_shows_at_the_onset_is_seen_and_not_foreseen(result: ur3.Result) -> None:
    assert result.episodes == {"protective stop": 4, "lost grip": 4}
    told = {(answer.label, answer.rule): answer for answer in result.answers}
    stop, grip = told["protective stop", ur3.ANY], told["lost grip", ur3.ANY]
    assert stop.seen.share == 1
    assert stop.seen.p < 0.05
    assert stop.foreseen.p > 0.05
    assert grip.seen.p > 0.05


def test_the_reading_that_goes_with_the_episodes_is_named(result: ur3.Result) -> None:
    traces = {(trace.label, trace.when): trace for trace in result.traces}
    trace = traces["protective stop", "from"]
    assert trace.column == "Current_J1"
    assert trace.deviations > 5
    assert trace.apart > 0.9


def test_runs_begin_where_a_label_turns_true_and_blanks_do_not_cut_them() -> None:
    labels = np.array([0, 1, 1, -1, 1, 0, -1, 1, 0, 1], np.int8)
    assert ur3.onsets_of(labels).tolist() == [1, 7, 9]


def test_another_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"has no ur3_cobotops.csv"):
        ur3.run(tmp_path, lambda done, whole: None)
