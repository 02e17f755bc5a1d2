"""The words of `robovitals explain`: every reason with its numbers, windows and times, and no gap passed over."""

from datetime import timedelta

import msgspec
import pytest

from deploy.commands.explain import choose
from deploy.explain import Explained, Reason, Why, last_value_of, lines, look_of, time_of
from deploy.standing import standings
from schemas.errors import SettingError, UnavailableError
from schemas.health import NO_VALUE_US, ComponentHealth, Evidence, RemainingLife, Status, Zone
from schemas.limits import read_limits
from schemas.robot_code import parse_code
from schemas.signals import SIGNALS
from serve.database import HistoryLine, RobotState, Stretch
from support.frames import CODE, TIME_US

NOW = time_of(TIME_US)
HOT = Evidence(
    rule="limit", signal="joint_temperature_c", value=95.2, unit="°C", limit=90.0, since_us=TIME_US - 252_000_000,
    text="Joint 3 temperature is 95.2 °C, above its alarm limit of 90 °C.", last_us=TIME_US - 12_000_000,
    side="above", confidence=0.93, baseline=41.0, rule_version=2, episode_id="e-7",
)  # fmt: skip
JOINT = ComponentHealth(
    component="joint/3", status=Status.OFF_SPEC, zone=Zone.D, evidence=[HOT],
    remaining_life=RemainingLife(
        signal="joint_wear", days=40, low=20, high=90, limit=0.8,
        text="about 40 days until estimated wear reaches 0.8 (80 %: 20 days to 90 days)",
    ),
)  # fmt: skip
BATTERY = ComponentHealth(
    component="battery", status=Status.NORMAL, zone=Zone.A, last_value_us=TIME_US - 60_000_000
)
STATE = RobotState(
    robot_id=CODE, status="OFF_SPEC", zone="D", mode="working", software="4.2", open_episodes=1,
    last_seen=NOW - timedelta(seconds=2), received=NOW, components=[JOINT, BATTERY],
    assessed=NOW - timedelta(seconds=9),
)  # fmt: skip


def stretch(second: int, value: float | None) -> Stretch:
    return Stretch(time=time_of(HOT.since_us) + timedelta(seconds=second), value=value, frames=10)


def told(*components: Why) -> str:
    explained = Explained(code=parse_code(CODE), state=STATE, components=list(components))
    return "\n".join(line.plain for line in lines(explained, NOW))


def why(component: ComponentHealth, *stretches: Stretch, history: list[HistoryLine] | None = None) -> Why:
    reasons = [
        Reason(evidence=e, shows="joint_temperature_c max", unit="°C", stretch_s=10, stretches=list(stretches))
        for e in component.evidence
    ]
    last = last_value_of(component, STATE)
    return Why(component=component, last_value=last, reasons=reasons, standings=[], history=history or [])


def test_a_reason_has_its_numbers_rule_and_times() -> None:
    text = told(why(JOINT))
    assert "joint/3 is OFF_SPEC: it works outside of its limits. Zone D: beyond an alarm limit." in text
    assert f"because: {HOT.text}" in text
    assert "rule limit version 2; value 95.2 °C, baseline 41 °C, threshold 90 °C, confidence 93%" in text
    assert "first sign 2025-10-09 08:49:08 (4 m 12 s ago), latest 2025-10-09 08:53:08 (12 s ago)" in text
    assert "remaining life: about 40 days until estimated wear reaches 0.8" in text
    assert "no windows of that time are kept" in text


def test_windows_are_listed_with_their_gaps_and_the_first_sign() -> None:
    text = told(why(JOINT, stretch(-20, 70.0), stretch(-10, None), stretch(0, 91.0), stretch(120, 95.2)))
    assert text.split("every 10 s\n")[1].split("\n  remaining")[0].splitlines() == [
        "      2025-10-09 08:48:48  70",
        "      2025-10-09 08:48:58  no value",
        "      2025-10-09 08:49:08  91  first sign",
        "      …",
        "      2025-10-09 08:51:08  95.2",
    ]


def test_what_happened_to_a_components_episodes_is_told() -> None:
    line = HistoryLine(
        episode_id="e-7", number=1, transition="opened", status="OFF_SPEC", component="joint/3", rule="limit",
        text="too hot", time=NOW, live=False,
    )  # fmt: skip
    deed = msgspec.structs.replace(line, transition="acknowledged", actor="Ada", note="new belt on its way")
    text = told(why(JOINT, history=[deed, line]))
    assert "2025-10-09 08:53:20  limit acknowledged by Ada: new belt on its way  [e-7]" in text
    assert "2025-10-09 08:53:20  limit opened (from late data)  too hot  [e-7]" in text


