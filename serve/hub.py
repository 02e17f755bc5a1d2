"""What the live stream tells: the fleet's latest state, and what has changed since the last flush. Pure.

In: health and anomalies as they come from their topics. Out: `Moment`s, each with its number, that a page can
resume from. Called by `serve/live.py`, which has the clock and the topics, and read by `serve/routes/stream.py`.

Many changes of a robot between two flushes are told as its latest state. A robot has a number for as long as this
hub lives (its `epoch`): a grid of ten thousand cells is told what changed in a few bytes a cell.
"""

from collections import deque
from collections.abc import Iterable

import msgspec

from schemas.anomaly import FLEET, AlarmState, Anomaly
from schemas.health import SEVERITY, Status

WORST_FIRST = sorted(SEVERITY, key=lambda status: -SEVERITY[status])
_DIGIT = {status: str(number) for number, status in enumerate(WORST_FIRST)}
NO_ZONE = "-"
KEPT_MOMENTS = 600
"""Five minutes at a flush each half second: longer away, a page fetches everything again."""


class Head(msgspec.Struct, frozen=True):
    """Of a health message what the stream needs; the rest is skipped unread."""

    robot_id: str
    time_us: int
    status: Status
    zone: str


class Listed(msgspec.Struct, frozen=True):
    """An episode on the operators' list, as its transition `number` left it; `calls`: it waits for somebody."""

    episode_id: str
    robot_id: str
    number: int
    calls: bool


class AlarmLine(msgspec.Struct, frozen=True, kw_only=True):
    """One transition of an episode, as the stream tells it."""

    episode_id: str
    number: int
    robot_id: str
    component: str
    rule: str
    transition: str
    state: str
    status: str
    parent: str
    actor: str
    note: str
    text: str
    time_us: int


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """Entry i of each is of robot number `index[i]`; `status` a digit into WORST_FIRST, `zone` a letter each."""

    index: list[int]
    status: str
    zone: str
    unacknowledged: list[int]


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What one flush tells, by its number from 1."""

    number: int
    robots: tuple[str, ...]
    changed: Changed
    alarms: tuple[AlarmLine, ...]


class _Robot:
    """`listed`: its episodes that call somebody."""

    __slots__ = ("code", "listed", "number", "status", "time_us", "zone")

    def __init__(self, code: str, number: int) -> None:
        self.code = code
        self.number = number
        self.time_us = -1
        self.status = Status.UNKNOWN
        self.zone = NO_ZONE
        self.listed: set[str] = set()


class Hub:
    """`epoch` names this life of it."""

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch
        self._robots: dict[str, _Robot] = {}
        self._told: dict[str, int] = {}
        self._dirty: dict[str, _Robot] = {}
        self._alarms: list[AlarmLine] = []
        self._moments: deque[Moment] = deque(maxlen=KEPT_MOMENTS)
        self._number = 0

    @property
    def number(self) -> int:
        """That of the last moment."""
        return self._number

    def index_of(self, code: str) -> int:
        """A robot's number in this epoch."""
        return self._robot(code).number

    def take_health(self, head: Head) -> None:
        """The newest judgement counts, in whichever order they come."""
        robot = self._robot(head.robot_id)
        if head.time_us < robot.time_us:
            return
        robot.time_us = head.time_us
        zone = head.zone or NO_ZONE
        if (robot.status, robot.zone) != (head.status, zone):
            robot.status, robot.zone = head.status, zone
            self._dirty[robot.code] = robot

    def begin_with(self, heads: Iterable[Head], listed: Iterable[Listed]) -> None:
        """What is so already, when nobody listens yet: it is no news."""
        for head in heads:
            self.take_health(head)
        for episode in listed:
            self._told[episode.episode_id] = episode.number
            if episode.calls and episode.robot_id != FLEET:
                self._robot(episode.robot_id).listed.add(episode.episode_id)
        self._dirty = {}

    def take_anomaly(self, anomaly: Anomaly) -> None:
        """One that was told before changes nothing."""
        if anomaly.number <= self._told.get(anomaly.episode_id, 0):
            return
        self._told[anomaly.episode_id] = anomaly.number
        self._alarms.append(_line(anomaly))
        if anomaly.state is AlarmState.NORMAL:
            del self._told[anomaly.episode_id]
        if anomaly.robot_id == FLEET:
            return
        robot = self._robot(anomaly.robot_id)
        before = len(robot.listed)
        (robot.listed.add if _calls(anomaly) else robot.listed.discard)(anomaly.episode_id)
        if len(robot.listed) != before:
            self._dirty[robot.code] = robot

    def flush(self) -> Moment | None:
        """What has changed since the last one; None when nothing has."""
        if not self._dirty and not self._alarms:
            return None
        self._number += 1
        moment = Moment(
            number=self._number,
            robots=tuple(self._dirty),
            changed=_changed(list(self._dirty.values())),
            alarms=tuple(self._alarms),
        )
        self._moments.append(moment)
        self._dirty, self._alarms = {}, []
        return moment

    def state_of(self, code: str) -> tuple[str, str, int]:
        """A robot's status as a digit, its zone, and how many alarms of it call."""
        robot = self._robot(code)
        return _DIGIT[robot.status], robot.zone, len(robot.listed)

    def lately_changed(self) -> set[str]:
        """The robots of all moments that are kept."""
        return {code for moment in self._moments for code in moment.robots}

    def since(self, number: int) -> list[Moment] | None:
        """What came after moment `number`; None when it is not kept any more, or is of a time to come."""
        if number > self._number or self._number - number > len(self._moments):
            return None
        return [moment for moment in self._moments if moment.number > number]

    def _robot(self, code: str) -> _Robot:
        robot = self._robots.get(code)
        if robot is None:
            robot = self._robots[code] = _Robot(code, len(self._robots))
        return robot


