"""Sections about what people have signed: identity, owners, parts, maintenance, software, use, incidents,
integrity.

In: a report. Out: sections in words. Pure. Called by `compose.py`.
"""

from schemas.robot_code import checked_code, format_code
from serve.report.model import Due, Holder, Part, Report, Service
from serve.report.paper import Cell, Section, Table
from serve.report.words import component, count, day, hours, minute, sentence, share, span

INTEGRITY_TONES = {"PROVEN": "good", "NOT PROVEN": "warn", "FALSE": "bad", "NONE": "warn"}
_INTEGRITY = {
    "PROVEN": "Every entry is its author's and as the platform received it; none is missing up to the checkpoint.",
    "NOT PROVEN": "Nothing in the logbook is false, but something could not be told from what is there.",
    "FALSE": "Something in the logbook is false. What it says of the robot may not be what was written.",
    "NONE": "This robot has no logbook: what people did with it is not on record.",
}
_USED = (
    "Hours known from telemetry are what the runtime counter gained while the robot was heard; silence of more "
    "than a week ends a use. Load is what an entry says of it."
)
LONG_AFTER_US = 30 * 24 * 3_600_000_000
STATES = {
    "ok": Cell("in time"),
    "due": Cell("due now", "warn"),
    "overdue": Cell("overdue", "bad"),
    "unknown": Cell("cannot be told", "warn"),
}


def identity(report: Report) -> Section:
    who = report.identity
    return Section(
        key="identity",
        title="Identity",
        facts=(
            ("Robot code", Cell(format_code(checked_code(report.robot_id)), "mono")),
            ("Country of the code", Cell(who.country)),
            ("Maker", Cell(f"{who.maker or 'not registered'} (code {who.enterprise})")),
            ("Model", Cell(f"{who.model or 'not registered'} (code {who.model_code})")),
            ("Serial", Cell(who.serial, "mono")),
            ("Intelligence level", Cell(who.level or "not on record")),
            ("Joints", Cell("not known" if who.joints is None else str(who.joints))),
            ("Made", Cell(day(who.made_us))),
            ("Registered", Cell(day(who.registered_us, "never"))),
            ("Commissioned", Cell(day(who.commissioned_us, "no entry"))),
            ("Status", Cell(_status(report))),
        ),
        tables=_recalls(report),
    )


def _status(report: Report) -> str:
    who = report.identity
    return who.status if who.status_since_us is None else f"{who.status} since {day(who.status_since_us)}"


def _recalls(report: Report) -> tuple[Table, ...]:
    if not report.recalls:
        return ()
    rows = tuple(
        (
            Cell(recall.campaign),
            Cell(recall.reason),
            Cell(day(recall.called_us)),
            Cell(day(recall.done_us, "open"), "" if recall.done_us else "bad"),
            Cell(str(recall.entry), "quiet"),
        )
        for recall in report.recalls
    )
    return (Table(heads=("Recall", "Reason", "Called", "Done", "Entry"), rows=rows, wide=(1,)),)


def owners(report: Report) -> Section:
    tables = [
        Table(
            heads=(kind, "Country", "From", "Until", "Entry"),
            rows=tuple(_holder(kind, h) for h in holders),
            wide=(0,),
        )
        for kind, holders in (("Owner", report.owners), ("Operator", report.operators))
        if holders
    ]
    note = "" if report.personal else "Names of persons are left out of this report."
    nobody = "" if report.owners else "No entry names an owner."
    return Section(key="owners", title="Owners and operators", intro=nobody, tables=tuple(tables), note=note)


def _holder(kind: str, holder: Holder) -> tuple[Cell, ...]:
    named = f"{kind} {holder.number}" + (f": {holder.name}" if holder.name else "")
    return (
        Cell(named),
        Cell(holder.country or "–"),
        Cell(day(holder.from_us)),
        Cell(day(holder.until_us, "today")),
        Cell(str(holder.entry), "quiet"),
    )


def parts(report: Report) -> Section:
    if not report.parts:
        return Section(key="parts", title="Parts", intro="Neither an entry nor the robot itself names a part.")
    heads = ("Component", "Part", "Serial", "In since", "Out", "Had run", "Robot reports it", "Entries")
    rows = tuple(_part(part) for part in report.parts)
    return Section(
        key="parts",
        title="Parts",
        intro="Each part with its entries, and when the robot itself reported its serial.",
        tables=(Table(heads=heads, rows=rows, wide=(1, 6)),),
        note="A part without entries is known from the robot's own report alone.",
    )


def _part(part: Part) -> tuple[Cell, ...]:
    seen = "–" if part.seen_first_us is None else span_of(part.seen_first_us, part.seen_last_us)
    out = "–" if part.removed_us is None else day(part.removed_us)
    entries = ", ".join(str(number) for number in (part.installed, part.removed) if number is not None)
    return (
        Cell(component(part.component)),
        Cell(part.part or "–"),
        Cell(part.serial, "mono"),
        Cell(day(part.installed_us, "no entry"), "" if part.installed_us is not None else "warn"),
        Cell(out),
        Cell(hours(part.ran_before_s) if part.installed is not None else "–"),
        Cell(seen),
        Cell(entries or "none", "quiet" if entries else "warn"),
    )


def span_of(first_us: int, last_us: int | None) -> str:
    return span(first_us, last_us) if last_us is not None else day(first_us)


