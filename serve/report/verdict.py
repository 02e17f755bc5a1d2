"""The first page: what is known, what is wrong, how much the data covers.

In: a report without its verdict. Out: the verdict. Pure. Called by `build.py`. It says what is there and no more: a
suspicion is called one, what is absent is not called good, and a clean report over little data says that it proves
little.
"""

from serve.report.model import Confidence, Coverage, Finding, Integrity, Report, Reset, Verdict
from serve.report.words import count, counted, day, grouped, hours, lasting, listed, sentence, share

LITTLE = 0.5
"""Ours: with telemetry for less than half of its running time, nothing that was not found is reassuring."""
MONTH = 30
NAMED = 3
"""Findings that the first page names; the rest it counts."""
ROLLBACK = "runtime_rollback"
"""A finding of this rule tells of a counter that fell; it need not be said twice."""
BAD, WARN, UNKNOWN, GOOD = "bad", "warn", "unknown", "good"


def verdict_of(report: Report) -> Verdict:
    wrong, tone = _wrong(report)
    little = proves_little(report.coverage)
    unproven = report.integrity.word in ("NOT PROVEN", "NONE")
    if tone == GOOD and (little or unproven or report.audited_us is None):
        tone = UNKNOWN
    return Verdict(tone=tone, known=_known(report), wrong=wrong, covered=_covered(report))


def proves_little(coverage: Coverage) -> bool:
    """Also where a month at the most was seen, or nobody knows of how long a life."""
    return not coverage.is_aged or coverage.seen_days < MONTH or covered_share(coverage) < LITTLE


def covered_share(coverage: Coverage) -> float:
    """Of its running time; without a counter, of its days."""
    if coverage.runtime_s and coverage.logged_s is not None:
        return coverage.logged_s / coverage.runtime_s
    return coverage.seen_days / coverage.life_days if coverage.life_days else 0.0


def _known(report: Report) -> str:
    who, coverage = report.identity, report.coverage
    what = f"{who.maker} {who.model}".strip() or f"robot of maker {who.enterprise}, model {who.model_code}"
    level = f", intelligence level {who.level}" if who.level else ""
    made = f", made {day(who.made_us)}" if who.made_us is not None else ""
    status = {
        "active": "in service",
        "recalled": "under an open recall",
        "scrapped": f"scrapped on {day(who.status_since_us)}",
        "unregistered": "without a registration in its logbook",
    }.get(who.status, who.status)
    owners = len({owner.number for owner in report.owners})
    had = count(owners, "owner") + " on record" if owners else "no owner on record"
    ran = "" if coverage.runtime_s is None else f"; it has run {hours(coverage.runtime_s)}"
    written = count(report.integrity.entries, "entry", "entries")
    entries = "; it has no logbook" if report.integrity.word == "NONE" else f"; its logbook has {written}"
    return sentence(f"{what}{level}{made}, {status}, {had}{ran}{entries}")


def _wrong(report: Report) -> tuple[str, str]:
    """What is wrong, worst first, and how bad that is."""
    found = [finding for finding in report.findings if finding.closed_us is None]
    established = [finding for finding in found if finding.confidence is Confidence.ESTABLISHED]
    suspected = [finding for finding in found if finding.confidence is Confidence.SUSPECTED]
    texts = []
    if report.integrity.word == "FALSE":
        texts.append(f"the logbook is not as it was written: {_faults(report.integrity)}")
    for name, some in (("established", established), ("suspected", suspected)):
        if some:
            texts.append(f"{name}: {_named(some)}")
    noted = _noted(report)
    if noted:
        texts.append(listed(noted))
    if report.integrity.word == "FALSE" or established or report.identity.status == "scrapped":
        tone = BAD
    else:
        tone = WARN if texts else GOOD
    if not texts:
        return sentence(f"nothing is known to be wrong: {_nothing(report)}"), tone
    return " ".join(sentence(text) for text in texts), tone


