"""What happens to honest robots, and looks like something else.

In: a `Draft`, changed in place. Called by `lives.py`. `RATES` says how often a year each happens.
"""

from collections.abc import Callable

import numpy as np

from ingest.lives.book import AUTHORS, lateness_us
from ingest.lives.draft import Changed, Draft, Set, change_use
from ingest.lives.parts import declare, equip, knows, new_serial, relabel, renew_battery, renew_joint, serial_at
from ingest.lives.truth import Fraud, Honest
from schemas.hours import DAY_US, HOUR_US
from schemas.logbook import (
    Calibration,
    CounterChanged,
    MaintenanceDone,
    Ownership,
    Registered,
    Role,
    Scrapped,
    Software,
)
from schemas.maintenance_plan import Task

SERVICE = Task(name="service", component="robot", every_hours=1500, every_days=365)
"""What the plan of these robots' maker says."""


def begin(life: Draft) -> None:
    """Made, registered, tried out by its maker, sold."""
    made = Registered(maker="SIMU", model="HUMA29", made_us=life.start_us - 30 * DAY_US, joints=life.joints)
    life.book.write(made, life.start_us, role=Role.PLATFORM)
    equip(life)
    tried_days = min(float(life.rng.lognormal(np.log(8), 0.9)), 0.3 * life.hours / 24)
    sell(life, min(int(tried_days * 24), life.hours - 1), Role.MAKER)


def sell(life: Draft, hour: int, role: Role = Role.OPERATOR, author: str = "") -> None:
    """Another owner."""
    what = Ownership(owner=f"{int(life.rng.integers(1 << 62)):064x}", country="DE")
    life.book.write(what, life.us(hour), lateness_us(life.rng), role=role, author=author)


def sold(life: Draft) -> None:
    """By its owner, or through a dealer who has it for some days."""
    hour = life.moment()
    sell(life, hour)
    days = float(life.rng.lognormal(np.log(10), 1.2))
    if life.rng.random() < 0.3 and hour + round(days * 24) < life.hours:
        sell(life, hour + round(days * 24), author=AUTHORS[Role.OPERATOR][::-1])
    life.note(Honest.SOLD, "robot", life.span(hour, 1))


def swapped(life: Draft) -> None:
    """A worn joint or battery is replaced, by a new or a used one, and somebody writes it down, sometimes late."""
    rng, hour = life.rng, life.moment(0.02, 0.98)
    late_us = lateness_us(rng) if rng.random() < 0.9 else int(rng.uniform(20, 90) * DAY_US)
    component = "battery" if rng.random() < 0.25 else f"joint/{int(rng.integers(life.joints)) + 1}"
    serial, old = new_serial(life), serial_at(life, component, hour)
    if component == "battery":
        renew_battery(life, hour, rng.uniform(0.0, 0.15))
    else:
        renew_joint(life, int(component[6:]) - 1, hour, float(rng.choice([0.0, float(rng.uniform(0, 0.5))])))
    relabel(life, component, hour, serial)
    declare(life, component, hour, serial, old, late_us)
    is_late = late_us > 14 * DAY_US
    life.note(Honest.LATE_ENTRY if is_late else Honest.SWAP, component, life.span(hour, 1))


def board(life: Draft) -> None:
    """Another controller, whose counters begin anew or are set by the workshop."""
    rng, hour = life.rng, life.moment(0.02, 0.98)
    kept, plus_h = float(rng.choice([0.0, 0.0, 0.0, 1.0])), float(rng.choice([0.0, 0.0, rng.uniform(0, 2000)]))
    life.sets.append(Set(hour, kept, plus_h * 3600 * (1 - kept), 0.0))
    late_us, old, serial = lateness_us(rng), serial_at(life, "controller", hour), new_serial(life)
    relabel(life, "controller", hour, serial)
    declare(life, "controller", hour, serial, old, late_us)
    happened_us = life.us(hour) + int(rng.normal(0, 1) * DAY_US)
    off_by = float(rng.uniform(0.99, 1.01)) if rng.random() < 0.8 else None
    life.changed.append(Changed(hour, happened_us, late_us, off_by))
    life.note(Honest.BOARD, "robot", life.span(hour, 1))


def write_changed(life: Draft) -> None:
    """What the workshop read off before and after, the former more or less."""
    reading_s = life.reading_s()
    for one in life.changed:
        before = None if one.off_by is None else int(reading_s[one.hour - 1] * one.off_by)
        after = int(reading_s[one.hour])
        what = CounterChanged(counter="runtime_s", before=before, after=after, reason="another controller")
        life.book.write(what, one.happened_us, one.late_us)


