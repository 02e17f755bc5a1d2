"""The live stream's memory: the latest state, what changed, and where a page can go on."""

from typing import Any

import msgspec

from schemas.anomaly import ANOMALY_VERSION, FLEET, AlarmState, Anomaly, Transition
from schemas.health import Status
from serve.hub import KEPT_MOMENTS, Head, Hub, Listed, seen_by

HERE, THERE = "ZZSIM0HUMAN10000000000000001A", "ZZABC0HUMAN10000000000000001A"


def head(code: str = HERE, time_us: int = 1, status: Status = Status.OFF_SPEC, zone: str = "C") -> Head:
    return Head(code, time_us, status, zone)


def anomaly(number: int = 1, **changes: Any) -> Anomaly:
    usual: dict[str, Any] = {
        "v": ANOMALY_VERSION, "robot_id": HERE, "episode_id": "e1", "episode": 1, "number": number,
        "transition": Transition.OPENED, "rule": "limit", "rule_version": 1, "component": "joint/3",
        "signal": "joint_temperature_c", "status": Status.OFF_SPEC, "value": 96.0, "unit": "°C", "limit": 90.0,
        "first_us": 5, "last_us": 9, "count": 1, "live": True, "software": "1", "scenario": "", "text": "hot",
        "cause": "limit|joint_temperature_c|above|ZZSIM0HUMAN1|1",
    }  # fmt: skip
    return Anomaly(**usual | changes)


def test_many_changes_between_two_flushes_are_told_as_the_latest() -> None:
    hub = Hub("a")
    hub.take_health(head(time_us=1, status=Status.FAILURE))
    hub.take_health(head(time_us=2, status=Status.NORMAL, zone="A"))
    moment = hub.flush()
    assert moment is not None
    assert (moment.changed.index, moment.changed.status, moment.changed.zone) == ([0], "5", "A")
    assert hub.flush() is None


def test_an_older_judgement_changes_nothing() -> None:
    hub = Hub("a")
    hub.take_health(head(time_us=2))
    hub.flush()
    hub.take_health(head(time_us=1, status=Status.NORMAL))
    assert hub.flush() is None


def test_a_judgement_that_says_the_same_is_no_news() -> None:
    hub = Hub("a")
    hub.take_health(head(time_us=1))
    hub.flush()
    hub.take_health(head(time_us=2))
    assert hub.flush() is None


def test_a_transition_is_told_once() -> None:
    hub = Hub("a")
    hub.take_anomaly(anomaly(1))
    hub.take_anomaly(anomaly(1))
    moment = hub.flush()
    assert moment is not None
    assert [alarm.number for alarm in moment.alarms] == [1]
    assert moment.changed.unacknowledged == [1]


def test_what_calls_nobody_any_more_is_not_counted() -> None:
    for quiet in (
        {"state": AlarmState.ACKNOWLEDGED_ACTIVE}, {"state": AlarmState.SHELVED}, {"parent": "p"},
        {"state": AlarmState.NORMAL},
    ):  # fmt: skip
        hub = Hub("a")
        hub.take_anomaly(anomaly(1))
        hub.take_anomaly(anomaly(2, **quiet))
        assert hub.state_of(HERE)[2] == 0, quiet


def test_what_was_so_at_the_beginning_is_no_news() -> None:
    hub = Hub("a")
    hub.begin_with([head()], [Listed("e1", HERE, 3, True), Listed("e2", HERE, 1, False)])
    hub.take_anomaly(anomaly(3))
    assert hub.flush() is None
    assert hub.state_of(HERE) == ("2", "C", 1)


def test_an_episode_of_the_fleet_is_told_and_is_no_robots() -> None:
    hub = Hub("a")
    hub.take_anomaly(anomaly(1, robot_id=FLEET, component=FLEET, about="fleet", cause=""))
    moment = hub.flush()
    assert moment is not None
    assert (moment.changed.index, len(moment.alarms)) == ([], 1)


def test_a_page_goes_on_where_it_left_off() -> None:
    hub = Hub("a")
    for number in range(1, 5):
        hub.take_anomaly(anomaly(number))
        hub.flush()
    kept = hub.since(2)
    assert kept is not None
    assert [moment.number for moment in kept] == [3, 4]
    assert hub.since(4) == []


def test_what_is_not_kept_any_more_and_what_is_to_come_cannot_be_resumed() -> None:
    hub = Hub("a")
    for number in range(1, KEPT_MOMENTS + 3):
        hub.take_anomaly(anomaly(number))
        hub.flush()
    assert hub.since(1) is None
    assert hub.since(2) is not None
    assert hub.since(KEPT_MOMENTS + 3) is None


def test_of_a_moment_only_that_of_ones_own_robots_is_seen() -> None:
    hub = Hub("a")
    hub.take_health(head(HERE))
    hub.take_health(head(THERE, status=Status.NORMAL, zone=""))
    hub.take_anomaly(anomaly(1))
    hub.take_anomaly(anomaly(1, robot_id=THERE, episode_id="e2"))
    hub.take_anomaly(anomaly(1, robot_id=FLEET, component=FLEET, episode_id="e3", about="fleet", cause=""))
    moment = hub.flush()
    assert moment is not None
    seen = seen_by(moment, ("ZZABC",))
    assert seen.robots == (THERE,)
    assert msgspec.to_builtins(seen.changed) == {"index": [1], "status": "5", "zone": "-", "unacknowledged": [1]}
    assert [alarm.episode_id for alarm in seen.alarms] == ["e2"]
    assert seen_by(moment, ()).robots == ()
