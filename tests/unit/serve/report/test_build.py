import msgspec
import pytest

from schemas.logbook import CounterChanged, KeyRegistered, Opened, Ownership, Registered, Role, Scenario, Scrapped
from schemas.signing import public_key
from serve.report import record
from serve.report.build import MOST_USES
from serve.report.counters import GAP_US
from serve.report.facts import Facts, Step
from serve.report.model import Confidence, Usage
from support.logbooks import DAY_US, MAKER, OPERATOR, PLATFORM, ROBOT, START_US, Writer
from support.reports import DARK_US, FELL_US, NOW_US, book, clean_facts, hardly_any_facts, messy_facts, report_of


def begun() -> Writer:
    """A logbook that has its robot, and its maker's key."""
    writer = Writer()
    writer.write(Registered(maker="T", model="M", made_us=START_US, joints=1), PLATFORM)
    writer.write(KeyRegistered(key=public_key(MAKER), role=Role.MAKER, holder="T"), PLATFORM)
    return writer


def test_a_messy_life_is_told_with_all_that_the_seller_would_rather_hide():
    report = report_of(messy_facts())
    verdict = report.verdict
    assert verdict.tone == "bad"
    assert "9 900 h to 100 h" in verdict.wrong
    assert "X-9911" in verdict.wrong
    assert "Suspected: backlash of joint 5" in verdict.wrong
    assert "1 maintenance task is overdue" in verdict.wrong
    assert "1 inspection was not passed" in verdict.wrong
    assert "73\u202f% of its running time" in verdict.covered
    assert "2 gaps, the longest 61 days" in verdict.covered


def test_a_counter_that_fell_is_said_once_where_a_finding_says_it():
    facts = messy_facts()
    assert "counter fell" not in report_of(facts).verdict.wrong
    without = msgspec.structs.replace(facts, findings=facts.findings[1:])
    assert "1 counter fell without an entry that says why" in report_of(without).verdict.wrong


def test_a_clean_life_that_is_covered_is_called_clean_and_no_more():
    report = report_of(clean_facts())
    assert report.verdict.tone == "good"
    assert report.verdict.wrong.startswith("Nothing is known to be wrong: no finding, no overdue maintenance")
    assert "proves little" not in report.verdict.covered


def test_a_clean_report_over_little_data_says_that_it_proves_little():
    facts = clean_facts()
    little = msgspec.structs.replace(facts, totals=msgspec.structs.replace(facts.totals, logged_s=3600 * 1000))
    report = report_of(little)
    assert report.verdict.tone == "unknown"
    assert "proves little" in report.verdict.covered
    assert "as far as the data goes" in report.verdict.wrong


def test_without_a_logbook_and_a_plan_nothing_is_said_to_be_in_order():
    report = report_of(hardly_any_facts())
    assert report.verdict.tone == "unknown"
    assert "no open recall" not in report.verdict.wrong
    assert "nobody has looked" in report.verdict.wrong
    assert "there is no audit and no maintenance plan and no logbook to go by" in report.verdict.wrong
    assert "since it was first heard of" in report.verdict.covered


def test_without_any_telemetry_a_life_is_told_from_entries_alone():
    facts = msgspec.structs.replace(messy_facts(), totals=None, stretches=(), steps=(), seen_parts=(), usage=())
    report = report_of(facts)
    assert report.coverage.seen_days == 0
    assert "There is no telemetry of it at all" in report.verdict.covered
    assert "proves nothing" in report.verdict.covered
    assert report.unknown[0].startswith("How it was used")


def test_of_many_uses_the_longest_are_listed_and_the_others_add_up():
    uses = tuple(
        Usage(scenario="line", from_us=START_US + n, until_us=START_US + n + 1, used_s=n)
        for n in range(MOST_USES + 3)
    )
    facts = msgspec.structs.replace(messy_facts(), usage=uses)
    report = report_of(facts)
    assert [one.used_s for one in report.usage if one.entry is None] == [*range(3, MOST_USES + 3)]
    assert (report.usage_left_out, report.usage_left_out_s) == (3, 0 + 1 + 2)
    assert "3 shorter uses are not listed" in record.usage(report).note


def test_load_is_only_what_an_entry_tells_as_a_share_of_the_rated_one():
    writer = begun()
    told = Scenario(scenario="class", until_us=NOW_US, used_s=3600, load=0.5)
    writer.write(KeyRegistered(key=public_key(OPERATOR), role=Role.OPERATOR, holder="O"), PLATFORM)
    writer.write(told, OPERATOR)
    kept = book(writer)
    facts = msgspec.structs.replace(messy_facts(), history=kept.history, logbook=kept.verdict)
    (table,) = record.usage(report_of(facts)).tables
    loads = {row[4].text: row[3].text for row in table.rows}
    assert loads == {"telemetry": "–", f"entry {len(writer.records)}": "50\u202f%"}


def test_a_finding_that_was_closed_is_kept_and_counts_no_more():
    report = report_of(msgspec.structs.replace(clean_facts(), findings=messy_facts().findings[3:]))
    (finding,) = report.findings
    assert finding.closed_because == "shipping was entered"
    assert report.verdict.tone == "good"


def test_a_suspicion_is_never_called_established():
    suspected = [f for f in messy_facts().findings if f.confidence is Confidence.SUSPECTED and f.closed_us is None]
    report = report_of(msgspec.structs.replace(clean_facts(), findings=tuple(suspected)))
    assert report.verdict.tone == "warn"
    assert "stablished" not in report.verdict.wrong


@pytest.mark.parametrize("personal", [True, False])
def test_names_of_persons_are_in_it_only_for_who_may_read_them(personal):
    report = report_of(messy_facts(), personal=personal)
    text = msgspec.json.encode(report).decode()
    assert ("Ada Lovelace" in text) == personal
    assert ("王小明" in text) == personal
    assert [(h.number, h.country) for h in report.owners] == [(1, "DE"), (2, "CN")]
    assert ("Names of persons: they are left out of this report." in report.unknown) != personal


