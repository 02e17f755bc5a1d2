"""The path of a field in a message, and what stands there.

In: a path as a mapping has it, and a message: an object with attributes (a ROS message) or a dict (JSON). Out: a
function from the message to what stands there; `[*]` gives a list. Called by `ingest/mapping_file.py` to check and
by `ingest/bags/fields.py` to read. Pure.

    position[*]                                     every element of an array
    motor_state[*].temperature[1]                   of every element one field
    status[name=Left Knee].values[key=temp].value   the element whose field has that text
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

EVERY = "[*]"
_STEP = re.compile(
    r"\.?(?P<name>[^.\[\]]+)|(?P<every>\[\*\])|\[(?P<at>\d+)\]|\[(?P<key>[^=\[\]]+)=(?P<text>[^\]]*)\]"
)


class PathError(ValueError):
    """The text is no path. Its message says where."""


class FieldMissingError(LookupError):
    """A message of this type has no such field at all: the path is wrong, not the message."""


@dataclass(frozen=True, slots=True)
class Step:
    """One of `name`, `every`, `at` (−1: none) and `key` = `text`."""

    name: str = ""
    every: bool = False
    at: int = -1
    key: str = ""
    text: str = ""


def parse_path(path: str) -> tuple[Step, ...]:
    """Raises PathError."""
    steps: list[Step] = []
    position = 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None or (position == 0 and path[0] == "."):
            raise PathError(f"{path[position:]!r} is no step of a path: give NAME, [*], [NUMBER] or [KEY=TEXT]")
        at = int(match["at"]) if match["at"] else -1
        steps.append(Step(match["name"] or "", bool(match["every"]), at, match["key"] or "", match["text"] or ""))
        position = match.end()
    if not steps:
        raise PathError("an empty path: name a field")
    if sum(step.every for step in steps) > 1:
        raise PathError("[*] may stand once")
    return tuple(steps)


def reader_of(path: str) -> Callable[[Any], Any]:
    """What stands at a path: None where the message has no such element; a list where `[*]` is in the path.

    The function raises FieldMissingError where a message has no such field.
    """
    steps = parse_path(path)
    every = next((place for place, step in enumerate(steps) if step.every), None)
    if every is None:
        return lambda message: _walk(message, steps)
    before, after = steps[:every], steps[every + 1 :]

    def read_every(message: Any) -> Any:
        elements = _walk(message, before)
        if elements is None:
            return []
        return [_walk(element, after) for element in elements] if after else elements

    return read_every


def _walk(value: Any, steps: Sequence[Step]) -> Any:
    for step in steps:
        if value is None:
            return None
        value = _field(value, step.name) if step.name else _element(value, step)
    return value


def _field(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    try:
        return getattr(value, name)
    except AttributeError:
        raise FieldMissingError(name) from None


def _element(values: Any, step: Step) -> Any:
    if not step.key:
        return values[step.at] if step.at < len(values) else None
    return next((value for value in values if str(_field(value, step.key)) == step.text), None)
