"""What people do about episodes, and what the grouping of a fleet's episodes does.

In: a robot's record, an action, and when it got its place in the log. Out: the new record, and one Anomaly for each
episode that the action is about. Called by `processors/attending.py`.

An action's id is remembered, so that one that comes again changes nothing. One that is about nothing, or changes
nothing, raises RejectError: it is counted, the log says why, and it is skipped.
"""

from collections.abc import Callable
from typing import assert_never

import msgspec

from processors.episodes import NEVER, Episode, Record, Robot, Service, is_out_of_service
from processors.lifecycle import ended, settle_parents
from processors.telling import Deed, tell
from processors.timers import unshelved
from schemas.action import LONGEST_SHELF_US, Action, Kind
from schemas.anomaly import RULES_OF_PART, Anomaly, Transition
from schemas.errors import RejectError

# Ours. ISA-18.2 asks that a shelf ends by itself, and leaves the time to the plant: a shift.
DEFAULT_SHELF_US = 8 * 3_600_000_000

REMEMBERED = 64  # an action comes again within seconds, after a crash; nobody does so much meanwhile

_Change = Callable[[Episode], Episode | None]
"""An episode as the action leaves it; None where it has no effect."""


def apply(record: Record, robot: Robot, action: Action, taken_us: int) -> tuple[Record, list[Anomaly]]:
    """Raises RejectError."""
    if action.id in record.acted:
        return record, []
    time_us = min(action.time_us, taken_us) if action.time_us >= 0 else taken_us
    deed = Deed(action.actor, action.note, time_us)
    match action.kind:
        case Kind.ACKNOWLEDGE:
            after, told = _each(record, robot, action, deed, Transition.ACKNOWLEDGED, _acknowledged(record))
        case Kind.SHELVE:
            change = _shelved(_shelf_us(action, taken_us))
            after, told = _each(record, robot, action, deed, Transition.SHELVED, change)
        case Kind.UNSHELVE:
            after, told = _each(record, robot, action, deed, Transition.UNSHELVED, _unshelved)
        case Kind.COMMENT:
            if not action.note:
                raise RejectError("no_effect", "a comment without a note")
            after, told = _each(record, robot, action, deed, Transition.COMMENTED, lambda episode: episode)
        case Kind.OUT_OF_SERVICE:
            after, told = _out_of_service(record, robot, action, deed)
        case Kind.IN_SERVICE:
            after, told = _in_service(record, robot, action, deed)
        case Kind.REPLACED:
            after, told = _replaced(record, robot, action, deed, taken_us)
        case Kind.ADOPT | Kind.RELEASE:
            after, told = _parent(record, robot, action)
        case _:
            assert_never(action.kind)
    return remembering(after, action), told


def remembering(record: Record, action: Action) -> Record:
    """So that the action has no effect when it comes again."""
    if action.id in record.acted:
        return record
    return msgspec.structs.replace(record, acted=(*record.acted, action.id)[-REMEMBERED:])


def _each(
    record: Record, robot: Robot, action: Action, deed: Deed, transition: Transition, change: _Change
) -> tuple[Record, list[Anomaly]]:
    """Change the episodes that the action is about, and tell of each that it has an effect on."""
    about = {episode.id for episode in _about(record, action)}
    kept: list[Episode] = []
    told: list[Anomaly] = []
    for episode in record.episodes:
        if episode.id in about and (after := change(episode)) is not None:
            episode, anomaly = tell(record, robot, after, transition, deed)
            told.append(anomaly)
        kept.append(episode)
    if not told:
        raise RejectError("no_effect", f"{action.kind} of {action.robot_id} {_what(action)} changes nothing")
    return msgspec.structs.replace(record, episodes=tuple(kept)), told


def _about(record: Record, action: Action) -> list[Episode]:
    """By its id an episode that ended is found too, as long as it is remembered; else what is listed."""
    if action.episode_id:
        found = [episode for episode in record.episodes if episode.id == action.episode_id]
    else:
        listed = [episode for episode in record.episodes if episode.is_listed]
        found = [episode for episode in listed if action.component in ("", episode.component)]
    if not found:
        raise RejectError("no_episode", f"{action.kind} of {action.robot_id} {_what(action)}: there is none")
    return found


def _what(action: Action) -> str:
    return f"episode {action.episode_id}" if action.episode_id else action.component or "(all of it)"


def _acknowledged(record: Record) -> _Change:
    def change(episode: Episode) -> Episode | None:
        out_of_service = episode.is_open and is_out_of_service(record, episode.component)
        if episode.acknowledged or episode.is_shelved or out_of_service:
            return None
        due_us = episode.due_us if episode.is_open else NEVER
        return msgspec.structs.replace(episode, acknowledged=True, due_us=due_us)

    return change


