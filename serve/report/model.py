"""The history report of one robot, as it is signed, kept and shown.

In and out: a `Report`, which `build.py` makes of facts, and a `SignedReport`, which travels. Everything that
people read in HTML and PDF follows from the report alone, so whoever has it can draw the same page again and
compare. Times are UTC µs, None where nobody knows; a name ends in its unit. A number that an entry of the
logbook has is that entry's, for whoever looks it up.
"""

from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.signing import Hash

REPORT_VERSION = 1
FORMAT = "robovitals.report"
MOST_BYTES = 4 * 1024 * 1024
"""Of a signed report. One of ten years with 29 joints is about 100 kB."""


class Confidence(StrEnum):
    """Established: serials or counters contradict each other. Suspected: inferred, and it may be otherwise."""

    ESTABLISHED = "established"
    SUSPECTED = "suspected"


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is made of."""


class Identity(Struct, frozen=True, kw_only=True):
    """Maker, model and level are the registry's words; the code's segments say the rest."""

    country: str
    enterprise: str
    model_code: str
    serial: str
    maker: str = ""
    model: str = ""
    level: str = ""
    joints: int | None = None
    made_us: int | None = None
    registered_us: int | None = None
    commissioned_us: int | None = None
    status: str
    status_since_us: int | None = None
    last_seen_us: int | None = None


class Holder(Struct, frozen=True, kw_only=True):
    """An owner or operator. `name` is empty where it was left out of this report, or erased."""

    number: int
    name: str = ""
    country: str = ""
    from_us: int
    until_us: int | None = None
    entry: int


class Recall(Struct, frozen=True, kw_only=True):
    """`done_us` None: nobody has written that it was done."""

    campaign: str
    reason: str
    called_us: int
    done_us: int | None = None
    entry: int


class Coverage(Struct, frozen=True, kw_only=True):
    """How much of the robot's life there is telemetry for.

    `life_days` from `from_us`, when it was made or first known, until `until_us`; on `seen_days` of them frames
    came. Where `is_aged` is false nobody knows when it was made. `runtime_s` is what its counter says that it
    ran in all, pieces before resets included, `logged_s` how much of that was seen; both None without a
    counter. `missing_frames` were sent and never came.
    """

    from_us: int | None = None
    until_us: int
    is_aged: bool
    first_us: int | None = None
    last_us: int | None = None
    life_days: int = 0
    seen_days: int = 0
    runtime_s: int | None = None
    logged_s: int | None = None
    frames: int = 0
    missing_frames: int = 0


class Gap(Struct, frozen=True, kw_only=True):
    """A stretch without any telemetry. `ran_s`: how far the runtime counter went on meanwhile; None: not known."""

    from_us: int
    until_us: int
    ran_s: int | None = None
    energy_wh: int | None = None
    cycles: int | None = None


class Reset(Struct, frozen=True, kw_only=True):
    """A cumulative counter fell. `entry`: of the logbook, that says so and why; None where there is none."""

    counter: str
    at_us: int
    before: int
    after: int
    entry: int | None = None
    reason: str = ""


class Curve(Struct, frozen=True, kw_only=True):
    """A signal over time: of each stretch of `step_us` with readings the lowest and the highest."""

    name: str
    step_us: int
    times_us: tuple[int, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


class Counter(Struct, frozen=True, kw_only=True):
    """A cumulative counter. `latest` is what it says now, `total` with what it lost at resets."""

    name: str
    unit: str
    latest: int | None = None
    total: int | None = None
    curve: Curve


class Part(Struct, frozen=True, kw_only=True):
    """A part in its place. `installed` and `removed` are entries; without them telemetry alone has told of it."""

    component: str
    part: str = ""
    serial: str
    installed_us: int | None = None
    removed_us: int | None = None
    ran_before_s: int = 0
    installed: int | None = None
    removed: int | None = None
    seen_first_us: int | None = None
    seen_last_us: int | None = None


class Due(Struct, frozen=True, kw_only=True):
    """A task of the maintenance plan. `state`: ok, due, overdue or unknown; `rule`: how often, in words."""

    task: str
    component: str
    rule: str
    state: str
    done_us: int | None = None
    overdue_since_us: int | None = None


class Service(Struct, frozen=True, kw_only=True):
    """Work that somebody has signed for: `kind` is maintenance, calibration, inspection or counter. `holder`: whose
    key signed; `by`: who did it, empty where left out.
    """

    entry: int
    kind: str
    at_us: int
    written_us: int
    component: str = ""
    text: str
    runtime_s: int | None = None
    role: str = ""
    holder: str = ""
    by: str = ""
    passed: bool | None = None


class Software(Struct, frozen=True, kw_only=True):
    """A version, as telemetry (`entry` None) or an entry has it."""

    name: str
    version: str
    from_us: int
    until_us: int | None = None
    entry: int | None = None


class Usage(Struct, frozen=True, kw_only=True):
    """What it was used for; `scenario` is empty where the robot told of none. `entry`: who used it said so himself;
    None: telemetry does, and `used_s` is what the runtime counter gained while the robot was heard. `load`: mean
    load, 0..1 of the rated one, which only an entry can tell.
    """

    scenario: str
    from_us: int
    until_us: int
    used_s: int
    load: float | None = None
    entry: int | None = None


class Limit(Struct, frozen=True, kw_only=True):
    """A limit that a trend is drawn with. `level`: warn or alarm; `side`: above or below."""

    level: str
    side: str
    value: float


class Trend(Struct, frozen=True, kw_only=True):
    """A signal of health over the robot's life. `first` and `latest` are of its first and last readings, `worst`
    of all; `curves` has the worst ones, `left_out` says how many more there are.
    """

    signal: str
    unit: str
    estimate: bool
    limits: tuple[Limit, ...] = ()
    curves: tuple[Curve, ...] = ()
    left_out: int = 0
    rows: tuple["TrendRow", ...] = ()


class TrendRow(Struct, frozen=True, kw_only=True):
    """One component's figures of a trend. `fell_us`: when a signal that only rises fell by a quarter or more."""

    component: str
    first: float
    latest: float
    worst: float
    first_us: int
    latest_us: int
    fell_us: int | None = None


