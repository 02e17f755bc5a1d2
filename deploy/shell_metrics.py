"""What every process tells of itself, whatever it does. Created by `deploy/shell.py` with the registry."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge


@dataclass(frozen=True)
class ShellMetrics:
    """Prometheus asks /metrics only: what /readyz and /healthz know it learns from here."""

    ready: Gauge
    stuck: Gauge

    @classmethod
    def create(cls, registry: CollectorRegistry) -> "ShellMetrics":
        return cls(
            ready=Gauge("robovitals_ready", "1 while /readyz says ok", registry=registry),
            stuck=Gauge("robovitals_stuck", "1 while /healthz says that it makes no progress", registry=registry),
        )

    def show(self, not_ready: Callable[[], str | None], stuck: Callable[[], str | None]) -> None:
        """Read both off at each scrape."""
        self.ready.set_function(lambda: not_ready() is None)
        self.stuck.set_function(lambda: stuck() is not None)
