"""Which robots a question is about: what may be asked for, and the same as a condition in SQL. Pure.

In: a `Filter`. Out: a condition on `robot_id` and the columns of the view `fleet_robot`, and its parameters; no
text of a filter gets into the SQL. Called by `serve/fleet.py` and `serve/export.py`.
"""

from typing import Any

import msgspec

from schemas.robot_code import SEGMENTS

MAKER_LENGTH = SEGMENTS["country"] + SEGMENTS["enterprise"]
MODEL_LENGTH = MAKER_LENGTH + SEGMENTS["model"]


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which robots: those that meet all that is set; of a tuple any entry will do, an empty one asks for nothing.

    `models` and `makers` are the first 12 and 6 characters of the code, as limits name them; `text` is any part of
    it. `component` is a kind (`joint`, `battery`) or one component (`joint/3`) about which an alarm is listed.
    `registry` are statuses of the registry (active, recalled, scrapped).
    `prefixes` are beginnings of the codes that the asker may see: None is all, and an empty tuple none.
    """

    models: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    registry: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    component: str = ""
    scenario: str | None = None
    software: str | None = None
    text: str = ""
    prefixes: tuple[str, ...] | None = None


class Condition:
    """Parts of a WHERE, joined by AND, whose parameters count on from `first`."""

    def __init__(self, first: int = 1) -> None:
        self.parameters: list[Any] = []
        self._first = first
        self._parts: list[str] = []

    def add(self, part: str, value: Any) -> None:
        """`part` has `{}` where the value's number belongs."""
        self._parts.append(part.format(f"${self._first + len(self.parameters)}"))
        self.parameters.append(value)

    @property
    def sql(self) -> str:
        return " AND ".join(self._parts) or "true"


def of_code(wanted: Filter, first: int = 1) -> Condition:
    """What the code, the robot's site and the registry tell, for tables that have nothing but `robot_id`."""
    condition = Condition(first)
    if wanted.prefixes is not None:
        condition.add("robot_id ^@ ANY ({}::text[])", list(wanted.prefixes))
    if wanted.makers:
        condition.add(f"left(robot_id, {MAKER_LENGTH}) = ANY ({{}}::text[])", list(wanted.makers))
    if wanted.models:
        condition.add(f"left(robot_id, {MODEL_LENGTH}) = ANY ({{}}::text[])", list(wanted.models))
    if wanted.sites:
        condition.add(
            "robot_id IN (SELECT robot_id FROM robot_site WHERE site = ANY ({}::text[]))", list(wanted.sites)
        )
    if wanted.registry:
        condition.add(
            "robot_id IN (SELECT robot_id FROM passport WHERE status = ANY ({}::text[]))", list(wanted.registry)
        )
    if wanted.text:
        condition.add("strpos(robot_id, {}) > 0", wanted.text.strip().upper())
    return condition


def of_robot(wanted: Filter, first: int = 1) -> Condition:
    """All of it, for the view `fleet_robot`."""
    condition = of_code(wanted, first)
    if wanted.statuses:
        condition.add("status = ANY ({}::text[])", list(wanted.statuses))
    if wanted.scenario is not None:
        condition.add("scenario = {}", wanted.scenario)
    if wanted.software is not None:
        condition.add("software = {}", wanted.software)
    if wanted.component:
        condition.add(
            "robot_id IN (SELECT robot_id FROM episode WHERE state <> 'normal' "
            "AND split_part({0}, '/', 1) = split_part(component, '/', 1) "
            "AND (strpos({0}, '/') = 0 OR component = {0}))",
            wanted.component,
        )
    return condition
