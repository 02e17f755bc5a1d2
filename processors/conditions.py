"""Conditions: what the slow detectors' marks of an epoch come to, one condition a component and cause.

In: the marks and the state of some robots of a shard. Out: the state, and a report for each robot that has a
condition or had one before. Called by `processors/epochs.py`.

A worn joint shows in its current, its temperature and its vibration, and more than one rule sees each. That is one
cause: of a component the track that was flagged first leads, with the rule that flagged it, until nothing flags it
any more. Where all signals together are out of pattern and none alone, the condition names no signal. A sensor's
fault is about its track alone, and counts from the second epoch in a row on: a reading that jumped is no fault.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from processors.detectors.arrays import Bools, exact
from processors.detectors.tracks import wiring
from processors.detectors.watch import Marks
from processors.findings import DRIFT, PATTERN, PEER, SENSOR, STEP, TREND, Finding, Level, Report
from processors.slow import NEVER, Slow
from schemas.columns import Float32

# Of the rules that flag a track at once the first one leads: what is sudden is told as sudden.
_LEADS = (STEP, DRIFT, PEER, PATTERN)
RULES = (*_LEADS, SENSOR, TREND)
_SENSOR_EPOCHS = 2


def step(
    before: Slow, some: Slow, marks: Marks, value: Float32, start_us: int, length_us: int
) -> tuple[Slow, dict[int, Report]]:
    """After the epoch from `start_us`, of which `value` (robots × tracks) are the means. `before`: as it was."""
    epoch = start_us // length_us
    began, rule = _machine(some, marks, epoch)
    since = some.arrays["faulty_since"]
    since = np.where(marks.by_rule[SENSOR].flag, np.where(since == NEVER, np.int32(epoch), since), np.int32(NEVER))
    after = replace(some, arrays=some.arrays | {"began": began, "rule": rule, "faulty_since": since})
    concerned = _have_conditions(before) | _have_conditions(after)
    telling = _Telling(after, marks, value, start_us, length_us)
    return after, {int(at): telling.report(int(at)) for at in np.nonzero(concerned)[0]}


def _have_conditions(slow: Slow) -> Bools:
    of_tracks: Bools = (slow.arrays["began"] != NEVER) | (slow.arrays["faulty_since"] != NEVER)
    some: Bools = np.logical_or.reduce(of_tracks, axis=1) | np.logical_or.reduce(slow.courses.due, axis=1)
    return some


def _machine(some: Slow, marks: Marks, epoch: int) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Since when a rule has flagged each track, and which. What is out of pattern stands at its first track."""
    flags = {name: marks.by_rule[name].flag for name in _LEADS if name in marks.by_rule}
    if PATTERN in flags:
        firsts = np.zeros(len(some.tracks), bool)
        wires = wiring(some.tracks)
        for places in wires.groups:
            firsts[places[:, 0]] = True
        firsts[wires.whole] |= wires.whole >= 0
        flags[PATTERN] = flags[PATTERN] & firsts
    which = np.full(marks.z.shape, NEVER, np.int8)
    for name in reversed(flags):
        which = np.where(flags[name], np.int8(_LEADS.index(name)), which)
    began, rule = some.arrays["began"], some.arrays["rule"]
    flagged, goes_on = which != NEVER, began != NEVER
    began = np.where(flagged, np.where(goes_on, began, np.int32(epoch)), np.int32(NEVER))
    return began, np.where(flagged, np.where(goes_on, rule, which), np.int8(NEVER))


class _Telling:
    """Makes the reports of one epoch."""

    def __init__(self, slow: Slow, marks: Marks, value: Float32, start_us: int, length_us: int) -> None:
        self._slow = slow
        self._marks = marks
        self._value = value
        self._end_us = start_us + length_us
        self._length_us = length_us

    def report(self, at: int) -> Report:
        """All that holds of one robot."""
        findings = [*self._of_machine(at), *self._of_sensors(at), *self._of_trends(at)]
        return Report(rules=RULES, until_us=self._end_us, findings=findings)

    def _of_machine(self, at: int) -> Iterator[Finding]:
        began, told = self._slow.arrays["began"][at], set()
        flagged = np.nonzero(began != NEVER)[0]
        for k in flagged[np.argsort(began[flagged], kind="stable")].tolist():
            component = self._slow.tracks[k].component
            if component not in told:
                told.add(component)
                yield self._finding(at, k, _LEADS[self._slow.arrays["rule"][at, k]], int(began[k]))

    def _of_sensors(self, at: int) -> Iterator[Finding]:
        since = self._slow.arrays["faulty_since"][at]
        epoch = self._end_us // self._length_us - 1
        for k in np.nonzero((since != NEVER) & (epoch - since + 1 >= _SENSOR_EPOCHS))[0].tolist():
            yield self._finding(at, k, SENSOR, int(since[k]))

    def _finding(self, at: int, k: int, rule: str, began: int) -> Finding:
        mark, track = self._marks.by_rule[rule], self._slow.tracks[k]
        value, side = float(self._value[at, k]), int(mark.side[at, k])
        expected = self._marks.expected(at, k, value)
        judged = rule not in (PATTERN, SENSOR)
        # What a joint at rest says is no evidence for what was found while it worked.
        shown = rule == SENSOR or (judged and not np.isnan(expected))
        score = mark.score[at, k]
        start_us = began * self._length_us + self._end_us % self._length_us
        return Finding(
            rule=rule,
            component=track.component,
            signal="" if rule == PATTERN else track.signal,
            side="",
            level=Level.WARN,
            value=exact(np.float32(value)) if shown else None,
            limit=exact(np.float32(self._marks.threshold(at, k, value, side))) if judged else None,
            baseline=exact(np.float32(expected)) if rule != PATTERN else None,
            confidence=None if np.isnan(score) else round(float(score), 2),
            first_us=start_us,
            last_us=self._end_us,
            windows=(self._end_us - start_us) // self._length_us,
        )

    def _of_trends(self, at: int) -> Iterator[Finding]:
        courses = self._slow.courses
        for k in np.nonzero(courses.due[at])[0].tolist():
            track = self._slow.worn[k]
            yield Finding(
                rule=TREND,
                component=track.component,
                signal=track.signal,
                side="",
                level=Level.WARN,
                value=exact(courses.level[at, k]),
                limit=exact(self._slow.limits[at, k]),
                baseline=exact(courses.new[at, k]),
                confidence=round(float(courses.chance[at, k]), 2),
                first_us=self._end_us,
                last_us=self._end_us,
                windows=1,
            )
