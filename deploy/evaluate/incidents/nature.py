"""A robot as it is until something happens: its hours over five weeks, and forty seconds of frames. Seeded.

In: a random generator and the moment. Out: a `Robot`, whose arrays the scenarios change. Called by `scenarios.py`.
Nothing here knows what the verdict looks for: levels are lognormal around a joint's own, follow the work and the
weather, and an hour's highest is a few times its level.
"""

from dataclasses import dataclass, field

import numpy as np

from processors.incident.case import AFTER_US, BEFORE_US, PAST_DAYS, Channel, Float64, Int64, Past, Window

HOUR_US = 3_600_000_000
JOINT_SIGNALS = {
    "joint_velocity_rad_s": 1.5, "joint_torque_nm": 25.0, "joint_current_a": 4.0,
    "joint_tracking_error_rad": 0.006, "joint_temperature_c": 42.0, "joint_backlash_arcmin": 1.0,
    "joint_vibration_mm_s": 1.2,
}  # fmt: skip
SLOW = ("joint_temperature_c", "joint_backlash_arcmin")
WORKED = slice(7, 21)  # hours of the day


@dataclass
class Robot:
    """`hour` counts from the oldest; what is known of one is NaN where the robot was off. `seq` may lose some."""

    rng: np.random.Generator
    at_us: int
    joints: int
    software: list[str]
    work: list[str]
    hour_us: Int64
    time_us: Int64
    level: dict[Channel, Float64] = field(default_factory=dict)
    highest: dict[Channel, Float64] = field(default_factory=dict)
    readings: dict[Channel, Float64] = field(default_factory=dict)
    kept: Int64 | None = None
    mode: int = 1

    @property
    def hours(self) -> int:
        return len(self.hour_us)

    def past(self) -> Past:
        return Past(
            hour_us=self.hour_us, software=self.software, work=self.work, highest=self.highest, level=self.level
        )

    def window(self) -> Window:
        rows = np.arange(len(self.time_us)) if self.kept is None else self.kept
        return Window(
            time_us=self.time_us[rows], seq=4000 + rows, boot_id=np.full(len(rows), 77),
            mode=np.where(self.time_us[rows] >= self.at_us, 3, self.mode),
            readings={channel: values[rows] for channel, values in self.readings.items()},
        )  # fmt: skip

    def grow(self, channel: Channel, by: Float64) -> None:
        """Hour by hour so many times as much."""
        self.level[channel] = self.level[channel] * by
        if channel in self.highest:
            self.highest[channel] = self.highest[channel] * by

    def leap(self, channel: Channel, factor: float, since_s: float, until_s: float = np.inf) -> None:
        """In the window, seconds after the moment (before: negative)."""
        after_s = (self.time_us - self.at_us) / 1e6
        chosen = (after_s >= since_s) & (after_s < until_s)
        self.readings[channel] = np.where(chosen, self.readings[channel] * factor, self.readings[channel])


def healthy(rng: np.random.Generator, at_us: int) -> Robot:
    hours = PAST_DAYS * 24
    hour_us = at_us // HOUR_US * HOUR_US + HOUR_US * np.arange(-hours, 0)
    rate_hz = float(rng.choice([1.0, 2.0, 5.0, 10.0, 20.0]))
    time_us = at_us + np.arange(-BEFORE_US, AFTER_US, round(1e6 / rate_hz)) + int(rng.integers(0, 1000))
    robot = Robot(rng, at_us, int(rng.integers(6, 30)), ["4.1.0"] * hours, ["shop"] * hours, hour_us, time_us)
    working = np.zeros(hours, bool).reshape(-1, 24)
    working[:, WORKED] = rng.random((PAST_DAYS, WORKED.stop - WORKED.start)) < rng.uniform(0.5, 0.98)
    weather = np.repeat(np.cumsum(rng.normal(0, 0.01, PAST_DAYS)), 24) + 0.03 * np.sin(np.arange(hours) / 24 * 6.28)
    for joint in range(1, robot.joints + 1):
        for signal, base in JOINT_SIGNALS.items():
            _channel(robot, (f"joint/{joint}", signal), base * rng.lognormal(0, 0.3), working.ravel(), weather)
    robot.readings["robot", "clock_offset_ms"] = rng.normal(0, 40, len(time_us))
    robot.readings["robot", "clock_synchronised"] = np.ones(len(time_us))
    return robot


def _channel(robot: Robot, channel: Channel, base: float, working: np.ndarray, weather: Float64) -> None:
    rng, slow = robot.rng, channel[1] in SLOW
    noise = rng.lognormal(0, 0.04 if slow else 0.15, robot.hours)
    level = np.where(working, base * noise, np.nan)
    if channel[1] == "joint_temperature_c":
        level = level * (1 + weather)
    peak = 1.05 if slow else float(rng.uniform(2.2, 3.2))
    robot.level[channel] = level
    if channel[1] != "joint_torque_nm":  # as hours: they keep no extremes of it
        robot.highest[channel] = level * peak * rng.lognormal(0, 0.02 if slow else 0.08, robot.hours)
    count = len(robot.time_us)
    course = (
        np.ones(count) if slow else np.abs(np.sin(np.arange(count) * rng.uniform(0.02, 0.5) + rng.uniform(0, 6)))
    )
    lasting = float(np.nanmean(level[-24:])) if np.isfinite(level[-24:]).any() else base
    robot.readings[channel] = lasting * (1 if slow else peak * 0.8) * course * rng.lognormal(0, 0.05, count)
