"""Limits of a robot's model: the signal table's defaults, overridden by a TOML file.

    ["CNABCDM00001".joint_temperature_c.above]   # country, enterprise and model: the code's first 12 characters
    warn = 55
    alarm = 65
    deadband = 2

    ["CNABCDM00001".detectors]                   # parameters of `processors/detectors/tuning.py`
    drift_threshold = 20

In: the file's text, read by `deploy`. Out: for a layout and a model, thresholds a slot. Called by the
summariser (crossings) and the assessor (limit rules), so that both judge by the same numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from schemas.columns import Float32
from schemas.errors import SettingError
from schemas.layout import Layout
from schemas.robot_code import SEGMENTS
from schemas.signals import SIGNAL, SIGNALS, Limit

MODEL_LENGTH = SEGMENTS["country"] + SEGMENTS["enterprise"] + SEGMENTS["model"]
SIDES = ("above", "below")
DETECTORS = "detectors"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """One entry a slot, NaN where there is no limit. `sign` is +1 for above, -1 for below.

    A value is beyond a threshold when `sign * value >= sign * threshold`.
    """

    sign: int
    warn: Float32
    alarm: Float32
    deadband: Float32


class Limits:
    """Limits by model and signal; a model without an entry has the signal table's. `detectors`: parameters of the
    slow detectors by model and name, unchecked.
    """

    def __init__(
        self,
        overrides: dict[str, dict[str, dict[str, Limit]]] | None = None,
        detectors: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        self._overrides = MappingProxyType(overrides or {})
        self._detectors = MappingProxyType(detectors or {})
        self.thresholds = lru_cache(maxsize=4096)(self._thresholds)

    def limit(self, model: str, signal: str, side: str) -> Limit | None:
        """The limit of one signal on one side for `model` (12 characters), or None."""
        override = self._overrides.get(model, {}).get(signal, {}).get(side)
        default: Limit | None = getattr(SIGNAL[signal], side)
        return override or default

    def detectors(self, model: str) -> Mapping[str, Any]:
        """What detectors of this model's robots do otherwise."""
        return self._detectors.get(model, {})

    @property
    def models(self) -> tuple[str, ...]:
        """The models that have an entry, sorted."""
        return tuple(sorted({*self._overrides, *self._detectors}))

    def known_model(self, model: str) -> str:
        """`model` if it has limits of its own, else "": robots that share limits share thresholds."""
        return model if model in self._overrides else ""

    def _thresholds(self, layout: Layout, model: str, side: str) -> Thresholds:
        rows = [self.limit(model, slot.signal.name, side) for slot in layout.slots]
        nothing = Limit(np.nan, np.nan, np.nan)
        columns = np.array([msgspec.structs.astuple(row or nothing) for row in rows], np.float32).reshape(-1, 3)
        return Thresholds(1 if side == "above" else -1, columns[:, 0], columns[:, 1], columns[:, 2])


def read_limits(tables: dict[str, Any], source: str) -> Limits:
    """Validate the tables of a limits file. Raises SettingError naming the file and the entry."""
    overrides: dict[str, dict[str, dict[str, Limit]]] = {}
    detectors: dict[str, dict[str, Any]] = {}
    for model, signals in tables.items():
        if len(model) != MODEL_LENGTH or not isinstance(signals, dict):
            raise SettingError(
                f"{source}: [{model!r}] is not a model: the first {MODEL_LENGTH} characters of a code"
            )
        for signal, sides in signals.items():
            if signal == DETECTORS and isinstance(sides, dict):
                detectors[model] = sides
                continue
            if signal not in SIGNAL:
                names = ", ".join(s.name for s in SIGNALS)
                raise SettingError(f"{source}: [{model}.{signal}] is not a signal; the table has {names}")
            overrides.setdefault(model, {})[signal] = _sides(sides, f"{source}: [{model}.{signal}]")
    return Limits(overrides, detectors)


def _sides(sides: Any, where: str) -> dict[str, Limit]:
    if not isinstance(sides, dict) or not set(sides) <= set(SIDES):
        raise SettingError(f"{where} must hold tables named {' or '.join(SIDES)}")
    found: dict[str, Limit] = {}
    for side, table in sides.items():
        try:
            limit = msgspec.convert(table, Limit)
        except msgspec.ValidationError as error:
            raise SettingError(f"{where}.{side}: {error}") from None
        ordered = limit.warn <= limit.alarm if side == "above" else limit.warn >= limit.alarm
        if not ordered or limit.deadband < 0:
            raise SettingError(f"{where}.{side}: warn must come before alarm, and deadband must not be negative")
        found[side] = limit
    return found
