"""Records to columns: each bad one costs only itself; layouts come together; screening takes out the impossible."""

import struct

import numpy as np
import pytest

from schemas.columns import ABSENT, decode_records
from schemas.frame import encode_frame
from schemas.layout import parse_layout
from schemas.robot_code import make_code
from schemas.screen import screen
from support.frames import CODE, TIME_US, FakeRecord, frame, record

OTHER = make_code("ZZ", "TEST", "MODEL2", "2")


def test_columns_hold_every_field_in_record_order():
    columns, rejected = decode_records(
        [
            record(frame(seq=3), offset=10),
            record(frame(robot_id=OTHER, seq=4, cycles=9, runtime_s=None, flags=1, software="2.0"), offset=12),
        ]
    )
    assert rejected == []
    assert columns.offset.tolist() == [10, 12]
    assert columns.received_us.tolist() == [TIME_US, TIME_US]
    assert columns.robot_id.tolist() == [CODE.encode(), OTHER.encode()]
    assert columns.seq.tolist() == [3, 4]
    assert columns.counters["runtime_s"].tolist() == [60, ABSENT]
    assert columns.counters["cycles"].tolist() == [ABSENT, 9]
    assert columns.backfill.tolist() == [False, True]
    assert [columns.software.values[code] for code in columns.software.codes] == ["1.0", "2.0"]


def test_an_empty_batch_has_empty_columns():
    columns, rejected = decode_records([])
    assert len(columns) == 0
    assert columns.groups == []
    assert rejected == []


def test_layouts_that_differ_only_in_order_become_one_group():
    swapped = frame(layout="2:battery_soc,joint_temperature_c", values=struct.pack("<3f", 0.5, 20.0, 21.0))
    columns, _ = decode_records([record(swapped), record(frame()), record(frame({"battery_soc": 0.25}))])
    by_layout = {group.layout.text: group for group in columns.groups}
    both = by_layout["2:joint_temperature_c,battery_soc"]
    assert both.rows.tolist() == [0, 1]
    np.testing.assert_array_equal(both.values[0], np.float32([20.0, 21.0, 0.5]))
    assert by_layout["0:battery_soc"].rows.tolist() == [2]


BAD = {
    "undecodable": record(b"\xc1", key=CODE.encode()),
    "bad_code": record(frame(robot_id=CODE.lower())),
    "key_mismatch": record(frame(), key=OTHER.encode()),
    "bad_text": record(frame(scenario="a\0b")),
    "bad_layout": record(frame(layout="?")),
    "unknown_signal": record(frame(layout="2:joint_colour")),
    "too_many_joints": record(frame(layout="10000:joint_wear")),
    "values_mismatch": record(frame(values=b"\0" * 11)),
    "future_version": record(frame(v=9)),
    "too_large": record(b"\0" * 70_000),
    "wrong_type": record(frame(mode=77)),
}


@pytest.mark.parametrize("kind", BAD)
def test_one_bad_record_costs_only_itself(kind):
    columns, rejected = decode_records([record(frame(seq=1)), BAD[kind], record(frame(seq=2))])
    assert columns.seq.tolist() == [1, 2]
    assert [(r.position, r.reason) for r in rejected] == [(1, kind)]


def test_all_bad_records_together_are_rejected_in_record_order():
    columns, rejected = decode_records(list(BAD.values()))
    assert len(columns) == 0
    assert [r.reason for r in rejected] == list(BAD)
    assert [r.position for r in rejected] == list(range(len(BAD)))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (FakeRecord(CODE.encode(), None), "undecodable"),
        (FakeRecord(None, encode_frame(frame())), "key_mismatch"),
        (record(frame(robot_id="ZZTEST")), "bad_code"),
        (record(frame(robot_id="Ż" * 29), key="Ż".encode() * 29), "bad_code"),
        (record(frame(robot_id="0" + CODE[1:])), "bad_code"),
    ],
)
def test_missing_parts_and_odd_codes_are_rejected(bad, reason):
    columns, rejected = decode_records([bad, record(frame())])
    assert len(columns) == 1
    assert [r.reason for r in rejected] == [reason]


def test_impossible_values_are_taken_out_and_absent_ones_are_not_counted():
    layout = parse_layout("2:joint_temperature_c,battery_soc")
    values = np.float32([[30, 255, 0.5], [np.nan, 31, np.inf], [29, 28, 1.0]])
    screened, impossible = screen(layout, values)
    assert impossible.row.tolist() == [0, 1]
    assert impossible.slot.tolist() == [1, 2]
    assert impossible.value.tolist() == [255, np.inf]
    np.testing.assert_array_equal(screened, np.float32([[30, np.nan, 0.5], [np.nan, 31, np.nan], [29, 28, 1.0]]))
    assert values[0, 1] == 255


def test_the_bounds_themselves_are_possible():
    layout = parse_layout("2:joint_temperature_c")
    screened, impossible = screen(layout, np.float32([[-40, 150]]))
    assert len(impossible.row) == 0
    assert screened.tolist() == [[-40, 150]]
