"""What a report is built from, as it was read: one robot's logbook, hours, parts, tasks, findings, incidents.

Filled by `reading.py` from the database, and by hand in tests; `build.py` makes a `Report` of it.
"""

from collections.abc import Mapping

import msgspec

from schemas.history import History
from schemas.logbook_check import Verdict as LogbookVerdict
from serve.report.model import Due, Finding, Incident, Limit, Usage

COUNTERS = {"runtime_s": "s", "energy_wh": "Wh", "cycles": "cycles"}


class Range(msgspec.Struct, frozen=True):
    """The lowest and the highest of a stretch; None where there was no reading."""

    low: float | None
    high: float | None


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """What the hours of one stretch of the robot's life say: of each counter and signal the range. A joint's signal
    has one range a joint, in order; the others have one.
    """

    start_us: int
    counters: Mapping[str, Range]
    signals: Mapping[str, tuple[Range, ...]]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Two hours with telemetry that follow each other, and between which something changed: a gap, a counter that
    fell, other software. `before_us` is when the earlier one ended, None for the first of all.
    """

    at_us: int
    before_us: int | None
    counters: Mapping[str, int | None]
    counters_before: Mapping[str, int | None]
    software: str
    software_before: str


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Over all hours. `first`, `latest`: the counters' first and last values; `advanced`: the sum of all that they
    rose by; `logged_s`: what runtime rose by while frames came.
    """

    first_us: int
    last_us: int
    days: int
    frames: int
    missing: int
    logged_s: int
    first: Mapping[str, int | None]
    latest: Mapping[str, int | None]
    advanced: Mapping[str, int]


class SeenPart(msgspec.Struct, frozen=True, kw_only=True):
    """A serial that the robot itself has reported."""

    component: str
    serial: str
    first_us: int
    last_us: int


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """`logbook` None: the robot has none. `audited_us`: when somebody last looked for
    findings, None: nobody has. `planned`: whether there is a maintenance plan for its model.
    `limits`: by signal, of its model. `step_us`: how long a stretch is.
    """

    robot_id: str
    now_us: int
    history: History
    logbook: LogbookVerdict | None
    totals: Totals | None = None
    step_us: int = 3_600_000_000
    stretches: tuple[Stretch, ...] = ()
    steps: tuple[Step, ...] = ()
    seen_parts: tuple[SeenPart, ...] = ()
    planned: bool = False
    audited_us: int | None = None
    due: tuple[Due, ...] = ()
    usage: tuple[Usage, ...] = ()
    findings: tuple[Finding, ...] = ()
    incidents: tuple[Incident, ...] = ()
    limits: Mapping[str, tuple[Limit, ...]] = {}
