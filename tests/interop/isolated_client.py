"""Client of a single test, its customers, and changes to its accounts at the Mastercard stand-in."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import requests

from interop.enrollctl import Result, enrollctl
from local_system.cards import Card
from local_system.partner import Partner
from local_system.receiver import Receiver
from local_system.rewards import Rewards
from local_system.stack import Stack
from local_system.submission import Submission

TIMEOUT = 30
OPEN = 202
ALL_CALLS = 1000
"""More calls than any test makes."""
SETUP_ACTIONS = ["apply client", "trust receivers"]
"""First actions in a new client's audit trail."""


@dataclass(frozen=True)
class OptOut:
    """Attempt to remove a card, as the page makes it."""

    address: str
    headers: dict[str, str]
    card: str
    """Id of the card in the product."""

    def send(self) -> requests.Response:
        return requests.post(self.address, json={"oldCard": self.card}, headers=self.headers, timeout=TIMEOUT)

    def event(self) -> dict[str, Any]:
        """Repeats the request until it has an outcome, and returns the event."""
        while (answer := self.send()).status_code == OPEN:
            time.sleep(float(answer.headers["Retry-After"]))
        answer.raise_for_status()
        event: dict[str, Any] = answer.json()
        return event


@dataclass(frozen=True)
class Customer:
    """Customer without stored data."""

    partner: Partner
    confirmation_url: str

    @property
    def id(self) -> str:
        return self.partner.customer

    def enroll(self, card: Card) -> dict[str, Any]:
        """Enrolls a card, and returns the event of any status."""
        event: dict[str, Any] = self.enrollment(card).json()
        return event

    def enrollment(self, card: Card) -> requests.Response:
        """Enrolls a card, and returns the answer with the incident id in its header."""
        opening = self.partner.open(confirmationUrl=self.confirmation_url)
        return Submission(self.partner.stack, opening, card).answer()

    def opt_out(self, card: Card) -> OptOut:
        """Prepares an opt-out of the card, without sending it."""
        headers, cards = self._removal()
        [chosen] = [shown["id"] for shown in cards if shown["last4"] == card.last4]
        return OptOut(self._address, headers | {"Idempotency-Key": secrets.token_hex(16)}, chosen)

    def on_file(self) -> list[str]:
        """Last four digits of the cards that the page offers."""
        return [shown["last4"] for shown in self._removal()[1]]

    def _removal(self) -> tuple[dict[str, str], list[dict[str, str]]]:
        """Opens a session for an opt-out; returns its headers and the cards it offers."""
        opening = self.partner.open(confirmationUrl=self.confirmation_url, actionCode="C")
        headers = {"Authorization": f"Bearer {opening.session}"}
        answer = requests.get(self._address, headers=headers, timeout=TIMEOUT)
        answer.raise_for_status()
        return headers, answer.json()["cards"]

    @property
    def _address(self) -> str:
        return f"{self.partner.stack.api}/widget/api/cancel"


@dataclass(frozen=True)
class IsolatedClient:
    """Client with its own receiver of confirmations, and its operator's commands."""

    stack: Stack
    receiver: Receiver
    rewards: Rewards

    @property
    def id(self) -> str:
        return self.stack.client_id

    def customer(self) -> Customer:
        return Customer(Partner(self.stack), f"https://{self.receiver.host}/told")

    def customer_command(self, what: str, customer: str, *more: str, reference: str = "request 7") -> Result:
        """Runs `enrollctl customer`, with the customer's id on standard input."""
        person = ("--client", self.id, "--customer-file", "-", "--reference", reference)
        return enrollctl("customer", what, *person, *more, given=f"{customer}\n")

    def exported(self, customer: Customer) -> dict[str, Any]:
        """Exports the data of a customer in the client's only program."""
        [program] = self.export(customer)["programs"]
        return dict(program)

    def export(self, customer: Customer) -> dict[str, Any]:
        ran = self.customer_command("export", customer.id)
        assert ran.code == 0, ran.err
        export: dict[str, Any] = json.loads(ran.out)
        return export

    def audit(self) -> list[dict[str, Any]]:
        """Returns the client's audit trail, without the lines of its setup."""
        ran = enrollctl("audit", "--client", self.id)
        assert ran.code == 0, ran.err
        lines = [json.loads(line) for line in ran.out.splitlines()]
        assert [line["action"] for line in lines[: len(SETUP_ACTIONS)]] == SETUP_ACTIONS
        return lines[len(SETUP_ACTIONS) :]

    def reconcile(self, *arguments: str) -> Result:
        return enrollctl("reconcile", self.id, *arguments)

    def repair(self, *arguments: str) -> Result:
        return self.reconcile("--repair", "--reference", "request 7", *arguments)

    def enroll_card(self, customer: Customer) -> tuple[Card, dict[str, Any]]:
        """Enrolls a new card of the customer, and returns the card and the event."""
        card = self.rewards.fresh_card()
        event = customer.enroll(card)
        assert event["status"] == "SUCCESS_ENROLLMENT", event
        return card, event

    def account(self, card: Card) -> dict[str, Any]:
        """Account of the card at the Mastercard stand-in."""
        [account] = self.rewards.accounts_of(card)
        return account

    def change_status(self, ranac: str, status: str) -> None:
        """Changes the account's status at the stand-in only."""
        address = f"{self.rewards.admin}/accounts/{ranac}/status"
        requests.post(address, json={"status": status}, timeout=TIMEOUT).raise_for_status()

    def add_account(self, **account: str) -> None:
        """Creates an account that was never enrolled here."""
        requests.post(f"{self.rewards.admin}/accounts", json=account, timeout=TIMEOUT).raise_for_status()

    def delete_account(self, ranac: str) -> None:
        """Deletes the account."""
        requests.delete(f"{self.rewards.admin}/accounts/{ranac}", timeout=TIMEOUT).raise_for_status()
