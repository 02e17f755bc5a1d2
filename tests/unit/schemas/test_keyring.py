"""Who may speak as whom: each fault has its own word, and what counts is what held when the broker had it."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.frame import EARLIEST_US
from schemas.keyring import EVERY_MAKER, UNCHECKED, Checked, KeyEnd, Keyring, PolicyChange
from schemas.robot_code import make_code
from schemas.seal import SEAL_BYTES, derive_key
from support.frames import CODE, TIME_US, FakeRecord, frame, record, sealed

MASTER = bytes(range(32))
OTHER = make_code("ZZ", "TEST", "MODEL1", "2")
STRANGER = make_code("ZZ", "THEM", "MODEL1", "1")
KEY, OTHERS = derive_key(MASTER, CODE, 1), derive_key(MASTER, OTHER, 1)
ALWAYS = [PolicyChange(EVERY_MAKER, 0, "require")]


def _keyring(policies: Sequence[PolicyChange] = ALWAYS, ends: Sequence[KeyEnd] = ()) -> Keyring:
    keyring = Keyring(MASTER)
    keyring.learn(policies, ends)
    return keyring


def _reasons(checked: Checked) -> dict[int, str]:
    return {position: fault.reason for position, fault in checked.refused.items()}


def _at(seconds: float) -> int:
    return TIME_US // 1000 + round(1000 * seconds)


def test_what_was_sealed_before_rows_are_kept_may_be_a_copy_and_is_refused_unless_no_clock_was_set() -> None:
    day_us = 86_400_000_000
    keyring = Keyring(MASTER, rows_last_us=7 * day_us)
    keyring.learn(ALWAYS, [])
    ages_us = [0, 7 * day_us, 7 * day_us + 1, TIME_US - EARLIEST_US, TIME_US - EARLIEST_US + 1, TIME_US, -day_us]
    records = [sealed(frame(seq=i), KEY, sealed_us=TIME_US - age_us) for i, age_us in enumerate(ages_us)]
    checked = keyring.check([record(frame()), *records])
    assert _reasons(checked) == {0: "seal_missing", 3: "seal_stale", 4: "seal_stale"}
    assert checked.good.tolist() == [1, 2, 5, 6, 7]
    assert checked.refused[3].detail == "sealed 7.0 days before it came"
    assert _keyring().check(records).refused == {}, "rows are kept for ever"


def test_a_frame_that_its_robot_sealed_is_good() -> None:
    checked = _keyring().check([sealed(frame(seq=i), KEY) for i in range(3)])
    assert (checked.refused, checked.noted) == ({}, {})
    assert checked.good.tolist() == [0, 1, 2]
    assert checked.key_version.tolist() == [1, 1, 1]
    assert checked.sealed_us.tolist() == [TIME_US] * 3
    assert checked.required.all()


def test_each_fault_is_refused_by_its_word_and_its_neighbours_are_not() -> None:
    good = sealed(frame(), KEY)
    records = [
        good,
        record(frame()),
        sealed(frame(), OTHERS),  # somebody else's key under our code
        sealed(frame(robot_id=OTHER), KEY),  # our key under somebody else's code
        sealed(frame(), KEY, value=good.value + b"\0"),
        sealed(frame(), KEY, key_version=2),  # the key is of version 1
        FakeRecord(good.key, good.value, headers=(("rv-seal", b""),)),
        FakeRecord(good.key, good.value, headers=(("rv-seal", bytes(SEAL_BYTES)),)),
        FakeRecord(good.key, good.value, headers=(("rv-seal", good.headers[0][1][:-1]),)),
        FakeRecord(good.key, good.value, headers=(("other", b"1"), *good.headers)),
        sealed(frame(), derive_key(bytes(32), CODE, 1)),  # another fleet's master key
        sealed(frame(robot_id=OTHER), OTHERS),
    ]
    checked = _keyring().check(records)
    missing, wrong = "seal_missing", "seal_wrong"
    assert _reasons(checked) == {
        1: missing, 2: wrong, 3: wrong, 4: wrong, 5: wrong, 6: missing, 7: wrong, 8: wrong, 10: wrong,
    }  # fmt: skip
    assert checked.good.tolist() == [0, 9, 11]


@settings(max_examples=200)
@given(st.binary(max_size=40), st.binary(max_size=40))
def test_whatever_stands_in_a_header_or_a_key_is_no_seal_and_no_accident(header: bytes, key: bytes) -> None:
    good = frame()
    records = [sealed(good, KEY), FakeRecord(CODE.encode(), b"x", headers=(("rv-seal", header),)),
               FakeRecord(key, b"x", headers=(("rv-seal", header),))]  # fmt: skip
    checked = _keyring().check(records)
    assert checked.good.tolist() == [0]
    assert 1 in checked.refused


def test_nobody_is_looked_at_where_no_policy_says_so() -> None:
    assert _keyring([]).check([record(frame())]) is UNCHECKED
    assert _keyring([PolicyChange(EVERY_MAKER, 0, "off")]).check([record(frame())]) is UNCHECKED
    themselves = _keyring([PolicyChange("THEM", 0, "require")])
    checked = themselves.check([record(frame()), record(frame(robot_id=STRANGER))])
    assert _reasons(checked) == {1: "seal_missing"}


def test_a_maker_of_its_own_policy_does_not_go_by_that_of_all() -> None:
    keyring = _keyring([*ALWAYS, PolicyChange("TEST", 0, "off")])
    assert _reasons(keyring.check([record(frame()), record(frame(robot_id=STRANGER))])) == {1: "seal_missing"}


def test_under_warn_a_fault_is_noted_and_nothing_refused() -> None:
    keyring = _keyring([PolicyChange(EVERY_MAKER, 0, "warn")])
    checked = keyring.check([sealed(frame(), KEY), record(frame()), sealed(frame(), OTHERS)])
    assert checked.refused == {}
    assert {i: fault.reason for i, fault in checked.noted.items()} == {1: "seal_missing", 2: "seal_wrong"}
    assert not checked.required.any()


def test_a_policy_holds_from_its_moment_by_the_brokers_clock_however_late_it_is_read() -> None:
    keyring = _keyring(
        [PolicyChange(EVERY_MAKER, TIME_US, "require"), PolicyChange("TEST", TIME_US + 5_000_000, "off")]
    )
    records = [record(frame(), timestamp=_at(s)) for s in (-0.001, 0, 4.999, 5, 100)]
    assert _reasons(keyring.check(records)) == {1: "seal_missing", 2: "seal_missing"}
    assert _reasons(keyring.check(records[2:])) == {0: "seal_missing"}


def test_a_key_ends_at_its_moment_and_the_next_version_does_not() -> None:
    keyring = _keyring(ends=[KeyEnd(CODE, 1, TIME_US)])
    second = derive_key(MASTER, CODE, 2)
    records = [
        sealed(frame(), KEY, timestamp=_at(-0.001)),
        sealed(frame(), KEY, timestamp=_at(0)),
        sealed(frame(), second, key_version=2, timestamp=_at(0)),
        sealed(frame(robot_id=OTHER), OTHERS, timestamp=_at(0)),
    ]
    checked = keyring.check(records)
    assert _reasons(checked) == {1: "seal_old_key"}
    assert checked.good.tolist() == [0, 2, 3]
    keyring.learn(ALWAYS, [KeyEnd(CODE, 2, TIME_US)])  # only what is new is told
    assert _reasons(keyring.check(records)) == {1: "seal_old_key", 2: "seal_old_key"}


def test_a_key_that_was_given_a_moment_ago_is_known_without_a_table() -> None:
    version = 65535
    checked = _keyring().check([sealed(frame(), derive_key(MASTER, CODE, version), key_version=version)])
    assert checked.good.tolist() == [0]


def test_who_makes_keys_up_does_not_make_the_keyring_grow() -> None:
    keyring = _keyring()
    keyring.check([sealed(frame(), bytes(32), key_version=version) for version in range(1, 200)])
    keyring.check([sealed(frame(), KEY)])
    assert len(keyring._pads) == 1


def test_a_batch_is_judged_as_its_records_would_be_one_by_one() -> None:
    choices = [
        sealed(frame(), KEY),
        record(frame()),
        sealed(frame(), OTHERS),
        sealed(frame(robot_id=OTHER), OTHERS),
        sealed(frame(), KEY, timestamp=_at(10)),
        FakeRecord(None, None),
        FakeRecord(b"short", b""),
    ]
    records = [choices[i] for i in np.random.default_rng(5).integers(0, len(choices), 300)]
    policies = [PolicyChange(EVERY_MAKER, 0, "require")]
    together = _keyring(policies, [KeyEnd(CODE, 1, TIME_US + 5_000_000)]).check(records)
    alone = [_keyring(policies, [KeyEnd(CODE, 1, TIME_US + 5_000_000)]).check([one]) for one in records]
    assert _reasons(together) == {i: r[0] for i, one in enumerate(alone) if (r := _reasons(one))}
    assert together.good.tolist() == [i for i, one in enumerate(alone) if len(one.good)]


def test_a_clock_from_the_far_future_is_a_number_like_any_other() -> None:
    checked = _keyring().check([sealed(frame(), KEY, sealed_us=2**64 - 1)])
    assert checked.sealed_us.tolist() == [2**53 - 1]
