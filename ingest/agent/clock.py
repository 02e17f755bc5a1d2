"""The robot's time: event times that never go back within a boot, jumps that are told, the offset to the broker.

In: readings of the wall and the monotonic clock, and what an acknowledgement tells. Out: event times, jumps, the
offset with its uncertainty. Called by the agent, which reads the clocks; pure, so that tests can let them jump.

Rules. Event time is the wall clock's. A step ahead is taken at once and told. A small step back (NTP's) is caught
up with at half speed, so that times go on rising; a large one is told and begins a new boot, since frames that are
an hour ahead would otherwise go on for an hour. Give CLOCK_BOOTTIME as the monotonic clock where there is one: by
CLOCK_MONOTONIC a robot that slept looks like a clock that jumped.
"""

import msgspec

from schemas.frame import EARLIEST_US

# Slewing stays far below, NTP's steps are 128 ms and more, and a second is what the summariser's tolerance bears.
JUMP_US = 1_000_000

# Quartz in a robot drifts by less than this; 100 ppm are 6 ms a minute.
DRIFT_PPM = 100
# The broker's time stamps are whole milliseconds, cut off.
STAMP_US = 1_000


class Moment(msgspec.Struct, frozen=True):
    """When a reading was taken. `jumped_us`: by how much the wall clock jumped before it (negative: back), or 0.
    `new_boot`: draw a new boot_id and begin with seq 0, event time goes back here."""

    time_us: int
    mono_us: int
    jumped_us: int
    new_boot: bool


class Clock:
    """Event times of one agent; changes in place."""

    def __init__(self) -> None:
        self._wall_us: int | None = None
        self._mono_us = 0
        self._time_us = 0

    def read(self, wall_us: int, mono_us: int) -> Moment:
        """The event time for a reading of both clocks, later than any before in this boot."""
        passed_us = max(0, mono_us - self._mono_us)
        before_us, self._wall_us, self._mono_us = self._wall_us, wall_us, mono_us
        if before_us is None:
            self._time_us = wall_us
            return Moment(wall_us, mono_us, 0, False)
        step_us = wall_us - (before_us + passed_us)
        jumped_us = step_us if abs(step_us) >= JUMP_US else 0
        # Many small steps back add up to a large one as well.
        new_boot = self._time_us + passed_us - wall_us >= JUMP_US
        self._time_us = wall_us if new_boot else max(wall_us, self._time_us + max(1, passed_us // 2))
        return Moment(self._time_us, mono_us, jumped_us, new_boot)


class Offset(msgspec.Struct, frozen=True):
    """The robot's clock minus the broker's, which is right within ± `error_us` while no route is one-way slow
    for longer than its whole round trip."""

    offset_us: int
    error_us: int


class BrokerClock:
    """The broker's clock by the robot's monotonic one, as NTP does it; changes in place.

    The best sample is kept: that of the shortest round trip, whose uncertainty grows with its age by DRIFT_PPM,
    until a later one is better. It is measured against the monotonic clock, so a jump of the wall clock shows at
    once.
    """

    def __init__(self) -> None:
        self._ahead_us: int | None = None  # broker's time minus monotonic time
        self._error_us = 0
        self._taken_us = 0

    def acknowledged(self, sent_mono_us: int, acked_mono_us: int, broker_us: int) -> None:
        """One send that was acknowledged; `broker_us` is the time stamp that the broker gave the record."""
        trip_us = acked_mono_us - sent_mono_us
        if trip_us < 0 or broker_us < EARLIEST_US:
            return
        error_us = (trip_us + STAMP_US) // 2 + 1
        if self._ahead_us is None or error_us <= self._aged_us(acked_mono_us):
            self._ahead_us = broker_us + STAMP_US // 2 - (sent_mono_us + acked_mono_us) // 2
            self._error_us, self._taken_us = error_us, acked_mono_us

    def offset(self, wall_us: int, mono_us: int) -> Offset | None:
        """None until something was acknowledged."""
        if self._ahead_us is None:
            return None
        return Offset(wall_us - mono_us - self._ahead_us, self._aged_us(mono_us))

    def _aged_us(self, mono_us: int) -> int:
        return self._error_us + max(0, mono_us - self._taken_us) * DRIFT_PPM // 1_000_000
