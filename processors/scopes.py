"""Which robots an episode of the fleet is about: those of a model, of a software, of both, or all.

In: models and softwares of robots with the same trouble. Out: the narrowest scope that explains nearly all of them.
Called by `processors/groups.py`. Pure. A scope is a few patterns; a robot is in it when one of them fits.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

SHARE = 0.9  # ours: a release hits its own robots, and among many robots somebody else always has the same trouble
_MOST_PATTERNS = 4  # ours: beyond that «of these models» tells nobody anything
_SHOWN = 40

_Counted = TypeVar("_Counted", str, tuple[str, str])


class Pattern(NamedTuple):
    """None: any."""

    model: str | None
    software: str | None

    def fits(self, model: str, software: str) -> bool:
        return self.model in (None, model) and self.software in (None, software)

    def covers(self, other: "Pattern") -> bool:
        """Whether whatever fits the other fits this one."""
        return self.model in (None, other.model) and self.software in (None, other.software)


ANY = Pattern(None, None)

Scope = tuple[Pattern, ...]


def fits(scope: Scope, model: str, software: str) -> bool:
    """Whether a robot is in it."""
    return any(pattern.fits(model, software) for pattern in scope)


def narrowest(robots: Iterable[tuple[str, str]]) -> Pattern:
    """Of robots' (model, software): the narrowest pattern that SHARE of them fit."""
    counted = Counter(robots)
    enough = SHARE * counted.total()
    models, softwares = Counter[str](), Counter[str]()
    for (model, software), count in counted.items():
        models[model] += count
        softwares[software] += count
    (model, software), count = _most(counted)
    if count >= enough:
        return Pattern(model, software)
    software, count = _most(softwares)
    if count >= enough:
        return Pattern(None, software)
    model, count = _most(models)
    return Pattern(model, None) if count >= enough else ANY


def _most(counted: "Counter[_Counted]") -> "tuple[_Counted, int]":
    """Of equals the first by name: no result depends on the order in which robots came."""
    return min(counted.items(), key=lambda item: (-item[1], item[0]))


def widened(scope: Scope, pattern: Pattern) -> Scope:
    """With the pattern too. Where several models have one software, it is that: it names what they share."""
    if any(own.covers(pattern) for own in scope):
        return scope
    for own in scope:
        if pattern.software is not None and own.software == pattern.software:
            pattern = Pattern(None, pattern.software)
        elif pattern.model is not None and own.model == pattern.model:
            pattern = Pattern(pattern.model, None)
    patterns = [own for own in scope if not pattern.covers(own)] + [pattern]
    return (ANY,) if len(patterns) > _MOST_PATTERNS else tuple(sorted(patterns, key=_order))


def _order(pattern: Pattern) -> tuple[str, str]:
    return pattern.model or "", pattern.software or ""


def shares_software(scope: Scope, pattern: Pattern) -> bool:
    """Whether both name one. That neither robot says what it runs is nothing in common."""
    return bool(pattern.software) and any(own.software == pattern.software for own in scope)


def software_of(scope: Scope) -> str:
    """The one that all of it has; nothing if there are several."""
    softwares = {pattern.software for pattern in scope}
    return (softwares.pop() or "") if len(softwares) == 1 else ""


def words(scope: Scope) -> str:
    """«of model CNABCDM00001, software 4.2.1», after a number of robots. Empty for all."""
    return " and ".join(filter(None, map(_pattern_words, scope)))


def _pattern_words(pattern: Pattern) -> str:
    software = f"software {_shortened(pattern.software)}" if pattern.software else "unnamed software"
    if pattern.model is None:
        return "" if pattern.software is None else f"with {software}"
    return f"of model {pattern.model}" if pattern.software is None else f"of model {pattern.model}, {software}"


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
