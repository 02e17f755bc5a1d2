"""Every metric of the lander with its meaning. Created with the process's registry and handed in."""

from dataclasses import dataclass
from itertools import product

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ingest.batch import LANDED_TOPICS
from schemas.chain import Fault
from schemas.frame import REJECT_REASONS, SEAL_REASONS
from schemas.keyring import POLICIES, REQUIRE, WARN
from schemas.topics import LOGBOOK

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_RECORDS = (1, 10, 100, 500, 1_000, 2_000, 4_000, 8_000, 10_000)


@dataclass(frozen=True)
class LandMetrics:
    """`topic` is one of the landed topics, `reason` one of REJECT_REASONS (of logbooks' entries also one of
    `chain.Fault`), `maker` one whose seals were good before: no label grows with the fleet, or with what somebody
    invents.
    """

    records: Counter
    batch_records: Histogram
    batch_seconds: Histogram
    latency_seconds: Histogram
    event_latency_seconds: Histogram
    rejects: Counter
    seal_faults: Counter
    sealing_robots: Gauge
    impossible: Counter
    duplicates: Counter
    logbook_entries: Counter
    fenced: Counter
    retries: Counter
    lag_records: Gauge
    lag_seconds: Gauge
    buffered_records: Gauge
    waiting_batches: Gauge
    paused_partitions: Gauge
    progress_age_seconds: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "LandMetrics":
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"robovitals_land_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"robovitals_land_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"robovitals_land_{name}", text, labels, registry=registry, buckets=buckets)

        metrics = cls(
            records=counter("records", "records landed, rejects included", "topic"),
            batch_records=histogram("batch_records", "records of a transaction", _RECORDS, "topic"),
            batch_seconds=histogram("batch_seconds", "time of a transaction", _SECONDS, "topic"),
            latency_seconds=histogram(
                "latency_seconds", "from the broker's time stamp of a batch's oldest record to its commit",
                _SECONDS, "topic",
            ),
            event_latency_seconds=histogram(
                "event_latency_seconds",
                "from event time (the robot's clock) to commit, of the middle one of a batch's live frames",
                _SECONDS,
            ),
            rejects=counter("rejects", "records that could not be used", "topic", "reason"),
            seal_faults=counter(
                "seal_faults", "frames whose seal is at fault: rejected under require, landed under warn",
                "reason", "policy",
            ),
            sealing_robots=gauge(
                "sealing_robots", "robots of the last full minute with a good seal, and those whose every seal was "
                "at fault; of makers without any good one as maker other", "maker", "seal",
            ),
            impossible=counter("impossible_readings", "readings outside of what is physically possible"),
            duplicates=counter("duplicates", "rows that were there already", "topic"),
            logbook_entries=counter("logbook_entries", "entries appended to robots' logbooks"),
            fenced=counter("fenced", "batches dropped because another lander owns their partition"),
            retries=counter("retries", "attempts that a server made fail"),
            lag_records=gauge(
                "lag_records", "records of this lander's partitions that are not landed yet", "topic"
            ),
            lag_seconds=gauge(
                "lag_seconds", "age of the oldest record that was read and is not landed yet", "topic"
            ),
            buffered_records=gauge("buffered_records", "records that were read and are in no batch yet", "topic"),
            waiting_batches=gauge("waiting_batches", "batches that are not landed, the one being written included"),
            paused_partitions=gauge(
                "paused_partitions", "partitions that are not read because the database is out or must catch up"
            ),
            progress_age_seconds=gauge(
                "progress_age_seconds", "time since a batch landed, 0 while there is no work"
            ),
        )  # fmt: skip
        metrics.begin()
        return metrics

    def begin(self) -> None:
        """Series that are there from the first scrape: of one that begins with its first reject Prometheus sees no
        increase.
        """
        for topic, reason in product(LANDED_TOPICS, REJECT_REASONS):
            self.rejects.labels(topic, reason)
        for fault in Fault:
            self.rejects.labels(LOGBOOK.name, fault)
        for reason, policy in product(SEAL_REASONS, (WARN, REQUIRE)):
            self.seal_faults.labels(reason, POLICIES[policy])
