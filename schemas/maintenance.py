"""Maintenance: what a plan and a logbook want done of a robot, and whether it is: ok, due or overdue. Pure.

In: the tasks of its model's plan, its `History`, its counters, and a moment. Out: a `Due` a task and component,
worst first. Called by whoever shows or judges: `processors/maintenance.py` for the fleet, reports, findings and
incidents for one robot, as of any moment.

Rule: a task's clock begins at the latest of commissioning (registration, where there is none), the installation of
the part that is in the component (whose own hours count), and when the task was last done. It is due at the first
of its intervals that is over, and overdue a share (`grace`) of that interval later. What a logbook plans itself is
due at what the entry says, until a `maintenance_done` names its plan. What happened after the moment is not known
then; what is corrected has not happened.

Where an entry says that a counter was set or began anew, what it had counted before goes on counting. Without an
entry it is taken at its word: what falls then is for findings.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from schemas.history import History, Stated
from schemas.logbook import (
    Commissioned,
    CounterChanged,
    MaintenanceDone,
    MaintenancePlanned,
    PartInstalled,
    Registered,
)
from schemas.maintenance_plan import EVERY_JOINT, GRACE, Task

WHOLE = "robot"
HOUR_S, DAY_US = 3600, 86_400_000_000


class State(StrEnum):
    """UNKNOWN: nothing says when its clock began, or how its counter stands."""

    OK = "ok"
    DUE = "due"
    OVERDUE = "overdue"
    UNKNOWN = "unknown"


WORST_FIRST = (State.OVERDUE, State.DUE, State.UNKNOWN, State.OK)


class Counted(NamedTuple):
    """A robot's counters at a moment, None where it has none. `wear`: joint by joint, as far as it is known."""

    time_us: int
    runtime_s: int | None
    cycles: int | None
    wear: tuple[float | None, ...] = ()


class Mark(msgspec.Struct, frozen=True):
    """One interval: where its clock began, where it is due, and where overdue."""

    begun: float
    due: float
    late: float


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """When a task is due, as its robot's logbook says. `since_us` and `since`: when its clock began, and the number
    of the entry that says so. `done_us`, `done`: when it was last done. `planned`: number of the entry that plans
    it, None for a task of the model's plan. `is_closed`: a plan of the logbook that is done.
    """

    task: str
    component: str
    text: str
    planned: int | None = None
    since_us: int | None = None
    since: int | None = None
    done_us: int | None = None
    done: int | None = None
    is_closed: bool = False
    date_us: Mark | None = None
    runtime_s: Mark | None = None
    cycles: Mark | None = None
    wear: Mark | None = None


class Due(Clock, frozen=True, kw_only=True):
    """`used`: how much of its interval is over, 1 when it is due; None: unknown. `overdue_since_us`: by a counter
    it is an estimate, as if that had advanced evenly.
    """

    state: State
    used: float | None = None
    overdue_since_us: int | None = None


class Standing(NamedTuple):
    """What a `Due` says beyond its clock."""

    state: State
    used: float | None
    overdue_since_us: int | None


class Counters:
    """What a robot's counters were at some moments."""

    def __init__(self, points: Iterable[Counted] = ()) -> None:
        known = first = Counted(0, None, None)
        self._known: list[Counted] = []
        for point in sorted(points, key=lambda point: point.time_us):
            known, first = _newer(known, point), _newer(point, first)
            self._known.append(known)
        self._times = [point.time_us for point in self._known]
        self._first = first

    def at(self, time_us: int) -> Counted:
        """As last told by a moment, each by itself."""
        at = bisect_right(self._times, time_us)
        return self._known[at - 1] if at else Counted(time_us, None, None)

    def about(self, time_us: int) -> Counted:
        """The same, and where nothing had been told yet, what was told first."""
        return _newer(self._first, self.at(time_us))


def _newer(before: Counted, after: Counted) -> Counted:
    return Counted(
        after.time_us,
        before.runtime_s if after.runtime_s is None else after.runtime_s,
        before.cycles if after.cycles is None else after.cycles,
        after.wear or before.wear,
    )


def moments(history: History) -> list[int]:
    """When its counters must be known, beside now."""
    kinds = (Registered, Commissioned, PartInstalled, MaintenanceDone, MaintenancePlanned, CounterChanged)
    return sorted({stated.happened_us for stated in history.stated if isinstance(stated.what, kinds)})


