"""A separate client for each test that inspects everything stored of a client."""

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