def write_services(life: Draft) -> None:
    """As its maker wants them, a little early or late, until somebody leaves them out."""
    rng, ran_s, reading_s = life.rng, life.runtime_s(), life.reading_s()
    hour = 0
    while True:
        share = rng.uniform(0.8, 1.05)
        by_hours = int(np.searchsorted(ran_s, ran_s[hour] + share * (SERVICE.every_hours or 0) * 3600))
        due = min(by_hours, hour + int(share * 24 * (SERVICE.every_days or 0)))
        if due >= min(life.hours, life.neglected_from):
            break
        hour = due
        what = MaintenanceDone(task="service", component="robot", plan=SERVICE.name)
        life.book.write(what, life.us(hour), lateness_us(rng), runtime_s=int(reading_s[hour]))
    over = max(
        (ran_s[-1] - ran_s[hour]) / 3600 / (SERVICE.every_hours or 1),
        (life.hours - hour) / 24 / (SERVICE.every_days or 1),
    )
    if life.neglected_from < life.hours and over > 1:
        life.tell(Fraud.MISSED, "robot", slice(hour, life.hours), over, "intervals")


def regreased(life: Draft) -> None:
    """Some joints turn more easily, for a year or so; the estimate of wear hardly cares."""
    rng, hour = life.rng, life.moment(0.02, 0.98)
    day, ends = life.day(hour), life.day(min(hour + 400 * 24, life.hours - 1)) + 1
    for joint in rng.choice(life.joints, int(rng.integers(1, 4)), replace=False).tolist():
        life.grip[day:ends, joint] *= rng.uniform(0.55, 0.95)
        life.estimate[day:, joint] -= rng.uniform(0, 0.01)
        component = f"joint/{joint + 1}"
        if rng.random() < 0.85:
            task = MaintenanceDone(task="regrease", component=component)
            life.book.write(task, life.us(hour), lateness_us(rng), runtime_s=int(life.reading_s()[hour]))
        life.note(Honest.REGREASED, component, life.span(hour, 1))


def calibrated(life: Draft) -> None:
    """Backlash is taken up or compensated; what the software thinks of wear may change a little with it."""
    rng, hour = life.rng, life.moment(0.02, 0.98)
    joint = int(rng.integers(life.joints))
    component, day = f"joint/{joint + 1}", life.day(hour)
    life.play[day:, joint] *= rng.uniform(0.4, 0.95)
    is_written = rng.random() < 0.8
    if is_written:
        life.estimate[day:, joint] -= rng.uniform(0, 0.06)
        life.book.write(Calibration(component=component, method="zeroed"), life.us(hour), lateness_us(rng))
    life.note(Honest.CALIBRATED, component, life.span(hour, 1))


def firmware(life: Draft) -> None:
    """A new version; one in three has another idea of wear, of all joints or of those of one kind."""
    rng, hour = life.rng, life.moment(0.02, 0.98)
    _install(life, hour)
    if rng.random() < 0.35:
        day = life.day(hour)
        kind = slice(None) if rng.random() < 0.6 else np.arange(life.joints) % 3 == int(rng.integers(3))
        life.estimate[day:, kind] += rng.normal(0, 0.05)
        life.play[day:, kind] *= rng.uniform(0.8, 1.2)
    life.note(Honest.FIRMWARE, "robot", life.span(hour, 1))


def _install(life: Draft, hour: int) -> None:
    version = f"fw {len(life.installs) + 1}.0"
    life.installs.append((hour, version))
    if life.rng.random() < 0.7:
        what = Software(name="firmware", version=version)
        life.book.write(what, life.us(hour), lateness_us(life.rng), role=Role.OPERATOR)


def relabelled(life: Draft) -> None:
    """A new version writes the serials of all joints in another way."""
    hour = life.moment()
    if len(life.serials) < 3:
        return
    _install(life, hour)
    for component in [name for name in life.serials if name.startswith("joint/")]:
        serial = serial_at(life, component, hour)
        relabel(life, component, hour, f"{serial[3:]}-{life.rng.integers(10)}")
    life.note(Honest.RELABELLED, "robot", life.span(hour, 1))


def misread(life: Draft) -> None:
    """A serial that came over the bus in pieces, until the next boot."""
    hour, component = life.moment(), f"joint/{int(life.rng.integers(life.joints)) + 1}"
    if not knows(life, component):
        return
    before, length = life.serials[component], int(life.rng.integers(1, 4))
    back = serial_at(life, component, hour)
    later = [one for one in before if one[0] > hour + length]
    relabel(life, component, hour, "0000000000")
    life.serials[component] += [(hour + length, back), *later]
    life.note(Honest.MISREAD, component, slice(hour, hour + length))


def lent(life: Draft) -> None:
    """A battery goes to another robot while this one stands still, and comes back: nobody else has it meanwhile."""
    hours = life.span(life.moment(), life.rng.uniform(2, 30))
    if not knows(life, "battery"):
        return
    life.on[hours] = False
    life.note(Honest.LENT, "battery", hours)


