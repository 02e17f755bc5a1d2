"""A report as a paper: its first page, its sections in order, and what proves it.

In: a signed report. Out: a `Paper`. Pure. Called by `html.py` and `pdf.py`.
"""

from schemas.robot_code import checked_code, format_code
from serve.report import condition, record
from serve.report.charts import Bar, Lane, Mark, life
from serve.report.model import Confidence, Report, SignedReport
from serve.report.paper import Cell, Figure, Paper, Section
from serve.report.qr import qr_text, svg_of
from serve.report.verdict import covered_share
from serve.report.words import count, day, hours, minute, share

STAMPS = {
    "bad": "Something is wrong",
    "warn": "Look closely",
    "unknown": "Too little is known",
    "good": "Nothing found",
}
_LETTERS = {"finding": "!", "incident": "i", "reset": "↓", "recall": "R"}


def compose(signed: SignedReport) -> Paper:
    """All that people read, HTML or PDF."""
    report = signed.report
    return Paper(
        code=format_code(checked_code(report.robot_id)),
        made=minute(report.made_us),
        tone=report.verdict.tone,
        stamp=STAMPS[report.verdict.tone],
        summary=(
            ("What is known", report.verdict.known),
            ("What is wrong", report.verdict.wrong),
            ("How much the data covers", report.verdict.covered),
        ),
        facts=_first(report),
        life=_life(report),
        sections=_sections(report),
        proof=_proof(signed),
        proof_text=_proof_text(signed),
        qr=svg_of(qr_text(signed)),
    )


def _sections(report: Report) -> tuple[Section, ...]:
    """Those of trouble first: whoever reads two pages has read them."""
    return (
        condition.findings(report),
        record.integrity(report),
        condition.coverage(report),
        record.identity(report),
        record.owners(report),
        condition.counters(report),
        record.parts(report),
        record.maintenance(report),
        condition.trends(report),
        record.incidents(report),
        record.software(report),
        record.usage(report),
        Section(key="unknown", title="What is not known", points=report.unknown),
    )


def _first(report: Report) -> tuple[tuple[str, Cell], ...]:
    """The box of the first page: the figures that a buyer looks for."""
    who, coverage = report.identity, report.coverage
    open_findings = [finding for finding in report.findings if finding.closed_us is None]
    established = sum(finding.confidence is Confidence.ESTABLISHED for finding in open_findings)
    overdue = sum(due.state == "overdue" for due in report.due)
    owners = len({owner.number for owner in report.owners})
    word = report.integrity.word
    found = f"{established} established, {len(open_findings) - established} suspected"
    if report.audited_us is None and not open_findings:
        found = "nobody has looked"
    named = f"{who.maker} {who.model}".strip() or "not registered"
    return (
        ("Maker and model", Cell(named, "" if who.maker else "warn")),
        ("Intelligence level", Cell(who.level or "not on record")),
        ("Made", Cell(day(who.made_us))),
        ("Status", Cell(who.status, "" if who.status == "active" else "warn")),
        ("Owners on record", Cell(str(owners), "" if owners else "warn")),
        ("Running time", Cell(hours(coverage.runtime_s))),
        ("Covered by telemetry", Cell(_covered(report), "" if covered_share(coverage) >= 0.5 else "warn")),
        (
            "Findings",
            Cell(
                found,
                "bad" if established else "warn" if open_findings or report.audited_us is None else "",
            ),
        ),
        ("Maintenance overdue", _overdue(report, overdue)),
        ("Incidents", Cell(str(len(report.incidents)), "warn" if report.incidents else "")),
        ("Logbook", Cell(word if word != "NONE" else "there is none", record.INTEGRITY_TONES[word])),
        ("Last heard of", Cell(day(who.last_seen_us, "never"))),
    )


def _covered(report: Report) -> str:
    coverage = report.coverage
    if not coverage.seen_days:
        return "nothing"
    if coverage.runtime_s and coverage.logged_s is not None:
        return f"{share(coverage.logged_s, coverage.runtime_s)} of running time"
    return f"{share(coverage.seen_days, coverage.life_days)} of days"


def _overdue(report: Report, overdue: int) -> Cell:
    if not report.due:
        return Cell("no plan on record", "warn")
    return Cell(f"{overdue} of {count(len(report.due), 'task')}", "bad" if overdue else "")


