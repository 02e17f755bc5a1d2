"""Who is told, and when: an episode's transitions in, deliveries out."""

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from processors.notify.decide import HOLD_US, Entry, Phase, Told, delivery_id
from processors.notify.planning import Arrived, Asked, plan
from processors.notify.quiet import Quiet
from processors.notify.receivers import Config, Kind, Match, Route
from schemas.anomaly import AlarmState, Anomaly, Transition
from schemas.health import Status
from support.anomalies import CODE, NOW_US, adopted, anomaly, receiver

SECOND_US = 1_000_000
NIGHT = Quiet(start=time(22), end=time(6), zone=ZoneInfo("Europe/Berlin"))


class Receiving:
    """A receiver, and what it is told of: each step is a batch of its own, unless several are given."""

    def __init__(self, kind: Kind = Kind.WEBHOOK, **route: Any) -> None:
        who = receiver(kind)
        self.name = who.name
        self.config = Config({who.name: who}, (Route(name="all", receivers=(who.name,), **route),))
        self.known: dict[tuple[str, str], Told] = {}
        self.waiting: dict[str, Entry] = {}
        self.told: list[Entry] = []
        self.sites: dict[str, str] = {}

    def see(self, *seen: Anomaly | Asked, at_us: int = NOW_US) -> None:
        arrived = [one if isinstance(one, Asked) else Arrived(0, one) for one in seen]
        made = plan(self.config, arrived, self.known, set(self.waiting), self.sites, at_us)
        self.known |= made.told
        for id in made.taken_back:
            del self.waiting[id]
        self.waiting |= {id: added.entry for id, added in made.added.items() if not added.dropped}

    def send(self, at_us: int) -> list[Transition]:
        """What is due then goes out."""
        due = [entry for entry in self.waiting.values() if entry.due_us <= at_us]
        self.waiting = {entry.id: entry for entry in self.waiting.values() if entry.due_us > at_us}
        self.told += due
        return [entry.anomaly.transition for entry in due]

    @property
    def phase(self) -> Phase:
        (told,) = self.known.values()
        return told.phase


def after(seconds: float) -> int:
    return NOW_US + round(seconds * SECOND_US)


def local(hour: int, minute: int = 0, day: int = 24) -> int:
    """A time of a November night in Berlin."""
    at = datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    return int(at.timestamp()) * SECOND_US


def test_an_opening_is_told_after_its_hold() -> None:
    receiving = Receiving()
    receiving.see(anomaly())
    assert receiving.send(after(9.9)) == []
    assert receiving.send(after(10)) == [Transition.OPENED]


@pytest.mark.parametrize(
    "then",
    [
        adopted(2),
        anomaly(Transition.CLEARED, 2),
        anomaly(Transition.ACKNOWLEDGED, 2),
        anomaly(Transition.SHELVED, 2),
        anomaly(Transition.OUT_OF_SERVICE, 2),
    ],
    ids=lambda a: a.transition,
)
@pytest.mark.parametrize("in_one_batch", [True, False])
@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_over_or_spoken_for_within_the_hold_is_told_to_nobody(
    then: Anomaly, in_one_batch: bool, kind: Kind
) -> None:
    receiving = Receiving(kind)
    if in_one_batch:
        receiving.see(anomaly(), then)
    else:
        receiving.see(anomaly())
        receiving.see(then, at_us=after(5))
    assert receiving.send(after(1000)) == []
    assert receiving.phase is Phase.UNAWARE


def test_what_is_taken_back_late_but_before_it_was_sent_is_told_to_nobody() -> None:
    receiving = Receiving()
    receiving.see(anomaly())
    receiving.see(adopted(2), at_us=after(40))
    assert receiving.send(after(1000)) == []


