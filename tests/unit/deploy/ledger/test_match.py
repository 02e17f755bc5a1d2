"""Rows against the book: what is lost, doubled, strange or changed is found, each by its own check."""

from dataclasses import replace

import numpy as np
import pytest

from deploy.ledger import match
from deploy.ledger.frames import contents
from deploy.ledger.match import DOUBLED, LOST, PAYLOAD, UNKNOWN, Known
from deploy.ledger.plan import Plan
from deploy.ledger.rows import Cells, Columns
from deploy.ledger.verdict import Check
from schemas.signals import SIGNALS

PLAN = Plan(seed=3, start_us=1_760_000_000_000_000, rate=100, seconds=10, robots=10)
PLACES = np.arange(0, 200)
ROBOTS = range(PLAN.robots)


def stored(places=PLACES) -> Columns:
    """The rows that these places must be; all robots have 6 joints."""
    sent = contents(PLAN, places, 6)
    cells = {}
    for suffix, values in match.screened(sent).items():
        for signal in SIGNALS:
            first, end = sent.layout.spans.get(signal.name, (0, 0))
            own = values[:, first:end]
            null = np.isnan(own).all(axis=1) if end - first == 1 else np.zeros(len(own), bool)
            cells[signal.name + suffix] = Cells(own.copy(), np.where(null, 0, end - first))
    integers = {
        "time_us": sent.time_us, "seq": sent.seq, "boot_id": sent.boot_id, "mono_us": sent.mono_us,
        "runtime_s": sent.mono_us // 10**6, "energy_wh": sent.energy_wh, "cycles": np.full(len(places), -1),
        "dropped": sent.dropped,
        "mode": sent.mode, "backfill": sent.backfill.astype(np.int64),
    }  # fmt: skip
    texts = {"scenario": np.array(sent.scenario, object), "software": np.array(sent.software, object)}
    return Columns(sent.robot, {k: v.copy() for k, v in integers.items()}, texts, cells)


def red(rows: Columns, acknowledged=PLACES, attempted=PLACES) -> dict[str, int]:
    """By check, how much is wrong."""
    checks = {name: Check(name) for name in (LOST, DOUBLED, UNKNOWN, PAYLOAD)}
    match.compare(PLAN, ROBOTS, rows, Known(acknowledged, attempted), checks)
    return {name: check.wrong for name, check in checks.items() if check.wrong}


def test_what_was_sent_and_stored_is_green():
    assert red(stored()) == {}


def test_a_frame_that_is_missing_is_lost_if_it_was_acknowledged_and_may_be_missing_if_not():
    assert red(stored(PLACES[1:])) == {LOST: 1}
    assert red(stored(PLACES[1:]), acknowledged=PLACES[1:]) == {}


def test_a_row_that_is_there_twice_is_doubled():
    assert red(stored(np.append(PLACES, PLACES[:3]))) == {DOUBLED: 3}


def test_a_row_that_was_never_attempted_or_has_another_time_was_not_sent():
    assert red(stored(), acknowledged=PLACES[:-1], attempted=PLACES[:-1]) == {UNKNOWN: 1}
    rows = stored()
    rows.integers["time_us"][7] += 1
    assert red(rows) == {UNKNOWN: 1, LOST: 1}


@pytest.mark.parametrize("column", ["mono_us", "runtime_s", "energy_wh", "cycles", "dropped", "mode", "backfill"])
def test_an_integer_that_differs_is_not_as_it_was_sent(column):
    rows = stored()
    rows.integers[column][7] += 1
    assert red(rows) == {PAYLOAD: 1}


def test_a_text_a_value_or_a_column_that_differs_is_not_as_it_was_sent():
    rows = stored()
    rows.texts["software"][3] = "9"
    assert red(rows) == {PAYLOAD: 1}
    rows = stored()
    rows.cells["battery_soc"].values[3, 0] += 1e-6
    assert red(rows) == {PAYLOAD: 1}
    for side in ("lowest", "highest"):
        rows = stored()
        rows.cells[f"battery_soc {side}"].values[3, 0] += 1e-6
        assert red(rows) == {PAYLOAD: 1}
    rows = stored()
    rows.cells["joint_wear"] = replace(rows.cells["joint_wear"], length=np.ones(len(PLACES), np.int64))
    assert red(rows) == {PAYLOAD: len(PLACES)}
