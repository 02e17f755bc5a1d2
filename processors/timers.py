"""What time does to episodes: the shelf's end, the end of chattering, and of waiting for an acknowledgement; and
what waits for a pulse to be told.

In: a robot's record and the time of a pulse. Out: the new record, and one Anomaly a transition. Called by
`processors/attending.py` when `wake_us` says so.
"""

import msgspec

from processors.episodes import NEVER, Episode, Record, Robot, is_out_of_service
from processors.findings import SILENCE
from processors.lifecycle import ended, settle_parents
from processors.telling import Deed, tell
from schemas.anomaly import Anomaly, Transition


def wake_us(record: Record) -> int:
    """When there is something to do, by the broker's clock; NEVER where there is nothing."""
    times = [time_us for e in record.episodes for time_us in (e.shelved_us, e.due_us) if time_us != NEVER]
    return min(times, default=NEVER)


def step(record: Record, robot: Robot, now_us: int) -> tuple[Record, list[Anomaly]]:
    """All that is due at a pulse."""
    kept: list[Episode] = []
    told: list[Anomaly] = []
    adopts = False
    for episode in record.episodes:
        if episode.is_shelved and episode.shelved_us <= now_us:
            deed = Deed("", "", episode.shelved_us)
            episode, anomaly = tell(record, robot, unshelved(episode), Transition.UNSHELVED, deed)
            told.append(anomaly)
        if episode.due_us == NEVER or episode.due_us > now_us:
            kept.append(episode)
        elif episode.rule == SILENCE and episode.is_open:
            adopts = True
            kept.append(msgspec.structs.replace(episode, due_us=NEVER))
        else:
            episode, anomaly = _over(record, robot, episode)
            kept.append(episode)
            told.append(anomaly)
    record, adopted = settle_parents(msgspec.structs.replace(record, episodes=tuple(kept)), robot, adopts)
    return record, told + adopted


def unshelved(episode: Episode) -> Episode:
    """As it is without its shelf: what is still there calls again, for that is what a shelf's end is for."""
    return msgspec.structs.replace(episode, shelved_us=NEVER, acknowledged=not episode.is_open)


def _over(record: Record, robot: Robot, episode: Episode) -> tuple[Episode, Anomaly]:
    deed = Deed("", "", episode.due_us)
    if episode.is_open:
        spared = is_out_of_service(record, episode.component) or bool(episode.parent)
        return tell(record, robot, ended(episode, episode.due_us, spared), Transition.CLEARED, deed)
    after = msgspec.structs.replace(episode, acknowledged=True, due_us=NEVER)
    return tell(record, robot, after, Transition.RETIRED, deed)
