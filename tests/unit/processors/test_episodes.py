"""A robot's record: its bytes, those of an older program, and the states that follow from it."""

from typing import Any

import msgspec
import pytest

from processors import episodes
from processors.episodes import Episode, Record, Service
from processors.findings import SILENCE, Level
from schemas.anomaly import AlarmState
from schemas.errors import ContractError
from support import messages
from support.messages import ENDED, EPISODE, RECORD_OF_V1


def changed(episode: Episode, **changes: Any) -> Episode:
    return msgspec.structs.replace(episode, **changes)


def test_a_record_survives_its_bytes() -> None:
    assert episodes.restore(episodes.snapshot(messages.RECORD)) == messages.RECORD
    assert episodes.restore(None) == Record()


def test_a_record_of_another_version_is_not_misread() -> None:
    with pytest.raises(ContractError, match="version 3"):
        episodes.restore(episodes.snapshot(Record(v=3)))
    with pytest.raises(ContractError, match="cannot be read"):
        episodes.restore(b"\xc1")


def test_of_an_older_programs_episodes_what_is_open_waits_for_an_operator_and_what_ended_does_not() -> None:
    ended, still = RECORD_OF_V1.episodes
    assert episodes.state_of(RECORD_OF_V1, ended) is AlarmState.NORMAL
    assert episodes.state_of(RECORD_OF_V1, still) is AlarmState.UNACKNOWLEDGED_ACTIVE
    assert (ended.is_listed, still.is_listed) == (False, True)


@pytest.mark.parametrize(
    ("episode", "state"),
    [
        (EPISODE, AlarmState.UNACKNOWLEDGED_ACTIVE),
        (changed(EPISODE, acknowledged=True), AlarmState.ACKNOWLEDGED_ACTIVE),
        (changed(ENDED, acknowledged=False), AlarmState.UNACKNOWLEDGED_CLEARED),
        (ENDED, AlarmState.NORMAL),
        (changed(EPISODE, shelved_us=5), AlarmState.SHELVED),
        (changed(ENDED, shelved_us=5), AlarmState.SHELVED),
    ],
)
def test_a_state_follows_from_the_condition_the_acknowledgement_and_the_shelf(
    episode: Episode, state: AlarmState
) -> None:
    assert episodes.state_of(Record(), episode) is state


@pytest.mark.parametrize(("component", "out"), [("joint/2", True), ("", True), ("joint/3", False)])
def test_what_is_open_of_a_component_out_of_service_is_out_of_service(component: str, out: bool) -> None:
    record = Record(services=(Service(component, "Ada", 1),))
    shelved = changed(EPISODE, shelved_us=5)
    assert (episodes.state_of(record, shelved) is AlarmState.OUT_OF_SERVICE) == out
    assert episodes.state_of(record, ENDED) is AlarmState.NORMAL, "nobody has to do anything about an end"


def test_a_fleets_episode_goes_before_a_silence_and_a_silence_has_no_silence_as_parent() -> None:
    silence = changed(EPISODE, id="s", rule=SILENCE, component="robot")
    adopted = changed(EPISODE, parent="f")
    record = Record(episodes=(silence, EPISODE))
    assert [episodes.parent_of(record, e) for e in (EPISODE, adopted, silence)] == ["s", "f", ""]
    over = Record(episodes=(changed(silence, level=Level.OK), EPISODE))
    assert episodes.parent_of(over, EPISODE) == ""


def test_a_cause_does_not_change_with_an_update_of_the_software() -> None:
    robot = episodes.Robot("ZZTESTMODEL10000000000000001B", "2.0", "factory_line")
    cause = episodes.cause_of(robot, changed(EPISODE, software="1.0"))
    assert cause.text == "limit|joint_temperature_c|above|ZZTESTMODEL1|1.0"


def test_what_is_held_open_says_so() -> None:
    text = episodes.describe(changed(EPISODE, quiet=True, hold_us=600_000_000, value=70.0))
    assert "is back to 70 °C" in text
    assert "stays open until it is quiet for 10 minutes" in text
