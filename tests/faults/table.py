"""The table that a run of faults ends with. Pure."""

from collections.abc import Mapping, Sequence

from rich.table import Table

from deploy.ledger.verdict import Verdict
from faults.rounds import Tally


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
    injected = sum(tally.injected for tally in tallies.values())
    acknowledged = sum(verdict.acknowledged for verdict in verdicts)
    table.add_section()
    table.add_row(
        f"all, over {acknowledged} acknowledged records", f"{injected}", f"{lost(verdicts)}", f"{doubled(verdicts)}"
    )
    return table


def lost(verdicts: Sequence[Verdict]) -> int:
    return _wrong(verdicts, "acknowledged frames are rows")


def doubled(verdicts: Sequence[Verdict]) -> int:
    return _wrong(verdicts, "no row twice")


def _wrong(verdicts: Sequence[Verdict], name: str) -> int:
    return sum(check.wrong for verdict in verdicts for check in verdict.checks if check.name == name)
