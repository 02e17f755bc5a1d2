"""A lander with a platform's key, and the command line beside it, as whoever writes in logbooks has them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from deploy.platform_key import create_platform_key
from schemas.kafka import Kafka
from support.pipeline import Pipeline, pipeline


class Desk:
    """`home` holds the keys. Answers are (exit code, lines), JSON where it was asked for."""

    def __init__(self, running: Pipeline, home: Path) -> None:
        self.running = running
        self.home = home

    def key(self, name: str, role: str, *robots: str) -> Path:
        """An author's key, registered with these robots."""
        path = self.home / f"{name}.key"
        named = ("--robot", *robots) if robots else ()
        done = self.running.command("logbook", "author", name, "--role", role, "--out", str(path), *named)
        assert done.returncode == 0, done.stderr
        return path

    def said(self, *arguments: str) -> tuple[int, str]:
        """The exit code, and all that was said."""
        done = self.running.command(*arguments)
        return done.returncode, done.stdout + done.stderr

    def told(self, *arguments: str, code: int = 0) -> dict[str, object]:
        """What a command prints with --json."""
        done = self.running.command(*arguments, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return msgspec.json.decode(done.stdout, type=dict[str, object])

    def file(self, name: str, *lines: str) -> str:
        path = self.home / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return str(path)


@contextmanager
def desk(home: Path, kafka: Kafka, database_url: str) -> Iterator[Desk]:
    create_platform_key(home / "platform_key")
    with pipeline(home, kafka, database_url) as running:
        running.start("land")
        yield Desk(running, home)
