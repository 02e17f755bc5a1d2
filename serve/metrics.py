"""Every metric of the server with its meaning. Created with the process's registry and handed in."""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True)
class ServeMetrics:
    """`route` is a path of the contract, with its parameters' names: no label grows with the fleet."""

    requests: Counter
    request_seconds: Histogram
    stream_clients: Gauge
    refused: Counter

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "ServeMetrics":
        return cls(
            requests=Counter(
                "robovitals_serve_requests", "requests answered", ("route", "status"), registry=registry
            ),
            request_seconds=Histogram(
                "robovitals_serve_request_seconds",
                "from a request to the beginning of its answer",
                ("route",),
                registry=registry,
                buckets=_SECONDS,
            ),
            stream_clients=Gauge(
                "robovitals_serve_stream_clients", "pages that listen to the live stream", registry=registry
            ),
            refused=Counter(
                "robovitals_serve_refused",
                "requests turned away, by reason: host (not a name of ours), body, headers (too long), nul (in the"
                " address), origin (a page of elsewhere), unknown (no such secret), throttled (too many of"
                " those), role, streams (too many pages of one person)",
                ("reason",),
                registry=registry,
            ),
        )
