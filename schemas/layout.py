"""A layout: how many joints a frame has and which signals, in order; it explains a frame's packed values.

Text form `29:joint_wear,joint_temperature_c,battery_soc`. A joint signal takes one slot a joint, every other
signal one slot. Inside the pipeline layouts are *canonical*: signals in the order of the signal table.
"""

from functools import cached_property, lru_cache

import msgspec

from schemas.errors import RejectError
from schemas.signals import SIGNAL, SIGNAL_ORDER, Component, Signal, Statistic

# Humanoids have 23 to 43 joints (Unitree G1) and dexterous hands add some dozens.
MAX_JOINTS = 128


class Slot(msgspec.Struct, frozen=True):
    """One column of the robots × slots matrix. `joint` counts from 1; 0 where the signal is not a joint's."""

    signal: Signal
    joint: int

    @property
    def component(self) -> str:
        """The component path: `joint/3`, `battery`, `accuracy` or `robot`."""
        return f"joint/{self.joint}" if self.joint else self.signal.component.value


class Layout(msgspec.Struct, frozen=True, dict=True):
    """`joints`: number of joints; `signals`: names in the order of the packed values."""

    joints: int
    signals: tuple[str, ...]

    @cached_property
    def text(self) -> str:
        """The form that travels."""
        return f"{self.joints}:{','.join(self.signals)}"

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """One entry a packed value, in order."""
        return tuple(
            Slot(SIGNAL[name], joint)
            for name in self.signals
            for joint in (range(1, self.joints + 1) if SIGNAL[name].component is Component.JOINT else (0,))
        )

    @cached_property
    def spans(self) -> dict[str, tuple[int, int]]:
        """For each signal its first slot and the slot after its last."""
        spans: dict[str, tuple[int, int]] = {}
        at = 0
        for name in self.signals:
            width = self.joints if SIGNAL[name].component is Component.JOINT else 1
            spans[name] = (at, at + width)
            at += width
        return spans

    @cached_property
    def canonical(self) -> "Layout":
        """The same signals in the order of the signal table."""
        return Layout(self.joints, tuple(sorted(self.signals, key=SIGNAL_ORDER.__getitem__)))

    @cached_property
    def canonical_order(self) -> list[int] | None:
        """The slots in canonical order, to permute values by; None where they are in order already."""
        if self == self.canonical:
            return None
        return [slot for name in self.canonical.signals for slot in range(*self.spans[name])]

    def union(self, other: "Layout") -> "Layout":
        """The smallest canonical layout that holds both."""
        names = set(self.signals) | set(other.signals)
        return Layout(max(self.joints, other.joints), tuple(sorted(names, key=SIGNAL_ORDER.__getitem__)))

    def slots_into(self, wider: "Layout") -> list[int]:
        """For each slot of this layout its slot in `wider`, a union that holds it."""
        return [
            wider.spans[name][0] + step
            for name in self.signals
            for step in range(self.spans[name][1] - self.spans[name][0])
        ]

    def keeping(self, statistic: Statistic) -> list[int]:
        """The slots whose signal keeps `statistic`, in order: the columns of that statistic in vitals."""
        return [at for at, slot in enumerate(self.slots) if statistic in slot.signal.statistics]


@lru_cache(maxsize=4096)
def parse_layout(text: str) -> Layout:
    """Read a layout's text form. Raises RejectError (`bad_layout`, `unknown_signal`, `too_many_joints`)."""
    head, colon, tail = text.partition(":")
    if not colon or not head.isascii() or not head.isdigit() or len(head) > 6:
        raise RejectError("bad_layout", f"{text[:80]!r} is not JOINTS:SIGNAL,SIGNAL,…")
    joints, names = int(head), tuple(tail.split(",")) if tail else ()
    if joints > MAX_JOINTS:
        raise RejectError("too_many_joints", f"{joints} joints; at most {MAX_JOINTS} are taken")
    for name in names:
        if name not in SIGNAL:
            raise RejectError("unknown_signal", f"{name[:80]!r} is not in the signal table")
    if len(set(names)) != len(names):
        raise RejectError("bad_layout", f"{text[:80]!r} names a signal twice")
    if not joints and any(SIGNAL[name].component is Component.JOINT for name in names):
        raise RejectError("bad_layout", f"{text[:80]!r} has joint signals and no joints")
    return Layout(joints, names)
