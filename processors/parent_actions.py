"""What people and time do to an episode of the fleet: as to one of a robot, but for its members.

In: a parent, an action or the time. Out: the parent as it has become, what happened, and who did it. Called by
`processors/groups.py`. Pure. Members need no acknowledgement of their own: their parent speaks for them.
"""

from typing import NamedTuple

import msgspec

from processors.actions import DEFAULT_SHELF_US
from processors.fleet_state import NEVER, Parent
from processors.lifecycle import UNACKNOWLEDGED_US
from processors.telling import Deed
from schemas.action import LONGEST_SHELF_US, Action, Kind
from schemas.anomaly import Transition
from schemas.errors import RejectError

_REMEMBERED = 64


class Done(NamedTuple):
    parent: Parent
    transition: Transition
    deed: Deed


def apply(parent: Parent, action: Action, received_us: int) -> Done | None:
    """None for one that comes again. Raises RejectError for one that changes nothing."""
    if action.id in parent.acted:
        return None
    time_us = min(action.time_us, received_us) if action.time_us >= 0 else received_us
    deed = Deed(action.actor, action.note, time_us)
    after, transition = _changed(parent, action, received_us)
    if after is None:
        raise RejectError("no_effect", f"{action.kind} of the fleet's episode {parent.id} changes nothing")
    acted = (*parent.acted, action.id)[-_REMEMBERED:]
    return Done(msgspec.structs.replace(after, acted=acted), transition, deed)


def _changed(parent: Parent, action: Action, received_us: int) -> tuple[Parent | None, Transition]:
    match action.kind:
        case Kind.ACKNOWLEDGE:
            may = not (parent.acknowledged or parent.is_shelved)
            acknowledged = msgspec.structs.replace(parent, acknowledged=True)
            return (acknowledged if may else None), Transition.ACKNOWLEDGED
        case Kind.SHELVE:
            until_us = action.until_us if action.until_us >= 0 else received_us + DEFAULT_SHELF_US
            until_us = min(until_us, received_us + LONGEST_SHELF_US)
            may = until_us > received_us and (parent.is_open or not parent.acknowledged)
            shelved = msgspec.structs.replace(parent, shelved_us=until_us)
            return (shelved if may else None), Transition.SHELVED
        case Kind.UNSHELVE:
            return (_unshelved(parent) if parent.is_shelved else None), Transition.UNSHELVED
        case Kind.COMMENT:
            return (parent if action.note else None), Transition.COMMENTED
        case _:
            return None, Transition.UPDATED


def _unshelved(parent: Parent) -> Parent:
    """What is still there calls again, for that is what a shelf's end is for."""
    return msgspec.structs.replace(parent, shelved_us=NEVER, acknowledged=not parent.is_open)


def due(parent: Parent, now_us: int) -> Done | None:
    """The shelf's end, and the end of waiting for an acknowledgement after the end."""
    if parent.is_shelved:
        if parent.shelved_us > now_us:
            return None
        return Done(_unshelved(parent), Transition.UNSHELVED, Deed("", "", parent.shelved_us))
    retires_us = parent.closed_us + UNACKNOWLEDGED_US
    if parent.is_open or parent.acknowledged or retires_us > now_us:
        return None
    return Done(msgspec.structs.replace(parent, acknowledged=True), Transition.RETIRED, Deed("", "", retires_us))
