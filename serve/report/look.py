"""Which version of templates and words draws a report. It is signed, so a page drawn otherwise shows itself.

Out: a short name that changes whenever a drawn byte could. Called by whoever makes reports, and by `verify.py`.
"""

import hashlib
from functools import cache
from importlib.metadata import version

from serve.files import STATIC, TEMPLATES

_HERE = STATIC.parent / "report"
_MODULES = ("charts", "compose", "condition", "html", "model", "paper", "pdf", "qr", "record", "verdict", "words")
_FILES = (
    *(_HERE / f"{name}.py" for name in _MODULES),
    _HERE / "report.html",
    _HERE / "report.typ",
    STATIC / "report.css",
    TEMPLATES / "report_paper.html",
)


@cache
def look() -> str:
    """As `0.1.0/3f2a…`: our version, and a hash of all that draws."""
    hashed = hashlib.sha256()
    for path in _FILES:
        data = path.read_bytes()
        hashed.update(f"{path.name} {len(data)}\n".encode() + data)
    return f"{version('robovitals')}/{hashed.hexdigest()[:16]}"
