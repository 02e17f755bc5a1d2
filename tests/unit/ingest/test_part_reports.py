"""What robots tell of their parts becomes intervals, in whatever order it comes."""

from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingest.part_reports import AHEAD_US, KEPT, Report, Run, changed, reports
from schemas.columns import decode_records
from support.frames import CODE, TIME_US, frame, record

HOUR_US = 3_600_000_000
PLACE = (CODE, "joint/1")

# Of each moment one report: of two at one moment whichever came first stays, so order would matter.
REPORTS = st.dictionaries(st.integers(0, 40), st.sampled_from("ABC"), max_size=KEPT).map(
    lambda told: [Report(time_us, serial) for time_us, serial in told.items()]
)


def after(runs: list[Run], told: list[Report]) -> list[Run]:
    """The rows of a place once a batch has been noted."""
    change = changed(runs, told)
    kept = [run for run in runs if run.first_us not in change.gone]
    return sorted([*kept, *change.come], key=lambda run: run.first_us)


def intervals(runs: list[Run]) -> list[tuple[str, int, int]]:
    return [(run.serial, run.first_us, run.last_us) for run in runs]


def as_told(told: list[Report]) -> list[tuple[str, int, int]]:
    """By hand: runs of one serial in the order of time."""
    found = []
    for serial, run in groupby(sorted(told, key=lambda r: r.time_us), key=lambda r: r.serial):
        times = [report.time_us for report in run]
        found.append((serial, times[0], times[-1]))
    return found


@given(REPORTS, st.randoms())
def test_intervals_do_not_depend_on_the_order_in_which_reports_come(told, random):
    runs: list[Run] = []
    random.shuffle(told)
    for report in told:
        runs = after(runs, [report])
    assert intervals(runs) == as_told(told)


@given(REPORTS, st.randoms(), st.integers(1, 5))
def test_a_replay_in_other_batches_changes_nothing(told, random, size):
    runs = after([], sorted(told, key=lambda r: r.time_us))
    random.shuffle(told)
    for at in range(0, len(told), size):
        batch = sorted(told[at : at + size], key=lambda r: r.time_us)
        assert changed(runs, batch).gone == changed(runs, batch).come == ()


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from("AB")), max_size=120, unique_by=lambda r: r[0]))
def test_no_interval_says_more_than_was_told_however_many_reports_there_are(told):
    runs: list[Run] = []
    for time_us, serial in told:
        runs = after(runs, [Report(time_us, serial)])
    by_time = dict(told)
    for run, following in pairwise(runs):
        assert run.last_us < following.first_us
        assert run.serial != following.serial
    for run in runs:
        assert by_time[run.first_us] == by_time[run.last_us] == run.serial
        within = [serial for time_us, serial in told if run.first_us <= time_us <= run.last_us]
        assert set(within) == {run.serial}


def test_a_part_from_the_spool_stands_where_it_was_though_the_old_one_is_back_and_told_since():
    live = [Report(hour * HOUR_US, "A") for hour in (1, 2, 50, 51, 52)]
    runs = after(after([], live), [Report(30 * HOUR_US, "B"), Report(31 * HOUR_US, "B")])
    assert intervals(runs) == [
        ("A", HOUR_US, 2 * HOUR_US),
        ("B", 30 * HOUR_US, 31 * HOUR_US),
        ("A", 50 * HOUR_US, 52 * HOUR_US),
    ]


def test_of_two_serials_at_one_moment_the_first_that_came_stays():
    runs = after([], [Report(5, "A")])
    assert changed(runs, [Report(5, "B")]) == changed(runs, [])


def test_a_batch_tells_of_each_component_in_the_order_of_event_time_and_of_a_close_run_its_ends():
    told = [("A", 3), ("A", 1), ("A", 2), ("B", 4), ("A", 5)]
    records = [
        record(frame(seq=seq, time_us=TIME_US + seq, parts={"joint/1": serial, "battery": "X"}))
        for serial, seq in told
    ]
    found = reports(decode_records([*records, record(frame(seq=9))])[0])
    assert found[PLACE] == [Report(TIME_US + at, serial) for at, serial in [(1, "A"), (3, "A"), (4, "B"), (5, "A")]]
    assert [report.time_us - TIME_US for report in found[CODE, "battery"]] == [1, 5]


def test_a_clock_that_was_never_set_or_is_ahead_tells_of_no_part():
    for time_us in (0, TIME_US + AHEAD_US + 1):
        late = record(frame(time_us=time_us, parts={"joint/1": "A"}), timestamp=TIME_US // 1000)
        assert reports(decode_records([late])[0]) == {}