def _shelf_us(action: Action, taken_us: int) -> int:
    """Until when. Its actor's clock does not count, so that one that is wrong shelves nothing for ever."""
    until_us = action.until_us if action.until_us >= 0 else taken_us + DEFAULT_SHELF_US
    if until_us <= taken_us:
        raise RejectError("no_effect", "the time to shelve until is over")
    return min(until_us, taken_us + LONGEST_SHELF_US)


def _shelved(until_us: int) -> _Change:
    def change(episode: Episode) -> Episode | None:
        if not episode.is_listed or episode.shelved_us == until_us:
            return None
        due_us = episode.due_us if episode.is_open else NEVER
        return msgspec.structs.replace(episode, shelved_us=until_us, due_us=due_us)

    return change


def _unshelved(episode: Episode) -> Episode | None:
    return unshelved(episode) if episode.is_shelved else None


def _component_of(record: Record, action: Action) -> str:
    return _about(record, action)[0].component if action.episode_id else action.component


def _out_of_service(record: Record, robot: Robot, action: Action, deed: Deed) -> tuple[Record, list[Anomaly]]:
    """What is open there calls nobody from now on; what has ended needs no acknowledgement any more."""
    component = _component_of(record, action)
    if any(service.component == component for service in record.services):
        raise RejectError("no_effect", f"{action.robot_id} {component} is out of service already")
    services = (*record.services, Service(component, deed.actor, deed.at_us))
    after = msgspec.structs.replace(record, services=services)

    def change(episode: Episode) -> Episode | None:
        if episode.is_open:
            return None if is_out_of_service(record, episode.component) else episode
        return msgspec.structs.replace(episode, acknowledged=True, shelved_us=NEVER, due_us=NEVER)

    return _serviced(after, robot, component, deed, Transition.OUT_OF_SERVICE, change)


def _in_service(record: Record, robot: Robot, action: Action, deed: Deed) -> tuple[Record, list[Anomaly]]:
    """All of the robot, or one component. What is open there calls anew."""
    component = _component_of(record, action)
    services = tuple(s for s in record.services if component not in ("", s.component))
    if services == record.services:
        raise RejectError("no_effect", f"{action.robot_id} {component} is not out of service")
    after = msgspec.structs.replace(record, services=services)

    def change(episode: Episode) -> Episode | None:
        if not episode.is_open or not is_out_of_service(record, episode.component):
            return None
        if is_out_of_service(after, episode.component):
            return None
        return msgspec.structs.replace(episode, acknowledged=False)

    return _serviced(after, robot, component, deed, Transition.IN_SERVICE, change)


def _serviced(
    after: Record, robot: Robot, component: str, deed: Deed, transition: Transition, change: _Change
) -> tuple[Record, list[Anomaly]]:
    """`after` has the new services already; tell of the component's episodes, if there are any."""
    kept: list[Episode] = []
    told: list[Anomaly] = []
    for episode in after.episodes:
        concerned = episode.is_listed and component in ("", episode.component)
        if concerned and (changed := change(episode)) is not None:
            episode, anomaly = tell(after, robot, changed, transition, deed)
            told.append(anomaly)
        kept.append(episode)
    return msgspec.structs.replace(after, episodes=tuple(kept)), told


def _replaced(
    record: Record, robot: Robot, action: Action, deed: Deed, taken_us: int
) -> tuple[Record, list[Anomaly]]:
    """What was held against the old part's past ends with it, and needs no acknowledgement."""
    kept: list[Episode] = []
    told: list[Anomaly] = []
    for episode in record.episodes:
        if episode.is_open and episode.rule in RULES_OF_PART and episode.component == action.component:
            after = ended(episode, taken_us, spared=True)
            episode, anomaly = tell(record, robot, after, Transition.CLEARED, deed)
            told.append(anomaly)
        kept.append(episode)
    return msgspec.structs.replace(record, episodes=tuple(kept)), told


def _parent(record: Record, robot: Robot, action: Action) -> tuple[Record, list[Anomaly]]:
    """A fleet's episode adopts one of the robot's, or lets it go. An end is not told by the parent's leave."""
    adopts = action.kind is Kind.ADOPT
    (episode,) = _about(record, action)
    if not episode.is_open or (episode.parent == action.parent) is adopts:
        raise RejectError("no_effect", f"{action.kind} of {action.robot_id} {_what(action)} changes nothing")
    after = msgspec.structs.replace(episode, parent=action.parent if adopts else "")
    episodes = tuple(after if e.id == episode.id else e for e in record.episodes)
    return settle_parents(msgspec.structs.replace(record, episodes=episodes), robot, by_silence=True)
