"""Which series the simulated fleet has, ordered by component, so that a component's lie side by side.

Called by the files beside it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from processors.detectors.tracks import Track
from schemas.columns import Int64

JOINT_SIGNALS = (
    "joint_velocity_rad_s", "joint_torque_nm", "joint_current_a", "joint_temperature_c",
    "joint_tracking_error_rad", "joint_vibration_mm_s", "joint_backlash_arcmin", "joint_wear",
)  # fmt: skip
ACCURACY_SIGNALS = ("pose_accuracy_mm", "pose_repeatability_mm", "path_accuracy_mm")
BATTERY_SIGNALS = (
    "battery_soc", "battery_soh", "battery_voltage_v", "battery_current_a", "battery_temperature_c",
    "battery_cell_spread_mv", "battery_resistance_mohm",
)  # fmt: skip
ROBOT_SIGNALS = ("ambient_temperature_c",)


@dataclass(frozen=True)
class Lines:
    """The series of a robot with so many joints."""

    joints: int

    @cached_property
    def tracks(self) -> tuple[Track, ...]:
        of_joints = [Track(signal, joint + 1) for joint in range(self.joints) for signal in JOINT_SIGNALS]
        others = (*ACCURACY_SIGNALS, *BATTERY_SIGNALS, *ROBOT_SIGNALS)
        return (*of_joints, *(Track(signal, 0) for signal in others))

    @cached_property
    def at(self) -> dict[Track, int]:
        return {track: place for place, track in enumerate(self.tracks)}

    def joint_signal(self, signal: str) -> slice:
        """The places of one signal of every joint."""
        return slice(JOINT_SIGNALS.index(signal), self.joints * len(JOINT_SIGNALS), len(JOINT_SIGNALS))

    def other(self, signal: str) -> int:
        return self.at[Track(signal, 0)]


def component_starts(tracks: tuple[Track, ...]) -> tuple[tuple[str, ...], Int64]:
    """The components of tracks that lie side by side, and where each begins."""
    names = [track.component for track in tracks]
    starts = [place for place, name in enumerate(names) if place == 0 or names[place - 1] != name]
    return tuple(names[place] for place in starts), np.array(starts, np.int64)
