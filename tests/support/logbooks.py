"""Logbooks for tests: keys that follow from a name, a clock that the test sets, and whole lives that follow
from a seed."""

import hashlib
import random
from collections.abc import Sequence
from typing import cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.canonical import canonical, parse
from schemas.chain import Book, Fault, advance, append, pass_by
from schemas.checkpoint import Anchor, Head, Published, anchor, in_order, publish
from schemas.entry import Entry, Link, Record, Signed, decode_submission, write_entry
from schemas.logbook import (
    Calibration,
    Commissioned,
    Correction,
    CounterChanged,
    Incident,
    Inspection,
    KeyRegistered,
    KeyRevoked,
    MaintenanceDone,
    MaintenancePlanned,
    Opened,
    Operation,
    Ownership,
    PartInstalled,
    PartRemoved,
    RecallDone,
    Recalled,
    Registered,
    Role,
    Scenario,
    Scrapped,
    Software,
    What,
)
from schemas.logbook_check import Verdict, check_logbook
from schemas.logbook_file import LogbookFile, write_file
from schemas.signing import Purpose, public_key, sign

ROBOT = "ZZTESTMODEL100000000000000001"
OTHER_ROBOT = "ZZTESTMODEL100000000000000002"
START_US = 1_760_000_000_000_000
DAY_US = 24 * 3_600_000_000


def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


PLATFORM, MAKER, OPERATOR, WORKSHOP, INSPECTOR = map(key, Role)
STRANGER = key("stranger")
PLATFORMS = frozenset({public_key(PLATFORM)})

REGISTERED = Registered(maker="Test AG", model="MODEL1", made_us=START_US, joints=29, level="L2")
SWAPPED = PartInstalled(component="joint/3", part="A-17", serial="S-0042")
OWNER = Opened(salt="5a" * 16, value="Ada Lovelace, Berlin")
SOLD = Ownership(owner=OWNER.commitment, country="DE")


class Writer:
    """Writes one robot's logbook, a day an entry unless it is told otherwise."""

    def __init__(self, robot_id: str = ROBOT) -> None:
        self.book = Book(robot_id=robot_id, platforms=PLATFORMS)
        self.records: list[Record] = []
        self.now_us = START_US
        self._signed = 0

    def sign(
        self,
        what: What,
        by: Ed25519PrivateKey = MAKER,
        *,
        happened_us: int | None = None,
        written_us: int | None = None,
        robot_id: str | None = None,
    ) -> Signed:
        written_us = self.now_us if written_us is None else written_us
        self._signed += 1
        entry = Entry(
            v=1,
            id=hashlib.sha256(f"{self.book.robot_id}/{self._signed}".encode()).hexdigest()[:32],
            robot_id=robot_id or self.book.robot_id,
            author=public_key(by),
            happened_us=written_us if happened_us is None else happened_us,
            written_us=written_us,
            what=what,  # type: ignore[arg-type]  # tests write every kind
        )
        return write_entry(entry, by)

    def add(self, signed: Signed, opened: tuple[Opened, ...] = ()) -> Record:
        """As the platform appends it. Raises RejectError."""
        record = append(self.book, signed, self.now_us, PLATFORM, opened)
        self.records.append(record)
        self.now_us += DAY_US
        return record

    def write(
        self, what: What, by: Ed25519PrivateKey = MAKER, *opened: Opened, happened_us: int | None = None
    ) -> Record:
        return self.add(self.sign(what, by, happened_us=happened_us), opened)

    def force(self, signed: Signed, opened: tuple[Opened, ...] = (), *, received_us: int | None = None) -> Record:
        """As a platform would that judges nothing: its link and its seal are good."""
        link = Link(
            number=self.book.number + 1,
            previous=self.book.chain,
            entry=signed.hash,
            received_us=self.now_us if received_us is None else received_us,
            platform=public_key(PLATFORM),
        )
        record = Record(signed=signed, link=link, seal=seal(link), opened=opened)
        pass_by(self.book, link)
        self.records.append(record)
        self.now_us += DAY_US
        return record

    @property
    def head(self) -> Head:
        return Head(robot_id=self.book.robot_id, entries=self.book.number, chain=self.book.chain)


def seal(link: Link, by: Ed25519PrivateKey = PLATFORM) -> str:
    return sign(by, Purpose.LINK, canonical(link))


def of_kind(signed: Signed, kind: str) -> Signed:
    """As a later version of the maker's program might have signed it."""
    document = cast("dict[str, object]", parse(signed.text))
    text = canonical(document | {"what": {"kind": kind, "by": "somebody"}})
    document = {"entry": parse(text), "signature": sign(MAKER, Purpose.ENTRY, text)}
    return decode_submission(canonical(document)).signed


def relinked(records: list[Record], by: Ed25519PrivateKey = PLATFORM) -> list[Record]:
    """Renumbered, chained and sealed anew as they stand: what somebody with the database, or with a key, would
    do."""
    book = Book(robot_id=records[0].signed.entry.robot_id, platforms=frozenset({public_key(by)}))
    done = []
    for record in records:
        link = msgspec.structs.replace(
            record.link,
            number=book.number + 1,
            previous=book.chain,
            platform=public_key(by),
            entry=record.signed.hash,
        )
        done.append(msgspec.structs.replace(record, link=link, seal=seal(link, by)))
        advance(book, done[-1])
    return done


def keys_registered(writer: Writer) -> Writer:
    for role in (Role.MAKER, Role.OPERATOR, Role.WORKSHOP, Role.INSPECTOR):
        writer.write(KeyRegistered(key=public_key(key(role)), role=role, holder=role.value), PLATFORM)
    return writer


