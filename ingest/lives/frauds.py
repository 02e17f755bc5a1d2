"""What is done to robots so that they look younger, or what is left undone. Each tells the truth about itself.

In: a `Draft`, changed in place. Called by `lives.py`. How much is drawn from a wide range, from what is hardly
worth the trouble to what nobody would dare; nothing here knows what any rule can see.
"""

from collections.abc import Callable

import numpy as np

from ingest.lives.book import AUTHORS, lateness_us
from ingest.lives.draft import Draft, Set
from ingest.lives.events import scrapped, sell
from ingest.lives.parts import knows, new_serial, relabel, renew_battery, renew_joint, serial_at
from ingest.lives.rows import true_wear
from ingest.lives.truth import Fraud
from schemas.hours import DAY_US, Elsewhere
from schemas.logbook import Ownership, Role


def rollback(life: Draft) -> int:
    """Its counter is set back, by ten hours or by most of its life. Returns the hour, for who sells it then."""
    hour = life.moment()
    reading_s = float(life.reading_s()[hour - 1])
    taken_s = min(_log_uniform(life, 10, 20_000) * 3600, 0.97 * reading_s)
    life.sets.append(Set(hour, 1.0, -taken_s, life.rng.choice([1.0, 1 - taken_s / max(reading_s, 1.0)])))
    life.tell(Fraud.ROLLBACK, "robot", slice(hour, hour + 1), taken_s / 3600, "h")
    return hour


def jump(life: Draft) -> int:
    """Set ahead: another robot's memory, or hours that are to be paid for."""
    hour = life.moment()
    added_h = _log_uniform(life, 5, 5000)
    life.sets.append(Set(hour, 1.0, added_h * 3600, 1.0))
    life.tell(Fraud.JUMP, "robot", slice(hour, hour + 1), added_h, "h")
    return hour


