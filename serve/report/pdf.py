"""A signed report as PDF, by Typst: the same words and drawings as the HTML, with the signed data attached.

In: a signed report. Out: the file's bytes, the same for the same report, Typst and fonts. Called by the
command, the routes and `verify.py`. Needs the extra `pdf`, and is imported only where one is asked for.

Typst brings fonts for Latin, Greek and Cyrillic; only they are used, so that any machine draws the same bytes.
A report with other letters (Chinese names) is drawn with the machine's fonts too, and is no PDF/A, which must
hold every letter; where the machine has none for them, those letters are empty boxes, in the PDF alone:
`robovitals report` says so.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import typst

from serve.report.compose import compose
from serve.report.model import FORMAT, SignedReport
from serve.report.seal import encode
from serve.report.words import moment
from serve.words import UNSEEN

TEMPLATE = Path(__file__).with_name("report.typ")
_OWN = (
    (0x20, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x1E00, 0x1EFF), (0x2010, 0x2027), (0x202F, 0x205E),
    (0x20AC, 0x20AC), (0x2122, 0x2122), (0x2190, 0x2193), (0x2212, 0x2212), (0x2264, 0x2265),
)  # fmt: skip
"""Ranges of letters that Typst's own fonts have."""
_STREAM, _END = b"stream", b"endstream"


def draw(signed: SignedReport) -> bytes:
    """The whole file."""
    paper = msgspec.json.encode(compose(signed)).decode().translate(UNSEEN)
    files = {"main": TEMPLATE.read_bytes(), "paper.json": paper.encode(), "report.json": encode(signed)}
    foreign = needs_fonts(signed)
    made: object = typst.compile(  # type: ignore[call-overload]  # its stubs lack that of several files
        files,
        format="pdf",
        ignore_system_fonts=not foreign,
        timestamp=moment(signed.report.made_us).replace(microsecond=0),
        pdf_standards=[] if foreign else "a-3b",
    )
    assert isinstance(made, bytes)
    return made


def needs_fonts(signed: SignedReport) -> bool:
    """Whether it has letters that Typst's own fonts lack."""
    text = encode(signed).decode()
    return any(not any(low <= ord(c) <= high for low, high in _OWN) for c in set(text) - {"\n"})


def data_in(file: bytes) -> bytes | None:
    """The signed data that a file carries, not checked; None: it carries none."""
    mark = f'"format":"{FORMAT}"'.encode()
    return next((data for data in _streams(file) if mark in data), None)


def _streams(file: bytes) -> Iterator[bytes]:
    """What is compressed in it; what does not decompress is something else."""
    at = 0
    while (begin := file.find(_STREAM, at)) >= 0:
        begin += len(_STREAM)
        begin += 2 if file[begin : begin + 2] == b"\r\n" else 1
        end = file.find(_END, begin)
        if end < 0:
            return
        at = end + len(_END)
        try:
            yield zlib.decompressobj().decompress(file[begin:end], 8 * 1024 * 1024)
        except zlib.error:
            continue
