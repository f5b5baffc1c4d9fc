"""Submissions of the page, made without a browser: a card number as Mastercard's pair, in a session of the partner."""

import secrets
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from local_system.cards import Card
from local_system.partner import Opening
from local_system.stack import Stack

TIMEOUT = 30
OPEN = 202
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


@dataclass(frozen=True)
class Submission:
    """One attempt of one session."""

    stack: Stack
    opening: Opening
    card: Card
    key: str = field(default_factory=lambda: secrets.token_hex(16))

    def enroll(self) -> dict[str, Any]:
        """The event."""
        event: dict[str, Any] = self.answer().json()
        return event

    def answer(self) -> requests.Response:
        """Asked for as the page asks: until the outcome is there."""
        body = self._body(self._form())
        while True:
            headers = {**self._authorization, "Idempotency-Key": self.key}
            answer = requests.post(self._address, json=body, headers=headers, timeout=TIMEOUT)
            if answer.status_code != OPEN:
                answer.raise_for_status()
                return answer
            time.sleep(float(answer.headers["Retry-After"]))

    def _form(self) -> dict[str, Any]:
        answer = requests.get(self._address, headers=self._authorization, timeout=TIMEOUT)
        answer.raise_for_status()
        form: dict[str, Any] = answer.json()
        return form

    def _body(self, form: dict[str, Any]) -> dict[str, Any]:
        required = [name for name in ("terms", "privacy") if form["fields"][name] == "required"]
        return {
            "card": pair(form["encryptionKey"]["spki"], self.card),
            "bin": self.card.bin,
            "last4": self.card.last4,
            "consents": [{"document": name, "version": form[name]["version"]} for name in required],
        }

    @property
    def _address(self) -> str:
        return f"{self.stack.api}/widget/api/enroll"

    @property
    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.opening.session}"}


def pair(spki: str, card: Card) -> dict[str, str]:
    """AES-256-GCM under a fresh key, which RSA-OAEP-256 wraps."""
    public = serialization.load_der_public_key(b64decode(spki))
    assert isinstance(public, rsa.RSAPublicKey)
    key, iv = AESGCM.generate_key(256), secrets.token_bytes(12)
    data = iv + AESGCM(key).encrypt(iv, card.number.encode(), None)
    return {"key": b64encode(public.encrypt(key, OAEP)).decode(), "data": b64encode(data).decode()}
