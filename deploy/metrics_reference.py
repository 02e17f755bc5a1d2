"""docs/metrics.md: every metric of every process with its meaning, from the metrics' own dataclasses.

In: nothing. Out: Markdown, and the list that alert rules and dashboards are held against. Called by
`deploy/reference.py` and by tests. A process more is one line in PROCESSES.
"""

from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from deploy.shell_metrics import ShellMetrics
from ingest.agent.agent_metrics import AgentMetrics
from ingest.land_metrics import LandMetrics
from ingest.simulate import SimulateMetrics
from processors.assess_metrics import AssessMetrics
from processors.notify.metrics import NotifyMetrics
from processors.retain_metrics import RetainMetrics
from processors.summarise_metrics import SummariseMetrics
from serve.metrics import ServeMetrics

PROCESSES: dict[str, Callable[[CollectorRegistry], Any]] = {
    "every process": ShellMetrics.create,
    "land": LandMetrics.create,
    "summarise": SummariseMetrics.create,
    "assess": AssessMetrics.create,
    "retain": RetainMetrics.create,
    "notify": NotifyMetrics.create,
    "serve": ServeMetrics.create,
    "simulate": SimulateMetrics.create,
    "agent": AgentMetrics.create,
}

HEAD = """\
# Metrics

Generated from the processes' own metrics by `make reference`. Each process serves them on `/metrics`
(`robovitals status` says where), with `process_…` and `python_…` of the Prometheus client besides: CPU, memory,
open files, start. No label grows with the fleet. Alert rules over them are in
[deploy/prometheus](../deploy/prometheus/rules), what to do about an alert in [runbook.md](runbook.md),
dashboards in [deploy/grafana](../deploy/grafana/README.md).

A histogram `X` is the series `X_bucket` (label `le`), `X_sum` and `X_count`.
"""


class Described(msgspec.Struct, frozen=True):
    """One metric. `name` as it is scraped: a counter ends in `_total`, a histogram's series add to it."""

    process: str
    name: str
    kind: str
    labels: tuple[str, ...]
    text: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which Prometheus has it."""
        ends = ("_bucket", "_sum", "_count") if self.kind == "histogram" else ("",)
        return tuple(self.name + end for end in ends)


def described() -> list[Described]:
    """Every metric of ours, process by process."""
    return [
        _described(process, metric)
        for process, create in PROCESSES.items()
        for metric in _metrics(create(CollectorRegistry()))
    ]


def metrics_reference() -> str:
    """The list for people, as Markdown."""
    lines = [HEAD]
    every = described()
    for process in PROCESSES:
        lines += [f"## {process}", "", "| metric | kind | labels | meaning |", "|---|---|---|---|"]
        lines += [_row(metric) for metric in every if metric.process == process]
        lines.append("")
    return "\n".join(lines)


def _metrics(of: Any) -> Iterator[MetricWrapperBase]:
    """The metrics of one of our dataclasses, those of a dataclass within it included."""
    for field in fields(of):
        value = getattr(of, field.name)
        if isinstance(value, MetricWrapperBase):
            yield value
        else:
            yield from _metrics(value)


def _described(process: str, metric: MetricWrapperBase) -> Described:
    (family,) = metric.describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    # The client tells a label's name only with its first value, and says nothing of one that has none yet.
    return Described(process, name, family.type, tuple(metric._labelnames), family.documentation)


def _row(metric: Described) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
    return f"| `{metric.name}` | {metric.kind} | {labels} | {metric.text} |"
