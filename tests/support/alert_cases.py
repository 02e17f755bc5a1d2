"""For each alert: series that make it fire, and series beside them that must not.

Series are in promtool's notation, one value a minute: `1x9` is 1 ten times, `0+60x9` counts up by 60. Read by
tests/integration/test_alerts.py, which has promtool judge them. A new alert needs a case.
"""

from typing import NamedTuple

Series = dict[str, str]


class Case(NamedTuple):
    """`after` is when to look. `quiet` must not fire at any minute of all its values, `fires` must at `after`."""

    fires: Series
    quiet: Series
    after: str = "10m"


FRAMES = '{topic="telemetry.frames"}'
LANDED = f"robovitals_land_records_total{FRAMES}"
REJECTED = 'robovitals_land_rejects_total{topic="telemetry.frames", reason="bad_code"}'


def _seal_faults(policy: str) -> str:
    return f'robovitals_land_seal_faults_total{{reason="seal_wrong", policy="{policy}"}}'


def _sealing(seal: str) -> str:
    return f'robovitals_land_sealing_robots{{maker="TEST", seal="{seal}"}}'


def _down(process: str) -> Case:
    """One of two replicas is enough; and a deploy of half a minute is no alert."""
    first, second = (f'up{{job="robovitals", process="{process}", instance="{name}"}}' for name in "ab")
    return Case(
        fires={first: "1x2 0x20", second: "1x2 0x20"},
        quiet={first: "1x2 0x9 1x9", second: "0x2 1x20"},
    )


def _bucket(metric: str, labels: str, fast: str, slow: str) -> Series:
    """A histogram: `fast` observations below 1 s, the others below 60 s."""
    return {f'{metric}{{{labels}le="{le}"}}': count for le, count in (("1", fast), ("60", slow), ("+Inf", slow))}


def _delivered(outcome: str, values: str) -> Series:
    """Attempts for one receiver by what came of them."""
    return {f'robovitals_notify_deliveries_total{{receiver="a", outcome="{outcome}"}}': values}


