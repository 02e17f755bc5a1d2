"""Rows of the database as columns, and the windows that are computed of them."""

import math
import struct

import numpy as np

from processors.repair import STANDS_AFTER_S, Closed
from processors.rows import FRAME_COLUMNS, JOINT_SIGNALS, OTHER_SIGNALS, Recount, columns_of
from schemas.columns import ABSENT
from schemas.frame import pack_readings
from schemas.signals import SIGNALS
from schemas.watermark import Resume
from support.windows import RULE, START_US, S, Sent, assert_same, batch, found, window_of


def array(kind: str, oid: int, values):
    """As PostgreSQL sends an array: the head, then each element behind its length."""
    elements = b"".join(struct.pack(f">i{kind}", struct.calcsize(kind), value) for value in values)
    return struct.pack(">iiiii", 1, 0, oid, len(values), 1) + elements


def reals(values):
    return array("f", 700, [math.nan if value is None else value for value in values])


def row(sent: Sent):
    """What the database says of a frame."""
    counters = [60, ABSENT, ABSENT, 3]
    integers = [sent.at_us, sent.received_us, sent.boot, sent.seq, 5, sent.mode, sent.flags, *counters]
    extremes = batch([sent]).groups[0].extremes
    joints = {name: sent.readings.get(name) for name in JOINT_SIGNALS}
    return {name: values and reals(values) for name, values in joints.items()} | {
        "robot_id": sent.code, "scenario": sent.scenario, "software": sent.software,
        "integers": array("q", 20, integers),
        "reals": reals([sent.readings.get(name) for name in OTHER_SIGNALS]),
        "extremes_layout": extremes and pack_readings(sent.readings)[0].text,
        "lowest": extremes and reals(extremes.lowest[0].tolist()),
        "highest": extremes and reals(extremes.highest[0].tolist()),
    }  # fmt: skip


def test_every_column_is_selected():
    assert all(f"AS {name}" in FRAME_COLUMNS or f"frame.{name}," in FRAME_COLUMNS for name in row(Sent()))
    assert all(f"frame.{signal.name}" in FRAME_COLUMNS for signal in SIGNALS)


def test_rows_become_columns_with_the_signals_that_they_have():
    columns = columns_of([row(Sent()), row(Sent(seq=1, readings={"joint_temperature_c": [None, 31.0]}))])
    assert columns.seq.tolist() == [0, 1]
    assert columns.counters["runtime_s"].tolist() == [60, 60]
    assert columns.counters["cycles"].tolist() == [ABSENT, ABSENT]
    assert columns.counters["dropped"].tolist() == [3, 3]
    layouts = {group.layout.text: group.values for group in columns.groups}
    assert np.array_equal(layouts["2:joint_temperature_c"], [[np.nan, 31]], equal_nan=True)
    assert np.array_equal(layouts["2:joint_temperature_c,battery_soc"], [[30.5, 31, 0.75]])


def test_a_row_without_any_reading_is_a_frame_all_the_same():
    recount = Recount(RULE.window_us)
    recount.add([row(Sent(readings={})), row(Sent(seq=1))])
    assert found(recount.vitals()).windows[Sent().code, START_US]["frames"] == 2


def test_windows_of_rows_are_those_of_the_frames():
    sent = [Sent(time_us=t * S, seq=t, mode=t % 4, software=str(t)) for t in range(25)]
    recount = Recount(RULE.window_us)
    for part in (sent[:7], sent[7:]):
        recount.add([row(s) for s in part])
    wanted = {(Sent().code, START_US + t * S): window_of(sent[t : t + 10]) for t in (0, 10, 20)}
    assert_same(wanted, found(recount.vitals()).windows)


def test_rows_of_means_keep_their_extremes_whatever_of_them_is_null_and_whoever_has_none():
    means = {"joint_temperature_c": [30.0, None], "battery_soc": 0.5, "battery_voltage_v": None}
    sent = [
        Sent(readings=means, lowest={"battery_soc": 0.25}, highest={"joint_temperature_c": [80.0, None]}),
        Sent(time_us=S, seq=1, readings=means),
        Sent(time_us=2 * S, seq=2, readings={"battery_soc": 0.75}, highest={"battery_soc": 0.875}),
    ]
    recount = Recount(RULE.window_us)
    recount.add([row(s) for s in sent])
    assert_same({(Sent().code, START_US): _present(window_of(sent))}, found(recount.vitals()).windows)


def _present(window):
    """Without signals that no row has: the database does not tell which were sent and always absent."""
    return {name: value for name, value in window.items() if "battery_voltage_v" not in name}


def test_no_rows_have_no_windows():
    assert Recount(RULE.window_us).vitals() == []


def test_windows_have_closed_once_all_that_had_been_read_by_then_has_landed():
    closed = Closed()
    closed.look({3: Resume(0, 105, 50, 10, 5, 5)}, {3: 49}, 0)
    assert closed.until_us == {}
    closed.look({3: Resume(0, 205, 90, 10, 5, 5)}, {3: 50}, 1)
    assert closed.until_us == {3: 100}


def test_under_load_the_newest_commit_does_not_hide_the_one_that_has_landed():
    closed = Closed()
    for read_to in range(0, 1000, 100):
        closed.look({3: Resume(0, read_to + 5, read_to, 10, 5, 5)}, {3: read_to - 50}, read_to)
    assert closed.until_us[3] >= 700


def test_a_partition_stands_when_its_watermark_has_not_moved_for_a_while_whatever_is_read_of_it():
    closed = Closed()
    closed.look({3: Resume(0, 105, 50, 10, 5, 5), 4: Resume(0, 305, 50, 10, 5, 5)}, {}, 0)
    assert closed.stands_us(STANDS_AFTER_S - 1) == {}
    closed.look({3: Resume(0, 105, 70, 10, 5, 5), 4: Resume(0, 306, 70, 10, 5, 5)}, {}, STANDS_AFTER_S)
    assert closed.stands_us(STANDS_AFTER_S) == {3: 105}
    assert closed.stands_us(2 * STANDS_AFTER_S) == {3: 105, 4: 306}
