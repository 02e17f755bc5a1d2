"""A ROS 2 node: what a robot publishes, handed to its robovitals agent. One file, to copy and to change.

    joint_states, battery_state, diagnostics ──► this node ──► /run/robovitals/readings.sock ──► robovitals agent

It needs rclpy, sensor_msgs and diagnostic_msgs of any ROS 2 distribution, and nothing else. The agent sums up what
comes faster than its rate, keeps it on disk while there is no network, and sends it. docs/ros2.md goes through it.

    python3 robovitals_bridge.py --ros-args -p socket:=/run/robovitals/readings.sock

Nothing blocks a callback: lines wait in a short queue for a thread that holds the socket. While the agent is away,
the oldest are dropped, and their number is logged when it is back.
"""

import json
import math
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

SOCKET = "/run/robovitals/readings.sock"
MOST_LINES = 1000  # ten seconds of joints at 100 Hz
RECONNECT_S = (0.5, 30.0)  # at first, at most

# Signals are named in docs/signals.md. What your joint driver calls effort is here a torque in Nm; if it is a
# current, name joint_current_a.
JOINT_SIGNALS = {"position": "joint_position_rad", "velocity": "joint_velocity_rad_s", "effort": "joint_torque_nm"}
BATTERY_SIGNALS = {
    "percentage": "battery_soc",
    "voltage": "battery_voltage_v",
    "current": "battery_current_a",
    "temperature": "battery_temperature_c",
    "capacity": "battery_capacity_ah",
}
# Of diagnostics: (name of the status, key) → (signal, joint; "" where the signal is not a joint's).
DIAGNOSTIC_SIGNALS: dict[tuple[str, str], tuple[str, str]] = {
    ("left_knee_joint", "temperature"): ("joint_temperature_c", "left_knee_joint"),
}


def of_joint_state(message: Any) -> dict[str, Any]:
    """sensor_msgs/JointState: joints go by their names; [joints] of robot.toml gives them numbers."""
    readings = {}
    for field, signal in JOINT_SIGNALS.items():
        values = getattr(message, field)
        if len(values) == len(message.name):  # a driver leaves empty what it does not measure
            readings[signal] = {name: _number(value) for name, value in zip(message.name, values, strict=True)}
    return _line(readings, message)


def of_battery_state(message: Any) -> dict[str, Any]:
    """sensor_msgs/BatteryState: NaN is what it does not measure."""
    readings = {signal: _number(getattr(message, field)) for field, signal in BATTERY_SIGNALS.items()}
    cells = [float(cell) for cell in message.cell_voltage if not math.isnan(cell)]
    if cells:
        readings["battery_cell_min_v"], readings["battery_cell_max_v"] = min(cells), max(cells)
        readings["battery_cell_spread_mv"] = 1000 * (max(cells) - min(cells))
    return _line({signal: value for signal, value in readings.items() if value is not None}, message)


def of_diagnostics(message: Any) -> dict[str, Any]:
    """diagnostic_msgs/DiagnosticArray: numbers stand there as text."""
    readings: dict[str, Any] = {}
    for status in message.status:
        for pair in status.values:
            signal, joint = DIAGNOSTIC_SIGNALS.get((status.name, pair.key), ("", ""))
            value = _number(pair.value)
            if not signal or value is None:
                continue
            if joint:
                readings.setdefault(signal, {})[joint] = value
            else:
                readings[signal] = value
    return _line(readings, message)


def _line(readings: dict[str, Any], message: Any) -> dict[str, Any]:
    """One line for the agent. A stamp of 0 is one that nobody set: then the agent's clock is the time."""
    stamp = message.header.stamp
    time_us = stamp.sec * 1_000_000 + stamp.nanosec // 1000
    return {"readings": readings, **({"time_us": time_us} if time_us > 0 else {})}


def _number(value: Any) -> float | None:
    """JSON has no NaN: what is not measured is null."""
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


class AgentSocket:
    """The agent's Unix socket, held by a thread. `send` never blocks; `log` gets what the agent did not like."""

    def __init__(self, path: str, log: Callable[[str], None]) -> None:
        self._path, self._log = path, log
        self._lines: deque[bytes] = deque(maxlen=MOST_LINES)
        self._filled = threading.Condition()
        self._stopping = threading.Event()
        self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="agent socket", daemon=True)
        self._thread.start()

    def send(self, line: dict[str, Any]) -> None:
        """Hand over one message; without readings it is none."""
        if not line["readings"]:
            return
        with self._filled:
            self.dropped += len(self._lines) == MOST_LINES
            self._lines.append(json.dumps(line).encode() + b"\n")
            self._filled.notify()

    def close(self) -> None:
        self._stopping.set()
        with self._filled:
            self._filled.notify()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        wait_s = RECONNECT_S[0]
        while not self._stopping.is_set():
            try:
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
                    agent.connect(self._path)
                    wait_s = RECONNECT_S[0]
                    self._told_dropped()
                    self._pass_on(agent)
            except OSError as error:
                self._log(f"no agent at {self._path} ({error}): again in {wait_s:g} s")
                self._stopping.wait(wait_s)
                wait_s = min(wait_s * 2, RECONNECT_S[1])

    def _pass_on(self, agent: socket.socket) -> None:
        """Until the socket breaks: then the line that did not go through stays the first."""
        threading.Thread(target=self._hear, args=(agent,), name="agent errors", daemon=True).start()
        while not self._stopping.is_set():
            with self._filled:
                while not self._lines and not self._stopping.is_set():
                    self._filled.wait()
                line = self._lines[0] if self._lines else b""
            if line:
                agent.sendall(line)
                with self._filled:
                    if self._lines and self._lines[0] is line:
                        self._lines.popleft()

    def _hear(self, agent: socket.socket) -> None:
        """The agent answers a line that it cannot use with one that says why."""
        try:
            with agent.makefile() as answers:
                for answer in answers:
                    self._log(answer.strip())
        except (OSError, ValueError):
            return  # the socket is gone

    def _told_dropped(self) -> None:
        if self.dropped:
            self._log(f"{self.dropped} messages were dropped while there was no agent")
            self.dropped = 0


def main() -> None:
    import rclpy
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.node import Node
    from rclpy.qos import qos_profile_sensor_data
    from sensor_msgs.msg import BatteryState, JointState

    rclpy.init()
    node = Node("robovitals_bridge")
    path = node.declare_parameter("socket", SOCKET).value
    agent = AgentSocket(path, node.get_logger().warning)
    # A sensor's profile (best effort) hears reliable publishers too.
    for name, kind, convert in (
        ("joint_states", JointState, of_joint_state),
        ("battery_state", BatteryState, of_battery_state),
        ("diagnostics", DiagnosticArray, of_diagnostics),
    ):
        topic = node.declare_parameter(f"{name}_topic", name).value
        node.create_subscription(
            kind, topic, lambda message, convert=convert: agent.send(convert(message)), qos_profile_sensor_data
        )
    try:
        with suppress(KeyboardInterrupt):
            rclpy.spin(node)
    finally:
        agent.close()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
