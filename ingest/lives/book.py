"""The logbook of a simulated life: what was written, and when it arrived.

In: what authors say. Out: a `History`, as `schemas/history.py` makes it of records; nothing is signed, for whether
a logbook is genuine is another matter. Called by the other files of this folder, of which `draft.py` holds it.
"""

from typing import NamedTuple

import numpy as np

from schemas.entry import Entry
from schemas.history import History, Stated
from schemas.logbook import Role, What

NEVER_US = 1 << 62
AUTHORS = {role: f"{number:064x}" for number, role in enumerate(Role)}


class _Line(NamedTuple):
    happened_us: int
    received_us: int
    what: What
    role: Role
    author: str
    runtime_s: int | None


class Book:
    """Entries in the order in which they are written down here; numbers follow receipt."""

    def __init__(self, robot_id: str, start_us: int) -> None:
        self.robot_id = robot_id
        self._start_us = start_us
        self._lines: list[_Line] = []

    def write(
        self, what: What, happened_us: int, late_us: int = 0, *, role: Role = Role.WORKSHOP, author: str = "",
        runtime_s: int | None = None,
    ) -> None:  # fmt: skip
        """`late_us`: how long after it happened it was received."""
        happened_us = max(happened_us, self._start_us)
        self._lines.append(
            _Line(happened_us, happened_us + late_us, what, role, author or AUTHORS[role], runtime_s)
        )

    def put_off(self, kind: type[What], until_us: int) -> bool:
        """No entry of a kind says that it happened before then: those are dated later. Whether there were any."""
        early = [
            at for at, line in enumerate(self._lines) if isinstance(line.what, kind) and line.happened_us < until_us
        ]
        for at in early[:-1]:
            self._lines[at] = self._lines[at]._replace(received_us=NEVER_US)
        for at in early[-1:]:
            self._lines[at] = self._lines[at]._replace(happened_us=until_us, received_us=until_us)
        return bool(early)

    def history(self) -> History:
        """With what is received after its end too, and without what never is."""
        known = sorted((x for x in self._lines if x.received_us < NEVER_US), key=lambda line: line.received_us)
        stated = [_stated(self.robot_id, number, line) for number, line in enumerate(known, 1)]
        stated.sort(key=lambda one: (one.happened_us, one.number))
        return History(robot_id=self.robot_id, stated=tuple(stated), corrected={}, names={})


def lateness_us(rng: np.random.Generator) -> int:
    """How long paper lies around: a day or two, now and then a month and more."""
    return int(rng.lognormal(np.log(1.5), 1.3) * 86_400e6)


def _stated(robot_id: str, number: int, line: _Line) -> Stated[What]:
    entry = Entry(
        v=1, id=f"{number:032x}", robot_id=robot_id, author=line.author, happened_us=line.happened_us,
        written_us=line.received_us, what=line.what, runtime_s=line.runtime_s,  # type: ignore[arg-type]
    )  # fmt: skip
    return Stated(
        number=number, entry=entry, what=line.what, role=line.role, holder=line.role.value,
        received_us=line.received_us,
    )  # fmt: skip