def test_whoever_was_told_of_the_opening_is_told_of_all_that_follows_in_order() -> None:
    receiving = Receiving()
    receiving.see(anomaly())
    receiving.send(after(10))
    follows = [
        anomaly(Transition.UPDATED, 2), anomaly(Transition.ACKNOWLEDGED, 3), anomaly(Transition.COMMENTED, 4),
        anomaly(Transition.SHELVED, 5), anomaly(Transition.UNSHELVED, 6), anomaly(Transition.OUT_OF_SERVICE, 7),
        anomaly(Transition.IN_SERVICE, 8), adopted(9), anomaly(Transition.RELEASED, 10),
        anomaly(Transition.CLEARED, 11), anomaly(Transition.RETIRED, 12, state=AlarmState.NORMAL),
    ]  # fmt: skip
    for one in follows:
        receiving.see(one, at_us=after(20))
    assert receiving.send(after(20)) == [one.transition for one in follows]


@pytest.mark.parametrize("kind", list(Kind))
def test_an_end_is_told_of_what_was_shelved_after_it_was_told(kind: Kind) -> None:
    receiving = Receiving(kind)
    receiving.see(anomaly())
    receiving.send(after(10))
    receiving.see(anomaly(Transition.SHELVED, 2), at_us=after(20))
    receiving.see(anomaly(Transition.CLEARED, 3, state=AlarmState.SHELVED), at_us=after(30))
    assert receiving.send(after(30)) == [Transition.SHELVED, Transition.CLEARED]


def test_updates_of_what_a_parent_speaks_for_are_not_told() -> None:
    receiving = Receiving()
    receiving.see(anomaly())
    receiving.send(after(10))
    receiving.see(adopted(2), anomaly(Transition.UPDATED, 3, parent="parent"), at_us=after(20))
    receiving.see(anomaly(Transition.CLEARED, 4, parent="parent"), at_us=after(30))
    assert receiving.send(after(30)) == [Transition.ADOPTED, Transition.CLEARED]


def test_what_was_adopted_in_time_is_told_when_it_is_released() -> None:
    receiving = Receiving()
    receiving.see(anomaly(), adopted(2))
    receiving.see(anomaly(Transition.RELEASED, 3), at_us=after(600))
    assert receiving.send(after(605)) == []
    assert receiving.send(after(610)) == [Transition.RELEASED]


ASKED = Asked(anomaly().episode_id, "parent")


@pytest.mark.parametrize("first", [True, False], ids=["before the opening", "after it"])
def test_what_the_grouping_has_asked_to_adopt_is_told_to_nobody_however_late_the_transition_comes(
    first: bool,
) -> None:
    receiving = Receiving()
    receiving.see(*((ASKED, anomaly()) if first else (anomaly(), ASKED)))
    receiving.see(anomaly(Transition.UPDATED, 2), at_us=after(20))
    assert receiving.send(after(100)) == []
    receiving.see(adopted(3), anomaly(Transition.UPDATED, 4, parent="parent"), at_us=after(300))
    assert receiving.send(after(1000)) == []
    receiving.see(anomaly(Transition.RELEASED, 5), at_us=after(1000))
    assert receiving.send(after(1010)) == [Transition.RELEASED]


def test_the_groupings_word_alone_does_not_silence_an_episode_for_ever() -> None:
    receiving = Receiving()
    receiving.see(anomaly(), ASKED)
    receiving.see(anomaly(Transition.UPDATED, 2), at_us=after(601))
    assert receiving.send(after(611)) == [Transition.UPDATED]


def test_an_adoption_that_is_asked_for_again_after_the_release_changes_nothing() -> None:
    receiving = Receiving()
    receiving.see(anomaly(), adopted(2))
    receiving.see(anomaly(Transition.RELEASED, 3), ASKED, at_us=after(100))
    assert receiving.send(after(110)) == [Transition.RELEASED]


def test_of_what_was_told_already_the_adoption_is_told_by_its_transition() -> None:
    receiving = Receiving()
    receiving.see(anomaly())
    receiving.send(after(10))
    receiving.see(ASKED, anomaly(Transition.UPDATED, 2), at_us=after(20))
    receiving.see(adopted(3), at_us=after(30))
    assert receiving.send(after(30)) == [Transition.ADOPTED]


