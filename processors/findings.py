"""What a detector says about a robot, and what each rule's word means.

Made by the detectors and from crossings; taken by `processors/episodes.py`, which turns it into transitions.
Findings about the machine (limit, mode, drift, step, peer, pattern, trend) and about the data (clock, silence,
sensor, gap, restart) are kept apart by their rule. Times are event times; those of clock and silence are the
broker's, since there the robot's clock is in doubt or has nothing to say.
"""

from enum import IntEnum

import msgspec

from schemas.health import Status


class Level(IntEnum):
    """How far a condition has gone. OK: it has ended."""

    OK = 0
    WARN = 1
    ALARM = 2


LIMIT, MODE, CLOCK, SILENCE = "limit", "mode", "clock", "silence"
DRIFT, STEP, PEER, PATTERN, TREND = "drift", "step", "peer", "pattern", "trend"
SENSOR, GAP, RESTART = "sensor", "gap", "restart"

# A changed rule gets a new version, which its events carry.
RULE_VERSIONS = {
    LIMIT: 1, MODE: 1, CLOCK: 1, SILENCE: 1,
    DRIFT: 1, STEP: 1, PEER: 1, PATTERN: 1, TREND: 1, SENSOR: 1, GAP: 1, RESTART: 1,
}  # fmt: skip

_STATUS = {
    (LIMIT, Level.WARN): Status.MAINTENANCE_REQUIRED,
    (LIMIT, Level.ALARM): Status.OFF_SPEC,
    (MODE, Level.ALARM): Status.FAILURE,
    (CLOCK, Level.ALARM): Status.CHECK_FUNCTION,
    (SILENCE, Level.ALARM): Status.UNKNOWN,
    **{(rule, Level.WARN): Status.MAINTENANCE_REQUIRED for rule in (DRIFT, STEP, PEER, PATTERN, TREND)},
    **{(rule, Level.WARN): Status.CHECK_FUNCTION for rule in (SENSOR, GAP, RESTART)},
}


def status_of(rule: str, level: Level) -> Status:
    """The NE 107 word for a condition that is not over."""
    return _STATUS[rule, level]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of one robot, as its rule sees it now.

    `first_us` and `last_us`: the first and this sign of it. `windows`: how many windows showed it so far; 0 for
    what no window shows (a crossing). `value`, `limit` and `baseline` (what the value was compared with) in the
    signal's unit, None where there is none; `confidence` 0..1.
    """

    rule: str
    component: str
    signal: str
    side: str
    level: Level
    value: float | None
    limit: float | None
    first_us: int
    last_us: int
    windows: int
    baseline: float | None = None
    confidence: float | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What is one condition: its later findings have the same key."""
        return self.rule, self.component, self.signal, self.side


NOTHING, EVERYTHING = 0, 2**63 - 1


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that some rules say about one robot: a condition of `rules` that is not in `findings` has ended.

    `until_us`: how far the rules have seen. What showed itself then or later (a crossing, whose window is still
    open) is not theirs to end or to lower: NOTHING for what can only raise, EVERYTHING where the rule is the only
    witness.
    """

    rules: tuple[str, ...]
    until_us: int
    findings: list[Finding]
