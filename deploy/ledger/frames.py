"""The content of a ledger's frames, by arrays; and of its poison. Pure.

In: a plan and places (or the numbers of poison records). Out: columns of what `frame` must hold, and the bytes that
travel: most frames packed, some as JSON. Called by `deploy/ledger/send.py`, which sends them, and by the check.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from deploy.ledger.plan import Int64, Plan
from schemas.frame import FLAG_BACKFILL, FRAME_VERSION, MAX_FRAME_BYTES, Frame, JsonFrame, Readings, encode_frame
from schemas.layout import Layout, parse_layout
from schemas.signals import MODES

# Within every limit, and in the order of the signal table.
BETWEEN = {
    "joint_position_rad": (-3.0, 3.0),
    "joint_current_a": (0.0, 20.0),
    "joint_temperature_c": (30.0, 55.0),
    "battery_soc": (0.2, 0.9),
    "battery_voltage_v": (40.0, 52.0),
    "battery_temperature_c": (20.0, 35.0),
    "ambient_temperature_c": (15.0, 25.0),
}
HOT_C, IMPOSSIBLE_C = 95.5, 255.0
LOWER, HIGHER = np.float32(0.125), np.float32(0.0625)  # where a frame's values are means, so far its extremes lie
TEMPERATURE = "joint_temperature_c"
SCENARIOS, SOFTWARE = ("factory_line", "classroom"), ("1.0", "1.1-β")
_VARIETY = 1024
_MARK_STEPS = 2**20

Float32 = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Contents:
    """n places by columns. `values` are as sent (NaN = absent), places × the slots of `layout`; where `downsampled`
    they are means, with `lowest` and `highest` beside them.
    """

    layout: Layout
    place: Int64
    robot: Int64
    boot_id: Int64
    seq: Int64
    time_us: Int64
    mono_us: Int64
    energy_wh: Int64
    dropped: Int64
    mode: Int64
    backfill: NDArray[np.bool_]
    values: Float32
    downsampled: NDArray[np.bool_]

    @property
    def lowest(self) -> Float32:
        return self.values - LOWER

    @property
    def highest(self) -> Float32:
        return self.values + HIGHER

    @property
    def scenario(self) -> list[str]:
        return [SCENARIOS[r % 2] for r in self.robot.tolist()]

    @property
    def software(self) -> list[str]:
        return [SOFTWARE[r % 3 // 2] for r in self.robot.tolist()]


def layout_of(joints: int) -> Layout:
    return Layout(joints, tuple(BETWEEN))


def contents(plan: Plan, places: Int64, joints: int) -> Contents:
    """What is in the frames of these places, whose robots all have so many joints."""
    boot_id, seq, time_us = plan.identity(places)
    since_us = plan.since_us(places)
    return Contents(
        layout=layout_of(joints),
        place=places,
        robot=places % plan.robots,
        boot_id=boot_id,
        seq=seq,
        time_us=time_us,
        mono_us=since_us,
        energy_wh=places // 7,
        dropped=places // 11,
        mode=np.where(places // plan.robots % 97 == 0, MODES.index("charging"), MODES.index("working")),
        backfill=plan.is_spooled(places),
        values=_values(plan, places, joints),
        downsampled=places // plan.robots % 3 == 1,
    )


def _values(plan: Plan, places: Int64, joints: int) -> Float32:
    """A row of the table, in which the first position tells the place; and what is hot, impossible or absent."""
    layout = layout_of(joints)
    mixed = (places + plan.seed) * 2_654_435_761 % 2**32
    values = _table(plan.seed, joints)[mixed // 4096 % _VARIETY]
    values[:, layout.spans["joint_position_rad"][0]] = (places % _MARK_STEPS) / np.float32(_MARK_STEPS)
    first = layout.spans[TEMPERATURE][0]
    odd = mixed % 50
    values[odd == 0, first + 1] = IMPOSSIBLE_C
    values[odd == 1, first + 2] = np.nan
    values[odd == 2, layout.spans["battery_voltage_v"][0]] = np.nan
    joint = plan.hot_joint(places)
    hot = np.nonzero(joint)[0]
    values[hot, first + joint[hot] - 1] = HOT_C
    return values


@lru_cache(maxsize=16)
def _table(seed: int, joints: int) -> Float32:
    low, high = np.array([BETWEEN[slot.signal.name] for slot in layout_of(joints).slots]).T
    return np.random.default_rng([seed, joints]).uniform(low, high, (_VARIETY, len(low))).astype("<f4")


def messages(plan: Plan, records: Int64) -> Iterator[tuple[int, str, bytes]]:
    """Number, robot code (the key) and value of each record, in their order."""
    found: dict[int, tuple[str, bytes]] = {}
    poison = plan.is_poison(records)
    robots = records % plan.robots
    joints = np.array([plan.joints(r) for r in range(plan.robots)])[robots]
    for count in np.unique(joints).tolist():
        chosen = records[~poison & (joints == count)]
        content = contents(plan, plan.place(chosen), count)
        for record, frame in zip(chosen.tolist(), frames_of(plan, content), strict=True):
            found[record] = (
                frame.robot_id,
                _as_json(frame, content.layout) if record % 7 == 0 else encode_frame(frame),
            )
    for record in records[poison].tolist():
        found[record] = plan.codes[record % plan.robots], poison_value(plan, record)
    return ((record, *found[record]) for record in records.tolist())


def frames_of(plan: Plan, content: Contents) -> Iterator[Frame]:
    columns = (content.robot, content.boot_id, content.seq, content.time_us, content.mono_us, content.energy_wh,
               content.dropped, content.mode, content.backfill, content.downsampled)  # fmt: skip
    texts = zip(content.scenario, content.software, strict=True)
    readings = zip(content.values, content.lowest, content.highest, strict=True)
    for (robot, boot, seq, time, mono, energy, dropped, mode, backfill, downsampled), (scenario, software), (
        values,
        lowest,
        highest,
    ) in zip(zip(*(column.tolist() for column in columns), strict=True), texts, readings, strict=True):
        yield Frame(
            v=FRAME_VERSION, robot_id=plan.codes[robot], boot_id=boot, seq=seq, time_us=time, mono_us=mono,
            runtime_s=mono // 1_000_000, energy_wh=energy, cycles=None, mode=mode, scenario=scenario,
            software=software, flags=FLAG_BACKFILL if backfill else 0, layout=content.layout.text,
            values=values.tobytes(), dropped=dropped,
            extremes=lowest.tobytes() + highest.tobytes() if downsampled else None,
        )  # fmt: skip


def _as_json(frame: Frame, layout: Layout) -> bytes:
    sides = np.frombuffer(frame.extremes or b"", "<f4").reshape(-1, len(layout.slots))
    lowest, highest = (_named(layout, side) for side in sides) if len(sides) else (None, None)
    return msgspec.json.encode(
        JsonFrame(
            v=frame.v, robot_id=frame.robot_id, boot_id=frame.boot_id, seq=frame.seq, time_us=frame.time_us,
            readings=_named(layout, np.frombuffer(frame.values, "<f4")), mono_us=frame.mono_us,
            runtime_s=frame.runtime_s, energy_wh=frame.energy_wh, mode=MODES[frame.mode], scenario=frame.scenario,
            software=frame.software, backfill=bool(frame.flags), dropped=frame.dropped, lowest=lowest,
            highest=highest,
        )
    )  # fmt: skip


def _named(layout: Layout, values: Float32) -> Readings:
    flat = [None if value != value else value for value in values.tolist()]
    return {
        name: flat[first:end] if name.startswith("joint_") else flat[first]
        for name, (first, end) in layout.spans.items()
    }


def poison_value(plan: Plan, record: int) -> bytes:
    """The bytes of a poison record. Each is for one reason unusable, and no two are alike but the empty ones."""
    noise = hashlib.shake_256(f"{plan.seed}/{record}".encode()).digest(300)
    good = next(frames_of(plan, contents(plan, np.array([record]), plan.joints(record % plan.robots))))
    changed = msgspec.structs.replace
    kinds = (
        lambda: b"\xc1" + noise,
        lambda: b'{"v":1,"robot_id":' + b"[" * 5000 + str(record).encode(),
        lambda: encode_frame(good)[:-9],
        lambda: encode_frame(changed(good, software="1\0")),
        lambda: encode_frame(changed(good, v=FRAME_VERSION + 1)),
        lambda: b"",
        lambda: encode_frame(changed(good, robot_id=plan.codes[0])),
        lambda: encode_frame(changed(good, values=good.values[4:])),
        lambda: noise + bytes(MAX_FRAME_BYTES),
        lambda: encode_frame(changed(good, robot_id=good.robot_id.lower())),
        lambda: encode_frame(changed(good, time_us=2**60)),
        lambda: _as_json(good, parse_layout(good.layout)).replace(b'"readings":{', _MANY),
    )
    return kinds[record // plan.robots // 8 % len(kinds)]()


_MANY = b'"readings":{' + b"".join(b'"k%d":1,' % number for number in range(3000))
