"""What the slow detectors follow: each signal's window statistic, and what confounds it.

A **track** is one such series of a robot: a signal of one joint, or of the robot. Its values are means over an
epoch (10 minutes). A track's **context** are the tracks that explain most of it in health: a joint that lifts more
draws more current and gets warmer. What is judged is what they do not explain. Read by the slow detectors.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from schemas.columns import Int64
from schemas.signals import SIGNAL, SIGNAL_ORDER, Component, Statistic


class Track(NamedTuple):
    """One series of a robot. `joint` counts from 1; 0 where the signal is not a joint's."""

    signal: str
    joint: int

    @property
    def component(self) -> str:
        """The component path: `joint/3`, `battery`; `series` for what the signal table does not know."""
        if self.joint:
            return f"joint/{self.joint}"
        return SIGNAL[self.signal].component.value if self.signal in SIGNAL else SERIES


SERIES = "series"


class Tracked(NamedTuple):
    """`context`: up to two signals, of the same joint or of the robot. `resolution`: the least scatter that means
    anything, in the signal's unit. `inertia`: the epochs that it lags behind its first context. A signal that is
    `judged` False is followed as context alone.
    """

    statistic: Statistic
    context: tuple[str, ...]
    resolution: float
    inertia: int = 0
    judged: bool = True


# Why these contexts: current is torque over the motor constant, with friction by speed; a winding warms by its
# current above the ambient temperature, half an hour later (UR3: 1 600 to 2 300 s); an encoder lags and a bearing
# shakes with speed and torque. Battery resistance falls with temperature; its cells spread under load.
TRACKED: dict[str, Tracked] = {
    "joint_velocity_rad_s": Tracked(Statistic.RMS, (), 0.005, judged=False),
    "joint_torque_nm": Tracked(Statistic.RMS, ("joint_velocity_rad_s", "ambient_temperature_c"), 0.05),
    "joint_current_a": Tracked(Statistic.RMS, ("joint_torque_nm", "joint_velocity_rad_s"), 0.01),
    "joint_temperature_c": Tracked(Statistic.MEAN, ("joint_current_a", "ambient_temperature_c"), 0.2, 3),
    "joint_tracking_error_rad": Tracked(Statistic.RMS, ("joint_velocity_rad_s", "joint_torque_nm"), 0.0001),
    "joint_vibration_mm_s": Tracked(Statistic.MEAN, ("joint_velocity_rad_s", "joint_torque_nm"), 0.02),
    "battery_current_a": Tracked(Statistic.MEAN, (), 0.05, judged=False),
    "battery_temperature_c": Tracked(Statistic.MEAN, ("battery_current_a", "ambient_temperature_c"), 0.2, 6),
    "battery_cell_spread_mv": Tracked(Statistic.MEAN, ("battery_current_a",), 1.0),
    "battery_resistance_mohm": Tracked(Statistic.MEAN, ("battery_temperature_c",), 0.2),
    "ambient_temperature_c": Tracked(Statistic.MEAN, (), 0.2, judged=False),
}
CONTEXTS = 2


class Wiring(NamedTuple):
    """How the tracks hang together: `context` contexts × tracks, the track that each reads (-1 none); a track's
    `pace`, the weight of the newest value of its first context, `resolution` and `judged`; `groups`: for each kind
    of component the places of its tracks, components × signals, and `kinds` the names of these.
    """

    context: Int64
    has_context: bool
    pace: np.ndarray[tuple[int], np.dtype[np.float32]]
    resolution: np.ndarray[tuple[int], np.dtype[np.float32]]
    judged: np.ndarray[tuple[int], np.dtype[np.bool_]]
    groups: tuple[Int64, ...]
    kinds: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=256)
def wiring(tracks: tuple[Track, ...]) -> Wiring:
    """Of these tracks. A series that the signal table does not know has no context and is judged."""
    at = {track: place for place, track in enumerate(tracks)}
    context = np.full((CONTEXTS, len(tracks)), -1, np.int64)
    for place, track in enumerate(tracks):
        for number, name in enumerate(_of(track).context):
            joint = track.joint if SIGNAL[name].component is Component.JOINT else 0
            context[number, place] = at.get(Track(name, joint), -1)
    return Wiring(
        context,
        bool((context >= 0).any()),
        np.array([1 / (1 + _of(track).inertia) for track in tracks], np.float32),
        np.array([_of(track).resolution for track in tracks], np.float32),
        np.array([_of(track).judged for track in tracks], bool),
        *_groups(tracks),
    )


_UNKNOWN = Tracked(Statistic.MEAN, (), 0.0)


def _of(track: Track) -> Tracked:
    return TRACKED.get(track.signal, _UNKNOWN)


def _groups(tracks: tuple[Track, ...]) -> tuple[tuple[Int64, ...], tuple[tuple[str, ...], ...]]:
    """Components with the same judged signals are one kind: all joints, the battery."""
    members: dict[str, list[int]] = {}
    for place, track in enumerate(tracks):
        if _of(track).judged:
            members.setdefault(track.component, []).append(place)
    kinds: dict[tuple[str, ...], list[list[int]]] = {}
    for places in members.values():
        if len(places) > 1:
            kinds.setdefault(tuple(tracks[place].signal for place in places), []).append(places)
    return tuple(np.array(places, np.int64) for places in kinds.values()), tuple(kinds)


@lru_cache(maxsize=4096)
def component_order(component: str) -> tuple[int, int]:
    """Joints by number, then the others in the order of the signal table's components."""
    kind, _, number = component.partition("/")
    return list(Component).index(Component(kind)), int(number or 0)


@lru_cache(maxsize=1024)
def union_of(have: tuple[Track, ...], want: tuple[Track, ...]) -> tuple[Track, ...]:
    """Both, sorted by component, so that what belongs to one component lies side by side."""
    return have if set(want) <= set(have) else tuple(sorted({*have, *want}, key=_order))


def _order(track: Track) -> tuple[tuple[int, int], int]:
    return component_order(track.component), SIGNAL_ORDER[track.signal]
