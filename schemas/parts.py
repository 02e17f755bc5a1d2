"""Parts by the component that they are in: how a component is called, and what a robot tells of its own parts.

In and out: `Parts`, a component's path to its part's serial, checked where a message is decoded. Used by
`frame.py`, and by `logbook.py`, whose entries call components the same.
"""

from typing import Annotated

import msgspec

# `$` alone would let a line's end follow; so written, Python and ECMAScript read the same.
ANY_COMPONENT = r"^(joint/[1-9][0-9]{0,2}|accuracy|battery|controller|robot)$(?!\n)"
MAX_PARTS = 130  # 128 joints, a battery, a controller
MAX_SERIAL = 64

Component = Annotated[str, msgspec.Meta(pattern=ANY_COMPONENT, max_length=16)]
# No control characters, which nobody sees, and no lone surrogates, which no database stores.
Serial = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[^\u0000-\u001f\u007f-\u009f\ud800-\udfff]+$(?!\n)", min_length=1, max_length=MAX_SERIAL
    ),
]
Parts = Annotated[dict[Component, Serial], msgspec.Meta(max_length=MAX_PARTS)]
