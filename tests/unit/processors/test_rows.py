"""Rows of the database as columns, and the windows that are computed of them."""

import numpy as np

from processors.repair import Closed
from processors.rows import FRAME_COLUMNS, Recount, columns_of
from schemas.columns import ABSENT
from schemas.signals import SIGNALS
from schemas.watermark import Resume
from support.windows import RULE, START_US, S, Sent, assert_same, found, window_of


def row(sent: Sent, **changes):
    """What the database says of a frame."""
    readings = {signal.name: sent.readings.get(signal.name) for signal in SIGNALS}
    return readings | {
        "time_us": sent.at_us, "received_us": sent.received_us, "robot_id": sent.code, "boot_id": sent.boot,
        "seq": sent.seq, "mono_us": 5, "mode": sent.mode, "backfill": bool(sent.flags), "scenario": sent.scenario,
        "software": sent.software, "runtime_s": 60, "energy_wh": None, "cycles": None,
    } | changes  # fmt: skip


def test_every_column_is_selected():
    selected = [name.rpartition(" ")[2].rpartition(".")[2] for name in FRAME_COLUMNS.split(", ")]
    assert sorted(selected) == sorted(row(Sent()))


def test_rows_become_columns_with_the_signals_that_they_have():
    columns = columns_of([row(Sent()), row(Sent(seq=1, readings={"joint_temperature_c": [None, 31.0]}))])
    assert columns.seq.tolist() == [0, 1]
    assert columns.counters["runtime_s"].tolist() == [60, 60]
    assert columns.counters["cycles"].tolist() == [ABSENT, ABSENT]
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


def test_no_rows_have_no_windows():
    assert Recount(RULE.window_us).vitals() == []


def test_windows_have_closed_once_all_that_had_been_read_by_then_has_landed():
    closed = Closed()
    closed.look({3: Resume(0, 105, 50, 10, 5, 5)}, {3: 49})
    assert closed.until_us == {}
    closed.look({3: Resume(0, 205, 90, 10, 5, 5)}, {3: 50})
    assert closed.until_us == {3: 100}


def test_under_load_the_newest_commit_does_not_hide_the_one_that_has_landed():
    closed = Closed()
    for read_to in range(0, 1000, 100):
        closed.look({3: Resume(0, read_to + 5, read_to, 10, 5, 5)}, {3: read_to - 50})
    assert closed.until_us[3] >= 700
