"""What service, alarms and the state before say of the part that failed. Pure.

In: a `Case` and the part. Out: `Piece`s. Called by `verdict.py`. Overdue maintenance of an unrelated part is no
evidence, and is said to be none.
"""

from collections.abc import Iterator

from processors.incident.case import Case
from processors.incident.evidence import DAY_US
from schemas.incident import Cause, Kind, Piece, Stance

WORN_ZONES, GOOD_ZONES = ("C", "D"), ("A", "B")
WHOLE = "robot"
UNANSWERED_US = DAY_US  # ours: a night and a shift


def before(case: Case, part: str) -> Iterator[Piece]:
    """Zones of the part as it was judged the day before."""
    for one in case.before:
        if one.component != part or not one.zone:
            continue
        worn = one.zone in WORN_ZONES
        text = f"{part} was in zone {one.zone} the day before"
        records = (one.record,)
        yield Piece(
            kind=Kind.BEFORE, cause=Cause.MAINTENANCE, stance=Stance.FOR if worn else Stance.AGAINST, text=text,
            records=records,
        )  # fmt: skip
        yield Piece(
            kind=Kind.BEFORE, cause=Cause.SOFTWARE, stance=Stance.AGAINST if worn else Stance.FOR, text=text,
            records=records, decisive=False,
        )  # fmt: skip


def records(case: Case, part: str) -> Iterator[Piece]:
    """Service of the part, and alarms of it that nobody answered."""
    own = [one for one in case.services if one.component in (part, WHOLE)]
    overdue = [one for one in own if one.state == "overdue" and one.component == part]
    for one in overdue:
        yield _piece(Cause.MAINTENANCE, Stance.FOR, f"{one.task} of {part} was overdue", (one.record,))
    for one in (one for one in case.services if one.state == "overdue" and one not in overdue):
        text = f"{one.task} of {one.component} was overdue, which is not the part that failed"
        yield _piece(Cause.MAINTENANCE, Stance.NEITHER, text, (one.record,))
    known = [one for one in own if one.state in ("ok", "due") and one.component == part]
    if known and not overdue:
        names = tuple(one.record for one in known)
        text = f"the service of {part} was current"
        yield _piece(Cause.MAINTENANCE, Stance.AGAINST, text, names)
        yield _piece(Cause.SOFTWARE, Stance.FOR, text, names, decisive=False)
    unanswered = [
        alarm for alarm in case.alarms
        if alarm.component == part and not alarm.answered and case.at_us - alarm.opened_us >= UNANSWERED_US
    ]  # fmt: skip
    if unanswered:
        text = f"{len(unanswered)} alarms of {part} had been unanswered for a day or more"
        names = tuple(alarm.record for alarm in unanswered)
        yield _piece(Cause.MAINTENANCE, Stance.FOR, text, names, decisive=False, is_ignored=True)


def _piece(
    cause: Cause, stance: Stance, text: str, names: tuple[str, ...], decisive: bool = True, is_ignored: bool = False
) -> Piece:
    return Piece(
        kind=Kind.RECORDS, cause=cause, stance=stance, text=text, records=names, decisive=decisive,
        is_ignored=is_ignored,
    )  # fmt: skip
