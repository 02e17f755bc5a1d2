"""From facts to a report: pure, the same for a page, a file and a link.

In: `Facts`, and who the report is for. Out: a `Report`. Called by `serve/report/reading.py`. Nothing is judged here
that somebody else has judged: findings, verdicts and faults are taken over with their own confidence.
"""

from collections.abc import Iterable, Iterator

import msgspec

from schemas.history import Holding, Stated, Status
from schemas.logbook import (
    Calibration,
    Commissioned,
    CounterChanged,
    Inspection,
    MaintenanceDone,
    RecallDone,
    Recalled,
)
from schemas.logbook import Incident as IncidentEntry
from schemas.logbook import Scenario as ScenarioEntry
from schemas.logbook import Software as SoftwareEntry
from schemas.logbook_check import Verdict as LogbookVerdict
from schemas.robot_code import parse_code
from serve.report.counters import counters_of, coverage_of, gaps_of, resets_of
from serve.report.facts import Facts
from serve.report.model import (
    Fault,
    Holder,
    Identity,
    Incident,
    Integrity,
    Part,
    Recall,
    Report,
    Service,
    Software,
    Usage,
    Verdict,
)
from serve.report.trends import trends_of
from serve.report.unknown import unknown_of
from serve.report.verdict import verdict_of

MOST_USES = 100
"""That are listed of telemetry's, the longest: a robot may change what it does every hour of its life."""
_NO_VERDICT = Verdict(tone="", known="", wrong="", covered="")


class For(msgspec.Struct, frozen=True, kw_only=True):
    """Who the report is for: `personal`, whether with names of persons; the rest as in `Report`."""

    personal: bool
    drawn_by: str
    platform: str = ""
    verify_at: str = ""


def build(facts: Facts, reader: For) -> Report:
    """The whole report. Its verdict and what is not known follow from the rest of it."""
    gaps, left_out = gaps_of(facts)
    resets = resets_of(facts)
    uses = sorted(facts.usage, key=lambda one: -one.used_s)
    unjudged = {
        "robot_id": facts.robot_id,
        "made_us": facts.now_us,
        "drawn_by": reader.drawn_by,
        "platform": reader.platform,
        "verify_at": reader.verify_at,
        "personal": reader.personal,
        "identity": identity_of(facts),
        "owners": _holders(facts.history.owners, reader.personal),
        "operators": _holders(facts.history.operators, reader.personal),
        "recalls": _recalls(facts),
        "coverage": coverage_of(facts),
        "gaps": gaps,
        "gaps_left_out": left_out,
        "counters": counters_of(facts),
        "resets": resets,
        "parts": _parts(facts),
        "due": facts.due,
        "services": _services(facts, reader.personal),
        "software": _software(facts),
        "usage": _usage(facts, uses[:MOST_USES]),
        "usage_left_out": len(uses[MOST_USES:]),
        "usage_left_out_s": sum(one.used_s for one in uses[MOST_USES:]),
        "trends": trends_of(facts),
        "incidents": _incidents(facts),
        "findings": facts.findings,
        "audited_us": facts.audited_us,
        "integrity": integrity_of(facts.logbook, facts.history.corrected),
    }
    return _judged(facts, unjudged)


def _judged(facts: Facts, fields: dict[str, object]) -> Report:
    bare = Report(verdict=_NO_VERDICT, **fields)  # type: ignore[arg-type]  # the fields of `build`
    known = msgspec.structs.replace(bare, unknown=unknown_of(bare, facts))
    return msgspec.structs.replace(known, verdict=verdict_of(known))


def identity_of(facts: Facts) -> Identity:
    """Who it is: the code's segments, and what the registry says of it."""
    code, history = parse_code(facts.robot_id), facts.history
    registered, commissioned = history.registered, next(iter(history.of(Commissioned)), None)
    what = registered.what if registered else None
    return Identity(
        country=code.country,
        enterprise=code.enterprise,
        model_code=code.model,
        serial=code.serial,
        maker=what.maker if what else "",
        model=what.model if what else "",
        level=what.level if what else "",
        joints=what.joints if what else None,
        made_us=what.made_us if what else None,
        registered_us=registered.received_us if registered else None,
        commissioned_us=commissioned.happened_us if commissioned else None,
        status=history.status.value,
        status_since_us=_status_since(facts),
        last_seen_us=facts.totals.last_us if facts.totals else None,
    )


def _status_since(facts: Facts) -> int | None:
    history = facts.history
    match history.status:
        case Status.SCRAPPED:
            return history.scrapped.happened_us if history.scrapped else None
        case Status.RECALLED:
            return min(recall.happened_us for recall in history.open_recalls)
        case _:
            return None


def _holders(holdings: Iterable[Holding], personal: bool) -> tuple[Holder, ...]:
    """Numbered by person: who comes back has the number of the first time."""
    numbers: dict[str, int] = {}
    return tuple(
        Holder(
            number=numbers.setdefault(holding.commitment, len(numbers) + 1),
            name=holding.name if personal else "",
            country=holding.country,
            from_us=holding.from_us,
            until_us=holding.until_us,
            entry=holding.number,
        )
        for holding in holdings
    )


def _recalls(facts: Facts) -> tuple[Recall, ...]:
    done = {stated.what.campaign: stated.happened_us for stated in facts.history.of(RecallDone)}
    found = []
    for stated in facts.history.of(Recalled):
        done_us = done.get(stated.what.campaign)
        found.append(
            Recall(
                campaign=stated.what.campaign,
                reason=stated.what.reason,
                called_us=stated.happened_us,
                done_us=done_us if done_us is not None and done_us >= stated.happened_us else None,
                entry=stated.number,
            )
        )
    return tuple(found)


