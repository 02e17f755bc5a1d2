"""Every metric of the summariser with its meaning. Created with the process's registry and handed in."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_RECORDS = (10, 30, 100, 300, 1_000, 2_000, 4_000)


@dataclass(frozen=True)
class SummariseMetrics:
    """`kind` is one of WINDOW_KINDS, `reason` one of LATE_REASONS: no label grows with the fleet."""

    frames: Counter
    undecodable: Counter
    windows: Counter
    crossings: Counter
    late: Counter
    turn_seconds: Histogram
    turn_records: Histogram
    unacknowledged_messages: Gauge
    partitions: Gauge
    robots: Gauge
    open_windows: Gauge
    watermark_lag_seconds: Gauge
    lag_records: Gauge
    lag_seconds: Gauge
    rereading_records: Gauge
    progress_age_seconds: Gauge
    repairs: Counter
    repair_seconds: Counter
    marks_waiting: Gauge
    repair_retries: Counter

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "SummariseMetrics":
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"robovitals_summarise_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"robovitals_summarise_{name}", text, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"robovitals_summarise_{name}", text, registry=registry, buckets=buckets)

        return cls(
            frames=counter("frames", "frames read"),
            undecodable=counter(
                "undecodable",
                "records that no frame could be made of, or whose seal is at fault (the lander rejects them)",
            ),
            windows=counter("windows", "windows of robots emitted", "kind"),
            crossings=counter("crossings", "readings that left an alarm limit"),
            late=counter("late_frames", "frames left out of their window, to be repaired", "reason"),
            turn_seconds=histogram(
                "turn_seconds", "from a batch of records to all that follows handed to the producer", _SECONDS
            ),
            turn_records=histogram(
                "turn_records", "records of a turn: few when there is little to do, many behind a backlog", _RECORDS
            ),
            unacknowledged_messages=gauge(
                "unacknowledged_messages",
                "messages that Kafka has not acknowledged yet; nothing past them is committed",
            ),
            partitions=gauge("partitions", "partitions that this summariser has"),
            robots=gauge("robots", "robots that it knows"),
            open_windows=gauge("open_windows", "windows of its partitions that are open"),
            watermark_lag_seconds=gauge(
                "watermark_lag_seconds", "how far the watermark furthest back is behind the wall clock"
            ),
            lag_records=gauge("lag_records", "records of its partitions that it has not read yet"),
            lag_seconds=gauge(
                "lag_seconds",
                "age of the last frame read, by the broker's time, of the partition furthest behind; 0: all read",
            ),
            rereading_records=gauge(
                "rereading_records",
                "records of windows that were open before a restart, which are still to be read again",
            ),
            progress_age_seconds=gauge(
                "progress_age_seconds", "time since anything was read or there was nothing to read"
            ),
            repairs=counter("repaired_windows", "windows of robots computed again from rows"),
            repair_seconds=counter("repair_seconds", "time spent on repairs, a fifth of all time at most"),
            marks_waiting=gauge(
                "marks_waiting", "windows that miss frames, in the whole database, at the last look"
            ),
            repair_retries=counter("repair_retries", "looks at the database that failed"),
        )
