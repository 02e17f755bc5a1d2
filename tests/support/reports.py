"""Facts of robots' lives for tests of the history report, made by hand: a messy one, a clean one, and hardly
any.
"""

import math
from dataclasses import dataclass

from schemas.history import History, fold
from schemas.logbook import (
    Calibration,
    Commissioned,
    Incident,
    Inspection,
    KeyRegistered,
    MaintenanceDone,
    Opened,
    Operation,
    Ownership,
    PartInstalled,
    PartRemoved,
    RecallDone,
    Recalled,
    Registered,
    Role,
    Software,
)
from schemas.logbook_check import Verdict, check_logbook
from schemas.logbook_file import write_file
from schemas.signing import public_key
from serve.report.build import For, build
from serve.report.facts import Facts, Range, SeenPart, Step, Stretch, Totals
from serve.report.look import look
from serve.report.model import Confidence, Due, Finding, Limit, Report, SignedReport, Usage
from serve.report.model import Incident as KnownIncident
from serve.report.seal import seal
from support.logbooks import (
    DAY_US,
    INSPECTOR,
    MAKER,
    OPERATOR,
    PLATFORM,
    PLATFORMS,
    ROBOT,
    START_US,
    WORKSHOP,
    Writer,
)

YEAR_US = 365 * DAY_US
LIFE_US = 4 * YEAR_US
NOW_US = START_US + LIFE_US
STEP_US = 7 * DAY_US
FELL_US = START_US + 3 * YEAR_US
DARK_US = (START_US + 2 * YEAR_US, START_US + 2 * YEAR_US + 61 * DAY_US)
JOINTS = 6
FIRST = Opened(salt="1a" * 16, value="Ada Lovelace, Berlin")
SECOND = Opened(salt="2b" * 16, value="王小明")
SITE = Opened(salt="3c" * 16, value="Halle 4 <script>alert(1)</script>")
LIMITS = {
    "joint_wear": (Limit(level="warn", side="above", value=0.6), Limit(level="alarm", side="above", value=0.8)),
    "battery_soh": (Limit(level="warn", side="below", value=0.85), Limit(level="alarm", side="below", value=0.8)),
}


@dataclass(frozen=True)
class Book:
    history: History
    verdict: Verdict


def book(writer: Writer) -> Book:
    return Book(
        fold(writer.book.robot_id, writer.records), check_logbook(write_file(ROBOT, writer.records), PLATFORMS)
    )


def messy_book(second: Opened = SECOND) -> Book:
    """Owners, a swap on record, services, a recall, an incident."""
    writer = Writer()
    for role, private in ((Role.MAKER, MAKER), (Role.OPERATOR, OPERATOR), (Role.WORKSHOP, WORKSHOP),
                          (Role.INSPECTOR, INSPECTOR)):  # fmt: skip
        writer.write(KeyRegistered(key=public_key(private), role=role, holder=f"Test {role} GmbH"), PLATFORM)
    writer.write(Registered(maker="Test AG", model="MODEL1", made_us=START_US, joints=JOINTS, level="L2"))
    writer.write(Commissioned(baselines={"pose_repeatability_mm": 0.1}, samples=30))
    for joint in range(1, JOINTS + 1):
        writer.write(PartInstalled(component=f"joint/{joint}", part="A-17", serial=f"S-{joint:04}"))
    writer.write(PartInstalled(component="battery", part="B-2", serial="BAT-1"))
    writer.write(Ownership(owner=FIRST.commitment, country="DE"), MAKER, FIRST)
    writer.write(Operation(operator=SITE.commitment), OPERATOR, SITE)
    for months in (6, 12, 18):
        writer.now_us = START_US + months * 30 * DAY_US
        writer.write(MaintenanceDone(task="grease the joints", component="joint/3"), WORKSHOP)
    writer.now_us = START_US + 400 * DAY_US
    writer.now_us = START_US + 560 * DAY_US
    writer.write(
        PartRemoved(component="joint/2", serial="S-0002", reason="worn", part_runtime_s=9_000_000), WORKSHOP
    )
    writer.write(PartInstalled(component="joint/2", part="A-17", serial="S-0777"), WORKSHOP)
    writer.write(Calibration(component="accuracy", method="ISO 9283, n = 30"), WORKSHOP)
    writer.write(Software(name="firmware", version="2.1", before="1.4"), MAKER)
    writer.write(Recalled(campaign="R-7", reason="battery connector may loosen"), MAKER)
    writer.write(RecallDone(campaign="R-7"), WORKSHOP)
    writer.now_us = START_US + 900 * DAY_US
    writer.write(Ownership(owner=second.commitment, country="CN"), OPERATOR, second)
    writer.write(Inspection(passed=False, text="play in joint 3"), INSPECTOR)
    writer.write(Incident(incident_id="I-2028-3", text="dropped a load"), OPERATOR)
    return book(writer)


