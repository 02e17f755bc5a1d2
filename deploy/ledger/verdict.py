"""What a check found: one line a promise, and each discrepancy by name, up to a number of them. Pure."""

from collections.abc import Iterable
from typing import Any

import msgspec
from rich.table import Table

EXAMPLES = 10


class Check(msgspec.Struct):
    """One promise: of `counted` things `wrong` are not as they should be; `examples` names the first of them."""

    name: str
    counted: int = 0
    wrong: int = 0
    examples: list[str] = msgspec.field(default_factory=list)

    def count(self, number: int) -> None:
        self.counted += number

    def add(self, wrong: int, examples: Iterable[str]) -> None:
        """So many discrepancies, of which some are named."""
        self.wrong += wrong
        for example in examples:
            if len(self.examples) >= EXAMPLES:
                return
            self.examples.append(example)


class Verdict(msgspec.Struct):
    """All checks of one book. `rest` says why the stack had not come to rest, where it had not."""

    seed: int
    records: int
    acknowledged: int
    rest: str | None
    checks: list[Check]

    @property
    def balanced(self) -> bool:
        return not any(check.wrong for check in self.checks)

    @property
    def red(self) -> list[str]:
        """The names of the checks that found something."""
        return [check.name for check in self.checks if check.wrong]

    def as_json(self) -> dict[str, Any]:
        return {"balanced": self.balanced, **msgspec.to_builtins(self)}


def drawn(verdict: Verdict) -> Table:
    """The table that `robovitals verify` prints."""
    table = Table(title=f"{verdict.records} records, {verdict.acknowledged} acknowledged, seed {verdict.seed}")
    for name in ("promise", "checked", "wrong"):
        table.add_column(name, justify="left" if name == "promise" else "right")
    for check in verdict.checks:
        style = "red" if check.wrong else None
        table.add_row(check.name, f"{check.counted}", f"{check.wrong}", style=style)
    return table


def named(verdict: Verdict) -> list[str]:
    """A line for each discrepancy that was kept."""
    return [
        f"{check.name}: {example}" for check in verdict.checks for example in [*check.examples, *_rest_of(check)]
    ]


def _rest_of(check: Check) -> list[str]:
    more = check.wrong - len(check.examples)
    return [f"and {more} more"] if more > 0 and check.examples else []
