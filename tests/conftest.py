"""What both Python suites start from: the running system."""

from collections.abc import Iterator

import pytest

from local_system.cards import Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import NotThere, Stack

# Both suites have a browser: the pair that interop decrypts is made by the page.
pytest_plugins = ["browser.fixtures"]


@pytest.fixture(scope="session")
def stack() -> Stack:
    try:
        return Stack.from_environment()
    except NotThere as missing:
        # One sentence for all tests that need it, and a failure: nothing is skipped.
        pytest.exit(str(missing), returncode=1)


@pytest.fixture
def partner(stack: Stack) -> Partner:
    """The demo partner with a customer of its own for each test."""
    return Partner(stack)


@pytest.fixture
def rewards(stack: Stack) -> Iterator[Rewards]:
    """No test leaves behind what it ordered to go wrong."""
    rewards = Rewards(stack.admin)
    yield rewards
    rewards.forget_orders()


@pytest.fixture
def card(rewards: Rewards) -> Card:
    return rewards.fresh_card()
