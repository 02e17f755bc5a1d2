"""Windows and crossings by plain Python, a frame at a time, to hold against the arrays of `processors`.

A test's frames are `Sent`s; `batch` makes columns of them through the real decoder; `expected` says what a
partition must make of them, and `found` reads what it has made. `Run` feeds a partition of the real ones.
"""

import math
import struct
import zlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from processors.windows import Rule, Windows, step
from schemas.columns import FrameColumns, decode_records
from schemas.frame import pack_readings, pack_values
from schemas.layout import parse_layout
from schemas.robot_code import make_code
from schemas.signals import SIGNAL
from schemas.vitals import LATE_REASONS, Late, Vitals, unpack_columns, unpack_statistics
from support.frames import TIME_US, frame, record

S = 1_000_000
RULE = Rule(window_us=10 * S, grace_us=5 * S, tolerance_us=5 * S)
SPREAD_RULE = Rule(window_us=10 * S, grace_us=5 * S, tolerance_us=5 * S, spread_us=8 * S)
START_US = TIME_US // RULE.window_us * RULE.window_us
READINGS: dict[str, Any] = {"joint_temperature_c": [30.5, 31.0], "battery_soc": 0.75}


@dataclass(frozen=True)
class Sent:
    """A frame as it arrives. `time_us` and `received_us` count from START_US. With `lowest` or `highest` its
    readings are means.
    """

    time_us: int = 0
    seq: int = 0
    robot: int = 1
    boot: int = 7
    delay_us: int = 10_000
    readings: dict[str, Any] = field(default_factory=lambda: READINGS)
    lowest: dict[str, Any] = field(default_factory=dict)
    highest: dict[str, Any] = field(default_factory=dict)
    mode: int = 1
    flags: int = 0
    software: str = "1.0"
    scenario: str = "factory_line"

    @property
    def code(self) -> str:
        return make_code("ZZ", "TEST", f"MODEL{self.robot % 3}", str(self.robot))

    @property
    def at_us(self) -> int:
        return START_US + self.time_us

    @property
    def received_us(self) -> int:
        """In whole ms, as Kafka has it."""
        return (self.at_us + self.delay_us) // 1000 * 1000


def records(sent: Sequence[Sent], first_offset: int = 0) -> list[Any]:
    """As a consumer hands them over."""
    return [
        record(
            frame(
                s.readings, robot_id=s.code, boot_id=s.boot, seq=s.seq, time_us=s.at_us, mode=s.mode,
                flags=s.flags, software=s.software, scenario=s.scenario, extremes=_extremes(s),
            ),
            offset=offset,
            timestamp=s.received_us // 1000,
        )
        for offset, s in enumerate(sent, first_offset)
    ]  # fmt: skip


def _extremes(sent: Sent) -> bytes | None:
    """Of every reading, as screening leaves them: what is not given is the reading itself."""
    if not sent.lowest and not sent.highest:
        return None
    slots = pack_readings(sent.readings)[0].slots
    sides = [
        (math.nan, math.nan, math.nan) if value is None else sides_of(sent, slot.signal.name, slot.joint, value)
        for slot in slots
        for value in [_entry(sent.readings[slot.signal.name], slot.joint)]
    ]
    return pack_values([side[0] for side in sides] + [side[2] for side in sides])


def batch(sent: Sequence[Sent], first_offset: int = 0) -> FrameColumns:
    """Their columns."""
    columns, rejected = decode_records(records(sent, first_offset))
    assert not rejected
    return columns


@dataclass
class Outcome:
    """Windows by (robot, start), marks by (robot, start) with offset and reason, and the watermark."""

    windows: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    marks: dict[tuple[str, int], tuple[int, str]] = field(default_factory=dict)
    watermark_us: int = -1


def expected(sent: Sequence[Sent], rule: Rule = RULE) -> Outcome:
    """What must come of these frames, one after the other."""
    outcome = Outcome()
    open_windows: dict[tuple[str, int], list[Sent]] = defaultdict(list)
    last: dict[tuple[str, int], int] = {}
    for offset, s in enumerate(sent):
        start_us = s.at_us // rule.window_us * rule.window_us
        trusted = s.at_us <= s.received_us + rule.tolerance_us
        reason = None
        if not trusted:
            reason = "clock_ahead"
        elif closes_us(s.code, start_us, rule) <= outcome.watermark_us:
            reason = "window_closed"
        elif s.seq <= last.get((s.code, s.boot), -1):
            reason = "sequence_seen"
        if reason is None:
            open_windows[s.code, start_us].append(s)
            last[s.code, s.boot] = s.seq
        else:
            outcome.marks[s.code, start_us] = (offset, reason)
        if trusted:
            outcome.watermark_us = max(outcome.watermark_us, s.at_us)
        for key in [key for key in open_windows if closes_us(*key, rule) <= outcome.watermark_us]:
            outcome.windows[key] = window_of(open_windows.pop(key))
    return outcome


def closes_us(code: str, start_us: int, rule: Rule = RULE) -> int:
    """The watermark that closes a window of a robot on partition 3: its shard has its turn within the spread."""
    turn = 8 * (zlib.crc32(code.encode()) % 16) + 3
    return start_us + rule.window_us + rule.grace_us + rule.spread_us * turn // 128