def test_a_return_waits_as_an_opening_does() -> None:
    receiving = Receiving()
    receiving.see(anomaly())
    receiving.send(after(10))
    receiving.see(anomaly(Transition.CLEARED, 2), at_us=after(20))
    receiving.send(after(20))
    receiving.see(anomaly(Transition.OPENED, 3), at_us=after(30))
    receiving.see(anomaly(Transition.CLEARED, 4), at_us=after(35))
    assert receiving.send(after(1000)) == []
    assert receiving.phase is Phase.CLOSED
    receiving.see(anomaly(Transition.OPENED, 5), at_us=after(1000))
    assert receiving.send(after(1010)) == [Transition.OPENED]


def test_an_acknowledgement_after_the_end_is_told_to_whoever_knows_the_episode() -> None:
    receiving = Receiving()
    receiving.see(anomaly())
    receiving.send(after(10))
    receiving.see(anomaly(Transition.CLEARED, 2), at_us=after(20))
    late = anomaly(Transition.ACKNOWLEDGED, 3, active=False, state=AlarmState.NORMAL)
    receiving.see(late, at_us=after(30))
    assert receiving.send(after(30)) == [Transition.CLEARED, Transition.ACKNOWLEDGED]


def test_a_transition_that_comes_again_changes_nothing() -> None:
    receiving = Receiving()
    receiving.see(anomaly(), adopted(2))
    receiving.see(anomaly(), adopted(2), at_us=after(1))
    assert receiving.send(after(1000)) == []
    receiving.see(anomaly(Transition.RELEASED, 3), at_us=after(2))
    receiving.see(anomaly(), adopted(2), anomaly(Transition.RELEASED, 3), at_us=after(3))
    assert receiving.send(after(1000)) == [Transition.RELEASED]


def test_what_gets_worse_within_the_hold_is_told_once_as_it_is_then() -> None:
    receiving = Receiving()
    receiving.see(anomaly(status=Status.MAINTENANCE_REQUIRED))
    receiving.see(anomaly(Transition.UPDATED, 2), at_us=after(4))
    assert receiving.send(after(10)) == [Transition.UPDATED], "the hold goes on from the opening"


def test_an_episode_below_the_route_is_told_when_it_rises_to_it() -> None:
    receiving = Receiving(match=Match(status=Status.FAILURE))
    receiving.see(anomaly(status=Status.MAINTENANCE_REQUIRED))
    receiving.see(anomaly(Transition.UPDATED, 2), at_us=after(60))
    assert receiving.send(after(70)) == [Transition.UPDATED]
    receiving.see(anomaly(Transition.CLEARED, 3, status=Status.MAINTENANCE_REQUIRED), at_us=after(80))
    assert receiving.send(after(80)) == [Transition.CLEARED], "its end is told although it would not match now"


def test_late_data_calls_nobody() -> None:
    receiving = Receiving()
    receiving.see(anomaly(live=False))
    assert receiving.send(after(1000)) == []


def test_only_the_transitions_of_the_route_follow_an_opening() -> None:
    receiving = Receiving(transitions=frozenset({Transition.CLEARED}))
    receiving.see(anomaly())
    receiving.send(after(10))
    receiving.see(anomaly(Transition.ACKNOWLEDGED, 2), anomaly(Transition.CLEARED, 3), at_us=after(20))
    assert receiving.send(after(20)) == [Transition.CLEARED]


def test_the_end_is_told_also_when_the_file_has_lost_the_route() -> None:
    receiving = Receiving()
    receiving.see(anomaly())
    receiving.send(after(10))
    receiving.config = Config(receiving.config.receivers, ())
    receiving.see(anomaly(Transition.CLEARED, 2), at_us=after(20))
    assert receiving.send(after(20)) == [Transition.CLEARED]


@pytest.mark.parametrize("kind", [Kind.PAGERDUTY, Kind.ALERTMANAGER])
def test_in_quiet_hours_an_opening_waits_and_what_is_over_by_then_is_told_to_nobody(kind: Kind) -> None:
    receiving = Receiving(kind, quiet=NIGHT)
    mild = {"status": Status.OFF_SPEC}
    receiving.see(anomaly(**mild), at_us=local(23))
    assert receiving.send(local(5, 59, day=25)) == []
    assert receiving.send(local(6, day=25)) == [Transition.OPENED]
    receiving.see(anomaly(Transition.CLEARED, 2, **mild), at_us=local(7, day=25))
    receiving.send(local(7, day=25))
    receiving.see(anomaly(Transition.OPENED, 3, **mild), at_us=local(23, day=25))
    receiving.see(anomaly(Transition.CLEARED, 4, **mild), at_us=local(23, 30, day=25))
    assert receiving.send(local(6, day=26)) == []


