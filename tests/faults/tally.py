"""What is counted of each kind of fault. Filled by `faults/rounds.py`, drawn by `faults/table.py`."""

from dataclasses import dataclass, field


@dataclass
class Tally:
    """What became of one kind of fault. `recovery_s` has one entry an injection and victim."""

    injected: int = 0
    not_reached: int = 0
    recovery_s: list[float] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    lost: int = 0
    doubled: int = 0


Tallies = dict[str, Tally]
