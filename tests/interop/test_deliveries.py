"""Confirmations sent by the product, verified by Python's `standardwebhooks`; `v1a` by `cryptography`."""

import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

from local_system.cards import Card
from local_system.operator import REASON, Operator
from local_system.partner import Partner
from local_system.receiver import PATIENCE, Delivery, Receiver, listening
from local_system.rewards import Rewards
from local_system.stack import Stack
from local_system.submission import Submission

DECLINED = Card("5234000000001450")


@dataclass(frozen=True)
class Client:
    """Separate client for each test: rotating its keys does not affect other tests."""

    stack: Stack
    receiver: Receiver
    operator: Operator

    def enroll(self, card: Card) -> dict[str, str]:
        """Enrolls a card, and returns the event."""
        partner = Partner(self.stack)
        opening = partner.open(confirmationUrl=f"https://{self.receiver.host}/told?of=it")
        return Submission(self.stack, opening, card).enroll()

    def keys(self, *arguments: str) -> str:
        return self.operator.enrollctl("confirmations", "keys", *arguments, "--client", self.stack.client_id, *REASON)

    def confirmations(self, *arguments: str) -> str:
        return self.operator.enrollctl("confirmations", *arguments)

    def secrets(self) -> list[str]:
        secrets: list[str] = self.operator.confirmation_keys(self.stack.client_id)["secrets"]
        return secrets


@pytest.fixture
def client(stack: Stack) -> Iterator[Client]:
    operator = Operator(stack)
    with listening(stack) as receiver:
        yield Client(operator.new_client(receiver.host), receiver, operator)


def test_success_matches_the_page(client: Client, card: Card) -> None:
    event = client.enroll(card)
    delivery = client.receiver.next()
    [secret] = client.secrets()
    body = Webhook(secret).verify(delivery.body, delivery.headers)
    assert body == event
    assert body["status"] == "SUCCESS_ENROLLMENT"
    assert delivery.path == "/told?of=it"
    assert delivery.headers["content-type"] == "application/json"
    assert delivery.headers["webhook-id"].startswith("msg_")


def test_failure_has_the_code_of_mrs(client: Client) -> None:
    event = client.enroll(DECLINED)
    delivery = client.receiver.next()
    body = Webhook(client.secrets()[0]).verify(delivery.body, delivery.headers)
    assert body == event
    assert (body["status"], body["statusCode"]) == ("ERROR_ENROLLMENT", "-45")
    assert "ranac" not in body


def test_changed_body_fails_verification(client: Client, card: Card) -> None:
    client.enroll(card)
    delivery = client.receiver.next()
    changed = delivery.body.replace(b"SUCCESS", b"FAILURE")
    assert changed != delivery.body
    with pytest.raises(WebhookVerificationError):
        Webhook(client.secrets()[0]).verify(changed, delivery.headers)


def test_both_secrets_verify_during_rotation(client: Client, card: Card) -> None:
    [before] = client.secrets()
    client.keys("rotate")
    after, still = client.secrets()
    assert still == before
    client.enroll(card)
    delivery = client.receiver.next()
    for secret in (before, after):
        Webhook(secret).verify(delivery.body, delivery.headers)
    assert len(signatures(delivery, "v1")) == 2


def test_retired_secret_verifies_nothing(client: Client, card: Card) -> None:
    [before] = client.secrets()
    client.keys("rotate")
    client.keys("retire")
    client.enroll(card)
    delivery = client.receiver.next()
    Webhook(client.secrets()[0]).verify(delivery.body, delivery.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(before).verify(delivery.body, delivery.headers)


def test_v1a_verifies_with_the_key_from_enrollctl(client: Client, card: Card) -> None:
    shown = client.keys("rotate", "--asymmetric")
    [public] = [word for word in shown.split() if word.startswith("whpk_")]
    client.enroll(card)
    delivery = client.receiver.next()
    # v1 is sent too, for partners that cannot verify v1a yet.
    Webhook(client.secrets()[0]).verify(delivery.body, delivery.headers)
    [signature] = signatures(delivery, "v1a")
    key = Ed25519PublicKey.from_public_bytes(b64decode(public.removeprefix("whpk_"), validate=True))
    key.verify(signature, signed_content(delivery))
    with pytest.raises(InvalidSignature):
        key.verify(signature, signed_content(delivery) + b" ")


def test_operator_replays_and_drops_parked_messages(client: Client, rewards: Rewards) -> None:
    client.receiver.status[0] = 410
    client.enroll(rewards.fresh_card())
    refused = client.receiver.next()
    message_id = refused.headers["webhook-id"]
    listed = eventually(lambda: client.confirmations("list", "--client", client.stack.client_id), message_id)
    assert "gone" in listed
    assert "http_410" in listed
    shown = client.confirmations("show", message_id)
    assert client.receiver.host not in shown
    assert client.receiver.host in client.confirmations("show", message_id, "--reveal", *REASON)

    client.receiver.status[0] = 204
    client.confirmations("replay", "--all-parked-of", client.stack.client_id, *REASON)
    replayed = client.receiver.next()
    assert (replayed.headers["webhook-id"], replayed.body) == (message_id, refused.body)
    Webhook(client.secrets()[0]).verify(replayed.body, replayed.headers)
    eventually(lambda: client.confirmations("show", message_id), "delivered")

    client.receiver.status[0] = 410
    client.enroll(rewards.fresh_card())
    unwanted = client.receiver.next().headers["webhook-id"]
    eventually(lambda: client.confirmations("list", "--client", client.stack.client_id), unwanted)
    client.confirmations("drop", unwanted, "--yes", *REASON)
    assert "no confirmation is parked" in client.confirmations("list", "--client", client.stack.client_id)


def eventually(look: Callable[[], str], wanted: str) -> str:
    """Waits until the output contains `wanted`: the result of a delivery is stored after its answer."""
    end = time.monotonic() + PATIENCE
    while wanted not in (seen := look()):
        assert time.monotonic() < end, seen
        time.sleep(0.3)
    return seen


def signatures(delivery: Delivery, version: str) -> list[bytes]:
    parts = (part.split(",", 1) for part in delivery.headers["webhook-signature"].split(" "))
    return [b64decode(signature, validate=True) for name, signature in parts if name == version]


def signed_content(delivery: Delivery) -> bytes:
    """Standard Webhooks 1.0, "Signature scheme"."""
    return f"{delivery.headers['webhook-id']}.{delivery.headers['webhook-timestamp']}.".encode() + delivery.body