def _life(report: Report) -> Figure:
    """Owners, software, use, telemetry and what happened, over each other."""
    until_us = report.coverage.until_us
    owners = tuple(
        Bar(h.from_us, h.until_us or until_us, f"owner {h.number}", "full" if h.number % 2 else "other")
        for h in report.owners
    )
    versions = [one for one in report.software if one.entry is None]
    software = tuple(
        Bar(one.from_us, one.until_us or until_us, one.version, "other" if place % 2 else "full")
        for place, one in enumerate(versions)
    )
    lanes = (
        Lane("Owners", owners),
        Lane("Software", software),
        Lane("Telemetry", _telemetry(report)),
        Lane("Services", marks=_services(report)),
        Lane("Parts", marks=_swaps(report)),
        Lane("Trouble", marks=_trouble(report)),
    )
    return Figure(
        title="Its life at a glance",
        svg=life(
            lanes, condition.life_us(report), "owners, software, telemetry, services, parts and trouble over time"
        ),
        text="Grey: no telemetry. s service, p part in or out, ! finding, ↓ counter fell without an entry, "
        "i incident, R recall.",
    )


def _telemetry(report: Report) -> tuple[Bar, ...]:
    coverage = report.coverage
    if coverage.first_us is None or coverage.last_us is None:
        return (Bar(*condition.life_us(report), "none", "gap"),)
    return (
        Bar(coverage.first_us, coverage.last_us, ""),
        *(Bar(gap.from_us, gap.until_us, "", "gap") for gap in report.gaps),
    )


def _services(report: Report) -> tuple[Mark, ...]:
    done = (service for service in report.services if service.kind != "counter")
    return tuple(Mark(service.at_us, "s", "bad" if service.passed is False else "quiet") for service in done)


def _swaps(report: Report) -> tuple[Mark, ...]:
    """Parts that came after the first day: what it was made with is no event."""
    made_us = report.identity.made_us or 0
    told = [us for part in report.parts for us in (part.installed_us, part.removed_us) if us is not None]
    seen = [
        part.seen_first_us for part in report.parts if part.installed is None and part.seen_first_us is not None
    ]
    first_us = report.coverage.first_us or 0
    day_us = 24 * 3_600_000_000
    return (
        *(Mark(us, "p") for us in sorted({us for us in told if us > made_us + day_us})),
        *(Mark(us, "p", "warn") for us in sorted({us for us in seen if us > first_us + day_us})),
    )


def _trouble(report: Report) -> tuple[Mark, ...]:
    found = [
        Mark(
            finding.first_us, _LETTERS["finding"], "bad" if finding.confidence is Confidence.ESTABLISHED else "warn"
        )
        for finding in report.findings
        if finding.closed_us is None
    ]
    found += [Mark(reset.at_us, _LETTERS["reset"], "warn") for reset in report.resets if reset.entry is None]
    found += [Mark(recall.called_us, _LETTERS["recall"], "warn") for recall in report.recalls]
    found += [Mark(incident.at_us, _LETTERS["incident"], "bad") for incident in report.incidents]
    return tuple(sorted(found, key=lambda mark: (mark.tone == "bad", mark.at_us)))  # the worst lies on top


def _proof(signed: SignedReport) -> tuple[tuple[str, Cell], ...]:
    report = signed.report
    return (
        ("Robot", Cell(report.robot_id, "mono")),
        ("Made", Cell(minute(report.made_us))),
        ("Digest (SHA-256)", Cell(signed.digest, "mono")),
        ("Signature (Ed25519)", Cell(signed.signature or "none: the platform has no key", "mono")),
        ("Platform's key", Cell(report.platform or "none", "mono")),
        ("Drawn by", Cell(report.drawn_by, "mono")),
    )


def _proof_text(signed: SignedReport) -> str:
    if not signed.signature:
        return "This report is not signed: anybody could have made it. Ask for one by a platform that has a key."
    at = f" or ask {signed.report.verify_at} with the square code" if signed.report.verify_at else ""
    return (
        f"Check it without a server: robovitals verify-report FILE --keys platform.keys{at}. It holds the "
        "page and the data behind it against the signature. Take the platform's key from the platform or from "
        "somebody you trust, not from the seller."
    )
