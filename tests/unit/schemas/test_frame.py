"""Both encodings of a frame, and the reason each kind of bad bytes is rejected for."""

import json
import math
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import RejectError
from schemas.frame import (
    FLAG_BACKFILL,
    MAX_FRAME_BYTES,
    MAX_INTEGER,
    REJECT_REASONS,
    decode_frame,
    encode_frame,
    pack_readings,
    pack_values,
)
from support.frames import CODE, DOWNSAMPLED, HIGHEST, LOWEST, PARTS, READINGS, TIME_US, WITH_PARTS, frame

JSON = {"v": 1, "robot_id": CODE, "boot_id": 7, "seq": 0, "time_us": TIME_US}


def floats(packed: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(packed) // 4}f", packed)


def reason(value: bytes) -> str:
    with pytest.raises(RejectError) as caught:
        decode_frame(value)
    assert caught.value.reason in REJECT_REASONS
    return caught.value.reason


class OldFrame(msgspec.Struct, array_like=True):
    """The frame as readers and writers from before drops, extremes and parts know it."""

    v: int
    robot_id: str
    boot_id: int
    seq: int
    time_us: int
    mono_us: int
    runtime_s: int | None
    energy_wh: int | None
    cycles: int | None
    mode: int
    scenario: str
    software: str
    flags: int
    layout: str
    values: bytes


def test_a_packed_frame_reads_back():
    assert decode_frame(encode_frame(frame())) == frame()
    assert decode_frame(encode_frame(DOWNSAMPLED)) == DOWNSAMPLED
    assert decode_frame(encode_frame(WITH_PARTS)) == WITH_PARTS


@given(
    st.integers(0, MAX_INTEGER),
    st.none() | st.integers(0, MAX_INTEGER),
    st.none() | st.binary(max_size=64),
    st.none() | st.just(PARTS),
    st.binary(max_size=32),
)
def test_old_and_new_read_each_other(seq, dropped, extremes, parts, values):
    new = frame(seq=seq, dropped=dropped, extremes=extremes, parts=parts, values=values)
    read_by_old = msgspec.msgpack.decode(encode_frame(new), type=OldFrame)
    assert msgspec.structs.astuple(read_by_old) == msgspec.structs.astuple(new)[:15]
    assert decode_frame(msgspec.msgpack.encode(read_by_old)) == frame(seq=seq, values=values)


@pytest.mark.parametrize("dropped", [-1, MAX_INTEGER + 1])
def test_a_count_of_drops_that_is_none_is_rejected(dropped):
    assert reason(encode_frame(frame(dropped=dropped))) == "wrong_type"


def test_a_named_frame_reads_as_the_same_frame():
    named = JSON | {
        "mono_us": 5,
        "runtime_s": 60,
        "energy_wh": 2,
        "mode": "working",
        "scenario": "factory_line",
        "software": "1.0",
        "readings": {"battery_soc": 0.75, "joint_temperature_c": [30.5, None]},
    }
    assert decode_frame(json.dumps(named).encode()) == frame()


def test_named_extremes_are_packed_as_the_readings_and_absent_where_nothing_is_named():
    named = JSON | {"readings": READINGS, "lowest": LOWEST, "highest": HIGHEST, "dropped": 12}
    decoded = decode_frame(json.dumps(named).encode())
    assert (decoded.dropped, decoded.extremes) == (12, DOWNSAMPLED.extremes)
    assert decode_frame(json.dumps(JSON | {"readings": READINGS, "lowest": None}).encode()).extremes is None
    nothing = decode_frame(
        json.dumps(JSON | {"readings": READINGS, "highest": {"joint_temperature_c": None}}).encode()
    )
    assert all(map(math.isnan, floats(nothing.extremes)))


@pytest.mark.parametrize(
    "lowest",
    [{"battery_soh": 0.5}, {"joint_temperature_c": [30.0]}, {"joint_temperature_c": 30.0}, {"battery_soc": [0.5]}],
)
def test_named_extremes_of_another_shape_than_the_readings_are_rejected(lowest):
    assert reason(json.dumps(JSON | {"readings": READINGS, "lowest": lowest}).encode()) == "values_mismatch"


def test_parts_are_told_by_component_in_both_encodings_and_nobody_need_tell_of_any():
    named = JSON | {"readings": READINGS, "parts": PARTS}
    assert decode_frame(json.dumps(named).encode()).parts == PARTS
    assert decode_frame(json.dumps(named | {"parts": {}}).encode()).parts == {}
    assert decode_frame(json.dumps(JSON | {"readings": READINGS}).encode()).parts is None


FULL = {f"joint/{joint}": "\u7535" * 64 for joint in range(1, 129)} | {"battery": "B", "controller": "C"}


def test_a_robot_with_a_part_in_every_joint_fits_into_a_frame():
    whole = frame({"joint_wear": [0.5] * 128}, parts=FULL)
    assert decode_frame(encode_frame(whole)) == whole


@pytest.mark.parametrize(
    "parts",
    [
        FULL | {"robot": "R"},
        {"joint/0": "A"},
        {"joint/1\n": "A"},
        {"knee": "A"},
        {"": "A"},
        {"battery": ""},
        {"battery": "x" * 65},
        {"battery": "A\0"},
        {"battery": "A\n"},
        {"battery": "\x9b1m"},
        {"battery": 7},
        {"battery": None},
        ["battery"],
    ],
)
def test_parts_that_nobody_could_name_are_rejected(parts):
    assert reason(json.dumps(JSON | {"readings": {}, "parts": parts}).encode()) == "wrong_type"
    assert reason(encode_frame(frame(parts=parts))) == "wrong_type"


def test_backfill_is_a_flag_in_both_encodings():
    named = json.dumps(JSON | {"readings": {}, "backfill": True}).encode()
    assert decode_frame(named).flags == FLAG_BACKFILL


def test_null_is_absent_and_what_python_calls_infinity_is_infinite():
    readings = (
        '{"battery_soc": Infinity, "battery_soh": 1e999, "battery_voltage_v": NaN, "battery_current_a": null}'
    )
    decoded = decode_frame(json.dumps(JSON)[:-1].encode() + b', "readings": ' + readings.encode() + b"}")
    soc, soh, voltage, current = floats(decoded.values)
    assert (soc, soh) == (math.inf, math.inf)
    assert math.isnan(voltage)
    assert math.isnan(current)


def test_a_number_too_large_for_float32_becomes_infinite_beside_its_neighbours():
    assert floats(pack_values([1e39, -1e300, 2.0])) == (math.inf, -math.inf, 2.0)


@given(st.lists(st.floats(width=32, allow_nan=False), max_size=8))
def test_values_that_float32_holds_are_kept_exactly(values):
    assert list(floats(pack_values(values))) == values


def test_fields_added_by_a_newer_writer_of_the_same_version_are_left_aside():
    longer = msgspec.msgpack.encode([*msgspec.structs.astuple(frame()), "later"])
    assert decode_frame(longer) == frame()
    named = json.dumps(JSON | {"readings": {}, "later": [1, {"x": None}]}).encode()
    assert decode_frame(named).robot_id == CODE


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", "undecodable"),
        (b"\xc1\xff\x00random", "undecodable"),
        (encode_frame(frame())[:-3], "undecodable"),
        (json.dumps(JSON | {"readings": {}}).encode()[:-3], "undecodable"),
        (b'{"a":' * 9000, "undecodable"),
        (b"\x91" * 9000, "wrong_type"),
        (b"{}", "wrong_type"),
        (json.dumps(JSON).encode(), "wrong_type"),
        (json.dumps(JSON | {"readings": {}, "seq": "0"}).encode(), "wrong_type"),
        (json.dumps(JSON | {"readings": {}, "seq": -1}).encode(), "wrong_type"),
        (json.dumps(JSON | {"readings": {}, "time_us": 1e300}).encode(), "wrong_type"),
        (json.dumps(JSON | {"readings": {}, "mode": "flying"}).encode(), "wrong_type"),
        (json.dumps(JSON | {"readings": {}, "scenario": "x" * 201}).encode(), "wrong_type"),
        (json.dumps(JSON | {"readings": {"joint_wear": ["0.1"]}}).encode(), "wrong_type"),
        (json.dumps(JSON | {"readings": {"joint_wear": [True]}}).encode(), "wrong_type"),
        (encode_frame(frame(boot_id=MAX_INTEGER + 1)), "wrong_type"),
        (encode_frame(frame(mode=5)), "wrong_type"),
        (encode_frame(frame(v=0)), "wrong_type"),
        (encode_frame(frame(v=2)), "future_version"),
        (msgspec.msgpack.encode([2, {"other": "shape"}]), "future_version"),
        (json.dumps({"v": 3, "other": "shape"}).encode(), "future_version"),
        (json.dumps(JSON | {"readings": {"joint_colour": [1]}}).encode(), "unknown_signal"),
        (json.dumps(JSON | {"readings": {"joint_wear": [0.1] * 10_000}}).encode(), "too_many_joints"),
        (
            json.dumps(JSON | {"readings": {"joint_wear": [0.1], "joint_torque_nm": [1, 2]}}).encode(),
            "values_mismatch",
        ),
        (json.dumps(JSON | {"readings": {"joint_wear": 0.1}}).encode(), "values_mismatch"),
        (json.dumps(JSON | {"readings": {"battery_soc": [0.1]}}).encode(), "values_mismatch"),
        (b"x" * (MAX_FRAME_BYTES + 1), "too_large"),
    ],
)
def test_bad_bytes_are_rejected_with_their_reason(value, expected):
    assert reason(value) == expected


@pytest.mark.parametrize(
    "whole", [encode_frame(frame()), json.dumps(JSON | {"readings": {"battery_soc": 0.5}}).encode()]
)
def test_a_frame_cut_at_any_byte_is_rejected_and_so_is_one_with_trailing_bytes(whole):
    for length in range(len(whole)):
        assert reason(whole[:length]) in ("undecodable", "wrong_type")
    assert reason(whole + b"\x00") == "undecodable"


@given(st.binary(max_size=200))
def test_random_bytes_never_do_more_than_be_rejected(value):
    try:
        decode_frame(value)
    except RejectError as error:
        assert error.reason in REJECT_REASONS


def test_readings_pack_in_the_order_of_the_signal_table_whatever_order_they_came_in():
    layout, values = pack_readings({"battery_soc": 0.5, "joint_wear": [0.25, None]})
    assert layout.text == "2:joint_wear,battery_soc"
    assert floats(values)[0] == 0.25
    assert math.isnan(floats(values)[1])
    assert floats(values)[2] == 0.5
