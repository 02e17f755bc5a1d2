"""Parts of a simulated life: which serials the robot knows, and what another gear or battery changes.

In: a `Draft`, changed in place. Called by `events.py` and `frauds.py`.
"""

from ingest.lives.book import lateness_us
from ingest.lives.draft import Draft
from ingest.lives.rows import true_wear
from schemas.logbook import PartInstalled, PartRemoved


def equip(life: Draft) -> None:
    """What it was made with. Not every robot knows its parts' serials."""
    knows = life.rng.random() < 0.85
    names = [f"joint/{number + 1}" for number in range(life.joints)] + ["battery", "controller"]
    for name in names:
        serial = new_serial(life)
        life.book.write(PartInstalled(component=name, part=name.partition("/")[0], serial=serial), life.start_us)
        if knows:
            life.serials[name] = [(0, serial)]


def new_serial(life: Draft) -> str:
    return f"SN-{int(life.rng.integers(16**10)):010X}"


def knows(life: Draft, component: str) -> bool:
    return component in life.serials


def relabel(life: Draft, component: str, hour: int, serial: str) -> None:
    """From an hour on the robot reports another serial there; what it would have reported later is gone."""
    if knows(life, component):
        kept = [one for one in life.serials[component] if one[0] < hour]
        life.serials[component] = [*kept, (hour, serial)]


def serial_at(life: Draft, component: str, hour: int) -> str:
    """Empty where the robot does not know it."""
    return next((serial for at, serial in reversed(life.serials.get(component, [])) if at <= hour), "")


def renew_joint(life: Draft, joint: int, hour: int, wear: float) -> float:
    """Another gear, which is so much worn. Returns how much less that is than before."""
    rng, day = life.rng, life.day(hour)
    before = float(true_wear(life)[day, joint])
    life.renewed[day:, joint] += before - wear
    life.play[day:, joint] *= rng.uniform(0.75, 1.25)
    life.grip[day:, joint] *= rng.uniform(0.8, 1.2)
    return before - wear


def renew_battery(life: Draft, hour: int, health: float) -> None:
    """Another battery: so much more health, and a resistance that goes with it."""
    day = life.day(hour)
    life.health[day:] += health
    life.ohms[day:] *= (1 - 2.0 * health) * life.rng.uniform(0.93, 1.07)


def declare(life: Draft, component: str, hour: int, serial: str, old: str, late_us: int | None = None) -> None:
    """Entries of a swap. `late_us`: as late as such papers are, where it is not given."""
    late_us = lateness_us(life.rng) if late_us is None else late_us
    if old:
        life.book.write(PartRemoved(component=component, serial=old, reason="worn"), life.us(hour), late_us)
    part = PartInstalled(component=component, part=component.partition("/")[0], serial=serial)
    life.book.write(part, life.us(hour), late_us)