@pytest.mark.parametrize("kind", [Kind.WEBHOOK, Kind.EMAIL])
def test_in_quiet_hours_all_is_kept_for_the_summary_with_what_is_over(kind: Kind) -> None:
    receiving = Receiving(kind, quiet=NIGHT)
    mild = {"status": Status.OFF_SPEC}
    receiving.see(anomaly(**mild), at_us=local(23))
    receiving.see(anomaly(Transition.CLEARED, 2, **mild), at_us=local(23, 30))
    assert receiving.send(local(5, 59, day=25)) == []
    assert receiving.send(local(6, day=25)) == [Transition.OPENED, Transition.CLEARED]
    assert {entry.bundle for entry in receiving.told} == {"quiet/all"}


def test_a_flood_in_quiet_hours_does_not_fill_the_summary() -> None:
    receiving = Receiving(quiet=NIGHT)
    mild = {"status": Status.OFF_SPEC}
    receiving.see(anomaly(**mild), at_us=local(23))
    receiving.see(adopted(2, **mild), at_us=local(23, 5))
    assert receiving.send(local(6, day=25)) == []


def test_what_is_severe_passes_quiet_hours_and_what_becomes_so_too() -> None:
    receiving = Receiving(quiet=NIGHT)
    receiving.see(anomaly(status=Status.OFF_SPEC), at_us=local(23))
    receiving.see(anomaly(Transition.UPDATED, 2, status=Status.FAILURE), at_us=local(23, 30))
    assert receiving.send(local(23, 30)) == [Transition.UPDATED]


def test_the_end_of_what_was_told_before_is_told_at_once_to_a_program_and_in_the_morning_to_a_person() -> None:
    for kind, by_night in ((Kind.WEBHOOK, [Transition.CLEARED]), (Kind.EMAIL, [])):
        receiving = Receiving(kind, quiet=NIGHT)
        receiving.see(anomaly(status=Status.OFF_SPEC), at_us=local(21))
        receiving.send(local(21, 1))
        receiving.see(anomaly(Transition.CLEARED, 2, status=Status.OFF_SPEC), at_us=local(23))
        assert receiving.send(local(23, 1)) == by_night


def test_mail_of_a_group_waits_for_more_of_it() -> None:
    receiving = Receiving(Kind.EMAIL, group_by=("model", "rule"), group_wait_s=30)
    receiving.see(anomaly())
    assert receiving.send(after(39)) == []
    assert receiving.send(after(40)) == [Transition.OPENED]
    assert receiving.told[0].bundle == f"group/all/{CODE[:12]}|limit"
    assert receiving.told[0].ready_us == NOW_US + HOLD_US


def test_the_id_of_a_delivery_follows_from_event_and_receiver() -> None:
    assert delivery_id("a", "e/1") == delivery_id("a", "e/1")
    assert len({delivery_id("a", "e/1"), delivery_id("b", "e/1"), delivery_id("a", "e/2")}) == 3


def test_the_first_route_that_matches_speaks_for_a_receiver() -> None:
    receiving = Receiving()
    first = Route(name="first", receivers=(receiving.name,), match=Match(components=("joint/*",)))
    receiving.config = Config(receiving.config.receivers, (first, *receiving.config.routes))
    receiving.see(anomaly(), anomaly(code=CODE[:-1] + "X", component="battery"))
    receiving.send(after(10))
    assert [(entry.route, entry.anomaly.component) for entry in receiving.told] == [
        ("first", "joint/3"),
        ("all", "battery"),
    ]


def test_mail_is_grouped_by_where_robots_are() -> None:
    mail = Receiving(Kind.EMAIL, group_by=("site",))
    mail.sites = {CODE: "Plant Graz"}
    mail.see(anomaly())
    (entry,) = mail.waiting.values()
    assert entry.bundle == "group/all/Plant Graz"
