"""Records to columns: each bad one costs only itself; layouts come together; screening takes out the impossible."""

import struct

import numpy as np
import pytest

from schemas.columns import ABSENT, Extremes, LayoutGroup, decode_records
from schemas.frame import encode_frame
from schemas.layout import parse_layout
from schemas.robot_code import make_code
from schemas.screen import screen, screen_group
from support.frames import CODE, DOWNSAMPLED, PARTS, TIME_US, FakeRecord, frame, record

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
    assert columns.counters["dropped"].tolist() == [ABSENT, ABSENT]
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


def test_extremes_come_beside_the_values_and_are_these_where_a_frame_has_none():
    columns, _ = decode_records([record(frame()), record(DOWNSAMPLED), record(frame({"battery_soc": 0.25}))])
    means, plain = columns.groups
    assert means.extremes is not None
    np.testing.assert_array_equal(means.extremes.lowest, np.float32([[30.5, np.nan, 0.75], [29.5, np.nan, 0.5]]))
    np.testing.assert_array_equal(
        means.extremes.highest, np.float32([[30.5, np.nan, 0.75], [95.25, np.nan, np.nan]])
    )
    assert plain.extremes is None
    assert columns.counters["dropped"].tolist() == [ABSENT, 12, ABSENT]


def test_what_frames_tell_of_parts_stands_by_their_rows():
    columns, _ = decode_records([record(frame(v=9)), record(frame()), record(frame(parts=PARTS))])
    assert columns.parts == {1: PARTS}


def test_extremes_are_put_in_order_with_their_values():
    swapped = frame(
        layout="2:battery_soc,joint_temperature_c",
        values=struct.pack("<3f", 0.5, 20.0, 21.0),
        extremes=struct.pack("<6f", 0.25, 10.0, 11.0, 0.75, 30.0, 31.0),
    )
    columns, _ = decode_records([record(swapped), record(frame())])
    (group,) = columns.groups
    assert group.extremes is not None
    assert group.extremes.lowest[0].tolist() == [10, 11, 0.25]
    assert group.extremes.highest[0].tolist() == [30, 31, 0.75]


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
        (record(frame(extremes=bytes(23))), "values_mismatch"),
        (record(frame(extremes=b"")), "values_mismatch"),
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


def _screened(values, lowest, highest):
    """One frame of one signal's joints, screened: lowest, highest, and what was noted."""
    layout = parse_layout(f"{len(values)}:joint_temperature_c")
    given = Extremes(np.float32([lowest]), np.float32([highest]))
    group, noted = screen_group(LayoutGroup(layout, np.array([0]), np.float32([values]), given))
    assert group.extremes is not None
    sides = (group.extremes.lowest[0].tolist(), group.extremes.highest[0].tolist())
    return *sides, list(zip(noted.slot.tolist(), noted.value.tolist(), strict=True))


def test_an_extreme_that_is_absent_or_on_the_wrong_side_of_its_mean_is_the_mean_itself():
    assert _screened([30, 30, 30], [20, np.nan, 31], [40, np.nan, 32]) == ([20, 30, 30], [40, 30, 32], [])
    assert _screened([30], [20], [29]) == ([20], [30], [])


def test_an_impossible_extreme_is_noted_and_gives_way_to_the_mean_while_the_other_stays():
    lowest, highest, noted = _screened([30, 30], [-300, 20], [40, np.inf])
    assert (lowest, highest) == ([30, 20], [40, 30])
    assert noted == [(0, -300), (1, np.inf)]


def test_a_lowest_above_the_highest_is_noted_once_and_both_give_way():
    assert _screened([30, 31], [35, 20], [25, 40]) == ([30, 20], [30, 40], [(0, 35)])


def test_beside_a_mean_that_is_absent_or_impossible_there_are_no_extremes_and_no_second_note():
    lowest, highest, noted = _screened([np.nan, 255], [20, -300], [999, 40])
    assert np.isnan(lowest + highest).all()
    assert noted == [(1, 255)]
