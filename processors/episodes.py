"""Episodes: one condition of one robot from its first sign to its end, and the state that it is in for operators.

In: the bytes of a robot's record, or nothing. Out: the record, packed bytes again, and of an episode its state
(ISA-18.2), its parent and a sentence. What changes them: what rules report (`processors/lifecycle.py`), what people
do (`processors/actions.py`), time (`processors/timers.py`). The record lives in a table keyed by robot.

The state is not stored: it follows from whether the condition holds, whether somebody has acknowledged it, whether
it is shelved, and whether its component is out of service.
"""

import msgspec

from processors import wording
from processors.findings import SILENCE, Level
from schemas.anomaly import AlarmState, Cause
from schemas.errors import ContractError
from schemas.limits import MODEL_LENGTH

RECORD_VERSION = 2

NEVER = -1


class Episode(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """`number` is the robot's n-th episode, `transition` the number of the last transition. `level` is OK after
    the end, which was at `last_us`, and `was` what it was before. `limit` is that of the level, or of the last one.
    The count is made of `windows` (of this opening, as the rule counts them), `crossings`, and what `earlier`
    openings had.

    `shelved_us`: until then. `parent`: the fleet's episode that adopted it, `told_parent` the parent that was told
    last. `software`: the robot's at the opening. `starts`: of the last openings the first signs. `hold_us`: 0, or
    how long it has to be quiet before it ends, for it chatters; `quiet`: it is. `due_us`: by the broker's
    clock, when being quiet, or on the list unacknowledged, is over, or a silence adopts the robot's other episodes.
    """

    id: str
    number: int
    transition: int
    rule: str
    component: str
    signal: str
    side: str
    level: Level
    value: float | None
    limit: float | None
    first_us: int
    last_us: int
    windows: int
    crossings: int
    earlier: int
    was: Level = Level.ALARM
    baseline: float | None = None
    confidence: float | None = None
    software: str = ""
    acknowledged: bool = False
    shelved_us: int = NEVER
    parent: str = ""
    told_parent: str = ""
    starts: tuple[int, ...] = ()
    hold_us: int = 0
    quiet: bool = False
    due_us: int = NEVER

    @property
    def key(self) -> tuple[str, str, str, str]:
        """As `Finding.key`."""
        return self.rule, self.component, self.signal, self.side

    @property
    def is_open(self) -> bool:
        return self.level is not Level.OK

    @property
    def is_shelved(self) -> bool:
        return self.shelved_us != NEVER

    @property
    def is_listed(self) -> bool:
        """Whether an operator still has it on the list: every state but normal."""
        return self.is_open or self.is_shelved or not self.acknowledged

    @property
    def count(self) -> int:
        """The windows and crossings that showed it."""
        return self.earlier + self.windows + self.crossings


class Service(msgspec.Struct, frozen=True, array_like=True):
    """A component that is out of service, all of the robot where it is empty; who said so, and when."""

    component: str
    actor: str
    since_us: int


class Record(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A robot's episodes: `opened` so far, and those that are listed or ended a short while ago. `health_us` is the
    time of the last health message that something else than a window brought about. `acted`: the ids of the last
    actions, the newest last; `services`: what is out of service.
    """

    v: int = RECORD_VERSION
    opened: int = 0
    episodes: tuple[Episode, ...] = ()
    health_us: int = NEVER
    acted: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()

    @property
    def open(self) -> list[Episode]:
        return [episode for episode in self.episodes if episode.is_open]


class Robot(msgspec.Struct, frozen=True):
    """What an anomaly says of its robot."""

    code: str
    software: str
    scenario: str


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)


def snapshot(record: Record) -> bytes:
    """The packed bytes of a record."""
    return _encoder.encode(record)


def restore(packed: bytes | None) -> Record:
    """The record from its bytes; an empty one from nothing. Raises ContractError for another version's bytes."""
    if packed is None:
        return Record()
    try:
        record = _decoder.decode(packed)
    except msgspec.DecodeError as error:
        raise ContractError(f"the stored episodes of a robot cannot be read: {error}") from None
    if record.v == 1:
        return _from_version_1(record)
    if record.v != RECORD_VERSION:
        raise ContractError(f"stored episodes are version {record.v}, this program has {RECORD_VERSION}")
    return record


def _from_version_1(record: Record) -> Record:
    """Nobody could acknowledge then: what is open still waits for it, what had ended is over."""
    episodes = tuple(
        msgspec.structs.replace(e, acknowledged=not e.is_open, was=e.level if e.is_open else Level.ALARM)
        for e in record.episodes
    )
    return msgspec.structs.replace(record, v=RECORD_VERSION, episodes=episodes)


def state_of(record: Record, episode: Episode) -> AlarmState:
    """What an operator has to do with it."""
    if episode.is_open and is_out_of_service(record, episode.component):
        return AlarmState.OUT_OF_SERVICE
    if episode.is_shelved:
        return AlarmState.SHELVED
    if episode.is_open:
        return AlarmState.ACKNOWLEDGED_ACTIVE if episode.acknowledged else AlarmState.UNACKNOWLEDGED_ACTIVE
    return AlarmState.NORMAL if episode.acknowledged else AlarmState.UNACKNOWLEDGED_CLEARED


def is_out_of_service(record: Record, component: str) -> bool:
    """The component itself, or all of its robot."""
    return any(service.component in ("", component) for service in record.services)


def parent_of(record: Record, episode: Episode) -> str:
    """The id of the episode that speaks for this one: a fleet's, else that of its robot's silence; or nothing."""
    if episode.parent or episode.rule == SILENCE:
        return episode.parent
    return next((e.id for e in record.episodes if e.rule == SILENCE and e.is_open), "")


def cause_of(robot: Robot, episode: Episode) -> Cause:
    """What other robots' episodes may have in common with it; the same as long as it lasts."""
    model = robot.code[:MODEL_LENGTH]
    return Cause(episode.rule, episode.signal, episode.side, model, episode.software)


def describe(episode: Episode) -> str:
    """An episode in one sentence, or two."""
    if not episode.is_open:
        return _ended(episode)
    if episode.quiet:
        minutes = episode.hold_us // 60_000_000
        return f"{_ended(episode)} It comes and goes, and stays open until it is quiet for {minutes} minutes."
    return wording.sentence(
        episode.rule, episode.component, episode.signal, episode.side, episode.level, episode.value,
        episode.limit, episode.baseline, episode.first_us,
    )  # fmt: skip


def _ended(episode: Episode) -> str:
    return wording.ended(episode.rule, episode.component, episode.signal, episode.value, episode.first_us)
