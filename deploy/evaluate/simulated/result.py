"""What a simulated run showed: figures a fault, false episodes, goals; as a table and as JSON.

In: outcomes and counts of all shards. Out: a `Result`. Called by `run.py`, and by `deploy/evaluate/ablation.py`,
which asks the same without one rule.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from deploy.evaluate.simulated.faults import Kind
from deploy.evaluate.simulated.nature import EPOCHS_A_DAY
from deploy.evaluate.simulated.tally import Healthy, Outcome
from processors.findings import LIMIT

FALSE_GOAL = 1.0  # episodes in 1 000 healthy robot-days
FOUND_GOAL = 0.95


@dataclass(frozen=True, slots=True)
class Found:
    """One kind of fault. `in_time` were found before their limit. Delays and leads in days; NaN where none."""

    kind: str
    cases: int
    found: int
    in_time: int
    delay_days: float
    delay_worst_days: float
    lead_days: float
    grown: float
    first_rules: dict[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """`false` is by rule and kind of component. `truly_beyond` are episodes of the limit rule on healthy robots:
    the value is beyond its limit (a battery in a heat wave), so they are not false."""

    robots: int
    days: int
    seed: int
    outcomes: Sequence[Outcome]
    kinds: Sequence[Found]
    false: dict[tuple[str, str], int]
    in_wave: dict[str, int]
    truly_beyond: int
    robot_days: float
    wave_robot_days: float
    rules: tuple[str, ...]

    @classmethod
    def of(
        cls, robots: int, days: int, seed: int, outcomes: Sequence[Outcome], healthy: Iterable[Healthy],
        rules: tuple[str, ...],
    ) -> "Result":  # fmt: skip
        false: Counter[tuple[str, str]] = Counter()
        in_wave: Counter[str] = Counter()
        robot_days = wave_days = 0.0
        for part in healthy:
            false.update(part.episodes)
            in_wave.update(part.in_wave)
            robot_days += part.robot_days
            wave_days += part.wave_robot_days
        beyond = sum(count for (rule, _), count in false.items() if rule == LIMIT)
        false = Counter({key: count for key, count in false.items() if key[0] != LIMIT})
        in_wave.pop(LIMIT, None)
        kinds = [_found(kind, [o for o in outcomes if o.case.kind is kind]) for kind in Kind]
        return cls(
            robots, days, seed, outcomes, kinds, dict(false), dict(in_wave), beyond, robot_days, wave_days, rules
        )

    def without(self, rule: str) -> "Result":
        """The same run as it would have been without this rule: rules know nothing of one another."""
        outcomes = [Outcome(o.case, {r: at for r, at in o.first.items() if r != rule}) for o in self.outcomes]
        episodes = {key: count for key, count in self.false.items() if key[0] != rule}
        in_wave = {name: count for name, count in self.in_wave.items() if name != rule}
        rest = tuple(name for name in self.rules if name != rule)
        healthy = Healthy(episodes, in_wave, self.robot_days, self.wave_robot_days)
        return Result.of(self.robots, self.days, self.seed, outcomes, [healthy], rest)

    @property
    def false_per_1000(self) -> float:
        return 1000 * sum(self.false.values()) / max(self.robot_days, 1e-9)

    @property
    def found_share(self) -> float:
        return sum(kind.found for kind in self.kinds) / max(1, sum(kind.cases for kind in self.kinds))

    @property
    def in_time_share(self) -> float:
        return sum(kind.in_time for kind in self.kinds) / max(1, sum(kind.cases for kind in self.kinds))

    def as_json(self) -> dict[str, Any]:
        """Numbers only; NaN as None."""
        return {
            "robots": self.robots, "days": self.days, "seed": self.seed, "rules": list(self.rules),
            "found_share": self.found_share, "in_time_share": self.in_time_share,
            "false_episodes_per_1000_robot_days": self.false_per_1000,
            "healthy_robot_days": self.robot_days, "wave_robot_days": self.wave_robot_days,
            "false_episodes": {f"{rule}/{part}": count for (rule, part), count in sorted(self.false.items())},
            "false_episodes_in_wave": self.in_wave, "healthy_truly_beyond_a_limit": self.truly_beyond,
            "faults": [
                {name: _plain(getattr(kind, name)) for name in Found.__slots__} for kind in self.kinds
            ],
        }  # fmt: skip

    def table(self) -> Group:
        head = (
            f"{self.robots} robots, {self.days} days, seed {self.seed}: {len(self.outcomes)} faults, "
            f"{self.robot_days:,.0f} healthy robot-days after commissioning".replace(",", " ")
        )
        return Group(Text(head), Text(), _faults(self.kinds), Text(), _false(self), *map(Text, _verdicts(self)))


def _found(kind: Kind, outcomes: Sequence[Outcome]) -> Found:
    hits = [(o.case, min(o.first.values())) for o in outcomes if o.first]
    delays = [(at - case.onset) / EPOCHS_A_DAY for case, at in hits]
    leads = [(case.limit_epoch - at) / EPOCHS_A_DAY for case, at in hits if case.limit_epoch is not None]
    early = sum(case.limit_epoch is None or at < case.limit_epoch for case, at in hits)
    first = Counter(min(o.first, key=lambda rule: o.first[rule]) for o in outcomes if o.first)
    return Found(
        kind=kind.value,
        cases=len(outcomes),
        found=len(hits),
        in_time=early,
        delay_days=_middle(delays),
        delay_worst_days=max(delays, default=float("nan")),
        lead_days=_middle(leads),
        grown=_middle([case.grown(at) for case, at in hits]),
        first_rules=dict(first.most_common()),
    )


def _middle(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else float("nan")


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value


def _faults(kinds: Sequence[Found]) -> Table:
    heads = ("faults", "found", "before limit", "delay, days", "slowest", "days left", "grown")
    table = Table("", *(Column(head, justify="right") for head in heads), "first seen by", box=None, pad_edge=False)
    for kind in kinds:
        first = ", ".join(f"{rule} {count}" for rule, count in kind.first_rules.items())
        numbers = (kind.delay_days, kind.delay_worst_days, kind.lead_days)
        table.add_row(
            kind.kind, str(kind.cases), str(kind.found), str(kind.in_time),
            *("–" if np.isnan(number) else f"{number:.1f}" for number in numbers),
            "–" if np.isnan(kind.grown) else f"{kind.grown:.0%}", first,
        )  # fmt: skip
    return table


def _false(result: Result) -> Table:
    heads = ("episodes", "in 1 000 robot-days")
    right = (Column(head, justify="right") for head in heads)
    table = Table("false episodes", *right, box=None, pad_edge=False)
    for (rule, part), count in sorted(result.false.items(), key=lambda item: -item[1]):
        table.add_row(f"{rule}, {part}", str(count), f"{1000 * count / result.robot_days:.2f}")
    table.add_row("all", str(sum(result.false.values())), f"{result.false_per_1000:.2f}")
    return table


def _verdicts(result: Result) -> Iterable[str]:
    met = {True: "met", False: "MISSED"}
    yield ""
    yield (
        f"found {result.found_share:.1%}, before the limit {result.in_time_share:.1%} "
        f"(goal > {FOUND_GOAL:.0%}: {met[result.found_share > FOUND_GOAL]})"
    )
    yield (
        f"false episodes in 1 000 robot-days {result.false_per_1000:.2f} "
        f"(goal < {FALSE_GOAL:g}: {met[result.false_per_1000 < FALSE_GOAL]})"
    )
    yield (
        f"of these in the heat wave: {sum(result.in_wave.values())} in {result.wave_robot_days:.0f} robot-days; "
        f"limit episodes of healthy robots (truly beyond, not false): {result.truly_beyond}"
    )
