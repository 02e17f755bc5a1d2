"""The assessor without Kafka: its state in dictionaries, its messages in lists."""

from dataclasses import dataclass, field

from processors import assessor, attending, episodes, slow
from processors.assessor import Outcome
from processors.episodes import Record
from processors.shard import Shard, empty_shard, restore, snapshot
from schemas.anomaly import Anomaly, Transition
from schemas.health import ComponentHealth, Health
from schemas.limits import Limits
from schemas.vitals import Acted, Crossing, Late, Message, Pulse, Vitals

SILENCE_US = 30_000_000


@dataclass
class Assessed:
    """One shard, whatever its robots' codes say; all of its state goes through bytes at every message."""

    limits: Limits = field(default_factory=Limits)
    shard: bytes = snapshot(empty_shard())
    slow: dict[int, bytes] = field(default_factory=dict)
    records: dict[str, bytes] = field(default_factory=dict)
    anomalies: list[Anomaly] = field(default_factory=list)
    healths: list[Health] = field(default_factory=list)

    def record(self, code: str) -> Record:
        return episodes.restore(self.records.get(code))

    def take(self, *messages: Message) -> "Assessed":
        """Handle messages as the loop does: what is sent, then the episodes, then the state."""
        for message in messages:
            for outcome in self._outcomes(message):
                self.send(outcome)
                self.write_records(outcome)
                if outcome.shard is not None:
                    self.write_shard(outcome.shard)
        return self

    def send(self, outcome: Outcome) -> None:
        self.anomalies += outcome.anomalies
        self.healths += outcome.healths

    def write_records(self, outcome: Outcome) -> None:
        self.records.update({code: episodes.snapshot(record) for code, record in outcome.records.items()})

    def write_shard(self, shard: Shard) -> None:
        if shard.slow is not None:
            self.slow |= slow.snapshots(shard.slow)
        self.shard = snapshot(shard)

    def _outcomes(self, message: Message) -> list[Outcome]:
        shard = restore(self.shard, slow.restore(self.slow.values()))
        match message:
            case Vitals():
                return [assessor.on_window(shard, message, self.limits, self.record)]
            case Crossing():
                return [assessor.on_crossing(shard, message, self.record)]
            case Late():
                (seen,) = assessor.sightings(message).values()
                return [assessor.on_late(shard, seen, SILENCE_US, self.record)]
            case Pulse():
                due = attending.on_pulse(shard, message.now_us, self.record)
                shard = shard if due.shard is None else due.shard
                read = attending.reading(due, self.record)
                return [attending.both(due, assessor.on_pulse(shard, message.now_us, SILENCE_US, read))]
            case Acted():
                return [attending.on_action(shard, message, self.record)]

    def transitions(self) -> list[tuple[str, str, Transition]]:
        """What was told, in order: rule, component, transition."""
        return [(anomaly.rule, anomaly.component, anomaly.transition) for anomaly in self.anomalies]

    def health(self, code: str) -> Health:
        """The last that was said of a robot."""
        return [health for health in self.healths if health.robot_id == code][-1]

    def component(self, code: str, name: str) -> ComponentHealth:
        (found,) = [c for c in self.health(code).components if c.component == name]
        return found