def due(tasks: Sequence[Task], history: History, counters: Counters, now_us: int) -> list[Due]:
    """Worst first."""
    now = counters.at(now_us)
    return sorted((judged(one, now, now_us) for one in clocks(tasks, history, counters, now_us)), key=_rank)


def _rank(one: Due) -> tuple[int, float, str, str]:
    return WORST_FIRST.index(one.state), -(one.used or 0.0), one.task, one.component


def clocks(tasks: Sequence[Task], history: History, counters: Counters, now_us: int) -> list[Clock]:
    """One a task and component, and one a plan of the logbook. A scrapped robot has none."""
    known = _Known(history, counters, now_us)
    if known.is_scrapped:
        return []
    return [*(clock for task in tasks for clock in known.of(task)), *known.planned()]


def judged(clock: Clock, now: Counted, now_us: int) -> Due:
    """How a task stands, with all that its clock says."""
    state, used, overdue_since_us = standing(clock, now, now_us)
    fields = msgspec.structs.asdict(clock)
    return Due(**fields, state=state, used=used, overdue_since_us=overdue_since_us)


def standing(clock: Clock, now: Counted, now_us: int) -> Standing:
    """How a task stands."""
    if clock.is_closed:
        return Standing(State.OK, None, None)
    wear = _of_joint(now.wear, clock.component) if clock.wear else None
    values = (
        (clock.date_us, now_us), (clock.runtime_s, now.runtime_s), (clock.cycles, now.cycles), (clock.wear, wear),
    )  # fmt: skip
    marks = [(mark, value) for mark, value in values if mark is not None]
    states = {_state(mark, value) for mark, value in marks} or {State.UNKNOWN}
    state = next(state for state in WORST_FIRST if state in states)
    used = max((_used(mark, value) for mark, value in marks if value is not None), default=None)
    since_us = min(_overdue_since(clock, marks, now_us), default=None) if state is State.OVERDUE else None
    return Standing(state, used, since_us)


def _of_joint(wear: tuple[float | None, ...], component: str) -> float | None:
    """Of what is told joint by joint; None of another component."""
    joint = int(component[6:]) if component.startswith("joint/") else 0
    return wear[joint - 1] if 0 < joint <= len(wear) else None


def _state(mark: Mark, value: float | None) -> State:
    if value is None:
        return State.UNKNOWN
    if value >= mark.late:
        return State.OVERDUE
    return State.DUE if value >= mark.due else State.OK


def _used(mark: Mark, value: float) -> float:
    return (value - mark.begun) / (mark.due - mark.begun) if mark.due > mark.begun else float(value >= mark.due)


def _overdue_since(clock: Clock, standing: Sequence[tuple[Mark, float | None]], now_us: int) -> Iterator[int]:
    for mark, value in standing:
        if value is None or value < mark.late:
            continue
        if mark is clock.date_us:
            yield int(mark.late)
        elif clock.since_us is not None and value > mark.begun:
            share = (mark.late - mark.begun) / (value - mark.begun)
            yield round(clock.since_us + max(share, 0.0) * (now_us - clock.since_us))


class _Began(NamedTuple):
    """Where a clock begins: an entry, and what the part in question had run before."""

    entry: Stated[Any]
    part_runtime_s: int = 0
    is_done: bool = False