def messy_facts() -> Facts:
    """A swap without an entry, a counter that fell, a gap across which it ran, an overdue service."""
    kept = messy_book()
    return Facts(
        robot_id=ROBOT,
        now_us=NOW_US,
        history=kept.history,
        logbook=kept.verdict,
        totals=Totals(
            first_us=START_US + 3 * DAY_US,
            last_us=NOW_US - 3_600_000_000,
            days=1120,
            frames=61_000_000,
            missing=12_345,
            logged_s=9_800 * 3600,
            first={"runtime_s": 7200, "energy_wh": 900, "cycles": 40},
            latest={"runtime_s": 3_900 * 3600, "energy_wh": 4_100_000, "cycles": 5_200_000},
            advanced={"runtime_s": 13_400 * 3600, "energy_wh": 4_099_100, "cycles": 5_199_960},
        ),
        step_us=STEP_US,
        stretches=tuple(_stretches()),
        steps=(
            _step(START_US + 3 * DAY_US, None, 7200, None, "1.4", ""),
            _step(START_US + YEAR_US, START_US + YEAR_US - 3_600_000_000, 3400 * 3600, 3400 * 3600, "2.1", "1.4"),
            _step(DARK_US[1], DARK_US[0], 7600 * 3600, 6700 * 3600, "2.1", "2.1"),
            _step(FELL_US, FELL_US - 5 * 3_600_000_000, 100 * 3600, 9_900 * 3600, "2.2", "2.1"),
        ),
        seen_parts=(
            *(SeenPart(component=f"joint/{j}", serial=f"S-{j:04}", first_us=START_US, last_us=NOW_US)
              for j in (1, 4)),
            SeenPart(component="joint/3", serial="S-0003", first_us=START_US, last_us=DARK_US[0]),
            SeenPart(component="joint/3", serial="X-9911", first_us=DARK_US[1], last_us=NOW_US),
        ),
        planned=True,
        audited_us=NOW_US,
        due=(
            Due(task="grease the joints", component="joint/3", rule="2 000 h or 180 days", state="overdue",
                done_us=START_US + 540 * DAY_US, overdue_since_us=START_US + 750 * DAY_US),
            Due(task="check the battery", component="battery", rule="365 days", state="ok",
                done_us=START_US + YEAR_US),
        ),
        usage=(
            Usage(scenario="factory_line", from_us=START_US, until_us=DARK_US[0], used_s=6_600 * 3600),
            Usage(scenario="classroom", from_us=DARK_US[1], until_us=NOW_US, used_s=3_100 * 3600),
        ),
        findings=findings(),
        incidents=(
            KnownIncident(incident_id="I-2028-3", at_us=START_US + 902 * DAY_US, text="dropped a load",
                          verdict="indicated: neglected maintenance"),
        ),
        limits=LIMITS,
    )  # fmt: skip


def findings() -> tuple[Finding, ...]:
    return (
        Finding(
            finding_id="f1", rule="runtime_rollback", component="robot", confidence=Confidence.ESTABLISHED,
            first_us=FELL_US, last_us=FELL_US, text="the runtime counter went from 9 900 h to 100 h in five hours",
            speaks_for=("hour of 2028-10-08 08:00: 9 900 h", "hour of 13:00: 100 h", "cycles went on rising"),
            against=("no entry of a controller's swap",),
        ),
        Finding(
            finding_id="f2", rule="undeclared_part_swap", component="joint/3", confidence=Confidence.ESTABLISHED,
            first_us=DARK_US[1], last_us=NOW_US, text="joint 3 reports serial X-9911; the logbook has S-0003 in it",
            speaks_for=("frames since the gap carry X-9911",), against=("the workshop may still write the entry",),
        ),
        Finding(
            finding_id="f3", rule="hidden_swap", component="joint/5", confidence=Confidence.SUSPECTED,
            first_us=DARK_US[1], last_us=DARK_US[1], text="backlash of joint 5 stepped down for good",
            speaks_for=("4.1 arcmin before, 1.2 since",), against=("a calibration was entered within the month",),
        ),
        Finding(
            finding_id="f4", rule="telemetry_gap", component="", confidence=Confidence.SUSPECTED,
            first_us=START_US + 100 * DAY_US, last_us=START_US + 110 * DAY_US, text="ten days without data",
            closed_us=START_US + 130 * DAY_US, closed_because="shipping was entered",
        ),
    )  # fmt: skip


