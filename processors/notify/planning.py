"""A batch of anomalies against what receivers know: all that changes in the outbox.

In: the file, anomalies in the order of their partitions, what receivers know of their episodes, and which held
deliveries have not been sent. Out: a Plan. Called by `processors/notify/outbox.py`. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from processors.notify.decide import Decision, Entry, Told, adopt, decide
from processors.notify.receivers import Config
from processors.notify.routing import routes_of
from schemas.anomaly import Anomaly

Key: TypeAlias = tuple[str, str]
"""A receiver and an episode."""


class Arrived(NamedTuple):
    partition: int
    anomaly: Anomaly


class Asked(NamedTuple):
    """The grouping has asked for an episode's adoption."""

    episode_id: str
    parent: str


class Added(NamedTuple):
    """`dropped`: why it is taken back already, empty where it is not."""

    partition: int
    entry: Entry
    dropped: str


@dataclass(slots=True)
class Plan:
    """`taken_back`: stored deliveries that nobody is to hear of, and why."""

    told: dict[Key, Told] = field(default_factory=dict)
    added: dict[str, Added] = field(default_factory=dict)
    taken_back: dict[str, str] = field(default_factory=dict)


def plan(
    config: Config,
    arrived: Iterable[Arrived | Asked],
    known: Mapping[Key, Told],
    waiting: set[str],
    sites: Mapping[str, str],
    now_us: int,
) -> Plan:
    """`known` has every row of the batch's episodes, `sites` where its robots are, as far as somebody has said."""
    made, by_episode = Plan(), dict[str, set[str]]()
    for receiver, episode in known:
        by_episode.setdefault(episode, set()).add(receiver)

    def told_of(key: Key) -> tuple[Told, bool]:
        """And whether what is held has not been sent yet."""
        told = made.told.get(key) or known.get(key, Told())
        in_batch = made.added.get(told.held)
        return told, told.held in waiting or (in_batch is not None and not in_batch.dropped)

    for one in arrived:
        if isinstance(one, Asked):
            for name in config.receivers:  # also who knows nothing of it yet: its opening may be read after this
                told, is_waiting = told_of((name, one.episode_id))
                _note(made, (name, one.episode_id), 0, adopt(told, one.parent, now_us, is_waiting))
                by_episode.setdefault(one.episode_id, set()).add(name)
            continue
        episode_id, routes = one.anomaly.episode_id, routes_of(config, one.anomaly)
        names = by_episode.setdefault(episode_id, set())
        names |= routes.keys()
        for name in sorted(names & config.receivers.keys()):
            told, is_waiting = told_of((name, episode_id))
            route, own = routes.get(name), config.route(told.route)
            whose, site = config.receivers[name], sites.get(one.anomaly.robot_id, "")
            decision = decide(told, one.anomaly, whose, route, own, now_us, is_waiting, site)
            _note(made, (name, episode_id), one.partition, decision)
    return made


def _note(made: Plan, key: Key, partition: int, decision: Decision | None) -> None:
    if decision is None:
        return
    made.told[key] = decision.told
    if decision.take_back in made.added:
        made.added[decision.take_back] = made.added[decision.take_back]._replace(dropped=decision.why)
    elif decision.take_back:
        made.taken_back[decision.take_back] = decision.why
    if decision.entry is not None:
        made.added[decision.entry.id] = Added(partition, decision.entry, "")
