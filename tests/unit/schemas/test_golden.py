"""Every version of every message that was ever written still reads, byte for byte as it was kept.

A file of `tests/golden/` is never changed: a new version of a message adds a file.
"""

from pathlib import Path

import jsonschema
import msgspec
import pytest

from deploy.json_schema import json_schema
from processors.episodes import restore, snapshot
from schemas.action import LONGEST_TEXT, decode_action, encode_action
from schemas.anomaly import About, AlarmState, Cause, cause_of, decode_anomaly, encode_anomaly
from schemas.canonical import canonical
from schemas.checkpoint import decode_published
from schemas.errors import RejectError
from schemas.frame import decode_frame, encode_frame
from schemas.health import decode_health, encode_health
from schemas.logbook_file import read_file, write_file
from schemas.reject import decode_reject, encode_reject
from schemas.vitals import decode_vitals, encode_vitals
from support import logbooks, messages
from support.frames import DOWNSAMPLED, WITH_PARTS, frame

GOLDEN = Path(__file__).parents[2] / "golden"

# file → (what it holds, how it is read, how today's version is written)
KEPT = {
    "frame.v1.msgpack": (frame(), decode_frame, None),
    "frame.v1.json": (frame(), decode_frame, None),
    "frame.v1.extremes.msgpack": (DOWNSAMPLED, decode_frame, None),
    "frame.v1.extremes.json": (DOWNSAMPLED, decode_frame, None),
    "frame.v1.parts.msgpack": (WITH_PARTS, decode_frame, encode_frame),
    "frame.v1.parts.json": (WITH_PARTS, decode_frame, None),
    "vitals.v1.msgpack": (messages.vitals(), decode_vitals, encode_vitals),
    "crossing.v1.msgpack": (messages.CROSSING, decode_vitals, encode_vitals),
    "late.v1.msgpack": (messages.LATE, decode_vitals, encode_vitals),
    "pulse.v1.msgpack": (messages.PULSE, decode_vitals, encode_vitals),
    "health.v1.json": (messages.HEALTH, decode_health, None),
    "health.v1.life.json": (messages.WEARING, decode_health, encode_health),
    "anomaly.v1.json": (messages.ANOMALY, decode_anomaly, None),
    "anomaly.v1.states.json": (messages.SILENT, decode_anomaly, lambda anomaly: encode_anomaly(anomaly)[0]),
    "action.v1.json": (messages.ACTION, decode_action, encode_action),
    "acted.v1.msgpack": (messages.ACTED, decode_vitals, encode_vitals),
    "record.v1.msgpack": (messages.RECORD_OF_V1, restore, None),
    "record.v2.msgpack": (messages.RECORD, restore, snapshot),
    "reject.v1.msgpack": (messages.REJECT, decode_reject, encode_reject),
    "logbook.v1.jsonl": (logbooks.KEPT, read_file, lambda f: write_file(f.robot_id, f.records, f.anchors)),
    "checkpoint.v1.json": (logbooks.KEPT_CHECKPOINT, decode_published, canonical),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_message_still_reads_as_what_it_was(name):
    expected, decode, _ = KEPT[name]
    assert decode((GOLDEN / name).read_bytes()) == expected


@pytest.mark.parametrize("name", [name for name, kept in KEPT.items() if kept[2]])
def test_the_current_version_is_still_written_in_the_same_bytes(name):
    expected, _, encode = KEPT[name]
    assert encode(expected) == (GOLDEN / name).read_bytes()


def test_no_golden_file_is_left_unread():
    assert {path.name for path in GOLDEN.iterdir()} == set(KEPT)


@pytest.mark.parametrize(
    "name", ["frame.v1", "frame.v1.extremes", "frame.v1.parts", "health.v1", "anomaly.v1", "action.v1"]
)
def test_the_kept_json_messages_fulfil_their_json_schema(name):
    document = msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes())
    jsonschema.validate(document, json_schema(name.partition(".")[0]))


def test_the_json_schema_refuses_an_unknown_signal():
    document = msgspec.json.decode((GOLDEN / "frame.v1.json").read_bytes())
    document["readings"]["joint_colour"] = [1]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json_schema("frame"))


@pytest.mark.parametrize("decode", [decode_vitals, decode_health, decode_anomaly, decode_action])
def test_a_message_of_a_future_version_is_rejected_as_such(decode):
    later = {
        decode_vitals: encode_vitals(msgspec.structs.replace(messages.PULSE, v=2)),
        decode_health: encode_health(msgspec.structs.replace(messages.HEALTH, v=2)),
        decode_anomaly: encode_anomaly(msgspec.structs.replace(messages.ANOMALY, v=2))[0],
        decode_action: encode_action(msgspec.structs.replace(messages.ACTION, v=2)),
    }[decode]
    with pytest.raises(RejectError) as caught:
        decode(later)
    assert caught.value.reason == "future_version"


