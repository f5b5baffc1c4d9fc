"""The stand-in for Mastercard, seen from behind: what it holds, and what shall go wrong in it."""

from dataclasses import dataclass, field
from typing import Any

import requests

from local_system.cards import Card

TIMEOUT = 30


@dataclass(frozen=True)
class Rewards:
    """The admin listener of the stand-in."""

    admin: str
    made: list[Card] = field(default_factory=list)
    """Cards that were made by `fresh_card`."""

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
        card = next(card for card in iter(Card.random, None) if card.last4 not in taken)
        self.made.append(card)
        return card

    def order(self, operation: str, fault: str, **more: int) -> None:
        """The next call of the operation goes wrong; the next `count` where that is given."""
        order = {"operation": operation, "fault": fault, **more}
        requests.post(f"{self.admin}/faults", json=order, timeout=TIMEOUT).raise_for_status()

    def forget_orders(self) -> None:
        requests.delete(f"{self.admin}/faults", timeout=TIMEOUT).raise_for_status()
