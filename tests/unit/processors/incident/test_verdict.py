"""Verdicts: what is indicated, and above all when nothing is."""

import msgspec
import numpy as np
import pytest

from deploy.evaluate.incidents.scenarios import Kind, make
from processors.incident.case import Case, Fleet, Service, Share
from processors.incident.verdict import assess
from schemas.incident import Cause, Stance, Verdict

OTHER_KINDS = [kind for kind in Kind if kind not in (Kind.SOFTWARE, Kind.MAINTENANCE, Kind.BOTH)]


def told(kind: Kind, verdict: Verdict) -> Case:
    """The first incident of the kind that is plain enough for this verdict."""
    return next(case for case in (make(kind, seed) for seed in range(100)) if assess(case).verdict is verdict)


@pytest.fixture(scope="module")
def software() -> Case:
    return told(Kind.SOFTWARE, Verdict.SOFTWARE)


@pytest.fixture(scope="module")
def neglected() -> Case:
    return told(Kind.MAINTENANCE, Verdict.MAINTENANCE)


def changed(case: Case, **fields: object) -> Case:
    return msgspec.structs.replace(case, **fields)


def with_readings(case: Case, **readings: object) -> Case:
    window = msgspec.structs.replace(
        case.window,
        readings={**case.window.readings, **{("robot", name): value for name, value in readings.items()}},
    )
    return changed(case, window=window)


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_of_what_was_neither_nothing_is_indicated(kind):
    verdicts = [assess(make(kind, 500 + seed)).verdict for seed in range(4)]
    assert verdicts == [Verdict.UNDETERMINED] * 4


def test_both_can_hold():
    assessment = assess(told(Kind.BOTH, Verdict.BOTH))
    assert not assessment.because


def test_every_piece_names_the_records_that_it_rests_on_and_nobody_is_called_liable(software, neglected):
    for case in (software, neglected):
        assessment = assess(case)
        assert all(piece.records for piece in assessment.pieces)
        assert {piece.stance for piece in assessment.pieces} >= {Stance.FOR, Stance.AGAINST}
        assert "liable" not in msgspec.json.encode(assessment).decode()


def test_other_causes_are_named_as_not_excluded(software):
    names = {other.name for other in assess(software).others}
    assert names >= {"a manufacturing defect", "an overload", "an impact", "tampering"}


def test_missing_frames_leave_it_undetermined(software):
    window = software.window
    kept = np.delete(np.arange(len(window.time_us)), 12)
    holed = msgspec.structs.replace(
        window,
        time_us=window.time_us[kept],
        seq=window.seq[kept],
        boot_id=window.boot_id[kept],
        mode=window.mode[kept],
        readings={channel: values[kept] for channel, values in window.readings.items()},
    )
    assessment = assess(changed(software, window=holed))
    assert assessment.verdict is Verdict.UNDETERMINED
    assert "1 frames of the window are missing by their sequence" in assessment.because


def test_a_logbook_that_does_not_hold_leaves_it_undetermined(neglected):
    assessment = assess(changed(neglected, integrity=False))
    assert assessment.verdict is Verdict.UNDETERMINED
    assert any("tampering" in text for text in assessment.because)


def test_a_clock_that_is_not_synchronised_leaves_it_undetermined(neglected):
    count = len(neglected.window.time_us)
    assert assess(with_readings(neglected, clock_synchronised=np.zeros(count))).verdict is Verdict.UNDETERMINED
    assert assess(with_readings(neglected, clock_offset_ms=np.full(count, -9000.0))).verdict is Verdict.UNDETERMINED


def test_overdue_service_of_an_unrelated_part_is_no_evidence(neglected):
    part = assess(neglected).part
    other = next(one.component for one in neglected.services if one.component != part)
    services = [
        Service(record=f"task/grease/{name}", task="grease", component=name, state=state)
        for name, state in ((part, "ok"), (other, "overdue"))
    ]
    assessment = assess(changed(neglected, services=services))
    assert assessment.verdict is Verdict.UNDETERMINED
    assert any(p.stance is Stance.NEITHER and f"task/grease/{other}" in p.records for p in assessment.pieces)
    assert any(p.stance is Stance.AGAINST and f"task/grease/{part}" in p.records for p in assessment.pieces)


def test_one_kind_of_evidence_alone_indicates_nothing(software):
    quiet = Fleet(
        record="fleet",
        same_version=Share(0, 0),
        other_version=Share(0, 0),
        overdue=Share(0, 0),
        current=Share(0, 0),
    )
    past = msgspec.structs.replace(software.past, software=["4.2.0"] * len(software.past.software))
    assert assess(changed(software, fleet=quiet, past=past)).verdict is Verdict.UNDETERMINED


def test_a_version_that_other_robots_run_without_harm_is_not_it(software):
    calm = Fleet(
        record="fleet",
        same_version=Share(0, 300),
        other_version=Share(0, 300),
        overdue=Share(0, 0),
        current=Share(0, 0),
    )
    assessment = assess(changed(software, fleet=calm))
    assert assessment.verdict is Verdict.UNDETERMINED
    assert any(p.cause is Cause.SOFTWARE and p.records == ("fleet",) for p in assessment.pieces)


def test_where_serviced_robots_are_affected_as_much_it_was_not_the_service(neglected):
    everywhere = Fleet(
        record="fleet", same_version=Share(40, 200), other_version=Share(40, 200), overdue=Share(20, 100),
        current=Share(40, 200),
    )  # fmt: skip
    assert assess(changed(neglected, fleet=everywhere)).verdict is Verdict.UNDETERMINED


def test_a_robot_of_which_nothing_is_known_is_undetermined(software):
    empty = msgspec.structs.replace(
        software.past, hour_us=np.empty(0, np.int64), software=[], work=[], highest={}, level={}
    )
    assessment = assess(changed(software, past=empty, fleet=None, services=[], before=[], alarms=[]))
    assert assessment.verdict is Verdict.UNDETERMINED
    assert assessment.because == ("it is not clear which part failed first",)
