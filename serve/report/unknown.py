"""What is not known: said as plainly as what is.

In: a report, and the facts behind it. Out: sentences. Pure. Called by `build.py`.
"""

from collections.abc import Iterator

from schemas.history import History
from serve.report.facts import Facts
from serve.report.model import Report
from serve.report.trends import SIGNALS
from serve.report.words import SIGNAL_NAMES, count, day, hours, lasting, listed


def unknown_of(report: Report, facts: Facts) -> tuple[str, ...]:
    """The most important first."""
    audit = "Whether its records and its telemetry contradict each other: nobody has looked."
    return (
        *(() if report.audited_us is not None else (audit,)),
        *_of_telemetry(report),
        *_of_records(report, facts),
        *_of_people(report, facts.history),
        "What nobody entered and no sensor showed: repairs, falls and accidents leave a trace here only where "
        "somebody signed for them or telemetry shows them. The logbook proves that nothing was changed "
        "afterwards, not that its authors told the truth.",
    )


def _of_telemetry(report: Report) -> Iterator[str]:
    coverage = report.coverage
    if not coverage.seen_days:
        yield "How it was used, how it is and whether its counters were true: it has sent no telemetry."
        return
    if coverage.runtime_s is not None and coverage.logged_s is not None:
        unlogged_s = coverage.runtime_s - coverage.logged_s
        if unlogged_s >= 3600:
            yield f"What happened in {hours(unlogged_s)} of running time that there is no telemetry for."
    else:
        yield "How long it has run: it sends no running time counter."
    dark = [gap for gap in report.gaps if gap.ran_s is None]
    if dark:
        longest = max(gap.until_us - gap.from_us for gap in dark)
        yield (
            f"Whether it ran in {count(len(dark), 'gap')} across which its counter says nothing "
            f"(the longest {lasting(longest)})."
        )
    for reset in report.resets:
        if reset.entry is None and reset.counter == "runtime_s":
            yield (
                f"Whether its running time before {day(reset.at_us)} is of the same controller: the counter "
                "fell then, and no entry says why. Totals here add the pieces."
            )
    shown = {trend.signal for trend in report.trends}
    if missing := [SIGNAL_NAMES[name] for name in SIGNALS if name not in shown]:
        yield f"Never measured, or not reported: {listed([name[0].lower() + name[1:] for name in missing])}."
    if any(trend.estimate for trend in report.trends):
        yield "Wear, backlash and state of health are the robot's own estimates, not measurements by a workshop."


def _of_records(report: Report, facts: Facts) -> Iterator[str]:
    if report.identity.registered_us is None:
        yield "When and by whom it was made: nobody has registered it."
    if report.integrity.word == "NONE":
        yield "Its owners, services and repairs: it has no logbook."
    for text in report.integrity.unproven:
        yield f"About the logbook, {text[0].lower() + text[1:]}."
    if not facts.planned:
        yield "Which maintenance is due: there is no maintenance plan for its model."
    if not any(part.installed for part in report.parts):
        yield "Which parts it was made with: no entry names one."
    elif not facts.seen_parts:
        yield "Whether the parts in it are those on record: the robot does not report its parts' serials."


def _of_people(report: Report, history: History) -> Iterator[str]:
    if not report.owners:
        yield "Who has owned it: no entry names an owner."
    elif report.identity.made_us is not None and report.owners[0].from_us - report.identity.made_us > 0:
        first_us = report.owners[0].from_us
        yield f"Who owned it before {day(first_us)}, the first entry that names an owner."
    if not report.personal:
        yield "Names of persons: they are left out of this report."
        return
    erased = sum(1 for holder in (*report.owners, *report.operators) if not holder.name)
    if erased:
        yield f"The names of {count(erased, 'owner or operator', 'owners and operators')}: they were erased."
