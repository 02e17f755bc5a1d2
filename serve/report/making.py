"""One robot's report for whoever asks: read, built, signed, drawn.

In: a connection that sees what the person may, a code, and the platform's key. Out: a signed report, or a file's
bytes. Called by the routes, `robovitals report` and `robovitals bench report`.
"""

from datetime import UTC, datetime
from enum import StrEnum
from types import ModuleType

import asyncpg
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.errors import UnavailableError
from schemas.limits import Limits
from schemas.signing import public_key
from serve.report import html, seal
from serve.report.build import For, build
from serve.report.facts import Facts
from serve.report.look import look
from serve.report.model import SignedReport
from serve.report.reading import read_facts

VERIFY = "/verify-report"
"""Where the server answers whether a signature is the platform's."""


class Form(StrEnum):
    HTML = "html"
    PDF = "pdf"
    JSON = "json"


MEDIA = {Form.HTML: "text/html; charset=utf-8", Form.PDF: "application/pdf", Form.JSON: "application/json"}


class Signer(msgspec.Struct, frozen=True):
    """The platform's key, None where it has none here; and its public keys, that one's and those before it."""

    private: Ed25519PrivateKey | None = None
    platforms: frozenset[str] = frozenset()


async def facts_of(
    connection: asyncpg.Connection, code: str, signer: Signer, limits: Limits, looked: datetime | None
) -> Facts | None:
    """As of now; None: nobody knows this robot, or who asks may not see it. `looked`: what `audited` says."""
    return await read_facts(connection, code, datetime.now(UTC), signer.platforms, limits, looked)


def make(facts: Facts, signer: Signer, personal: bool, base_url: str) -> SignedReport:
    """Work for the processor alone. `base_url`: of the page server, empty where none is known."""
    reader = For(
        personal=personal,
        drawn_by=look(),
        platform="" if signer.private is None else public_key(signer.private),
        verify_at=f"{base_url}{VERIFY}" if base_url else "",
    )
    return seal.seal(build(facts, reader), signer.private)


def draw(signed: SignedReport, form: Form) -> bytes:
    """As a file. Raises UnavailableError for a PDF without Typst."""
    match form:
        case Form.HTML:
            return html.draw(signed)
        case Form.JSON:
            return seal.encode(signed)
        case Form.PDF:
            made: bytes = typesetter().draw(signed)
            return made


def typesetter() -> ModuleType:
    """What draws PDFs. Raises UnavailableError where its extra is missing."""
    try:
        from serve.report import pdf
    except ModuleNotFoundError:
        raise UnavailableError("a PDF needs Typst: pip install 'robovitals[pdf]'") from None
    return pdf
