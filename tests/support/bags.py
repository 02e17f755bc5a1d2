"""Bags for tests, written by rosbags' own writers: a robot with a few joints that walks, in every format.

What it says at a time is `joint_row` and `battery_row`, so a test can say what has to arrive without reading a bag.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mcap.writer import Writer as McapWriter
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Ros2Writer
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from schemas.robot_code import make_code

CODE = make_code("ZZ", "TEST", "WALKER", "1")
JOINTS = ("left_hip", "left_knee", "right_hip", "right_knee")
BEGAN_US = 1_760_000_000_000_000
SENT_LATER_US = 1500  # a message's stamp is older than the recorder's time

MAPPING = f"""
title = "walker"
[robot]
code = "{CODE}"
joints = ["left_hip", "left_knee", "right_hip", "right_knee"]
[[source]]
files = "FILES"
rate_hz = 0
[source.time]
stamp = "header"
[source.topics."/joint_states"]
joint_names = "name"
[source.topics."/joint_states".fields]
"position[*]" = {{ signal = "joint_position_rad" }}
"velocity[*]" = {{ signal = "joint_velocity_rad_s" }}
"effort[*]" = {{ signal = "joint_torque_nm" }}
[source.topics."/battery_state".fields]
percentage = {{ signal = "battery_soc" }}
voltage = {{ signal = "battery_voltage_v" }}
temperature = {{ signal = "battery_temperature_c" }}
"cell_voltage[*]" = {{ signal = "battery_cell_spread_mv", fold = "spread", scale = 1000 }}
power_supply_status = {{ mode = {{ 1 = "charging", 2 = "working" }} }}
[source.topics."/diagnostics".fields]
"status[name=left_knee].values[key=temperature].value" = {{ signal = "joint_temperature_c", joint = 2 }}
"""


@dataclass(frozen=True)
class Walk:
    """`joint_hz` messages of joints, one of the battery and one diagnostic a second."""

    seconds: int = 4
    joint_hz: int = 10
    joints: Sequence[str] = JOINTS

    def joint_times_us(self) -> list[int]:
        return [BEGAN_US + number * 1_000_000 // self.joint_hz for number in range(self.seconds * self.joint_hz)]

    def battery_times_us(self) -> list[int]:
        return [BEGAN_US + 250_000 + number * 1_000_000 for number in range(self.seconds)]

    def diagnostics_times_us(self) -> list[int]:
        return [BEGAN_US + 750_000 + number * 1_000_000 for number in range(self.seconds)]

    def joint_row(self, time_us: int) -> dict[str, list[float]]:
        phase = (time_us - BEGAN_US) / 1e6
        place = np.arange(len(self.joints))
        return {
            "position": (np.sin(phase + place) / 2).tolist(),
            "velocity": (np.cos(phase + place) / 2).tolist(),
            "effort": (10.0 + place + phase).tolist(),
        }

    def battery_row(self, time_us: int) -> dict[str, float]:
        used = (time_us - BEGAN_US) / 1e6 / 1000
        return {"percentage": 0.75 - used, "voltage": 48.0 - used, "temperature": math.nan}

    def knee_c(self, time_us: int) -> float:
        return 40.0 + (time_us - BEGAN_US) / 1e6

    def messages(self, store: Typestore) -> Iterator[tuple[int, str, str, Any]]:
        """(time, topic, type, message) in the order in which they were sent."""
        made = _Messages(store, self)
        plan = [(time_us, made.joint_state) for time_us in self.joint_times_us()]
        plan += [(time_us, made.battery_state) for time_us in self.battery_times_us()]
        plan += [(time_us, made.diagnostics) for time_us in self.diagnostics_times_us()]
        for time_us, make in sorted(plan, key=lambda planned: planned[0]):
            yield time_us, *make(time_us)


class _Messages:
    def __init__(self, store: Typestore, walk: Walk) -> None:
        self._types, self._walk = store.types, walk
        self._seq = {"seq": 0} if "seq" in self._fields(store) else {}

    @staticmethod
    def _fields(store: Typestore) -> set[str]:
        return {name for name, _ in store.fielddefs["std_msgs/msg/Header"][1]}

    def _header(self, time_us: int) -> Any:
        time = self._types["builtin_interfaces/msg/Time"]
        stamp = time(sec=time_us // 1_000_000, nanosec=time_us % 1_000_000 * 1000)
        return self._types["std_msgs/msg/Header"](stamp=stamp, frame_id="base", **self._seq)

    def joint_state(self, time_us: int) -> tuple[str, str, Any]:
        row = {field: np.array(values) for field, values in self._walk.joint_row(time_us).items()}
        kind = "sensor_msgs/msg/JointState"
        return "/joint_states", kind, self._types[kind](self._header(time_us), name=list(self._walk.joints), **row)

    def battery_state(self, time_us: int) -> tuple[str, str, Any]:
        kind = "sensor_msgs/msg/BatteryState"
        message = self._types[kind](
            header=self._header(time_us), current=-3.0, charge=math.nan, capacity=math.nan, design_capacity=20.0,
            power_supply_status=2, power_supply_health=1, power_supply_technology=2, present=True,
            cell_voltage=np.array([4.0, 4.125], np.float32), cell_temperature=np.array([], np.float32), location="",
            serial_number="", **self._walk.battery_row(time_us),
        )  # fmt: skip
        return "/battery_state", kind, message

    def diagnostics(self, time_us: int) -> tuple[str, str, Any]:
        kind = "diagnostic_msgs/msg/DiagnosticArray"
        pair = self._types["diagnostic_msgs/msg/KeyValue"]
        status = self._types["diagnostic_msgs/msg/DiagnosticStatus"](
            level=0, name="left_knee", message="OK", hardware_id="7",
            values=[pair(key="temperature", value=f"{self._walk.knee_c(time_us)}"), pair(key="state", value="on")],
        )  # fmt: skip
        return "/diagnostics", kind, self._types[kind](self._header(time_us), status=[status])


def write_rosbag2(into: Path, walk: Walk, storage: StoragePlugin) -> Path:
    """A directory as `ros2 bag record` makes it; out: its one file."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    with Ros2Writer(into, version=9, storage_plugin=storage) as writer:
        connections: dict[str, Any] = {}
        for time_us, topic, kind, message in walk.messages(store):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=store)
            log_ns = (time_us + SENT_LATER_US) * 1000
            writer.write(connections[topic], log_ns, store.serialize_cdr(message, kind))
    return next(path for path in into.iterdir() if path.suffix in (".mcap", ".db3"))


