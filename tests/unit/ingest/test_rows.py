"""Messages become rows: every value in its column, what is impossible taken out and noted, texts of any length."""

import numpy as np

from ingest.rows import POSTGRES_EPOCH_US, Rows, frame_rows, vitals_rows
from schemas.columns import decode_records
from schemas.robot_code import make_code
from schemas.signals import SIGNALS, Component
from schemas.vitals import REPAIRED
from support import messages, pgcopy
from support.frames import CODE, TIME_US, downsampled, frame, record

JOINT = {s.name for s in SIGNALS if s.component is Component.JOINT}
READINGS = {"joint_temperature_c": [30.5, None], "joint_wear": [0.25, 0.5], "battery_soc": 0.75}


def _read(rows: Rows) -> list[dict]:
    """Rows by column, ordered by sequence number or robot."""
    fields = [dict(zip(rows.columns, row, strict=True)) for row in pgcopy.read_rows(rows.blocks)]
    assert len(fields) == rows.count
    return [{name: _value(name, field) for name, field in row.items()} for row in fields]


def _value(name: str, field: bytes | None) -> object:
    signal = next((s for s in SIGNALS if name == s.name or name.removeprefix(s.name + "_") in s.statistics), None)
    if signal is not None:
        return (pgcopy.real_array if signal.name in JOINT else pgcopy.real)(field)
    return (
        (None if field is None else field.decode())
        if name in ("robot_id", "scenario", "software", "extremes_layout")
        else (pgcopy.real_array if name in ("lowest", "highest") else pgcopy.integer)(field)
    )


