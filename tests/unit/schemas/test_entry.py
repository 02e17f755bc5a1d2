"""An entry as it is signed, sent, kept and read again, by this version and by one that knows less."""

import msgspec
import pytest

from schemas.canonical import canonical, parse
from schemas.entry import (
    Attachment,
    Entry,
    Signed,
    Submission,
    decode_record,
    decode_submission,
    encode_record,
    encode_submission,
    readable,
    write_entry,
)
from schemas.errors import RejectError
from schemas.logbook import (
    KINDS,
    SALT_BYTES,
    WRITERS,
    AnyWhat,
    Later,
    MaintenanceDone,
    Opened,
    Role,
    Scrapped,
    What,
    conceal,
)
from schemas.signing import Purpose, public_key, sign
from support.logbooks import MAKER, OWNER, PLATFORM, ROBOT, SWAPPED, WORKSHOP, Writer, begun, short


def entry_of(what: What, **changes: object) -> Entry:
    fields = {
        "v": 1,
        "id": "a" * 32,
        "robot_id": ROBOT,
        "author": public_key(MAKER),
        "happened_us": 5,
        "written_us": 6,
    }
    return Entry(what=what, **(fields | changes))  # type: ignore[arg-type]


def sent(signed: Signed) -> bytes:
    return encode_submission(Submission(signed=signed))


def received(data: bytes) -> Signed:
    return decode_submission(data).signed


def of_a_later_version(**changes: object) -> bytes:
    """An entry's text as another program might have signed it, and its line."""
    document = parse(canonical(entry_of(SWAPPED))) | changes
    text = canonical(document)
    return canonical({"entry": document, "signature": sign(MAKER, Purpose.ENTRY, text)})


def test_what_an_author_sends_reads_back_and_is_authentic():
    signed = write_entry(entry_of(SWAPPED, runtime_s=7), MAKER)
    read = received(sent(signed))
    assert read == signed
    assert read.is_authentic
    assert read.entry.what == SWAPPED


def test_an_entry_is_canonical_json_without_what_it_leaves_out():
    assert write_entry(entry_of(Scrapped(reason="fire")), MAKER).text == (
        b'{"author":"%s","happened_us":5,"id":"%s","robot_id":"%s","v":1,'
        b'"what":{"kind":"scrapped","reason":"fire"},"written_us":6}'
        % (public_key(MAKER).encode(), b"a" * 32, ROBOT.encode())
    )


def test_a_record_reads_back_with_what_stands_beside_it():
    for record in short().records:
        assert decode_record(encode_record(record)) == record
        assert record.is_sealed
        assert record.signed.is_authentic
    assert record.opened == (OWNER,)


def test_a_signature_for_one_purpose_is_none_for_another():
    signed = write_entry(entry_of(SWAPPED), MAKER)
    other = msgspec.structs.replace(signed, signature=sign(MAKER, Purpose.LINK, signed.text))
    assert not other.is_authentic


def test_an_entry_that_names_another_author_than_its_key_is_not_written():
    with pytest.raises(RejectError, match="the key that signs it"):
        write_entry(entry_of(SWAPPED), WORKSHOP)


@pytest.mark.parametrize(
    "later",
    [
        {"what": {"kind": "exorcised", "by": ["a", {"b": 1}]}},
        {"what": {"kind": "later", "named": "x"}},
        {"v": 2, "what": {"kind": "scrapped", "reason": 7}},
    ],
)
def test_a_kind_of_a_later_version_is_kept_as_it_was_written_and_is_authentic(later):
    line = of_a_later_version(**later)
    signed = received(line)
    assert signed.entry.what == Later(named=later["what"]["kind"])
    assert signed.is_authentic
    assert sent(signed) == line


def test_a_field_of_a_later_version_is_kept_as_it_was_written():
    line = of_a_later_version(weather="rain", what={"kind": "scrapped", "reason": "fire", "tons": 0.07})
    signed = received(line)
    assert signed.entry.what == Scrapped(reason="fire")
    assert sent(signed) == line


