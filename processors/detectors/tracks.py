"""What the slow detectors follow: each signal's window statistic, and what confounds it.

A **track** is one such series of a robot: a signal of one joint, or of the robot. Its values are means over an
epoch (10 minutes). A track's **context** are the tracks that explain most of it in health: a joint that lifts more
draws more current and gets warmer. What is judged is what they do not explain. Read by the slow detectors.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Float32, Int64
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
    anything; `material`: the least lasting change that does. Both in the signal's unit, or as a logarithm if it is
    `logarithmic`. `at_work`: compared only while its robot works. `inertia`: its first context counts squared, and
    it lags behind by so many epochs. A signal that is `judged` False is followed as context alone.
    """

    statistic: Statistic
    context: tuple[str, ...]
    resolution: float
    material: float = 0.0
    logarithmic: bool = False
    at_work: bool = False
    inertia: float = 0.0
    judged: bool = True


_SPEED, _LOAD, _AMBIENT = "joint_velocity_rad_s", "joint_current_a", "ambient_temperature_c"

# Why these contexts: current is torque over the motor constant, with friction by speed; a winding warms by its
# current above the ambient temperature, half an hour later (UR3: 1 600 to 2 300 s); an encoder lags and a bearing
# shakes with speed and load. Battery resistance falls with temperature; its cells spread under load. Torque is an
# estimate from the current on most humanoids: a context, no witness. What is material is ours: a change that a
# technician would look after, and more than health shows in months (`docs/simulated.md`).
TRACKED: dict[str, Tracked] = {
    _SPEED: Tracked(Statistic.RMS, (), 0.005, logarithmic=True, at_work=True, judged=False),
    "joint_torque_nm": Tracked(Statistic.RMS, (), 0.01, logarithmic=True, at_work=True, judged=False),
    _LOAD: Tracked(Statistic.RMS, ("joint_torque_nm", _SPEED), 0.005, 0.20, logarithmic=True, at_work=True),
    "joint_temperature_c": Tracked(Statistic.MEAN, (_LOAD, _AMBIENT), 0.2, 12.0, inertia=3.0),
    "joint_tracking_error_rad": Tracked(Statistic.RMS, (_SPEED, _LOAD), 0.02, 0.55, logarithmic=True, at_work=True),
    "joint_vibration_mm_s": Tracked(Statistic.MEAN, (_SPEED, _LOAD), 0.02, 0.30, logarithmic=True, at_work=True),
    "joint_backlash_arcmin": Tracked(Statistic.MEAN, (), 0.01, 0.15),
    "battery_current_a": Tracked(Statistic.MEAN, (), 0.05, judged=False),
    "battery_temperature_c": Tracked(Statistic.MEAN, ("battery_current_a", _AMBIENT), 0.2, 8.0, inertia=4.0),
    "battery_cell_spread_mv": Tracked(Statistic.MEAN, ("battery_current_a",), 0.5, 5.0),
    "battery_resistance_mohm": Tracked(Statistic.MEAN, ("battery_temperature_c",), 0.01, 0.12, logarithmic=True),
    _AMBIENT: Tracked(Statistic.MEAN, (), 0.2, judged=False),
}
CONTEXTS = 2

_Floats = np.ndarray[tuple[int], np.dtype[np.float32]]
_Bools = np.ndarray[tuple[int], np.dtype[np.bool_]]


class Wiring(NamedTuple):
    """How the tracks hang together: `context` contexts × tracks, the track that each reads (-1 none), whether it
    `has_context`, and the `least` variance of one that counts; a track's `pace`, the weight of the newest value in
    its heat, `resolution`, `material` and `judged`; which are compared as logarithms, at work alone, and which are
    `heated` by the track `heated_by`; `speeds`: the places of the joints' speeds; `known`: those of the signal
    table; `whole`: the place of what is said of the whole robot, or -1; `groups`: for each kind of component the
    places of its tracks, components × signals, and `kinds` their names.
    """

    context: Int64
    has_context: NDArray[np.bool_]
    least: Float32
    pace: _Floats
    resolution: _Floats
    material: _Floats
    judged: _Bools
    logarithmic: _Bools
    at_work: _Bools
    heated: _Bools
    heated_by: Int64
    speeds: Int64
    known: _Bools
    any_known: bool
    whole: int
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
    known = [_of(track) for track in tracks]
    heated = np.array([of.inertia > 0 for of in known], bool) & (context[0] >= 0)
    speeds = np.array([place for place, track in enumerate(tracks) if track.signal == _SPEED], np.int64)
    return Wiring(
        context,
        context >= 0,
        _least(context, known, heated),
        np.array([1 / (1 + of.inertia) for of in known], np.float32),
        np.array([of.resolution for of in known], np.float32),
        np.array([of.material for of in known], np.float32),
        np.array([of.judged for of in known], bool),
        np.array([of.logarithmic for of in known], bool),
        np.array([of.at_work for of in known], bool) & (len(speeds) > 0),
        heated,
        np.where(heated, context[0], 0),
        speeds,
        np.array([track.signal in TRACKED for track in tracks], bool),
        any(track.signal in TRACKED for track in tracks),
        next((place for place, track in enumerate(tracks) if track.component == Component.ROBOT), -1),
        *_groups(tracks),
    )


def _least(context: Int64, known: list[Tracked], heated: _Bools) -> Float32:
    """Contexts × tracks: the variance that a context has by its resolution alone."""
    resolution = np.array([*(of.resolution for of in known), 0], np.float32)
    least = np.square(resolution[context])
    least[0] = np.where(heated, np.float32(0), least[0])  # a square, of another unit
    return np.asarray(least, np.float32)


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
