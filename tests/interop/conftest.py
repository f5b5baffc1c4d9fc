"""A client of its own for each test that looks at everything which is stored of one."""

from collections.abc import Iterator

import pytest

from interop.bank import Bank
from local_system.operator import Operator
from local_system.receiver import listening
from local_system.rewards import Rewards
from local_system.stack import Stack


@pytest.fixture
def bank(stack: Stack, rewards: Rewards) -> Iterator[Bank]:
    with listening(stack) as receiver:
        yield Bank(Operator(stack).new_client(receiver.host), receiver, rewards)
