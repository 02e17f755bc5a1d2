"""Every metric of the notifier with its meaning. Created with its registry and handed in.

A receiver's name is of the file, never an address or a robot's code.
"""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)


@dataclass(frozen=True)
class NotifyMetrics:
    """`outcome`: delivered, again, failed, gone."""

    anomalies: Counter
    rejected: Counter
    deliveries: Counter
    taken_back: Counter
    attempts: Histogram
    resent: Counter
    pending: Gauge
    oldest_seconds: Gauge
    disabled: Gauge
    sending: Gauge
    retries: Counter
    fenced: Counter
    lag_records: Gauge
    progress_age_seconds: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "NotifyMetrics":
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"robovitals_notify_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"robovitals_notify_{name}", text, labels, registry=registry)

        return cls(
            anomalies=counter("anomalies", "transitions of episodes that were taken into the outbox"),
            rejected=counter("rejected", "anomalies that could not be read, and were skipped", "reason"),
            deliveries=counter("deliveries", "attempts by what came of them", "receiver", "kind", "outcome"),
            taken_back=counter("taken_back", "deliveries that nobody heard of: over, muted or adopted in time"),
            attempts=Histogram(
                "robovitals_notify_attempt_seconds", "time of a message until its answer", ("receiver",),
                buckets=_SECONDS, registry=registry,
            ),
            resent=counter("resent_alerts", "alerts that were sent again, for they are active", "receiver"),
            pending=gauge("pending", "deliveries that wait", "receiver"),
            oldest_seconds=gauge("oldest_pending_seconds", "age of the oldest that could go out", "receiver"),
            disabled=gauge("receiver_disabled", "1 where a receiver said that it is gone (410)", "receiver"),
            sending=gauge("receiver_owned", "1 where this replica sends to the receiver", "receiver"),
            retries=counter("retries", "times that Kafka or the database did not answer", "server"),
            fenced=counter("fenced", "batches of which another notifier had the partition"),
            lag_records=gauge("lag_records", "anomalies in Kafka that are not in the outbox yet"),
            progress_age_seconds=gauge("progress_age_seconds", "time since the loop turned without a hindrance"),
        )  # fmt: skip
