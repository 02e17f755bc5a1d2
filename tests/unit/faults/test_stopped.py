"""A run that is ended by a signal ends what it started."""

import os
import signal
import subprocess
import sys

import pytest
from faults.world import TESTS

_PROGRAM = """
import signal, sys
from faults.stopped import end_servers_when_ended
end_servers_when_ended()
try:
    print("begun", flush=True)
    signal.pause()
finally:
    print("servers are ended", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_a_signal_ends_goes_through_what_ends_its_servers(number: signal.Signals) -> None:
    environ = {**os.environ, "PYTHONPATH": str(TESTS)}
    run = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with run:
        assert run.stdout is not None
        assert run.stdout.readline() == "begun\n"
        run.send_signal(number)
        assert run.stdout.read() == "servers are ended\n"
