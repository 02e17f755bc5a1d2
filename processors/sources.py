"""Who sends the frames of a partition: robots and the boots of each, numbered for the arrays of the windows.

In: codes, boot ids and sequence numbers in the order of the partition. Out: a number for each source (one boot of
one robot), and which frames are resends. Called by `processors/windows.py`. Pure.
"""

import numpy as np
from numpy.typing import NDArray

from schemas.columns import Codes, Int64
from schemas.robot_code import CODE_LENGTH
from schemas.topics import shard_of

# What has not been counted for this long in event time is forgotten: its windows have long been closed, so that
# a resend is left out anyway.
FORGET_US = 3_600_000_000
SWEEP_AT_LEAST = 1024

_KEY = np.dtype([("code", f"S{CODE_LENGTH}"), ("boot", "<i8")])
_SOURCE = np.dtype([("robot", "<i8"), ("boot", "<i8"), ("last_seq", "<i8"), ("seen_us", "<i8")])
_ROBOT = np.dtype([("code", f"S{CODE_LENGTH}"), ("shard", "<i8")])


class Sources:
    """Numbers are dense, and stay until `sweep` forgets some and says where the others went."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._robot_numbers: dict[bytes, int] = {}
        self._sources = np.empty(0, _SOURCE)
        self._robots = np.empty(0, _ROBOT)
        self._sweep_at = SWEEP_AT_LEAST

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def robots(self) -> int:
        """How many robots are known."""
        return len(self._robot_numbers)

    def number(self, codes: Codes, boot_id: Int64) -> Int64:
        """The source of each frame; one that is new gets the next number."""
        keys = np.empty(len(codes), _KEY)
        keys["code"], keys["boot"] = codes, boot_id
        names = keys.view(f"V{_KEY.itemsize}").tolist()
        number = self._numbers.__getitem__
        try:
            return np.array(list(map(number, names)), np.int64)
        except KeyError:
            self._add(list(dict.fromkeys(name for name in names if name not in self._numbers)))
            return np.array(list(map(number, names)), np.int64)

    def resent(self, source: Int64, seq: Int64, watermark_us: int) -> NDArray[np.bool_]:
        """Which frames have a sequence number that is not above all that their source had before them.

        What is counted of one boot therefore has rising numbers, and nothing is counted twice.
        """
        order = np.argsort(source, kind="stable")
        sources, seqs = source[order], seq[order]
        first = np.diff(sources, prepend=-1) != 0
        heads = np.nonzero(first)[0]
        known = self._sources["last_seq"][sources[heads]]
        before = np.empty_like(seqs)
        before[1:] = seqs[:-1]
        before[heads] = known
        if (seqs <= before).any():
            before = _highest_before(known, seqs, first)
        if len(heads):
            highest = np.maximum.reduceat(seqs, heads)
            self._sources["last_seq"][sources[heads]] = np.maximum(known, highest)
            self._sources["seen_us"][sources[heads]] = watermark_us
        resent = np.empty(len(seq), np.bool_)
        resent[order] = seqs <= before
        return resent

    def robot(self, source: Int64) -> Int64:
        """The number of each source's robot."""
        return self._sources["robot"][source]

    def codes(self, robot: Int64) -> Codes:
        """The code of each robot."""
        return self._robots["code"][robot]

    def shards(self, robot: Int64) -> Int64:
        """The shard of each robot."""
        return self._robots["shard"][robot]

    def sweep(self, in_use: Int64, watermark_us: int) -> Int64 | None:
        """Forget sources unseen for long, but for those `in_use`. Returns for each old number the new one (they
        keep their order), or None where nothing changed. Costs little: it runs when the number has doubled.
        """
        if len(self) < self._sweep_at:
            return None
        keep = self._sources["seen_us"] > watermark_us - FORGET_US
        keep[in_use] = True
        self._sweep_at = max(SWEEP_AT_LEAST, 2 * int(keep.sum()))
        if keep.all():
            return None
        kept, boots = self._robots["code"][self._sources["robot"][keep]], self._sources[keep]
        self.__init__()  # type: ignore[misc]
        self.number(kept, boots["boot"])
        self._sources["last_seq"], self._sources["seen_us"] = boots["last_seq"], boots["seen_us"]
        return np.cumsum(keep) - 1

    def _add(self, names: list[bytes]) -> None:
        first = len(self)
        new = np.frombuffer(b"".join(names), _KEY)
        codes = new["code"].tolist()
        self._numbers.update(zip(names, range(first, first + len(names)), strict=True))
        strangers = [code for code in dict.fromkeys(codes) if code not in self._robot_numbers]
        for code in strangers:
            self._robot_numbers[code] = len(self._robot_numbers)
        robots = np.empty(len(strangers), _ROBOT)
        robots["code"] = strangers
        robots["shard"] = [shard_of(code.decode()) for code in strangers]
        sources = np.empty(len(new), _SOURCE)
        sources["robot"] = [self._robot_numbers[code] for code in codes]
        sources["boot"], sources["last_seq"], sources["seen_us"] = new["boot"], -1, -1
        self._robots = np.concatenate([self._robots, robots])
        self._sources = np.concatenate([self._sources, sources])


def _highest_before(known: Int64, seqs: Int64, first: NDArray[np.bool_]) -> Int64:
    """The running maximum of `seqs` before each frame, within runs that begin where `first` says and start from
    `known`. By ranks: each run's ranks lie above the run's before it, so one running maximum does for all.
    """
    run = np.cumsum(first) - 1
    levels, ranks = np.unique(np.concatenate([known, seqs]), return_inverse=True)
    floor = run * len(levels)
    start = ranks[: len(known)][run]
    running = np.maximum.accumulate(floor + np.maximum(start, ranks[len(known) :]))
    before = np.empty_like(running)
    before[1:] = running[:-1]
    before[first] = (floor + start)[first]
    highest: Int64 = levels[before - floor]
    return highest
