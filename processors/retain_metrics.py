"""Every metric of the retaining process with its meaning. Created with the process's registry and handed in."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge


@dataclass(frozen=True)
class RetainMetrics:
    """`table` is one of `retention.TABLES`; `what` is a word of `incident/keep.py`."""

    rolled_hours: Counter
    roll_seconds: Counter
    due_hours: Gauge
    rolled_until_seconds: Gauge
    dropped_chunks: Counter
    dropped_bytes: Counter
    deleted_rows: Counter
    kept_chunks: Gauge
    incidents: Counter
    checkpoints: Counter
    checkpoint_fault: Gauge
    unpinned_seconds: Gauge
    retries: Counter
    progress_age_seconds: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "RetainMetrics":
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"robovitals_retain_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"robovitals_retain_{name}", text, labels, registry=registry)

        return cls(
            rolled_hours=counter("rolled_hours", "robots' hours rolled up, those made again included"),
            roll_seconds=counter("roll_seconds", "time spent on it, a fifth of all time at most"),
            due_hours=gauge("due_hours", "robots' hours that are still to be rolled up, at the last look"),
            rolled_until_seconds=gauge(
                "rolled_until_seconds", "Unix time before which hours are rolled up, but for those that are due"
            ),
            dropped_chunks=counter("dropped_chunks", "chunks dropped because their rows were old enough", "table"),
            dropped_bytes=counter("dropped_bytes", "room on disk that they took", "table"),
            deleted_rows=counter("deleted_rows", "rows deleted because they were old enough", "table"),
            kept_chunks=gauge(
                "kept_chunks",
                "chunks that are old enough and stay because a repair or a roll-up needs them",
                "table",
            ),
            incidents=counter("incidents", "incidents by what became of them, and faults that opened none", "what"),
            checkpoints=counter("checkpoints", "checkpoints of logbooks made"),
            checkpoint_fault=gauge(
                "checkpoint_fault",
                "1 while none is made because logbooks or checkpoints are not what they were; the log says which",
            ),
            unpinned_seconds=gauge(
                "unpinned_seconds", "age of the oldest entry of a logbook that no checkpoint has, 0 without one"
            ),
            retries=counter("retries", "looks at the database that failed"),
            progress_age_seconds=gauge(
                "progress_age_seconds", "time since the last look that succeeded; it looks once a minute"
            ),
        )
