"""What `robovitals bench query` asks and tells."""

from datetime import UTC, datetime

from deploy.bench.query import Answers, questions, report
from deploy.bench.query_fill import Filled, Plan

FILLED = Filled(robot="ZZ", page=["ZZ"], alarms=3, windows=60_000, roll_s=2.0, roll_cpu_s=1.5)
ASKED = questions(FILLED, datetime(2026, 5, 1, tzinfo=UTC))


def test_every_question_has_a_name_of_its_own_and_a_goal():
    assert len({question.name for question in ASKED}) == len(ASKED)
    assert {question.goal.at_most for question in ASKED} == {50, 100}


def test_the_speed_of_the_roll_up_is_told_for_a_day_of_the_fleet():
    answers = Answers({"overview": [0.2]}, {"overview": [0.01, 0.02, 0.03]}, {"overview": [0.2]})
    told = {line.name: line for line in report(Plan(10_000, 100, 2), 1, ASKED, answers, FILLED).lines}
    assert told["rolled_windows_s"].median == 30_000
    assert told["roll_cpu_us"].median == 25
    assert told["roll_day_min"].median == 10_000 * 1440 / 40_000 / 60
    assert told["overview_warm_ms"].median == 20
    assert told["overview_warm_ms"].verdict.endswith("met")
    assert told["overview_cpu_ms"].verdict.endswith("MISSED")
    assert told["overview_cold_ms"].verdict == ""
    assert told["year_warm_ms"].median is None
