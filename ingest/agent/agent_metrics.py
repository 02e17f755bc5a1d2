"""Every metric of the agent. Created once with its registry and handed in; the robot's code is never a label."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge


@dataclass(frozen=True)
class AgentMetrics:
    frames: Counter
    acknowledged: Counter
    bad_lines: Counter
    lost_readings: Counter
    dropped: Gauge
    spool_frames: Gauge
    spool_used: Gauge
    connected: Gauge
    reconnects: Gauge
    latency_seconds: Gauge
    clock_offset_seconds: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "AgentMetrics":
        def counter(name: str, text: str) -> Counter:
            return Counter(f"robovitals_agent_{name}", text, registry=registry)

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"robovitals_agent_{name}", text, registry=registry)

        return cls(
            frames=counter("frames", "Frames made"),
            acknowledged=counter("acknowledged", "Frames that Kafka has acknowledged"),
            bad_lines=counter("bad_lines", "Readings that could not be read"),
            lost_readings=counter("lost_readings", "Readings that came faster than frames are made of them"),
            dropped=gauge("dropped", "Frames dropped since the spool was made"),
            spool_frames=gauge("spool_frames", "Frames that wait in the spool"),
            spool_used=gauge("spool_used", "Share of the spool's limit that is used"),
            connected=gauge("connected", "1 while frames can be sent"),
            reconnects=gauge("reconnects", "Times that Kafka was connected to again"),
            latency_seconds=gauge("latency_seconds", "Hand-over to acknowledgement, of the last frame"),
            clock_offset_seconds=gauge("clock_offset_seconds", "The robot's clock minus the broker's"),
        )
