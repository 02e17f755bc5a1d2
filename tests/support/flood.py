"""Episodes of many robots for tests of the grouping, as the assessor tells of them, and its part of adopting."""

from collections.abc import Iterable
from typing import Any

import msgspec

from processors.fleet_state import Fleet
from processors.groups import OPEN_AT, Outcome, step
from processors.members import SLICE_US, Arrived, Asked, Seen
from schemas.action import Action, Kind, check_action
from schemas.anomaly import FLEET, Anomaly, Cause, Transition, about_of
from schemas.health import Status
from schemas.limits import MODEL_LENGTH
from support.assess import START_US, robot

HOT = ("limit", "joint_temperature_c", "above")
SILENT = ("silence", "", "")
CURRENT = ("drift", "joint_current_a", "above")
TRACKING = ("step", "joint_tracking_error_rad", "above")
MINUTE = 60


def at_us(seconds: float) -> int:
    return START_US + round(seconds * 1_000_000)


def opened(
    number: int, condition: tuple[str, str, str] = HOT, model: str = "MODEL1", software: str = "1.0", **changes: Any
) -> Anomaly:
    """The n-th robot's episode of a condition opens."""
    code = robot(number, model)
    rule, signal, side = condition
    usual: dict[str, Any] = {
        "v": 1, "robot_id": code, "episode_id": f"{rule}-{signal}-{code[-6:]}-{model}", "episode": 1, "number": 1,
        "transition": Transition.OPENED, "rule": rule, "rule_version": 1, "component": "joint/1", "signal": signal,
        "status": Status.OFF_SPEC, "value": 95.0, "unit": "°C", "limit": 90.0, "first_us": START_US,
        "last_us": START_US, "count": 1, "live": True, "software": software, "scenario": "factory_line",
        "text": "Hot.", "about": about_of(rule),
        "cause": Cause(rule, signal, side, code[:MODEL_LENGTH], software).text, **changes,
    }  # fmt: skip
    return Anomaly(**usual)


def then(anomaly: Anomaly, transition: Transition, **changes: Any) -> Anomaly:
    """The next transition of an episode."""
    usual = {"number": anomaly.number + 1, "active": transition is not Transition.CLEARED, **changes}
    return msgspec.structs.replace(anomaly, transition=transition, **usual)


def came(seconds: float, anomalies: Iterable[Anomaly]) -> list[Seen]:
    return [Seen(at_us(seconds), anomaly) for anomaly in anomalies]


class Played:
    """A fleet's state over some steps, and all that came of them. With `obeys` robots do as they are told."""

    def __init__(self, obeys: bool = True) -> None:
        self.fleet = Fleet()
        self.told: list[Anomaly] = []
        self.actions: list[Action] = []
        self.calls = 0
        self._obeys = obeys
        self._acted = 0
        self._last: dict[str, Anomaly] = {}

    def at(self, seconds: float, *anomalies: Anomaly) -> Outcome:
        """What comes at a moment, and what follows by the end of its slice."""
        self._last |= {anomaly.episode_id: anomaly for anomaly in anomalies}
        return self._take(seconds, came(seconds, anomalies))

    def act(self, seconds: float, kind: Kind, parent: str, **of: Any) -> Outcome:
        """An operator does something about a parent."""
        self._acted += 1
        usual: dict[str, Any] = {
            "v": 1, "id": f"action-{self._acted}", "robot_id": FLEET, "kind": kind, "actor": "Kim",
            "time_us": at_us(seconds), "episode_id": parent, **of,
        }  # fmt: skip
        action = Action(**usual)
        check_action(action)
        return self._take(seconds, [Asked(at_us(seconds), action)])

    def _take(self, seconds: float, arrived: Iterable[Arrived]) -> Outcome:
        outcome = step(self.fleet, arrived, at_us(seconds) + SLICE_US)
        self.told += outcome.anomalies
        self.actions += outcome.actions
        self.calls += outcome.calls
        if self._obeys and outcome.actions:
            self.at(seconds, *map(self._obeyed, outcome.actions))
        return outcome

    def _obeyed(self, action: Action) -> Anomaly:
        adopts = action.kind is Kind.ADOPT
        transition = Transition.ADOPTED if adopts else Transition.RELEASED
        return then(self._last[action.episode_id], transition, parent=action.parent if adopts else "")

    @property
    def parents(self) -> list[tuple[str, str, float | None]]:
        """Of each parent's transitions the parent, what happened, and how many robots it had."""
        return [(a.episode_id, a.transition.value, a.value) for a in self.told]

    @property
    def open_parents(self) -> int:
        return len(self.fleet.open_parents)


def flood(size: int = OPEN_AT, **of: str) -> list[Anomaly]:
    """So many robots that open at once."""
    return [opened(number, **of) for number in range(size)]  # type: ignore[arg-type]
