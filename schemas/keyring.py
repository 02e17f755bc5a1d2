"""Keyring: whose frames must be sealed, and whether they are.

In: the master key, what the tables `seal_policy` and `robot_credential` say, and Kafka records of frames. Out:
`Checked`, what is wrong with which. Called before decoding by the lander (`ingest/batch.py`) and the summariser
(`processors/partition.py`), so that windows see just what becomes rows. `deploy/keys.py` tells it what the tables
say. Pure.

Each record is judged by what held when the broker had it, by the broker's time stamp, never by when we look: two
processes judge alike, and so does one that reads again. Changes therefore hold from a moment TAKES_EFFECT_S ahead,
and are read every REFRESH_S.

A copy is known by the row of its original, which is kept for so long. Of what was sealed longer ago nobody can
tell, so it is refused, unless the robot's clock had never been set: then the seal says nothing of when.

A good tag under a key that no table knows is good: nobody makes one without the master key, or a key that was
given out. So a robot that was registered a moment ago is known at once, and only the ends of keys have to be read.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hmac import compare_digest

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.columns import Int64, Record
from schemas.errors import RejectError
from schemas.frame import EARLIEST_US
from schemas.robot_code import CODE_LENGTH
from schemas.seal import HEADER, SEAL_BYTES, SEAL_VERSION, TAG_BYTES, VERSION_AT, Pads, derive_key, pads_of, tags_of

REFRESH_S = 2.0
TAKES_EFFECT_S = 10.0

EVERY_MAKER = "*"
POLICIES = ("off", "warn", "require")
OFF, WARN, REQUIRE = range(len(POLICIES))

_MAKER = slice(2, 6)  # of a code
_NO_CODE = bytes(CODE_LENGTH)
_SEAL = np.dtype([("version", "u1"), ("key_version", ">u2"), ("sealed_us", ">u8"), ("tag", f"V{TAG_BYTES}")])
_FIRST = bytes([SEAL_VERSION])
_LATEST_US = 2**53 - 1


class PolicyChange(msgspec.Struct, frozen=True):
    """From `since_us` on, by the broker's clock, one of POLICIES holds for a maker or for EVERY_MAKER else."""

    maker: str
    since_us: int
    policy: str


class KeyEnd(msgspec.Struct, frozen=True):
    """From `ends_us` on, by the broker's clock, this key of the robot is no longer good."""

    robot_id: str
    key_version: int
    ends_us: int


@dataclass(frozen=True, slots=True)
class Checked:
    """By position in the batch what is wrong with a record, `refused` where seals are required and `noted` where
    they are only looked at. `good` are the positions of records that are what they say; beside each stands the
    key's version, when it was sealed (robot's clock), and whether seals are required of it.
    """

    refused: dict[int, RejectError]
    noted: dict[int, RejectError]
    good: Int64
    key_version: Int64
    sealed_us: Int64
    required: NDArray[np.bool_]


_NO_INTEGERS = np.empty(0, np.int64)
UNCHECKED = Checked({}, {}, _NO_INTEGERS, _NO_INTEGERS, _NO_INTEGERS, np.empty(0, np.bool_))


