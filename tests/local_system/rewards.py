"""Admin interface of the Mastercard stand-in: its accounts and its ordered faults."""

import os
from dataclasses import dataclass, field
from typing import Any

import requests

from local_system.cards import Card

TIMEOUT = 30


def is_ours(card: Card) -> bool:
    """Tests that run at once, in processes of their own, do not make cards with the same last four digits."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return int(card.last4) % workers == worker


@dataclass(frozen=True)
class Rewards:
    """The admin listener of the stand-in."""

    admin: str
    made: list[Card] = field(default_factory=list)
    """Cards that were made by `fresh_card`."""
    orders: list[int] = field(default_factory=list)
    """An ordered fault."""

    def accounts(self) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.admin}/accounts", timeout=TIMEOUT)
        answer.raise_for_status()
        accounts: list[dict[str, Any]] = answer.json()
        return accounts

    def accounts_of(self, card: Card) -> list[dict[str, Any]]:
        """By the last four digits, which no other account has if the card is a fresh one."""
        return [account for account in self.accounts() if account["last4"] == card.last4]

    def fresh_card(self) -> Card:
        """A number that MRS does not hold, nor any with the same last four digits."""
        taken = {account["last4"] for account in self.accounts()}
        taken |= {card.last4 for card in self.made}
        card = next(card for card in iter(Card.random, None) if is_ours(card) and card.last4 not in taken)
        self.made.append(card)
        return card

    def order(self, card: Card, operation: str, fault: str, **more: int) -> None:
        """Orders a fault for the next call of the operation about this card, or for the next `count` calls."""
        order = {"card": card.number, "operation": operation, "fault": fault, **more}
        answer = requests.post(f"{self.admin}/faults", json=order, timeout=TIMEOUT)
        answer.raise_for_status()
        self.orders.append(answer.json()["id"])

    def forget_orders(self) -> None:
        """Takes back what was ordered here and is not yet served."""
        while self.orders:
            answer = requests.delete(f"{self.admin}/faults/{self.orders.pop()}", timeout=TIMEOUT)
            assert answer.status_code in (204, 404), answer.status_code
