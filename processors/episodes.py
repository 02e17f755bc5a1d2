"""Episodes: one condition of one robot from its first sign to its end, and the transitions that people are told.

In: what is recorded of a robot's episodes, and what rules report. Out: the new record, and one Anomaly a
transition: opened, updated (the level changed), cleared. Called by `processors/assessor.py`; the record lives in
a table keyed by robot.

An episode's id follows from the robot, the condition and its first sign, and transitions are numbered, so that a
repeat of the same input is the same event. A report says what is true, not what changed: applying it twice
changes nothing. A condition that comes back within REOPEN_US of its end continues its episode (ISA-18.2: against
chattering), with `opened` again under the next number.
"""

import hashlib

import msgspec

from processors import wording
from processors.findings import EVERYTHING, RULE_VERSIONS, Finding, Level, Report, status_of
from schemas.anomaly import ANOMALY_VERSION, Anomaly, Transition
from schemas.errors import ContractError

RECORD_VERSION = 1
REOPEN_US = 60_000_000  # ours
_KEPT_US = 3_600_000_000  # long after nobody asks any more what ended


class Episode(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """`number` is the robot's n-th episode, `transition` the number of the last transition. `level` is OK after
    the end, which was at `last_us`. `limit` is that of the level, or of the last one. The count is made of
    `windows` (of this opening, as the rule counts them), `crossings`, and what `earlier` openings had.
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

    @property
    def key(self) -> tuple[str, str, str, str]:
        """As `Finding.key`."""
        return self.rule, self.component, self.signal, self.side

    @property
    def is_open(self) -> bool:
        return self.level is not Level.OK

    @property
    def count(self) -> int:
        """The windows and crossings that showed it."""
        return self.earlier + self.windows + self.crossings


class Record(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A robot's episodes: `opened` so far, and those that are open or ended a short while ago. `health_us` is the
    time of the last health message that a crossing brought about.
    """

    v: int = RECORD_VERSION
    opened: int = 0
    episodes: tuple[Episode, ...] = ()
    health_us: int = -1

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
    if record.v != RECORD_VERSION:
        raise ContractError(f"stored episodes are version {record.v}, this program has {RECORD_VERSION}")
    return record


def step(record: Record, robot: Robot, report: Report) -> tuple[Record, list[Anomaly]]:
    """Apply one report."""
    found = {finding.key: finding for finding in report.findings}
    kept: list[Episode] = []
    told: list[Anomaly] = []
    for episode in record.episodes:
        if episode.rule not in report.rules or not _same_episode(episode, found.get(episode.key)):
            kept += [episode] if episode.rule not in report.rules else []
            continue
        after, transition = _continued(episode, found.pop(episode.key, None), report.until_us)
        told += [_anomaly(robot, episode, after, transition)] if transition else []
        kept += [] if _forgotten(after, report.until_us) else [after]
    opened = record.opened
    for finding in found.values():
        if finding.level is not Level.OK:
            opened += 1
            kept.append(_opened(robot.code, opened, finding))
            told.append(_anomaly(robot, kept[-1], kept[-1], Transition.OPENED))
    return msgspec.structs.replace(record, opened=opened, episodes=tuple(kept)), told


def _same_episode(episode: Episode, finding: Finding | None) -> bool:
    """Whether a finding belongs to the episode of its key: not when that ended long before."""
    if episode.is_open or finding is None or finding.level is Level.OK:
        return True
    return finding.first_us - episode.last_us <= REOPEN_US


def _continued(episode: Episode, finding: Finding | None, until_us: int) -> tuple[Episode, Transition | None]:
    """An episode after what is said of its condition, and the transition if there is one."""
    may_lower = until_us > episode.last_us
    if finding is None or finding.level is Level.OK:
        if not (episode.is_open and may_lower):
            return episode, None
        return _ended(episode, finding, until_us), Transition.CLEARED
    later = finding.last_us > episode.last_us
    if not episode.is_open:
        # What ended cannot have shown itself before its end and be new: that is a repeat.
        return (_reopened(episode, finding), Transition.OPENED) if later else (episode, None)
    # What was seen before the last sign cannot raise it: that is a repeat of what has been lowered since.
    raised, lowered = finding.level > episode.level and later, finding.level < episode.level and may_lower
    if raised or lowered:
        return _seen(episode, finding, transition=episode.transition + 1), Transition.UPDATED
    if not later or finding.level is not episode.level:
        return episode, None
    if _crossings(finding):
        # The windows count while it is open. A summariser that was restarted may tell of a crossing once more.
        return msgspec.structs.replace(episode, last_us=finding.last_us), None
    return _seen(episode, finding), None


def _opened(code: str, number: int, finding: Finding) -> Episode:
    told = f"{code}/{'/'.join(finding.key)}/{finding.first_us}"
    return Episode(
        id=hashlib.blake2b(told.encode(), digest_size=12).hexdigest(),
        number=number,
        transition=1,
        rule=finding.rule,
        component=finding.component,
        signal=finding.signal,
        side=finding.side,
        level=finding.level,
        value=finding.value,
        limit=finding.limit,
        first_us=finding.first_us,
        last_us=finding.last_us,
        windows=finding.windows,
        crossings=_crossings(finding),
        earlier=0,
    )


def _crossings(finding: Finding) -> int:
    return 1 if finding.windows == 0 else 0


def _seen(episode: Episode, finding: Finding, transition: int | None = None) -> Episode:
    """One more sign of it."""
    return msgspec.structs.replace(
        episode,
        transition=transition or episode.transition,
        level=finding.level,
        value=finding.value,
        limit=finding.limit,
        last_us=max(episode.last_us, finding.last_us),
        windows=max(episode.windows, finding.windows),
        crossings=episode.crossings + _crossings(finding),
    )


def _reopened(episode: Episode, finding: Finding) -> Episode:
    return _seen(
        msgspec.structs.replace(episode, earlier=episode.count, windows=0, crossings=0),
        finding,
        transition=episode.transition + 1,
    )


def _ended(episode: Episode, finding: Finding | None, until_us: int) -> Episode:
    return msgspec.structs.replace(
        episode,
        transition=episode.transition + 1,
        level=Level.OK,
        value=finding.value if finding else None,
        last_us=max(episode.last_us, finding.last_us if finding else until_us),
        windows=max(episode.windows, finding.windows if finding else 0),
    )


def _forgotten(episode: Episode, until_us: int) -> bool:
    return not episode.is_open and until_us != EVERYTHING and episode.last_us < until_us - _KEPT_US


def _anomaly(robot: Robot, before: Episode, after: Episode, transition: Transition) -> Anomaly:
    """What is told. A cleared episode keeps the status that it had: the transition says that it is over."""
    if transition is Transition.CLEARED:
        level = before.level
        text = wording.ended(after.rule, after.component, after.signal, after.value, after.first_us)
    else:
        level = after.level
        text = describe(after)
    return Anomaly(
        v=ANOMALY_VERSION,
        robot_id=robot.code,
        episode_id=after.id,
        episode=after.number,
        number=after.transition,
        transition=transition,
        rule=after.rule,
        rule_version=RULE_VERSIONS[after.rule],
        component=after.component,
        signal=after.signal,
        status=status_of(after.rule, level),
        value=after.value,
        unit=wording.unit_of(after.signal),
        limit=after.limit,
        first_us=after.first_us,
        last_us=after.last_us,
        count=after.count,
        live=True,
        software=robot.software,
        scenario=robot.scenario,
        text=text,
    )


def describe(episode: Episode) -> str:
    """An open episode in one sentence."""
    return wording.sentence(
        episode.rule, episode.component, episode.signal, episode.side, episode.level, episode.value,
        episode.limit, episode.first_us,
    )  # fmt: skip
