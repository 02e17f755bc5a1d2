"""One window of a shard, as the detectors read it: values in the columns of the state.

In: decoded vitals. Out: for each robot of the window its counts and last words, a value a column (the statistic
that the column's side asks for) and whether each component had any value. Called by `processors/assessor.py`
and the detectors.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from processors.detectors.tracks import component_order
from processors.shard import MODE_COLUMN, Column
from schemas.columns import Codes, Float32, Int64
from schemas.layout import Layout, parse_layout
from schemas.limits import MODEL_LENGTH, SIDES, Limits
from schemas.robot_code import CODE_LENGTH
from schemas.signals import SIGNAL, STATISTICS, Component, Statistic
from schemas.vitals import Vitals, unpack_columns, unpack_statistics

# The statistic that shows a side best, of those that the signal keeps: the extreme, else the latest, else a mean.
_BY_SIDE = {
    "above": (Statistic.MAX, Statistic.LAST, Statistic.MEAN, Statistic.RMS, Statistic.MIN),
    "below": (Statistic.MIN, Statistic.LAST, Statistic.MEAN, Statistic.RMS, Statistic.MAX),
}


@dataclass(frozen=True, slots=True)
class ShardWindow:
    """n robots; `columns` as in `vitals.WINDOW_COLUMNS`, `statistics` robots × the slots that keep each."""

    layout: Layout
    shard: int
    kind: int
    start_us: int
    length_us: int
    columns: dict[str, NDArray[Any]]
    statistics: dict[Statistic, Float32]
    software: NDArray[np.object_]
    scenario: NDArray[np.object_]

    @property
    def robots(self) -> Codes:
        """Their codes, S29."""
        return self.columns["robot_id"]

    @property
    def end_us(self) -> int:
        """The first event time that is not in the window any more."""
        return self.start_us + self.length_us

    def only(self, chosen: NDArray[np.bool_]) -> "ShardWindow":
        """The window of some of its robots."""
        if chosen.all():
            return self
        return replace(
            self,
            columns={name: column[chosen] for name, column in self.columns.items()},
            statistics={name: values[chosen] for name, values in self.statistics.items()},
            software=self.software[chosen],
            scenario=self.scenario[chosen],
        )


def read_window(vitals: Vitals) -> ShardWindow:
    """Unpack it. Raises RejectError where the arrays disagree."""
    columns = unpack_columns(vitals)
    return ShardWindow(
        parse_layout(vitals.layout), vitals.shard, vitals.kind, vitals.start_us, vitals.length_us,
        columns, unpack_statistics(vitals), np.array(vitals.software, object), np.array(vitals.scenario, object),
    )  # fmt: skip


def models_of(robots: Codes) -> tuple[list[str], Int64]:
    """The distinct models of these robots, and which of them each is."""
    models, which = np.unique(robots.astype(f"S{MODEL_LENGTH}"), return_inverse=True)
    return [model.decode() for model in models], which


def columns_of(layout: Layout, models: tuple[str, ...], limits: Limits) -> tuple[Column, ...]:
    """Every side of every slot that has limits for one of `models`, and the robot's own mode."""
    return _columns_of(layout, tuple(sorted({limits.known_model(model) for model in models})), limits)


@lru_cache(maxsize=1024)
def _columns_of(layout: Layout, models: tuple[str, ...], limits: Limits) -> tuple[Column, ...]:
    limited = tuple(
        Column(slot.signal.name, slot.joint, side)
        for slot in layout.slots
        for side in SIDES
        if any(limits.limit(model, slot.signal.name, side) for model in models)
    )
    return (*limited, MODE_COLUMN)


@lru_cache(maxsize=1024)
def components_of(layout: Layout) -> tuple[str, ...]:
    """The components that the layout has slots of; every robot has the component `robot`."""
    named = {slot.component for slot in layout.slots} | {Component.ROBOT.value}
    return tuple(sorted(named, key=component_order))


def values_of(window: ShardWindow, columns: tuple[Column, ...]) -> Float32:
    """n × columns, NaN where the layout lacks the slot or no frame had the value."""
    values = np.full((len(window.robots), len(columns)), np.nan, np.float32)
    for statistic, to, taken in _sources(window.layout, columns):
        values[:, to] = window.statistics[statistic][:, taken]
    if MODE_COLUMN in columns:
        values[:, columns.index(MODE_COLUMN)] = window.columns["fault_frames"]
    return values


@lru_cache(maxsize=1024)
def _sources(layout: Layout, columns: tuple[Column, ...]) -> list[tuple[Statistic, list[int], list[int]]]:
    """For each statistic the columns it fills, and from which of its own columns."""
    slots = {(slot.signal.name, slot.joint): at for at, slot in enumerate(layout.slots)}
    kept = {statistic: {slot: at for at, slot in enumerate(layout.keeping(statistic))} for statistic in STATISTICS}
    sources: dict[Statistic, tuple[list[int], list[int]]] = {}
    for to, column in enumerate(columns):
        slot = slots.get((column.signal, column.joint))
        if slot is None:
            continue
        statistic = next(s for s in _BY_SIDE[column.side] if s in SIGNAL[column.signal].statistics)
        filled, taken = sources.setdefault(statistic, ([], []))
        filled.append(to)
        taken.append(kept[statistic][slot])
    return [(statistic, filled, taken) for statistic, (filled, taken) in sources.items()]


def present_in(window: ShardWindow, components: tuple[str, ...]) -> NDArray[np.bool_]:
    """n × components: whether the window has any value of the component. A robot that sends is itself present."""
    present = np.zeros((len(window.robots), len(components)), bool)
    for statistic, taken, starts, owners in _witnesses(window.layout, components):
        values = window.statistics[statistic][:, taken]
        present[:, owners] |= np.logical_or.reduceat(~np.isnan(values), starts, axis=1)
    present[:, components.index(Component.ROBOT.value)] = True
    return present


@lru_cache(maxsize=1024)
def _witnesses(layout: Layout, components: tuple[str, ...]) -> list[tuple[Statistic, Int64, Int64, Int64]]:
    """For each statistic the slots that show it first, side by side for each component that owns them."""
    witnesses: dict[Statistic, list[tuple[int, int]]] = {}
    for at, slot in enumerate(layout.slots):
        statistic = slot.signal.statistics[0]
        taken = layout.keeping(statistic).index(at)
        witnesses.setdefault(statistic, []).append((components.index(slot.component), taken))
    grouped = []
    for statistic, pairs in witnesses.items():
        owner, taken_of = np.array(sorted(pairs), np.int64).T
        owners, starts = np.unique(owner, return_index=True)
        grouped.append((statistic, taken_of, starts, owners))
    return grouped


_WEIGHTS = 31 ** np.arange(CODE_LENGTH, dtype=np.int64) % 1_000_003


def spread_of(robots: Codes, span: int) -> Int64:
    """A stable number below `span` a robot, so that what all do now and then is not done by all at once."""
    characters = np.ascontiguousarray(robots).view(np.uint8).reshape(-1, CODE_LENGTH)
    mixed: Int64 = (characters @ _WEIGHTS) * 2_654_435_761 % span
    return mixed
