"""Who is told of a transition, and when: the rules by which receivers hear of episodes.

In: an anomaly, what a receiver knows of its episode, and the route that it matches. Out: what the receiver knows
then, and deliveries to add or to take back. Called by `processors/notify/outbox.py`. Pure.

- An opening waits for HOLD_US. If the episode ends, is muted or acknowledged meanwhile, or is adopted by a parent,
  which speaks for it, nobody is told at all (docs/floods.md).
- That a parent has adopted it, the grouping's action says at once, and the assessor's transition a while later when
  the assessor is behind, as in a flood. So the action counts until the transition comes, for ACTION_US at most.
- Whoever has been told of an opening is told of all that follows: of its end too where it was shelved, silenced or
  adopted in between. Only updates of what is muted are not told.
- In quiet hours an opening waits for their end, unless it is severe; so does mail. What can be bundled is told in a
  summary then, also where it has ended; the rest only where it still calls.
- An episode that opens again within its id is a new opening.
- A transition that comes again, by its number, changes nothing.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from processors.notify.quiet import quiet_until_us
from processors.notify.receivers import BUNDLED, Kind, Receiver, Route
from processors.notify.routing import group_of
from schemas.anomaly import AlarmState, Anomaly, Transition

HOLD_US = 10_000_000  # docs/floods.md: how long a parent may take to speak for an episode

ACTION_US = 600_000_000  # ours: a flood that the assessor works off for longer than that calls again

_AFTER_THE_END = frozenset({Transition.ACKNOWLEDGED, Transition.COMMENTED, Transition.RETIRED})
# What these kinds have words for: to send the rest would change nothing there.
_UNSPOKEN = {
    Kind.PAGERDUTY: frozenset({Transition.COMMENTED, Transition.RETIRED}),
    Kind.ALERTMANAGER: frozenset({Transition.RETIRED}),
}


ADOPTED = "adopted: its parent speaks for it"


class Phase(StrEnum):
    """What a receiver knows of an episode."""

    UNAWARE = "unaware"
    HELD = "held"
    OPEN = "open"
    CLOSED = "closed"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Of one receiver and episode, up to transition `number`. `held`: the delivery that waits, and `hold_us` until
    when that may be taken back without a trace; `returned`: the receiver has known the episode before.
    `parent`: the last that has adopted it; `asked_us`: until then the grouping's word for that counts, 0: no more.
    """

    phase: Phase = Phase.UNAWARE
    number: int = 0
    route: str = ""
    held: str = ""
    hold_us: int = 0
    returned: bool = False
    parent: str = ""
    asked_us: int = 0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery to add. `ready_us`: not before; `due_us`: at the latest. `held`: it may be taken back until then.
    `bundle`: what is told together; empty: alone.
    """

    id: str
    receiver: str
    route: str
    bundle: str
    anomaly: Anomaly
    ready_us: int
    due_us: int
    held: bool


class Decision(msgspec.Struct, frozen=True):
    """`take_back`: a delivery that nobody is to hear of, and `why`."""

    told: Told
    entry: Entry | None = None
    take_back: str = ""
    why: str = ""


def delivery_id(receiver: str, event_id: str) -> str:
    """The same whenever it is made: what a receiver drops repeats by."""
    return "msg_" + hashlib.blake2b(f"{receiver}\0{event_id}".encode(), digest_size=12).hexdigest()


def decide(
    told: Told, anomaly: Anomaly, receiver: Receiver, route: Route | None, own: Route | None,
    now_us: int, is_waiting: bool, site: str,
) -> Decision | None:  # fmt: skip
    """None: nothing has changed. `route`: what it matches now; `own`: the one that it was told by, while the file
    has it. `is_waiting`: what is held has not been sent yet. `site`: where its robot is.
    """
    if anomaly.number <= told.number:
        return None
    is_waiting = is_waiting and told.phase is Phase.HELD
    ended = anomaly.parent or anomaly.transition is Transition.RELEASED or not anomaly.active
    asked_us = 0 if ended or now_us >= told.asked_us else told.asked_us
    numbered = msgspec.structs.replace(
        told, number=anomaly.number, parent=anomaly.parent or told.parent, asked_us=asked_us
    )
    if asked_us:
        anomaly = msgspec.structs.replace(anomaly, parent=told.parent)
    case = _Case(numbered, anomaly, receiver, route, own, now_us, is_waiting, site)
    if is_waiting:
        return case.held()
    if told.phase in (Phase.HELD, Phase.OPEN):
        return case.known()
    return case.unknown()


def adopt(told: Told, parent: str, now_us: int, is_waiting: bool) -> Decision | None:
    """The grouping has asked for the adoption. None: that is known."""
    if told.parent == parent:
        return None
    told = msgspec.structs.replace(told, parent=parent, asked_us=now_us + ACTION_US)
    return unheld(told, ADOPTED) if told.phase is Phase.HELD and is_waiting else Decision(told)


def unheld(told: Told, why: str) -> Decision:
    """Nobody is to hear of what is held."""
    phase = Phase.CLOSED if told.returned else Phase.UNAWARE
    return Decision(msgspec.structs.replace(told, phase=phase, held=""), take_back=told.held, why=why)


def calls(anomaly: Anomaly) -> bool:
    """Whether somebody has to do something who does not know yet."""
    unseen = anomaly.state is AlarmState.UNACKNOWLEDGED_ACTIVE
    return anomaly.live and anomaly.active and unseen and not anomaly.is_muted


@dataclass(frozen=True, slots=True)
class _Case:
    """`told` has the number of the anomaly already."""

    told: Told
    anomaly: Anomaly
    receiver: Receiver
    route: Route | None
    own: Route | None
    now_us: int
    is_waiting: bool
    site: str

    def unknown(self) -> Decision | None:
        """The receiver does not know of it, or thinks that it is over."""
        closed = self.told.phase is Phase.CLOSED
        if self.route is not None and calls(self.anomaly):
            return self._opening(self.route, closed, self.now_us + HOLD_US)
        if closed and self.anomaly.transition in _AFTER_THE_END:
            return self._following(Phase.CLOSED)
        # Without a row there is nothing to remember.
        return Decision(self.told) if self.told.route or self.told.parent else None

    def known(self) -> Decision:
        """The receiver has been told, or is being told now."""
        if not self.anomaly.active:
            return self._following(Phase.CLOSED)
        if self.anomaly.is_muted and self.anomaly.transition in (Transition.UPDATED, Transition.OPENED):
            return Decision(msgspec.structs.replace(self.told, phase=Phase.OPEN, held=""))
        return self._following(Phase.OPEN)

    def held(self) -> Decision:
        """Its opening has not been sent yet."""
        told, anomaly = self.told, self.anomaly
        if calls(anomaly):
            if anomaly.transition is Transition.COMMENTED:
                return self._following(Phase.HELD)
            # What it is now takes the place of what it was; the wait goes on, unless it has become severe.
            route = self.route or self.own
            if route is None:
                return unheld(told, "the file has no route for it any more")
            opening = self._opening(route, told.returned, max(told.hold_us, self.now_us))
            why = f"replaced by transition {anomaly.number}"
            return Decision(opening.told, opening.entry, take_back=told.held, why=why)
        if self._in_summary() and not anomaly.parent:
            return self._following(Phase.HELD if anomaly.active else Phase.CLOSED)
        return unheld(told, ADOPTED if anomaly.parent else f"{anomaly.transition} before it was told")

    def _in_summary(self) -> bool:
        """It has called for long enough, and only the hours keep it back."""
        bundled = self.receiver.kind in BUNDLED
        return bundled and self.now_us > self.told.hold_us and self._quiet_us(self.own) is not None

    def _opening(self, route: Route, returned: bool, hold_us: int) -> Decision:
        entry = self._entry(route, hold_us, held=True)
        told = msgspec.structs.replace(
            self.told, phase=Phase.HELD, route=route.name, held=entry.id, hold_us=hold_us, returned=returned
        )
        return Decision(told, entry)

    def _following(self, phase: Phase) -> Decision:
        """A transition of what the receiver knows of, or will have been told of by then."""
        held = self.told.held if phase is Phase.HELD else ""
        told = msgspec.structs.replace(self.told, phase=phase, held=held)
        transition, route = self.anomaly.transition, self.own
        if transition in _UNSPOKEN.get(self.receiver.kind, ()):
            return Decision(told)
        if route is None:  # the file has changed: the receiver still has to hear of the end
            route = Route(name=self.told.route, receivers=(self.receiver.name,))
        if transition is not Transition.OPENED and transition not in route.transitions:
            return Decision(told)
        return Decision(told, self._entry(route, self.now_us, held=False))

    def _entry(self, route: Route, ready_us: int, held: bool) -> Entry:
        anomaly, kind = self.anomaly, self.receiver.kind
        due_us, bundle = ready_us, ""
        quiet_us = self._quiet_us(route)
        # A program that was told of an opening hears the rest at once; a person reads it in the morning.
        waits = held or kind is Kind.EMAIL or self.is_waiting
        if quiet_us is not None and waits:
            ready_us = due_us = max(ready_us, quiet_us)
            bundle = f"quiet/{route.name}" if kind in BUNDLED else ""
        elif kind is Kind.EMAIL and (route.group_by or route.group_wait_s):
            due_us = ready_us + round(route.group_wait_s * 1e6)
            bundle = f"group/{route.name}/{group_of(route, anomaly, self.site)}"
        return Entry(
            id=delivery_id(self.receiver.name, anomaly.id), receiver=self.receiver.name, route=route.name,
            bundle=bundle, anomaly=anomaly, ready_us=ready_us, due_us=due_us, held=held,
        )  # fmt: skip

    def _quiet_us(self, route: Route | None) -> int | None:
        """Until when the hours of the route keep this back."""
        if route is None or route.quiet is None or route.quiet.passes(self.anomaly.status):
            return None
        return quiet_until_us(route.quiet, self.now_us)
