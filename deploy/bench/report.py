"""What a benchmark of several rounds tells: figures with their spread over the rounds, and the goals.

In: lines, each with one value a round. Out: a table and the same as JSON. Pure; called by `robovitals bench`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from statistics import median
from typing import Any

from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from deploy.bench.machine import Machine

HEADS = ("median", "min", "max")
P95 = "p95"
ENOUGH = 20


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
    """`what` says in a sentence what was measured; sections are lines under a heading. `with_p95`: of some lines
    there are so many values that one in twenty tells something.
    """

    title: str
    what: str
    sections: Mapping[str, Sequence[Line]]
    notes: Sequence[str] = field(default_factory=tuple)
    with_p95: bool = False

    @property
    def lines(self) -> Iterable[Line]:
        return (line for lines in self.sections.values() for line in lines)


def figures(report: Report, machine: Machine, now: datetime) -> dict[str, Any]:
    """As `--json` prints them: for each figure its median under its name, and the values of all rounds."""
    told: dict[str, Any] = {line.name: line.median for line in report.lines}
    rounds = {line.name: list(line.values) for line in report.lines}
    missed = [line.name for line in report.lines if line.verdict.endswith("MISSED")]
    slow = {P95: {line.name: p95(line.values) for line in report.lines}} if report.with_p95 else {}
    return {
        "bench": report.title, "at": now.isoformat(timespec="seconds"), **told, **slow, "rounds": rounds,
        "goals_missed": missed, "what": report.what, "machine": machine,
    }  # fmt: skip


def drawn(report: Report, machine: Machine, now: datetime) -> Group:
    heads = (*HEADS, P95) if report.with_p95 else HEADS
    table = Table("", *(Column(head, justify="right") for head in heads), "goal", box=None, pad_edge=False)
    for heading, lines in report.sections.items():
        table.add_row(heading)
        for line in lines:
            table.add_row(f"  {line.label}", *_spread(line.values, report.with_p95), line.verdict)
        table.add_section()
    head = f"robovitals bench {report.title}, {now:%Y-%m-%d %H:%M} UTC"
    return Group(*map(Text, (head, machine.text, report.what, "")), table, "", *map(Text, report.notes))


def p95(values: Sequence[float]) -> float | None:
    """The smallest value that 95 in a hundred do not exceed; None where there are too few to tell."""
    return sorted(values)[ceil(0.95 * len(values)) - 1] if len(values) >= ENOUGH else None


def _spread(values: Sequence[float], with_p95: bool) -> list[str]:
    spread = (median(values), min(values), max(values)) if values else (None, None, None)
    told = (*spread, p95(values)) if with_p95 else spread
    return ["–" if value is None else _number(value) for value in told]


def _number(value: float) -> str:
    """Three digits that count, thousands apart."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.3g}"
