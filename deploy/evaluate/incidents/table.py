"""Verdicts on incidents of known cause as docs/incidents.md has them: the command's output is that file.

In: how many, a seed. Out: an `Outcome`. Called by `deploy/commands/evaluate.py`.
"""

import math
import textwrap
from collections.abc import Iterator

import msgspec
from rich.text import Text

from deploy.evaluate.incidents.run import RIGHT, Confusion, run
from deploy.evaluate.incidents.scenarios import Kind
from deploy.evaluate.outcome import Outcome
from deploy.progress import Progress
from schemas.errors import SettingError
from schemas.incident import Verdict

_SHORT = {
    Verdict.SOFTWARE: "software", Verdict.MAINTENANCE: "maintenance", Verdict.BOTH: "both",
    Verdict.UNDETERMINED: "undetermined",
}  # fmt: skip
_HEAD = """# Verdicts on incidents of known cause

Made by `robovitals evaluate --incidents {incidents} --seed {seed}`, verdict version {version}. What the verdicts
rest on is in [incident.md](incident.md). The generator draws sizes from wide ranges and does not know what the
verdict asks for; it was written by the same hands, and no real incident is among these. Wrong is what was indicated
and was not the cause; undetermined is never wrong. Where frames are missing or the clock is off, nothing may be
indicated, whatever the cause.

**Wrong: {wrongs} of {incidents}** ({share:.2%}; 95 % interval up to {upper:.2%}). Goal: none, or nearly none.
"""
_FOOT = (
    "Right, where it may be determined: {right}. *Maintenance* of a defect that crept on a part that was overdue "
    "by chance is the hardest: alone among too few robots it looks the same as neglect, and where its alarms had "
    "not been answered either, that much was neglected in fact."
)
WIDTH = 116


def evaluate(incidents: int, seed: int, progress: Progress) -> Outcome:
    """Raises SettingError for fewer incidents than there are kinds."""
    if incidents < len(Kind):
        raise SettingError(f"--incidents {incidents}: give {len(Kind)} or more, one of each kind")
    result = run(incidents, seed, progress)
    figures = {**msgspec.to_builtins(result), "wrong": result.wrongs}
    return Outcome(Text("\n".join(lines(result)), no_wrap=True, overflow="ignore"), figures)


def lines(result: Confusion) -> Iterator[str]:
    """Markdown."""
    yield _HEAD.format(
        incidents=result.incidents, seed=result.seed, version=result.version, wrongs=result.wrongs,
        share=result.wrongs / result.incidents, upper=_upper(result.wrongs, result.incidents),
    )  # fmt: skip
    yield f"| true cause | {' | '.join(_SHORT.values())} | wrong |"
    yield "|---|" + "---:|" * (len(_SHORT) + 1)
    for kind, counts in result.counts.items():
        shown = [_cell(kind, verdict, counts.get(verdict, 0)) for verdict in _SHORT]
        yield f"| {kind} | {' | '.join(shown)} | {result.wrong(kind)} |"
    shares = [f"{kind} {result.right(kind) / sum(result.counts[kind].values()):.0%}" for kind in RIGHT]
    yield f"\n{textwrap.fill(_FOOT.format(right=', '.join(shares)), WIDTH)}"


def _cell(kind: Kind, verdict: Verdict, count: int) -> str:
    return f"**{count}**" if count and verdict is RIGHT.get(kind, Verdict.UNDETERMINED) else str(count)


def _upper(wrong: int, of: int) -> float:
    """Of a 95 % interval after Wilson."""
    share, z = wrong / of, 1.96
    middle = share + z**2 / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    return (middle + half) / (1 + z**2 / of)
