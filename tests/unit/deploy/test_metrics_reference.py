"""docs/metrics.md lists every metric that any process has."""

import importlib
import pkgutil
from inspect import isclass

import pytest
from prometheus_client import CollectorRegistry, generate_latest

import ingest
import processors
import serve
from deploy.metrics_reference import PROCESSES, described, metrics_reference


def _metrics_classes():
    """Every class of ours whose name ends in Metrics, wherever it is."""
    for package in (ingest, processors, serve):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                if name.endswith("Metrics") and isclass(value) and value.__module__ == module.name:
                    yield value


@pytest.mark.parametrize("kind", list(_metrics_classes()), ids=lambda kind: kind.__name__)
def test_every_metric_of_a_process_is_in_the_list(kind):
    registry = CollectorRegistry()
    kind.create(registry)
    scraped = {family.name for family in registry.collect()}
    assert scraped <= {metric.name.removesuffix("_total") for metric in described()}


def test_a_metric_is_listed_under_the_names_that_prometheus_scrapes():
    registry = CollectorRegistry()
    for create in PROCESSES.values():
        create(registry)
    lines = generate_latest(registry).decode().splitlines()
    samples = {line.split("{")[0].split(" ")[0] for line in lines if not line.startswith("#")}
    listed = {series for metric in described() for series in metric.series}
    assert {name for name in samples if not name.endswith("_created")} <= listed
    assert "robovitals_land_rejects_total" in samples


def test_each_metric_has_a_meaning_and_one_name():
    names = [metric.name for metric in described()]
    assert len(names) == len(set(names))
    assert all(len(metric.text) > 5 for metric in described())
    assert all(name in metrics_reference() for name in names)


def test_a_label_is_listed_before_it_has_a_value():
    rejects = next(metric for metric in described() if metric.name == "robovitals_assess_rejected_total")
    assert (rejects.kind, rejects.labels) == ("counter", ("reason",))
