"""From what an operator types to actions, or to an error that says what there is to act on.

In: the command's or the page's words and the robot's alarms. Out: `Action`s. Called by `deploy/commands/act.py` and
`serve/routes/actions.py`. Pure.
"""

import uuid
from collections.abc import Sequence

import msgspec

from schemas.action import ACTION_VERSION, LONGEST_SHELF_US, Action, Kind, check_action
from schemas.anomaly import FLEET, RULES_OF_PART
from schemas.errors import RejectError, SettingError
from serve.database import Alarm

# What an action of each kind has an effect on; the other kinds are about a component, whatever is wrong with it.
_STATES = {
    Kind.ACKNOWLEDGE: ("unacknowledged_active", "unacknowledged_cleared"),
    Kind.SHELVE: ("unacknowledged_active", "acknowledged_active", "unacknowledged_cleared", "shelved"),
    Kind.UNSHELVE: ("shelved",),
    Kind.COMMENT: (
        "unacknowledged_active", "acknowledged_active", "unacknowledged_cleared", "shelved", "out_of_service",
    ),
}  # fmt: skip


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed. `episode`: its id or the beginning of it; `shelf_us`: how long to shelve, None unsaid."""

    kind: Kind
    robot_id: str
    actor: str
    note: str = ""
    episode: str = ""
    component: str = ""
    shelf_us: int | None = None


def actions_of(wish: Wish, alarms: Sequence[Alarm], now_us: int) -> tuple[list[Action], list[Alarm]]:
    """And the alarms that they will have an effect on. Raises SettingError.

    One for each episode on the list: what has come up since the list was read, nobody has seen.
    """
    _check(wish)
    targets = _targets(wish, alarms)
    if wish.kind in _STATES or wish.robot_id == FLEET:
        return [_action(wish, now_us, alarm.episode_id, "") for alarm in targets], targets
    # It is the component that goes out of service, whatever becomes of the episode.
    component = targets[0].component if wish.episode else wish.component
    return [_action(wish, now_us, "", component)], targets


def _action(wish: Wish, now_us: int, episode_id: str, component: str) -> Action:
    action = Action(
        v=ACTION_VERSION, id=uuid.uuid4().hex, robot_id=wish.robot_id, kind=wish.kind, actor=wish.actor,
        time_us=now_us, episode_id=episode_id, component=component, note=wish.note,
        until_us=-1 if wish.shelf_us is None else now_us + wish.shelf_us,
    )  # fmt: skip
    try:
        check_action(action)
        msgspec.convert(msgspec.to_builtins(action), Action)
    except (RejectError, msgspec.ValidationError) as error:
        raise SettingError(str(error)) from None
    return action


def _check(wish: Wish) -> None:
    if wish.episode and wish.component:
        raise SettingError("--episode and --component: give one of them; an episode is of one component")
    if wish.kind is Kind.COMMENT and not wish.note:
        raise SettingError("comment: give --note TEXT")
    if wish.kind is Kind.REPLACED and (wish.episode or not wish.component):
        raise SettingError("replaced: give --component, the one that is another part since")
    if wish.shelf_us is not None and wish.kind is not Kind.SHELVE:
        raise SettingError(f"--for: only shelve takes it, not {wish.kind}")
    if wish.shelf_us is not None and not 0 < wish.shelf_us <= LONGEST_SHELF_US:
        raise SettingError("--for: more than nothing, and at most 7d: what is shelved must come back")


def _targets(wish: Wish, alarms: Sequence[Alarm]) -> list[Alarm]:
    if wish.episode:
        found = [alarm for alarm in alarms if alarm.episode_id.startswith(wish.episode)]
        if len(found) > 1:
            raise SettingError(f"--episode {wish.episode}: {len(found)} episodes begin so: {_named(found)}")
    else:
        found = [alarm for alarm in alarms if wish.component in ("", alarm.component)]
    if wish.kind is Kind.REPLACED:
        return [alarm for alarm in found if alarm.rule in RULES_OF_PART and alarm.active]
    able = [alarm for alarm in found if alarm.state in _STATES.get(wish.kind, (alarm.state,))]
    if not able and (wish.episode or wish.kind in _STATES):
        verb = wish.kind.replace("_", "-")
        raise SettingError(f"{verb}: there is nothing to {verb}; {wish.robot_id} has on its list: {_named(alarms)}")
    if wish.robot_id == FLEET and len(able) > 1:
        raise SettingError(f"of the fleet's {len(able)} episodes give one, with --episode: {_named(able)}")
    return able


def _named(alarms: Sequence[Alarm]) -> str:
    named = [f"{a.component} {a.rule} ({a.state.replace('_', ' ')}, {a.episode_id[:8]})" for a in alarms]
    return ", ".join(named) or "nothing"
