"""A list of robots: of each line what its logbook begins with.

In: rows of a CSV. Out: `Draft`s, in the order in which they belong into the logbook. Called by
`robovitals robot import`. Columns beside those of `COLUMNS`: a component's path (`joint/3`, `battery`) holds the
serial of the part that is in it, `joint/3.part` what part that is; `baseline.NAME` a value that was measured at
commissioning, by its name in docs/signals.md.
"""

import re
from collections.abc import Iterator

from deploy.writing.lines import CODE, Row, text_of
from schemas.draft import Draft, time_us
from schemas.errors import SettingError
from schemas.logbook import (
    Commissioned,
    Operation,
    Ownership,
    PartInstalled,
    Registered,
    What,
    kind_name,
)
from schemas.parts import ANY_COMPONENT
from schemas.robot_code import RobotCode, checked_code
from schemas.signals import SIGNAL

COLUMNS = (
    CODE, "maker", "model", "level", "joints", "made", "registered", "samples", "owner", "owner_country",
    "owner_since", "operator", "operator_site", "operator_since",
)  # fmt: skip
PART, BASELINE = ".part", "baseline."
_COMPONENT = re.compile(ANY_COMPONENT)


def is_column(name: str) -> bool:
    """Whether a column is of a component or a baseline."""
    return is_part(name.removesuffix(PART)) or (name.removeprefix(BASELINE) in SIGNAL and name.startswith(BASELINE))


def is_part(name: str) -> bool:
    return _COMPONENT.match(name) is not None


def drafts_of(row: Row) -> tuple[Draft, ...]:
    """Raises SettingError."""
    return tuple(_drafts(row, checked_code(text_of(row, CODE))))


def _drafts(row: Row, code: RobotCode) -> Iterator[Draft]:
    registered = {name: row[name] for name in ("maker", "model", "level", "joints", "made") if name in row}
    yield _draft(row, code, Registered, registered, "registered")
    for name in row:
        if name.endswith(PART) and name.removesuffix(PART) not in row:
            raise SettingError(f"{name} has no serial beside it, in column {name.removesuffix(PART)}")
        if is_part(name):
            part = {"component": name, "serial": row[name], "part": row.get(name + PART, "")}
            yield _draft(row, code, PartInstalled, part, "made")
    if baselines := {name.removeprefix(BASELINE): row[name] for name in row if name.startswith(BASELINE)}:
        found = {"baselines": _numbers(baselines), **_given(row, samples="samples")}
        yield _draft(row, code, Commissioned, found, "registered")
    if "owner" in row:
        owner = _given(row, owner="owner", country="owner_country")
        yield _draft(row, code, Ownership, owner, "owner_since", "registered")
    if "operator" in row:
        operator = _given(row, operator="operator", site="operator_site")
        yield _draft(row, code, Operation, operator, "operator_since", "registered")


def _draft(row: Row, code: RobotCode, kind: type[What], values: Row, *times: str) -> Draft:
    """`times` are the columns that say when, the first that is filled; where none is, it is as of now."""
    time = next((name for name in times if name in row), None)
    happened_us = None if time is None else time_us(time, text_of(row, time))
    return Draft(robot_id=code, kind=kind_name(kind), values=values, happened_us=happened_us)


def _given(row: Row, **columns: str) -> Row:
    return {field: row[column] for field, column in columns.items() if column in row}


def _numbers(texts: Row) -> dict[str, float]:
    numbers = {}
    for name, text in texts.items():
        try:
            numbers[name] = float(str(text))
        except ValueError:
            raise SettingError(f"{BASELINE}{name}: {text!r} is no number") from None
    return numbers