class _Known:
    """What was known of a robot at a moment."""

    def __init__(self, history: History, counters: Counters, now_us: int) -> None:
        stated = tuple(one for one in history.stated if one.happened_us <= now_us)
        self._history = msgspec.structs.replace(history, stated=stated)
        self._counters, self._now_us = counters, now_us
        self._done = self._history.of(MaintenanceDone)
        self._changed = self._history.of(CounterChanged)
        self._installed = {one.what.component: one for one in self._history.of(PartInstalled)}
        self._first = next(iter(self._history.of(Commissioned)), None) or self._history.registered

    @property
    def is_scrapped(self) -> bool:
        return self._history.scrapped is not None

    def of(self, task: Task) -> Iterator[Clock]:
        """Of a task of the model's plan, one a component."""
        last = {one.what.component: one for one in self._done if _does(one.what, task)}
        for component in self._components(task):
            done = max(filter(None, (last.get(component), last.get(WHOLE))), key=_position, default=None)
            yield self._clock(task, component, done)

    def _components(self, task: Task) -> list[str]:
        if task.component != EVERY_JOINT:
            return [task.component]
        registered = self._history.registered
        joints = registered.what.joints if registered else len(self._counters.at(self._now_us).wear)
        return [f"joint/{joint}" for joint in range(1, joints + 1)]

    def _clock(self, task: Task, component: str, done: Stated[MaintenanceDone] | None) -> Clock:
        known = Clock(
            task=task.name,
            component=component,
            text=task.text,
            done_us=done.happened_us if done else None,
            done=done.number if done else None,
        )
        began = [_Began(self._first)] if self._first else []
        if installed := self._installed.get(component):
            began.append(_Began(installed, installed.what.part_runtime_s))
        if done:
            began.append(_Began(done, is_done=True))
        last = max(began, key=lambda one: _position(one.entry), default=None)
        return known if last is None else self._from(known, task, last)

    def _from(self, known: Clock, task: Task, began: _Began) -> Clock:
        """The clock runs from an entry on."""
        entry = began.entry
        runtime_s, cycles = self._at(entry, "runtime_s"), self._at(entry, "cycles")
        hours = task.every_hours and task.every_hours * HOUR_S
        days_us = task.every_days and task.every_days * DAY_US
        return msgspec.structs.replace(
            known,
            since_us=entry.happened_us,
            since=entry.number,
            date_us=_mark(entry.happened_us, days_us, task.grace),
            runtime_s=_mark(runtime_s - began.part_runtime_s, hours, task.grace),
            cycles=_mark(cycles, task.every_cycles, task.grace),
            wear=_mark(self._wear(known.component, began), task.wear, task.grace),
        )

    def _wear(self, component: str, began: _Began) -> float:
        """A part that is in its place since begins at nought; a task that was done, at the wear of then."""
        wear = self._counters.about(began.entry.happened_us).wear if began.is_done else ()
        return _of_joint(wear, component) or 0.0

    def planned(self) -> list[Clock]:
        """What the logbook plans; of one plan and component what it says last."""
        last = {(one.what.plan, one.what.component): one for one in self._history.of(MaintenancePlanned)}
        return [self._planned(one) for one in last.values()]

    def _planned(self, entry: Stated[MaintenancePlanned]) -> Clock:
        what, after = entry.what, _position(entry)
        done = next((one for one in self._done if one.what.plan == what.plan and _position(one) > after), None)
        runtime_s = None if what.due_runtime_s is None else self._today("runtime_s", what.due_runtime_s, entry)
        cycles = None if what.due_cycles is None else self._today("cycles", what.due_cycles, entry)
        return Clock(
            task=what.plan,
            component=what.component,
            text=what.task,
            planned=entry.number,
            since_us=entry.happened_us,
            since=entry.number,
            done_us=done.happened_us if done else None,
            done=done.number if done else None,
            is_closed=done is not None,
            date_us=_until(entry.happened_us, what.due_us),
            runtime_s=_until(self._at(entry, "runtime_s"), runtime_s),
            cycles=_until(self._at(entry, "cycles"), cycles),
        )

    def _at(self, entry: Stated[Any], counter: str) -> int:
        """A counter when an entry happened, as its author read it off or as it was told, as of today."""
        told: int | None = entry.entry.runtime_s if counter == "runtime_s" else None
        if told is None:
            told = getattr(self._counters.about(entry.happened_us), counter)
        return self._today(counter, told or 0, entry)

    def _today(self, counter: str, value: int, entry: Stated[Any]) -> int:
        """What it was then, less what the counter has lost since."""
        for changed in self._changed:
            what = changed.what
            if what.counter == counter and _position(changed) > _position(entry):
                before = what.before
                if before is None:
                    before = getattr(self._counters.at(changed.happened_us - 1), counter)
                value += what.after - (what.after if before is None else before)
        return value


def _position(entry: Stated[Any]) -> tuple[int, int]:
    return entry.happened_us, entry.number


def _does(done: MaintenanceDone, task: Task) -> bool:
    """By the task's name; or by its text, where no plan is named."""
    if done.plan:
        return done.plan == task.name
    return done.task.strip().casefold() in {task.name.casefold(), task.text.casefold()} - {""}


def _mark(begun: float, interval: float | None, grace: float) -> Mark | None:
    return None if interval is None else Mark(begun, begun + interval, round(begun + interval * (1 + grace), 6))


def _until(begun: float, at: float | None) -> Mark | None:
    return None if at is None else Mark(begun, at, at + max(at - begun, 0) * GRACE)
