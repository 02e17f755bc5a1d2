"""Where the local stack's page is, and a link that logs its owner in.

In: the state of a running stack. Out: a line for the terminal. Called by `robovitals up`, `demo` and `status`. A
link is for who sits at the terminal: where the output goes elsewhere, to a file that others may read, it has none.
"""

import getpass
import sys

from deploy.commands.access import make_link
from deploy.local.state import Stack
from serve.people import Role


def address(stack: Stack) -> str | None:
    return None if stack.page_port is None else f"http://127.0.0.1:{stack.page_port}"


async def invitation(stack: Stack) -> str | None:
    """A line with the page's address; None when the stack has no page."""
    where = address(stack)
    if where is None or stack.database_url is None:
        return None
    if not sys.stdout.isatty():
        return f"the page: {where}  (log in: robovitals access link)"
    link = await make_link(stack.database_url, where, getpass.getuser(), Role.ADMIN)
    return f"the page: {link}  (works once, within 15 min)"