def _frames(*frames) -> tuple[list[dict], object]:
    columns, rejected = decode_records([record(f, timestamp=TIME_US // 1000 + 9) for f in frames])
    assert rejected == []
    rows, impossible = frame_rows(columns)
    return sorted(_read(rows), key=lambda row: row["seq"]), impossible


def test_a_frame_fills_every_column_of_its_row():
    sent = frame(READINGS, seq=4, boot_id=8, mono_us=77, flags=1, cycles=3, energy_wh=None, dropped=12,
                 scenario="classroom")  # fmt: skip
    (row,), impossible = _frames(sent)
    assert {name: value for name, value in row.items() if name not in {s.name for s in SIGNALS}} == {
        "robot_id": CODE,
        "time": TIME_US - POSTGRES_EPOCH_US,
        "seq": 4,
        "boot_id": 8,
        "mono_us": 77,
        "received": TIME_US + 9000 - POSTGRES_EPOCH_US,
        "runtime_s": 60,
        "energy_wh": None,
        "cycles": 3,
        "dropped": 12,
        "lowest": None,
        "highest": None,
        "extremes_layout": None,
        "mode": 1,
        "backfill": 1,
        "scenario": "classroom",
        "software": "1.0",
    }
    assert row["joint_temperature_c"] == [30.5, None]
    assert row["joint_wear"] == [0.25, 0.5]
    assert row["battery_soc"] == 0.75
    assert row["joint_position_rad"] is None
    assert row["battery_soh"] is None
    assert len(impossible) == 0


def test_frames_of_several_layouts_and_texts_of_several_lengths_come_together():
    sent = [
        frame({"battery_soc": i / 8} if i % 2 else READINGS, seq=i, scenario="x" * (i % 3), software="µ" * (i % 2))
        for i in range(8)
    ]
    rows, _ = _frames(*sent)
    assert [row["seq"] for row in rows] == list(range(8))
    assert [row["scenario"] for row in rows] == [f.scenario for f in sent]
    assert [row["software"] for row in rows] == [f.software for f in sent]
    assert [row["battery_soc"] for row in rows] == [i / 8 if i % 2 else 0.75 for i in range(8)]
    assert [row["joint_wear"] for row in rows] == [None if i % 2 else [0.25, 0.5] for i in range(8)]


def test_extremes_are_kept_with_their_layout_and_only_where_they_say_something():
    means = [
        downsampled(READINGS, {"joint_wear": [0.125, None]}, {"battery_soc": 1.0}, seq=1),
        downsampled(READINGS, {}, {}, seq=2),
        downsampled(READINGS, READINGS, READINGS, seq=3, software="2.11"),
        downsampled({"battery_soc": 0.5}, {"battery_soc": 0.25}, {}, seq=4),
    ]
    rows, _ = _frames(frame(READINGS, seq=0), *means)
    layout = "2:joint_temperature_c,joint_wear,battery_soc"
    assert [row["extremes_layout"] for row in rows] == [None, layout, None, None, "0:battery_soc"]
    assert rows[1]["lowest"] == [30.5, None, 0.125, 0.5, 0.75]
    assert rows[1]["highest"] == [30.5, None, 0.25, 0.5, 1.0]
    assert (rows[4]["lowest"], rows[4]["highest"]) == ([0.25], [0.5])
    assert all(row["lowest"] is None and row["highest"] is None for row in (rows[0], rows[2], rows[3]))
    assert [row["battery_soc"] for row in rows] == [0.75, 0.75, 0.75, 0.75, 0.5]


def test_an_impossible_extreme_is_noted_and_its_mean_stays():
    means = downsampled(READINGS, {"battery_soc": -1.0}, {"joint_temperature_c": [31.0, None]})
    (row,), impossible = _frames(means)
    assert row["lowest"] == [30.5, None, 0.25, 0.5, 0.75]
    assert row["battery_soc"] == 0.75
    noted = zip(impossible.signal, impossible.joint, impossible.value, strict=True)
    assert list(noted) == [("battery_soc", 0, -1.0)]


def test_an_impossible_value_is_null_in_its_row_and_noted_beside_it():
    bad = frame({"joint_temperature_c": [255.0, 30.0], "battery_soc": float("inf")}, seq=1)
    rows, impossible = _frames(frame(READINGS, seq=0), bad, frame(READINGS, seq=2))
    assert [row["joint_temperature_c"] for row in rows] == [[30.5, None], [None, 30.0], [30.5, None]]
    assert [row["battery_soc"] for row in rows] == [0.75, None, 0.75]
    assert impossible.robot_id == [CODE, CODE]
    assert impossible.seq == [1, 1]
    assert impossible.time_us == [TIME_US, TIME_US]
    noted = zip(impossible.signal, impossible.joint, impossible.value, strict=True)
    assert list(noted) == [("joint_temperature_c", 1, 255.0), ("battery_soc", 0, float("inf"))]


def test_a_frame_without_any_reading_is_a_row():
    (row,), _ = _frames(frame({}))
    assert all(row[s.name] is None for s in SIGNALS)


def test_no_frames_are_no_rows():
    rows, impossible = frame_rows(decode_records([])[0])
    assert rows == Rows()
    assert len(impossible) == 0


def test_a_window_fills_a_row_a_robot():
    vitals = messages.vitals()
    (row,) = _read(vitals_rows([vitals]))
    assert row["robot_id"] == CODE
    assert row["start"] == TIME_US - POSTGRES_EPOCH_US
    assert (row["length_us"], row["kind"], row["software"], row["scenario"]) == (
        10_000_000,
        0,
        "1.0",
        "factory_line",
    )
    # The test's window numbers its columns in their order.
    numbers = ["frames", "first_seq", "last_seq", "boot_id", "missing", "fault_frames", "backfill_frames", "mode"]
    assert [row[name] for name in numbers] == [1, 2, 3, 4, 5, 8, 9, 1]
    assert (row["last_time"], row["received"]) == (6 - POSTGRES_EPOCH_US, 7 - POSTGRES_EPOCH_US)
    assert (row["runtime_s"], row["energy_wh"], row["cycles"]) == (11, 12, 13)
    for statistic in ("last", "mean", "min", "max"):
        assert row[f"joint_temperature_c_{statistic}"] == [30.5, None]
    assert (row["battery_soc_last"], row["battery_soc_min"]) == (0.75, 0.75)
    assert row["joint_wear_last"] is None


def test_windows_of_several_robots_and_kinds_come_together():
    one, two = messages.vitals(), messages.vitals()
    other = make_code("ZZ", "TEST", "MODEL2", "2")
    two.kind, two.robot_id, two.software, two.scenario = REPAIRED, other.encode(), ["20.11"], ["a"]
    two.cycles = np.array([-1]).tobytes()
    first, second = sorted(_read(vitals_rows([one, two])), key=lambda row: row["robot_id"])
    assert (first["robot_id"], first["kind"], first["software"], first["cycles"]) == (CODE, 0, "1.0", 13)
    assert (second["robot_id"], second["kind"], second["software"], second["cycles"]) == (other, 2, "20.11", None)