def window_of(frames: Sequence[Sent]) -> dict[str, Any]:
    """What a window says of these frames of one robot, in the order of their sequence within each boot."""
    boots: dict[int, list[Sent]] = defaultdict(list)
    for s in frames:
        boots[s.boot].append(s)
    in_order = [s for _, boot in sorted(boots.items(), key=lambda b: (b[1][-1].at_us, b[0])) for s in boot]
    last = in_order[-1]
    window: dict[str, Any] = {
        "frames": len(frames),
        "boot_id": last.boot,
        "first_seq": boots[last.boot][0].seq,
        "last_seq": last.seq,
        "missing": sum(boot[-1].seq - boot[0].seq + 1 - len(boot) for boot in boots.values()),
        "last_time_us": last.at_us,
        "received_us": last.received_us,
        "fault_frames": sum(s.mode == 3 for s in frames),
        "backfill_frames": sum(s.flags & 1 for s in frames),
        "mode": last.mode,
        "software": last.software,
        "scenario": last.scenario,
    }
    values: dict[tuple[str, int], list[tuple[float, float, float]]] = defaultdict(list)
    for s in in_order:
        for name, reading in s.readings.items():
            for joint, value in enumerate(reading, 1) if isinstance(reading, list) else [(0, reading)]:
                values[name, joint] += [] if value is None else [sides_of(s, name, joint, value)]
    for (name, joint), present in values.items():
        lowest, means, highest = zip(*present, strict=True) if present else ((), (), ())
        for statistic in SIGNAL[name].statistics:
            chosen = {"min": lowest, "max": highest}.get(statistic, means)
            window[f"{name}/{joint}/{statistic}"] = _statistic(statistic, chosen)
    return window


def sides_of(sent: Sent, name: str, joint: int, value: float) -> tuple[float, float, float]:
    """The lowest, the reading itself and the highest."""
    given = (_entry(sent.lowest.get(name), joint), _entry(sent.highest.get(name), joint))
    sides = [value, *(extreme for extreme in given if extreme is not None)]
    return _float32(min(sides)), _float32(value), _float32(max(sides))


def _entry(reading: Any, joint: int) -> float | None:
    entry: float | None = reading[joint - 1] if isinstance(reading, list) else reading
    return entry


def found(messages: Iterable[Vitals | Late]) -> Outcome:
    """What messages say; a window or mark that comes twice must not."""
    outcome = Outcome()
    for message in messages:
        if isinstance(message, Late):
            for robot, start, offset, reason in zip(
                message.robot_id, message.start_us, message.offset, message.reason, strict=True
            ):
                outcome.marks[robot, start] = (offset, LATE_REASONS[reason])
            continue
        for key, window in windows_in(message).items():
            assert key not in outcome.windows, f"{key} was emitted twice"
            outcome.windows[key] = window
    return outcome


def windows_in(message: Vitals) -> dict[tuple[str, int], dict[str, Any]]:
    """Each robot's window in a message."""
    columns = unpack_columns(message)
    layout = parse_layout(message.layout)
    statistics = {
        f"{layout.slots[slot].signal.name}/{layout.slots[slot].joint}/{statistic}": matrix[:, column]
        for statistic, matrix in unpack_statistics(message).items()
        for column, slot in enumerate(layout.keeping(statistic))
    }
    windows = {}
    for robot, code in enumerate(columns["robot_id"].tolist()):
        window = {name: column[robot].item() for name, column in columns.items() if name != "robot_id"}
        window |= {name: float(column[robot]) for name, column in statistics.items()}
        window |= {"software": message.software[robot], "scenario": message.scenario[robot]}
        windows[code.decode(), message.start_us] = window
    return windows


def assert_same(one: dict[tuple[str, int], dict[str, Any]], other: dict[tuple[str, int], dict[str, Any]]) -> None:
    """The same windows; `other` may know more of each. A mean or rms may differ in float32's last place."""
    assert one.keys() == other.keys()
    for key, window in one.items():
        for name, value in window.items():
            there = other[key][name]
            if name.endswith(("/mean", "/rms")):
                assert np.isclose(value, there, rtol=2**-23, atol=0, equal_nan=True), (key, name, value, there)
            else:
                assert value == there or (value != value and there != there), (key, name, value, there)


def _float32(value: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def _statistic(statistic: str, present: Sequence[float]) -> float:
    if not present:
        return math.nan
    match statistic:
        case "last":
            return present[-1]
        case "mean":
            return _float32(math.fsum(present) / len(present))
        case "rms":
            return _float32(math.sqrt(math.fsum(v * v for v in present) / len(present)))
    return min(present) if statistic == "min" else max(present)


class Run:
    """A partition fed batch by batch; a clock and a broker are the test's own."""

    def __init__(self, state: Windows | None = None) -> None:
        self.state = state or Windows(RULE, partition=3, offset=0)
        self.messages = []
        self.live = []

    def feed(self, sent, first_offset=None):
        first = self.state.offset if first_offset is None else first_offset
        done = step(self.state, batch(sent, first))
        self.state.offset = first + len(sent)
        self.messages += [*done.vitals, *done.lates]
        self.live += done.live.tolist()
        return done

    @property
    def outcome(self) -> Outcome:
        outcome = found(self.messages)
        outcome.watermark_us = self.state.watermark_us
        return outcome


def run(*sent: Sent) -> Run:
    running = Run()
    running.feed(sent)
    return running


def seconds(*times: float, **changes) -> list[Sent]:
    return [Sent(time_us=int(t * S), seq=seq, **changes) for seq, t in enumerate(times)]
