"""`robovitals evaluate --csv`, from a user's file to the scores."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from deploy.cli import main
from support.recorded import recording

ROWS = 700
TRAIN = 300
ONSET, END = 500, 560


def rows() -> list[list[str]]:
    """One reading a second; from the onset to the end it is 12 standard deviations higher, and labelled so."""
    values = np.random.default_rng(11).normal(40, 1, ROWS)
    values[ONSET:END] += 12
    return [
        [f"2026-03-02 08:{n // 60:02d}:{n % 60:02d}", f"{values[n]:.3f}", "1" if ONSET <= n < END else "0"]
        for n in range(ROWS)
    ]


def write(path: Path, lines: list[list[str]], header: tuple[str, ...] = ("when", "motor 1", "broken")) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


def evaluate(*arguments: object) -> int:
    return main(["evaluate", *map(str, arguments)])


def scores(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def press(tmp_path: Path) -> Path:
    return write(tmp_path / "press.csv", rows())


def test_each_row_gets_a_line_in_the_order_of_the_file(press: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.csv"
    lines = rows()
    lines[600], lines[601] = lines[601], lines[600]
    lines[650][1] = ""
    write(press, lines)
    assert (
        evaluate("--csv", press, "--time", "when", "--value", "motor 1", "--train-rows", TRAIN, "--out", out) == 0
    )
    told = scores(out)
    assert [line["time"] for line in told] == [line[0] for line in lines]
    assert list(told[0]) == ["time", "score", "flag"]
    assert {line["flag"] for line in told} == {"0", "1"}
    assert all(0 <= float(line["score"]) <= 1 for line in told)
    assert not [path for path in tmp_path.iterdir() if path not in (press, out)]


def test_labels_give_figures_of_the_rows_after_training(press: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--csv", press, "--time", "when", "--value", "motor 1", "--label", "broken",
                    "--train-rows", TRAIN, "--json") == 0  # fmt: skip
    told = json.loads(capsys.readouterr().out)
    point = told["point_wise"]
    assert (told["rows"], told["train_rows"], told["evaluated_rows"]) == (ROWS, TRAIN, ROWS - TRAIN)
    assert point["true_positive"] + point["false_negative"] == END - ONSET
    assert sum(point.values()) == ROWS - TRAIN
    assert told["recall"] == point["true_positive"] / (END - ONSET)
    assert told["recall"] > 0.8
    event = told["event_wise"]
    assert (event["episodes"], event["found"]) == (1, 1)
    assert event["delays"][0]["row"] == ONSET - TRAIN
    assert event["delay_s"] == event["delay_rows"]


def test_without_labels_there_are_flags_and_no_verdict(press: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--csv", press, "--time", "when", "--value", "motor 1", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["flagged_rows"] > 0
    assert told["precision"] is told["f1"] is told["point_wise"] is None


def test_what_comes_later_never_changes_a_score(press: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.csv", tmp_path / "part.csv"
    arguments = ("--time", "when", "--value", "motor 1", "--train-rows", TRAIN)
    evaluate("--csv", press, *arguments, "--out", whole)
    for cut in (1, TRAIN + 1, ONSET + 3, END):
        evaluate("--csv", write(tmp_path / "begun.csv", rows()[:cut]), *arguments, "--out", part)
        assert scores(part) == scores(whole)[:cut]
    changed = rows()[:ONSET] + [[time, "1e9", label] for time, _, label in rows()[ONSET:]]
    evaluate("--csv", write(tmp_path / "changed.csv", changed), *arguments, "--out", part)
    assert scores(part)[:ONSET] == scores(whole)[:ONSET]


def test_the_unit_and_the_offset_of_a_column_do_not_matter(tmp_path: Path) -> None:
    lines = rows()
    kelvin = [[time, f"{float(value) * 1024 + 1e7}", label] for time, value, label in lines]
    outs = []
    for name, table in (("c", lines), ("k", kelvin)):
        outs.append(tmp_path / f"{name}.out")
        evaluate("--csv", write(tmp_path / f"{name}.csv", table), "--time", "when", "--value", "motor 1",
                 "--train-rows", TRAIN, "--out", outs[-1])  # fmt: skip
    first, second = (np.array([float(line["score"]) for line in scores(out)]) for out in outs)
    np.testing.assert_allclose(first, second, atol=0.01)


def test_several_columns_may_follow_one_value_option_or_several(press: Path, tmp_path: Path) -> None:
    write(
        press, [[time, value, value[::-1].strip("."), label] for time, value, label in rows()], ("t", "a", "b", "l")
    )
    one, several = tmp_path / "one", tmp_path / "several"
    assert evaluate("--csv", press, "--time", "t", "--value", "a", "b", "--out", one) == 0
    assert evaluate("--csv", press, "--time", "t", "--value", "a", "--value", "b", "--out", several) == 0
    assert one.read_bytes() == several.read_bytes()


def test_what_was_odd_in_the_file_is_said(press: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = rows()
    lines[10][1] = "hot"
    lines[12][0] = ""
    lines[20][0] = lines[0][0]
    write(press, lines)
    assert evaluate("--csv", press, "--time", "when", "--value", "motor 1") == 0
    told = capsys.readouterr().out
    assert "cells that are no number: 1, the first 'hot' in line 12" in told
    assert "1 times go back" in told
    assert "1 rows have no time" in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--time when --value nothing", "no column 'nothing'; the columns are 'when', 'motor 1', 'broken'"),
        ("--time when --value when --train-rows 0", "--train-rows 0: give a number of rows"),
        ("--time when", "--csv needs --value COLUMN"),
        ("--value broken", "--csv needs --time COLUMN"),
        ("--time when --value broken --label broken", "--label broken: that column is a --value too"),
        ("--time broken --value when", "column 'when' holds no number, but '2026-03-02 08:00:00'"),
        ("--time when --value broken --out {csv}", "--out {csv}: that is the file that is read"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(
    press: Path, capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    assert evaluate("--csv", press, *arguments.format(csv=press).split()) == 2
    assert message.format(csv=press) in capsys.readouterr().err


def test_a_file_that_turns_out_wrong_leaves_no_scores_behind(press: Path, tmp_path: Path) -> None:
    lines = rows()
    lines[650][0] = "noon"
    write(press, lines)
    assert evaluate("--csv", press, "--time", "when", "--value", "motor 1", "--out", tmp_path / "scores.csv") == 2
    assert list(tmp_path.iterdir()) == [press]


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--csv", tmp_path / "press.csv", "--time", "when", "--value", "a") == 1
    assert "press.csv: No such file" in capsys.readouterr().err


def test_a_file_without_rows_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--csv", write(tmp_path / "press.csv", []), "--time", "when", "--value", "motor 1") == 2
    assert "there is no row under the header" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "--csv FILE, PATH --recording NAME, --simulated, --incidents N, --lives N: give one of them"),
        ("somewhere --simulated", "PATH --recording NAME, --simulated: ask one at a time"),
        ("somewhere", "somewhere: which recording is it? --recording armpi, ur3, battery_nasa"),
        ("somewhere --recording press", "--recording press: not known; give one of armpi, ur3, battery_nasa"),
        ("somewhere --recording ur3 --train-rows 5", "--train-rows does not go with PATH --recording NAME"),
        ("--simulated --plots here", "--plots does not go with --simulated"),
        ("--simulated --robots 1 --days 1", "--robots 1 --days 1: at least"),
        ("--csv a.csv --time t --value v --seed 3", "--seed does not go with --csv FILE"),
    ],
)
def test_options_that_do_not_go_together_are_named(
    capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    assert evaluate(*arguments.split()) == 2
    assert message in capsys.readouterr().err


def test_a_recording_is_judged_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    session = tmp_path / "sessions" / "20240101_000000"
    session.mkdir(parents=True)
    for motor in range(1, 7):
        lines = [[str(n / 10), "20" if n < 150 else "40", str(int(n >= 150))] for n in range(200)]
        write(session / f"data_motor_{motor}.csv", lines, ("time", "temperature", "label"))
    arguments = (tmp_path, "--recording", "armpi", "--plots", tmp_path / "plots")
    assert evaluate(*arguments, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["found"] == told["episodes"] == 6
    assert told["sessions"]["20240101_000000"] == told["f1"]
    assert len(list((tmp_path / "plots").glob("armpi-20240101_000000-*.png"))) == 6
    assert evaluate(*arguments) == 0
    assert "published best F1: 0.277" in capsys.readouterr().out


def test_the_nasa_cells_are_asked_what_they_have_left(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate(recording("battery_nasa"), "--recording", "battery_nasa", "--json") == 0
    assert {cell["name"] for cell in json.loads(capsys.readouterr().out)["cells"]} == {"B0005", "B0006", "B0007"}


def test_what_is_missing_for_an_option_is_said_with_the_extra_that_brings_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "deploy.evaluate.plot", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delattr("deploy.evaluate.plot", raising=False)
    assert evaluate(tmp_path, "--recording", "armpi", "--plots", tmp_path) == 1
    assert "evaluate needs matplotlib: pip install 'robovitals[evaluate]'" in capsys.readouterr().err
