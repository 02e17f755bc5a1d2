"""What the server makes of its processes' metrics pages."""

import msgspec

from serve.pipeline import Beat, ProcessState, Report, figures_of, lag_of, narrowed

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


def test_who_sees_a_part_of_the_fleet_learns_neither_addresses_nor_rates() -> None:
    away = msgspec.structs.replace(
        process("land", {}), trouble="does not answer (10.0.0.7:9100)", address="10.0.0.7:9100"
    )
    ready = msgspec.structs.replace(process("assess", {"robovitals_assess_robots": 7.0}), address="10.0.0.8:9100")
    report = Report(
        beat=Beat(now_us=1, delay_s=3.0, frames_per_s=9.0, trouble="land: 10.0.0.7"), landed=5, latency_s=0.2,
        processes=[away, ready],
    )  # fmt: skip
    told = msgspec.json.encode(narrowed(report)).decode()
    assert "10.0.0" not in told
    assert narrowed(report).beat == Beat(now_us=1, delay_s=3.0, frames_per_s=None, trouble="who runs it knows more")
    assert [(one.name, one.trouble, one.figures) for one in narrowed(report).processes] == [
        ("land", "not ready", {}), ("assess", "", {}),
    ]  # fmt: skip
    assert (narrowed(report).landed, narrowed(report).latency_s) == (None, 0.2)
