"""A report as a document: sections of text, tables and charts, each in words. HTML and PDF say just this.

Made by `compose.py`, drawn by `html.py` and `pdf.py`. There is no text in a template but what stands around all
reports.
"""

import msgspec

Tone = str
"""Empty, or bad, warn, good, quiet, mono: how a cell looks. What it means its text says too."""


class Cell(msgspec.Struct, frozen=True):
    text: str
    tone: Tone = ""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """`wide`: numbers of the columns that take the room there is."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    wide: tuple[int, ...] = ()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """`svg` is the drawing, `text` what it shows, for who cannot see it and for whom it is not clear."""

    title: str
    svg: str
    text: str = ""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A finding: a heading with its tone, and groups of lines."""

    title: str
    badge: Cell
    text: str
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """What there is of it is shown in this order: intro, facts, figures, cards, tables, points, note."""

    key: str
    title: str
    intro: str = ""
    facts: tuple[tuple[str, Cell], ...] = ()
    figures: tuple[Figure, ...] = ()
    cards: tuple[Card, ...] = ()
    tables: tuple[Table, ...] = ()
    points: tuple[str, ...] = ()
    note: str = ""


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """`code`: with hyphens; `facts`: the box of the first page; `summary`: verdict's sentences with their
    titles.
    """

    code: str
    made: str
    tone: Tone
    stamp: str
    summary: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, Cell], ...]
    life: Figure
    sections: tuple[Section, ...]
    proof: tuple[tuple[str, Cell], ...]
    proof_text: str
    qr: str
