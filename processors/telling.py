"""What is told of an episode: one Anomaly a transition.

In: a robot's record, an episode as it has become, what happened to it and who did it. Out: the episode with its
transition numbered, and the message. Called by whatever changes episodes: `processors/lifecycle.py`,
`processors/actions.py`, `processors/timers.py`.
"""

from typing import NamedTuple

import msgspec

from processors import wording
from processors.episodes import NEVER, Episode, Record, Robot, cause_of, describe, parent_of, state_of
from processors.findings import RULE_VERSIONS, status_of
from schemas.anomaly import ANOMALY_VERSION, Anomaly, Transition, about_of


class Deed(NamedTuple):
    """What a person did, and when; without an actor our clock did it, or a program of ours."""

    actor: str
    note: str
    at_us: int


NO_DEED = Deed("", "", NEVER)

_DEEDS = {
    Transition.ACKNOWLEDGED: "Acknowledged",
    Transition.SHELVED: "Shelved until {until}",
    Transition.UNSHELVED: "Off the shelf",
    Transition.COMMENTED: "Comment",
    Transition.OUT_OF_SERVICE: "Taken out of service",
    Transition.IN_SERVICE: "Back in service",
    Transition.ADOPTED: "Part of episode {parent}, which speaks for it",
    Transition.RELEASED: "Speaks for itself again",
    Transition.RETIRED: "Off the list, and nobody has acknowledged it",
}


def tell(
    record: Record, robot: Robot, episode: Episode, transition: Transition, deed: Deed = NO_DEED
) -> tuple[Episode, Anomaly]:
    """`record` says what else is with the robot. A cleared episode keeps the status that it had."""
    parent = parent_of(record, episode)
    told = msgspec.structs.replace(episode, transition=episode.transition + 1, told_parent=parent)
    return told, Anomaly(
        v=ANOMALY_VERSION,
        robot_id=robot.code,
        episode_id=told.id,
        episode=told.number,
        number=told.transition,
        transition=transition,
        rule=told.rule,
        rule_version=RULE_VERSIONS[told.rule],
        component=told.component,
        signal=told.signal,
        status=status_of(told.rule, told.level if told.is_open else told.was),
        value=told.value,
        unit=wording.unit_of(told.signal),
        limit=told.limit,
        first_us=told.first_us,
        last_us=told.last_us,
        count=told.count,
        live=True,
        software=robot.software,
        scenario=robot.scenario,
        text=_text(told, transition, deed),
        about=about_of(told.rule),
        baseline=told.baseline,
        confidence=told.confidence,
        state=state_of(record, told),
        active=told.is_open,
        chattering=told.hold_us > 0,
        parent=parent,
        cause=cause_of(robot, told).text,
        actor=deed.actor,
        note=deed.note,
        acted_us=deed.at_us,
        until_us=told.shelved_us,
    )


def _text(episode: Episode, transition: Transition, deed: Deed) -> str:
    """The deed, then the condition."""
    sentence = describe(episode)
    if transition is Transition.OPENED and episode.hold_us:
        return f"{sentence} It comes and goes: what follows is told when it has been quiet for a while."
    done = deed_words(transition, deed, episode.shelved_us, episode.told_parent)
    return f"{done} {sentence}" if done else sentence


def deed_words(transition: Transition, deed: Deed, until_us: int, parent: str = "") -> str:
    """What was done and by whom; nothing for what a rule brought about."""
    if transition not in _DEEDS:
        return ""
    done = _DEEDS[transition].format(until=wording.moment(until_us), parent=parent)
    by = f" by {deed.actor}" if deed.actor else ""
    note = f": {deed.note}" if deed.note else ""
    end = "" if deed.note.endswith((".", "!", "?")) else "."
    return f"{done}{by}{note}{end}"
