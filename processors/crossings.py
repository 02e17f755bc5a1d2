"""Crossings: readings that leave an alarm limit which their robot was inside of, told at once.

In: the state, and the screened columns of a batch with what `windows.step` said of each frame. Out: `Crossing`
messages. Called by `processors/partition.py`. Pure; a batch without crossings costs one comparison a limit.

A limit is left by a reading at or beyond its alarm threshold; it is armed again by one that lies inside by more
than the deadband, as in the assessor's rule. Likewise a robot whose mode becomes `fault`. Only frames that are
neither late nor sent from a spool count. Of a frame of means the extreme that faces the limit is its reading.

After a restart the state follows from the frames that are read again, those since the oldest open window. A robot
that left its limit before them counts as inside, for nothing else is known of it: its next reading beyond the
limit is a crossing with an id of its own, which the episode that is open absorbs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from processors.runs import Runs
from schemas.columns import Float32, FrameColumns, Int64, LayoutGroup
from schemas.layout import Layout
from schemas.limits import MODEL_LENGTH, SIDES, Limits
from schemas.signals import MODE_FAULT
from schemas.vitals import VITALS_VERSION, Crossing

MODE = ("mode", 0, "above")
MODE_LIMIT = 1.0

Flags = NDArray[np.bool_]
Edge = tuple[str, int, str]  # signal, joint, side


@dataclass(frozen=True, slots=True)
class Watch:
    """The edges of one layout and model, numbered; the last is the mode, which has no slot. A value is beyond its
    limit at or above `alarm` and inside below `inside`, where both and the value are multiplied by `sign`.
    """

    edges: dict[Edge, int]
    slots: Int64
    sign: Float32
    alarm: Float32
    inside: Float32


@dataclass(slots=True)
class Crossings:
    """The state of one partition: the robots that are outside, and which edges they have left."""

    limits: Limits
    outside: dict[bytes, set[Edge]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Frames:
    """Frames of robots to look at, sorted by robot: `rows` index the batch, run i is robot `names[i]`.

    `values` is frames × edges.
    """

    names: list[bytes]
    rows: Int64
    runs: Runs
    values: Float32


def step(state: Crossings, columns: FrameColumns, live: Flags, fresh: Flags) -> list[tuple[int, Crossing]]:
    """Take a batch up; the state changes in place. Each crossing comes with its row, in their order. Crossings of
    frames that are not `fresh` were told before.
    """
    found: list[tuple[int, Crossing]] = []
    for model, chosen in _models(state.limits, columns, live & ~columns.backfill):
        groups = [
            (group, watch_of(state.limits, group.layout, model))
            for group in columns.groups
            if chosen[group.rows].any()
        ]
        names = _wanted(state, columns, groups, chosen)
        if names:
            layout = reduce(Layout.union, [group.layout for group, _ in groups]).canonical
            watch = watch_of(state.limits, layout, model)
            frames = _frames(columns, groups, chosen, names, watch)
            crossed = _advance(state, frames, watch) & fresh[frames.rows][:, None]
            found += _told(columns, frames, crossed, watch)
    return sorted(found, key=lambda pair: pair[0])


@lru_cache(maxsize=4096)
def watch_of(limits: Limits, layout: Layout, model: str) -> Watch:
    """What is looked at in frames of this layout."""
    edges: dict[Edge, int] = {}
    slots, parts = [], []
    for side in SIDES:
        thresholds = limits.thresholds(layout, model, side)
        for slot in np.nonzero(~np.isnan(thresholds.alarm))[0].tolist():
            edges[layout.slots[slot].signal.name, layout.slots[slot].joint, side] = len(edges)
            slots.append(slot)
            alarm = thresholds.sign * thresholds.alarm[slot]
            parts.append((thresholds.sign, alarm, alarm - thresholds.deadband[slot]))
    edges[MODE] = len(edges)
    parts.append((1, MODE_LIMIT, MODE_LIMIT))
    sign, alarms, inside = np.array(parts, np.float32).T
    return Watch(edges, np.array(slots, np.int64), sign, alarms, inside)


def _models(limits: Limits, columns: FrameColumns, chosen: Flags) -> Iterator[tuple[str, Flags]]:
    """The chosen frames by the model whose limits hold for them: "" has the signal table's."""
    models = np.array([model.encode() for model in limits.models], f"S{MODEL_LENGTH}")
    if len(models):
        prefix = columns.robot_id.astype(models.dtype)
        at = np.minimum(np.searchsorted(models, prefix), len(models) - 1)
        own = chosen & (models[at] == prefix)
        for number in np.unique(at[own]).tolist():
            yield limits.models[number], own & (at == number)
        chosen = chosen & ~own
    if chosen.any():
        yield "", chosen


