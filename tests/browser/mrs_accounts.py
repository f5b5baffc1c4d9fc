"""Accounts at MRS: a replaced card is cancelled there after the outcome was reported."""

import time

from local_system.cards import Card
from local_system.rewards import Rewards

# Seconds. Settlement runs at once from a queue, and every minute.
TIMEOUT = 150
ACTIVE = "NEW"
CANCELLED = "CANCELLED"


def wait_for_status(rewards: Rewards, card: Card, status: str) -> None:
    """Waits until the card has this status at MRS."""
    end = time.monotonic() + TIMEOUT
    while statuses(rewards, card) != [status] and time.monotonic() < end:
        time.sleep(0.5)
    assert statuses(rewards, card) == [status]


def statuses(rewards: Rewards, card: Card) -> list[str]:
    return [account["status"] for account in rewards.accounts_of(card)]