def write_ros1(into: Path, walk: Walk, compression: str = "lz4") -> Path:
    """A ROS 1 bag."""
    store = get_typestore(Stores.ROS1_NOETIC)
    writer = Ros1Writer(into)
    if compression:
        writer.set_compression(Ros1Writer.CompressionFormat[compression.upper()])
    with writer:
        connections: dict[str, Any] = {}
        for time_us, topic, kind, message in walk.messages(store):
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=store)
            log_ns = (time_us + SENT_LATER_US) * 1000
            writer.write(connections[topic], log_ns, store.serialize_ros1(message, kind))
    return into


def write_json_mcap(into: Path, messages: Sequence[tuple[int, str, bytes]]) -> Path:
    """(time, topic, JSON) in small chunks, as recorders that know no ROS write them."""
    with into.open("wb") as file:
        writer = McapWriter(file, chunk_size=1024)
        writer.start(profile="", library="test")
        channels: dict[str, int] = {}
        for time_us, topic, data in messages:
            if topic not in channels:
                channels[topic] = writer.register_channel(topic=topic, message_encoding="json", schema_id=0)
            writer.add_message(channels[topic], log_time=time_us * 1000, data=data, publish_time=time_us * 1000)
        writer.finish()
    return into


def mapping_for(directory: Path, files: str, rate_hz: float = 0) -> Path:
    """The walker's mapping as a file beside its bag."""
    path = directory / "walker.toml"
    path.write_text(MAPPING.replace("FILES", files).replace("rate_hz = 0", f"rate_hz = {rate_hz}"), "utf-8")
    return path
