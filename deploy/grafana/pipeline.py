"""The pipeline: is each process up, does it keep up, how late is what people see. Over Prometheus.

What each metric means stands in docs/metrics.md, what to do in docs/runbook.md.
"""

from deploy.grafana.panels import Dashboard, Panel, promql


def _quantiles(metric: str, by: str = "") -> tuple[str, str]:
    """The median and the 99th percentile of a histogram."""
    labels = f"le, {by}" if by else "le"
    rate = f"sum by ({labels}) (rate({metric}_bucket[$__rate_interval]))"
    return f"histogram_quantile(0.5, {rate})", f"histogram_quantile(0.99, {rate})"


def _latency(title: str, metric: str, text: str, by: str = "") -> Panel:
    label = f" {{{{{by}}}}}" if by else ""
    median, slow = _quantiles(metric, by)
    return Panel(title, "timeseries", (promql(median, f"p50{label}"), promql(slow, f"p99{label}")), "s", text)


DASHBOARD = Dashboard(
    uid="robovitals-pipeline",
    title="robovitals: pipeline",
    text="From the robots to what people see: rates, lag, latency, rejects, repairs, operator load",
    since="now-1h",
    panels=(
        Panel(
            "Processes that run", "stat",
            (promql('sum by (process) (up{job="robovitals"})', "{{process}}"),), width=12, height=4,
        ),
        Panel(
            "Not ready, or stuck", "stat",
            (
                promql("count(robovitals_ready == 0) or vector(0)", "not ready"),
                promql("count(robovitals_stuck == 1) or vector(0)", "stuck"),
            ),
            width=6, height=4, lines=((1, "red"),),
        ),
        Panel(
            "Calls in ten minutes", "stat", (promql("max(robovitals_group_calls_10_minutes)", "calls"),),
            width=6, height=4, lines=((5, "orange"), (11, "red")), text="ISA-18.2: above ten is a flood",
        ),
        Panel(
            "Records", "timeseries",
            (
                promql("sum by (topic) (rate(robovitals_land_records_total[$__rate_interval]))", "land: {{topic}}"),
                promql("sum(rate(robovitals_summarise_frames_total[$__rate_interval]))", "summarise: frames"),
                promql("sum(rate(robovitals_assess_windows_total[$__rate_interval]))", "assess: windows"),
            ),
            "short", "A second",
        ),
        Panel(
            "Lag in seconds", "timeseries",
            (
                promql("max by (topic) (robovitals_land_lag_seconds)", "land: {{topic}}"),
                promql("max(robovitals_summarise_lag_seconds)", "summarise"),
                promql("max(robovitals_assess_lag_seconds)", "assess"),
                promql("max(robovitals_group_lag_seconds)", "grouping"),
            ),
            "s", lines=((30, "orange"), (60, "red")),
        ),
        Panel(
            "Lag in messages", "timeseries",
            (
                promql("sum by (topic) (robovitals_land_lag_records)", "land: {{topic}}"),
                promql("sum(robovitals_summarise_lag_records)", "summarise"),
                promql("sum(robovitals_assess_lag_messages)", "assess"),
            ),
            "short",
        ),
        _latency(
            "From the robot's clock to the table", "robovitals_land_event_latency_seconds",
            "Of live frames, the middle one of each batch; robots' clocks and network included",
        ),
        _latency(
            "From the broker to the table", "robovitals_land_latency_seconds",
            "Of each batch's oldest record, by topic", by="topic",
        ),
        _latency(
            "From the first sign to the alarm", "robovitals_assess_event_latency_seconds",
            "By rule. A limit takes less than a second; what judges epochs takes ten minutes by its nature",
            by="rule",
        ),
        _latency("A transaction of the lander", "robovitals_land_batch_seconds", "By topic", by="topic"),
        Panel(
            "Records of a batch", "timeseries",
            (
                promql(_quantiles("robovitals_land_batch_records", "topic")[0], "land: {{topic}}"),
                promql(_quantiles("robovitals_summarise_turn_records")[0], "summarise"),
                promql(_quantiles("robovitals_assess_batch_jobs")[0], "assess: steps"),
            ),
            "short", "The median. Small when all is quiet, large behind a backlog",
        ),
        Panel(
            "Time since anything was done", "timeseries",
            (
                promql("max(robovitals_land_progress_age_seconds)", "land"),
                promql("max(robovitals_summarise_progress_age_seconds)", "summarise"),
                promql("max(robovitals_assess_progress_age_seconds)", "assess"),
            ),
            "s", "Nought without work",
        ),
        Panel(
            "Rejects, by reason", "timeseries",
            (promql("sum by (topic, reason) (rate(robovitals_land_rejects_total[$__rate_interval])) > 0",
                    "{{topic}}: {{reason}}"),),
            "short", "A second. Their bytes are in table reject",
        ),
        Panel(
            "Late frames, and impossible readings", "timeseries",
            (
                promql("sum by (reason) (rate(robovitals_summarise_late_frames_total[$__rate_interval]))",
                       "late: {{reason}}"),
                promql("sum(rate(robovitals_land_impossible_readings_total[$__rate_interval]))", "impossible"),
                promql("sum(rate(robovitals_land_duplicates_total[$__rate_interval]))", "duplicates"),
            ),
            "short", "A second",
        ),
        Panel(
            "Watermark behind the wall clock", "timeseries",
            (promql("max by (instance) (robovitals_summarise_watermark_lag_seconds)"),), "s",
            "Of the partition furthest back; grows where all robots of a partition are off",
        ),
        Panel(
            "Repairs", "timeseries",
            (
                promql("max(robovitals_summarise_marks_waiting)", "windows waiting"),
                promql("sum(rate(robovitals_summarise_repaired_windows_total[$__rate_interval]))", "repaired"),
            ),
            "short",
        ),
        Panel(
            "Retries, and batches fenced off", "timeseries",
            (
                promql("sum(rate(robovitals_land_retries_total[$__rate_interval]))", "lander retries"),
                promql("sum(rate(robovitals_land_fenced_total[$__rate_interval]))", "fenced"),
                promql("sum(rate(robovitals_summarise_repair_retries_total[$__rate_interval]))", "repair retries"),
                promql("sum(rate(robovitals_group_retries_total[$__rate_interval]))", "grouping retries"),
            ),
            "short", "A second",
        ),
        Panel(
            "What waits, or is held back", "timeseries",
            (
                promql("sum(robovitals_land_buffered_records)", "lander: records"),
                promql("sum(robovitals_land_paused_partitions)", "lander: paused partitions"),
                promql("sum(robovitals_summarise_unacknowledged_messages)", "summariser: unacknowledged"),
                promql("sum(robovitals_assess_waiting_messages)", "assessor: messages"),
                promql("sum(robovitals_group_waiting_anomalies)", "grouping: anomalies"),
            ),
            "short",
        ),
        Panel(
            "Alarms", "timeseries",
            (
                promql("max(robovitals_group_open_episodes)", "open"),
                promql("max(robovitals_group_muted_episodes)", "spoken for"),
                promql("max(robovitals_group_open_parents)", "parents"),
                promql("max(robovitals_group_shelved_episodes)", "shelved"),
                promql("max(robovitals_group_out_of_service_episodes)", "out of service"),
            ),
            "short",
        ),
        Panel(
            "What alarms ask of operators", "timeseries",
            (
                promql("max(robovitals_group_calls_10_minutes)", "calls in ten minutes"),
                promql("max(robovitals_group_flood)", "flood"),
                promql("100 * max(robovitals_group_chattering_share)", "chattering, %"),
            ),
            "short",
        ),
        Panel(
            "Hourly roll-up", "timeseries",
            (promql("time() - max(robovitals_retain_rolled_until_seconds)", "behind"),), "s",
            "An hour or two are usual: only whole hours are rolled up",
        ),
        Panel(
            "Deliveries, by receiver", "timeseries",
            (
                promql("sum by (receiver, outcome) (rate(robovitals_notify_deliveries_total[$__rate_interval]))",
                       "{{receiver}}: {{outcome}}"),
                promql("max by (receiver) (robovitals_notify_oldest_pending_seconds)", "{{receiver}}: oldest, s"),
            ),
            "short", "Attempts a second, and the age of the oldest that could go out",
        ),
        Panel(
            "Requests of the page and the API", "timeseries",
            (
                promql("sum by (status) (rate(robovitals_serve_requests_total[$__rate_interval]))", "{{status}}"),
                promql("sum(robovitals_serve_stream_clients)", "live pages"),
            ),
            "short", "A second, by status",
        ),
        _latency("Until an answer begins", "robovitals_serve_request_seconds", "Of the page and the API"),
        Panel(
            "CPU", "timeseries",
            (promql('rate(process_cpu_seconds_total{job="robovitals"}[$__rate_interval])', "{{process}}"),),
            "short", "Cores",
        ),
        Panel(
            "Memory", "timeseries",
            (promql('process_resident_memory_bytes{job="robovitals"}', "{{process}} {{instance}}"),), "bytes",
        ),
    ),
)  # fmt: skip
