"""What is said of an incident: evidence for and against, and a verdict; as it is stored, shown and exported.

In and out: structs and JSON. Made by `processors/incident/verdict.py`; read by the page, the report and the bundle.
"Indicated" is the word, never who is answerable for it. Record ids name frozen records: `frames/BOOT/FIRST-LAST`,
`transition/EPISODE/NUMBER`, `logbook/NUMBER`, `task/NAME/COMPONENT`, `health/before`, `hours`, `fleet` …
"""

from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    SOFTWARE = "indicated: software"
    MAINTENANCE = "indicated: neglected maintenance"
    BOTH = "indicated: software and neglected maintenance"
    UNDETERMINED = "undetermined"


class Kind(StrEnum):
    """The rows of the table of evidence."""

    COMMAND = "command against measurement"
    TIMING = "timing"
    FLEET = "fleet"
    BEFORE = "component before"
    RECORDS = "records"


class Cause(StrEnum):
    SOFTWARE = "software"
    MAINTENANCE = "neglected maintenance"


class Stance(StrEnum):
    FOR = "for"
    AGAINST = "against"
    NEITHER = "no evidence"


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of evidence. `records`: ids of what was frozen. A decisive one would not be so without that cause;
    any other only fits. `is_ignored`: it is about alarms that nobody answered.
    """

    kind: Kind
    cause: Cause
    stance: Stance
    text: str
    records: tuple[str, ...]
    decisive: bool = True
    is_ignored: bool = False


class Other(msgspec.Struct, frozen=True):
    """A cause that is not excluded. `sign` is empty where nothing speaks for it."""

    name: str
    sign: str = ""


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """How far the data can be trusted. `integrity`: None where nothing could be checked. `clock_offset_ms`: None
    where nobody measured it. `problems` say why nothing can be determined, `notes` what a reader should know.
    """

    frames: int
    rate_hz: float
    missing: int
    longest_gap_s: float
    boots: int
    clock_offset_ms: float | None
    synchronised: bool | None
    integrity: bool | None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """`because`: why it is undetermined, empty where it is not. `part`: what failed, empty where that is not clear.
    `pieces` are all there are, for and against. `others`: causes that are not excluded, with signs of them.
    """

    version: int
    verdict: Verdict
    because: tuple[str, ...]
    part: str
    pieces: tuple[Piece, ...]
    others: tuple[Other, ...]
    quality: Quality