def maintenance(report: Report) -> Section:
    overdue = sum(due.state == "overdue" for due in report.due)
    intro = (
        f"{count(len(report.due), 'task')} in the plan of its model, {overdue} overdue."
        if report.due
        else "There is no maintenance plan for its model, so nothing can be said of what is due."
    )
    tables = []
    if report.due:
        heads = ("Task", "Component", "Every", "Last done", "State")
        tables.append(Table(heads=heads, rows=tuple(_due(due) for due in report.due), wide=(0,)))
    if report.services:
        work = ("Done", "Kind", "Component", "What", "At", "Signed by", "Entry")
        rows = tuple(_service(service) for service in report.services)
        tables.append(Table(heads=work, rows=rows, wide=(3, 5)))
    note = "" if report.services else "No entry tells of any work on it."
    return Section(
        key="maintenance", title="Maintenance: due against done", intro=intro, tables=tuple(tables), note=note
    )


def _due(due: Due) -> tuple[Cell, ...]:
    state = STATES[due.state]
    since = f" since {day(due.overdue_since_us)}" if due.overdue_since_us is not None else ""
    return (
        Cell(due.task),
        Cell(component(due.component)),
        Cell(due.rule),
        Cell(day(due.done_us, "never")),
        Cell(state.text + since, state.tone),
    )


def _service(service: Service) -> tuple[Cell, ...]:
    late = " (written long after)" if service.written_us - service.at_us > LONG_AFTER_US else ""
    passed = {True: "passed: ", False: "not passed: ", None: ""}[service.passed]
    by = f", done by {service.by}" if service.by else ""
    return (
        Cell(day(service.at_us) + late),
        Cell(service.kind),
        Cell(component(service.component) or "–"),
        Cell(f"{passed}{service.text}{by}", "bad" if service.passed is False else ""),
        Cell("–" if service.runtime_s is None else hours(service.runtime_s)),
        Cell(f"{service.holder or 'platform'} ({service.role or 'unknown'})"),
        Cell(str(service.entry), "quiet"),
    )


def software(report: Report) -> Section:
    rows = tuple(
        (
            Cell(one.name or "software"),
            Cell(one.version, "mono"),
            Cell(day(one.from_us)),
            Cell(day(one.until_us, "today") if one.entry is None else "–"),
            Cell("telemetry" if one.entry is None else f"entry {one.entry}", "quiet"),
        )
        for one in report.software
    )
    if not rows:
        return Section(key="software", title="Software", intro="Which software it ran is not known.")
    table = Table(heads=("Name", "Version", "From", "Until", "Known from"), rows=rows, wide=(1,))
    return Section(key="software", title="Software", tables=(table,))


def usage(report: Report) -> Section:
    rows = tuple(
        (
            Cell(one.scenario.replace("_", " ") or "not told"),
            Cell(span(one.from_us, one.until_us)),
            Cell(hours(one.used_s)),
            Cell("–" if one.load is None else share(one.load, 1.0)),
            Cell("telemetry" if one.entry is None else f"entry {one.entry}", "quiet"),
        )
        for one in report.usage
    )
    if not any(one.scenario for one in report.usage):
        return Section(key="usage", title="What it was used for", intro="What it was used for is not known.")
    heads = ("Scenario", "When", "Hours", "Load, of the rated", "Known from")
    left_out = (
        f" {count(report.usage_left_out, 'shorter use is', 'shorter uses are')} not listed, of "
        f"{hours(report.usage_left_out_s)} together."
        if report.usage_left_out
        else ""
    )
    return Section(
        key="usage",
        title="What it was used for",
        tables=(Table(heads=heads, rows=rows, wide=(0,)),),
        note=f"{_USED}{left_out}",
    )


def incidents(report: Report) -> Section:
    rows = tuple(
        (
            Cell(minute(one.at_us)),
            Cell(one.text or "–"),
            Cell(one.verdict or "no evidence was frozen"),
            Cell(one.incident_id, "mono"),
            Cell("–" if one.entry is None else str(one.entry), "quiet"),
        )
        for one in report.incidents
    )
    if not rows:
        intro = "No incident is on record. That none was reported does not mean that there was none."
        return Section(key="incidents", title="Incidents", intro=intro)
    table = Table(heads=("When", "What", "What the signs indicate", "Id", "Entry"), rows=rows, wide=(1, 2))
    return Section(
        key="incidents",
        title="Incidents",
        tables=(table,),
        note="Signs indicate a cause; they do not say who is to blame.",
    )


def integrity(report: Report) -> Section:
    found = report.integrity
    tone = INTEGRITY_TONES[found.word]
    facts = [("Verdict", Cell(found.word if found.word != "NONE" else "no logbook", tone))]
    if found.word != "NONE":
        facts.append(("Entries", Cell(str(found.entries))))
        anchored = (
            f"up to entry {found.anchored}, on {minute(found.anchored_us)}" if found.anchored else "not anchored"
        )
        facts.append(("Checkpoint", Cell(anchored, "" if found.anchored else "warn")))
    if found.late:
        facts.append(("Written long after the fact", Cell(_entries(found.late))))
    if found.corrected:
        facts.append(("Corrected by later entries", Cell(_entries(found.corrected))))
    rows = tuple(
        (
            Cell(f"entry {fault.entry}" if fault.entry else "the file"),
            Cell(fault.word, "bad"),
            Cell(sentence(fault.text)),
        )
        for fault in found.faults
    )
    table = (Table(heads=("Where", "Fault", "What"), rows=rows, wide=(2,)),) if rows else ()
    return Section(
        key="integrity",
        title="Is the logbook as it was written?",
        intro=_INTEGRITY[found.word],
        facts=tuple(facts),
        tables=table,
        points=tuple(sentence(f"not proven: {text}") for text in found.unproven),
    )


def _entries(numbers: tuple[int, ...]) -> str:
    shown = ", ".join(str(number) for number in numbers[:20])
    return f"{'entry' if len(numbers) == 1 else 'entries'} {shown}{' …' if len(numbers) > 20 else ''}"