def late_data(life: Draft) -> None:
    """Its connection is lost, and what it kept comes later, if it was not too much."""
    rng = life.rng
    hours = life.span(life.moment(), float(rng.lognormal(np.log(1.5), 1.0)))
    back = hours.stop
    life.delay_us[hours] = (back - np.arange(hours.start, hours.stop)) * HOUR_US
    life.note(Honest.LATE_DATA, "robot", hours)


def clock(life: Draft) -> None:
    """Its clock is wrong for a while: minutes, days, or 1970."""
    rng = life.rng
    hours = life.span(life.moment(), float(rng.lognormal(np.log(1.0), 1.2)))
    error_h = rng.choice([1, -1]) * float(np.exp(rng.uniform(np.log(0.05), np.log(24 * 60))))
    life.clock_us[hours] = -life.us(hours.start) if rng.random() < 0.2 else int(error_h * HOUR_US)
    life.note(Honest.CLOCK, "robot", hours)


def power_loss(life: Draft) -> None:
    hour = life.moment()
    life.sets.append(Set(hour, 1.0, -float(life.rng.uniform(0, 1.5) * 3600), 1.0))
    life.note(Honest.POWER_LOSS, "robot", life.span(hour, 1))


def bad_counter(life: Draft) -> None:
    """Nought, or nonsense, until the next boot."""
    rng, hour = life.rng, life.moment()
    hours = slice(hour, hour + int(rng.integers(1, 9)))
    life.misread[hours] = int(rng.choice([0, 2**31 - 1, int(rng.integers(1 << 30))]))
    life.note(Honest.BAD_COUNTER, "robot", hours)


def off(life: Draft) -> None:
    hours = life.span(life.moment(), float(np.exp(life.rng.uniform(np.log(2), np.log(150)))))
    life.on[hours] = False
    life.note(Honest.OFF, "robot", hours)


def shipped(life: Draft) -> None:
    """Off, but for a try-out or two without a network."""
    rng, hours = life.rng, life.span(life.moment(), life.rng.uniform(4, 45))
    life.on[hours] = False
    tried = slice(hours.start, min(hours.start + 1, hours.stop))
    life.on[tried], life.seen[tried] = True, False
    life.work[tried] = rng.uniform(0.1, 1.0)
    life.note(Honest.SHIPPED, "robot", hours)


def idle_on(life: Draft) -> None:
    """It waits in working mode, moving nothing: its counter stands still, rightly."""
    rng, hours = life.rng, life.span(life.moment(), life.rng.uniform(5, 120))
    life.idle[hours] = rng.uniform(0.1, 0.6)
    life.work[hours] *= rng.uniform(0.3, 1.0)
    life.note(Honest.IDLE_ON, "robot", hours)


def mode(life: Draft) -> None:
    """A new version says working where the old one said idle."""
    hour = life.moment()
    _install(life, hour)
    life.idle[hour:] += life.rng.uniform(0.05, 0.3)
    life.note(Honest.MODE, "robot", life.span(hour, 1))


def other_use(life: Draft) -> None:
    hour = life.moment()
    change_use(life, slice(hour, life.hours))
    life.note(Honest.USE, "robot", life.span(hour, 1))


def relearned(life: Draft) -> None:
    """A full cycle shows that the battery is better than was thought."""
    hour = life.moment()
    life.health[life.day(hour) :] += life.rng.uniform(0.005, 0.06)
    life.note(Honest.RELEARNED, "battery", life.span(hour, 1))


RATES: dict[Callable[[Draft], None], float] = {
    sold: 0.3, swapped: 0.5, board: 0.12, regreased: 0.8, calibrated: 0.4, firmware: 1.0, relabelled: 0.04,
    misread: 0.1, lent: 0.1, late_data: 3.0, clock: 0.3, power_loss: 0.4, bad_counter: 0.1, off: 0.5, shipped: 0.3,
    idle_on: 0.15, mode: 0.06, other_use: 0.15, relearned: 0.3,
}  # fmt: skip


def scrapped(life: Draft) -> int:
    """At the end of some lives. Returns the hour from which it is written to be scrapped."""
    rng = life.rng
    hour = life.moment(0.5, 0.95)
    early_h = int(
        rng.choice([0, int(rng.integers(0, 36))])
    )  # the paper says an earlier day than the last one of work
    what = Scrapped(reason="end of life")
    life.book.write(what, life.us(max(hour - early_h, 0)), lateness_us(rng), role=Role.OPERATOR)
    return hour


def dismantled(life: Draft) -> None:
    """Scrapped, and switched on once more, hardly moving."""
    hour = scrapped(life)
    life.on[hour:] = False
    again = life.span(min(hour + int(life.rng.uniform(24, 24 * 40)), life.hours - 2), life.rng.uniform(0.04, 0.5))
    life.on[again], life.work[again] = True, life.rng.uniform(0, 0.1)
    life.note(Honest.DISMANTLED, "robot", again)
