"""Is this file a report of the platform, and is what people read in it what was signed? Needs no server, no clock.

In: a file's bytes (HTML, JSON or PDF) and the platform's keys. Out: a `Checked`, which says apart what is false and
what could not be told. Called by `robovitals verify-report`.

A page is drawn again from the data that it carries, and compared byte by byte; so whatever was changed in it is
noticed, also what stands outside of the signed data. That takes the version that drew it; which one did is signed.
"""

import msgspec

from schemas.errors import RejectError
from serve.report import html, seal
from serve.report.look import look
from serve.report.making import typesetter
from serve.report.model import MOST_BYTES, Report, SignedReport

MOST_FILE_BYTES = 4 * MOST_BYTES


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """`form`: html, json or pdf. `digest` and `report` are what the file says, true or not; None: it says
    nothing.
    """

    form: str
    report: Report | None = None
    digest: str = ""
    faults: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """PROVEN, NOT PROVEN or FALSE, as of a logbook."""
        return "FALSE" if self.faults else "NOT PROVEN" if self.unproven else "PROVEN"


def check(file: bytes, platforms: frozenset[str] | None = None) -> Checked:
    """Without `platforms` the file's own word is taken for who the platform is, which is then unproven."""
    form = form_of(file)
    if len(file) > MOST_FILE_BYTES:
        return Checked(form=form, faults=(f"{len(file)} bytes; a report has {MOST_FILE_BYTES} at the most",))
    try:
        data = _data(form, file)
        signed = seal.decode(data, in_form=form == "json")
        document = msgspec.json.decode(data)
        faults, unproven = seal.faults_of(signed, document, platforms)
        if not faults:
            more_faults, more_unproven = _drawn(form, file, signed)
            faults, unproven = more_faults, [*unproven, *more_unproven]
    except RejectError as error:
        return Checked(form=form, faults=(error.detail,))
    return Checked(
        form=form, report=signed.report, digest=signed.digest, faults=tuple(faults), unproven=tuple(unproven)
    )


def form_of(file: bytes) -> str:
    head = file[:64].lstrip()
    return "pdf" if head.startswith(b"%PDF") else "json" if head.startswith(b"{") else "html"


def _data(form: str, file: bytes) -> bytes:
    if form == "json":
        return file
    found = html.data_in(file) if form == "html" else typesetter().data_in(file)
    if found is None:
        raise RejectError("undecodable", "no signed report is in it")
    return found


def _drawn(form: str, file: bytes, signed: SignedReport) -> tuple[list[str], list[str]]:
    """Whether the page is the one that follows from the data: what is false, and what could not be told."""
    if form == "json":
        return [], []
    drawn_by = signed.report.drawn_by
    if drawn_by != look():
        return [], [
            f"that the page shows what was signed: {drawn_by} drew it, this is {look()}; only its data was verified"
        ]
    if form == "html":
        if html.draw(signed) != file:
            return ["the page does not show what was signed: drawn again from its data it is another"], []
        return [], []
    if typesetter().needs_fonts(signed):
        return [], ["that the pages show what was signed: they were drawn with a machine's own fonts"]
    if typesetter().draw(signed) != file:
        return [], [
            "that the pages show what was signed: drawn again they have other bytes, as by another Typst "
            "too; only the data was verified"
        ]
    return [], []
