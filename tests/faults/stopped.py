"""Whoever ends a run otherwise than by Ctrl-C must not leave servers and processes behind either.

In: nothing. Out: SIGTERM and SIGHUP end this process as Ctrl-C does, through every `finally`. Called by the two
commands, `python -m faults` and `python -m faults.agents`.
"""

import signal


def end_servers_when_ended() -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
