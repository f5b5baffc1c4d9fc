"""Fake of the service behind the page, for answers that the real one does not give on demand.

`test_replacement.py` and `test_opt_out.py` cover the real one.
"""

import hashlib
import json
import time
from base64 import b64encode
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from browser.network import API, Answer, Network, Sent, api_calls

PATHS = {"R": "replace", "C": "cancel", "P": "push"}
SUCCESS = {"R": "SUCCESS_REPLACEMENT", "C": "SUCCESS_REMOVAL"}
ERROR = {"R": "ERROR_REPLACEMENT", "C": "ERROR_REMOVAL"}
CUSTOMER = "customer-1"
INCIDENT = "AB12-CD34-EF56"


@dataclass(frozen=True)
class CardOnFile:
    """Card on file of the customer."""

    last4: str
    design: str | None = "Gold"

    @property
    def id(self) -> str:
        return hashlib.sha256(self.last4.encode()).hexdigest()

    @property
    def masked(self) -> str:
        return f"5234 XXXX XXXX {self.last4}"

    def described(self) -> dict[str, str]:
        card = {"id": self.id, "masked": self.masked, "last4": self.last4}
        return card | ({"designCode": self.design} if self.design else {})


GOLD = CardOnFile("0123")
PLAIN = CardOnFile("4567", design=None)
BLUE = CardOnFile("8901", design="Blue")


class Service:
    """Fake service with one session for a replacement (R) or an opt-out (C)."""

    def __init__(self, network: Network, action: str, *cards: CardOnFile) -> None:
        self.action = action
        self.cards = list(cards)
        self.standing: Answer | None = None
        """Answer to a reloaded page: an open attempt, or a success."""
        self._endings: list[Answer] = []
        network.answer(api_calls, self._answer)

    def will_answer(self, *endings: Answer) -> None:
        """Sets the answers to submissions, in order; the last one repeats."""
        self._endings = list(endings)

    def success(self, **more: str) -> Answer:
        members = {"ranac": "03643782610476418733", "designCode": "Gold", "bin": "523400", "last4": "0123"}
        return event(SUCCESS[self.action], 0, **(members | more))

    def error(self, code: str | None = None, attempts_left: int = 4) -> Answer:
        return event(ERROR[self.action], attempts_left, **({"statusCode": code} if code else {}))

    def _answer(self, sent: Sent) -> Answer:
        if sent.path != f"{API}{PATHS[self.action]}":
            return answer(403, {"status": "ACCESS_DENIED"}, {"Session-Action": self.action})
        if sent.method == "GET":
            return self.standing or self._description()
        ending = self._endings[0] if len(self._endings) == 1 else self._endings.pop(0)
        self.standing = ending if ending.status == OPEN.status or b"SUCCESS" in ending.body else None
        return ending

    def _description(self) -> Answer:
        if not self.cards:
            return self.error(attempts_left=0)
        shown: dict[str, Any] = {
            "action": self.action,
            "cards": [card.described() for card in self.cards],
            "attemptsLeft": 5,
            "expiresAt": int(time.time()) + 900,
        }
        return answer(200, shown | (_new_card() if self.action == "R" else {}))


def answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
    always = {"Content-Type": "application/json", "Incident-Id": INCIDENT, "Date": formatdate(usegmt=True)}
    return Answer(status, "", list((always | (headers or {})).items()), json.dumps(body).encode())


def event(status: str, attempts_left: int, **members: str) -> Answer:
    return answer(200, {"status": status, "parentId": CUSTOMER, **members}, {"Attempts-Left": str(attempts_left)})


def event_of(ending: Answer) -> dict[str, str]:
    """Event that listeners must receive for an answer: all of its members, and no others."""
    event: dict[str, str] = json.loads(ending.body)
    return event


OPEN = answer(202, {}, {"Retry-After": "1"})


def _new_card() -> dict[str, Any]:
    spki = _public_key()
    return {
        "fields": {
            "firstName": "optional",
            "lastName": "optional",
            "email": "hidden",
            "terms": "hidden",
            "privacy": "hidden",
        },
        "binRanges": [{"from": "523400", "to": "523499"}],
        "encryptionKey": {
            "reference": "119009",
            "spki": b64encode(spki).decode(),
            "fingerprint": hashlib.sha256(spki).hexdigest(),
        },
    }


@cache
def _public_key() -> bytes:
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
