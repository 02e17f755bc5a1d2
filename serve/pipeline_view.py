"""The pipeline as its page shows it: a line a process, with what each says of itself.

In: the figures of each process (`serve/pipeline.py`). Out: structs for `serve/templates/pipeline.html`. Pure.
"""

from collections.abc import Sequence

import msgspec

from serve.pipeline import ProcessState

BEHIND_FROM_S = 5.0


class ProcessLine(msgspec.Struct, frozen=True, kw_only=True):
    """One process; None where it does not say. `lag`: records or messages that it has not taken yet."""

    name: str
    address: str
    trouble: str
    lag_s: float | None
    lag: float | None
    progress_age_s: float | None
    memory_mb: float | None

    @property
    def state(self) -> str:
        """The status word that says how it is: ours for robots serve for processes too."""
        if self.trouble:
            return "FAILURE"
        return "CHECK_FUNCTION" if (self.lag_s or 0.0) >= BEHIND_FROM_S else "NORMAL"


def lines(processes: Sequence[ProcessState]) -> list[ProcessLine]:
    """In the order in which a reading meets them."""
    return [_line(process) for process in processes]


def _line(process: ProcessState) -> ProcessLine:
    figures, own = process.figures, f"robovitals_{process.name}_"

    def figure(*names: str) -> float | None:
        return next((figures[own + name] for name in names if own + name in figures), None)

    memory = figures.get("process_resident_memory_bytes")
    return ProcessLine(
        name=process.name,
        address=process.address,
        trouble=process.trouble,
        lag_s=figure("lag_seconds"),
        lag=figure("lag_records", "lag_messages"),
        progress_age_s=figure("progress_age_seconds"),
        memory_mb=None if memory is None else memory / 1e6,
    )
