"""Paths of fields: what stands at one, in messages of ROS and of JSON."""

from types import SimpleNamespace
from typing import Any

import pytest

from ingest.bags.paths import FieldMissingError, PathError, reader_of

ROS = SimpleNamespace(
    header=SimpleNamespace(stamp=SimpleNamespace(sec=7)),
    position=[1.0, 2.0],
    motor=[SimpleNamespace(temperature=[30, 50]), SimpleNamespace(temperature=[31, 51])],
    status=[SimpleNamespace(name="Left Knee", values=[SimpleNamespace(key="temp", value="40.5")])],
)
JSON: dict[str, Any] = {
    "header": {"stamp": {"sec": 7}},
    "position": [1.0, 2.0],
    "motor": [{"temperature": [30, 50]}, {"temperature": [31, 51]}],
    "status": [{"name": "Left Knee", "values": [{"key": "temp", "value": "40.5"}]}],
}


@pytest.mark.parametrize("message", [ROS, JSON], ids=["ROS", "JSON"])
@pytest.mark.parametrize(
    ("path", "stands"),
    [
        ("header.stamp.sec", 7),
        ("position[1]", 2.0),
        ("position[2]", None),
        ("position[*]", [1.0, 2.0]),
        ("motor[*].temperature[1]", [50, 51]),
        ("motor[0].temperature[*]", [30, 50]),
        ("status[name=Left Knee].values[key=temp].value", "40.5"),
        ("status[name=Right Knee].values[key=temp].value", None),
        ("status[name=Left Knee].values[key=state].value", None),
        ("status[*].name", ["Left Knee"]),
    ],
)
def test_what_stands_at_a_path(message: Any, path: str, stands: Any) -> None:
    assert reader_of(path)(message) == stands


def test_a_field_that_the_type_does_not_have_is_an_error_and_one_that_a_json_message_lacks_is_absent() -> None:
    with pytest.raises(FieldMissingError, match="torque"):
        reader_of("torque[*]")(ROS)
    assert reader_of("torque[*]")(JSON) == []
    assert reader_of("torque.left")(JSON) is None


@pytest.mark.parametrize("path", ["", ".a", "a..b", "a[", "a[-1]", "a[*][*]", "a[]", "[=x]"])
def test_what_is_no_path_is_said(path: str) -> None:
    with pytest.raises(PathError):
        reader_of(path)
