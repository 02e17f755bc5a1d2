"""What was found of what was done, counted.

In: `Scored` lives. Out: `Figures`, which say themselves as Markdown and as JSON. Called by `run.py`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Any

import msgspec

from deploy.evaluate.lives.score import NAMED, Said, Scored, Seen
from ingest.lives.truth import Fraud
from processors.audit.found import Confidence, Rule

ESTABLISHED, SUSPECTED = Confidence.ESTABLISHED.value, Confidence.SUSPECTED.value
SHOULD_ESTABLISH = (
    Fraud.ROLLBACK, Fraud.JUMP, Fraud.SLOWED, Fraud.SWAP, Fraud.CLONED_PART, Fraud.CLONED_ROBOT, Fraud.UNLOGGED,
    Fraud.SCRAPPED,
)  # fmt: skip
"""Where serials or counters contradict each other; the rest can be suspected at most."""
GOAL = {True: 0.95, False: 0.8}
BANDS = 4


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """`seen`: every truth. `said`: every finding that nothing true stands behind."""

    seed: int
    lives: int
    hours: int
    took_s: float
    machine: str
    made: datetime
    seen: tuple[Seen, ...]
    said: tuple[Said, ...]
    rights: dict[str, dict[str, int]]
    lookalikes: dict[str, int]

    def markdown(self) -> str:
        """As it stands in docs/findings.md."""
        head = (
            f"`robovitals evaluate --lives {self.lives} --seed {self.seed}`, {self.made:%Y-%m-%d}: "
            f"{self.hours / 1e6:.1f} M hours of telemetry, {self.took_s:.0f} s on {self.machine}."
        )
        parts = [head, _found(self.seen), _sizes(self.seen), _right(self), _fooled(self)]
        return "\n\n".join(parts) + "\n"

    def as_json(self) -> dict[str, Any]:
        """Without the single cases."""
        return {
            "seed": self.seed, "lives": self.lives, "hours": self.hours, "took_s": self.took_s,
            "machine": self.machine, "made": self.made, "recall": [_row(kind, self.seen) for kind in Fraud],
            "true": self.rights, "false": _counts(self.said), "lookalikes": self.lookalikes,
        }  # fmt: skip

    @property
    def false_established(self) -> int:
        return sum(one.confidence == ESTABLISHED for one in self.said)


def tally(scored: Sequence[Scored], seed: int, took_s: float, machine: str, made: datetime) -> Figures:
    """Count."""
    rights = Counter(right for life in scored for right in life.rights)
    return Figures(
        seed=seed,
        lives=len(scored),
        hours=sum(life.hours for life in scored),
        took_s=took_s,
        machine=machine,
        made=made,
        seen=tuple(seen for life in scored for seen in life.seen),
        said=tuple(said for life in scored for said in life.said),
        rights={rule: {c: rights[rule, c] for c in (ESTABLISHED, SUSPECTED)} for rule in Rule},
        lookalikes=dict(Counter(kind for life in scored for kind in life.lookalikes)),
    )


def _row(kind: Fraud, seen: Iterable[Seen]) -> dict[str, Any]:
    of_kind = [one for one in seen if one.kind == kind.value]
    found = [one for one in of_kind if one.confidence]
    sure = [one for one in found if one.confidence == ESTABLISHED]
    delays = [one.delay_days for one in found if one.delay_days is not None]
    certain = [one.established_days for one in sure if one.established_days is not None]
    return {
        "kind": kind.value, "rule": NAMED[kind][0].value, "cases": len(of_kind),
        "established": len(sure), "found": len(found),
        "delay_days": median(delays) if delays else None,
        "established_days": median(certain) if certain else None,
    }  # fmt: skip


def _found(seen: Sequence[Seen]) -> str:
    lines = ["| what was done | rule | cases | found | established | goal | days until found | until established |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for kind in Fraud:
        row = _row(kind, seen)
        if not row["cases"]:
            continue
        must = kind in SHOULD_ESTABLISH
        reached = row["established" if must else "found"] / row["cases"]
        goal = f"{GOAL[must]} {'established' if must else 'found'}: {'met' if reached >= GOAL[must] else 'MISSED'}"
        lines.append(
            f"| {kind.value} | {row['rule']} | {row['cases']} | {row['found'] / row['cases']:.3f} "
            f"| {row['established'] / row['cases']:.3f} | {goal} | {_days(row['delay_days'])} "
            f"| {_days(row['established_days'])} |"
        )
    return "\n".join(lines)


def _days(days: float | None) -> str:
    return "–" if days is None else f"{days:.0f}"


def _sizes(seen: Sequence[Seen]) -> str:
    """Recall by size: a quarter of the cases each, the smallest first."""
    lines = ["Found, by size: from the smallest quarter of the cases to the largest.", "",
             "| what was done | smallest | | | largest |", "|---|---|---|---|---|"]  # fmt: skip
    for kind in Fraud:
        ordered = sorted((one for one in seen if one.kind == kind.value), key=lambda one: one.size)
        if len(ordered) < BANDS:
            continue
        bounds = [len(ordered) * band // BANDS for band in range(BANDS + 1)]
        cells = []
        for first, end in pairwise(bounds):
            some = ordered[first:end]
            share = sum(bool(one.confidence) for one in some) / len(some)
            cells.append(f"{share:.2f} (to {some[-1].size:.3g})")
        lines.append(f"| {kind.value}, {ordered[0].unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _right(figures: Figures) -> str:
    lines = ["| rule | established: true | false at the end | false at any time asked | suspected: true "
             "| false at the end | precision |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    for rule in Rule:
        said = [one for one in figures.said if one.rule == rule.value]
        false = Counter((one.confidence, one.at_end) for one in said)
        true = figures.rights[rule]
        wrong = false[SUSPECTED, True] + false[ESTABLISHED, True]
        right = true[ESTABLISHED] + true[SUSPECTED]
        precision = f"{right / (right + wrong):.3f}" if right + wrong else "–"
        at_any_time = false[ESTABLISHED, True] + false[ESTABLISHED, False]
        lines.append(
            f"| {rule.value} | {true[ESTABLISHED]} | {false[ESTABLISHED, True]} | {at_any_time} "
            f"| {true[SUSPECTED]} | {false[SUSPECTED, True]} | {precision} |"
        )
    return "\n".join(lines)


def _fooled(figures: Figures) -> str:
    """Which honest things stood next to a finding that nothing true stands behind."""
    near = Counter((kind, one.confidence) for one in figures.said for kind in one.near)
    lines = [
        "| what is honest | happened | near a false established | near a false suspected |",
        "|---|---|---|---|",
    ]
    for kind, count in sorted(figures.lookalikes.items()):
        lines.append(f"| {kind} | {count} | {near[kind, ESTABLISHED]} | {near[kind, SUSPECTED]} |")
    return "\n".join(lines)


def _counts(said: Iterable[Said]) -> list[dict[str, Any]]:
    counted = Counter((one.rule, one.confidence, one.at_end) for one in said)
    return [
        {"rule": rule, "confidence": confidence, "at_end": at_end, "count": count}
        for (rule, confidence, at_end), count in sorted(counted.items())
    ]
