"""A robot's state as its page shows it."""

from datetime import UTC, datetime, timedelta

from schemas.health import ComponentHealth, Evidence, RemainingLife, Status, Zone
from serve.readings import LatestReading
from serve.robot_view import charts_of, drawing, joints_of, last_values, parts, worst_joints

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)
HOT = Evidence(rule="limit", signal="joint_temperature_c", value=95, unit="°C", limit=90, since_us=0, text="hot")


def component(
    name: str, status: Status = Status.NORMAL, zone: Zone = Zone.A, last_value_us: int = -1, **more: object
) -> ComponentHealth:
    return ComponentHealth(component=name, status=status, zone=zone, last_value_us=last_value_us, **more)  # type: ignore[arg-type]


def reading(signal: str, joint: int = 0, value: float = 1.0, age_s: int = 0) -> LatestReading:
    return LatestReading(signal, joint, value, "", NOW - timedelta(seconds=age_s))


def test_a_component_has_its_explanation_its_life_and_the_time_of_its_last_value() -> None:
    life = RemainingLife(signal="joint_wear", days=40, low=30, high=60, limit=0.8, text="about 40 days")
    hot = component("joint/3", Status.OFF_SPEC, Zone.D, evidence=[HOT], remaining_life=life)
    (part,) = parts([hot], NOW)
    assert (part.joint, part.status, part.zone, part.remaining) == (3, "OFF_SPEC", "D", "about 40 days")
    assert part.evidence == [(HOT, datetime(1970, 1, 1, tzinfo=UTC))]
    assert part.last == NOW


def test_a_last_value_that_is_older_than_the_last_frame_has_its_own_time() -> None:
    earlier, never = parts([component("accuracy", last_value_us=5_000_000), component("x", last_value_us=0)], NOW)
    assert earlier.last == datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)
    assert never.last is None


def test_joints_are_those_that_were_judged_and_those_that_were_sent() -> None:
    assert joints_of([component("joint/2"), component("battery")], [reading("joint_wear", 3)]) == [2, 3]


def test_charts_show_the_worst_joints_where_nobody_chose() -> None:
    normal = [component(f"joint/{number}") for number in range(1, 9)]
    troubled = [component("joint/7", Status.OFF_SPEC, Zone.D, evidence=[HOT]), component("joint/5", zone=Zone.C)]
    judged = [*troubled, *(one for one in normal if one.component not in ("joint/7", "joint/5"))]
    assert worst_joints(judged, range(1, 9)) == [1, 2, 5, 7]


def test_a_robot_that_was_never_judged_shows_its_first_joints() -> None:
    assert worst_joints([], [1, 2, 3, 4, 5, 6]) == [1, 2, 3, 4]


def test_a_joint_in_the_drawing_says_its_status_to_those_who_do_not_see_it() -> None:
    drawn = drawing([component("joint/1", zone=Zone.B), component("joint/2", Status.OFF_SPEC, Zone.D)], [1, 2, 3])
    assert [joint.letter for joint in drawn.joints] == ["B", "S", "?"]
    assert drawn.joints[1].name == "joint 2: Out of spec, zone D"
    assert drawn.joints[2].name == "joint 3: Unknown, no zone"


def test_last_values_of_joints_are_a_table_and_others_lie_by_component() -> None:
    found = last_values(
        [
            reading("joint_temperature_c", 1), reading("joint_temperature_c", 2), reading("joint_wear", 2, age_s=9),
            reading("battery_soc"), reading("pose_accuracy_mm"),
        ]
    )  # fmt: skip
    assert found.signals == ("joint_temperature_c", "joint_wear")
    first, second = found.joints
    assert (first.joint, [value is None for value in first.values]) == (1, [False, True])
    assert (second.newest, second.values[1]) == (NOW, reading("joint_wear", 2, age_s=9))
    assert [name for name, _ in found.single] == ["battery", "accuracy"]


def test_a_chart_is_there_for_what_the_robot_has_sent() -> None:
    found = charts_of([reading("battery_soc"), reading("pose_accuracy_mm"), reading("path_accuracy_mm")])
    assert [(chart.key, chart.signals) for chart in found] == [
        ("accuracy", ("pose_accuracy_mm", "path_accuracy_mm")),
        ("soc", ("battery_soc",)),
    ]