def test_who_comes_back_is_the_same_owner():
    writer = begun()
    one, two = Opened(salt="1a" * 16, value="A"), Opened(salt="2b" * 16, value="B")
    for owner in (one, two, one):
        writer.write(Ownership(owner=owner.commitment), MAKER)
    kept = book(writer)
    facts = msgspec.structs.replace(hardly_any_facts(), history=kept.history, logbook=kept.verdict)
    assert [holder.number for holder in report_of(facts).owners] == [1, 2, 1]


def test_a_gap_says_how_far_the_counter_went_on_meanwhile():
    report = report_of(messy_facts())
    before, gap = report.gaps
    assert before.ran_s == 7200
    assert (gap.from_us, gap.until_us, gap.ran_s) == (*DARK_US, 900 * 3600)


def test_what_follows_the_last_frame_is_a_gap_too():
    facts = messy_facts()
    quiet = msgspec.structs.replace(facts.totals, last_us=NOW_US - GAP_US)
    assert report_of(msgspec.structs.replace(facts, totals=quiet)).gaps[-1].until_us == NOW_US


def test_across_a_gap_in_which_a_counter_fell_nobody_can_tell_how_far_it_ran():
    step = Step(at_us=DARK_US[1], before_us=DARK_US[0], counters={"runtime_s": 5}, counters_before={"runtime_s": 9},
                software="1", software_before="1")  # fmt: skip
    report = report_of(msgspec.structs.replace(messy_facts(), steps=(step,)))
    assert report.gaps[-1].ran_s is None
    assert report.resets[0].before == 9


def test_a_fall_that_an_entry_tells_of_has_its_number_and_is_no_trouble():
    writer = begun()
    writer.now_us = FELL_US
    writer.write(CounterChanged(counter="runtime_s", before=9, after=0, reason="board swapped"), MAKER)
    kept = book(writer)
    facts = msgspec.structs.replace(messy_facts(), history=kept.history, logbook=kept.verdict, findings=())
    report = report_of(facts)
    (reset,) = report.resets
    assert (reset.entry, reset.reason) == (3, "board swapped")
    assert "fell" not in report.verdict.wrong


def test_parts_are_those_of_entries_and_those_that_the_robot_alone_reports():
    parts = {(part.component, part.serial): part for part in report_of(messy_facts()).parts}
    assert parts["joint/2", "S-0002"].removed is not None
    assert parts["joint/2", "S-0777"].installed is not None
    alone = parts["joint/3", "X-9911"]
    assert (alone.installed, alone.installed_us) == (None, None)
    assert alone.seen_first_us == DARK_US[1]


def test_an_incident_is_once_in_it_with_its_entry():
    (incident,) = report_of(messy_facts()).incidents
    assert incident.verdict == "indicated: neglected maintenance"
    assert incident.entry is not None


def test_a_recall_that_was_done_is_not_open():
    report = report_of(messy_facts())
    assert report.recalls[0].done_us is not None
    assert report.identity.status == "active"


def test_curves_keep_the_lowest_and_the_highest_of_each_stretch():
    facts = messy_facts()
    (trend,) = [trend for trend in report_of(facts).trends if trend.signal == "battery_soh"]
    (curve,) = trend.curves
    highest = [stretch.signals["battery_soh"][0].high for stretch in facts.stretches]
    assert curve.high == tuple(float(f"{value:.4g}") for value in highest)
    assert trend.rows[0].worst == min(curve.low)


def test_of_many_joints_those_that_fell_and_the_worst_are_drawn_and_all_are_listed():
    (wear,) = [trend for trend in report_of(messy_facts()).trends if trend.signal == "joint_wear"]
    assert [curve.name for curve in wear.curves] == ["joint/3", "joint/6", "joint/5", "joint/4"]
    assert (wear.left_out, len(wear.rows)) == (2, 6)


def test_limits_of_accuracy_are_multiples_of_what_was_measured_at_first():
    (trend,) = [t for t in report_of(messy_facts()).trends if t.signal == "pose_repeatability_mm"]
    assert [limit.value for limit in trend.limits] == [0.2, 0.3]


def test_the_same_facts_make_the_same_report():
    assert report_of(messy_facts()) == report_of(messy_facts())


def test_a_scrapped_robot_is_scrapped_whatever_else_it_is():
    writer = begun()
    writer.write(Scrapped(reason="fire"), MAKER)
    kept = book(writer)
    facts = Facts(robot_id=ROBOT, now_us=START_US + 900 * DAY_US, history=kept.history, logbook=kept.verdict)
    report = report_of(facts)
    assert report.verdict.tone == "bad"
    assert "scrapped on 2025-10-11" in report.verdict.known
    assert report.coverage.until_us == START_US + 2 * DAY_US


def test_wear_that_fell_is_told_since_nothing_mends_by_itself():
    (wear,) = [trend for trend in report_of(messy_facts()).trends if trend.signal == "joint_wear"]
    assert [row.component for row in wear.rows if row.fell_us is not None] == ["joint/3"]
    (fell,) = [row.fell_us for row in wear.rows if row.fell_us is not None]
    assert DARK_US[1] <= fell < DARK_US[1] + 7 * DAY_US


def test_where_nobody_has_looked_for_findings_none_is_not_a_good_sign():
    report = report_of(msgspec.structs.replace(clean_facts(), audited_us=None))
    assert report.verdict.tone == "unknown"
    assert "no finding" not in report.verdict.wrong
    assert report.unknown[0].startswith("Whether its records and its telemetry contradict each other")
