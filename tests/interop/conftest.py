"""A client of its own for each test that looks at everything which is stored of one."""

from collections.abc import Iterator

import pytest

from interop.isolated_client import IsolatedClient
from local_system.operator import Operator
from local_system.receiver import listening
from local_system.rewards import Rewards
from local_system.stack import Stack


@pytest.fixture
def client(stack: Stack, rewards: Rewards) -> Iterator[IsolatedClient]:
    with listening(stack) as receiver:
        yield IsolatedClient(Operator(stack).new_client(receiver.host), receiver, rewards)
