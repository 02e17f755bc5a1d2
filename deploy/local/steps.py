"""What `robovitals up` prints: one line a step, with how long it took.

`with steps.step("install Kafka") as step: ...; step.note = "cached"` prints `install Kafka … 0.02 s (cached)`.
The first half appears when the step begins, so that a long one is seen to run.
"""

import io
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Step:
    def __init__(self) -> None:
        self.note = ""


class Steps:
    def __init__(self, out: TextIO | None = None) -> None:
        self._out: TextIO = out or sys.stdout
        self._open = False

    @contextmanager
    def step(self, what: str) -> Iterator[Step]:
        step = Step()
        began_s = time.monotonic()
        self.write(f"{what} … ")
        self._open = True
        try:
            yield step
        except BaseException:
            self._close(what, "not done")
            raise
        note = f" ({step.note})" if step.note else ""
        self._close(what, f"{time.monotonic() - began_s:.2f} s{note}")

    def say(self, text: str) -> None:
        """A line of its own, also in the middle of a step."""
        self.write(f"\n{text}\n" if self._open else f"{text}\n")
        self._open = False

    def _close(self, what: str, how: str) -> None:
        self.write(f"{how}\n" if self._open else f"{what} … {how}\n")
        self._open = False

    def write(self, text: str) -> None:
        """Whoever read this may be gone (a closed pipe or terminal): that must not keep anything from stopping."""
        try:
            self._out.write(text)
            self._out.flush()
        except OSError:
            self._out = io.StringIO()
