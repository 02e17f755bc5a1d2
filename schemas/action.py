"""Action: what an operator does about a robot's episodes and parts, on `fleet.actions` (key: robot code), as JSON.

Written by `robovitals act`, the server, and the grouping of episodes (adopt, release); read by the assessor, which
alone changes episodes. An action that comes twice, by its `id`, changes nothing the second time.
"""

import re
from enum import StrEnum
from typing import Annotated

import msgspec

from schemas.anomaly import FLEET
from schemas.errors import RejectError
from schemas.frame import MAX_INTEGER
from schemas.robot_code import is_code

ACTION_VERSION = 1

LONGEST_TEXT = 2000
LONGEST_SHELF_US = 7 * 24 * 3_600_000_000
"""Ours: what is shelved must come back, after a week at most."""
_COMPONENT = re.compile(r"(joint/[1-9][0-9]{0,2}|accuracy|battery|robot)?\Z")


class Kind(StrEnum):
    """What is to be done. A program's own are the last two."""

    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    COMMENT = "comment"
    OUT_OF_SERVICE = "out_of_service"
    IN_SERVICE = "in_service"
    REPLACED = "replaced"
    ADOPT = "adopt"
    RELEASE = "release"


_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Short = Annotated[str, msgspec.Meta(max_length=128)]
_Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]
_Time = Annotated[int, msgspec.Meta(ge=-1, le=MAX_INTEGER)]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One action. `id` is unique; `time_us` when it was made, by the wall clock of whoever made it.

    About the episode `episode_id`; where that is empty about all of `component` (`joint/3`), and where that is
    empty too about all of the robot. `replaced`: `component` is another part since. `until_us`: for shelve, -1 for
    the default. `parent`: the episode that adopts, for adopt and release. About an episode of the fleet `robot_id`
    is `fleet`.
    """

    v: int
    id: _Id
    robot_id: str
    kind: Kind
    actor: _Short
    time_us: _Time
    episode_id: _Short = ""
    component: _Short = ""
    note: _Text = ""
    until_us: _Time = -1
    parent: _Short = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Action)


def encode_action(action: Action) -> bytes:
    """JSON: whoever has only `kcat` can write one too."""
    return _encoder.encode(action)


def decode_action(value: bytes) -> Action:
    """Read one. Raises RejectError."""
    try:
        action = _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectError("undecodable", str(error)[:200]) from None
    check_action(action)
    return action


def check_action(action: Action) -> None:
    """Raises RejectError for one that nobody could carry out."""
    if action.v != ACTION_VERSION:
        raise RejectError("future_version", f"version {action.v}; this program reads {ACTION_VERSION}")
    if action.robot_id == FLEET:
        _check_about_fleet(action)
    elif not is_code(action.robot_id):
        raise RejectError("bad_code", f"an action about {action.robot_id[:60]!r}")
    if not _COMPONENT.match(action.component):
        raise RejectError(
            "wrong_type", f"{action.component[:60]!r} is no component: joint/3, battery, accuracy, robot"
        )
    if action.kind is Kind.REPLACED and (action.episode_id or action.component in ("", "robot")):
        raise RejectError(
            "wrong_type", f"{action.kind} needs the component that has another part: joint/3, battery"
        )
    if action.kind in (Kind.ADOPT, Kind.RELEASE) and not (action.parent and action.episode_id):
        raise RejectError("wrong_type", f"{action.kind} needs an episode and its parent")
    if "\0" in "".join((action.id, action.actor, action.note, action.episode_id, action.parent)):
        raise RejectError("bad_text", "a text of an action holds a NUL")


def _check_about_fleet(action: Action) -> None:
    if not action.episode_id:
        raise RejectError("wrong_type", "an action about the fleet needs the episode that it is about")
    if action.kind in (Kind.OUT_OF_SERVICE, Kind.IN_SERVICE, Kind.REPLACED, Kind.ADOPT, Kind.RELEASE):
        raise RejectError("wrong_type", f"{action.kind} is for robots, not for the fleet")
