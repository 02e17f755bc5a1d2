"""Health: what is said of a robot as a whole, from its open episodes and the state of its shard.

In: a shard after a step, a robot's row in it, and the record of its episodes. Out: a `Health`, and before that
whether there is anything new to say. Called by `processors/assessor.py`. A status comes from episodes alone (they
are its evidence); a zone from how near the limits the robot's values lie. What has no value for a while is
UNKNOWN, and so is all that was NORMAL of a robot that says nothing. What leaves its baseline or heads for its limit
is fit for a limited time, which is what zone C means, however far its limits are.
"""

from functools import lru_cache
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from processors.detectors import limit
from processors.detectors.tracks import component_order
from processors.episodes import Episode, Record, describe
from processors.findings import DRIFT, RULE_VERSIONS, TREND, status_of
from processors.remaining import remaining_of
from processors.shard import NEVER, NOT_THERE, Column, Shard, with_rows
from processors.shard_window import ShardWindow, components_of, present_in, spread_of
from processors.wording import unit_of
from schemas.columns import Int64
from schemas.health import (
    HEALTH_VERSION,
    NO_VALUE_US,
    SEVERITY,
    ComponentHealth,
    Evidence,
    Health,
    RemainingLife,
    Status,
    Zone,
)
from schemas.signals import MODES, Component
from schemas.vitals import PROVISIONAL

# Ours: an unchanged robot is told anew after this time, each at another moment. The topic is compacted and the age
# of a robot's data is known from its frames, so this is for whoever missed a message: seldom, a fleet is large.
REFRESH_US = 3_600_000_000

# Windows without any value after which a component is UNKNOWN (ours: 5 minutes of 10 s windows). One that is not
# in the robot's layout any more is then no longer its component.
UNKNOWN_AFTER = 30
_LONG = 127

# Rules whose findings mean that a component is fit for a limited time only.
_WORN = (DRIFT, TREND)

_ZONES = tuple(Zone.NONE if zone == 0 else list(Zone)[zone - 1] for zone in range(5))


def due(shard: Shard, rows: Int64, window: ShardWindow) -> NDArray[np.bool_]:
    """Whose turn it is to be told anew with this window, and of whom nothing was ever told."""
    never: NDArray[np.bool_] = shard.health_us[rows] == NEVER
    if window.kind == PROVISIONAL:
        return never
    before = shard.window_us[rows]
    shift = window.length_us + spread_of(window.robots, REFRESH_US)
    turn = (before + shift) // REFRESH_US != (window.start_us + shift) // REFRESH_US
    again: NDArray[np.bool_] = turn & (before != NEVER)
    return never | again


def step(shard: Shard, rows: Int64, window: ShardWindow) -> tuple[Shard, NDArray[np.bool_]]:
    """Take in a window that the detectors have judged. Returns who has a changed zone, component or word.

    `words` are mode, software and scenario.
    """
    mode, software, scenario = window.columns["mode"], window.software, window.scenario
    words = (shard.mode[rows] != mode) | (shard.software[rows] != software) | (shard.scenario[rows] != scenario)
    absent = _absent(shard, rows, window)
    shown = _component_zones(shard, rows) + np.int8(len(_ZONES)) * _presence(absent)
    changed = words | (shard.shown[rows] != shown).any(axis=1)
    words_now = {"mode": mode, "software": software, "scenario": scenario}
    value_us = np.where(absent == 0, window.columns["last_time_us"][:, None], shard.value_us[rows])
    return with_rows(shard, rows, **words_now, absent=absent, shown=shown, value_us=value_us), changed


def _absent(shard: Shard, rows: Int64, window: ShardWindow) -> NDArray[np.int8]:
    """Windows since each component last had a value."""
    before = shard.absent[rows].astype(np.int16)
    listed = np.isin(shard.components, components_of(window.layout))
    older = np.where(before == NOT_THERE, np.where(listed, _LONG, NOT_THERE), np.minimum(before + 1, _LONG))
    gone = ~listed & (older > UNKNOWN_AFTER)
    aged = np.where(gone, NOT_THERE, older)
    return np.where(present_in(window, shard.components), 0, aged).astype(np.int8)


def _presence(absent: NDArray[np.int8]) -> NDArray[np.int8]:
    """0 there, 1 there without a value for too long, 2 not there."""
    return np.where(absent == NOT_THERE, 2, absent > UNKNOWN_AFTER).astype(np.int8)


def _component_zones(shard: Shard, rows: Int64) -> NDArray[np.int8]:
    """Robots × components: the worst zone of the component's columns, 0 where none has one."""
    zones = np.zeros((len(rows), len(shard.components)), np.int8)
    starts, owners = _groups(shard.columns, shard.components)
    if len(starts):
        of_columns = limit.zones(shard.phase[rows], shard.columns)
        zones[:, owners] = np.maximum.reduceat(of_columns, starts, axis=1)
    return zones


@lru_cache(maxsize=1024)
def _groups(columns: tuple[Column, ...], components: tuple[str, ...]) -> tuple[Int64, Int64]:
    """Where each component's columns begin, and which component that is."""
    owners = np.array([components.index(column.component) for column in columns], np.int64)
    distinct, starts = np.unique(owners, return_index=True)
    return starts.astype(np.int64), distinct


