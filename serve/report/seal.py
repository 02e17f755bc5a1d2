"""Signing a report, and whether one is signed: canonical JSON, SHA-256, Ed25519.

In: a report and the platform's key, or a file's bytes. Out: a signed report, or what is wrong with one. Pure.
Called by whoever makes reports, and by `verify.py`.
"""

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.canonical import canonical, digest, parse
from schemas.errors import RejectError
from schemas.signing import Purpose, is_signed, sign
from serve.report.model import FORMAT, MOST_BYTES, REPORT_VERSION, Report, Seal, SignedReport


def seal(report: Report, private: Ed25519PrivateKey | None) -> SignedReport:
    """Without a key it is not signed, and says so."""
    hashed = digest(canonical(report, MOST_BYTES))
    signature = "" if private is None else sign(private, Purpose.REPORT, canonical(_seal(report, hashed)))
    return SignedReport(report=report, digest=hashed, signature=signature)


def encode(signed: SignedReport) -> bytes:
    """The file: canonical JSON, one line."""
    return canonical(signed, MOST_BYTES) + b"\n"


def decode(data: bytes, in_form: bool = True) -> SignedReport:
    """Raises RejectError. `in_form`: whether it must be canonical; inside of a page a few characters are not."""
    try:
        if in_form:
            parse(data.removesuffix(b"\n"), MOST_BYTES)
        found = msgspec.json.decode(data, type=_Versioned)
        if found.format != FORMAT:
            raise RejectError("wrong_type", f"a file of format {found.format[:40]!r}, no report")
        if found.report.v != REPORT_VERSION:
            raise RejectError(
                "future_version", f"a report of version {found.report.v}; this reads {REPORT_VERSION}"
            )
        return msgspec.json.decode(data, type=SignedReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RejectError("undecodable", f"no report: {error}"[:200]) from None


class _Version(msgspec.Struct, frozen=True):
    v: int


class _Versioned(msgspec.Struct, frozen=True):
    format: str
    report: _Version


def faults_of(signed: SignedReport, data: object, platforms: frozenset[str] | None) -> tuple[list[str], list[str]]:
    """What is false, and what could not be told. `data`: the document as it was decoded, with what this version
    does not know: the digest is over all of it.
    """
    report = signed.report
    whole = data["report"] if isinstance(data, dict) else report
    if digest(canonical(whole, MOST_BYTES)) != signed.digest:
        return ["its content is not what its digest was made of"], []
    if not signed.signature:
        return [], ["it is not signed"]
    if not is_signed(report.platform, Purpose.REPORT, canonical(_seal(report, signed.digest)), signed.signature):
        return ["its signature is not one of the key that it names"], []
    if platforms is None:
        return [], ["that the platform signed it: its key was taken from the report itself"]
    if report.platform not in platforms:
        return ["it is signed by a key that is not the platform's"], []
    return [], []


def _seal(report: Report, hashed: str) -> Seal:
    return Seal(robot_id=report.robot_id, made_us=report.made_us, digest=hashed, platform=report.platform)
