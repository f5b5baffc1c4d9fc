"""The partner's back end: signs a token with PyJWT and opens the widget with it."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
import requests

from local_system.stack import Stack

Claims = dict[str, Any]
TIMEOUT = 30


@dataclass(frozen=True)
class Opening:
    """Answer of `non_auth_initialize`."""

    status: str
    location: str

    @property
    def session(self) -> str:
        """Fragment of the address."""
        return self.location.partition("#")[2]


@dataclass(frozen=True)
class Partner:
    """One partner and one customer of it, whom nobody has seen before."""

    stack: Stack
    customer: str = field(default_factory=lambda: f"customer-{secrets.token_hex(8)}")

    def claims(self, **changes: Any) -> Claims:
        """`docs/sources.md#widget`, "Initialization Parameters"; a change to None takes a claim away."""
        now = int(time.time())
        claims = {
            "iss": self.stack.client_id,
            "sub": self.customer,
            "actionCode": "N",
            "programId": self.stack.program_id,
            "confirmationUrl": self.stack.confirmation_url,
            "iat": now,
            "exp": now + 600,
            # Two tokens of one second must differ: a token opens the widget once.
            "jti": secrets.token_hex(8),
        }
        return {name: value for name, value in (claims | changes).items() if value is not None}

    def token(self, **changes: Any) -> str:
        return jwt.encode(self.claims(**changes), self.stack.pem("demo/private-key.pem"), algorithm="RS256")

    def open(self, **changes: Any) -> Opening:
        return open_with(self.stack, self.token(**changes))


def open_with(stack: Stack, token: str) -> Opening:
    """One POST, as a back end sends it: no redirect is followed."""
    answer = requests.post(
        f"{stack.api}/company/non_auth_initialize",
        json={"initializeWebsiteToken": token},
        allow_redirects=False,
        timeout=TIMEOUT,
    )
    assert answer.status_code == 302, f"always a redirect, but it was {answer.status_code}"
    return Opening(answer.headers["Enrollment-Status"], answer.headers["Location"])
