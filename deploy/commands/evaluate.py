"""`robovitals evaluate`: the shipped detectors, held against what is known to have been wrong."""

import argparse
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from deploy.evaluate import csv_file, recordings, show, simulation
from deploy.evaluate.incidents import table
from deploy.evaluate.outcome import Outcome
from deploy.evaluate.table import Names
from deploy.progress import Progress, bar
from deploy.settings import Settings
from schemas.errors import SettingError

EXAMPLE = "robovitals evaluate --csv press.csv --time when --value 'motor 1 °C' --label broken --train-rows 2000"
WIDTH = 120
MARK = "<!-- figures -->"
ROBOTS, DAYS, SEED = 200, 60, 1
# Which options belong to which way of asking, by their names in the arguments.
OPTIONS = {
    "--csv FILE": ("time", "value", "label", "train_rows", "out"),
    "PATH --recording NAME": ("recording", "plots"),
    "--simulated": ("robots", "days", "seed"),
    "--incidents N": ("seed",),
    "--lives N": ("seed", "write"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "The detectors run at their defaults, row after row, and never look ahead. docs/evaluation.md says how the "
        "figures are made, and what they are."
    )
    own = parser.add_argument_group("a CSV file of your own")
    own.add_argument("--csv", metavar="FILE", type=Path, help="separated by comma, semicolon or tab; with a header")
    own.add_argument("--time", metavar="COLUMN", help="a number, or ISO 8601")
    own.add_argument(
        "--value", metavar="COLUMN", nargs="+", action="extend", help="what is judged: one column or several"
    )
    own.add_argument("--label", metavar="COLUMN", help="1 or true where something was wrong, 0 or false where not")
    own.add_argument(
        "--train-rows", metavar="N", type=int,
        help="so many rows at the start are known to be healthy; they count in no figure",
    )  # fmt: skip
    own.add_argument("--out", metavar="SCORES.csv", type=Path, help="write time, score and flag of every row")
    recorded = parser.add_argument_group("a recording")
    recorded.add_argument("path", metavar="PATH", nargs="?", type=Path, help="the recording's folder")
    recorded.add_argument("--recording", metavar="NAME", help=", ".join(recordings.RECORDINGS))
    recorded.add_argument("--plots", metavar="FOLDER", type=Path, help="draw signal, score, label and alarms there")
    simulated = parser.add_argument_group("a simulated fleet with faults of known onset")
    simulated.add_argument("--simulated", action="store_true")
    simulated.add_argument("--robots", metavar="N", type=int, help=f"default {ROBOTS}")
    simulated.add_argument("--days", metavar="N", type=int, help=f"default {DAYS}")
    parser.add_argument("--seed", metavar="N", type=int, help=f"default {SEED}: the same seed is the same again")
    whole = parser.add_argument_group("simulated lives with frauds of known truth: docs/findings.md")
    whole.add_argument(
        "--lives", metavar="N", type=int, help="judge so many whole lives, some months to ten years each"
    )
    causes = parser.add_argument_group("simulated incidents of known cause: docs/incidents.md")
    causes.add_argument("--incidents", metavar="N", type=int, help="judge so many incidents")
    parser.add_argument(
        "--write",
        metavar="FILE",
        type=Path,
        help="of lives: put the tables between the file's <!-- figures --> marks",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    check(args)
    if args.lives is not None:
        return _lives(args)
    if args.plots:
        from deploy.evaluate import plot
    with bar("judging") as progress:
        outcome = _outcome(args, progress)
    if args.json:
        print(msgspec.json.encode(outcome.figures).decode())
    else:
        Console(highlight=False, width=WIDTH, file=sys.stdout).print(outcome.shown)
    for picture in outcome.pictures if args.plots else ():
        drawn = plot.draw(picture, args.plots)
        print(f"drawn: {drawn}", file=sys.stderr)
    return 0


def _lives(args: argparse.Namespace) -> int:
    from deploy.evaluate.lives import run as lives

    with bar("judging") as progress:
        figures = lives.evaluate(args.lives, SEED if args.seed is None else args.seed, progress)
    if args.write:
        between_marks(args.write, figures.markdown())
    print(msgspec.json.encode(figures.as_json()).decode() if args.json else figures.markdown())
    for one in figures.said:
        if one.confidence == "established":
            print(f"false: {one.robot_id} {one.rule}: {one.text}", file=sys.stderr)
    return 0


def between_marks(path: Path, text: str) -> None:
    """Raises SettingError where the file has not just two marks."""
    parts = path.read_text().split(MARK)
    if len(parts) != 3:
        raise SettingError(f"{path}: --write needs two lines {MARK} in it")
    path.write_text(f"{parts[0]}{MARK}\n{text}{MARK}{parts[2]}")


def _outcome(args: argparse.Namespace, progress: Progress) -> Outcome:
    if args.csv:
        result = csv_file.evaluate(args.csv, names_of(args), args.train_rows, args.out, progress)
        return Outcome(show.drawn(result), show.figures(result))
    if args.simulated:
        return simulation.evaluate(
            ROBOTS if args.robots is None else args.robots,
            DAYS if args.days is None else args.days,
            SEED if args.seed is None else args.seed,
            progress,
        )
    if args.incidents is not None:
        return table.evaluate(args.incidents, SEED if args.seed is None else args.seed, progress)
    return recordings.evaluate(args.recording, args.path, progress)


def check(args: argparse.Namespace) -> None:
    """Raises SettingError unless just one of the ways is asked for, with its own options."""
    asked = (
        args.csv is not None,
        args.path is not None,
        args.simulated,
        args.incidents is not None,
        args.lives is not None,
    )
    chosen = [way for way, is_asked in zip(OPTIONS, asked, strict=True) if is_asked]
    if len(chosen) != 1:
        what = "ask one at a time" if chosen else "give one of them"
        raise SettingError(f"{', '.join(chosen or OPTIONS)}: {what} (robovitals evaluate --help)")
    (way,) = chosen
    for options in OPTIONS.values():
        for name in options:
            if name not in OPTIONS[way] and getattr(args, name) is not None:
                raise SettingError(f"--{name.replace('_', '-')} does not go with {way}")
    if args.path and args.recording is None:
        raise SettingError(f"{args.path}: which recording is it? --recording {', '.join(recordings.RECORDINGS)}")


def names_of(args: argparse.Namespace) -> Names:
    """Raises SettingError for options that do not go together."""
    for option, given in (("--time", args.time), ("--value", args.value)):
        if not given:
            raise SettingError(f"--csv needs {option} COLUMN")
    values = tuple(dict.fromkeys(args.value))
    if args.label in values:
        raise SettingError(f"--label {args.label}: that column is a --value too, and would judge itself")
    return Names(args.time, values, args.label)