def test_nobody_writes_the_stand_in_for_a_later_kind():
    with pytest.raises(RejectError, match="a kind that this version knows"):
        write_entry(entry_of(Later(named="exorcised")), MAKER)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"robot_id": "?"}, "bad_code"),
        ({"id": "A" * 32}, "wrong_type"),
        ({"author": "00"}, "wrong_type"),
        ({"happened_us": -1}, "wrong_type"),
        ({"written_us": 2**53}, "undecodable"),
        ({"what": {"kind": "scrapped"}}, "wrong_type"),
        ({"what": {"kind": "scrapped", "reason": "a\0b"}}, "wrong_type"),
        ({"what": {"kind": "part_installed", "component": "joint/0", "part": "", "serial": ""}}, "wrong_type"),
        ({"what": 7}, "wrong_type"),
    ],
)
def test_an_entry_that_nobody_could_use_is_rejected(changes, reason):
    document = parse(canonical(entry_of(SWAPPED))) | changes
    line = msgspec.json.encode({"entry": dict(sorted(document.items())), "signature": "0" * 128}, order="sorted")
    with pytest.raises(RejectError) as caught:
        received(line)
    assert caught.value.reason == reason


def test_a_line_that_cannot_be_read_takes_no_other_along():
    records = short().records
    lines = [encode_record(record) for record in records]
    assert readable(lines) == (records, True)
    assert readable([lines[0], b"torn", *lines[2:]]) == ([records[0], *records[2:]], False)


def test_a_line_holds_nothing_that_no_hash_covers():
    document = parse(encode_record(short().records[0]))
    with pytest.raises(RejectError, match="unknown field"):
        decode_record(canonical(document | {"remark": "fine"}))
    with pytest.raises(RejectError, match="unknown field"):
        decode_record(canonical(document | {"link": document["link"] | {"remark": "fine"}}))


def test_a_file_belongs_to_an_entry_by_its_hash():
    photo = Attachment(name="joint.jpg", media_type="image/jpeg", size_bytes=123, sha256="ab" * 32)
    signed = write_entry(entry_of(SWAPPED, attachments=(photo,)), MAKER)
    assert received(sent(signed)).entry.attachments == (photo,)


def test_every_kind_says_who_may_write_it_and_the_platform_alone_registers_keys():
    assert {*KINDS.values(), Later} == set(AnyWhat.__args__)
    assert len(KINDS) == len(WRITERS)
    assert all(WRITERS.values())
    assert [name for name, kind in KINDS.items() if WRITERS[kind] == {Role.PLATFORM}] == [
        "key_registered",
        "key_revoked",
    ]


def test_the_value_behind_a_commitment_is_erased_and_every_hash_still_holds():
    writer = begun()
    by = conceal("Grace Hopper")
    record = writer.write(MaintenanceDone(task="grease", component="joint/3", by=by.commitment), WORKSHOP, by)
    assert b"Hopper" in encode_record(record)
    erased = msgspec.structs.replace(record, opened=())
    assert b"Hopper" not in encode_record(erased)
    assert (erased.link, erased.signed.hash, erased.is_sealed) == (record.link, record.link.entry, True)


@pytest.mark.parametrize("salt", ["a" * 31 + "\n", "a" * 32 + "\n", "A" * 32, "a" * 31, "g" * 32])
def test_a_salt_that_is_no_salt_is_rejected_where_it_is_read(salt):
    (record,) = begun().records[:1]
    sent = encode_submission(Submission(signed=record.signed, opened=(Opened(salt=salt, value="Ada"),)))
    with pytest.raises(RejectError):
        decode_submission(sent)


def test_a_key_has_one_spelling():
    signed = begun().records[0].signed
    document = parse(encode_submission(Submission(signed=signed)))
    document["entry"]["author"] += "\n"
    with pytest.raises(RejectError):
        decode_submission(canonical(document))


def test_the_same_value_is_never_committed_to_in_the_same_way():
    one, other = conceal("Ada"), conceal("Ada")
    assert one.commitment != other.commitment
    assert one.commitment == Opened(salt=one.salt, value="Ada").commitment
    assert len(bytes.fromhex(one.salt)) == SALT_BYTES


def test_a_platform_seals_a_link_and_nobody_else():
    record = Writer().force(Writer().sign(SWAPPED, MAKER))
    assert record.link.platform == public_key(PLATFORM)
    assert not msgspec.structs.replace(record, seal=sign(MAKER, Purpose.LINK, canonical(record.link))).is_sealed