def judge(shard: Shard, row: int, record: Record, time_us: int) -> Health:
    """The health of one robot as of `time_us`."""
    about = record.open
    lives = shard.slow.lives(shard.robots[row]) if shard.slow and shard.slow.worn else None
    remaining = tuple(remaining_of(lives, 0).items()) if lives else ()
    # A component's age is told only where it is not the robot's own: so most robots share what is said of them.
    value_us = np.where(shard.absent[row] > 0, np.maximum(shard.value_us[row], NO_VALUE_US), NEVER)
    state = _State(
        shard.components, shard.absent[row].tobytes(), shard.shown[row].tobytes(), value_us.tobytes(), remaining,
        bool(shard.silent[row]),
    )  # fmt: skip
    body = _body(state, about) if about else _body_without_episodes(state)
    received_us = int(shard.received_us[row])
    return Health(
        v=HEALTH_VERSION,
        robot_id=shard.robots[row].decode(),
        time_us=time_us,
        # A robot of which no frame had a clock to be trusted was last seen when the broker had it.
        last_seen_us=int(shard.last_time_us[row]) if shard.last_time_us[row] != NEVER else received_us,
        received_us=received_us,
        status=body.status,
        zone=body.zone,
        mode=MODES[shard.mode[row]] if shard.mode[row] != NEVER else "",
        software=shard.software[row],
        scenario=shard.scenario[row],
        components=list(body.components),
        open_episodes=len(about),
    )


class _Body(NamedTuple):
    """What is said of the components, worst first, and of all of them together."""

    components: tuple[ComponentHealth, ...]
    status: Status
    zone: Zone


class _State(NamedTuple):
    """What a robot's body is made from beside its episodes. `absent` and `shown` int8, `value_us` int64, packed."""

    components: tuple[str, ...]
    absent: bytes
    shown: bytes
    value_us: bytes
    remaining: tuple[tuple[str, RemainingLife], ...]
    silent: bool


@lru_cache(maxsize=4096)
def _body_without_episodes(state: _State) -> _Body:
    """Most robots say one of a few things: what a new fleet is told of was 100 µs a robot, and is 10."""
    return _body(state, [])


def _body(state: _State, open_episodes: list[Episode]) -> _Body:
    found = _components(state, open_episodes)
    status = max((c.status for c in found if _counts(c)), key=SEVERITY.__getitem__, default=Status.UNKNOWN)
    return _Body(tuple(found), status, max((c.zone for c in found), key=str))


def _counts(component: ComponentHealth) -> bool:
    """Accuracy is measured by a test run now and then: that there is no recent one makes no robot UNKNOWN."""
    return component.component != Component.ACCURACY.value or component.status is not Status.UNKNOWN


def _components(state: _State, open_episodes: list[Episode]) -> list[ComponentHealth]:
    """Worst first. Those of the robot, and those that an open episode is about."""
    episodes: dict[str, list[Episode]] = {}
    for episode in open_episodes:
        episodes.setdefault(episode.component, []).append(episode)
    remaining = dict(state.remaining)
    numbers = (np.frombuffer(state.absent, np.int8), np.frombuffer(state.shown, np.int8),
               np.frombuffer(state.value_us, np.int64))  # fmt: skip
    found: list[ComponentHealth] = []
    for name, absent, shown, value_us in zip(state.components, *(n.tolist() for n in numbers), strict=True):
        if absent != NOT_THERE:
            zone, unknown = _ZONES[shown % len(_ZONES)], state.silent or absent > UNKNOWN_AFTER
            component = _component(name, zone, unknown, episodes.pop(name, []))
            found.append(_with_life(component, remaining.get(name), value_us))
    # Known by their episodes alone: what left the layout, or a robot that no window has shown yet.
    found += [_component(name, Zone.NONE, True, about) for name, about in episodes.items()]
    if not found:
        found.append(_component(Component.ROBOT.value, Zone.NONE, True, []))
    return sorted(found, key=_worst_first)


def _with_life(component: ComponentHealth, life: RemainingLife | None, value_us: int) -> ComponentHealth:
    if life is None and value_us == NEVER:
        return component
    return msgspec.structs.replace(component, remaining_life=life, last_value_us=value_us)


def _component(name: str, zone: Zone, unknown: bool, episodes: list[Episode]) -> ComponentHealth:
    status = Status.UNKNOWN if unknown else Status.NORMAL
    worst_first = sorted(episodes, key=lambda e: (-SEVERITY[status_of(e.rule, e.level)], e.first_us, e.key))
    if worst_first:
        status = max(status, status_of(worst_first[0].rule, worst_first[0].level), key=SEVERITY.__getitem__)
    worn = Zone.C if any(episode.rule in _WORN for episode in episodes) else Zone.NONE
    return ComponentHealth(
        component=name,
        status=status,
        zone=Zone.NONE if status is Status.UNKNOWN else max(zone, worn, key=str),
        evidence=[_evidence(episode) for episode in worst_first],
    )


def _worst_first(found: ComponentHealth) -> tuple[int, int, bool, tuple[int, int]]:
    zone = _ZONES.index(found.zone)
    return -SEVERITY[found.status], -zone, not found.evidence, component_order(found.component)


def _evidence(episode: Episode) -> Evidence:
    return Evidence(
        rule=episode.rule,
        signal=episode.signal,
        value=episode.value,
        unit=unit_of(episode.signal),
        limit=episode.limit,
        since_us=episode.first_us,
        text=describe(episode),
        last_us=episode.last_us,
        side=episode.side,
        baseline=episode.baseline,
        confidence=episode.confidence,
        rule_version=RULE_VERSIONS[episode.rule],
        episode_id=episode.id,
    )
