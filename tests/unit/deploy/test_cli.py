"""The command line: which module runs, and what a user's mistake looks like."""

import argparse
import subprocess
import sys
import types
from collections.abc import Callable

import pytest

from deploy import checks, cli
from deploy.settings import Settings
from schemas.errors import ContractError, RobovitalsError, SettingError

Run = Callable[[argparse.Namespace, Settings], int]


def raising(error: BaseException) -> Run:
    def run(args: argparse.Namespace, settings: Settings) -> int:
        raise error

    return run


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Puts a command of our own in the place of `robovitals status`."""

    def put(run: Run) -> None:
        module = types.ModuleType("deploy.commands.status")
        module.EXAMPLE = "robovitals status --fast"  # type: ignore[attr-defined]
        module.add_arguments = lambda parser: parser.add_argument("--fast", action="store_true")  # type: ignore[attr-defined]
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "deploy.commands.status", module)

    return put


def test_a_command_gets_its_arguments_and_its_exit_code_is_ours(install: Callable[[Run], None]) -> None:
    install(lambda args, settings: 7 if args.fast else 3)
    assert cli.main(["status", "--fast"]) == 7
    assert cli.main(["status"]) == 3


@pytest.mark.parametrize("error", [SettingError("X is wrong: do Y"), ContractError("changed")])
def test_an_error_of_ours_is_one_line_and_its_exit_code(
    install: Callable[[Run], None], error: RobovitalsError, capsys: pytest.CaptureFixture[str]
) -> None:
    install(raising(error))
    assert cli.main(["status"]) == error.exit_code
    assert capsys.readouterr() == ("", f"robovitals: {error}\n")


def test_ctrl_c_is_quiet(install: Callable[[Run], None], capsys: pytest.CaptureFixture[str]) -> None:
    install(raising(KeyboardInterrupt()))
    assert cli.main(["status"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("module", "says"),
    [("psutil", "pip install 'robovitals[local]'"), ("faust.app", "pip install 'robovitals[pipeline]'")],
)
def test_a_missing_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], module: str, says: str
) -> None:
    def import_module(name: str) -> types.ModuleType:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(cli.importlib, "import_module", import_module)
    assert cli.main(["status"]) == 1
    assert says in capsys.readouterr().err


def test_a_module_of_ours_that_is_missing_is_a_bug_and_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(name: str) -> types.ModuleType:
        raise ModuleNotFoundError("No module named 'schemas.typo'", name="schemas.typo")

    monkeypatch.setattr(cli.importlib, "import_module", import_module)
    with pytest.raises(ModuleNotFoundError):
        cli.main(["status"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["statsu"], "did you mean status?"),
        (["xyzzy"], "robovitals --help"),
        (["status", "--slow"], "unrecognized arguments: --slow (robovitals status --help)"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    install: Callable[[Run], None], capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    install(lambda args, settings: 0)
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def test_help_lists_every_command_and_shows_each_ones_example(
    install: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main([]) == 0
    listed = capsys.readouterr().out
    assert all(f"\n  {name} " in listed for name in cli.COMMANDS)
    install(lambda args, settings: 0)
    with pytest.raises(SystemExit):
        cli.main(["status", "--help"])
    assert "robovitals status --fast" in capsys.readouterr().out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([name, "--help"])
    assert caught.value.code == 0
    assert f"robovitals {name}" in capsys.readouterr().out.split("example:")[1]


def test_a_robots_installation_is_enough_for_the_command_line_and_the_doctor() -> None:
    extras = {module for modules in checks.EXTRAS.values() for module in modules}
    code = f"import sys, deploy.cli, deploy.commands.doctor; print({extras!r} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")
