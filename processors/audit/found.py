"""A finding: what does not fit, how sure that is, and what speaks for and against it.

In: what a rule of this folder says. Out: a `Finding`. Made by every rule, stored by `processors/audit_tables.py` in
the table `finding`, and shown on the page and in the report. Its words accuse nobody: they say which records
contradict each other.
"""

import hashlib
from enum import StrEnum

import msgspec

from schemas.canonical import canonical


class Rule(StrEnum):
    """Stable words."""

    ROLLBACK = "runtime_rollback"
    IMPOSSIBLE = "runtime_impossible"
    TOO_LOW = "runtime_too_low"
    SWAP = "undeclared_swap"
    HIDDEN_SWAP = "hidden_swap"
    CLONED_PART = "cloned_part"
    CLONED_ROBOT = "cloned_robot"
    UNLOGGED = "ran_unlogged"
    MISSED = "missed_maintenance"
    OWNERSHIP = "ownership"
    SCRAPPED = "active_after_scrapping"


class Confidence(StrEnum):
    """Established: serials or counters contradict each other, with support on both sides. Else suspected."""

    ESTABLISHED = "established"
    SUSPECTED = "suspected"


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """`text` says it in words; `entries` are numbers in the logbook, `values` what was measured, units in names."""

    text: str
    entries: tuple[int, ...] = ()
    at_us: int | None = None
    values: dict[str, float | int | str] = {}


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`first_us` to `last_us`: between which hours it happened. `component`: as in the logbook."""

    robot_id: str
    rule: Rule
    component: str
    first_us: int
    last_us: int
    confidence: Confidence
    text: str
    evidence_for: tuple[Evidence, ...]
    evidence_against: tuple[Evidence, ...] = ()
    detail: str = ""

    @property
    def finding_id(self) -> str:
        """The same for the same matter, whatever else becomes known of it. `detail` tells two of a moment apart."""
        matter = [self.robot_id, self.rule, self.component, self.first_us, self.detail]
        return hashlib.sha256(canonical(matter)).hexdigest()[:32]
