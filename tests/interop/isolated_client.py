"""A client of a test's own, customers of it, and Mastercard as it can be made to differ from what is stored."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import requests

from interop.enrollctl import Ran, enrollctl
from local_system.cards import Card
from local_system.partner import Partner
from local_system.receiver import Receiver
from local_system.rewards import Rewards
from local_system.stack import Stack
from local_system.submission import Submission

TIMEOUT = 30
OPEN = 202
MANY = 1000
"""As many calls as no test makes."""
SET_UP = ["apply client", "trust receivers"]
"""What a new client's audit trail begins with."""


@dataclass(frozen=True)
class OptOut:
    """One attempt to take a card out of the program, as the page makes it."""

    address: str
    headers: dict[str, str]
    card: str
    """The product's name of the card."""

    def ask(self) -> requests.Response:
        return requests.post(self.address, json={"oldCard": self.card}, headers=self.headers, timeout=TIMEOUT)

    def event(self) -> dict[str, Any]:
        """Asked for until the outcome is there."""
        while (answer := self.ask()).status_code == OPEN:
            time.sleep(float(answer.headers["Retry-After"]))
        answer.raise_for_status()
        event: dict[str, Any] = answer.json()
        return event


@dataclass(frozen=True)
class Customer:
    """Whom nobody has seen before."""

    partner: Partner
    confirmation_url: str

    @property
    def id(self) -> str:
        return self.partner.customer

    def enroll(self, card: Card) -> dict[str, Any]:
        """The event, whatever it says."""
        event: dict[str, Any] = self.enrollment(card).json()
        return event

    def enrollment(self, card: Card) -> requests.Response:
        """The answer to it, with the incident's id in its header."""
        opening = self.partner.open(confirmationUrl=self.confirmation_url)
        return Submission(self.partner.stack, opening, card).answer()

    def opt_out(self, card: Card) -> OptOut:
        """Of that card; nothing is asked for yet."""
        headers, cards = self._removal()
        [chosen] = [shown["id"] for shown in cards if shown["last4"] == card.last4]
        return OptOut(self._address, headers | {"Idempotency-Key": secrets.token_hex(16)}, chosen)

    def on_file(self) -> list[str]:
        """The last four digits of the cards that the page shows."""
        return [shown["last4"] for shown in self._removal()[1]]

    def _removal(self) -> tuple[dict[str, str], list[dict[str, str]]]:
        """A session for an opt-out, and the cards that it offers."""
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
    """The client, its receiver of confirmations, and its operator."""

    stack: Stack
    receiver: Receiver
    rewards: Rewards

    @property
    def id(self) -> str:
        return self.stack.client_id

    def customer(self) -> Customer:
        return Customer(Partner(self.stack), f"https://{self.receiver.host}/told")

    def answer(self, what: str, customer: str, *more: str, reference: str = "request 7") -> Ran:
        """`enrollctl customer`, with the customer's id by standard input."""
        person = ("--client", self.id, "--customer-file", "-", "--reference", reference)
        return enrollctl("customer", what, *person, *more, given=f"{customer}\n")

    def exported(self, customer: Customer) -> dict[str, Any]:
        """All that is stored of a customer in the client's one program."""
        [program] = self.export(customer)["programs"]
        return dict(program)

    def export(self, customer: Customer) -> dict[str, Any]:
        ran = self.answer("export", customer.id)
        assert ran.code == 0, ran.err
        export: dict[str, Any] = json.loads(ran.out)
        return export

    def audit(self) -> list[dict[str, Any]]:
        """The client's audit trail, after the lines of its setting up."""
        ran = enrollctl("audit", "--client", self.id)
        assert ran.code == 0, ran.err
        lines = [json.loads(line) for line in ran.out.splitlines()]
        assert [line["action"] for line in lines[: len(SET_UP)]] == SET_UP
        return lines[len(SET_UP) :]

    def reconcile(self, *arguments: str) -> Ran:
        return enrollctl("reconcile", self.id, *arguments)

    def mend(self, *arguments: str) -> Ran:
        return self.reconcile("--mend", "--reference", "request 7", *arguments)

    def enrolled(self, customer: Customer) -> tuple[Card, dict[str, Any]]:
        """A card that the customer has enrolled, and the event."""
        card = self.rewards.fresh_card()
        event = customer.enroll(card)
        assert event["status"] == "SUCCESS_ENROLLMENT", event
        return card, event

    def held(self, card: Card) -> dict[str, Any]:
        """What Mastercard holds of the card."""
        [account] = self.rewards.accounts_of(card)
        return account

    def change_status(self, ranac: str, status: str) -> None:
        """At Mastercard, behind the product's back."""
        address = f"{self.rewards.admin}/accounts/{ranac}/status"
        requests.post(address, json={"status": status}, timeout=TIMEOUT).raise_for_status()

    def put_in(self, **account: str) -> None:
        """An account that nobody enrolled."""
        requests.post(f"{self.rewards.admin}/accounts", json=account, timeout=TIMEOUT).raise_for_status()

    def take_away(self, ranac: str) -> None:
        """As if the account had never been."""
        requests.delete(f"{self.rewards.admin}/accounts/{ranac}", timeout=TIMEOUT).raise_for_status()
