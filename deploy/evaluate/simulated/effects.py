"""What faults do to the physics of an epoch, and to the numbers that are sent of it.

In: written by `faults.py`. Read by `fleet.py`, which knows nothing of kinds of faults.
"""

from dataclasses import dataclass, field

import numpy as np

from deploy.evaluate.simulated.battery import Ageing
from processors.detectors.tracks import Track
from schemas.columns import Float32


@dataclass(slots=True)
class Effects:
    """Robots × joints, or robots; each as in health until a fault changes it.

    `cooling` multiplies the rise of temperature, `friction` is added to friction as a share of it, `vibration`,
    `tracking`, `torque` and `drive` (current and torque) multiply; `backlash_arcmin` is added. `wave_c` warms every
    hall. `stuck` holds what a sensor says.
    """

    cooling: Float32
    friction: Float32
    vibration: Float32
    tracking: Float32
    torque: Float32
    drive: Float32
    backlash_arcmin: Float32
    ageing: Ageing
    wave_c: float = 0.0
    stuck: list[tuple[int, Track]] = field(default_factory=list)


def healthy(robots: int, joints: int) -> Effects:
    """Nothing is broken."""
    ones, noughts = np.ones((robots, joints), np.float32), np.zeros((robots, joints), np.float32)
    none = np.zeros(robots, np.float32)
    ageing = Ageing(none.copy(), none + 1, none.copy())
    return Effects(
        ones.copy(), noughts.copy(), ones.copy(), ones.copy(), ones.copy(), ones.copy(), noughts.copy(), ageing
    )
