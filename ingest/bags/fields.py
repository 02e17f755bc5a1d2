"""The fields of one topic's messages as readings, counters and a mode.

In: a decoded message and the mapping's `Topic`. Out: what it `Told`, or ValueError with the reason for which the
message is refused. Called by `ingest/bags/message_rows.py`. Pure. What a message does not hold stays absent.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ingest.bags.paths import EVERY, reader_of
from ingest.mapping import Field, Robot, Topic
from schemas.frame import MAX_INTEGER, Readings
from schemas.signals import MODES


@dataclass(slots=True)
class Told:
    """What one message says. A joint's signal has an entry for each joint of the robot. `mode` None: not told."""

    readings: Readings = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    mode: int | None = None

    def __bool__(self) -> bool:
        return bool(self.readings or self.counters or self.mode is not None)


class TopicFields:
    """A topic, its paths resolved once.

    `unknown_joints`: names that messages had and the robot has not. `never`: fields that no message held yet.
    """

    def __init__(self, topic: Topic, robot: Robot) -> None:
        self._joints = robot.joint_count
        self._numbers = robot.joint_numbers
        self._names = _array_reader(topic.joint_names) if topic.joint_names else None
        self._last_names: list[str] = []
        self._last_joints: list[int] = []
        self.unknown_joints: dict[str, None] = {}
        self.never = {path: None for path, _ in topic.uses}
        self._of_joints: list[tuple[str, Callable[[Any], list[Any]], Field]] = []
        self._single: list[tuple[str, Callable[[Any], Any], Field, int]] = []
        for path, use in topic.uses:
            joint = robot.joint_of(use) - 1
            if use.fold:
                self._single.append((path, _folded(_array_reader(path), use), use, joint))
            elif EVERY in path:
                self._of_joints.append((path, _array_reader(path), use))
            else:
                self._single.append((path, reader_of(path), use, joint))

    def read(self, message: Any) -> Told:
        """Raises ValueError, and FieldMissingError where the type of the messages has no such field."""
        told = Told()
        places = self._places(message) if self._names else None
        for path, values_of, use in self._of_joints:
            values = values_of(message)
            if any(value is not None for value in values):
                self.never.pop(path, None)
                told.readings[use.signal] = self._by_joint(values, places, use, path)
        for path, value_of, use, joint in self._single:
            value = value_of(message)
            if value is None or value in use.absent:
                continue
            self.never.pop(path, None)
            if use.counter:
                told.counters[use.counter] = _count(value, path)
            elif use.mode:
                told.mode = _mode(value, use, path)
            else:
                self._put(told.readings, use, joint, (_number(value, path) - use.zero) * use.scale)
        return told

    def _by_joint(self, values: list[Any], places: list[int] | None, use: Field, path: str) -> list[float | None]:
        numbers = _numbers(values, use, path)
        if places is None:
            # More elements than joints: a fixed array of which the robot fills the first.
            return (numbers + [None] * self._joints)[: self._joints]
        if len(numbers) != len(places):
            raise ValueError(f"{path} has {len(numbers)} elements, and there are {len(places)} joint names")
        row: list[float | None] = [None] * self._joints
        for place, number in zip(places, numbers, strict=True):
            if place >= 0:
                row[place] = number
        return row

    def _put(self, readings: Readings, use: Field, joint: int, value: float) -> None:
        if not use.is_of_joint:
            readings[use.signal] = value
            return
        row = readings.setdefault(use.signal, [None] * self._joints)
        assert isinstance(row, list)
        row[joint] = value

    def _places(self, message: Any) -> list[int]:
        """Of each name the joint's place, from 0, or −1. Messages of a topic have the same names mostly."""
        assert self._names is not None
        names = self._names(message)
        if names != self._last_names:
            self._last_names = names
            self._last_joints = [self._numbers.get(name, 0) - 1 for name in names]
            self.unknown_joints |= dict.fromkeys(name for name in names if name not in self._numbers)
        return self._last_joints


def _array_reader(path: str) -> Callable[[Any], list[Any]]:
    """Plain numbers: numpy's own scalars are slow one by one."""
    read = reader_of(path)

    def values(message: Any) -> list[Any]:
        found = read(message)
        if found is None:
            return []
        return list(found.tolist() if hasattr(found, "tolist") else found)

    return values


def _folded(values_of: Callable[[Any], list[Any]], use: Field) -> Callable[[Any], float | None]:
    def fold(message: Any) -> float | None:
        present = [value for value in values_of(message) if value is not None and value not in use.absent]
        present = [value for value in present if value == value]
        if not present:
            return None
        lowest, highest = min(present), max(present)
        if use.fold == "mean":
            return math.fsum(present) / len(present)
        return float({"min": lowest, "max": highest, "spread": highest - lowest}[use.fold])

    return fold


def _numbers(values: Iterable[Any], use: Field, path: str) -> list[float | None]:
    if not use.absent and use.zero == 0 and use.scale == 1:
        return [value if type(value) is float else _maybe(value, path) for value in values]
    return [
        None if value is None or value in use.absent else (_number(value, path) - use.zero) * use.scale
        for value in values
    ]


def _maybe(value: Any, path: str) -> float | None:
    return None if value is None else _number(value, path)


def _number(value: Any, path: str) -> float:
    """Diagnostics carry numbers as text. Python's float() also takes 1_000, which nobody means."""
    try:
        if isinstance(value, str) and "_" in value:
            raise ValueError
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{path}: {str(value)[:40]!r} is not a number") from None


def _count(value: Any, path: str) -> int:
    count = _number(value, path)
    if not 0 <= count <= MAX_INTEGER or count != int(count):
        raise ValueError(f"{path}: {str(value)[:40]!r} is not a counter: 0, 1, 2 …")
    return int(count)


def _mode(value: Any, use: Field, path: str) -> int:
    text = str(value)
    if text not in use.mode:
        raise ValueError(f"{path}: {text[:40]!r} is none of {', '.join(use.mode)}")
    return MODES.index(use.mode[text])