def _nothing(report: Report) -> str:
    """What was looked for and not found; what could not be looked for is said too."""
    looked = [] if report.audited_us is None else ["no finding"]
    missing = ["audit"] if report.audited_us is None else []
    (looked if report.due else missing).append("no overdue maintenance" if report.due else "maintenance plan")
    if report.integrity.word != "NONE":
        looked += ["no open recall", "no incident"]
    else:
        missing.append("logbook")
    lacking = f"; there is no {' and no '.join(missing)} to go by" if missing else ""
    so_far = ", as far as the data goes" if proves_little(report.coverage) else ""
    return f"{listed(looked) or 'nobody has looked'}{so_far}{lacking}"


def _named(findings: list[Finding]) -> str:
    texts = [finding.text.strip().rstrip(".") for finding in findings[:NAMED]]
    more = len(findings) - len(texts)
    return "; ".join([*texts, *([f"and {more} more"] if more else [])])


def _faults(integrity: Integrity) -> str:
    first = integrity.faults[0]
    where = f"entry {first.entry}" if first.entry else "the file"
    more = len(integrity.faults) - 1
    return f"{where}, {first.text}" + (f", and {count(more, 'more fault')}" if more else "")


def _noted(report: Report) -> list[str]:
    """What is no finding, and still no ornament."""
    overdue = [due for due in report.due if due.state == "overdue"]
    recalls = [recall for recall in report.recalls if recall.done_us is None]
    rules = {finding.rule for finding in report.findings if finding.closed_us is None}
    resets = [
        reset for reset in report.resets if reset.entry is None and not (_is_runtime(reset) and ROLLBACK in rules)
    ]
    failed = [service for service in report.services if service.passed is False]
    return [
        *([f"{count(len(overdue), 'maintenance task is', 'maintenance tasks are')} overdue"] if overdue else []),
        *([f"{count(len(recalls), 'recall is', 'recalls are')} open"] if recalls else []),
        *(
            [
                f"{count(len(resets), 'counter fell', 'counters fell')} without an entry that says why "
                f"(the first on {day(resets[0].at_us)}, from {counted(resets[0].counter, resets[0].before)} "
                f"to {counted(resets[0].counter, resets[0].after)})"
            ]
            if resets
            else []
        ),
        *([f"{count(len(failed), 'inspection was', 'inspections were')} not passed"] if failed else []),
        *(
            [f"{count(len(report.incidents), 'incident is', 'incidents are')} on record"]
            if report.incidents
            else []
        ),
    ]


def _is_runtime(reset: Reset) -> bool:
    return reset.counter == "runtime_s"


def _covered(report: Report) -> str:
    coverage, word = report.coverage, report.integrity.word
    book = {
        "PROVEN": "its logbook is proven to be as it was written",
        "NOT PROVEN": "nothing is false in its logbook, but not all of it could be proven",
        "FALSE": "its logbook is not to be relied on",
        "NONE": "there is no logbook",
    }[word]
    if not coverage.seen_days:
        return sentence(
            f"There is no telemetry of it at all, so nothing here comes from the robot itself; {book}. "
            "That nothing was found proves nothing"
        )
    if coverage.is_aged:
        days = (
            f"{share(coverage.seen_days, coverage.life_days)} of the {grouped(coverage.life_days)} days of its life"
        )
    else:
        days = (
            f"{grouped(coverage.seen_days)} of the {count(coverage.life_days, 'day')} since it was first heard of"
        )
    ran = coverage.runtime_s
    running = f"{share(coverage.logged_s or 0, ran)} of its running time and " if ran else ""
    longest = max((gap.until_us - gap.from_us for gap in report.gaps), default=0)
    gaps = f", with {count(len(report.gaps) + report.gaps_left_out, 'gap')}, the longest {lasting(longest)}"
    clean = "a clean report over so little data proves little; " if proves_little(coverage) else ""
    return sentence(f"Telemetry covers {running}{days}{gaps if report.gaps else ''}; {clean}{book}")
