"""What operators do about alarms and parts, from the page or a program of theirs."""

import time
from collections.abc import Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Request

from schemas.action import LONGEST_TEXT, Action, Kind, encode_action
from schemas.errors import SettingError
from schemas.robot_code import checked_code
from schemas.topics import ACTIONS
from serve import database
from serve.acting import Wish, actions_of
from serve.context import Context
from serve.contract import API, body, route
from serve.database import Alarm
from serve.identity import needs
from serve.people import Person, Role
from serve.publish import Publisher

router = APIRouter(prefix=API, tags=["alarms"])

AT_ONCE = 500
_PROGRAMS = (Kind.ADOPT, Kind.RELEASE)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """About `episodes` by their ids; without any about a robot's `component`, or all of it where that is empty.

    `for_s`: how long to shelve (8 hours unsaid, a week at most). `note` is kept with the episode.
    """

    kind: Kind
    episodes: Annotated[tuple[str, ...], msgspec.Meta(max_length=AT_ONCE)] = ()
    robot_id: str = ""
    component: str = ""
    note: Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)] = ""
    for_s: float | None = None


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """An action that Kafka has. What comes of it is told by the stream, with the same actor."""

    action_id: str
    robot_id: str
    episode_id: str
    component: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """What cannot be done, and why."""

    episode_id: str
    why: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    sent: list[Sent]
    refused: list[Refused]


@route(router, "POST", "/actions", Role.OPERATOR, Outcome, takes=Wanted)
async def act(
    request: Request,
    person: Annotated[Person, Depends(needs(Role.OPERATOR))],
    wanted: Annotated[Wanted, Depends(body(Wanted))],
) -> Outcome:
    """Acknowledge, shelve, comment, take out of service; what was replaced begins a new baseline."""
    if wanted.kind in _PROGRAMS:
        raise SettingError(f"{wanted.kind} is for programs, not for people")
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        if wanted.episodes:
            alarms = await database.alarms_by_id(connection, list(wanted.episodes))
            actions, refused = _about_episodes(wanted, person.name, alarms)
        else:
            code = checked_code(wanted.robot_id)
            if await database.robot(connection, code) is None:
                raise SettingError(f"nothing of robot {code} has landed, or it is in none of your fleets")
            alarms = await database.alarms(connection, code)
            wish = _wish(wanted, person.name, code, component=wanted.component)
            actions, refused = actions_of(wish, alarms, time.time_ns() // 1000)[0], []
    publisher: Publisher = request.app.state.publisher
    await publisher.publish(ACTIONS.name, [(a.robot_id.encode(), encode_action(a)) for a in actions])
    return Outcome(sent=[_sent(action) for action in actions], refused=refused)


def _about_episodes(wanted: Wanted, actor: str, alarms: Sequence[Alarm]) -> tuple[list[Action], list[Refused]]:
    known = {alarm.episode_id: alarm for alarm in alarms}
    actions: list[Action] = []
    refused: list[Refused] = []
    for episode_id in dict.fromkeys(wanted.episodes):
        alarm = known.get(episode_id)
        if alarm is None:
            refused.append(Refused(episode_id=episode_id, why="no such episode, or it is in none of your fleets"))
            continue
        try:
            wish = _wish(wanted, actor, alarm.robot_id, episode=episode_id)
            actions += actions_of(wish, [alarm], time.time_ns() // 1000)[0]
        except SettingError as error:
            refused.append(Refused(episode_id=episode_id, why=str(error)))
    return actions, refused


def _wish(wanted: Wanted, actor: str, robot_id: str, episode: str = "", component: str = "") -> Wish:
    return Wish(
        kind=wanted.kind,
        robot_id=robot_id,
        actor=actor,
        note=wanted.note,
        episode=episode,
        component=component,
        shelf_us=None if wanted.for_s is None else round(wanted.for_s * 1e6),
    )


def _sent(action: Action) -> Sent:
    return Sent(
        action_id=action.id, robot_id=action.robot_id, episode_id=action.episode_id, component=action.component
    )