def test_vitals_whose_arrays_disagree_are_rejected():
    broken = msgspec.structs.replace(messages.vitals(), frames=b"\0" * 3)
    with pytest.raises(RejectError) as caught:
        decode_vitals(encode_vitals(broken))
    assert caught.value.reason == "values_mismatch"


def test_an_anomaly_travels_as_a_cloudevent_whose_id_is_its_transition():
    value, headers = encode_anomaly(messages.ANOMALY)
    envelope = dict(headers)
    assert envelope["ce_specversion"] == b"1.0"
    assert envelope["ce_id"] == b"e-1/1"
    assert envelope["ce_type"] == b"robovitals.anomaly.opened"
    assert envelope["ce_subject"].decode() == messages.ANOMALY.robot_id
    assert envelope["ce_time"] == b"2025-10-09T08:53:20.000000Z"
    assert decode_anomaly(value) == messages.ANOMALY


def test_an_anomaly_from_before_there_were_states_has_those_of_its_transition():
    old = msgspec.json.decode((GOLDEN / "anomaly.v1.json").read_bytes()) | {"rule": "silence"}
    opened = decode_anomaly(msgspec.json.encode(old))
    assert (opened.about, opened.active, opened.state) == (About.DATA, True, AlarmState.UNACKNOWLEDGED_ACTIVE)
    cleared = decode_anomaly(msgspec.json.encode(old | {"transition": "cleared"}))
    assert (cleared.active, cleared.state) == (False, AlarmState.UNACKNOWLEDGED_CLEARED)


def test_a_cause_is_read_from_its_text_whatever_a_robot_calls_its_software():
    cause = Cause("limit", "joint_temperature_c", "above", "ZZTESTMODEL1", "1.0|beta")
    assert cause_of(cause.text) == cause
    assert cause_of("") is None


def test_what_a_person_does_has_the_time_of_the_deed():
    assert dict(encode_anomaly(messages.SILENT)[1])["ce_time"] == b"2025-10-09T08:53:20.000007Z"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"robot_id": "?"}, "bad_code"),
        ({"kind": "reboot"}, "undecodable"),
        ({"id": ""}, "undecodable"),
        ({"note": "x" * (LONGEST_TEXT + 1)}, "undecodable"),
        ({"until_us": 2**53}, "undecodable"),
        ({"actor": "A\0"}, "bad_text"),
        ({"kind": "adopt"}, "wrong_type"),
        ({"kind": "replaced", "component": "joint/2"}, "wrong_type"),
    ],
)
def test_an_action_that_nobody_could_carry_out_is_rejected(changes, reason):
    document = msgspec.json.decode(encode_action(messages.ACTION)) | changes
    with pytest.raises(RejectError) as caught:
        decode_action(msgspec.json.encode(document))
    assert caught.value.reason == reason


WINDOW = messages.vitals()
POISON = {
    "lists of a late mark": (msgspec.structs.replace(messages.LATE, offset=[1, 2]), "values_mismatch"),
    "an action's robot": (
        msgspec.structs.replace(messages.ACTED, action=msgspec.structs.replace(messages.ACTION, robot_id="?")),
        "bad_code",
    ),
    "a late reason": (msgspec.structs.replace(messages.LATE, reason=[9]), "wrong_type"),
    "a late robot": (msgspec.structs.replace(messages.LATE, robot_id=["?"]), "bad_code"),
    "a crossing's signal": (msgspec.structs.replace(messages.CROSSING, signal="colour"), "unknown_signal"),
    "a crossing's robot": (msgspec.structs.replace(messages.CROSSING, robot_id="?"), "bad_code"),
    "a window's mode": (msgspec.structs.replace(WINDOW, mode=b"\x09\x00"), "wrong_type"),
    "a window's length": (msgspec.structs.replace(WINDOW, length_us=0), "wrong_type"),
    "a window's robot": (msgspec.structs.replace(WINDOW, robot_id=b"?" * 29), "bad_code"),
}


@pytest.mark.parametrize("wrong", POISON)
def test_a_message_that_readers_could_not_use_is_rejected_when_it_is_read(wrong):
    message, reason = POISON[wrong]
    with pytest.raises(RejectError) as caught:
        decode_vitals(encode_vitals(message))
    assert caught.value.reason == reason