class Keyring:
    """`known`: it has been told what the tables say. Until then nothing may be judged by it. `rows_last_us`: how
    long rows of frames are kept; None: for ever.
    """

    def __init__(self, master: bytes, rows_last_us: int | None = None) -> None:
        self._master = master
        self._rows_last_us = rows_last_us
        self._histories: dict[str, tuple[Int64, NDArray[np.int8]]] = {}
        self._ends_us: dict[bytes, int] = {}
        self._pads: dict[bytes, Pads] = {}  # only of tags that were good: nobody else can make it grow
        self.known = False

    def learn(self, policies: Iterable[PolicyChange], ends: Iterable[KeyEnd]) -> None:
        """All policies, and what is new among the ends."""
        histories: dict[str, list[tuple[int, int]]] = {}
        for change in policies:
            histories.setdefault(change.maker, []).append((change.since_us, POLICIES.index(change.policy)))
        self._histories = {
            maker: (np.array([at for at, _ in found], np.int64), np.array([policy for _, policy in found], np.int8))
            for maker, found in ((maker, sorted(history)) for maker, history in histories.items())
        }
        self._ends_us.update({_name(end.robot_id.encode(), end.key_version): end.ends_us for end in ends})
        self.known = True

    def check(self, records: Sequence[Record]) -> Checked:
        """Verify what must be."""
        if not any(policies.any() for _, policies in self._histories.values()):
            return UNCHECKED
        stamps_us = np.fromiter([record.timestamp for record in records], np.int64, len(records)) * 1000
        policy = self._policy(records, stamps_us)
        at = np.nonzero(policy)[0]
        chosen = records if len(at) == len(records) else [records[i] for i in at.tolist()]
        seals = list(map(_seal_of, chosen))
        faults: dict[int, RejectError] = {}
        if not _all_read(seals):
            faults = {i: fault for i, seal in zip(at.tolist(), seals, strict=True) if (fault := _unread(seal))}
            seals = [seal for i, seal in zip(at.tolist(), seals, strict=True) if i not in faults]
            at = at[[i not in faults for i in at.tolist()]]
            chosen = [records[i] for i in at.tolist()]
        read = np.frombuffer(b"".join(seals), _SEAL)
        bad = self._verify(chosen, seals, read["tag"], stamps_us[at]) if seals else {}
        bad |= self._stale(read["sealed_us"].astype(np.uint64), stamps_us[at], set(bad))
        faults |= {int(at[i]): fault for i, fault in bad.items()}
        kept = np.ones(len(at), np.bool_)
        kept[list(bad)] = False
        good, read = at[kept], read[kept]
        return Checked(
            refused={i: fault for i, fault in faults.items() if policy[i] == REQUIRE},
            noted={i: fault for i, fault in faults.items() if policy[i] == WARN},
            good=good,
            key_version=read["key_version"].astype(np.int64),
            sealed_us=np.minimum(read["sealed_us"], _LATEST_US).astype(np.int64),
            required=policy[good] == REQUIRE,
        )

    def _policy(self, records: Sequence[Record], stamps_us: Int64) -> NDArray[np.int8]:
        """What held for each record when the broker had it. A key that is no code is left to the decoder."""
        keys = [record.key for record in records]
        codes = b"".join([key if key is not None and len(key) == CODE_LENGTH else _NO_CODE for key in keys])
        makers = np.ascontiguousarray(np.frombuffer(codes, np.uint8).reshape(-1, CODE_LENGTH)[:, _MAKER])
        names, which = np.unique(makers.view("S4")[:, 0], return_inverse=True)
        policy = np.zeros(len(records), np.int8)
        for number, name in enumerate(names.tolist()):
            if not name:
                continue
            of = which == number
            policy[of] = self._held(name.decode("latin-1"), stamps_us[of])
        return policy

    def _held(self, maker: str, stamps_us: Int64) -> NDArray[np.int8]:
        held = np.zeros(len(stamps_us), np.int8)
        for name in (EVERY_MAKER, maker):
            if name in self._histories:
                since_us, policies = self._histories[name]
                latest = np.searchsorted(since_us, stamps_us, "right") - 1
                held = np.where(latest >= 0, policies[latest], held)
        return held

    def _verify(
        self, records: Sequence[Record], seals: Sequence[bytes], given: NDArray[np.void], stamps_us: Int64
    ) -> dict[int, RejectError]:
        """What is wrong with records whose seals could be read, by position. Tags are compared all at once, and one
        by one only where some are wrong."""
        names = [(record.key or b"") + seal[VERSION_AT] for record, seal in zip(records, seals, strict=True)]
        known = list(map(self._pads.get, names))
        pads = [one or self._derived(name) for one, name in zip(known, names, strict=True)]
        tags = tags_of(pads, seals, [record.value or b"" for record in records])
        faults: dict[int, RejectError] = {}
        if not compare_digest(b"".join(tags), given.tobytes()):
            each = zip(tags, given.tolist(), strict=True)
            wrong = [i for i, (tag, one) in enumerate(each) if not compare_digest(tag, one)]
            faults = {i: RejectError("seal_wrong", _wrong(names[i])) for i in wrong}
        if None in known:
            self._pads.update({names[i]: one for i, one in enumerate(pads) if known[i] is None and i not in faults})
        if not self._ends_us.keys().isdisjoint(names):
            for i, name in enumerate(names):
                if i not in faults and stamps_us[i] >= self._ends_us.get(name, _LATEST_US):
                    faults[i] = RejectError("seal_old_key", f"key version {_version(name)} was replaced or revoked")
        return faults

    def _stale(
        self, sealed_us: NDArray[np.uint64], stamps_us: Int64, but: Collection[int]
    ) -> dict[int, RejectError]:
        """Sealed before what is still kept, by position."""
        if self._rows_last_us is None:
            return {}
        sealed = np.minimum(sealed_us, _LATEST_US).astype(np.int64)
        old = np.nonzero((sealed >= EARLIEST_US) & (sealed < stamps_us - self._rows_last_us))[0].tolist()
        return {
            i: RejectError("seal_stale", f"sealed {(stamps_us[i] - sealed[i]) / 86_400e6:.1f} days before it came")
            for i in old
            if i not in but
        }

    def _derived(self, name: bytes) -> Pads:
        # A key that is no code decodes too, and is nobody's.
        code = name[:CODE_LENGTH]
        return pads_of(derive_key(self._master, code.decode("latin-1"), _version(name)), code)


def _name(code: bytes, key_version: int) -> bytes:
    """A key's name: the robot's code and the version as the seal has it."""
    return code + key_version.to_bytes(2, "big")


def _version(name: bytes) -> int:
    return int.from_bytes(name[CODE_LENGTH:], "big")


def _wrong(name: bytes) -> str:
    return f"it is not of this robot's key, version {_version(name)}, or not of this record"


def _seal_of(record: Record) -> bytes:
    """Empty where there is none. Of several the first counts."""
    headers = record.headers
    if len(headers) == 1 and headers[0][0] == HEADER:
        return headers[0][1] or b""
    return next((value or b"" for name, value in headers if name == HEADER), b"")


def _all_read(seals: Sequence[bytes]) -> bool:
    return set(map(len, seals)) <= {SEAL_BYTES} and b"".join(seals)[::SEAL_BYTES] == _FIRST * len(seals)


def _unread(seal: bytes) -> RejectError | None:
    if not seal:
        return RejectError("seal_missing", f"the record has no header {HEADER}")
    if len(seal) != SEAL_BYTES or seal[:1] != _FIRST:
        return RejectError("seal_wrong", f"{len(seal)} bytes beginning {seal[:1].hex()!r} are no seal")
    return None
