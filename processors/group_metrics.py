"""Every metric of the grouping with its meaning, and what alarms ask of operators among them.

Created with the assessor's registry and handed in. Only the replica that groups counts; in others all is 0.
"""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge

from processors.fleet_state import Fleet
from schemas.anomaly import AlarmState
from schemas.frame import REJECT_REASONS


@dataclass(frozen=True)
class GroupMetrics:
    """`calls` are what a person is called for: an alarm that nobody muted and no parent speaks for, or a parent."""

    active: Gauge
    calls: Counter
    calls_10_minutes: Gauge
    flood: Gauge
    flood_seconds: Counter
    open_episodes: Gauge
    muted_episodes: Gauge
    chattering_share: Gauge
    shelved: Gauge
    out_of_service: Gauge
    parents: Gauge
    parent_transitions: Counter
    actions: Counter
    rejected: Counter
    retries: Counter
    waiting: Gauge
    lag_seconds: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "GroupMetrics":
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"robovitals_group_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"robovitals_group_{name}", text, registry=registry)

        rejected = counter("rejected", "anomalies that could not be read, and were skipped", "reason")
        # There from the beginning: of a series that begins with its first value Prometheus sees no increase.
        for reason in REJECT_REASONS:
            rejected.labels(reason)
        return cls(
            active=gauge("active", "1 where this replica groups the fleet's episodes"),
            calls=counter("calls", "alarms that a person is called for"),
            calls_10_minutes=gauge("calls_10_minutes", "alarms that a person was called for in ten minutes"),
            flood=gauge("flood", "1 from above ten such alarms in ten minutes until below five (ISA-18.2)"),
            flood_seconds=counter("flood_seconds", "time in flood"),
            open_episodes=gauge("open_episodes", "episodes of robots whose condition holds"),
            muted_episodes=gauge("muted_episodes", "those of them that a parent speaks for"),
            chattering_share=gauge("chattering_share", "share of them that come and go"),
            shelved=gauge("shelved_episodes", "shelved episodes"),
            out_of_service=gauge("out_of_service_episodes", "episodes of what is out of service"),
            parents=gauge("open_parents", "open episodes of the fleet"),
            parent_transitions=counter("parent_transitions", "transitions of episodes of the fleet", "transition"),
            actions=counter("actions", "robots' episodes that were told of their parent", "kind"),
            rejected=rejected,
            retries=counter("retries", "times that Kafka did not answer, and it began anew from what is stored"),
            waiting=gauge("waiting_anomalies", "anomalies that were read and wait for the end of their slice"),
            lag_seconds=gauge("lag_seconds", "age of the last slice that was taken"),
        )

    def show(self, fleet: Fleet) -> None:
        """Set the gauges that say how the fleet stands."""
        load = fleet.head.load
        self.calls_10_minutes.set(len(load.calls))
        self.flood.set(load.flood)
        self.parents.set(len(fleet.open_parents))
        active = [member for member in fleet.members.values() if member.active]
        self.open_episodes.set(len(active))
        self.muted_episodes.set(sum(bool(member.parent or member.seen_parent) for member in active))
        self.chattering_share.set(sum(member.chattering for member in active) / max(len(active), 1))
        members = fleet.members.values()
        self.shelved.set(sum(member.state is AlarmState.SHELVED for member in members))
        self.out_of_service.set(sum(member.state is AlarmState.OUT_OF_SERVICE for member in members))
