"""Bundles: what is changed, missing or added is named, wherever a byte is touched."""

import io
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.bundle import MANIFEST, MOST_FILES, SIGNATURE, check_bundle, write_bundle
from schemas.errors import RejectError
from schemas.signing import public_key

KEY = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
OURS = frozenset({public_key(KEY)})
FILES = {"frames.parquet": b"frames", "incident.json": b"{}", "report.html": b"<p>"}


def bundle(files: dict[str, bytes] = FILES, key: Ed25519PrivateKey = KEY) -> bytes:
    return write_bundle("1234", "ZZSIM0HUMAN10000000000000001A", 5, files, key)


def packed(files: list[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


def inside(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def test_a_bundle_as_it_was_written_is_proven_and_has_its_files():
    checked = check_bundle(bundle(), OURS)
    assert checked.is_proven, checked
    assert checked.files == FILES
    assert checked.manifest is not None
    assert checked.manifest.robot_id == "ZZSIM0HUMAN10000000000000001A"


def test_the_same_files_are_the_same_bytes():
    assert bundle() == bundle(dict(reversed(FILES.items())))


def test_without_the_platforms_keys_it_is_not_proven_but_not_false():
    checked = check_bundle(bundle())
    assert not checked.faults
    assert not checked.is_proven


def test_any_byte_that_is_touched_anywhere_is_found_out():
    whole = bundle()
    for place in range(len(whole)):
        for flipped in (1, 0x80):
            touched = bytearray(whole)
            touched[place] ^= flipped
            assert check_bundle(bytes(touched), OURS).faults, f"byte {place}"


def test_a_bundle_that_is_cut_anywhere_is_found_out():
    whole = bundle()
    assert all(check_bundle(whole[:end], OURS).faults for end in range(len(whole)))


@pytest.mark.parametrize("name", FILES)
def test_each_file_that_is_changed_missing_or_added_is_named(name):
    files = inside(bundle())
    changed = [(other, data + b"!" if other == name else data) for other, data in files]
    assert f"{name}: it is changed" in check_bundle(packed(changed), OURS).faults
    missing = [(other, data) for other, data in files if other != name]
    assert f"{name}: it is missing" in check_bundle(packed(missing), OURS).faults
    added = [*files, ("more.txt", b"?")]
    assert "more.txt: it was added" in check_bundle(packed(added), OURS).faults


def test_a_file_whose_zip_checksum_does_not_hold_is_named_too():
    touched = bundle().replace(b"<p>", b"<q>")
    assert "report.html: it is changed" in check_bundle(touched, OURS).faults


def test_another_key_than_the_platforms_is_false():
    other = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
    assert any("not the platform's" in fault for fault in check_bundle(bundle(key=other), OURS).faults)


def test_a_manifest_that_was_made_anew_is_not_signed():
    files = dict(inside(bundle()))
    other = dict(inside(bundle({**FILES, "report.html": b"<p>nothing happened"})))
    mixed = [*other.items()]
    mixed[1] = (SIGNATURE, files[SIGNATURE])
    assert any(fault.startswith(MANIFEST) for fault in check_bundle(packed(mixed), OURS).faults)


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/passwd", "a/b.txt", "c:\\evil.txt", "A.TXT", "x\0y"])
def test_a_name_that_leads_elsewhere_ends_the_check_before_anything_is_opened(name):
    faults = check_bundle(packed([*inside(bundle()), (name, b"!")]), OURS).faults
    assert len(faults) == 1
    with pytest.raises(RejectError):
        bundle({name: b""})


def test_what_would_unpack_to_too_much_is_not_unpacked():
    bomb = packed([("bomb.json", b"\0" * 50_000_000)], zipfile.ZIP_DEFLATED)
    assert len(bomb) < 100_000
    assert "compressed" in check_bundle(bomb, OURS).faults[0]
    many = packed([(f"{number}.txt", b"") for number in range(MOST_FILES + 1)])
    assert "64 at most" in check_bundle(many, OURS).faults[0]


def test_a_file_that_is_in_it_twice_is_false():
    files = inside(bundle())
    with pytest.warns(UserWarning, match="Duplicate"):
        doubled = packed([*files, ("report.html", b"<p>another")])
    assert "twice" in check_bundle(doubled, OURS).faults[0]


def test_bytes_that_belong_to_no_file_are_found_out():
    whole = bundle()
    assert check_bundle(b"#!" + whole, OURS).faults
    assert check_bundle(whole + b"more", OURS).faults


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", b"\0" * 4096])
def test_what_is_no_zip_is_false(data):
    assert check_bundle(data, OURS).faults
