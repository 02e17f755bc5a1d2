"""Counters that fall or outrun the clock, and what only looks like that."""

import numpy as np
import pytest

from processors.audit.found import Confidence, Rule
from processors.audit.judge import judge
from schemas.hours import DAY_US, HOUR_US
from schemas.logbook import CounterChanged, PartInstalled
from support.robot_lives import BEGIN_US, HALF_S, hours, life

AT = 120
AT_US = BEGIN_US + AT * HOUR_US
TAKEN_S = 40 * 3600


def set_back() -> dict[str, object]:
    columns = hours()
    columns["runtime_s"][AT:] -= TAKEN_S
    return columns


def test_a_counter_that_fell_for_good_is_established_with_both_figures() -> None:
    (found,) = judge(life(set_back()))
    assert (found.rule, found.confidence) == (Rule.ROLLBACK, Confidence.ESTABLISHED)
    assert found.first_us < AT_US < found.last_us
    values = found.evidence_for[0].values
    assert (values["before_s"], values["after_s"]) == (AT * HALF_S, (AT + 1) * HALF_S - TAKEN_S)
    assert (values["hours_before"], values["hours_after"]) == (AT, 240 - AT)


@pytest.mark.parametrize(("fell_h", "confidence"), [(11, Confidence.SUSPECTED), (13, Confidence.ESTABLISHED)])
def test_what_a_controller_may_not_have_saved_is_suspected_only(fell_h: int, confidence: Confidence) -> None:
    columns = hours()
    columns["runtime_s"][AT:] -= fell_h * 3600 + HALF_S  # it goes on by half an hour meanwhile
    (found,) = judge(life(columns))
    assert (found.rule, found.confidence) == (Rule.ROLLBACK, confidence)


def test_until_an_entry_could_be_there_it_is_suspected_only() -> None:
    (found,) = judge(life(set_back(), now_us=AT_US + 20 * DAY_US))
    assert found.confidence is Confidence.SUSPECTED
    assert "still be on its way" in found.evidence_against[0].text


def test_an_entry_with_the_same_figures_explains_it() -> None:
    what = CounterChanged(
        counter="runtime_s", before=AT * HALF_S, after=AT * HALF_S - TAKEN_S, reason="another controller"
    )
    assert judge(life(set_back(), (AT_US + DAY_US, what))) == []


@pytest.mark.parametrize(
    "what",
    [
        CounterChanged(counter="runtime_s", before=9_000 * 3600, after=8_000 * 3600, reason="another controller"),
        PartInstalled(component="controller", part="board", serial="C-2"),
    ],
)
def test_an_entry_that_explains_half_of_it_leaves_a_suspicion_and_is_cited(
    what: CounterChanged | PartInstalled,
) -> None:
    (found,) = judge(life(set_back(), (AT_US, what)))
    assert found.confidence is Confidence.SUSPECTED
    assert found.evidence_against[0].entries == (1,)


@pytest.mark.parametrize("length", [1, 3, 8])
def test_a_counter_that_was_misread_and_goes_on_is_nothing(length: int) -> None:
    columns = hours()
    columns["runtime_s"][AT : AT + length] = 0
    assert judge(life(columns)) == []


def test_what_a_controller_forgot_with_its_power_is_nothing() -> None:
    columns = hours()
    columns["runtime_s"][AT:] -= 3600
    assert judge(life(columns)) == []


def test_hours_of_a_clock_that_was_wrong_turn_no_counter_back() -> None:
    """Its clock went back by fifty hours for ten, which took the places of those that were there."""
    columns = hours()
    for name in ("received_us", "runtime_s"):
        columns[name][70:80] = columns[name][AT : AT + 10]
    kept = np.r_[0:AT, AT + 10 : 240]
    columns = {
        name: column.at(kept) if name in ("software", "scenario") else column[kept]
        for name, column in columns.items()
    }
    assert [one for one in judge(life(columns)) if one.confidence is Confidence.ESTABLISHED] == []


def test_messages_that_come_late_turn_no_counter_back() -> None:
    columns = hours()
    columns["received_us"][50:90] += 30 * HOUR_US
    assert judge(life(columns)) == []


def test_a_counter_that_gains_more_than_time_passes_is_impossible() -> None:
    columns = hours()
    columns["runtime_s"][AT:] += 30 * 3600
    (found,) = judge(life(columns))
    assert (found.rule, found.confidence) == (Rule.IMPOSSIBLE, Confidence.ESTABLISHED)


def test_so_is_one_that_runs_a_little_too_fast_all_the_time() -> None:
    columns = hours()
    columns["runtime_s"] = 3700 * np.arange(1, 241)
    assert [one.rule for one in judge(life(columns))] == [Rule.IMPOSSIBLE]
