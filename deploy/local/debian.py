"""Debian packages unpacked into a private prefix, beside whatever the machine has installed.

In: package names of one Debian release. Out: their files under a directory. Called by
`deploy.local.timescaledb`. The mirror is the machine's own, and apt checks Debian's signature as always; the
machine's package database is neither read nor written, and no root rights are needed.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from schemas.errors import UnavailableError

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
APT_DIRECTORY = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
NEEDED_PROGRAMS = ("apt-get", "dpkg-deb", "dpkg")


class Source(msgspec.Struct, frozen=True):
    """One package source of the machine: `deb URI SUITE COMPONENTS…`, or the same in deb822 form."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str


def mirror(apt_directory: Path = APT_DIRECTORY, os_release: Path = OS_RELEASE) -> str:
    """The machine's own Debian mirror. Raises UnavailableError where there is none."""
    codename = _codename(os_release)
    found = [
        source for source in sources(apt_directory) if codename in source.suites and "main" in source.components
    ]
    # Other people's archives borrow Debian's suite names; only Debian's own is signed by its keyring.
    found.sort(key=lambda source: (KEYRING.name not in source.signed_by, not source.uri.endswith("/debian")))
    if not found:
        raise UnavailableError(
            f"no Debian mirror in {apt_directory}: a local TimescaleDB needs Debian 12 or 13; "
            "set ROBOVITALS_DATABASE_URL to a TimescaleDB that runs"
        )
    return found[0].uri


def download(packages: Sequence[str], not_needed: Sequence[str], release: str, into: Path) -> list[Path]:
    """The packages and what they depend on, except `not_needed`, as files below `into`."""
    for program in NEEDED_PROGRAMS:
        if shutil.which(program) is None:
            raise UnavailableError(
                f"{program} is missing: a local TimescaleDB needs Debian; "
                "set ROBOVITALS_DATABASE_URL to a TimescaleDB that runs"
            )
    if not KEYRING.exists():
        raise UnavailableError(f"{KEYRING} is missing: apt-get install debian-archive-keyring")
    source = f"deb [signed-by={KEYRING}] {mirror()} {release} main\n"
    options = _private_apt(into, source, not_needed)
    _run(["apt-get", *options, "update"])
    _run(["apt-get", *options, "--yes", "--download-only", "install", *packages])
    return sorted((into / "cache" / "archives").glob("*.deb"))


def unpack(package: Path, into: Path) -> None:
    _run(["dpkg-deb", "--extract", str(package), str(into)])


def _private_apt(root: Path, source: str, not_needed: Sequence[str]) -> list[str]:
    """Options that give apt directories of its own and let it believe `not_needed` is installed already."""
    for name in ("lists/partial", "cache/archives/partial"):
        (root / name).mkdir(parents=True)
    # Root's apt fetches as the user _apt, who must be able to enter.
    for directory in (root, root / "lists", root / "cache", root / "cache" / "archives"):
        directory.chmod(0o755)
    (root / "sources.list").write_text(source)
    architecture = _run(["dpkg", "--print-architecture"]).strip()
    (root / "status").write_text("".join(_installed(name, architecture) for name in not_needed))
    settings = {
        "Dir::Etc::SourceList": root / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": root / "lists",
        "Dir::State::status": root / "status",
        "Dir::Cache": root / "cache",
        "APT::Install-Recommends": "false",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Retries": "3",
        "Debug::NoLocking": "1",
    }
    return ["-qq", *(part for name, value in settings.items() for part in ("-o", f"{name}={value}"))]


def _installed(name: str, architecture: str) -> str:
    return (
        f"Package: {name}\nStatus: install ok installed\nVersion: 999:1\nArchitecture: {architecture}\n"
        f"Multi-Arch: foreign\nMaintainer: none\nDescription: not needed\n\n"
    )


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.startswith(("E:", "Err:"))]
        reason = (said or (done.stderr + done.stdout).strip().splitlines() or ["no message"])[0]
        raise UnavailableError(
            f"{command[0]} failed ({reason}): check the network and the disk, "
            "or set ROBOVITALS_DATABASE_URL to a TimescaleDB that runs"
        )
    return done.stdout


def _codename(os_release: Path) -> str:
    try:
        text = os_release.read_text()
    except FileNotFoundError:
        return ""
    match = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', text, re.MULTILINE)
    return match.group(1) if match else ""


def sources(apt_directory: Path) -> Iterator[Source]:
    parts = apt_directory / "sources.list.d"
    for path in (apt_directory / "sources.list", *sorted(parts.glob("*.list"))):
        if path.is_file():
            yield from _one_line_sources(path.read_text())
    for path in sorted(parts.glob("*.sources")):
        yield from _deb822_sources(path.read_text())


def _one_line_sources(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<rest>[^#]+)", line)
        if match:
            suite, *components = match["rest"].split()
            signed_by = re.search(r"signed-by=(\S+)", match["options"] or "")
            yield Source(
                match["uri"].rstrip("/"),
                (suite,),
                tuple(components),
                signed_by.group(1) if signed_by else "",
            )


def _deb822_sources(text: str) -> Iterator[Source]:
    for stanza in re.split(r"\n\s*\n", text):
        lines = [line for line in stanza.splitlines() if not line.startswith("#")]
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", "\n".join(lines), re.MULTILINE))
        named = {name.lower(): value.split() for name, value in fields.items()}
        if "deb" not in named.get("types", []) or named.get("enabled") == ["no"]:
            continue
        for uri in named.get("uris", []):
            yield Source(
                uri.rstrip("/"),
                tuple(named.get("suites", [])),
                tuple(named.get("components", [])),
                " ".join(named.get("signed-by", [])),
            )
