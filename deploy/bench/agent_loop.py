"""A control loop of 100 Hz that publishes through the Python class, and measures each call.

In: the path of a TOML file to write, seconds. Out: as JSON on standard output, how long the calls took. Run by
`agent.py` as a process of its own; the broker is what the environment says.
"""

import os
import sys
import time
from pathlib import Path

import msgspec

from deploy.settings import read_kafka
from ingest.agent.embedded import Agent
from schemas.robot_code import make_code

CODE = make_code("ZZ", "BENC", "AGENT1", "1")
HZ = 100
JOINT_SIGNALS = (
    "joint_position_rad", "joint_velocity_rad_s", "joint_torque_nm", "joint_current_a", "joint_voltage_v",
    "joint_temperature_c", "joint_tracking_error_rad", "joint_vibration_mm_s", "joint_wear",
)  # fmt: skip
MESSAGE: dict[str, float | list[float]] = {
    **{name: [0.5 + joint / 100 for joint in range(29)] for name in JOINT_SIGNALS},
    "battery_soc": 0.8, "battery_voltage_v": 52.1, "battery_current_a": -8.0, "battery_temperature_c": 31.0,
}  # fmt: skip


class Loop(msgspec.Struct, frozen=True):
    p50_us: float
    p99_us: float
    most_us: float


def run(path: Path, seconds: float) -> Loop:
    """The loop does nothing but publish."""
    path.write_text(f'robot = "{CODE}"\nrate_hz = 1.0\n[spool]\npath = "loop.db"\n', "utf-8")
    took_ns = []
    with Agent(path, kafka=read_kafka(os.environ)) as agent:
        began_s = time.monotonic()
        for number in range(int(seconds * HZ)):
            time.sleep(max(0.0, began_s + number / HZ - time.monotonic()))
            before_ns = time.perf_counter_ns()
            agent.publish(MESSAGE, mode="working")
            took_ns.append(time.perf_counter_ns() - before_ns)
    took_ns.sort()
    return Loop(took_ns[len(took_ns) // 2] / 1e3, took_ns[len(took_ns) * 99 // 100] / 1e3, took_ns[-1] / 1e3)


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.encode(run(Path(sys.argv[1]), float(sys.argv[2]))))