def test_a_healthy_component_says_why_and_how_old_its_values_are() -> None:
    text = told(why(BATTERY))
    assert "battery is NORMAL: values come, and no rule has an open episode. Zone A: as new" in text
    assert "last value: 2025-10-09 08:52:20 (1 m 0 s ago)" in text


def test_values_are_told_against_the_limits_of_the_robots_model() -> None:
    window = {f"{s.name}_{one}": None for s in SIGNALS for one in s.statistics}
    window |= {
        "robot_id": CODE,
        "start": NOW,
        "joint_temperature_c_max": [40.0, 91.5],
        "joint_wear_max": [None, 0.2],
    }
    limits = read_limits({CODE[:12]: {"joint_wear": {"above": {"warn": 0.4, "alarm": 0.5, "deadband": 0}}}}, "")
    found = standings("joint/2", window, limits)
    assert [(one.signal, one.value, one.warn, one.alarm) for one in found] == [
        ("joint_temperature_c", 91.5, 80, 90),
        ("joint_wear", 0.2, 0.4, 0.5),
    ]
    assert standings("joint/3", window, limits) == []
    text = told(msgspec.structs.replace(why(JOINT), standings=found))
    assert "joint_temperature_c 91.5 °C; warning from 80, alarm from 90 °C" in text
    (cold,) = standings("battery", window | {"battery_soh_min": 0.9}, limits)
    assert (cold.side, cold.alarm, cold.unit) == ("below", 0.8, "")


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("zone", Zone)
def test_every_status_and_zone_has_words(status: Status, zone: Zone) -> None:
    assert status in told(why(ComponentHealth(component="robot", status=status, zone=zone)))


def test_the_age_of_a_component_is_the_robots_unless_it_is_told() -> None:
    assert last_value_of(JOINT, STATE) == STATE.last_seen
    assert last_value_of(msgspec.structs.replace(BATTERY, last_value_us=NO_VALUE_US), STATE) is None


@pytest.mark.parametrize(
    ("rule", "signal", "side", "component", "figure", "seconds"),
    [
        ("limit", "joint_temperature_c", "above", "joint/3", "max(joint_temperature_c_max[3])", None),
        ("limit", "battery_soh", "below", "battery", "min(battery_soh_min)", None),
        ("drift", "joint_current_a", "above", "joint/12", "avg(joint_current_a_rms[12])", 600),
        ("trend", "joint_wear", "above", "joint/1", "avg(joint_wear_last[1])", 86_400),
        ("silence", "", "", "robot", "sum(frames)", None),
        ("restart", "", "", "robot", "count(DISTINCT boot_id)", None),
    ],
)
def test_a_rule_is_shown_by_what_it_judges(
    rule: str, signal: str, side: str, component: str, figure: str, seconds: int | None
) -> None:
    look = look_of(msgspec.structs.replace(HOT, rule=rule, signal=signal, side=side), component)
    assert look is not None
    assert (look.figure, look.length) == (figure, None if seconds is None else timedelta(seconds=seconds))


def test_what_no_window_shows_is_said_so() -> None:
    unknown = msgspec.structs.replace(HOT, signal="joint_colour")
    assert look_of(unknown, "joint/3") is None
    reason = Reason(evidence=unknown, shows="", unit="", stretch_s=0, stretches=[])
    assert "no window shows it" in told(
        Why(component=JOINT, last_value=None, reasons=[reason], standings=[], history=[])
    )


def test_without_a_component_the_ones_that_are_not_normal_are_explained_or_all() -> None:
    assert choose(STATE, None) == [JOINT]
    assert choose(STATE, "battery") == [BATTERY]
    assert choose(msgspec.structs.replace(STATE, components=[BATTERY]), None) == [BATTERY]


def test_a_component_that_is_not_there_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(SettingError, match="did you mean joint/3\\? it has joint/3, battery"):
        choose(STATE, "joint/33")


def test_a_robot_that_was_not_judged_yet_names_the_next_command() -> None:
    with pytest.raises(UnavailableError, match="robovitals status"):
        choose(msgspec.structs.replace(STATE, components=[], assessed=None), None)
