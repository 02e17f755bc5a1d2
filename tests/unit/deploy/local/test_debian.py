"""The machine's own Debian mirror, from both forms of package sources."""

from pathlib import Path

import pytest

from deploy.local import debian
from schemas.errors import UnavailableError

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
OLD_FORM = """\
# deb http://commented.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm main
deb http://mirror.example/debian-security bookworm-security main  # late
"""
OTHERS = """\
deb [signed-by=/k/docker.gpg] https://other.example/linux/debian bookworm stable
deb [signed-by=/k/other.gpg] https://other.example/apt bookworm main
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "os-release").write_text('ID=debian\nVERSION_CODENAME=bookworm\nVERSION_ID="12"\n')
    return tmp_path


def mirror(machine: Path) -> str:
    return debian.mirror(machine, machine / "os-release")


def test_the_mirror_is_found_in_the_new_form(machine: Path) -> None:
    (machine / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert mirror(machine) == "http://mirror.example/debian"


def test_the_mirror_is_found_in_the_old_form(machine: Path) -> None:
    (machine / "sources.list").write_text(OLD_FORM)
    assert mirror(machine) == "http://mirror.example/debian"


def test_other_peoples_archives_are_not_the_mirror(machine: Path) -> None:
    (machine / "sources.list.d" / "a.list").write_text(OTHERS)
    (machine / "sources.list.d" / "debian.sources").write_text(DEB822)
    assert mirror(machine) == "http://mirror.example/debian"


def test_a_multi_line_field_and_a_disabled_stanza(machine: Path) -> None:
    (machine / "sources.list.d" / "debian.sources").write_text(
        "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n\n"
        "Types: deb\nURIs:\n http://on.example/debian\nSuites:\n bookworm\n bookworm-updates\nComponents: main\n"
    )
    assert mirror(machine) == "http://on.example/debian"


@pytest.mark.parametrize("os_release", ["ID=ubuntu\nVERSION_CODENAME=noble\n", "ID=arch\n", None])
def test_a_machine_that_is_not_debian_is_told_what_to_set(machine: Path, os_release: str | None) -> None:
    (machine / "sources.list").write_text(OLD_FORM)
    (machine / "os-release").unlink()
    if os_release is not None:
        (machine / "os-release").write_text(os_release)
    with pytest.raises(UnavailableError, match="ROBOVITALS_DATABASE_URL"):
        mirror(machine)