def seen_by(moment: Moment, prefixes: tuple[str, ...]) -> Moment:
    """What of a moment is of robots whose codes begin so. A fleet's episode is of no one robot: nothing of it."""
    kept = [i for i, code in enumerate(moment.robots) if code.startswith(prefixes)]
    changed = moment.changed
    return Moment(
        number=moment.number,
        robots=tuple(moment.robots[i] for i in kept),
        changed=Changed(
            index=[changed.index[i] for i in kept],
            status="".join(changed.status[i] for i in kept),
            zone="".join(changed.zone[i] for i in kept),
            unacknowledged=[changed.unacknowledged[i] for i in kept],
        ),
        alarms=tuple(alarm for alarm in moment.alarms if alarm.robot_id.startswith(prefixes)),
    )


def _changed(robots: list[_Robot]) -> Changed:
    return Changed(
        index=[robot.number for robot in robots],
        status="".join(_DIGIT[robot.status] for robot in robots),
        zone="".join(robot.zone for robot in robots),
        unacknowledged=[len(robot.listed) for robot in robots],
    )


def _calls(anomaly: Anomaly) -> bool:
    unacknowledged = (AlarmState.UNACKNOWLEDGED_ACTIVE, AlarmState.UNACKNOWLEDGED_CLEARED)
    return anomaly.state in unacknowledged and not anomaly.parent


def _line(anomaly: Anomaly) -> AlarmLine:
    return AlarmLine(
        episode_id=anomaly.episode_id,
        number=anomaly.number,
        robot_id=anomaly.robot_id,
        component=anomaly.component,
        rule=anomaly.rule,
        transition=anomaly.transition.value,
        state=anomaly.state.value,
        status=anomaly.status.value,
        parent=anomaly.parent,
        actor=anomaly.actor,
        note=anomaly.note,
        text=anomaly.text,
        time_us=anomaly.last_us if anomaly.acted_us < 0 else anomaly.acted_us,
    )
