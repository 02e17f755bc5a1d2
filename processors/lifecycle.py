"""Episodes as rules have them: opened, updated (the level changed), cleared.

In: a robot's record, what rules report, and the broker's time of the robot's last frame. Out: the new record, and
one Anomaly a transition. Called by `processors/assessor.py`.

Times of signs are the robot's own, which may be years off; so how long an end or a quiet lasts is measured from the
broker's time. What comes of that time is `processors/timers.py`'s.

An episode's id follows from the robot, the condition and its first sign, and transitions are numbered, so that a
repeat of the same input is the same event. A report says what is true, not what changed: applying it twice
changes nothing.

- A condition that comes back within REOPEN_US of its end, or while it is shelved, continues its episode, with
  `opened` again under the next number. One that comes back later is another episode, in its place on the list.
- An acknowledgement lasts as long as what was acknowledged: not beyond a new opening, nor a higher level.
- An episode that opens CHATTER_OPENINGS times within CHATTER_US chatters (ISA-18.2). That is told once; from then
  on it stays open until it is quiet for a while, which doubles each time it is not.
- While a robot is silent, its silence is the parent of its other episodes: nobody is called for them. That is told
  by the next pulse: after a restart silence may be noticed later than before, so no number may depend on it until
  it is written.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from processors.episodes import (
    NEVER,
    Episode,
    Record,
    Robot,
    is_out_of_service,
    parent_of,
)
from processors.findings import EVERYTHING, SILENCE, Finding, Level, Report
from processors.telling import tell
from schemas.anomaly import Anomaly, Transition

# Ours, all of them. ISA-18.2 calls three alarms in a minute chattering; but a condition is seen once a window, of
# 10 or 60 s, and again after its delays: three openings in ten minutes are as fast as it can go.
REOPEN_US = 60_000_000
CHATTER_OPENINGS = 3
CHATTER_US = 600_000_000
SHORTEST_HOLD_US = 300_000_000
LONGEST_HOLD_US = 3_600_000_000
UNACKNOWLEDGED_US = 24 * 3_600_000_000  # on the list after the end: every shift has seen it

_KEPT_US = 3_600_000_000  # long after nobody asks any more what ended


def apply(
    record: Record, robot: Robot, reports: Iterable[Report], received_us: int
) -> tuple[Record, list[Anomaly]]:
    """All that is reported of a robot at once, and then who speaks for whom."""
    told: list[Anomaly] = []
    for report in (*_spoken(record, received_us), *reports):
        record, more = _step(record, robot, report, received_us)
        told += more
    record, more = settle_parents(record, robot, by_silence=False)
    return record, told + more


def _spoken(record: Record, received_us: int) -> list[Report]:
    """The end of a silence that its shard does not know of: we were stopped between writing the two."""
    silences = [e for e in record.open if e.rule == SILENCE and e.first_us < received_us]
    findings = [
        Finding(
            rule=SILENCE, component=e.component, signal="", side="", level=Level.OK, value=None, limit=None,
            first_us=e.first_us, last_us=received_us, windows=0,
        )
        for e in silences
    ]  # fmt: skip
    return [Report(rules=(SILENCE,), until_us=EVERYTHING, findings=findings)] if findings else []


def settle_parents(record: Record, robot: Robot, by_silence: bool) -> tuple[Record, list[Anomaly]]:
    """Tell of each open episode that has got another parent, or none any more; of a silence as parent if asked."""
    kept: list[Episode] = []
    told: list[Anomaly] = []
    for episode in record.episodes:
        parent = parent_of(record, episode)
        if episode.is_open and parent != episode.told_parent and (by_silence or parent == episode.parent):
            transition = Transition.ADOPTED if parent else Transition.RELEASED
            episode, anomaly = tell(record, robot, episode, transition)
            told.append(anomaly)
        kept.append(episode)
    return (msgspec.structs.replace(record, episodes=tuple(kept)) if told else record), told


def _step(record: Record, robot: Robot, report: Report, received_us: int) -> tuple[Record, list[Anomaly]]:
    found = {finding.key: finding for finding in report.findings}
    kept: list[Episode] = []
    told: list[Anomaly] = []

    def telling(episode: Episode, transition: Transition | None) -> Episode:
        if transition is None:
            return episode
        episode, anomaly = tell(record, robot, episode, transition)
        told.append(anomaly)
        return episode

    for episode in record.episodes:
        if episode.rule not in report.rules:
            kept.append(episode)
        elif not _same_episode(episode, found.get(episode.key)):
            if episode.is_listed:
                telling(msgspec.structs.replace(episode, acknowledged=True), Transition.RETIRED)
        else:
            spared = is_out_of_service(record, episode.component) or bool(episode.parent)
            now = _Now(report.until_us, received_us, spared)
            after = telling(*_continued(episode, found.pop(episode.key, None), now))
            kept += [] if _forgotten(after, report.until_us) else [after]
    opened = record.opened
    for finding in found.values():
        if finding.level is not Level.OK:
            opened += 1
            kept.append(telling(_opened(robot, opened, finding), Transition.OPENED))
    return msgspec.structs.replace(record, opened=opened, episodes=tuple(kept)), told


def _same_episode(episode: Episode, finding: Finding | None) -> bool:
    """Whether a finding belongs to the episode of its key: not when that ended long before."""
    if episode.is_open or episode.is_shelved or finding is None or finding.level is Level.OK:
        return True
    return finding.first_us - episode.last_us <= REOPEN_US


class _Now(NamedTuple):
    """How far the rules have seen (the robot's clock); the broker's time; whether ends need no acknowledgement."""

    until_us: int
    received_us: int
    spared: bool


def _continued(episode: Episode, finding: Finding | None, now: _Now) -> tuple[Episode, Transition | None]:
    """An episode after what is said of its condition, and the transition if there is one."""
    may_lower = now.until_us > episode.last_us
    if finding is None or finding.level is Level.OK:
        if not (episode.is_open and may_lower) or episode.quiet:
            return episode, None
        seen = _last_seen(episode, finding, now.until_us)
        if episode.hold_us:
            return msgspec.structs.replace(seen, quiet=True, due_us=now.received_us + episode.hold_us), None
        return ended(seen, now.received_us, now.spared), Transition.CLEARED
    later = finding.last_us > episode.last_us
    if not episode.is_open:
        # What ended cannot have shown itself before its end and be new: that is a repeat.
        return (_reopened(episode, finding), Transition.OPENED) if later else (episode, None)
    # What was seen before the last sign cannot raise it: that is a repeat of what has been lowered since.
    raised, lowered = finding.level > episode.level and later, finding.level < episode.level and may_lower
    if episode.quiet and (later or lowered):
        episode = _loud(episode, finding)
    if raised or lowered:
        acknowledged = episode.acknowledged and not raised
        return _seen(msgspec.structs.replace(episode, acknowledged=acknowledged), finding), Transition.UPDATED
    if not later or finding.level is not episode.level:
        return episode, None
    if _crossings(finding):
        # The windows count while it is open. A summariser that was restarted may tell of a crossing once more.
        return msgspec.structs.replace(episode, last_us=finding.last_us), None
    return _seen(episode, finding), None


def _opened(robot: Robot, number: int, finding: Finding) -> Episode:
    told = f"{robot.code}/{'/'.join(finding.key)}/{finding.first_us}"
    return Episode(
        id=hashlib.blake2b(told.encode(), digest_size=12).hexdigest(),
        number=number,
        transition=0,
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
        was=finding.level,
        baseline=finding.baseline,
        confidence=finding.confidence,
        software=robot.software,
        starts=(finding.first_us,),
        due_us=finding.last_us + 1 if finding.rule == SILENCE else NEVER,
    )


def _crossings(finding: Finding) -> int:
    return 1 if finding.windows == 0 else 0


def _seen(episode: Episode, finding: Finding) -> Episode:
    """One more sign of it."""
    return msgspec.structs.replace(
        episode,
        level=finding.level,
        was=finding.level,
        value=finding.value,
        limit=finding.limit,
        baseline=finding.baseline,
        confidence=finding.confidence,
        last_us=max(episode.last_us, finding.last_us),
        windows=max(episode.windows, finding.windows),
        crossings=episode.crossings + _crossings(finding),
    )


def _reopened(episode: Episode, finding: Finding) -> Episode:
    """It came back."""
    starts = (*episode.starts, finding.first_us)[-CHATTER_OPENINGS:]
    fast = len(starts) == CHATTER_OPENINGS and starts[-1] - starts[0] <= CHATTER_US
    # A silence is never held open: it would say of a robot that speaks that nothing is known of it.
    hold_us = SHORTEST_HOLD_US if fast and episode.rule != SILENCE else 0
    due_us = finding.last_us + 1 if episode.rule == SILENCE else NEVER
    again = _anew(episode, starts=starts, hold_us=hold_us, acknowledged=False)
    return _seen(msgspec.structs.replace(again, due_us=due_us), finding)


def _anew(episode: Episode, **changes: object) -> Episode:
    """Its windows are counted from the beginning, and it is not quiet any more."""
    return msgspec.structs.replace(
        episode, earlier=episode.count, windows=0, crossings=0, quiet=False, due_us=NEVER, **changes
    )


def _loud(episode: Episode, finding: Finding) -> Episode:
    """It came back while it was held open."""
    return _anew(episode, hold_us=min(2 * episode.hold_us, LONGEST_HOLD_US))


def _last_seen(episode: Episode, finding: Finding | None, until_us: int) -> Episode:
    return msgspec.structs.replace(
        episode,
        value=finding.value if finding else None,
        last_us=max(episode.last_us, finding.last_us if finding else until_us),
        windows=max(episode.windows, finding.windows if finding else 0),
    )


def ended(episode: Episode, at_us: int, spared: bool) -> Episode:
    """Its end. `spared`: a fleet's episode speaks for it, or it is out of service, so nobody has to acknowledge.

    Nor has the end of a silence to be acknowledged: the robot is there again, and its other episodes speak.
    """
    acknowledged = episode.acknowledged or spared or episode.rule == SILENCE
    waits = not (acknowledged or episode.is_shelved)
    return msgspec.structs.replace(
        episode, level=Level.OK, was=episode.level, acknowledged=acknowledged, quiet=False, hold_us=0,
        due_us=at_us + UNACKNOWLEDGED_US if waits else NEVER,
    )  # fmt: skip


def _forgotten(episode: Episode, until_us: int) -> bool:
    return not episode.is_listed and until_us != EVERYTHING and episode.last_us < until_us - _KEPT_US
