"""One partition: records to messages with their keys, and what is counted on the way."""

from itertools import pairwise

import pytest

from processors.partition import Partition, Summary, record_of
from schemas.keyring import EVERY_MAKER, Keyring, PolicyChange
from schemas.limits import Limits
from schemas.seal import derive_key
from schemas.topics import shard_key, shard_of
from schemas.vitals import Crossing, Late, Pulse, Vitals, decode_vitals
from schemas.watermark import Resume
from support.frames import CODE, FakeRecord, frame, sealed
from support.windows import READINGS, RULE, SPREAD_RULE, START_US, S, Sent, records, windows_in

HOT = {"joint_temperature_c": [95.0, 30.0], "battery_soc": 0.5}


def partition(offset: int = 0, resume: Resume | None = None) -> Partition:
    return Partition(RULE, Limits(), 3, offset, resume)


def kinds(summary):
    return [type(message) for message in summary.messages]


def test_frames_give_windows_crossings_and_late_marks():
    hot = Sent(time_us=S, seq=1, readings=HOT)
    summary = partition().take(records([Sent(), hot, hot, Sent(time_us=20 * S, seq=2)]))
    assert kinds(summary) == [Crossing, Vitals, Late]
    assert (summary.frames, summary.undecodable, summary.crossings) == (4, 0, 1)
    assert summary.late["sequence_seen"] == 1
    assert summary.windows == {"final": 1}


@pytest.mark.parametrize("size", [1, 2, 5, 60])
def test_messages_come_in_the_order_of_their_frames_however_these_fall_into_batches(size):
    sent = [
        Sent(time_us=seq * S, seq=seq, readings={"joint_temperature_c": [95.0 if seq in (3, 18, 47) else 40.0]})
        for seq in range(60)
    ]
    one, found = partition(), []
    for first in range(0, len(sent), size):
        found += one.take(records(sent[first : first + size], first)).messages
    assert kinds(Summary(found)) == [Crossing, Vitals, Crossing, Vitals, Vitals, Vitals, Crossing, Vitals]


@pytest.mark.parametrize("size", [1, 7, 100])
def test_shards_that_close_one_after_the_other_keep_that_order_too(size):
    sent = [
        Sent(time_us=t * S, seq=t, robot=robot, readings=HOT if (7 * t + robot) % 31 == 0 else READINGS)
        for t in range(40)
        for robot in range(12)
    ]
    whole, parts = Partition(SPREAD_RULE, Limits(), 3, 0, None), Partition(SPREAD_RULE, Limits(), 3, 0, None)
    found = []
    for first in range(0, len(sent), size):
        found += parts.take(records(sent[first : first + size], first)).messages
    wanted = whole.take(records(sent)).messages
    assert found == wanted
    turns = [type(message) for message in wanted]
    assert {(Vitals, Crossing), (Crossing, Vitals)} <= set(pairwise(turns))


def test_a_late_frame_raises_no_crossing():
    late = Sent(time_us=S, seq=3, readings=HOT, delay_us=30 * S)
    summary = partition().take(records([Sent(), Sent(time_us=20 * S, seq=2), late]))
    assert kinds(summary) == [Vitals, Late]


def test_a_record_that_is_no_frame_counts_but_moves_on():
    one = partition()
    summary = one.take([FakeRecord(b"x", b"\xc1", offset=7)])
    assert (summary.messages, summary.frames, summary.undecodable) == ([], 0, 1)
    assert one.checkpoint()[0] == 8


def test_an_impossible_value_is_absent_from_the_window():
    impossible = {"joint_temperature_c": [255.0, 30.0], "battery_soc": 0.5}
    summary = partition().take(records([Sent(readings=impossible), Sent(time_us=20 * S, seq=2)]))
    [message] = summary.messages
    window = windows_in(message)[Sent().code, START_US]
    assert window["joint_temperature_c/1/max"] != window["joint_temperature_c/1/max"]
    assert window["joint_temperature_c/2/max"] == 30


