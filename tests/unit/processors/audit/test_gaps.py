"""Silence, with and without running in it; two robots under one code; after scrapping."""

import numpy as np

from processors.audit.found import Confidence, Rule
from processors.audit.judge import judge
from schemas.hours import DAY_US, HOUR_US, Elsewhere
from schemas.logbook import Scrapped
from support.robot_lives import BEGIN_US, HALF_S, hours, life

SILENT = slice(100, 150)


def without(columns: dict[str, object], gone: slice) -> dict[str, object]:
    kept = np.delete(np.arange(240), gone)
    return {
        name: column.at(kept) if name in ("software", "scenario") else column[kept]  # type: ignore[attr-defined, index]
        for name, column in columns.items()
    }


def test_a_robot_that_ran_while_nothing_was_received_ran_unlogged() -> None:
    (found,) = judge(life(without(hours(), SILENT)))
    assert (found.rule, found.confidence) == (Rule.UNLOGGED, Confidence.ESTABLISHED)
    assert "lost connection" in found.evidence_against[0].text


def test_one_that_was_switched_off_meanwhile_is_nothing() -> None:
    columns = hours()
    columns["runtime_s"][150:] -= 50 * HALF_S
    assert judge(life(without(columns, SILENT))) == []


def test_hours_that_come_late_fill_the_gap() -> None:
    columns = hours()
    columns["received_us"][SILENT] = columns["received_us"][160]
    assert judge(life(columns)) == []


def test_nothing_is_said_before_a_spool_could_have_been_sent() -> None:
    columns = without(hours(), SILENT)
    assert judge(life(columns, now_us=BEGIN_US + 240 * HOUR_US)) == []


def test_two_counters_in_turn_that_both_advance_are_two_robots() -> None:
    columns = hours()
    columns["runtime_s"][101:140:2] += 5000 * 3600
    columns["boots"][100:140] = 2
    (found,) = judge(life(columns))
    assert (found.rule, found.confidence) == (Rule.CLONED_ROBOT, Confidence.ESTABLISHED)


def elsewhere(count: int) -> Elsewhere:
    return Elsewhere(
        component="battery", serial="B-1", robot_id="ZZTESTMODEL100000000000000002",
        first_us=BEGIN_US + 10 * HOUR_US, last_us=BEGIN_US + 60 * HOUR_US, hours=count,
    )  # fmt: skip


def test_one_serial_in_two_robots_counts_where_both_were_live() -> None:
    (found,) = judge(life(hours(), elsewhere=[elsewhere(40)]))
    assert (found.rule, found.confidence) == (Rule.CLONED_PART, Confidence.ESTABLISHED)
    assert judge(life(hours(), elsewhere=[elsewhere(0)])) == []
    off = hours()
    off["received_us"][5:70] += DAY_US
    assert judge(life(off, elsewhere=[elsewhere(40)])) == []


def test_running_after_scrapping_is_established_and_being_switched_on_is_not() -> None:
    scrapped = (BEGIN_US + 100 * HOUR_US, Scrapped(reason="worn out"))
    (ran,) = judge(life(hours(), scrapped))
    assert (ran.rule, ran.confidence) == (Rule.SCRAPPED, Confidence.ESTABLISHED)
    idle = hours()
    idle["runtime_s"][101:] = idle["runtime_s"][100]
    (on,) = judge(life(idle, scrapped))
    assert (on.rule, on.confidence) == (Rule.SCRAPPED, Confidence.SUSPECTED)


def test_a_scrapping_whose_date_is_a_day_early_is_nothing() -> None:
    assert judge(life(hours(), (BEGIN_US + 220 * HOUR_US, Scrapped(reason="worn out")))) == []
