"""A first mapping for a bag: what ROS's own message types surely mean, and the rest as comments.

In: a robot's code, and of each topic its type and some decoded messages. Out: the text of a TOML file, which loads
as it is. Called by `deploy/bag_list.py`. Pure. Nothing is guessed: what needs a person's word is a comment to take
in.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from schemas.robot_code import RobotCode

JOINTS, BATTERY = "sensor_msgs/msg/JointState", "sensor_msgs/msg/BatteryState"
TEMPERATURE, DIAGNOSTICS, IMU = (
    "sensor_msgs/msg/Temperature",
    "diagnostic_msgs/msg/DiagnosticArray",
    "sensor_msgs/msg/Imu",
)
RATE_HZ = 10

Topics = dict[str, tuple[str, Sequence[Any]]]  # topic → type, messages
Fields = list[tuple[str, str, bool]]  # path, what it feeds, whether that is sure


def draft(code: RobotCode, pattern: str, stamp: str, topics: Topics) -> str:
    """`pattern`: of the files; `stamp`: whose time is theirs."""
    names = joint_names(topics)
    lines = [
        "# Drafted by --draft. Look it over: take the # from what is right, and correct what is not.",
        f"title = {_text(f'recording of {code}')}",
        "",
        "[robot]",
        f"code = {_text(code)}",
    ]
    if names:
        lines += ["# in the order in which they first appeared: the first is joint 1", f"joints = {_list(names)}"]
    lines += [
        "",
        "[[source]]",
        f"files = {_text(pattern)}",
        f"rate_hz = {RATE_HZ}   # frames a second, each with mean, lowest and highest; 0: each message is a frame",
        "",
        "[source.time]",
        f"stamp = {_text(stamp)}   # header: the time in each message; log: when it was recorded",
    ]
    lines += [_table(topic, kind, messages) for topic, (kind, messages) in sorted(topics.items())]
    return "\n".join(lines) + "\n"


def joint_names(topics: Topics) -> list[str]:
    """Of all JointStates, in the order of first appearance."""
    states = [message for kind, messages in topics.values() if kind == JOINTS for message in messages]
    return list(dict.fromkeys(name for message in states for name in message.name))


def _table(topic: str, kind: str, messages: Sequence[Any]) -> str:
    fields = list(_FIELDS.get(kind, _unknown)(messages))
    sure = any(is_sure for _, _, is_sure in fields)
    off = "" if sure else "# "
    lines = ["", f"# {kind}"]
    if kind == JOINTS and sure:
        lines += [f"[source.topics.{_text(topic)}]", 'joint_names = "name"']
    lines.append(f"{off}[source.topics.{_text(topic)}.fields]")
    lines += [f"{'' if is_sure else '# '}{_text(path)} = {feeds}" for path, feeds, is_sure in fields]
    return "\n".join(lines)


def _joint_fields(messages: Sequence[Any]) -> Iterable[tuple[str, str, bool]]:
    signals = {"position": "joint_position_rad", "velocity": "joint_velocity_rad_s", "effort": "joint_torque_nm"}
    for field, signal in signals.items():
        if any(len(getattr(message, field)) for message in messages):
            yield f"{field}[*]", f"{{ signal = {_text(signal)} }}", True


def _battery_fields(messages: Sequence[Any]) -> Iterable[tuple[str, str, bool]]:
    """Of the definition: percentage is 0 to 1, current is negative while it discharges, NaN is not measured."""
    signals = {
        "voltage": "battery_voltage_v", "current": "battery_current_a", "temperature": "battery_temperature_c",
        "percentage": "battery_soc", "capacity": "battery_capacity_ah",
    }  # fmt: skip
    for field, signal in signals.items():
        values = [getattr(message, field, None) for message in messages]
        if any(value is not None and value == value for value in values):
            yield field, f"{{ signal = {_text(signal)} }}", True
    if any(len(message.cell_voltage) for message in messages):
        yield (
            "cell_voltage[*]",
            (
                '[{ signal = "battery_cell_min_v", fold = "min" }, '
                '{ signal = "battery_cell_max_v", fold = "max" }, '
                '{ signal = "battery_cell_spread_mv", fold = "spread", scale = 1000 }]'
            ),
            True,
        )
    yield "power_supply_status", (
        '{ mode = { 0 = "idle", 1 = "charging", 2 = "working", 3 = "idle", 4 = "idle" } }   # if a robot off its '
        "charger is at work"
    ), False  # fmt: skip


def _temperature_fields(_: Sequence[Any]) -> Iterable[tuple[str, str, bool]]:
    yield (
        "temperature",
        '{ signal = "ambient_temperature_c" }   # or joint_temperature_c, with joint_name = "NAME"',
        False,
    )


def _diagnostic_fields(messages: Sequence[Any]) -> Iterable[tuple[str, str, bool]]:
    """What looks like a number of a status; whose reading it is only a person knows."""
    seen: dict[str, None] = {}
    for message in messages:
        for status in message.status:
            for pair in status.values:
                if _is_number(pair.value) and not set("[]=") & set(status.name + pair.key):
                    seen[f"status[name={status.name}].values[key={pair.key}].value"] = None
    return [(path, '{ signal = "", joint_name = "" }', False) for path in seen]


def _imu_fields(_: Sequence[Any]) -> Iterable[tuple[str, str, bool]]:
    yield "linear_acceleration.x", '{ signal = "" }   # no signal of the table is an acceleration', False


def _unknown(_: Sequence[Any]) -> Iterable[tuple[str, str, bool]]:
    yield "FIELD.FIELD", '{ signal = "" }', False


_FIELDS: dict[str, Callable[[Sequence[Any]], Iterable[tuple[str, str, bool]]]] = {
    JOINTS: _joint_fields,
    BATTERY: _battery_fields,
    TEMPERATURE: _temperature_fields,
    DIAGNOSTICS: _diagnostic_fields,
    IMU: _imu_fields,
}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _text(text: str) -> str:
    """A JSON string is a TOML basic string."""
    return json.dumps(text, ensure_ascii=False)


def _list(names: Sequence[str]) -> str:
    return "[\n" + "".join(f"    {_text(name)},\n" for name in names) + "]"
