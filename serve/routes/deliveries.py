"""Who was told of alarms, and telling them again."""

import time
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request

from serve import deliveries
from serve.context import Context
from serve.contract import API, body, route
from serve.deliveries import Attempt, Delivery, ReceiverState
from serve.identity import needs
from serve.people import Person, Role

router = APIRouter(prefix=API, tags=["alerts"])
Viewer = Annotated[Person, Depends(needs(Role.VIEWER))]
Operator = Annotated[Person, Depends(needs(Role.OPERATOR))]
EveryRobotsOperator = Annotated[Person, Depends(needs(Role.OPERATOR, every_robot=True))]
AT_ONCE = 500
MAX_ID = 2**63 - 1


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries by their `id`."""

    ids: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)], ...], msgspec.Meta(min_length=1, max_length=AT_ONCE)
    ]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """`queued`: how many deliveries the notifier has to make now. `unknown`: how many there are not for who asks,
    or went in one message with what they may not see.
    """

    queued: int
    unknown: int


class Queued(msgspec.Struct, frozen=True):
    """How many deliveries the notifier has to make now."""

    queued: int


@route(router, "GET", "/deliveries", Role.VIEWER, list[Delivery])
async def list_deliveries(
    request: Request,
    person: Viewer,
    receiver: str | None = None,
    failed: bool = False,
    dropped: bool = False,
    count: Annotated[int, Query(ge=1, le=500)] = 100,
    before: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
) -> list[Delivery]:
    """What was told to whom, newest first. `dropped`: also what nobody was to be told. `before`: older ones."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await deliveries.deliveries(connection, receiver, None, failed, dropped, count, before)


@route(router, "GET", "/deliveries/{delivery}/attempts", Role.OPERATOR, list[Attempt])
async def attempts(
    request: Request, person: Operator, delivery: Annotated[int, Path(ge=1, le=MAX_ID)]
) -> list[Attempt]:
    """Each try of one delivery, oldest first; none of one that there is not."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await deliveries.attempts(connection, delivery)


@route(router, "POST", "/deliveries/replay", Role.OPERATOR, Replayed, takes=Replay)
async def replay(request: Request, person: Operator, wanted: Annotated[Replay, Depends(body(Replay))]) -> Replayed:
    """Send deliveries again with the ids that they had; what was told in the same message goes along."""
    context: Context = request.app.state.context
    asked = set(wanted.ids)
    async with context.own() as connection:
        messages = await deliveries.message_mates(connection, wanted.ids)
    async with context.reading(person) as connection:
        seen = await deliveries.visible(connection, list(set().union(*messages.values())))
    # A message goes as it went or not at all: its receiver knows it by its id.
    whole = [id for id in asked if id in messages and messages[id] <= seen]
    async with context.own() as connection:
        queued = await deliveries.replay(connection, whole) if whole else 0
    return Replayed(queued=queued, unknown=len(asked) - len(whole))


@route(router, "GET", "/receivers", Role.VIEWER, list[ReceiverState])
async def receivers(request: Request, person: Viewer) -> list[ReceiverState]:
    """Who is told, and how that stands. What waits or was given up is counted of robots that one may see."""
    context: Context = request.app.state.context
    async with context.reading(person) as connection:
        return await deliveries.receivers(connection)


@route(router, "POST", "/receivers/{name}/test", Role.OPERATOR, Queued, every_robot=True)
async def send_test(request: Request, person: EveryRobotsOperator, name: str) -> Queued:
    """Tell a receiver of a test; nothing has happened."""
    context: Context = request.app.state.context
    async with context.own() as connection:
        await deliveries.request_test(connection, name, person.name, time.time_ns() // 1000)
    return Queued(1)


@route(router, "POST", "/receivers/{name}/enable", Role.OPERATOR, Queued, every_robot=True)
async def enable(request: Request, person: EveryRobotsOperator, name: str) -> Queued:
    """Tell a receiver again that was disabled because it answered 410."""
    context: Context = request.app.state.context
    async with context.own() as connection:
        return Queued(await deliveries.enable(connection, name))
