"""An incident as people see it."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from schemas.incident import Assessment, Cause, Kind, Other, Piece, Quality, Stance, Verdict
from serve.incident_chart import Point, chart
from serve.incident_report import report
from serve.incident_view import view
from serve.incident_words import said
from serve.incidents import FrozenRecord, Incident

AT = datetime(2026, 11, 24, 8, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>"


def record(kind: str, fields: object, record_id: str = "x/1", appended: bool = False) -> FrozenRecord:
    return FrozenRecord(record_id=record_id, kind=kind, time=AT, frozen=AT, appended=appended, record=fields)


def incident(part: str = "joint/2", records: list[FrozenRecord] | None = None) -> Incident:
    piece = Piece(
        kind=Kind.COMMAND, cause=Cause.SOFTWARE, stance=Stance.FOR, text=HOSTILE, records=("frames/7/1-2",)
    )
    quality = Quality(
        frames=2, rate_hz=10.0, missing=0, longest_gap_s=0.1, boots=1, clock_offset_ms=None, synchronised=None,
        integrity=None,
    )  # fmt: skip
    evidence = Assessment(
        version=1, verdict=Verdict.SOFTWARE, because=(), part=part, pieces=(piece,), others=(Other("an impact"),),
        quality=quality,
    )  # fmt: skip
    return Incident(
        incident_id="one", robot_id="ZZSIM0HUMAN10000000000000001A", at=AT, opened=AT, opened_by="fault",
        text=HOSTILE, completed=AT, verdict=Verdict.SOFTWARE, part=part, frames=2, appended_frames=1,
        evidence=evidence, records=records or [],
    )  # fmt: skip


def frames(**readings: object) -> list[dict[str, object]]:
    names = ("joint_velocity_rad_s", "joint_tracking_error_rad", "joint_current_a", "joint_torque_nm",
             "joint_temperature_c", "joint_vibration_mm_s", "battery_voltage_v", "battery_current_a")  # fmt: skip
    return [
        {**dict.fromkeys(names), **readings, "time": AT + timedelta(seconds=s), "appended": s == 2}
        for s in (-2, -1, 2)
    ]


def test_a_chart_is_of_the_part_that_failed():
    shown = view(incident(), frames(joint_velocity_rad_s=[1.0, 5.0]))
    (velocity,) = shown.charts
    assert velocity.title == "velocity, joint 2"
    assert "5.5" in velocity.svg
    assert ElementTree.fromstring(velocity.svg).tag.endswith("svg")


def test_where_no_part_is_known_the_largest_of_all_joints_is_shown():
    (velocity,) = view(incident(part=""), frames(joint_velocity_rad_s=[-9.0, None])).charts
    assert "largest of all joints" in velocity.title


def test_a_gap_is_a_gap_and_a_late_frame_is_a_ring():
    points = [Point(s / 10, 1.0 + s % 3) for s in range(-300, 100) if not -200 < s < -100]
    svg = chart("speed", "rad/s", [*points, Point(-15.0, 9.0, late=True)]).svg
    path = next(p for p in ElementTree.fromstring(svg).iter() if p.get("stroke-width"))
    assert path.get("d", "").count("M") == 2
    assert svg.count("<circle") == 1


def test_the_report_needs_nothing_else_and_what_people_wrote_is_text():
    page = report(incident(records=[record("note", {"text": HOSTILE, "author": "Ada"}, appended=True)]),
                  frames(joint_velocity_rad_s=[1.0, 5.0]), AT).decode()  # fmt: skip
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "Indicated: software" in page
    assert "liable" not in page
    assert "came later" in page


def test_records_are_said_in_a_line_and_what_is_not_known_is_shown_as_it_is():
    fields = {
        "transition": "acknowledged",
        "actor": "Ada",
        "note": "",
        "text": "hot",
        "rule": "limit",
        "component": "joint/3",
    }
    assert said(record("transition", fields)) == "acknowledged by Ada · joint 3 · hot"
    line = '{"entry":{"what":{"kind":"maintenance_done","task":"grease","component":"joint/3"}}}'
    assert (
        said(record("logbook", {"number": 4, "line": line})) == "maintenance done: task grease, component joint/3"
    )
    assert said(record("transition", {"of": "a later version"})) == '{"of":"a later version"}'
    assert said(record("logbook", {"line": "{broken"})) == '{"line":"{broken"}'
