"""What a recording held: readings absent and impossible, rows refused, and what of its files is damaged.

Filled by whatever reads it (`ingest/recorded_rows.py`, `ingest/bags/message_rows.py`) and makes frames of it
(`ingest/recordings.py`); shown by `robovitals replay` and `robovitals import`.
"""

from dataclasses import dataclass, field

import numpy as np

from schemas.layout import Layout
from schemas.screen import screen

SHOWN = 20


@dataclass(slots=True)
class Account:
    """Counts, and the first refusals and damages in words.

    `read_bytes`: how far reading files of messages is; `skipped_bytes` of it an import that goes on passed over.
    """

    frames: int = 0
    readings: int = 0
    absent: int = 0
    impossible: int = 0
    refused: int = 0
    refusals: list[str] = field(default_factory=list)
    damaged: int = 0
    damages: list[str] = field(default_factory=list)
    read_bytes: int = 0
    skipped_bytes: int = 0

    def refuse(self, file: str, line: int, reason: str) -> None:
        """A row or a message that is left out. `line`: of a file of messages, its place (a byte or a row)."""
        self.refused += 1
        if len(self.refusals) < SHOWN:
            self.refusals.append(f"{file}:{line}: {reason}")

    def damage(self, file: str, place: int, reason: str) -> None:
        """A part of a file that could not be read."""
        self.damaged += 1
        if len(self.damages) < SHOWN:
            self.damages.append(f"{file}:{place}: {reason}")

    def take(self, layout: Layout, values: bytes) -> None:
        """Count one frame, screened as the pipeline will screen it."""
        row = np.frombuffer(values, "<f4").reshape(1, -1)
        self.frames += 1
        self.readings += row.size
        self.absent += int(np.isnan(row).sum())
        self.impossible += len(screen(layout, row)[1].value)