class Incident(Struct, frozen=True, kw_only=True):
    """`verdict` is empty where nobody has drawn one, `entry` None where the logbook does not tell of it."""

    incident_id: str
    at_us: int
    text: str
    verdict: str = ""
    entry: int | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """What does not fit together, with what speaks for it and against it."""

    finding_id: str
    rule: str
    component: str
    confidence: Confidence
    first_us: int
    last_us: int
    text: str
    speaks_for: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    closed_us: int | None = None
    closed_because: str = ""


class Fault(Struct, frozen=True, kw_only=True):
    """Of an entry of the logbook; 0 is the whole of it."""

    entry: int
    word: str
    text: str


class Integrity(Struct, frozen=True, kw_only=True):
    """What `check_logbook` says. `word`: PROVEN, NOT PROVEN, FALSE, or NONE without a logbook."""

    word: str
    entries: int = 0
    faults: tuple[Fault, ...] = ()
    unproven: tuple[str, ...] = ()
    late: tuple[int, ...] = ()
    corrected: tuple[int, ...] = ()
    anchored: int = 0
    anchored_us: int = 0


class Verdict(Struct, frozen=True, kw_only=True):
    """The first page: what is known, what is wrong, how much the data covers; a sentence or two each. `tone`:
    good, unknown, warn or bad.
    """

    tone: str
    known: str
    wrong: str
    covered: str


class Report(Struct, frozen=True, kw_only=True):
    """`drawn_by`: which version of the templates draws it; `platform`: the key that signs it, empty without
    one; `verify_at`: an address where a signature is checked. `personal`: whether names of persons are in it.
    `audited_us`: when findings were looked for last. `usage_left_out`: so many shorter uses are not listed, of
    `usage_left_out_s` together.
    """

    v: int = REPORT_VERSION
    robot_id: str
    made_us: int
    drawn_by: str
    platform: str = ""
    verify_at: str = ""
    personal: bool
    verdict: Verdict
    identity: Identity
    owners: tuple[Holder, ...] = ()
    operators: tuple[Holder, ...] = ()
    recalls: tuple[Recall, ...] = ()
    coverage: Coverage
    gaps: tuple[Gap, ...] = ()
    gaps_left_out: int = 0
    counters: tuple[Counter, ...] = ()
    resets: tuple[Reset, ...] = ()
    parts: tuple[Part, ...] = ()
    due: tuple[Due, ...] = ()
    services: tuple[Service, ...] = ()
    software: tuple[Software, ...] = ()
    usage: tuple[Usage, ...] = ()
    usage_left_out: int = 0
    usage_left_out_s: int = 0
    trends: tuple[Trend, ...] = ()
    incidents: tuple[Incident, ...] = ()
    findings: tuple[Finding, ...] = ()
    audited_us: int | None = None
    integrity: Integrity
    unknown: tuple[str, ...] = ()


class SignedReport(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`digest` is the SHA-256 of the report's canonical bytes; `signature`, of purpose `robovitals.report.1`, is
    over the canonical bytes of robot_id, made_us, digest and platform. Empty where the platform has no key.
    """

    format: str = FORMAT
    report: Report
    digest: Hash
    signature: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{128})?$")] = ""


class Seal(Struct, frozen=True, kw_only=True):
    """What the signature is over. It fits on paper: who has only that can still ask whether it is the
    platform's.
    """

    robot_id: str
    made_us: int
    digest: Hash
    platform: str
