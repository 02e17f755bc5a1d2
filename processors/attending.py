"""What people and time do to the episodes of a shard's robots: state in, state and messages out.

In: the state of a shard, an operator's action or the time of a pulse, and a way to read the episodes of a robot.
Out: an `Outcome`, as of everything that the assessor does. Called by `processors/steps.py`.

The shard holds of each robot when time changes its episodes, so that a pulse, which comes every few seconds for all
robots, reads the episodes of those alone.
"""

from dataclasses import replace

import msgspec
import numpy as np

from processors import actions, health, slow, timers
from processors.assessor import Outcome, Records
from processors.episodes import Record, Robot
from processors.shard import NEVER, Shard, widened, with_rows
from schemas.action import Kind
from schemas.anomaly import Anomaly, Transition
from schemas.errors import RejectError
from schemas.robot_code import CODE_LENGTH
from schemas.vitals import Acted


def on_action(shard: Shard, acted: Acted, records: Records) -> Outcome:
    """An action about one robot. One that is about nothing, or changes nothing, is rejected in the outcome; its id
    is remembered all the same, so that after a crash it finds nothing that came after it.
    """
    code = acted.action.robot_id
    before = records(code)
    outcome = Outcome()
    try:
        record, outcome.anomalies = actions.apply(before, _robot(shard, code), acted.action, acted.taken_us)
    except RejectError as error:
        record = actions.remembering(before, acted.action)
        outcome.rejected.append(error)
    # Also where nothing has changed: the record may be ahead of its shard.
    after = _renewed(shard, acted) if acted.action.kind is Kind.REPLACED else shard
    wake_us, row = timers.wake_us(record), after.find(code)
    if row is None and wake_us != NEVER:
        after = widened(after, np.array([code.encode()], f"S{CODE_LENGTH}"))
        row = after.find(code)
    if row is not None and after.wake_us[row] != wake_us:
        after = with_rows(after, [row], wake_us=wake_us)
    if row is not None and _has_ended(outcome.anomalies):
        time_us = _time_us(after, row, acted.taken_us, record)
        outcome.healths.append(health.judge(after, row, record, time_us))
        record = msgspec.structs.replace(record, health_us=time_us)
    if record != before:
        outcome.records[code] = record
    outcome.shard = after if after is not shard else None
    return outcome


def _renewed(shard: Shard, acted: Acted) -> Shard:
    """A component is another part since: nothing is known of it yet. Once only: the action may come again after
    windows that the part was seen in.
    """
    code, component = acted.action.robot_id, acted.action.component
    robots = np.array([code.encode()], f"S{CODE_LENGTH}")
    # Also of a robot that no window has shown yet: when the action comes again, one may have.
    shard = widened(shard, robots, components=(component,))
    row, place = int(shard.rows(robots)[0]), shard.components.index(component)
    if shard.renewed_us[row, place] >= acted.taken_us:
        return shard
    renewed_us = shard.renewed_us[row].copy()
    renewed_us[place] = acted.taken_us
    of_part = np.array([track.component == component for track in shard.tracks], bool)
    sums, counts = np.where(of_part, 0, shard.sums[row]), np.where(of_part, 0, shard.counts[row])
    after = with_rows(shard, [row], renewed_us=renewed_us, sums=sums, counts=counts)
    at = None if shard.slow is None else shard.slow.find(code)
    if shard.slow is None or at is None:
        return after
    return replace(after, slow=slow.renewed(shard.slow, at, component))


def _has_ended(told: list[Anomaly]) -> bool:
    return any(anomaly.transition is Transition.CLEARED for anomaly in told)


def _time_us(shard: Shard, row: int, now_us: int, record: Record) -> int:
    """Of a health that time or a person brings about: the robot's time, after all that was said of it."""
    time_us = int(shard.last_time_us[row]) + max(now_us - int(shard.received_us[row]), 0)
    return max(time_us, int(shard.health_us[row]) + 1, record.health_us + 1)


def on_pulse(shard: Shard, now_us: int, records: Records) -> Outcome:
    """What is due of all robots of the shard."""
    outcome = Outcome()
    rows = np.nonzero((shard.wake_us != NEVER) & (shard.wake_us <= now_us))[0].tolist()
    if not rows:
        return outcome
    health_us, wake_us = shard.health_us.copy(), shard.wake_us.copy()
    for row in rows:
        code = shard.robots[row].decode()
        before = records(code)
        record, told = timers.step(before, _robot(shard, code), now_us)
        outcome.anomalies += told
        if _has_ended(told):
            time_us = _time_us(shard, row, now_us, record)
            outcome.healths.append(health.judge(shard, row, record, time_us))
            record = msgspec.structs.replace(record, health_us=time_us)
            health_us[row] = time_us
        if record != before:
            outcome.records[code] = record
        wake_us[row] = timers.wake_us(record)
    outcome.shard = with_rows(shard, rows, health_us=health_us[rows], wake_us=wake_us[rows])
    return outcome


def reading(outcome: Outcome, records: Records) -> Records:
    """Episodes as an outcome leaves them."""

    def record(code: str) -> Record:
        changed = outcome.records.get(code)
        return records(code) if changed is None else changed

    return record


def both(first: Outcome, second: Outcome) -> Outcome:
    """What comes of one message in two parts, of which the second has read what the first left."""
    return Outcome(
        shard=first.shard if second.shard is None else second.shard,
        records=first.records | second.records,
        anomalies=first.anomalies + second.anomalies,
        healths=first.healths + second.healths,
        windows=first.windows + second.windows,
        findings=first.findings + second.findings,
        rejected=first.rejected + second.rejected,
    )


def _robot(shard: Shard, code: str) -> Robot:
    row = shard.find(code)
    return Robot(code, "", "") if row is None else Robot(code, shard.software[row], shard.scenario[row])
