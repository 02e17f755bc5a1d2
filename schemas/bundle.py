"""A bundle: the evidence of an incident in one ZIP, signed, and checked without a server.

In: files by name and the platform's key; or a bundle's bytes. Out: the bundle's bytes; or what of it is changed,
missing or added. Pure. Called by `robovitals incident export` and `robovitals verify-bundle`.

`manifest.json` (canonical JSON) names every other file with its size and SHA-256, `manifest.sig` is the platform's
signature of it. Files are stored as they are and bear no time, so the same files are the same bytes, and a bundle
of which one byte differs anywhere is found out; nothing is unpacked, so no name in it leads anywhere.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from schemas.canonical import canonical, digest, parse
from schemas.errors import RejectError
from schemas.logbook import Count, Time, Word
from schemas.signing import Hash, PublicKey, Purpose, is_signed, public_key, sign

FORMAT, VERSION = "robovitals.bundle", 1
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
MOST_FILES = 64
MOST_BYTES = 256 * 2**20
"""Of a bundle. One of 40 s of 29 joints at 20 Hz has 0.5 MB."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}\Z")
_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say


class BundledFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Word
    size_bytes: Count
    sha256: Hash


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the bundle is about, and its files in the order of their names."""

    format: Word
    v: Annotated[int, msgspec.Meta(ge=1)]
    incident_id: Word
    robot_id: Word
    made_us: Time
    platform: PublicKey
    files: tuple[BundledFile, ...]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """`faults`: what is false, each with the name of its file first; `unproven`: what could not be told. Files are
    those that are as the manifest says.
    """

    manifest: Manifest | None
    faults: tuple[str, ...]
    unproven: tuple[str, ...]
    files: Mapping[str, bytes]

    @property
    def is_proven(self) -> bool:
        return not self.faults and not self.unproven


def write_bundle(
    incident_id: str, robot_id: str, made_us: int, files: Mapping[str, bytes], private: Ed25519PrivateKey
) -> bytes:
    """Raises RejectError for what nobody could read again."""
    if bad := [name for name in files if not _NAME.match(name) or name in (MANIFEST, SIGNATURE)]:
        raise RejectError("wrong_type", f"no file of a bundle can be called {bad[0][:80]!r}")
    manifest = Manifest(
        format=FORMAT,
        v=VERSION,
        incident_id=incident_id,
        robot_id=robot_id,
        made_us=made_us,
        platform=public_key(private),
        files=tuple(BundledFile(name, len(data), digest(data)) for name, data in sorted(files.items())),
    )
    text = canonical(manifest)
    bundle = _packed({MANIFEST: text, SIGNATURE: sign(private, Purpose.BUNDLE, text).encode(), **files})
    if len(files) + 2 > MOST_FILES or len(bundle) > MOST_BYTES:
        raise RejectError("too_large", f"{len(files)} files, {len(bundle)} bytes; {MOST_BYTES} are the most")
    return bundle


def check_bundle(data: bytes, platforms: frozenset[str] | None = None) -> Checked:
    """Without `platforms` its own word is taken for who the platform is, which is then unproven."""
    try:
        found = _unpacked(data)
        manifest = _manifest(found.get(MANIFEST))
    except RejectError as error:
        return Checked(manifest=None, faults=(error.detail,), unproven=(), files={})
    faults = [*_signed(found, manifest, platforms), *_compared(found, manifest)]
    if not faults and _packed(found) != data:
        faults.append("the ZIP itself: it has bytes that belong to none of its files, or was packed anew")
    unproven = [] if platforms is not None else ["that the platform signed it: its key was taken from the bundle"]
    named = {file.name: file.sha256 for file in manifest.files}
    good = {name: text for name, text in found.items() if named.get(name) == digest(text)}
    return Checked(manifest=manifest, faults=tuple(faults), unproven=tuple(unproven), files=good)


def _packed(files: Mapping[str, bytes]) -> bytes:
    """The manifest first, then by name."""
    buffer = io.BytesIO()
    first = [name for name in (MANIFEST, SIGNATURE) if name in files]
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in [*first, *sorted(set(files) - set(first))]:
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()


def _unpacked(data: bytes) -> dict[str, bytes]:
    """Raises RejectError for what is no bundle at all, or would take more room than one may."""
    if len(data) > MOST_BYTES:
        raise RejectError("too_large", f"{len(data)} bytes; a bundle has {MOST_BYTES} at most")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            return {entry.filename: _content(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError) as error:
        raise RejectError("undecodable", f"it is no whole ZIP: {error}"[:200]) from None


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(entries) > MOST_FILES:
        raise RejectError("too_large", f"{len(entries)} files; a bundle has {MOST_FILES} at most")
    if twice := {name for name in names if names.count(name) > 1}:
        raise RejectError("wrong_type", f"{sorted(twice)[0][:80]!r} is in it twice")
    if bad := [name for name in names if not _NAME.match(name)]:
        raise RejectError("wrong_type", f"{bad[0][:80]!r} is no name of a bundle's file: nothing of it is opened")
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise RejectError("too_large", f"unpacked it is larger than the {MOST_BYTES} bytes of a bundle")


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """As stored. What is compressed was not written by us, and one byte can become a thousand."""
    if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1:
        raise RejectError("wrong_type", f"{entry.filename} is compressed or locked, which no bundle's file is")
    start = entry.header_offset
    try:
        return archive.read(entry)
    except zipfile.BadZipFile:
        # Its checksum does not hold. The manifest's is what says so to people.
        raw = archive.fp
        assert raw is not None, "it is open"
        raw.seek(start + 26)
        lengths = raw.read(4)
        raw.seek(start + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"))
        return raw.read(min(entry.file_size, MOST_BYTES))


def _manifest(data: bytes | None) -> Manifest:
    if data is None:
        raise RejectError("wrong_type", f"{MANIFEST} is missing")
    try:
        manifest = msgspec.convert(parse(data), Manifest)
    except (msgspec.ValidationError, RejectError) as error:
        raise RejectError("wrong_type", f"{MANIFEST}: it cannot be read: {error}"[:200]) from None
    if manifest.format != FORMAT or manifest.v != VERSION:
        raise RejectError("future_version", f"{MANIFEST}: {manifest.format[:40]!r} version {manifest.v}")
    return manifest


def _signed(found: Mapping[str, bytes], manifest: Manifest, platforms: frozenset[str] | None) -> Iterator[str]:
    signature = found.get(SIGNATURE)
    if signature is None:
        yield f"{SIGNATURE}: it is missing"
    elif not is_signed(
        manifest.platform, Purpose.BUNDLE, found[MANIFEST], signature.decode("ascii", errors="replace")
    ):
        yield f"{MANIFEST}: it is not signed by the key that it names"
    elif platforms is not None and manifest.platform not in platforms:
        yield f"{MANIFEST}: it is signed by a key that is not the platform's"


def _compared(found: Mapping[str, bytes], manifest: Manifest) -> Iterator[str]:
    for file in manifest.files:
        if file.name not in found:
            yield f"{file.name}: it is missing"
        elif len(found[file.name]) != file.size_bytes or digest(found[file.name]) != file.sha256:
            yield f"{file.name}: it is changed"
    for name in sorted(found.keys() - {file.name for file in manifest.files} - {MANIFEST, SIGNATURE}):
        yield f"{name}: it was added"
