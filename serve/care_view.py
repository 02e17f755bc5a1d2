"""A robot's maintenance as its page shows it: what stands alike is one line. Pure.

In: what the API answers (`serve/care.py`). Out: lines for `serve/templates/robot_care.html`.
"""

from collections.abc import Iterable, Sequence

import msgspec

from serve.care import TaskLine
from serve.robot_view import joint_of
from serve.words import component_words


class TaskLines(msgspec.Struct, frozen=True):
    """A task of `components`, in words; `one` is that of the first of them, and the others stand alike."""

    one: TaskLine
    components: str


def lines(tasks: Iterable[TaskLine]) -> list[TaskLines]:
    """In the order in which they come. `used` counts as the page rounds it."""
    alike: dict[TaskLine, list[TaskLine]] = {}
    for task in tasks:
        used = None if task.used is None else round(task.used, 2)
        alike.setdefault(msgspec.structs.replace(task, component="", used=used), []).append(task)
    return [TaskLines(found[0], _words([one.component for one in found])) for found in alike.values()]


def _words(components: Sequence[str]) -> str:
    """`joint 1`; `joints 1–3, 7`; `battery`."""
    joints = sorted(filter(None, map(joint_of, components)))
    if len(joints) < 2:
        return ", ".join(map(component_words, components))
    runs: list[list[int]] = []
    for joint in joints:
        if runs and joint == runs[-1][-1] + 1:
            runs[-1].append(joint)
        else:
            runs.append([joint])
    return "joints " + ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)
