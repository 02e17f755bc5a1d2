"""The table that a run of faults ends with. Pure."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from deploy.ledger.match import DOUBLED, LOST
from deploy.ledger.verdict import Verdict
from faults.tally import Tally


def quantile(values: Sequence[float], share: float) -> float:
    """The nearest rank; NaN of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def drawn(tallies: Mapping[str, Tally], verdicts: Sequence[Verdict], title: str) -> Table:
    """A line a fault. Lost and doubled are those of the rounds in which it was injected."""
    table = Table(title=title, title_justify="left")
    for name in ("fault", "times", "lost", "doubled", "recovery p50", "worst"):
        table.add_column(name, justify="left" if name == "fault" else "right")
    for name, tally in tallies.items():
        red = tally.lost or tally.doubled or tally.stuck
        table.add_row(
            name,
            f"{tally.injected}",
            f"{tally.lost}",
            f"{tally.doubled}",
            f"{quantile(tally.recovery_s, 0.5):.2f} s",
            f"stuck: {', '.join(tally.stuck)}" if tally.stuck else f"{max(tally.recovery_s, default=0):.2f} s",
            style="red" if red else None,
        )
    table.add_section()
    acknowledged = sum(verdict.acknowledged for verdict in verdicts)
    injected = sum(tally.injected for tally in tallies.values())
    wrong = [f"{sum(count(verdict) for verdict in verdicts)}" for count in (lost, doubled)]
    table.add_row(f"all, over {acknowledged} acknowledged records", f"{injected}", *wrong)
    return table


def drawn_loud(found: Mapping[str, Sequence[str]]) -> Table:
    """What must stop: whether it did, and what was wrong about it."""
    table = Table("must stop, loudly", "what was wrong")
    for name, wrong in found.items():
        table.add_row(name, "\n".join(wrong) or "nothing", style="red" if wrong else None)
    return table


def drawn_mutants(reds: Mapping[str | None, Sequence[str]]) -> Table:
    """By which checks each mutant was found; the product as it is (None) by none."""
    table = Table("mutant", "found by")
    for mutant, red in reds.items():
        style = None if bool(red) == bool(mutant) else "red"
        table.add_row(mutant or "none: the product as it is", "\n".join(red) or "nothing", style=style)
    return table


def lost(verdict: Verdict) -> int:
    """Acknowledged frames that are no rows."""
    return _wrong(verdict, LOST)


def doubled(verdict: Verdict) -> int:
    """Rows that are there once too often."""
    return _wrong(verdict, DOUBLED)


def _wrong(verdict: Verdict, name: str) -> int:
    return sum(check.wrong for check in verdict.checks if check.name == name)