def slowed(life: Draft) -> int:
    """Its counter counts part of its work only, or none of it on some days."""
    rng = life.rng
    hours = life.span(life.moment(0.1, 0.8), _log_uniform(life, 10, 500))
    if rng.random() < 0.7:
        factor = np.full(hours.stop - hours.start, rng.uniform(0.2, 0.97))
    else:
        blocked = rng.random(len(life.health)) < rng.uniform(0.2, 0.9)
        factor = np.where(blocked[np.arange(hours.start, hours.stop) // 24], 0.0, 1.0)
    ran_s = (life.on * life.work * life.counted)[hours] * 3600
    life.counted[hours] *= factor
    lost_h = float((ran_s * (1 - factor)).sum() / 3600)
    life.tell(Fraud.SLOWED, "robot", hours, lost_h, "h")
    return int(hours.stop) - 1


def swap(life: Draft) -> int:
    """Another part, and nobody writes it down."""
    rng, hour = life.rng, life.moment()
    component = "battery" if rng.random() < 0.3 else f"joint/{int(rng.integers(life.joints)) + 1}"
    if not knows(life, component):
        return hour
    if component == "battery":
        renew_battery(life, hour, rng.uniform(-0.1, 0.1))
    else:
        renew_joint(life, int(component[6:]) - 1, hour, rng.uniform(0, 0.8))
    relabel(life, component, hour, new_serial(life))
    life.tell(Fraud.SWAP, component, slice(hour, hour + 1), 1, "part")
    return hour


def hidden(life: Draft) -> int:
    """Another gear, given the old one's serial: a newer one, for that is what it is done for."""
    rng, hour = life.rng, life.moment()
    worn = true_wear(life)[life.day(hour)]
    joint = int(rng.choice(np.argsort(worn)[-max(life.joints // 3, 1) :]))
    gained = renew_joint(life, joint, hour, float(worn[joint]) * rng.uniform(0, 0.8))
    life.tell(Fraud.HIDDEN, f"joint/{joint + 1}", slice(hour, hour + 1), gained, "of its life")
    return hour


def hidden_battery(life: Draft) -> int:
    """Another battery, given the old one's serial."""
    hour, gained = life.moment(), float(life.rng.uniform(0.02, 0.2))
    renew_battery(life, hour, gained)
    life.tell(Fraud.HIDDEN_BATTERY, "battery", slice(hour, hour + 1), gained, "of its health")
    return hour


def cloned_part(life: Draft) -> int:
    """A copy of its battery's or a joint's serial works in another robot at the same time."""
    rng = life.rng
    component = "battery" if rng.random() < 0.5 else f"joint/{int(rng.integers(life.joints)) + 1}"
    hours = life.span(life.moment(), _log_uniform(life, 0.3, 600))
    serial = serial_at(life, component, hours.stop)
    starts = [at for at, _ in life.serials.get(component, [])]
    if not serial or any(hours.start < at < hours.stop for at in starts):
        return int(hours.start)
    other_live = int(rng.binomial(hours.stop - hours.start, rng.uniform(0.1, 0.9)))
    other = Elsewhere(
        component=component, serial=serial, robot_id=life.book.robot_id[:-4] + "CLON",
        first_us=life.us(hours.start), last_us=life.us(hours.stop), hours=other_live,
    )  # fmt: skip
    life.elsewhere.append(other)
    life.tell(Fraud.CLONED_PART, component, hours, (hours.stop - hours.start) / 24, "days")
    return int(hours.start)


def cloned_robot(life: Draft) -> int:
    """A second robot sends under its code."""
    rng = life.rng
    hours = life.span(life.moment(), _log_uniform(life, 1, 300))
    length = hours.stop - hours.start
    life.second[hours] = rng.random(length) < rng.uniform(0.1, 0.9)
    other_s = rng.uniform(0, 20_000) * 3600 + np.cumsum(rng.uniform(0.1, 0.8) * 3600 * np.ones(length))
    life.second_s[hours] = other_s - life.reading_s()[hours]
    life.tell(Fraud.CLONED_ROBOT, "robot", hours, length / 24, "days")
    return int(hours.stop) - 1


def unlogged(life: Draft) -> int:
    """It works while its connection is off and its spool too."""
    hours = life.span(life.moment(), _log_uniform(life, 0.5, 90))
    life.seen[hours] = False
    ran_h = float((life.on * life.work)[hours].sum())
    life.tell(Fraud.UNLOGGED, "robot", hours, ran_h, "h")
    return int(hours.stop) - 1


def sold_twice(life: Draft) -> int:
    """Two sellers, two buyers, one robot."""
    rng, hour = life.rng, life.moment()
    sell(life, hour)
    apart_us = int(rng.exponential(3) * DAY_US)
    owner = Ownership(owner=f"{int(rng.integers(1 << 62)):064x}")
    role = Role.OPERATOR
    life.book.write(owner, life.us(hour) + apart_us, lateness_us(rng), role=role, author=AUTHORS[role][::-1])
    life.tell(Fraud.SOLD_TWICE, "robot", slice(hour, hour + 1), apart_us / DAY_US, "days apart")
    return hour


def unowned(life: Draft) -> int:
    """Whoever has it first is written down long after, or never."""
    hour = life.hours if life.rng.random() < 0.3 else min(round(_log_uniform(life, 30, 1500) * 24), life.hours)
    late = life.book.put_off(Ownership, life.us(hour))
    ran_h = float((life.on * life.work)[:hour].sum())
    if late:
        life.tell(Fraud.UNOWNED, "robot", slice(0, hour), ran_h, "h")
    return 0


def neglected(life: Draft) -> int:
    """From then on nobody services it."""
    life.neglected_from = life.moment()
    return life.neglected_from


def used_after_scrapping(life: Draft) -> int:
    """Scrapped on paper, and sold to work elsewhere."""
    hour = scrapped(life)
    pause = life.span(hour, life.rng.uniform(1, 60))
    life.on[pause] = False
    life.on[pause.stop + round(_log_uniform(life, 1, 400) * 24) :] = False
    last = np.nonzero(life.on & life.seen)[0].max(initial=0)
    if last > hour:
        ran_h = float((life.on * life.work)[hour:].sum())
        life.tell(Fraud.SCRAPPED, "robot", slice(hour, last + 1), ran_h, "h")
    return hour


def sold_after(life: Draft, hour: int) -> None:
    """It was done for the buyer's sake."""
    sale = hour + round(float(life.rng.lognormal(np.log(12), 1.0)) * 24)
    if sale < life.hours:
        sell(life, sale)
        life.tell(Fraud.SOLD_AFTER, "robot", slice(sale, sale + 1), (sale - hour) / 24, "days later")


def _log_uniform(life: Draft, low: float, high: float) -> float:
    return float(np.exp(life.rng.uniform(np.log(low), np.log(high))))


SHARES: dict[Callable[[Draft], int], float] = {
    rollback: 0.06, jump: 0.03, slowed: 0.05, swap: 0.06, hidden: 0.06, hidden_battery: 0.03, cloned_part: 0.03,
    cloned_robot: 0.02, unlogged: 0.06, sold_twice: 0.02, unowned: 0.03, neglected: 0.05,
    used_after_scrapping: 0.02,
}  # fmt: skip
FOR_A_SALE = (rollback, slowed, swap, hidden, hidden_battery, unlogged)
"""Done by an owner who wants to sell, as often as not."""
