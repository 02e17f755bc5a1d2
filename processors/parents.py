"""What is told of a parent: an anomaly that is about the fleet, in one sentence.

In: a parent as it has become, what happened to it, who did it, and how many robots it has. Out: the parent with its
transition numbered, and the message. Called by `processors/groups.py`. Pure.
"""

import msgspec

from processors import scopes, wording
from processors.fleet_state import Condition, Parent
from processors.telling import NO_DEED, Deed, deed_words
from schemas.anomaly import ANOMALY_VERSION, FLEET, About, Anomaly, Transition

RULE = "fleet"
RULE_VERSION = 1
UNIT = "robots"

_NAMED = 5  # ours: signals in one sentence

# A parent that doubles or halves is told at once, one that grows by a tenth soon, and any other number at last.
_SOON_US, _LAST_US = 10_000_000, 60_000_000
_GROWN = 1.1

_WORDS = {
    "mode": "report a fault",
    "clock": "clocks run ahead",
    "silence": "nothing comes from them",
    "pattern": "signals do not fit together",
    "gap": "frames are missing",
    "restart": "restart too often",
}
_SIGNAL_WORDS = {
    "limit": "{signal} {side} its limit",
    "drift": "{signal} drifts",
    "step": "{signal} has changed all at once",
    "peer": "{signal} differs from their peers",
    "trend": "{signal} will reach its limit",
    "sensor": "{signal} sensor is doubtful",
}


def tell(
    parent: Parent, transition: Transition, robots: int, now_us: int, deed: Deed = NO_DEED
) -> tuple[Parent, Anomaly]:
    """`robots`: how many it speaks for now."""
    number = parent.number + 1
    signals = {condition.signal for condition in parent.conditions}
    anomaly = Anomaly(
        v=ANOMALY_VERSION,
        robot_id=FLEET,
        episode_id=parent.id,
        episode=parent.episode,
        number=number,
        transition=transition,
        rule=RULE,
        rule_version=RULE_VERSION,
        component=FLEET,
        signal=signals.pop() if len(signals) == 1 else "",
        status=parent.status,
        value=float(robots),
        unit=UNIT,
        limit=None,
        first_us=parent.first_us,
        last_us=parent.last_us,
        count=parent.robots_ever,
        live=True,
        software=scopes.software_of(parent.scope),
        scenario="",
        text=_text(parent, transition, robots, deed),
        about=About.FLEET,
        state=parent.state,
        active=parent.is_open,
        actor=deed.actor,
        note=deed.note,
        acted_us=deed.at_us,
        until_us=parent.shelved_us,
    )
    unsent = (*parent.unsent, anomaly)
    return msgspec.structs.replace(
        parent, number=number, told_robots=robots, told_us=now_us, unsent=unsent
    ), anomaly


def _text(parent: Parent, transition: Transition, robots: int, deed: Deed) -> str:
    done = deed_words(transition, deed, parent.shelved_us)
    sentence = _sentence(parent, transition, robots)
    return f"{done} {sentence}" if done else sentence


def _sentence(parent: Parent, transition: Transition, robots: int) -> str:
    scope = scopes.words(parent.scope)
    named = list(dict.fromkeys(map(_words, parent.conditions)))
    trouble = ", ".join(named[:_NAMED])
    if len(named) > _NAMED:
        trouble += f" and {len(named) - _NAMED} more"
    since = f"since {wording.moment(parent.first_us)}"
    if not parent.is_open and transition is not Transition.CLEARED:
        return f"Over for {parent.robots_ever} robots{_spaced(scope)}: {trouble}, {since}."
    if not parent.is_open:
        left = _left(robots)
        return f"Over for {parent.robots_ever} robots{_spaced(scope)}: {trouble}, {since}; {left}."
    return f"{robots} robots{_spaced(scope)}: {trouble}, {since}."


def _left(robots: int) -> str:
    if robots == 1:
        return "one robot is left, which speaks for itself again"
    return f"{robots} robots are left, which speak for themselves again" if robots else "no robot is left"


def _spaced(scope: str) -> str:
    return f" {scope}" if scope else ""


def _words(condition: Condition) -> str:
    if condition.rule in _WORDS:
        return _WORDS[condition.rule]
    signal = wording.words_of(condition.signal) if condition.signal else "it"
    template = _SIGNAL_WORDS.get(condition.rule, "{signal} (" + condition.rule + ")")
    return template.format(signal=signal, side=condition.side)


def is_due(parent: Parent, robots: int, now_us: int) -> bool:
    """Whether its number of robots has to be told again."""
    told, silent_us = parent.told_robots, now_us - parent.told_us
    if robots >= 2 * told or 2 * robots <= told:
        return True
    if silent_us >= _LAST_US:
        return robots != told
    return silent_us >= _SOON_US and robots >= _GROWN * told