def test_a_quiet_partition_tells_what_is_open():
    one = partition()
    one.take(records([Sent()]))
    summary = one.quiet()
    assert summary.windows == {"provisional": 1}
    assert one.quiet().messages == []


def test_a_pulse_says_up_to_when_all_was_read():
    one = partition()
    one.take(records([Sent()]))
    pulse = one.pulse(START_US)
    assert pulse == Pulse(v=1, partition=3, now_us=START_US - RULE.grace_us, watermark_us=START_US)


def test_what_was_read_before_a_restart_is_not_told_again():
    first = partition()
    sent = [
        Sent(),
        Sent(time_us=11 * S, seq=1, readings=HOT),
        Sent(time_us=11 * S, seq=1),
        Sent(time_us=16 * S, seq=2),
    ]
    told = first.take(records(sent))
    assert kinds(told) == [Crossing, Vitals, Late]
    offset, resume = first.checkpoint()
    again = partition(offset, resume)
    assert again.take(records(sent[offset:], offset)).messages == []
    assert kinds(again.take(records([Sent(time_us=25 * S, seq=3)], 4))) == [Vitals]


@pytest.mark.parametrize("index", range(3))
def test_messages_travel_under_the_key_of_their_shard(index):
    hot = Sent(time_us=S, seq=1, readings=HOT)
    message = partition().take(records([Sent(), hot, hot, Sent(time_us=20 * S, seq=2)])).messages[index]
    key, value = record_of(3, message)
    assert key == (None if isinstance(message, Late) else shard_key(3, shard_of(Sent().code)))
    assert decode_vitals(value) == message


def test_a_flush_of_one_robot_changes_nothing_for_the_others():
    """A robot comes back after two hours and sends all that it has, in the middle of what the others send live."""
    live = [
        Sent(time_us=t * S, seq=t, robot=robot, readings=HOT if (t + robot) % 17 == 0 else READINGS)
        for t in range(60)
        for robot in (1, 2, 3)
    ]
    flushed = [Sent(time_us=(n - 8000) * S, seq=n, robot=9, flags=1, delay_us=8000 * S) for n in range(6000)]
    mixed = [*live[:60], *flushed[:2000], *live[60:90], *flushed[2000:], *live[90:]]
    alone, beside = partition().take(records(live)), Summary()
    one = partition()
    for first in range(0, len(mixed), 500):
        beside.messages.extend(one.take(records(mixed[first : first + 500], first)).messages)
    marks = [message for message in beside.messages if isinstance(message, Late)]
    assert [message for message in beside.messages if not isinstance(message, Late)] == alone.messages
    assert {robot for late in marks for robot in late.robot_id} == {flushed[0].code}
    assert 600 <= sum(len(late.start_us) for late in marks) <= 600 + len(mixed) // 500
    assert one.open_windows == 1


def test_what_the_lander_rejects_for_its_seal_is_in_no_window_and_raises_nothing():
    keyring = Keyring(bytes(32))
    keyring.learn([PolicyChange(EVERY_MAKER, 0, "require")], [])
    one = Partition(RULE, Limits(), 3, 0, None, keyring)
    key = derive_key(bytes(32), CODE, 1)

    def at(seconds: int, seq: int, readings: dict[str, list[float]], robot_key: bytes) -> FakeRecord:
        at_us = START_US + seconds * S
        of = frame(readings, seq=seq, time_us=at_us)
        return sealed(of, robot_key, offset=seq, timestamp=at_us // 1000)

    cool = {"joint_temperature_c": [30.0]}
    good = [at(0, 0, cool, key), at(1, 3, cool, key)]
    forged = [at(0, 1, HOT, bytes(32)), at(1, 2, HOT, bytes(32)), at(500, 4, HOT, bytes(32))]
    summary = one.take([good[0], *forged, good[1], at(40, 5, cool, key)])
    assert (summary.frames, summary.undecodable, summary.crossings) == (3, 3, 0)
    (window,) = [message for message in summary.messages if isinstance(message, Vitals)]
    assert windows_in(window)[CODE, START_US]["frames"] == 2
