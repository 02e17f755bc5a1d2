"""The error tree, split by what the caller does with it.

    RobovitalsError
    ├── RejectError          the data is at fault: put it aside with its reason, go on with its neighbours
    ├── RetryError           the world is at fault: wait, then do the same again
    └── StopError            going on would harm or mislead: stop, say why, exit with a code that is not 0
        ├── SettingError         a setting, an argument or an input file is wrong; names it
        ├── UnavailableError     something that must run or exist does not; names the next command
        └── ContractError        stored state contradicts the program: never guess

A driver's errors are mapped to these in one place a side: asyncpg's in `ingest/database_errors.py`, the lander's
of Kafka in `ingest/source.py`.
"""


class RobovitalsError(Exception):
    """Every error that robovitals raises on purpose. Its text is one line for the person who reads it."""

    exit_code = 1


class RejectError(RobovitalsError):
    """This record cannot be used, and never will be.

    `reason` is one of the short, stable words of `schemas.frame.REJECT_REASONS`, or of `schemas.chain.Fault` for an
    entry of a logbook; the text says the details.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class RetryError(RobovitalsError):
    """A server did not answer as it should; the same work may succeed later."""


class StopError(RobovitalsError):
    """Going on would lose or corrupt something; a person has to look."""


class SettingError(StopError):
    """A setting, an argument or an input is wrong. The text names it and says what would be right."""

    exit_code = 2


class UnavailableError(StopError):
    """A server or a file that is needed is not there. The text names it and the next command to type."""


class ContractError(StopError):
    """What is stored contradicts what the program expects (a changed migration, a jumped offset)."""
