"""What the server makes of its processes' metrics pages."""

from serve.pipeline import ProcessState, figures_of, lag_of

PAGE = """# TYPE robovitals_land_records_total counter
robovitals_land_records_total{topic="telemetry.frames"} 5.0
robovitals_land_records_total{topic="telemetry.vitals"} 2.0
# TYPE robovitals_land_lag_seconds gauge
robovitals_land_lag_seconds{topic="telemetry.frames"} 0.5
robovitals_land_lag_seconds{topic="telemetry.vitals"} 3.0
# TYPE robovitals_land_waiting_batches gauge
robovitals_land_waiting_batches 4.0
# TYPE robovitals_land_batch_seconds histogram
robovitals_land_batch_seconds_bucket{le="1.0"} 7.0
robovitals_land_batch_seconds_count 7.0
robovitals_land_batch_seconds_sum 1.0
# TYPE other gauge
other 1.0
"""


def test_counts_are_summed_and_of_lags_the_greatest_counts() -> None:
    assert figures_of(PAGE) == {
        "robovitals_land_records_total": 7.0,
        "robovitals_land_lag_seconds": 3.0,
        "robovitals_land_waiting_batches": 4.0,
        "robovitals_land_batch_seconds_count": 7.0,
        "robovitals_land_batch_seconds_sum": 1.0,
    }


def process(name: str, figures: dict[str, float]) -> ProcessState:
    return ProcessState(name=name, address="here:1", trouble="" if figures else "does not answer", figures=figures)


def test_what_has_fallen_silent_on_the_way_to_the_page_is_behind_since_then() -> None:
    assert lag_of(process("land", {"robovitals_land_lag_seconds": 0.5}), unheard_s=0.0) == 0.5
    assert lag_of(process("land", {}), unheard_s=12.0) == 12.0
    assert lag_of(process("notify", {}), unheard_s=12.0) == 0.0
