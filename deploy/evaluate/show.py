"""The figures of an evaluated series, for people and as JSON.

In: a `Result`. Out: lines, or a dictionary. Pure; called by `deploy/commands/evaluate.py`.
"""

from typing import Any

from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from deploy.evaluate.csv_file import Result
from deploy.evaluate.metrics import Counts
from deploy.text import age, number


def figures(result: Result) -> dict[str, Any]:
    """As `--json` prints them; what cannot be told is null, and so are the labels' figures without labels."""
    counts = result.counts
    return {
        "file": result.file,
        "columns": result.columns,
        "rows": result.rows,
        "train_rows": result.train_rows,
        "learning_rows": result.learning_rows,
        "evaluated_rows": result.rows - result.train_rows,
        "flagged_rows": result.flagged_rows,
        "flagged_episodes": result.flagged_episodes,
        "flagged_rows_by_rule": result.flagged_by_rule,
        "precision": counts.precision if counts else None,
        "recall": counts.recall if counts else None,
        "f1": counts.f1 if counts else None,
        "false_alarm_rate": counts.false_alarm_rate if counts else None,
        "missed_rate": counts.missed_rate if counts else None,
        "point_wise": point_wise(counts) if counts else None,
        "event_wise": event_wise(counts) if counts else None,
        "blank_times": result.blank_times,
        "times_back": result.times_back,
        "times_repeated": result.times_repeated,
        "not_numbers": result.not_numbers,
        "seconds": round(result.seconds, 3),
        "rows_per_s": round(result.rows_per_s),
    }


def point_wise(counts: Counts) -> dict[str, Any]:
    return {
        "true_positive": counts.true_positive,
        "false_positive": counts.false_positive,
        "false_negative": counts.false_negative,
        "true_negative": counts.true_negative,
        "unlabelled": counts.unlabelled,
    }


def event_wise(counts: Counts) -> dict[str, Any]:
    return {
        "episodes": len(counts.episodes),
        "found": len(counts.found),
        "recall": counts.event_recall,
        "flagged_episodes": counts.flagged_episodes,
        "false_episodes": counts.false_episodes,
        "precision": counts.event_precision,
        "delay_rows": counts.median_delay_rows,
        "delay_s": counts.median_delay_s,
        "delays": [
            {"row": e.first_row, "rows": e.rows, "delay_rows": e.delay_rows, "delay_s": e.delay_s}
            for e in counts.episodes
        ],
    }


def drawn(result: Result) -> Group:
    evaluated = result.rows - result.train_rows
    lines = [f"{result.file}: {result.rows} rows of {', '.join(result.columns)}"]
    if result.train_rows:
        lines.append(f"the first {result.train_rows} rows taught what is healthy, and count in no figure")
    if result.learning_rows > result.train_rows:
        lines.append(
            f"the first {result.learning_rows} rows were needed to learn from; nothing can be flagged there"
        )
    rules = ", ".join(f"{rule} {rows}" for rule, rows in result.flagged_by_rule.items() if rows) or "none"
    lines += [
        f"flagged: {result.flagged_rows} of {evaluated} rows in {result.flagged_episodes} episodes; "
        f"rows by rule: {rules}",
        *_remarks(result),
        f"{result.rows_per_s:,.0f} rows/s".replace(",", " "),
    ]
    if result.counts is None:
        return Group(*map(Text, lines))
    return Group(*map(Text, lines), "", _table(result.counts))


def _remarks(result: Result) -> list[str]:
    said = [
        (result.times_back, "times go back: rows are judged in the order of the file"),
        (result.times_repeated, "times are those of the row before"),
        (result.blank_times, "rows have no time: they have that of the row before"),
    ]
    remarks = [f"{many} {what}" for many, what in said if many]
    return remarks + [f"{name}: cells that are no number: {what}" for name, what in result.not_numbers.items()]


def _table(counts: Counts) -> Table:
    table = Table("", Column("row by row", justify="right"), Column("by episode", justify="right"), box=None)
    table.add_row("faulty", str(counts.true_positive + counts.false_negative), str(len(counts.episodes)))
    table.add_row("flagged", str(counts.true_positive + counts.false_positive), str(counts.flagged_episodes))
    table.add_row("precision", _ratio(counts.precision), _ratio(counts.event_precision))
    table.add_row("recall", _ratio(counts.recall), _ratio(counts.event_recall))
    table.add_row("F1", _ratio(counts.f1), "")
    table.add_row("false alarm rate (of healthy)", _ratio(counts.false_alarm_rate), "")
    table.add_row("missed rate (of faulty)", _ratio(counts.missed_rate), _missed(counts))
    table.add_row("false episodes", "", str(counts.false_episodes))
    table.add_row("delay of detection, median", "", _delay(counts))
    return table


def _missed(counts: Counts) -> str:
    return _ratio(1 - counts.event_recall if counts.event_recall is not None else None)


def _delay(counts: Counts) -> str:
    rows, seconds = counts.median_delay_rows, counts.median_delay_s
    return "–" if rows is None or seconds is None else f"{number(rows)} rows, {age(seconds)}"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
