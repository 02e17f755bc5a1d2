"""Whether the evidence of an incident indicates software, neglected maintenance, both, or neither. Pure.

In: a `Case`. Out: an `Assessment`. Called by `keep.py` once the window has landed, and by `robovitals evaluate
--incidents`, which holds it against incidents of known cause. A wrong "indicated" is worse than "undetermined".

Software is indicated by two decisive kinds of evidence of three (command, timing, fleet), unless the fleet's
numbers speak against it. Neglected maintenance is indicated by service that was overdue on the very part that
failed, weeks of a trend of that part, and robots that are overdue being affected more than others are, with an
error at the moment or zone C or D before. Where there are too few robots to compare it takes both of these, and
alarms of the part that nobody answered: a defect that creeps looks the same in one robot alone. Neither is where
the data cannot be trusted, no single part failed, or signs of another cause are there.
The word is "indicated": what anybody is answerable for is for others to say.
"""

from collections.abc import Iterable, Sequence

from processors.incident.case import Case
from processors.incident.evidence import command, fleet, timing
from processors.incident.other import others
from processors.incident.part import failed_part
from processors.incident.quality import quality_of
from processors.incident.service import before, records
from schemas.incident import Assessment, Cause, Kind, Piece, Stance, Verdict

VERSION = 1
AFFIRMING = frozenset({Kind.COMMAND, Kind.TIMING, Kind.FLEET})
NEEDED = frozenset({Kind.RECORDS, Kind.TIMING})
SEEN = frozenset({Kind.COMMAND, Kind.BEFORE})
SOFTWARE_KINDS, MAINTENANCE_KINDS = 2, 4


def assess(case: Case) -> Assessment:
    quality = quality_of(case.window, case.at_us, case.integrity)
    part = failed_part(case)
    pieces = tuple(_pieces(case, part)) if part else ()
    found = others(case)
    stops = [*quality.problems, *(f"there are signs of {one.name}: {one.sign}" for one in found if one.sign)]
    if not part:
        stops.append("it is not clear which part failed first")
    verdict = Verdict.UNDETERMINED if stops else _verdict(pieces)
    because = stops or ([] if verdict is not Verdict.UNDETERMINED else _lacking(pieces))
    return Assessment(
        version=VERSION, verdict=verdict, because=tuple(because), part=part, pieces=pieces, others=tuple(found),
        quality=quality,
    )  # fmt: skip


def _pieces(case: Case, part: str) -> Iterable[Piece]:
    yield from command(case, part)
    yield from timing(case, part)
    yield from fleet(case)
    yield from before(case, part)
    yield from records(case, part)


def _kinds(pieces: Sequence[Piece], cause: Cause, stance: Stance) -> frozenset[Kind]:
    return frozenset(p.kind for p in pieces if p.cause is cause and p.stance is stance and p.decisive)


def _is_software(pieces: Sequence[Piece]) -> bool:
    kinds = _kinds(pieces, Cause.SOFTWARE, Stance.FOR) & AFFIRMING
    return len(kinds) >= SOFTWARE_KINDS and Kind.FLEET not in _kinds(pieces, Cause.SOFTWARE, Stance.AGAINST)


def _is_maintenance(pieces: Sequence[Piece]) -> bool:
    kinds = _kinds(pieces, Cause.MAINTENANCE, Stance.FOR)
    against = _kinds(pieces, Cause.MAINTENANCE, Stance.AGAINST)
    if not kinds >= NEEDED or Kind.FLEET in against:
        return False
    ignored = any(p.kind is Kind.RECORDS and p.stance is Stance.FOR and p.is_ignored for p in pieces)
    return bool(SEEN & kinds) if Kind.FLEET in kinds else kinds >= SEEN and ignored


def _verdict(pieces: Sequence[Piece]) -> Verdict:
    software, maintenance = _is_software(pieces), _is_maintenance(pieces)
    if software and maintenance:
        return Verdict.BOTH
    if software:
        return Verdict.SOFTWARE
    return Verdict.MAINTENANCE if maintenance else Verdict.UNDETERMINED


def _lacking(pieces: Sequence[Piece]) -> list[str]:
    """Why what there is does not do."""
    lacking = []
    for cause, needed in ((Cause.SOFTWARE, SOFTWARE_KINDS), (Cause.MAINTENANCE, MAINTENANCE_KINDS)):
        kinds = sorted(_kinds(pieces, cause, Stance.FOR))
        against = sorted(_kinds(pieces, cause, Stance.AGAINST))
        has = f"{', '.join(kinds)} for {cause}" if kinds else f"nothing for {cause}"
        contradicted = f", {', '.join(against)} against" if against else ""
        lacking.append(f"{has}{contradicted}; {needed} kinds that fit together are needed")
    return lacking
