"""Every message as a document for people."""

import msgspec
import pytest

from schemas.readable import readable
from schemas.reject import encode_reject
from schemas.topics import FRAMES, REJECTS, SHARD_CHANGELOG, TOPICS, VITALS
from schemas.vitals import encode_vitals
from support import messages
from support.frames import CODE, encode_frame, frame


def test_a_frame_shows_its_readings_by_name_and_its_mode_in_words():
    document = readable(FRAMES.name, encode_frame(frame()))
    assert document["robot_id"] == CODE
    assert document["mode"] == "working"
    assert document["readings"]["battery_soc"] == 0.75
    assert document["readings"]["joint_temperature_c"][0] == 30.5
    assert "null" in msgspec.json.encode(document["readings"]).decode()


def test_a_window_shows_whom_it_is_about():
    document = readable(VITALS.name, encode_vitals(messages.vitals()))
    assert document["message"] == "vitals"
    assert document["kind"] == "final"
    assert document["robots"] == [CODE]


def test_a_crossing_shows_its_fields():
    document = readable(VITALS.name, encode_vitals(messages.CROSSING))
    assert (document["message"], document["joint"], document["value"]) == ("crossing", 2, 91.5)


def test_a_reject_shows_its_reason_and_bytes():
    document = readable(REJECTS.name, encode_reject(messages.REJECT))
    assert (document["reason"], document["value"], document["key"]) == ("undecodable", "c1", CODE)


@pytest.mark.parametrize("topic", [topic.name for topic in TOPICS])
def test_no_bytes_of_any_topic_are_too_odd_to_show(topic):
    for value in (None, b"", b"\xc1\xff", b"{", b"[1]"):
        msgspec.json.encode(readable(topic, value))


def test_a_changelog_shows_its_size_only():
    assert readable(SHARD_CHANGELOG.name, b"12345") == {"bytes": 5}
