"""The square code on a report: an address, or a text, with all that is needed to ask whether it is the platform's.

In: a signed report. Out: text, and its QR code as SVG. Pure. Called by `compose.py`.
"""

import base64
from urllib.parse import parse_qsl, urlencode

import segno

from schemas.frame import MAX_INTEGER
from serve.report.model import Seal, SignedReport

QUIET_ZONE = 4


def qr_text(signed: SignedReport) -> str:
    """`verify_at` with code, time, digest, key and signature; without an address the query alone."""
    report = signed.report
    query = urlencode(
        {
            "robot": report.robot_id,
            "made": report.made_us,
            "digest": _short(signed.digest),
            "platform": _short(report.platform),
            "signature": _short(signed.signature),
        }
    )
    return f"{report.verify_at}?{query}" if report.verify_at else query


def seal_of(query: str) -> tuple[Seal, str] | None:
    """What a scanned code says: the seal, and its signature. None for what is none."""
    fields = dict(parse_qsl(query))
    try:
        made_us = int(fields["made"])
        if not 0 <= made_us <= MAX_INTEGER:
            return None
        seal = Seal(
            robot_id=fields["robot"],
            made_us=made_us,
            digest=_long(fields["digest"]),
            platform=_long(fields["platform"]),
        )
        return seal, _long(fields["signature"])
    except (KeyError, ValueError):
        return None


def _short(digits: str) -> str:
    """Hexadecimal digits in two thirds of the room."""
    return base64.urlsafe_b64encode(bytes.fromhex(digits)).rstrip(b"=").decode()


def _long(text: str) -> str:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).hex()


def svg_of(text: str) -> str:
    """Black on white whatever the screen, with the quiet zone that readers need."""
    matrix = segno.make(text, error="m", micro=False).matrix
    size = len(matrix) + 2 * QUIET_ZONE
    squares = [
        f"M{x + QUIET_ZONE} {y + QUIET_ZONE}h1v1h-1z"
        for y, row in enumerate(matrix)
        for x, dark in enumerate(row)
        if dark
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" role="img" '
        f'aria-label="QR code that leads to verification" shape-rendering="crispEdges">'
        f'<rect width="{size}" height="{size}" fill="#ffffff"/><path fill="#000000" d="{"".join(squares)}"/></svg>'
    )
