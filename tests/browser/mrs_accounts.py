"""What MRS holds in the end: a replaced card is cancelled there after the outcome was told."""

import time

from local_system.cards import Card
from local_system.rewards import Rewards

# Settlement is called at once from a queue, and every minute.
PATIENCE = 150
ACTIVE = "NEW"
CANCELLED = "CANCELLED"


def becomes(rewards: Rewards, card: Card, status: str) -> None:
    """Waits until MRS holds the card so."""
    end = time.monotonic() + PATIENCE
    while statuses(rewards, card) != [status] and time.monotonic() < end:
        time.sleep(0.5)
    assert statuses(rewards, card) == [status]


def statuses(rewards: Rewards, card: Card) -> list[str]:
    return [account["status"] for account in rewards.accounts_of(card)]
