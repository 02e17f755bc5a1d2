"""Ablation: what each rule is worth. Without it: what is missed, how much later, how many false episodes fewer.

In: the `Result` of one simulated run. Out: a table and JSON. Called by `deploy/commands/evaluate.py`. Rules know
nothing of one another, so one run tells all: without a rule its findings and its episodes are gone, and no other's.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Column, Table

from deploy.evaluate.simulated.result import Result


@dataclass(frozen=True, slots=True)
class Without:
    """`missed` and `late` (not before the limit) are by kind of fault, more than with all rules. `delay_days`: the
    mean by which those that are still found come later. `false_saved`: episodes in 1 000 robot-days."""

    rule: str
    missed: dict[str, int]
    late: dict[str, int]
    delay_days: float
    false_saved: float

    @property
    def earns(self) -> bool:
        """Whether anything would be worse without it."""
        return bool(self.missed or self.late or self.delay_days > 0)


def ablate(result: Result) -> list[Without]:
    """Each rule off in turn."""
    return [_without(result, rule) for rule in result.rules]


def _without(result: Result, rule: str) -> Without:
    rest = result.without(rule)
    later = [
        min(less.first.values()) - min(whole.first.values())
        for whole, less in zip(result.outcomes, rest.outcomes, strict=True)
        if less.first
    ]
    pairs = list(zip(result.kinds, rest.kinds, strict=True))
    return Without(
        rule=rule,
        missed={k.kind: k.found - less.found for k, less in pairs if k.found > less.found},
        late={k.kind: k.in_time - less.in_time for k, less in pairs if k.in_time > less.in_time},
        delay_days=float(np.mean(later)) / 144 if later else 0.0,
        false_saved=result.false_per_1000 - rest.false_per_1000,
    )


def as_json(rows: Sequence[Without]) -> list[dict[str, Any]]:
    return [asdict(row) | {"earns": row.earns} for row in rows]


def table(rows: Sequence[Without]) -> Table:
    """A line a rule."""
    right = (Column(head, justify="right") for head in ("later by, days", "false fewer in 1 000 robot-days"))
    drawn = Table("without", "missed", "not before the limit", *right, box=None, pad_edge=False)
    for row in rows:
        drawn.add_row(
            row.rule, _told(row.missed), _told(row.late), f"{row.delay_days:.2f}", f"{row.false_saved:.2f}"
        )
    return drawn


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in counts.items()) or "–"
