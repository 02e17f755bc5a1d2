"""`robovitals down`: stop the stack of this home in order. Its data stays."""

import argparse

from deploy.local import control
from deploy.local.steps import Steps
from deploy.settings import Settings

EXAMPLE = "robovitals down"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace, settings: Settings) -> int:
    steps = Steps()
    if not control.stop(settings, steps):
        steps.say(f"no stack is running in {settings.home}")
    return 0
