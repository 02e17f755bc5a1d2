"""The ROS 2 node of examples/: how it converts messages as ROS 2 gives them, and its socket. No rclpy."""

import importlib.util
import json
import math
import queue
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rosbags.typesys import Stores, get_typestore

from support.bags import BEGAN_US, JOINTS, Walk

FILE = Path(__file__).resolve().parents[3] / "examples" / "ros2" / "robovitals_bridge.py"
WALK = Walk()


@pytest.fixture(scope="module")
def bridge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("robovitals_bridge", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["robovitals_bridge"] = module
    spec.loader.exec_module(module)
    return module


def _first(topic: str) -> Any:
    return next(m for _, name, _, m in WALK.messages(get_typestore(Stores.ROS2_HUMBLE)) if name == topic)


def test_joints_go_by_their_names_and_at_the_headers_time(bridge: ModuleType) -> None:
    line = bridge.of_joint_state(_first("/joint_states"))
    row = WALK.joint_row(BEGAN_US)
    assert line == {
        "time_us": BEGAN_US,
        "readings": {
            "joint_position_rad": dict(zip(JOINTS, row["position"], strict=True)),
            "joint_velocity_rad_s": dict(zip(JOINTS, row["velocity"], strict=True)),
            "joint_torque_nm": dict(zip(JOINTS, row["effort"], strict=True)),
        },
    }


def test_what_a_driver_does_not_measure_is_left_out_and_a_nan_is_null(bridge: ModuleType) -> None:
    message = _first("/joint_states")
    message.effort = []
    message.velocity[1] = math.nan
    readings = bridge.of_joint_state(message)["readings"]
    assert "joint_torque_nm" not in readings
    assert readings["joint_velocity_rad_s"]["left_knee"] is None
    json.dumps(readings, allow_nan=False)


def test_a_battery_says_what_it_measures(bridge: ModuleType) -> None:
    line = bridge.of_battery_state(_first("/battery_state"))
    assert line["readings"] == {
        "battery_soc": pytest.approx(0.75, abs=1e-3), "battery_voltage_v": pytest.approx(48, abs=1e-3),
        "battery_current_a": -3.0, "battery_cell_min_v": 4.0, "battery_cell_max_v": 4.125,
        "battery_cell_spread_mv": 125.0,
    }  # fmt: skip


def test_of_diagnostics_what_the_table_names(bridge: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {("left_knee", "temperature"): ("joint_temperature_c", "left_knee"), ("left_knee", "state"): ("x", "")}
    monkeypatch.setattr(bridge, "DIAGNOSTIC_SIGNALS", table)
    assert bridge.of_diagnostics(_first("/diagnostics"))["readings"] == {
        "joint_temperature_c": {"left_knee": 40.75}
    }


def test_a_stamp_that_nobody_set_is_left_to_the_agents_clock(bridge: ModuleType) -> None:
    message = _first("/joint_states")
    message.header.stamp.sec = message.header.stamp.nanosec = 0
    assert "time_us" not in bridge.of_joint_state(message)


class Agent:
    """A Unix socket as the agent has it, that can go and come back."""

    def __init__(self, path: Path) -> None:
        self.lines: queue.Queue[bytes] = queue.Queue()
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(path))
        self._server.listen()
        self.connections: queue.Queue[socket.socket] = queue.Queue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections.put(connection)
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            for line in lines:
                self.lines.put(line)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._thread.join()
        self._server.close()


@pytest.fixture
def sender(
    bridge: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Any, Path, "queue.Queue[str]"]]:
    monkeypatch.setattr(bridge, "RECONNECT_S", (0.01, 0.05))
    said: queue.Queue[str] = queue.Queue()
    path = tmp_path / "readings.sock"
    agent = bridge.AgentSocket(str(path), said.put)
    yield agent, path, said
    agent.close()


def _line(number: int) -> dict[str, Any]:
    return {"readings": {"battery_soc": number / 1000}}


def test_lines_wait_for_the_agent_and_go_on_when_it_is_back(sender: tuple[Any, Path, "queue.Queue[str]"]) -> None:
    node, path, said = sender
    node.send(_line(1))
    assert "no agent at" in said.get(timeout=60)
    agent = Agent(path)
    assert json.loads(agent.lines.get(timeout=60)) == _line(1)
    agent.connections.get(timeout=60).shutdown(socket.SHUT_RDWR)
    for number in range(2, 50):
        node.send(_line(number))
    got = {json.loads(agent.lines.get(timeout=60))["readings"]["battery_soc"] for _ in range(40)}
    assert max(got) >= 0.041, "what came after the break arrives over a new connection"
    agent.close()


def test_what_the_agent_answers_is_logged(sender: tuple[Any, Path, "queue.Queue[str]"]) -> None:
    node, path, said = sender
    agent = Agent(path)
    node.send(_line(1))
    agent.connections.get(timeout=60).sendall(b'{"error": "readings.x: not in the signal table"}\n')
    while "not in the signal table" not in said.get(timeout=60):
        pass
    agent.close()


def test_without_an_agent_the_oldest_are_dropped_and_counted(
    sender: tuple[Any, Path, "queue.Queue[str]"], bridge: ModuleType
) -> None:
    node, path, said = sender
    for number in range(bridge.MOST_LINES + 7):
        node.send(_line(number))
    assert node.dropped == 7
    agent = Agent(path)
    assert json.loads(agent.lines.get(timeout=60)) == _line(7)
    while "7 messages were dropped" not in said.get(timeout=60):
        pass
    agent.close()
