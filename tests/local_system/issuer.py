"""An issuer's back end: `jwcrypto` encrypts cards for Mastercard, PyJWT signs the calls; no code of the product."""

import hashlib
import json
import secrets
import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import jwt
import requests
from jwcrypto import jwe, jwk

from local_system.stack import Stack

TIMEOUT = 30
PATIENCE = 60
FINAL = ("SUCCESS_BATCH", "ERROR_BATCH")

Json = dict[str, Any]


@dataclass(frozen=True)
class Issuer:
    """The issuer that `demo.json` describes, under a client id of its own."""

    stack: Stack
    demo: Json = field(default_factory=dict)

    @classmethod
    def of(cls, stack: Stack) -> "Issuer":
        demo: Json = json.loads((stack.local / "demo/demo.json").read_text())["issuer"]
        return cls(stack, demo)

    def number(self, outcome: str) -> str:
        """Test card with this outcome."""
        number: str = self.demo["cards"][outcome]
        return number

    def key_list(self) -> list[Json]:
        """Mastercard's key list, which needs no client certificate."""
        answer = requests.get(self.demo["keyList"], verify=self.stack.authority, timeout=TIMEOUT)
        answer.raise_for_status()
        keys: list[Json] = answer.json()["keys"]
        return keys

    def encrypt(self, content: Json, **header: str) -> str:
        """Compact JWE with the header of Mastercard's own examples, unless another is given."""
        [listed] = [key for key in self.key_list() if key["kid"] == self.demo["keyId"]]
        key = jwk.JWK(**{name: listed[name] for name in ("kty", "n", "e")})
        protected = header or {"kid": listed["kid"], "alg": "RSA-OAEP-256", "enc": "A128GCM"}
        token = jwe.JWE(json.dumps(content).encode(), protected=json.dumps(protected))
        token.add_recipient(key)
        compact: str = token.serialize(compact=True)
        return compact

    def token(self, action: str, method: str, url: str, body: bytes = b"") -> str:
        now = int(time.time())
        claims = {
            "iss": self.stack.client_id,
            "iat": now,
            "exp": now + 300,
            "jti": secrets.token_hex(8),
            "actionCode": action,
            "htm": method,
            "htu": url,
        }
        if body:
            claims["bodyHash"] = b64encode(hashlib.sha256(body).digest()).decode()
        key = self.stack.pem(f"demo/{self.demo['privateKey']}")
        return jwt.encode(claims, key, algorithm="RS256")

    def call(self, action: str, method: str, path: str, body: bytes = b"") -> requests.Response:
        url = f"{self.stack.api}/company/{path}"
        headers = {
            "Authorization": f"Bearer {self.token(action, method, url, body)}",
            "Content-Type": "application/json",
        }
        return requests.request(method, url, data=body, headers=headers, timeout=TIMEOUT)

    def submit(self, batch: "Batch", encrypted: str, confirmation_url: str | None = None) -> requests.Response:
        body: Json = {
            "externalBatchId": batch.id,
            "encryptedEnrollmentData": encrypted,
            "manifest": {"profiles": batch.profiles()},
        }
        if confirmation_url:
            body["confirmationUrl"] = confirmation_url
        return self.call("B", "POST", "enroll_batch", json.dumps(body).encode())

    def result(self, batch_id: str) -> Json:
        """Asks until the batch is final."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.call("B", "GET", f"enroll_batch/{batch_id}")
            assert answer.status_code == 200, answer.text
            result: Json = answer.json()
            if result["status"] in FINAL:
                return result
            time.sleep(1)
        raise AssertionError(f"the batch was not final after {PATIENCE} s: {result['stage']}")


@dataclass(frozen=True)
class Batch:
    """Consumers with their cards, given by outcome; ids that nobody used before."""

    consumers: tuple[tuple[str, ...], ...]
    id: str = field(default_factory=lambda: f"interop-{secrets.token_hex(8)}")

    @classmethod
    def of(cls, *consumers: tuple[str, ...]) -> "Batch":
        return cls(consumers)

    def consumer_id(self, place: int) -> str:
        return f"{self.id}.consumer-{place}"

    def card_id(self, outcome: str) -> str:
        return f"{self.id}.{outcome}"

    def profiles(self) -> list[Json]:
        return [
            {
                "externalConsumerId": self.consumer_id(place),
                "cards": [{"externalCardId": self.card_id(outcome)} for outcome in cards],
            }
            for place, cards in enumerate(self.consumers)
        ]

    def content(self, issuer: Issuer) -> Json:
        """JSON inside the JWE, as `docs/batches.md` describes it."""
        consumers = []
        for place, cards in enumerate(self.consumers):
            consumers.append(
                {
                    "externalConsumerId": self.consumer_id(place),
                    "consumerIdentity": {
                        "identityType": "EMAIL_ADDRESS",
                        "identityValue": f"{secrets.token_hex(4)}@issuer.example",
                    },
                    "firstName": "Zoë",
                    "lastName": "Müller",
                    "countryCode": "DE",
                    "languageCode": "de",
                    "cards": [
                        {
                            "externalCardId": self.card_id(outcome),
                            "primaryAccountNumber": issuer.number(outcome),
                            "panExpirationMonth": "12",
                            "panExpirationYear": "2035",
                        }
                        for outcome in cards
                    ],
                }
            )
        return {"consumers": consumers}


def cards_of(result: Json) -> dict[str, Json]:
    """Results by outcome, the end of a card's id."""
    cards = [card for profile in result["profiles"] for card in profile["cards"]]
    return {card["externalCardId"].rpartition(".")[2]: card for card in cards}
