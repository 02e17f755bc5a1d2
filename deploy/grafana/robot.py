"""One robot: who it is, how it is and why, its wear, accuracy and battery with limits drawn in. Over TimescaleDB.

Limits are those of the signal table; a limits file may have others for a model.
"""

from deploy.grafana.panels import Dashboard, Panel, Variable, sql
from schemas.signals import SIGNAL

UNITS = {
    "1": "percentunit", "°C": "celsius", "V": "volt", "A": "amp", "mm": "lengthmm", "rad": "radian",
    "arcmin": "arcmin", "mV": "mvolt", "mm/s": "velocitymms",
}  # fmt: skip


def _lines(signal: str) -> tuple[tuple[float, str], ...]:
    """A signal's upper limits; Grafana colours what is above."""
    limit = SIGNAL[signal].above
    return ((limit.warn, "orange"), (limit.alarm, "red")) if limit else ()


def _joints(title: str, signal: str, statistic: str, text: str = "") -> Panel:
    query = sql("joint_signal", series=True, column=f"{signal}_{statistic}")
    return Panel(title, "timeseries", (query,), UNITS[SIGNAL[signal].unit], text, lines=_lines(signal))


def _signals(title: str, columns: dict[str, str], unit: str, limits_of: str = "", text: str = "") -> Panel:
    """`columns`: of each name on the panel the column of `vitals` and how its windows come together."""
    listed = ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())
    query = sql("robot_series", series=True, columns=listed)
    return Panel(title, "timeseries", (query,), unit, text, lines=_lines(limits_of) if limits_of else ())


DASHBOARD = Dashboard(
    uid="robovitals-robot",
    title="robovitals: robot",
    text="One robot, by its 29-character code",
    variables=(Variable("robot", "robot code"),),
    panels=(
        Panel("Robot", "table", (sql("robot_state"),), width=24, height=4),
        Panel("Components, worst first", "table", (sql("robot_components"),), width=12, height=10),
        Panel("Alarms", "table", (sql("robot_alarms"),), width=12, height=10),
        _joints("Wear", "joint_wear", "max", "Consumed life, an estimate"),
        _joints("Temperature", "joint_temperature_c", "max"),
        _joints("Backlash", "joint_backlash_arcmin", "max", "An estimate"),
        _joints("Tracking error", "joint_tracking_error_rad", "max", "Of the encoder; not ISO 9283 accuracy"),
        _joints("Vibration", "joint_vibration_mm_s", "max"),
        _joints("Current", "joint_current_a", "rms", "RMS"),
        _signals(
            "Accuracy",
            {
                "pose accuracy (AP)": "max(pose_accuracy_mm_mean)",
                "repeatability (RP)": "max(pose_repeatability_mm_mean)",
                "path accuracy (AT)": "max(path_accuracy_mm_mean)",
            },
            "lengthmm",
            text="ISO 9283; repeatability needs 30 cycles",
        ),
        _signals(
            "Battery: charge and health",
            {"state of charge": "min(battery_soc_min)", "state of health": "min(battery_soh_min)"},
            "percentunit",
            text="Of health 0.85 warns and 0.80 alarms",
        ),
        _signals(
            "Battery: spread of its cells", {"spread": "max(battery_cell_spread_mv_max)"}, "mvolt",
            "battery_cell_spread_mv",
        ),
        _signals(
            "Battery: temperature",
            {"battery": "max(battery_temperature_c_max)", "ambient": "max(ambient_temperature_c_mean)"},
            "celsius", "battery_temperature_c",
        ),
        _signals("Battery: voltage", {"lowest": "min(battery_voltage_v_min)"}, "volt"),
        _signals(
            "Battery: current", {"discharge": "min(battery_current_a_min)", "charge": "max(battery_current_a_max)"},
            "amp",
        ),
        _signals(
            "Frames",
            {"frames": "sum(frames)", "missing": "sum(missing)", "sent late": "sum(backfill_frames)"},
            "short",
            text="Missing are sequence numbers that no frame had; sent late is what came from its spool",
        ),
        _signals(
            "Clock behind the broker's",
            {"behind": "min(extract(epoch FROM received - last_time)) FILTER (WHERE backfill_frames = 0)"},
            "s",
            text="The way of a frame included; below nought its clock is ahead",
        ),
        Panel("What people did", "table", (sql("robot_deeds"),)),
    ),
)  # fmt: skip
