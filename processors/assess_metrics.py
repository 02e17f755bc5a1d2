"""Every metric of the assessor with its meaning. Created with the process's registry and handed in."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from processors.group_metrics import GroupMetrics
from schemas.frame import REJECT_REASONS

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)
_LATENCIES = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900, 1_800)
_JOBS = tuple(4**n for n in range(6))
_BYTES = tuple(4**n for n in range(5, 13))


@dataclass(frozen=True)
class AssessMetrics:
    """`kind` is that of a message, `rule` one of the rules: no label grows with the fleet.

    Our share of the time is `step_seconds`. What of `batch_seconds` is neither that nor `settle_seconds` is
    acknowledging.
    """

    events: Counter
    windows: Counter
    findings: Counter
    transitions: Counter
    healths: Counter
    rejected: Counter
    actions: Counter
    step_seconds: Histogram
    settle_seconds: Histogram
    batch_seconds: Histogram
    batch_jobs: Histogram
    event_seconds: Histogram
    event_latency_seconds: Histogram
    state_bytes: Histogram
    lag: Gauge
    lag_seconds: Gauge
    waiting_messages: Gauge
    waiting_bytes: Gauge
    progress_age_seconds: Gauge
    groups: GroupMetrics

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "AssessMetrics":
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"robovitals_assess_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"robovitals_assess_{name}", text, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"robovitals_assess_{name}", text, labels, registry=registry, buckets=buckets)

        rejected = counter(
            "rejected", "messages that could not be read, and actions without effect, that were skipped", "reason"
        )
        # There from the beginning: of a series that begins with its first value Prometheus sees no increase.
        for reason in REJECT_REASONS:
            rejected.labels(reason)
        return cls(
            events=counter("events", "messages of telemetry.vitals handled", "kind"),
            windows=counter("windows", "robots' windows judged"),
            findings=counter("findings", "conditions that detectors and crossings reported", "rule", "level"),
            transitions=counter("transitions", "anomalies sent", "rule", "transition"),
            healths=counter("healths", "health messages sent"),
            rejected=rejected,
            actions=counter("actions", "operators' actions taken over from fleet.actions", "kind"),
            step_seconds=histogram(
                "step_seconds", "time of the pure steps of a batch, or of a part of it", _SECONDS
            ),
            settle_seconds=histogram(
                "settle_seconds", "time until the broker has outputs, episodes or states", _SECONDS, "what"
            ),
            batch_seconds=histogram("batch_seconds", "time of a batch, from taking to acknowledging", _SECONDS),
            batch_jobs=histogram("batch_jobs", "steps handled together", _JOBS),
            event_seconds=histogram("event_seconds", "time of a message, from coming to acknowledging", _SECONDS),
            event_latency_seconds=histogram(
                "event_latency_seconds",
                "from event time (the robot's clock) of an episode's first sign to the broker having its opening",
                _LATENCIES,
                "rule",
            ),
            state_bytes=histogram("state_bytes", "packed state of a shard", _BYTES),
            lag=gauge("lag_messages", "messages of telemetry.vitals that are not handled yet"),
            lag_seconds=gauge("lag_seconds", "age of the oldest message that has come and is not handled yet"),
            waiting_messages=gauge("waiting_messages", "messages that have come and are not handled yet"),
            waiting_bytes=gauge("waiting_bytes", "their size"),
            progress_age_seconds=gauge("progress_age_seconds", "time since a message was handled, 0 without work"),
            groups=GroupMetrics.create(registry),
        )
