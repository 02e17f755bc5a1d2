"""What the alarms ask of an operator: calls in ten minutes, and whether that is a flood.

In: when a person was called. Out: the figures of ISA-18.2 that `processors/group_metrics.py` shows. Called by
`processors/groups.py`, which keeps it. Pure.
"""

from collections.abc import Sequence

import msgspec

WINDOW_US = 600_000_000
FLOOD_ABOVE = 10  # ISA-18.2: a flood begins above ten alarms in ten minutes for one operator
FLOOD_ENDS_BELOW = 5  # and ends below five

_KEPT = 10_000  # a flood of floods is one all the same


class Load(msgspec.Struct, frozen=True, array_like=True):
    """`calls`: when people were called in the last ten minutes. `flood_us`: time in flood, up to `now_us`."""

    calls: tuple[int, ...] = ()
    flood: bool = False
    flood_us: int = 0
    now_us: int = -1


def step(load: Load, calls: Sequence[int], now_us: int) -> Load:
    """People were called at these times, up to `now_us`, which never goes back."""
    now_us = max(now_us, load.now_us)
    flood_us = load.flood_us + (now_us - load.now_us if load.flood else 0)
    kept = tuple(call_us for call_us in (*load.calls, *calls) if call_us > now_us - WINDOW_US)[-_KEPT:]
    flood = len(kept) > FLOOD_ABOVE or (load.flood and len(kept) >= FLOOD_ENDS_BELOW)
    return Load(kept, flood, flood_us, now_us)
