"""What a ledger sends: identities can be read back, roles do what they say, and all follows from the seed."""

import numpy as np
import pytest

from deploy.ledger.frames import HOT_C, TEMPERATURE, contents, messages
from deploy.ledger.plan import AHEAD, AHEAD_US, EPOCH, LATE, LATE_US, POISON, SWAPS, TWICE, Plan
from schemas.columns import decode_records
from schemas.errors import SettingError
from schemas.frame import REJECT_REASONS, SEAL_REASONS
from support.frames import FakeRecord

PLAN = Plan(seed=3, start_us=1_760_000_000_000_000, rate=200, seconds=200, robots=40)
ALL = np.arange(PLAN.records)


def test_an_identity_leads_back_to_its_place():
    boot_id, seq, _ = PLAN.identity(ALL)
    assert (PLAN.place_of(ALL % PLAN.robots, boot_id, seq) == ALL).all()


def test_duplicates_carry_the_place_before_and_swaps_change_two_places():
    role, place = PLAN.role(ALL), PLAN.place(ALL)
    assert set((ALL - place)[role == TWICE].tolist()) == {0, PLAN.robots}
    assert sorted(place[role == SWAPS].tolist()) == ALL[role == SWAPS].tolist()
    assert set((ALL - place)[role == SWAPS].tolist()) == {0, PLAN.robots, -PLAN.robots}
    assert (place == ALL)[(role != TWICE) & (role != SWAPS)].all()


def test_clocks_are_late_ahead_and_in_1970():
    role, (_, _, time_us) = PLAN.role(ALL), PLAN.identity(ALL)
    off_us = time_us - PLAN.start_us - PLAN.since_us(ALL)
    assert set(off_us[role == AHEAD].tolist()) == {AHEAD_US}
    assert set(off_us[role == LATE].tolist()) == {0, -LATE_US}
    assert (time_us[role == EPOCH] < 3600 * 10**6).all()


def test_every_record_but_poison_decodes_to_its_place_and_poison_has_every_reason_that_bytes_can_have():
    sent = list(messages(PLAN, ALL))
    assert [number for number, _, _ in sent] == ALL.tolist()
    records = [FakeRecord(code.encode(), value, offset=number) for number, code, value in sent]
    columns, rejected = decode_records(records)
    assert [r.position for r in rejected] == ALL[PLAN.is_poison(ALL)].tolist()
    assert (PLAN.role(ALL[PLAN.is_poison(ALL)]) == POISON).all()
    reasons = REJECT_REASONS.keys() - {"refused_by_database", "bad_layout", "too_many_joints", *SEAL_REASONS}
    assert {r.reason for r in rejected} == reasons
    boot_id, seq, time_us = PLAN.identity(PLAN.place(columns.offset))
    assert (columns.boot_id == boot_id).all()
    assert (columns.seq == seq).all()
    assert (columns.time_us == time_us).all()


def test_json_and_packed_frames_hold_the_same_values():
    records = [FakeRecord(code.encode(), value) for _, code, value in messages(PLAN, ALL[:4000])]
    columns, _ = decode_records(records)
    place = PLAN.place_of(
        np.array([PLAN.codes.index(c.decode()) for c in columns.robot_id]), columns.boot_id, columns.seq
    )
    for group in columns.groups:
        expected = contents(PLAN, place[group.rows], group.layout.joints)
        assert np.array_equal(group.values, expected.values, equal_nan=True)
        assert group.extremes is not None
        for side in ("lowest", "highest"):
            wanted = np.where(expected.downsampled[:, None], getattr(expected, side), expected.values)
            assert np.array_equal(getattr(group.extremes, side), wanted, equal_nan=True)
        assert (columns.counters["dropped"][group.rows] == expected.dropped).all()


def test_an_interval_is_where_frames_are_hot_and_nowhere_else():
    intervals = PLAN.intervals(ALL)
    assert len(intervals) > 20
    for joints in (6, 7, 12):
        places = ALL[[PLAN.joints(int(p % PLAN.robots)) == joints for p in ALL]]
        content = contents(PLAN, places, joints)
        first, end = content.layout.spans[TEMPERATURE]
        rows, slots = np.nonzero(content.values[:, first:end] == np.float32(HOT_C))
        hot = {(int(content.robot[r]), s + 1, int(content.time_us[r])) for r, s in zip(rows, slots, strict=True)}
        own = [i for i in intervals if PLAN.joints(i.robot) == joints]
        assert all(any(i.robot == r and i.joint == j and i.from_us <= t <= i.to_us for i in own) for r, j, t in hot)
        assert {(i.robot, i.joint, t) for i in own for t in (i.from_us, i.to_us)} <= hot


def test_the_same_seed_sends_the_same_bytes_and_another_does_not():
    other = Plan(seed=4, start_us=PLAN.start_us, rate=200, seconds=200, robots=40)
    assert list(messages(PLAN, ALL[:500])) == list(messages(PLAN, ALL[:500]))
    assert list(messages(PLAN, ALL[:500])) != list(messages(other, ALL[:500]))


@pytest.mark.parametrize("changed", [{"robots": 9}, {"rate": 39}, {"seconds": 0}, {"seconds": 10**6}])
def test_a_plan_that_cannot_be_checked_is_refused(changed):
    with pytest.raises(SettingError):
        Plan(**{"seed": 1, "start_us": 0, "rate": 200, "seconds": 10, "robots": 40} | changed)
