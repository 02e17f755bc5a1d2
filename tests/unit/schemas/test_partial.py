"""Records that could not be used, read as far as they go."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.frame import Frame, encode_frame
from schemas.partial import decode_partial
from support.frames import CODE

FRAME = Frame(
    v=1, robot_id=CODE, boot_id=7, seq=3, time_us=1_760_000_000_000_000, mono_us=70_000, runtime_s=None,
    energy_wh=2**33, cycles=5, mode=1, scenario="factory_line", software="2.1", flags=0, layout="1:battery_soc",
    values=b"\0\0\x80?",
)  # fmt: skip
WHOLE = encode_frame(FRAME)


def test_a_whole_frame_is_read_to_its_end() -> None:
    partial = decode_partial(WHOLE)
    assert (partial.encoding, partial.ended) == ("messagepack", "")
    assert partial.fields["robot_id"] == CODE
    assert partial.fields["energy_wh"] == 2**33
    assert partial.fields["values"] == "4 bytes: 0000803f"


def test_a_frame_from_before_the_last_fields_misses_nothing() -> None:
    old = decode_partial(msgspec.msgpack.encode(msgspec.structs.astuple(FRAME)[:15]))
    assert (len(old.fields), old.ended) == (15, "")
    assert decode_partial(msgspec.msgpack.encode([1, CODE])).ended.endswith("layout, values missing")


def test_a_frame_cut_short_at_any_byte_gives_the_fields_before() -> None:
    whole = decode_partial(WHOLE).fields
    for end in range(1, len(WHOLE)):
        partial = decode_partial(WHOLE[:end])
        assert partial.ended
        assert partial.fields == dict(list(whole.items())[: len(partial.fields)])


def test_what_is_wrong_is_named_with_its_place() -> None:
    partial = decode_partial(msgspec.msgpack.encode([1, CODE, {"a": 1}]))
    assert list(partial.fields) == ["v", "robot_id"]
    assert partial.ended == "in boot_id, at byte 32: byte 0x81 begins nothing that a frame holds"


def test_bytes_behind_a_frame_are_counted() -> None:
    assert decode_partial(WHOLE + b"xyz").ended == "3 bytes follow the last field"


def test_json_is_read_whole_or_shown_as_text() -> None:
    assert decode_partial(b'{"v": 9, "robot_id": "X"}').fields == {"v": 9, "robot_id": "X"}
    partial = decode_partial(b'{"v": 1, "robot_id": "ZZ')
    assert (partial.fields, partial.text) == ({}, '{"v": 1, "robot_id": "ZZ')
    assert "truncated" in partial.ended


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(value: bytes) -> None:
    assert msgspec.json.encode(decode_partial(value))
