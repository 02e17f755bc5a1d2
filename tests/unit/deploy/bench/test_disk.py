"""What `robovitals bench disk` asks and tells."""

from datetime import UTC, datetime

from deploy.bench.disk import Answers, Plan, questions, report

END = datetime(2026, 5, 1, tzinfo=UTC)
PLAN = Plan(robots=1_000, frames=5_000, histories=2)


def test_each_question_knows_how_many_rows_answer_it():
    due = {question.name: question.rows for question in questions(PLAN, "ZZ", END)}
    assert due["state"] == 1_002
    assert due["day"] == due["day_all"] == 86_400
    assert due["year"] == 525_600
    assert due["year_by_day"] == 365


def test_room_is_told_for_a_reading_a_window_and_a_year():
    asked = questions(PLAN, "ZZ", END)
    rows, sizes = {"frame": 10_000, "vitals": 2 * 525_600}, {"frame": 1_320_000 * 6, "vitals": 2**31}
    told = {line.name: line.median for line in report(PLAN, 1, asked, Answers(), rows, sizes).lines}
    assert told["bytes_a_reading"] == 6
    assert told["year_of_vitals_mib"] == 1024
    assert told["state_cold_ms"] is None
