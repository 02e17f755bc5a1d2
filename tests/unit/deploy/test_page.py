"""The page's address, and to whom a link is shown."""

import os

import pytest

from deploy import page
from deploy.local import children
from deploy.local.state import Stack
from schemas.kafka import Kafka


def stack(page_port: int | None) -> Stack:
    supervisor = children.identify(os.getpid())
    assert supervisor is not None
    return Stack(supervisor, True, Kafka("127.0.0.1:1"), "postgresql://u@127.0.0.1:1/d", None, [], page_port)


async def test_where_the_output_goes_to_a_file_no_link_is_in_it(capsys: pytest.CaptureFixture[str]):
    line = await page.invitation(stack(8080))
    assert line == "the page: http://127.0.0.1:8080  (log in: robovitals access link)"


async def test_a_stack_without_a_page_has_no_address():
    assert page.address(stack(None)) is None
    assert await page.invitation(stack(None)) is None