def _parts(facts: Facts) -> tuple[Part, ...]:
    """What entries say, with when the robot itself reported that serial; then what only the robot reported."""
    seen = {(part.component, part.serial): part for part in facts.seen_parts}
    parts = [
        Part(
            component=part.component,
            part=part.part,
            serial=part.serial,
            installed_us=part.installed_us,
            removed_us=part.removed_us,
            ran_before_s=part.part_runtime_s,
            installed=part.installed,
            removed=part.removed,
            seen_first_us=found.first_us if (found := seen.get((part.component, part.serial))) else None,
            seen_last_us=found.last_us if found else None,
        )
        for part in facts.history.parts
    ]
    told = {(part.component, part.serial) for part in parts}
    parts += [
        Part(
            component=part.component,
            serial=part.serial,
            seen_first_us=part.first_us,
            seen_last_us=part.last_us,
        )
        for key, part in seen.items()
        if key not in told
    ]
    return tuple(sorted(parts, key=_place))


def _place(part: Part) -> tuple[str, int, int]:
    kind, _, number = part.component.partition("/")
    since = part.installed_us if part.installed_us is not None else part.seen_first_us
    return kind, int(number or 0), since or 0


def _services(facts: Facts, personal: bool) -> tuple[Service, ...]:
    found = []
    for stated in facts.history.stated:
        kind, text, component, by, passed = _work(stated)
        if not kind:
            continue
        found.append(
            Service(
                entry=stated.number,
                kind=kind,
                at_us=stated.happened_us,
                written_us=stated.entry.written_us,
                component=component,
                text=text,
                runtime_s=stated.entry.runtime_s,
                role=stated.role.value if stated.role else "",
                holder=stated.holder,
                by=facts.history.name(by) if personal else "",
                passed=passed,
            )
        )
    return tuple(found)


def _work(stated: Stated) -> tuple[str, str, str, str | None, bool | None]:  # type: ignore[type-arg]  # any
    """Kind, text, component, commitment to who did it, and how an inspection ended; no kind: no work."""
    match stated.what:
        case MaintenanceDone(task=task, component=component, by=by):
            return "maintenance", task, component, by, None
        case Calibration(method=method, component=component, by=by):
            return "calibration", method, component, by, None
        case Inspection(text=text, passed=passed, by=by):
            return "inspection", text, "", by, passed
        case CounterChanged(counter=counter, before=before, after=after, reason=reason):
            was = "unknown" if before is None else str(before)
            return "counter", f"{counter} from {was} to {after}: {reason}", "controller", None, None
        case _:
            return "", "", "", None, None


def _software(facts: Facts) -> tuple[Software, ...]:
    """As telemetry has it, in stretches; and what entries say."""
    changes = [step for step in facts.steps if step.software and step.software != step.software_before]
    ends: list[int | None] = [*(step.at_us for step in changes[1:]), *([None] if changes else [])]
    seen = [
        Software(name="", version=step.software, from_us=step.at_us, until_us=until_us)
        for step, until_us in zip(changes, ends, strict=True)
    ]
    told = [
        Software(
            name=stated.what.name,
            version=stated.what.version,
            from_us=stated.happened_us,
            entry=stated.number,
        )
        for stated in facts.history.of(SoftwareEntry)
    ]
    return tuple(sorted([*seen, *told], key=lambda one: (one.from_us, one.entry or 0)))


def _usage(facts: Facts, seen: list[Usage]) -> tuple[Usage, ...]:
    """What telemetry says, and what owners have said of times without any."""
    told = [
        Usage(
            scenario=stated.what.scenario,
            from_us=stated.happened_us,
            until_us=stated.what.until_us,
            used_s=stated.what.used_s,
            load=stated.what.load,
            entry=stated.number,
        )
        for stated in facts.history.of(ScenarioEntry)
    ]
    return tuple(sorted([*seen, *told], key=lambda usage: usage.from_us))


def _incidents(facts: Facts) -> tuple[Incident, ...]:
    """Those with frozen evidence, with the entry that tells of each; then entries that have none."""
    told = {stated.what.incident_id: stated for stated in facts.history.of(IncidentEntry)}
    frozen = {incident.incident_id for incident in facts.incidents}
    found = [
        msgspec.structs.replace(incident, entry=told[incident.incident_id].number)
        if incident.incident_id in told
        else incident
        for incident in facts.incidents
    ]
    found += [
        Incident(incident_id=name, at_us=stated.happened_us, text=stated.what.text, entry=stated.number)
        for name, stated in told.items()
        if name not in frozen
    ]
    return tuple(sorted(found, key=lambda incident: incident.at_us))


def integrity_of(verdict: LogbookVerdict | None, corrected: Iterable[int]) -> Integrity:
    """The word of `robovitals verify-log` for it."""
    if verdict is None:
        return Integrity(word="NONE")
    word = "PROVEN" if verdict.is_proven else "NOT PROVEN" if verdict.is_sound else "FALSE"
    return Integrity(
        word=word,
        entries=verdict.entries,
        faults=tuple(_faults(verdict)),
        unproven=verdict.unproven,
        late=verdict.late,
        corrected=tuple(sorted(corrected)),
        anchored=verdict.anchored,
        anchored_us=verdict.anchored_us,
    )


def _faults(verdict: LogbookVerdict) -> Iterator[Fault]:
    for found in verdict.faults:
        yield Fault(entry=found.number, word=str(found.fault), text=found.text)
