"""Sections about what telemetry says: findings, coverage, counters, health.

In: a report. Out: sections in words, with charts. Pure. Called by `compose.py`.
"""

from serve.report.charts import curves
from serve.report.model import Confidence, Counter, Curve, Finding, Gap, Report, Reset, Trend
from serve.report.paper import Card, Cell, Figure, Section, Table
from serve.report.words import (
    COUNTER_NAMES,
    SIGNAL_NAMES,
    component,
    count,
    counted,
    day,
    grouped,
    hours,
    lasting,
    listed,
    number,
    sentence,
    share,
    span,
)

_SCALES = {"runtime_s": (3600.0, "h"), "energy_wh": (1000.0, "kWh"), "cycles": (1.0, "")}


def findings(report: Report) -> Section:
    """Open ones first, established before suspected; those that were closed stay, with why."""
    order = sorted(
        report.findings, key=lambda f: (f.closed_us is not None, f.confidence is not Confidence.ESTABLISHED)
    )
    if report.audited_us is None:
        intro = "Nobody has looked yet whether its records and its telemetry contradict each other."
        return Section(
            key="findings", title="Findings", intro=intro, cards=tuple(_card(finding) for finding in order)
        )
    intro = (
        "Where records and telemetry contradict each other. Established: serials or counters cannot both be true. "
        "Suspected: it looks so, and it may have another cause."
        if order
        else "Nothing was found that contradicts itself."
    )
    cards = tuple(_card(finding) for finding in order)
    note = f"Looked for last on {day(report.audited_us)}."
    return Section(key="findings", title="Findings", intro=intro, cards=cards, note=note)


def _card(finding: Finding) -> Card:
    closed = finding.closed_us is not None
    tone = "quiet" if closed else "bad" if finding.confidence is Confidence.ESTABLISHED else "warn"
    badge = f"closed on {day(finding.closed_us)}" if closed else finding.confidence.value
    where = f", {component(finding.component)}" if finding.component else ""
    when = day(finding.first_us)
    if day(finding.last_us) != when:
        when = f"{when} to {day(finding.last_us)}"
    groups = [("For it", finding.speaks_for), ("Against it", finding.against or ("nothing is known",))]
    if closed and finding.closed_because:
        groups.insert(0, ("Why it was closed", (finding.closed_because,)))
    return Card(
        title=f"{finding.rule.replace('_', ' ')}{where}, {when}",
        badge=Cell(badge, tone),
        text=sentence(finding.text),
        groups=tuple((name, lines) for name, lines in groups if lines),
    )


def coverage(report: Report) -> Section:
    found = report.coverage
    ran = found.runtime_s
    facts = [
        ("Life", Cell(f"{day(found.from_us)} to {day(found.until_us)}, {count(found.life_days, 'day')}")),
        ("Days with telemetry", Cell(f"{grouped(found.seen_days)} ({share(found.seen_days, found.life_days)})")),
        (
            "Running time with telemetry",
            Cell(
                "not known"
                if ran is None
                else f"{hours(found.logged_s)} of {hours(ran)} ({share(found.logged_s or 0, ran)})"
            ),
        ),
        ("Frames", Cell(f"{grouped(found.frames)}; {grouped(found.missing_frames)} more were sent and never came")),
    ]
    rows = tuple(_gap(gap) for gap in report.gaps)
    heads = ("Without telemetry", "How long", "It ran meanwhile", "Energy", "Cycles")
    more = (
        f"{count(report.gaps_left_out, 'shorter gap is', 'shorter gaps are')} not listed. "
        if report.gaps_left_out
        else ""
    )
    return Section(
        key="coverage",
        title="Coverage and gaps",
        intro="What is not covered is not known to be good. A clean report over little data proves little.",
        facts=tuple(facts),
        tables=(Table(heads=heads, rows=rows, wide=(0,)),) if rows else (),
        note=f"{more}Gaps are stretches of two days or more without a frame."
        if rows
        else "No gap of two days or more.",
    )


def _gap(gap: Gap) -> tuple[Cell, ...]:
    ran = "cannot be told" if gap.ran_s is None else hours(gap.ran_s) if gap.ran_s else "no"
    return (
        Cell(span(gap.from_us, gap.until_us)),
        Cell(lasting(gap.until_us - gap.from_us)),
        Cell(ran, "warn" if gap.ran_s is None or gap.ran_s >= 3600 else ""),
        Cell("–" if gap.energy_wh is None else counted("energy_wh", gap.energy_wh)),
        Cell("–" if gap.cycles is None else counted("cycles", gap.cycles)),
    )


def life_us(report: Report) -> tuple[int, int]:
    """What charts go over."""
    found = report.coverage
    return (found.from_us if found.from_us is not None else found.until_us - 1), found.until_us


