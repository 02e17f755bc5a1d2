"""The second way to vitals, against windows counted by hand; and what it says where they differ."""

import numpy as np
import pytest

from deploy.ledger import recount
from deploy.ledger.rows import ABSENT, Cells, Columns
from schemas.signals import SIGNALS, Component
from support.windows import S, Sent, window_of

FRAMES = [
    Sent(time_us=1 * S, seq=4, readings={"joint_temperature_c": [30.5, None], "battery_soc": 0.7}),
    Sent(time_us=2 * S, seq=5, readings={"joint_temperature_c": [32.5, None], "battery_soc": None}, mode=3),
    Sent(time_us=5 * S, seq=9, readings={"joint_temperature_c": [31.5, 2.0, 3.0]}, flags=1, software="2"),
    Sent(time_us=9 * S, seq=0, boot=8, readings={"joint_temperature_c": [31.0, 4.0]}),
]
# Two boots of a robot with a dead clock claim the same moments.
TWINS = [
    Sent(time_us=t * S, seq=t, boot=boot, readings={"joint_temperature_c": [30.0 + t + boot], "battery_soc": soc})
    for boot, last, soc in ((7, 5, 0.25), (8, 4, None))
    for t in range(last)
]
CODES = [FRAMES[0].code]


def columns(sent: list[Sent]) -> Columns:
    cells = {}
    for signal in SIGNALS:
        found = [s.readings.get(signal.name) for s in sent]
        if signal.component is Component.JOINT:
            width = max(len(f or ()) for f in found)
            padded = [[*(f or ()), *[None] * (width - len(f or ()))] for f in found]
            cells[signal.name] = Cells(
                np.array(padded, np.float32).reshape(len(sent), width), np.array([len(f or ()) for f in found])
            )
        else:
            column = np.array(found, np.float32).reshape(-1, 1)
            cells[signal.name] = Cells(column, (~np.isnan(column[:, 0])).astype(np.int64))
    # None of these frames is a mean of several readings.
    cells |= {f"{name} {side}": own for name, own in cells.items() for side in ("lowest", "highest")}
    absent = np.full(len(sent), ABSENT)
    integers = {
        "time_us": [s.at_us for s in sent], "seq": [s.seq for s in sent], "boot_id": [s.boot for s in sent],
        "mode": [s.mode for s in sent], "backfill": [s.flags & 1 for s in sent],
        "runtime_s": absent, "energy_wh": absent, "cycles": absent,
    }  # fmt: skip
    texts = {"software": [s.software for s in sent], "scenario": [s.scenario for s in sent]}
    return Columns(
        np.zeros(len(sent), np.int64),
        {name: np.array(column, np.int64) for name, column in integers.items()},
        {name: np.array(column, object) for name, column in texts.items()},
        cells,
    )


@pytest.mark.parametrize("frames", [FRAMES, TWINS, TWINS[3:], TWINS[5:] + TWINS[:4]])
def test_a_window_is_what_its_frames_say_in_whatever_order_they_come(frames):
    expected = window_of(sorted(frames, key=lambda s: (s.boot, s.seq)))
    found = recount.windows(columns(frames[::-1]), 10 * S)
    for name in (
        "frames",
        "first_seq",
        "last_seq",
        "boot_id",
        "missing",
        "fault_frames",
        "backfill_frames",
        "mode",
    ):
        assert found.integers[name].tolist() == [expected[name]], name
    assert found.texts["software"].tolist() == [expected["software"]]
    for name, cells in found.cells.items():
        signal, _, statistic = name.rpartition("_")
        for joint in range(cells.values.shape[1]):
            own = f"{signal}/{joint + 1 if signal.startswith('joint') else 0}/{statistic}"
            assert np.float32(expected.get(own, np.nan)) == pytest.approx(cells.values[0, joint], nan_ok=True), own


def test_equal_windows_have_no_difference_and_each_other_one_is_told():
    vitals = recount.windows(columns(FRAMES), 10 * S)
    vitals.integers["length_us"] = np.array([10 * S])
    assert list(recount.compare(columns(FRAMES), vitals, CODES)) == []
    assert "missing" in next(recount.compare(columns([*FRAMES, Sent(time_us=11 * S)]), vitals, CODES))
    vitals.cells["battery_soc_last"].values[0, 0] += 1e-5
    assert "battery_soc_last" in next(recount.compare(columns(FRAMES), vitals, CODES))
    vitals.cells["battery_soc_last"].values[0, 0] -= 1e-5
    vitals.integers["frames"][0] = 3
    assert "frames: " in next(recount.compare(columns(FRAMES), vitals, CODES))
