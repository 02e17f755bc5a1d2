"""Maintenance plans: what a maker wants done of its models, and how often. A plan is a TOML file:

    maker = "SIMU"                # characters 3 to 6 of the code
    model = "HUMA"                # characters 7 to 12, or how they begin

    [[tasks]]
    name = "grease"               # what a maintenance_done calls its plan
    component = "every joint"
    every_hours = 2000

In: the tables of such a file. Out: a `Plan`, or SettingError naming the file and the entry. Called by the command
that imports plans, and by whoever reads them from the database; `maintenance.py` says what is due by one.
"""

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec

from schemas.errors import SettingError
from schemas.logbook import Text, Word
from schemas.parts import ANY_COMPONENT

EVERY_JOINT = "every joint"
GRACE = 0.1  # ours

_Positive = Annotated[int, msgspec.Meta(gt=0, le=1_000_000)]


class Task(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done, of one component or EVERY_JOINT, every so often; of several intervals the first counts.

    `wear` is a limit of the joint's estimated wear. `grace`: after which share of an interval more it is overdue.
    """

    name: Annotated[Word, msgspec.Meta(min_length=1)]
    component: Annotated[str, msgspec.Meta(pattern=rf"^{EVERY_JOINT}$|{ANY_COMPONENT}", max_length=16)]
    text: Text = ""
    every_hours: _Positive | None = None
    every_cycles: _Positive | None = None
    every_days: _Positive | None = None
    wear: Annotated[float, msgspec.Meta(gt=0, le=1)] | None = None
    grace: Annotated[float, msgspec.Meta(ge=0, le=1)] = GRACE

    def __post_init__(self) -> None:
        if self.every_hours is self.every_cycles is self.every_days is self.wear is None:
            raise ValueError(f"{self.name}: give every_hours, every_cycles, every_days or wear")
        if self.wear is not None and not self.component.startswith(("joint/", EVERY_JOINT)):
            raise ValueError(f"{self.name}: wear is a joint's")


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tasks of a maker's models whose name begins with `model`; of several plans the longest name counts."""

    maker: Annotated[str, msgspec.Meta(pattern="^[0-9A-Z]{4}$")]
    model: Annotated[str, msgspec.Meta(pattern="^[0-9A-Z]{0,6}$")] = ""
    tasks: tuple[Task, ...] = ()

    def __post_init__(self) -> None:
        named = [(task.name, task.component) for task in self.tasks]
        if twice := next((one for one in named if named.count(one) > 1), None):
            raise ValueError(f"{twice[0]} of {twice[1]} is there twice")

    @property
    def prefix(self) -> str:
        return self.maker + self.model


def read_plan(tables: dict[str, Any], source: str) -> Plan:
    """Raises SettingError naming `source` and what is wrong there."""
    try:
        return msgspec.convert(tables, Plan)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$.")
        raise SettingError(f"{source}: {place.rstrip('`')}: {what}" if place else f"{source}: {what}") from None


def plan_of(plans: Iterable[Plan], robot_id: str) -> Plan | None:
    """The plan that is for a robot."""
    fitting = [plan for plan in plans if robot_id[2:12].startswith(plan.prefix)]
    return max(fitting, key=lambda plan: len(plan.prefix), default=None)
