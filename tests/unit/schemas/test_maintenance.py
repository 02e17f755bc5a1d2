"""What is due: clocks that begin, are reset by what was done, and go back where it is corrected."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.entry import Record
from schemas.history import History, fold
from schemas.logbook import (
    Commissioned,
    Correction,
    CounterChanged,
    MaintenanceDone,
    MaintenancePlanned,
    PartInstalled,
    Scrapped,
    What,
)
from schemas.maintenance import Counted, Counters, Due, Mark, State, due, moments
from schemas.maintenance_plan import Task
from support.logbooks import DAY_US, REGISTERED, START_US, Writer

GREASE = Task(name="grease", component="every joint", text="Grease it", every_hours=100, grace=0.2)
CHECK = Task(name="check", component="battery", every_cycles=50, every_days=300, grace=0.1)
GEAR = Task(name="gear", component="joint/3", wear=0.6, grace=0.1)
LOOK = Task(name="look", component="robot", every_days=10, grace=0.5)
RANK = {State.OK: 0, State.DUE: 1, State.OVERDUE: 2}


def at(day: float) -> int:
    return START_US + round(day * DAY_US)


def counted(day: float, lost_s: int = 0) -> Counted:
    return Counted(at(day), round(day * 43_200) - lost_s, int(day), (0.0, 0.0, day / 100))


ADVANCING = Counters(counted(half / 2) for half in range(500))


class Life:
    """A robot that runs 12 hours a day, has a cycle a day, and a third joint that wears by a hundredth a day."""

    def __init__(self) -> None:
        self._writer = Writer()
        self.entries: list[Record] = []
        self.write(0, REGISTERED)
        self.write(0, Commissioned())

    def write(self, day: float, what: What, runtime_s: int | None = None) -> Record:
        """As a platform would that judges nothing."""
        record = self._writer.force(self._writer.sign(what, happened_us=at(day)))
        entry = msgspec.structs.replace(record.signed.entry, runtime_s=runtime_s)
        record = msgspec.structs.replace(record, signed=msgspec.structs.replace(record.signed, entry=entry))
        self.entries.append(record)
        return record

    def done(self, day: float, task: Task, component: str = "joint/3") -> Record:
        return self.write(day, MaintenanceDone(task="by hand", component=component, plan=task.name))

    @property
    def history(self) -> History:
        return fold(REGISTERED.model, self.entries)

    def due(self, day: float, *tasks: Task, counters: Counters = ADVANCING) -> list[Due]:
        return due(tasks, self.history, counters, at(day))

    def one(self, day: float, task: Task, component: str = "joint/3", counters: Counters = ADVANCING) -> Due:
        found = self.due(day, task, counters=counters)
        return next(one for one in found if one.component == component and one.planned is None)

    def state(self, day: float, task: Task, component: str = "joint/3") -> State:
        return self.one(day, task, component).state


def test_hours_count_from_commissioning_and_grace_parts_due_from_overdue():
    life = Life()
    assert [life.state(day, GREASE) for day in (8, 9, 10, 10.5)] == [
        State.OK,
        State.DUE,
        State.OVERDUE,
        State.OVERDUE,
    ]
    assert len(life.due(1, GREASE)) == REGISTERED.joints


def test_of_several_intervals_the_first_that_is_over_counts():
    life = Life()
    assert [life.state(day, CHECK, "battery") for day in (49, 50, 55)] == [State.OK, State.DUE, State.OVERDUE]
    by_date = Counters([Counted(at(0), 0, 0), Counted(at(300), 0, 1)])
    assert life.one(301, CHECK, "battery", by_date).state is State.DUE


def test_what_was_done_begins_the_clock_again_for_its_own_component_only():
    life = Life()
    entry = life.done(9, GREASE)
    one = life.one(12, GREASE)
    assert (one.state, one.done, one.done_us, one.since) == (State.OK, entry.link.number, at(9), entry.link.number)
    assert life.state(12, GREASE, "joint/2") is State.OVERDUE


def test_what_is_done_of_the_whole_robot_is_done_of_each_joint():
    life = Life()
    life.done(9, GREASE, "robot")
    assert {one.state for one in life.due(12, GREASE)} == {State.OK}


@pytest.mark.parametrize(
    ("done", "counts"),
    [
        (MaintenanceDone(task="GREASE it", component="joint/3"), True),
        (MaintenanceDone(task="grease", component="joint/3"), True),
        (MaintenanceDone(task="grease", component="joint/3", plan="other"), False),
        (MaintenanceDone(task="washed", component="joint/3"), False),
    ],
)
def test_a_service_that_names_no_plan_is_known_by_what_it_says(done, counts):
    life = Life()
    life.write(9, done)
    assert (life.state(12, GREASE) is State.OK) == counts


def test_another_part_begins_with_the_hours_that_it_brings():
    life = Life()
    life.write(9, PartInstalled(component="joint/3", part="A", serial="S-1", part_runtime_s=90 * 3600))
    assert [life.state(day, GREASE) for day in (9.5, 10, 11.7)] == [State.OK, State.DUE, State.OVERDUE]
    assert life.one(9, GEAR).wear == Mark(0.0, 0.6, 0.6 * 1.1)


def test_wear_is_due_at_its_limit_and_when_it_was_seen_to_as_much_later():
    life = Life()
    assert [life.state(day, GEAR) for day in (59, 60, 67)] == [State.OK, State.DUE, State.OVERDUE]
    life.done(61, GEAR)
    assert life.state(67, GEAR) is State.OK
    assert life.state(121, GEAR) is State.DUE


def test_a_correction_undoes_what_was_never_done():
    life = Life()
    entry = life.done(9, GREASE)
    life.write(12, Correction(corrects=entry.signed.entry.id, reason="another robot"))
    assert life.state(12, GREASE) is State.OVERDUE


def test_a_counter_that_began_anew_by_entry_loses_no_hour():
    life = Life()
    life.write(6, CounterChanged(counter="runtime_s", before=6 * 43_200, after=0, reason="board"))
    anew = Counters(
        [*(counted(day) for day in range(6)), *(counted(day, lost_s=6 * 43_200) for day in range(6, 15))]
    )
    assert [life.one(day, GREASE, counters=anew).state for day in (8, 9, 10)] == [
        State.OK, State.DUE, State.OVERDUE,
    ]  # fmt: skip
    told = life.one(8, GREASE, counters=anew).runtime_s
    assert told is not None
    assert (told.begun, told.due) == (-6 * 43_200, 360_000 - 6 * 43_200)  # in what the counter says today


def test_what_nothing_tells_is_unknown_and_never_fine():
    life = Life()
    assert life.one(5, GREASE, counters=Counters()).state is State.UNKNOWN
    assert [one.state for one in due([CHECK], fold("R", []), ADVANCING, at(5))] == [State.UNKNOWN]


def test_a_scrapped_robot_needs_nothing():
    life = Life()
    life.write(5, Scrapped(reason="end"))
    assert life.due(100, GREASE) == []
    assert life.due(4, GREASE) != []


def test_what_the_logbook_plans_is_due_as_it_says_until_a_service_names_it():
    life = Life()
    planned = MaintenancePlanned(
        plan="P-7", task="Belt", component="joint/2", due_us=at(40), due_runtime_s=30 * 43_200, due_cycles=10**6
    )
    number = life.write(20, planned).link.number
    states = [life.due(day)[0].state for day in (29, 30, 31.5)]
    assert states == [State.OK, State.DUE, State.OVERDUE]
    late = life.due(31.5)[0]
    assert (late.planned, late.task, late.text, late.component) == (number, "P-7", "Belt", "joint/2")
    assert late.overdue_since_us == at(31)
    done = life.write(33, MaintenanceDone(task="Belt", component="joint/2", plan="P-7"))
    (closed,) = life.due(90)
    assert (closed.state, closed.is_closed, closed.done) == (State.OK, True, done.link.number)


def test_what_is_planned_again_is_due_as_the_last_entry_says():
    life = Life()
    for day, until in ((1, 10), (5, 50)):
        life.write(day, MaintenancePlanned(plan="P", task="Belt", component="robot", due_us=at(until)))
    (one,) = life.due(20)
    assert (one.state, one.date_us and one.date_us.due) == (State.OK, at(50))


def test_since_when_it_is_overdue_follows_from_the_date_or_as_if_the_counter_had_advanced_evenly():
    life = Life()
    assert life.one(100, LOOK, "robot").overdue_since_us == at(15)
    assert life.one(20, GREASE).overdue_since_us == at(10)
    assert life.one(9, GREASE).overdue_since_us is None


def test_the_counters_that_must_be_known_are_those_of_entries_that_begin_a_clock():
    life = Life()
    life.done(9, GREASE)
    life.write(11, Correction(corrects="0" * 32, reason="nothing"))
    assert moments(life.history) == [at(0), at(9)]
    assert life.one(30, GREASE, counters=Counters([counted(0), counted(9), counted(30)])) == life.one(30, GREASE)


def test_the_worst_comes_first():
    found = Life().due(51, LOOK, CHECK, GEAR)
    assert [(one.task, one.state) for one in found] == [
        ("look", State.OVERDUE), ("check", State.DUE), ("gear", State.OK),
    ]  # fmt: skip


DAYS = st.lists(st.floats(1, 60), max_size=6)


@given(DAYS, st.lists(st.floats(0, 120), min_size=2, max_size=5))
def test_as_time_goes_on_without_a_service_nothing_becomes_less_due(services, looks):
    life = Life()
    for day in services:
        life.done(day, GREASE)
    later = sorted(day + 60 for day in looks)
    for task in (GREASE, CHECK, GEAR, LOOK):
        for component in ("joint/3", "battery", "robot"):
            ranks = [RANK[one.state] for day in later for one in life.due(day, task) if one.component == component]
            assert ranks == sorted(ranks)


@given(DAYS, st.floats(61, 160))
def test_a_service_resets_and_its_correction_restores(services, day):
    life = Life()
    for before in services:
        life.done(before, GREASE)
    undone = life.due(day + 3, GREASE, LOOK)
    entry = life.done(day + 2.5, GREASE)
    one = life.one(day + 3, GREASE)
    assert (one.state, one.since) == (State.OK, entry.link.number)
    life.write(day + 3, Correction(corrects=entry.signed.entry.id, reason="wrong robot"))
    assert life.due(day + 3, GREASE, LOOK) == undone


@given(DAYS, st.floats(1, 100))
def test_what_is_written_of_later_is_not_known_yet(services, day):
    life = Life()
    before = life.due(day, GREASE, CHECK, GEAR, LOOK)
    for later in services:
        life.done(day + later, GREASE)
    life.write(day + 61, Scrapped(reason="end"))
    assert life.due(day, GREASE, CHECK, GEAR, LOOK) == before
