"""Confirmations signed by Python's `standardwebhooks`, sent to the demo partner's receiver."""

import json
import secrets
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

from local_system.stack import Stack

BODY = json.dumps({"status": "SUCCESS_ENROLLMENT", "bin": "523400", "last4": "0123"})
OTHER_SECRET = "whsec_" + "QUJD" * 11


@pytest.fixture
def message_id() -> str:
    return f"msg_{secrets.token_hex(12)}"


def test_other_library_signature_is_accepted(stack: Stack, message_id: str) -> None:
    assert post(stack, message_id, sign(stack.confirmation_secret, message_id)) == 200
    received = find(stack, message_id)
    assert received["verified"] is True
    assert received["body"] == json.loads(BODY)
    assert "reason" not in received


def test_one_valid_signature_of_two_is_enough(stack: Stack, message_id: str) -> None:
    signed = sign(stack.confirmation_secret, message_id)
    other = sign(OTHER_SECRET, message_id)["webhook-signature"]
    signed["webhook-signature"] = f"{other} {signed['webhook-signature']}"
    assert post(stack, message_id, signed) == 200


def test_repeated_confirmation_counts_once(stack: Stack, message_id: str) -> None:
    for _ in range(2):
        assert post(stack, message_id, sign(stack.confirmation_secret, message_id)) == 200
    assert find(stack, message_id)["attempts"] == 2


def test_other_secret_is_refused(stack: Stack, message_id: str) -> None:
    assert is_refused(stack, message_id, sign(OTHER_SECRET, message_id))


def test_changed_body_is_refused(stack: Stack, message_id: str) -> None:
    signed = sign(stack.confirmation_secret, message_id)
    assert is_refused(stack, message_id, signed, BODY.replace("SUCCESS", "ERROR"))


def test_signature_is_bound_to_the_id(stack: Stack, message_id: str) -> None:
    signed = sign(stack.confirmation_secret, f"{message_id}x")
    assert is_refused(stack, message_id, signed | {"webhook-id": message_id})


@pytest.mark.parametrize("minutes", [-6, 6])
def test_distant_timestamp_is_refused(stack: Stack, message_id: str, minutes: int) -> None:
    assert is_refused(stack, message_id, sign(stack.confirmation_secret, message_id, timedelta(minutes=minutes)))


@pytest.mark.parametrize("header", ["webhook-timestamp", "webhook-signature"])
def test_missing_header_is_refused(stack: Stack, message_id: str, header: str) -> None:
    signed = sign(stack.confirmation_secret, message_id)
    del signed[header]
    assert is_refused(stack, message_id, signed)


def sign(secret: str, message_id: str, shift: timedelta = timedelta(0)) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0."""
    sent = datetime.now(timezone.utc) + shift
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, sent, BODY),
    }


def post(stack: Stack, message_id: str, headers: dict[str, str], body: str = BODY) -> int:
    return requests.post(
        f"{stack.confirmation_url}",
        data=body.encode(),
        headers={"Content-Type": "application/json", "webhook-id": message_id, **headers},
        verify=stack.authority,
        timeout=30,
    ).status_code


def is_refused(stack: Stack, message_id: str, headers: dict[str, str], body: str = BODY) -> bool:
    """Asserts that the receiver refuses the confirmation and lists the reason for the partner's developer."""
    status = post(stack, message_id, headers, body)
    received = find(stack, message_id)
    return status == 401 and received["verified"] is False and bool(received["reason"])


def find(stack: Stack, message_id: str) -> dict[str, Any]:
    received = requests.get(f"{stack.partner}/received", params={"last": 50}, timeout=30).json()
    [found] = [confirmation for confirmation in received if confirmation["id"] == message_id]
    return dict(found)
