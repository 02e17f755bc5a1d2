"""Tasks that stand alike are one line of the page."""

from datetime import UTC, datetime

from serve.care import TaskLine
from serve.care_view import lines

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def task(component: str, name: str = "grease", used: float = 0.5) -> TaskLine:
    return TaskLine(
        robot_id="", task=name, component=component, planned=None, text="", since=NOW, since_entry=1, done=None,
        done_entry=None, closed=False, due_date=None, due_runtime_s=3600.0, due_cycles=None, due_wear=None,
        state="ok", used=used, overdue_since=None, judged=NOW,
    )  # fmt: skip


def test_joints_that_stand_alike_are_one_line_with_their_numbers():
    found = lines([task(f"joint/{joint}") for joint in (1, 2, 10, 3, 7)])
    assert [one.components for one in found] == ["joints 1–3, 7, 10"]


def test_what_stands_otherwise_has_a_line_of_its_own():
    found = lines(
        [task("joint/1"), task("joint/2", used=0.7), task("joint/3", used=0.5001), task("battery", "check")]
    )
    assert [(one.one.task, one.components) for one in found] == [
        ("grease", "joints 1, 3"), ("grease", "joint 2"), ("check", "battery"),
    ]  # fmt: skip