def _wanted(
    state: Crossings, columns: FrameColumns, groups: list[tuple[LayoutGroup, Watch]], chosen: Flags
) -> list[bytes]:
    """The robots among the chosen frames that are outside, or have a reading beyond a limit."""
    beyond = chosen & (columns.mode == MODE_FAULT)
    for group, watch in groups:
        mirrored = _facing(group, watch) * watch.sign[:-1]
        beyond[group.rows] |= chosen[group.rows] & (mirrored >= watch.alarm[:-1]).any(axis=1)
    names = dict.fromkeys(columns.robot_id[beyond].tolist())
    if state.outside:
        names |= dict.fromkeys(name for name in columns.robot_id[chosen].tolist() if name in state.outside)
    return list(names)


def _facing(group: LayoutGroup, watch: Watch) -> Float32:
    """Frames × edges but the mode: of each slot the reading that is nearest to the limit, or farthest beyond it."""
    if group.extremes is None:
        return group.values.take(watch.slots, axis=1)
    lowest, highest = (side.take(watch.slots, axis=1) for side in (group.extremes.lowest, group.extremes.highest))
    return np.where(watch.sign[:-1] > 0, highest, lowest)


def _frames(
    columns: FrameColumns, groups: list[tuple[LayoutGroup, Watch]], chosen: Flags, names: list[bytes], watch: Watch
) -> _Frames:
    """The chosen frames of those robots, on the edges of `watch`, which has those of every group."""
    numbers = {name: number for number, name in enumerate(names)}
    rows = np.nonzero(chosen)[0]
    robot = np.array([numbers.get(name, -1) for name in columns.robot_id[rows].tolist()], np.int64)
    rows, robot = rows[robot >= 0], robot[robot >= 0]
    order = np.lexsort((rows, robot))
    rows = rows[order]
    place = np.full(len(columns), -1)
    place[rows] = np.arange(len(rows))
    values = np.full((len(rows), len(watch.edges)), np.nan, np.float32)
    values[:, -1] = columns.mode[rows] == MODE_FAULT
    for group, own in groups:
        at = place[group.rows]
        into = np.array([watch.edges[edge] for edge in own.edges][:-1], np.int64)
        values[np.ix_(at[at >= 0], into)] = _facing(group.at(at >= 0), own)
    return _Frames(names, rows, Runs.of(robot[order]), values)


def _advance(state: Crossings, frames: _Frames, watch: Watch) -> Flags:
    """Which values (frames × edges) are crossings. Each robot's frames follow a row with its state before them."""
    mirrored = frames.values * watch.sign
    robots = np.arange(len(frames.names))
    heads = frames.runs.starts + robots
    body = np.arange(len(frames.rows)) + np.repeat(robots + 1, frames.runs.lengths)
    side = np.empty((len(frames.rows) + len(robots), len(watch.edges)), np.int8)
    side[body] = (mirrored >= watch.alarm).astype(np.int8) - (mirrored < watch.inside)
    side[heads] = -1
    for head, name in zip(heads.tolist(), frames.names, strict=True):
        side[head, [watch.edges[edge] for edge in state.outside.get(name, ()) if edge in watch.edges]] = 1
    # What is neither beyond nor inside, or absent, is still where the last row said.
    said = np.maximum.accumulate(np.where(side != 0, np.arange(len(side))[:, None], 0), axis=0)
    held = np.take_along_axis(side, said, axis=0)
    after = held[body[frames.runs.lasts]]
    edges = list(watch.edges)
    for robot in np.nonzero((after != side[heads]).any(axis=1))[0].tolist():
        name = frames.names[robot]
        elsewhere = state.outside.pop(name, set()) - watch.edges.keys()
        outside = elsewhere | {edges[edge] for edge in np.nonzero(after[robot] == 1)[0].tolist()}
        if outside:
            state.outside[name] = outside
    crossed: Flags = (side[body] == 1) & (held[body - 1] == -1)
    return crossed


def _told(columns: FrameColumns, frames: _Frames, crossed: Flags, watch: Watch) -> list[tuple[int, Crossing]]:
    """The crossings as messages, each with its row in the batch."""
    edges, found = list(watch.edges), []
    for at, edge in zip(*(places.tolist() for places in np.nonzero(crossed)), strict=True):
        row, (signal, joint, side) = int(frames.rows[at]), edges[edge]
        crossing = Crossing(
            v=VITALS_VERSION,
            robot_id=columns.robot_id[row].decode(),
            boot_id=int(columns.boot_id[row]),
            seq=int(columns.seq[row]),
            time_us=int(columns.time_us[row]),
            received_us=int(columns.received_us[row]),
            signal=signal,
            joint=joint,
            side=side,
            value=float(frames.values[at, edge]),
            limit=float(watch.alarm[edge] * watch.sign[edge]),
            software=columns.software.values[columns.software.codes[row]],
            scenario=columns.scenario.values[columns.scenario.codes[row]],
        )
        found.append((row, crossing))
    return found
