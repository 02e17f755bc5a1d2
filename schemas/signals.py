"""Every signal once: its name with unit, component, physical range, window statistics and limits.

From this table follow the frame's fields, the columns of `frame` and `vitals`, screening, windows, limit
rules, JSON Schema, and the documentation's table. Adding a signal is one line here plus one migration.
Sources of ranges and limits: NE 107 and ISO 9283 as terms; the numbers are our own defaults, overridden per
model in a limits file (`schemas/limits.py`), and never a standard's.
"""

from enum import StrEnum

import msgspec


class Component(StrEnum):
    """What a signal belongs to. A robot has many joints and one of each of the others."""

    JOINT = "joint"
    ACCURACY = "accuracy"
    BATTERY = "battery"
    ROBOT = "robot"


class Statistic(StrEnum):
    """What a window keeps of a signal. The order here is the order in which vitals carry them."""

    LAST = "last"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    RMS = "rms"


STATISTICS = tuple(Statistic)
_LAST, _MEAN, _MIN, _MAX, _RMS = STATISTICS


class Limit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A warn and an alarm threshold; a level ends only `deadband` inside its threshold (ISA-18.2)."""

    warn: float
    alarm: float
    deadband: float


class Signal(msgspec.Struct, frozen=True):
    """One signal. `low` and `high` bound what is physically possible: outside is impossible, not alarming."""

    name: str
    component: Component
    unit: str
    low: float
    high: float
    statistics: tuple[Statistic, ...]
    above: Limit | None = None
    below: Limit | None = None
    monotone: bool = False
    estimate: bool = False
    text: str = ""


_J, _A, _B, _R = Component.JOINT, Component.ACCURACY, Component.BATTERY, Component.ROBOT

SIGNALS: tuple[Signal, ...] = (
    Signal("joint_position_rad", _J, "rad", -12.6, 12.6, (_LAST, _MIN, _MAX), text="two turns each way"),
    Signal("joint_velocity_rad_s", _J, "rad/s", -100, 100, (_MAX, _RMS)),
    Signal("joint_torque_nm", _J, "Nm", -2000, 2000, (_MEAN, _RMS)),
    Signal("joint_current_a", _J, "A", -500, 500, (_MEAN, _MIN, _MAX, _RMS)),
    Signal("joint_voltage_v", _J, "V", 0, 1000, (_MEAN, _MIN)),
    Signal(
        "joint_temperature_c", _J, "°C", -40, 150, (_LAST, _MEAN, _MIN, _MAX),
        above=Limit(warn=80, alarm=90, deadband=3),
    ),
    Signal("joint_tracking_error_rad", _J, "rad", -12.6, 12.6, (_MAX, _RMS), text="encoder error, not ISO 9283"),
    Signal(
        "joint_backlash_arcmin", _J, "arcmin", 0, 600, (_LAST, _MEAN, _MAX),
        above=Limit(warn=4, alarm=6, deadband=0.3), estimate=True,
        text="2 and 3 times a strain-wave gear's catalogue 2 arcmin, until the joint has a baseline of its own",
    ),
    Signal("joint_vibration_mm_s", _J, "mm/s", 0, 1000, (_MEAN, _MAX)),
    Signal(
        "joint_wear", _J, "1", 0, 1.5, (_LAST, _MAX),
        above=Limit(warn=0.6, alarm=0.8, deadband=0.01), monotone=True, estimate=True, text="consumed life",
    ),
    Signal("pose_accuracy_mm", _A, "mm", 0, 1000, (_LAST, _MEAN), text="ISO 9283 AP"),
    Signal("pose_repeatability_mm", _A, "mm", 0, 1000, (_LAST, _MEAN), text="ISO 9283 RP, needs n >= 30"),
    Signal("path_accuracy_mm", _A, "mm", 0, 1000, (_LAST, _MEAN), text="ISO 9283 AT"),
    Signal("path_repeatability_mm", _A, "mm", 0, 1000, (_LAST, _MEAN), text="ISO 9283 RT"),
    Signal("position_overshoot_mm", _A, "mm", 0, 1000, (_LAST, _MEAN), text="ISO 9283 OV"),
    Signal("accuracy_samples", _A, "1", 0, 1_000_000, (_LAST,), text="cycles behind the accuracy figures"),
    Signal("battery_soc", _B, "1", 0, 1, (_LAST, _MIN), text="state of charge"),
    Signal(
        "battery_soh", _B, "1", 0, 1.2, (_LAST, _MIN),
        below=Limit(warn=0.85, alarm=0.80, deadband=0.01), estimate=True, text="state of health",
    ),
    Signal("battery_voltage_v", _B, "V", 0, 1000, (_LAST, _MEAN, _MIN)),
    Signal("battery_current_a", _B, "A", -1000, 1000, (_MEAN, _MIN, _MAX), text="negative discharges"),
    Signal(
        "battery_temperature_c", _B, "°C", -60, 150, (_LAST, _MEAN, _MIN, _MAX),
        above=Limit(warn=45, alarm=60, deadband=2), below=Limit(warn=0, alarm=-20, deadband=2),
    ),
    Signal(
        "battery_cell_spread_mv", _B, "mV", 0, 5000, (_LAST, _MEAN, _MAX),
        above=Limit(warn=50, alarm=100, deadband=5),
    ),
    Signal("battery_resistance_mohm", _B, "mΩ", 0, 10_000, (_LAST, _MEAN), estimate=True),
    Signal("battery_capacity_ah", _B, "Ah", 0, 1000, (_LAST,), estimate=True),
    Signal("battery_cell_min_v", _B, "V", 0, 10, (_LAST, _MIN)),
    Signal("battery_cell_max_v", _B, "V", 0, 10, (_LAST, _MAX)),
    Signal("ambient_temperature_c", _R, "°C", -80, 100, (_LAST, _MEAN)),
    Signal("tool_current_a", _R, "A", -100, 100, (_MEAN, _MAX)),
    Signal(
        "clock_offset_ms", _R, "ms", -1e13, 1e13, (_LAST, _MIN, _MAX),
        above=Limit(warn=2000, alarm=3500, deadband=200), below=Limit(warn=-2000, alarm=-3500, deadband=200),
        text="the robot's clock less the broker's; 5 s behind, its frames come after their windows have closed",
    ),
    Signal("clock_synchronised", _R, "1", 0, 1, (_LAST, _MIN), text="1: its system says that NTP keeps its clock"),
    Signal(
        "spool_used", _R, "1", 0, 1, (_LAST, _MAX),
        above=Limit(warn=0.5, alarm=0.9, deadband=0.05), text="share of what its spool may hold; full, it drops",
    ),
    Signal("spool_frames", _R, "1", 0, 1e12, (_LAST, _MAX), text="frames that wait in its spool"),
    Signal("agent_reconnects", _R, "1", 0, 1e12, (_LAST,), text="connections made anew since its boot"),
    Signal("publish_latency_ms", _R, "ms", 0, 1e12, (_LAST, _MEAN, _MAX), text="from a frame's sending to its ack"),
)  # fmt: skip

SIGNAL: dict[str, Signal] = {signal.name: signal for signal in SIGNALS}
SIGNAL_ORDER: dict[str, int] = {signal.name: position for position, signal in enumerate(SIGNALS)}

# The cumulative counters travel beside the readings as integers: float32 would round them.
COUNTERS = ("runtime_s", "energy_wh", "cycles")
# A frame has one more, which windows do not keep: the newest frame says all that its robot ever had to drop.
FRAME_COUNTERS = (*COUNTERS, "dropped")

MODES = ("idle", "working", "charging", "fault", "teleoperated")
MODE_FAULT = MODES.index("fault")
