"""The day before the demo's fleet goes live: its frames, in the two ways in which they are sent.

In: the robots, when they go live, and what has happened to them. Out: first the few frames by which alarms of the
past come about, in the order of time; then all others. Called by `ingest/simulate.py`. Pure, but for boot ids.

A day of a fleet in order, judged window by window, costs minutes: each window of each shard is a message of its
own, and at 200 robots it holds one robot. So what only fills charts is sent as what a robot has kept while it was
offline (`FLAG_BACKFILL`), after the fleet is live: it lands at once, raises nothing, and its windows are computed
from its rows beside what is live. Both ways are one boot of each robot, numbered by time.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from ingest.faults import Broken
from ingest.fleet import Squad
from ingest.schedule import SQUAD, Boots, Slot, squads
from ingest.traits import DAY_S, Robot
from schemas.frame import FLAG_BACKFILL, Frame

DAY_US = round(DAY_S * 1e6)
_MINUTE_US = 60_000_000
CLOSELY_US = 2 * _MINUTE_US  # so that a line over a day has no gaps
CLOSELY_KNOWN = 16  # robots: the first of those that something has happened to
SELDOM_US = 30 * _MINUTE_US
MOST_FRAMES = 10_000  # of a day of all others: each late frame is a window to compute


class _Rhythm:
    """Robots that reported every so often from `from_us` to `live_us`, squad after squad."""

    def __init__(self, seed: int, robots: Sequence[Robot], every_us: int, from_us: int, live_us: int) -> None:
        self.every_us = every_us
        self.periods = max(live_us - from_us, 0) // every_us
        self.squads = squads(seed, robots, SQUAD)
        self.begins_us = [from_us + place * every_us // len(self.squads) for place in range(len(self.squads))]

    def slots(self) -> Iterator[Slot]:
        """In the order of time."""
        for period in range(self.periods):
            for begins_us, squad in zip(self.begins_us, self.squads, strict=True):
                yield Slot(begins_us + period * self.every_us, squad)

    def before(self, begins_us: int, time_us: int) -> int:
        """How many frames of a robot that begins then come before a time."""
        return min(max(-((begins_us - time_us) // self.every_us), 0), self.periods)


class Past:
    """From `from_us` to `live_us`. `moments` are to be judged; `broken_at` says who was broken at a time."""

    def __init__(
        self,
        seed: int,
        robots: Sequence[Robot],
        first_day_us: int,
        from_us: int,
        live_us: int,
        moments: Sequence[tuple[int, Robot]],
        broken_at: Callable[[int], Broken],
    ) -> None:
        self._seed = seed
        self._broken_at = broken_at
        known = set(list(dict.fromkeys(robot.number for _, robot in moments))[:CLOSELY_KNOWN])
        closely, others = ([r for r in robots if (r.number in known) is wanted] for wanted in (True, False))
        self._rhythms = [
            _Rhythm(seed, closely, CLOSELY_US, from_us, live_us),
            _Rhythm(seed, others, seldom_us(len(others)), from_us, live_us),
        ]
        self._places = {
            robot.code: (rhythm, begins_us)
            for rhythm in self._rhythms
            for begins_us, squad in zip(rhythm.begins_us, rhythm.squads, strict=True)
            for robot in squad.robots
        }
        beside = [(self._beside_us(time_us, robot), robot) for time_us, robot in moments]
        self._moments = sorted(beside, key=lambda moment: moment[0])
        self._times: dict[str, list[int]] = defaultdict(list)
        for time_us, robot in self._moments:
            self._times[robot.code].append(time_us)
        boot_us = min([from_us, *(time_us for time_us, _ in self._moments)])
        self._boots = Boots(robots, boot_us, first_day_us, self._number_of)

    @property
    def slots(self) -> int:
        """How many times `rest` yields."""
        return sum(rhythm.periods * len(rhythm.squads) for rhythm in self._rhythms)

    def told(self) -> Iterator[list[Frame]]:
        """What is judged as if it were live, in the order of time."""
        alone: dict[str, Squad] = {}
        for time_us, robot in self._moments:
            squad = alone.setdefault(robot.code, Squad(self._seed, [robot]))
            yield list(self._boots.frames(Slot(time_us, squad), self._broken_at(time_us)))

    def rest(self) -> Iterator[list[Frame]]:
        """What is only kept: first of those that something has happened to; each robot's in the order of time."""
        for rhythm in self._rhythms:
            for slot in rhythm.slots():
                yield list(self._boots.frames(slot, self._broken_at(slot.time_us), FLAG_BACKFILL))

    def _beside_us(self, time_us: int, robot: Robot) -> int:
        """No robot sends two frames of one moment."""
        rhythm, begins_us = self._places[robot.code]
        return time_us + ((time_us - begins_us) % rhythm.every_us == 0)

    def _number_of(self, robot: Robot, time_us: int) -> int:
        """How many frames of the robot's past come before a time."""
        rhythm, begins_us = self._places[robot.code]
        return rhythm.before(begins_us, time_us) + bisect_left(self._times[robot.code], time_us)


def seldom_us(robots: int) -> int:
    """How far apart the frames of those are to whom nothing has happened: half an hour, more of many."""
    minutes = -(-robots * DAY_US // MOST_FRAMES // _MINUTE_US)
    return max(minutes * _MINUTE_US, SELDOM_US)
