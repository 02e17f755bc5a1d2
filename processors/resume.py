"""Where a partition is taken up: what the group has committed, held against what Kafka still has. Pure.

In: a committed offset with its metadata, and where the log begins and ends. Out: the offset to read from, and what
`windows.Windows.resumed` needs. Called by `processors/summarise.py` after every assignment.
"""

import msgspec

from processors.windows import Rule
from schemas.errors import ContractError
from schemas.watermark import Resume, from_metadata


def taken_up(
    where: str, committed: tuple[int, str] | None, beginning: int, end: int, rule: Rule
) -> tuple[int, Resume | None]:
    """The offset to read from and what came with it; None: nothing is known of what was before.

    Raises ContractError where records that were never read are gone; what is not there is never jumped over.
    """
    if committed is None:
        return beginning, None
    offset, resume = committed[0], from_metadata(committed[1])
    read_to = max(offset, resume.read_to) if resume else offset
    accept = "to go on all the same, delete the group's offset of that partition (kafka-consumer-groups.sh)"
    if read_to > end:
        raise ContractError(
            f"{where} had been read up to offset {read_to}, and the log ends at {end}: the topic was made anew; "
            f"{accept}"
        )
    if read_to < beginning:
        raise ContractError(
            f"{where} had been read up to offset {read_to}, and the log begins at {beginning}: "
            f"{beginning - read_to} records were deleted before they were summarised; {accept}"
        )
    if resume is None or offset >= beginning:
        return offset, resume
    # All was read, but of the windows that were open then the first frames are gone (a fleet at rest for longer
    # than the topic's retention). They cannot be counted whole: what still comes for them is marked late.
    closed_us = resume.closed_us + rule.window_us + rule.grace_us + rule.spread_us
    return read_to, Resume(resume.closed_us, closed_us, read_to, *msgspec.structs.astuple(rule))
