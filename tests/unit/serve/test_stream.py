"""What the stream tells of itself."""

from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from serve.context import Context
from serve.live import Live
from serve.metrics import ServeMetrics
from serve.people import Person, Role
from serve.pipeline import NOT_WELL, Pipeline
from serve.routes.stream import _beat


def test_a_stream_that_hears_nothing_says_so_beside_what_else_is_wrong() -> None:
    context = Context("", ServeMetrics.create(CollectorRegistry()))
    pipeline: Any = Pipeline(Path("none.json"), context)
    pipeline._trouble = "the database is away"
    beat = _beat(Live("", context), pipeline, person(None))
    assert beat.trouble == "the database is away; the live stream does not hear Kafka"


def test_who_sees_a_part_of_the_fleet_hears_that_it_is_late_but_not_why() -> None:
    context = Context("", ServeMetrics.create(CollectorRegistry()))
    pipeline: Any = Pipeline(Path("none.json"), context)
    pipeline._trouble = "land: does not answer (cannot connect to host 10.0.0.7)"
    beat = _beat(Live("", context), pipeline, person(("ours",)))
    assert (beat.trouble, beat.frames_per_s) == (NOT_WELL, None)


def person(fleets: tuple[str, ...] | None) -> Person:
    return Person(name="somebody", role=Role.VIEWER, fleets=fleets, prefixes=("*",))
