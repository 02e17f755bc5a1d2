"""A signed report as one HTML file: nothing from elsewhere, no script that runs, and the signed data inside.

In: a signed report. Out: the file's bytes, the same for the same report. Called by the command, the routes and
`verify.py`, which draws the file again and compares.
"""

import re
from functools import cache
from pathlib import Path

import jinja2

from serve.files import STATIC, TEMPLATES
from serve.report.compose import compose
from serve.report.model import SignedReport
from serve.report.seal import encode
from serve.words import UNSEEN

_OPEN = '<script type="application/json" id="robovitals-report">'
_CLOSE = "</script>"
_ESCAPED = {**{ord(c): f"\\u{ord(c):04x}" for c in "<>&"}, **{c: f"\\u{c:04x}" for c in UNSEEN}}
"""In a data block, so that no text of it ends the block, and so that none is taken for another."""


def draw(signed: SignedReport) -> bytes:
    """The whole file."""
    text = _template().render(
        paper=compose(signed),
        style=style(),
        data=_OPEN + encode(signed).decode().strip().translate(_ESCAPED) + _CLOSE,
    )
    return text.translate(UNSEEN).encode()


@cache
def style() -> str:
    """The style sheet, as it stands in the file; the server names its hash in the policy of a shared page."""
    return (STATIC / "report.css").read_text(encoding="utf-8")


def data_in(file: bytes) -> bytes | None:
    """The signed data that a file carries, not checked; None: it carries none."""
    found = re.search(re.escape(_OPEN.encode()) + rb"(.*?)" + re.escape(_CLOSE.encode()), file, re.DOTALL)
    return found[1] if found else None


@cache
def _template() -> jinja2.Template:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader([Path(__file__).parent, TEMPLATES]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return made.get_template("report.html")
