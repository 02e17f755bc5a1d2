"""What a benchmark of several rounds tells: figures with their spread over the rounds, and the goals.

In: lines, each with one value a round. Out: a table and the same as JSON. Pure; called by `robovitals bench`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any

from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from deploy.bench.machine import Machine

HEADS = ("median", "min", "max")


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that the median is held against."""

    at_least: float | None = None
    at_most: float | None = None

    def met(self, value: float) -> bool:
        return (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)

    @property
    def text(self) -> str:
        bounds = (("≥", self.at_least), ("≤", self.at_most))
        return " and ".join(f"{sign} {_number(bound)}" for sign, bound in bounds if bound is not None)


@dataclass(frozen=True, slots=True)
class Line:
    """One figure: `values` has one a round, and is empty where it cannot be told. Its JSON is under `name`."""

    name: str
    label: str
    values: Sequence[float]
    goal: Goal | None = None

    @property
    def median(self) -> float | None:
        return median(self.values) if self.values else None

    @property
    def verdict(self) -> str:
        """The goal, and whether it is met."""
        if self.goal is None:
            return ""
        if self.median is None:
            return f"{self.goal.text}: not measured"
        return f"{self.goal.text}: {'met' if self.goal.met(self.median) else 'MISSED'}"


@dataclass(frozen=True, slots=True)
class Report:
    """`what` says in a sentence what was measured; sections are lines under a heading."""

    title: str
    what: str
    sections: Mapping[str, Sequence[Line]]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def lines(self) -> Iterable[Line]:
        return (line for lines in self.sections.values() for line in lines)


def figures(report: Report, machine: Machine, now: datetime) -> dict[str, Any]:
    """As `--json` prints them: for each figure its median under its name, and the values of all rounds."""
    told: dict[str, Any] = {line.name: line.median for line in report.lines}
    rounds = {line.name: list(line.values) for line in report.lines}
    missed = [line.name for line in report.lines if line.verdict.endswith("MISSED")]
    return {
        "bench": report.title, "at": now.isoformat(timespec="seconds"), **told, "rounds": rounds,
        "goals_missed": missed, "what": report.what, "machine": machine,
    }  # fmt: skip


def drawn(report: Report, machine: Machine, now: datetime) -> Group:
    table = Table("", *(Column(head, justify="right") for head in HEADS), "goal", box=None, pad_edge=False)
    for heading, lines in report.sections.items():
        table.add_row(heading)
        for line in lines:
            table.add_row(f"  {line.label}", *_spread(line.values), line.verdict)
        table.add_section()
    head = f"robovitals bench {report.title}, {now:%Y-%m-%d %H:%M} UTC"
    return Group(*map(Text, (head, machine.text, report.what, "")), table, "", *map(Text, report.notes))


def _spread(values: Sequence[float]) -> list[str]:
    if not values:
        return ["–"] * 3
    return [_number(value) for value in (median(values), min(values), max(values))]


def _number(value: float) -> str:
    """Three digits that count, thousands apart."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.3g}"
