"""What the stream tells of itself."""

from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from serve.context import Context
from serve.live import Live
from serve.metrics import ServeMetrics
from serve.pipeline import Pipeline
from serve.routes.stream import _beat


def test_a_stream_that_hears_nothing_says_so_beside_what_else_is_wrong() -> None:
    context = Context("", ServeMetrics.create(CollectorRegistry()))
    pipeline: Any = Pipeline(Path("none.json"), context)
    pipeline._trouble = "the database is away"
    assert _beat(Live("", context), pipeline).trouble == "the database is away; the live stream does not hear Kafka"