CASES: dict[str, Case] = {
    "LanderDown": _down("land"),
    "SummariserDown": _down("summarise"),
    "AssessorDown": _down("assess"),
    "NotifierDown": _down("notify"),
    "ServerDown": _down("serve"),
    "ReplicaDown": Case(
        fires={'up{job="robovitals", process="land", instance="a"}': "1x2 0x20"},
        quiet={'up{job="robovitals", process="land", instance="a"}': "1x2 0x3 1x20", 'up{job="other"}': "0x30"},
    ),
    "ProcessRestarting": Case(
        fires={'process_start_time_seconds{job="robovitals", process="land"}': "1 2 3 4 5x20"},
        quiet={'process_start_time_seconds{job="robovitals", process="land"}': "1x5 2x9 3x9 4x9"},
    ),
    "ProcessNotReady": Case(
        fires={'robovitals_ready{process="land"}': "1x2 0x20"},
        quiet={'robovitals_ready{process="land"}': "0x1 1x20"},
    ),
    "ProcessStuck": Case(
        fires={'robovitals_stuck{process="assess"}': "0x2 1x20"},
        quiet={'robovitals_stuck{process="assess"}': "0x9 1 0x9"},
    ),
    "NoFrames": Case(
        fires={LANDED: "0+60x5 300x30"}, quiet={LANDED: "0+60x9 540x4 600+60x9"}, after="20m"
    ),  # four minutes of nothing
    "FramesHalved": Case(
        fires={LANDED: "0+6000x70 420000+600x60"}, quiet={LANDED: "0+6000x70 420000+4000x60"}, after="110m"
    ),
    "RecordsRejected": Case(fires={REJECTED: "0x5 1x20"}, quiet={REJECTED: "7x30"}),
    "RejectShareHigh": Case(
        fires={LANDED: "0+1000x20", REJECTED: "0+20x20"}, quiet={LANDED: "0+1000x20", REJECTED: "0+5x20"}
    ),
    "SealsRejected": Case(
        fires={_seal_faults("require"): "0x5 1x20"},
        quiet={_seal_faults("require"): "7x30", _seal_faults("warn"): "0+9x30"},
    ),
    "RobotsFailSeals": Case(
        fires={_sealing("good"): "50x20", _sealing("faulty"): "0x2 3x18"},
        quiet={_sealing("good"): "100x20", _sealing("faulty"): "2x5 5x15"},
    ),
    "ImpossibleReadings": Case(
        fires={LANDED: "0+1000x40", "robovitals_land_impossible_readings_total": "0+20x40"},
        quiet={LANDED: "0+1000x40", "robovitals_land_impossible_readings_total": "0+5x40"},
        after="35m",
    ),
    "LateFrames": Case(
        fires={
            "robovitals_summarise_frames_total": "0+1000x40",
            'robovitals_summarise_late_frames_total{reason="closed"}': "0+40x40",
            'robovitals_summarise_late_frames_total{reason="clock"}': "0+40x40",
        },
        quiet={
            "robovitals_summarise_frames_total": "0+1000x40",
            'robovitals_summarise_late_frames_total{reason="closed"}': "0+40x40",
        },
        after="35m",
    ),
    "LandingDelayed": Case(
        fires={f"robovitals_land_lag_seconds{FRAMES}": "45x20"},
        quiet={f"robovitals_land_lag_seconds{FRAMES}": "0x3 600x4 2x20"},
    ),
    "LandingFarBehind": Case(
        fires={f"robovitals_land_lag_seconds{FRAMES}": "30000x20"},
        quiet={f"robovitals_land_lag_seconds{FRAMES}": "3600x30"},
    ),
    "SummariserDelayed": Case(
        fires={"robovitals_summarise_lag_seconds": "90x20"},
        quiet={"robovitals_summarise_lag_seconds": "30x9 90x2 5x9"},
    ),
    "AssessorDelayed": Case(
        fires={"robovitals_assess_lag_seconds": "90x20"}, quiet={"robovitals_assess_lag_seconds": "30x9 90x2 5x9"}
    ),
    # A partition whose robots are all switched off is no alert.
    "WatermarkBehind": Case(
        fires={
            'robovitals_summarise_watermark_lag_seconds{instance="a"}': "900x30",
            'robovitals_summarise_frames_total{instance="a"}': "0+60x30",
        },
        quiet={
            'robovitals_summarise_watermark_lag_seconds{instance="a"}': "900+60x30",
            'robovitals_summarise_frames_total{instance="a"}': "60x30",
            'robovitals_summarise_frames_total{instance="b"}': "0+60x30",
        },
        after="20m",
    ),
    "EndToEndSlow": Case(
        fires=_bucket("robovitals_land_event_latency_seconds_bucket", "", "0+90x40", "0+100x40"),
        quiet=_bucket("robovitals_land_event_latency_seconds_bucket", "", "0+999x40", "0+1000x40"),
        after="30m",
    ),
    # Slow rules are slow by their nature.
    "CrossingsSlow": Case(
        fires={
            'robovitals_assess_event_latency_seconds_bucket{rule="limit", le="60"}': "0+1x60",
            'robovitals_assess_event_latency_seconds_bucket{rule="limit", le="120"}': "0+10x60",
            'robovitals_assess_event_latency_seconds_bucket{rule="limit", le="+Inf"}': "0+10x60",
        },
        quiet={
            'robovitals_assess_event_latency_seconds_bucket{rule="drift", le="60"}': "0+1x60",
            'robovitals_assess_event_latency_seconds_bucket{rule="drift", le="120"}': "0+10x60",
            'robovitals_assess_event_latency_seconds_bucket{rule="drift", le="+Inf"}': "0+10x60",
        }
        | _bucket("robovitals_assess_event_latency_seconds_bucket", 'rule="limit", ', "0+999x60", "0+1000x60"),
        after="40m",
    ),
    "DatabaseRetries": Case(
        fires={"robovitals_land_retries_total": "0+2x20"}, quiet={"robovitals_land_retries_total": "0x5 3x20"}
    ),
    "BatchesFenced": Case(
        fires={"robovitals_land_fenced_total": "0+1x20"}, quiet={"robovitals_land_fenced_total": "0x5 4x20"}
    ),
    "RepairBacklog": Case(
        fires={"robovitals_summarise_marks_waiting": "5000x60"},
        quiet={"robovitals_summarise_marks_waiting": "0x5 5000x20 200x40"},
        after="40m",
    ),
    "RepairFailing": Case(
        fires={"robovitals_summarise_repair_retries_total": "0+1x20"},
        quiet={"robovitals_summarise_repair_retries_total": "0x5 3x20"},
    ),
    "RetainDown": Case(
        fires={'up{job="robovitals", process="retain"}': "1x2 0x40"},
        quiet={'up{job="robovitals", process="retain"}': "1x2 0x9 1x9"},
        after="25m",
    ),
    "RetainStands": Case(
        fires={"robovitals_retain_progress_age_seconds": "0+60x40"},
        quiet={"robovitals_retain_progress_age_seconds": "59x40"},
        after="30m",
    ),
    # promtool's time begins at nought too.
    "RollUpBehind": Case(
        fires={"robovitals_retain_rolled_until_seconds": "0x300"},
        quiet={"robovitals_retain_rolled_until_seconds": "0+60x300"},
        after="250m",
    ),
    "LogbookChanged": Case(
        fires={"robovitals_retain_checkpoint_fault": "0x5 1x9"},
        quiet={"robovitals_retain_checkpoint_fault": "0x20"},
    ),
    "EntriesUnpinned": Case(
        fires={"robovitals_retain_unpinned_seconds": "0+60x300"},
        quiet={"robovitals_retain_unpinned_seconds": "0+60x60 0+60x60"},
        after="250m",
    ),
    # Of several assessors only one groups; the others have nought.
    "AlarmFlood": Case(
        fires={'robovitals_group_flood{instance="a"}': "0x5 1x9", 'robovitals_group_flood{instance="b"}': "0x20"},
        quiet={'robovitals_group_flood{instance="a"}': "0x20"},
    ),
    "OperatorLoadHigh": Case(
        fires={"robovitals_group_calls_total": "0+1x600"},
        quiet={"robovitals_group_calls_total": "0x30 0+10x3 30+0x500"},
        after="9h",
    ),
    "AlarmsChatter": Case(
        fires={"robovitals_group_chattering_share": "0.2x60", "robovitals_group_open_episodes": "50x60"},
        quiet={"robovitals_group_chattering_share": "0.5x60", "robovitals_group_open_episodes": "4x60"},
        after="40m",
    ),
    "GroupingMissing": Case(
        fires={'robovitals_group_active{instance="a"}': "0x20", 'robovitals_group_active{instance="b"}': "0x20"},
        quiet={
            'robovitals_group_active{instance="a"}': "1x5 0x20",
            'robovitals_group_active{instance="b"}': "0x7 1x20",
        },
    ),
    "GroupingDelayed": Case(
        fires={"robovitals_group_lag_seconds": "60x20"}, quiet={"robovitals_group_lag_seconds": "2x5 60x3 2x20"}
    ),
    "GroupingRetries": Case(
        fires={"robovitals_group_retries_total": "0+1x20"}, quiet={"robovitals_group_retries_total": "0x5 2x20"}
    ),
    # An operator's action that comes too late is no fault of the pipeline.
    "MessagesSkipped": Case(
        fires={'robovitals_group_rejected_total{reason="undecodable"}': "0x5 1x20"},
        quiet={'robovitals_assess_rejected_total{reason="no_episode"}': "0+1x20"},
    ),
    "DeliveriesFailing": Case(
        fires=_delivered("delivered", "0+1x40") | _delivered("again", "0+3x40"),
        quiet=_delivered("delivered", "0+3x40") | _delivered("again", "0+1x40"),
        after="30m",
    ),
    "DeliveriesGivenUp": Case(
        fires=_delivered("failed", "0x5 1x20"),
        quiet=_delivered("failed", "4x20") | _delivered("again", "0+3x20"),
    ),
    # One receiver that is slow is named, whoever is beside it.
    "DeliveriesDelayed": Case(
        fires={
            'robovitals_notify_oldest_pending_seconds{receiver="a"}': "600x20",
            'robovitals_notify_oldest_pending_seconds{receiver="b"}': "0x20",
        },
        quiet={'robovitals_notify_oldest_pending_seconds{receiver="a"}': "10x5 300x3 10x20"},
    ),
    "ReceiverDisabled": Case(
        fires={'robovitals_notify_receiver_disabled{receiver="a"}': "0x2 1x20"},
        quiet={'robovitals_notify_receiver_disabled{receiver="a"}': "0x20"},
    ),
    "NotifierStands": Case(
        fires={"robovitals_notify_progress_age_seconds": "0x2 90x20"},
        quiet={"robovitals_notify_progress_age_seconds": "1x5 90 1x20"},
    ),
    "NotifierBehind": Case(
        fires={"robovitals_notify_lag_records": "500x20"},
        quiet={"robovitals_notify_lag_records": "0x5 3000x3 5x20"},
    ),
    "ServerErrors": Case(
        fires={
            'robovitals_serve_requests_total{route="/", status="200"}': "0+100x40",
            'robovitals_serve_requests_total{route="/", status="500"}': "0+5x40",
        },
        quiet={
            'robovitals_serve_requests_total{route="/", status="404"}': "0+50x40",
            'robovitals_serve_requests_total{route="/", status="200"}': "0+100x40",
        },
        after="25m",
    ),
    "ServerSlow": Case(
        fires={
            f'robovitals_serve_request_seconds_bucket{{route="/", le="{le}"}}': count
            for le, count in (("1", "0+9x40"), ("5", "0+10x40"), ("+Inf", "0+10x40"))
        },
        quiet={
            f'robovitals_serve_request_seconds_bucket{{route="/", le="{le}"}}': count
            for le, count in (("1", "0+999x40"), ("5", "0+1000x40"), ("+Inf", "0+1000x40"))
        },
        after="25m",
    ),
}