def begun(robot_id: str = ROBOT) -> Writer:
    """Five entries: four keys, and the robot is registered."""
    writer = keys_registered(Writer(robot_id))
    writer.write(REGISTERED)
    return writer


def short() -> Writer:
    """Three entries, each of another shape, for tests that go byte by byte."""
    writer = Writer()
    writer.write(KeyRegistered(key=public_key(MAKER), role=Role.MAKER, holder="Test AG"), PLATFORM)
    writer.write(REGISTERED)
    writer.write(SOLD, MAKER, OWNER)
    return writer


def every_kind() -> Writer:
    """An entry of each kind, with every field, in an order in which they may come."""
    writer = begun()
    by = OWNER.commitment
    installed = PartInstalled(component="joint/3", part="A-17", serial="S-0042", part_runtime_s=7, by=by)
    for what, author in (
        (Commissioned(baselines={"pose_accuracy_mm": 0.8, "joint_backlash_arcmin": 1.25}, samples=30), MAKER),
        (SOLD, OPERATOR),
        (Operation(operator=by, site=by), OPERATOR),
        (Scenario(scenario="factory_line", until_us=START_US, used_s=3600, load=0.5), OPERATOR),
        (Software(name="firmware", version="2.0", before="1.9"), OPERATOR),
        (MaintenancePlanned(
            plan="p1", task="grease", component="joint/3", due_us=1, due_runtime_s=2, due_cycles=3
        ), MAKER),
        (MaintenanceDone(task="grease", component="joint/3", plan="p1", by=by), WORKSHOP),
        (PartRemoved(component="joint/3", serial="S-0041", reason="worn", part_runtime_s=9, by=by), WORKSHOP),
        (installed, WORKSHOP),
        (CounterChanged(counter="runtime_s", before=9, after=0, reason="another board"), WORKSHOP),
        (Calibration(component="accuracy", method="laser tracker", by=by), WORKSHOP),
        (Inspection(passed=True, text="as new", next_us=START_US, by=by), INSPECTOR),
        (Incident(incident_id="i-1", text="fell down the stairs"), OPERATOR),
        (Recalled(campaign="R1", reason="gears"), MAKER),
        (RecallDone(campaign="R1"), WORKSHOP),
    ):  # fmt: skip
        writer.write(what, author)
    last = writer.records[-1].signed.entry.id
    writer.write(Correction(corrects=last, reason="another robot", instead=last), WORKSHOP)
    writer.write(KeyRevoked(key=public_key(WORKSHOP), reason="stolen", since_us=START_US), PLATFORM)
    writer.write(Scrapped(reason="fire"))
    return writer


def life(seed: int, entries: int) -> Writer:
    """A life with `entries` entries more than `begun`, of many kinds and authors, as they may happen."""
    chance = random.Random(seed)
    writer = begun()
    writer.write(Commissioned(baselines={"pose_accuracy_mm": 0.8, "pose_repeatability_mm": 0.1}, samples=30))
    for number in range(entries - 1):
        writer.now_us += chance.randrange(20 * DAY_US)
        by = chance.choice([OPERATOR, WORKSHOP])
        joint = f"joint/{chance.randint(1, 29)}"
        writer.write(
            chance.choice(
                [
                    MaintenancePlanned(plan=f"p{number}", task="grease", component=joint, due_runtime_s=3_600_000),
                    MaintenanceDone(task="grease", component=joint, plan=f"p{number}"),
                    PartRemoved(component=joint, serial=f"S-{number}", part_runtime_s=chance.randrange(10**7)),
                    PartInstalled(component=joint, part="A-17", serial=f"S-{number}-µ"),
                    Software(name="firmware", version=f"1.{number}"),
                    Calibration(component="accuracy", method="laser tracker"),
                ]
            ),
            by,
            happened_us=writer.now_us - chance.randrange(60 * DAY_US),
        )
    return writer


class Fleet:
    """The heads of a robot and some neighbours, published: the log grows by one a call."""

    def __init__(self) -> None:
        self.log: list[bytes] = []
        self.published: list[Published] = []

    def checkpoint(self, writer: Writer, neighbours: int = 6) -> Anchor:
        """Everything that `writer` has so far, a moment after its last entry."""
        others = [
            Head(robot_id=f"ZZTESTMODEL2{i:017d}", entries=i + 1, chain=hashlib.sha256(bytes([i])).hexdigest())
            for i in range(neighbours)
        ]
        heads = in_order([*others, writer.head])
        self.published.append(publish(self.log, heads, writer.now_us, PLATFORM))
        self.log.append(self.published[-1].checkpoint.leaf)
        return anchor(self.published[-1], heads, writer.book.robot_id)


def named(verdict: Verdict) -> set[tuple[int, Fault]]:
    return {(found.number, found.fault) for found in verdict.faults}


def checked(records: list[Record], *anchors: Anchor, published: Sequence[Published] = ()) -> Verdict:
    return check_logbook(write_file(ROBOT, records, anchors), PLATFORMS, published)


def _kept() -> tuple[LogbookFile, Published]:
    writer, fleet = begun(), Fleet()
    fleet.checkpoint(writer)
    writer = every_kind()
    proof = fleet.checkpoint(writer)
    file = LogbookFile(robot_id=ROBOT, records=tuple(writer.records), anchors=(proof,))
    return file, fleet.published[-1]


KEPT, KEPT_CHECKPOINT = _kept()
"""What `tests/golden/` has of a logbook."""