def counters(report: Report) -> Section:
    if not report.counters:
        return Section(key="counters", title="Running time, energy, cycles", intro="It has sent no counters.")
    rows = tuple(_reset(reset) for reset in report.resets)
    heads = ("Counter", "Fell on", "From", "To", "Entry that says why")
    facts = tuple(
        (
            COUNTER_NAMES[counter.name].capitalize(),
            Cell(
                f"{counted(counter.name, counter.latest)} on the counter, "
                f"{counted(counter.name, counter.total)} in all"
            ),
        )
        for counter in report.counters
    )
    return Section(
        key="counters",
        title="Running time, energy, cycles",
        intro="Counters only rise. Where one fell, the pieces before are added to the total.",
        facts=facts,
        figures=tuple(_counter(report, counter) for counter in report.counters),
        tables=(Table(heads=heads, rows=rows, wide=(4,)),) if rows else (),
        note="Grey bands are gaps in telemetry; lines are not drawn across them.",
    )


def _reset(reset: Reset) -> tuple[Cell, ...]:
    why = "none" if reset.entry is None else f"{reset.entry}: {reset.reason}"
    return (
        Cell(COUNTER_NAMES[reset.counter]),
        Cell(day(reset.at_us)),
        Cell(counted(reset.counter, reset.before)),
        Cell(counted(reset.counter, reset.after)),
        Cell(why, "warn" if reset.entry is None else ""),
    )


def _counter(report: Report, counter: Counter) -> Figure:
    by, unit = _SCALES[counter.name]
    curve = Curve(
        name=counter.name,
        step_us=counter.curve.step_us,
        times_us=counter.curve.times_us,
        low=tuple(value / by for value in counter.curve.low),
        high=tuple(value / by for value in counter.curve.high),
    )
    falls = tuple(reset.at_us for reset in report.resets if reset.counter == counter.name)
    name = COUNTER_NAMES[counter.name].capitalize()
    text = f"{name}: {counted(counter.name, counter.latest)} at last; it fell {count(len(falls), 'time')}."
    title = f"{name} ({unit})" if unit else name
    return Figure(
        title=title, svg=curves([curve], life_us(report), report.gaps, falls_us=falls, alt=text), text=text
    )


def trends(report: Report) -> Section:
    if not report.trends:
        return Section(
            key="trends", title="Health over its life", intro="It has sent no readings of wear or accuracy."
        )
    return Section(
        key="trends",
        title="Health over its life",
        intro="Each stretch is drawn with its lowest and its highest reading, so no peak is lost. Lines are "
        "the limits that its model is judged by.",
        figures=tuple(_trend(report, trend) for trend in report.trends),
        tables=tuple(_figures(trend) for trend in report.trends),
    )


def _trend(report: Report, trend: Trend) -> Figure:
    name, unit = SIGNAL_NAMES[trend.signal], f" ({trend.unit})" if trend.unit else ""
    worst = max if not _falls(trend) else min
    row = worst(trend.rows, key=lambda row: row.worst)
    more = (
        f" {len(trend.curves)} of {len(trend.rows)} are drawn, those that fell and the worst."
        if trend.left_out
        else ""
    )
    fell = [f"{component(row.component)} on {day(row.fell_us)}" for row in trend.rows if row.fell_us is not None]
    fallen = f" It fell, which it cannot by itself: {listed(fell)}." if fell else ""
    estimate = " An estimate." if trend.estimate else ""
    text = f"Worst: {number(row.worst)}{_unit(trend)}, {component(row.component)}.{fallen}{more}{estimate}"
    svg = curves(trend.curves, life_us(report), report.gaps, trend.limits, alt=f"{name}. {text}")
    return Figure(title=f"{name}{unit}", svg=svg, text=text)


def _unit(trend: Trend) -> str:
    return f"\u202f{trend.unit}" if trend.unit else ""


def _falls(trend: Trend) -> bool:
    return any(limit.side == "below" for limit in trend.limits)


def _figures(trend: Trend) -> Table:
    """Every component's figures, with the limit that its latest or worst is beyond."""
    heads = (SIGNAL_NAMES[trend.signal], "First", "Latest", "Worst", "Latest against limits")
    rows = tuple(
        (
            Cell(component(row.component)),
            Cell(f"{number(row.first)} ({day(row.first_us)})"),
            Cell(f"{number(row.latest)} ({day(row.latest_us)})"),
            Cell(number(row.worst)),
            _beyond(trend, row.latest),
        )
        for row in trend.rows
    )
    return Table(heads=heads, rows=rows, wide=(0,))


def _beyond(trend: Trend, value: float) -> Cell:
    if not trend.limits:
        return Cell("no limit", "quiet")
    sign = -1 if _falls(trend) else 1
    for level, tone in (("alarm", "bad"), ("warn", "warn")):
        for limit in trend.limits:
            if limit.level == level and sign * value >= sign * limit.value:
                return Cell(f"beyond {level} {number(limit.value)}", tone)
    return Cell("within", "good")