def _step(at: int, before: int | None, runtime: int, runtime_before: int | None, version: str, was: str) -> Step:
    return Step(
        at_us=at, before_us=before, counters={"runtime_s": runtime},
        counters_before={} if runtime_before is None else {"runtime_s": runtime_before},
        software=version, software_before=was,
    )  # fmt: skip


def _stretches() -> list[Stretch]:
    """Weeks, none in the gap."""
    found = []
    for week in range(LIFE_US // STEP_US):
        start = START_US + week * STEP_US
        if DARK_US[0] - STEP_US < start < DARK_US[1]:
            continue
        lived = (start - START_US) / YEAR_US
        ran = 3300 * lived * 3600 if start < FELL_US else 3300 * (lived - 3) * 3600 + 360_000
        found.append(
            Stretch(
                start_us=start,
                counters={
                    "runtime_s": Range(ran, ran + 60 * 3600),
                    "energy_wh": Range(1_000_000 * lived, 1_000_000 * lived + 20_000),
                    "cycles": Range(1_300_000 * lived, 1_300_000 * lived + 25_000),
                },
                signals={
                    "joint_wear": tuple(_wear(joint, lived, start) for joint in range(1, JOINTS + 1)),
                    "joint_backlash_arcmin": tuple(
                        Range(0.8 + 0.25 * lived, 1.0 + 0.25 * lived + 0.4 * abs(math.sin(week * joint)))
                        for joint in range(1, JOINTS + 1)
                    ),
                    "pose_repeatability_mm": (Range(0.09 + 0.02 * lived, 0.11 + 0.03 * lived),),
                    "battery_soh": (Range(0.99 - 0.045 * lived, 1.0 - 0.045 * lived),),
                },
            )
        )
    return found


def _wear(joint: int, lived: float, start: int) -> Range:
    since = lived - 2.17 if joint == 3 and start >= DARK_US[1] else lived
    return Range(0.05 + 0.03 * joint * since, 0.055 + 0.03 * joint * since)


def clean_facts() -> Facts:
    """A life without trouble, covered nearly whole."""
    facts = messy_facts()
    kept = messy_book()
    quiet = tuple(one for one in kept.history.stated if not isinstance(one.what, Incident | Inspection))
    import msgspec

    history = msgspec.structs.replace(kept.history, stated=quiet)
    verdict = msgspec.structs.replace(kept.verdict, unproven=(), anchored=30, anchored_us=NOW_US)
    totals = msgspec.structs.replace(facts.totals, logged_s=13_300 * 3600, days=1440)
    return msgspec.structs.replace(
        facts, history=history, logbook=verdict, totals=totals, findings=(), incidents=(), due=facts.due[1:],
        steps=facts.steps[:2],
    )  # fmt: skip


def hardly_any_facts() -> Facts:
    """A code that nobody has registered, and a day of frames."""
    day = Totals(first_us=NOW_US - DAY_US, last_us=NOW_US, days=1, frames=10, missing=0, logged_s=0, first={},
                 latest={},
                 advanced={})  # fmt: skip
    return Facts(robot_id=ROBOT, now_us=NOW_US, history=fold(ROBOT, []), logbook=None, totals=day)


def report_of(facts: Facts, personal: bool = True) -> Report:
    reader = For(
        personal=personal, drawn_by=look(), platform=public_key(PLATFORM), verify_at="https://passport.test/verify"
    )
    return build(facts, reader)


def signed_of(facts: Facts, personal: bool = True) -> SignedReport:
    return seal(report_of(facts, personal), PLATFORM)
