"""Encrypted pair of a card number, decrypted by Python's `cryptography` with Mastercard's private key."""

import hashlib
import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from playwright.sync_api import Page, Route

from browser.network import Network
from browser.widget import FAILURE, SUCCESS, Widget
from local_system.cards import Card
from local_system.rewards import Rewards
from local_system.stack import Stack

Pair = dict[str, str]
OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


@pytest.fixture
def rewards_key(stack: Stack) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(stack.pem("pki/rewards.key.pem"), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.fixture
def pair(widget: Widget, network: Network, card: Card) -> Pair:
    """Pair sent by a real browser for the typed card."""
    widget.enroll(card)
    widget.shows(SUCCESS)
    [sent] = network.posts()
    pair: Pair = json.loads(sent.body)["card"]
    return pair


def test_pair_contains_the_typed_number(pair: Pair, rewards_key: rsa.RSAPrivateKey, card: Card) -> None:
    assert open_pair(pair, rewards_key) == card.number.encode("ascii")


def test_pair_has_the_sizes_of_its_cipher(pair: Pair, card: Card) -> None:
    assert len(b64decode(pair["key"], validate=True)) == 2048 // 8
    assert len(b64decode(pair["data"], validate=True)) == 12 + len(card.number) + 16


def test_other_private_key_does_not_decrypt(pair: Pair) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(ValueError, match="Decryption failed"):
        open_pair(pair, other)


@pytest.mark.parametrize("place", [0, 12, -17, -1], ids=["iv", "first digit", "last digit", "tag"])
def test_changed_pair_does_not_decrypt(pair: Pair, rewards_key: rsa.RSAPrivateKey, place: int) -> None:
    with pytest.raises(InvalidTag):
        open_pair(pair | {"data": flipped(pair["data"], place)}, rewards_key)


def test_changed_key_does_not_decrypt(pair: Pair, rewards_key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(ValueError, match="Decryption failed"):
        open_pair(pair | {"key": flipped(pair["key"], 100)}, rewards_key)


def test_page_uses_the_key_of_the_answer(
    stack: Stack, page: Page, widget: Widget, rewards_key: rsa.RSAPrivateKey
) -> None:
    with page.expect_response("**/widget/api/enroll") as answer:
        page.reload()
    named = answer.value.json()["encryptionKey"]
    spki = rewards_key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert named == {
        "reference": "119009",
        "spki": b64encode(spki).decode(),
        "fingerprint": hashlib.sha256(spki).hexdigest(),
    }


def test_attempts_share_neither_key_nor_iv(
    page: Page, widget: Widget, network: Network, rewards: Rewards, card: Card, rewards_key: rsa.RSAPrivateKey
) -> None:
    rewards.order(card, "enroll", "code-before", code=-1001)
    widget.enroll(card)
    widget.shows(FAILURE)
    widget.try_again.click()
    widget.confirm.click()
    widget.shows(SUCCESS)
    first, second = [json.loads(sent.body)["card"] for sent in network.posts()]
    assert open_pair(first, rewards_key) == open_pair(second, rewards_key)
    assert unwrap(first, rewards_key) != unwrap(second, rewards_key)
    assert b64decode(first["data"])[:12] != b64decode(second["data"])[:12]


@pytest.mark.parametrize("part", ["key", "data"])
def test_mastercard_refuses_a_changed_pair(page: Page, widget: Widget, rewards: Rewards, card: Card, part: str) -> None:
    def change(route: Route) -> None:
        if route.request.method != "POST":
            return route.continue_()
        submitted: dict[str, Any] = json.loads(route.request.post_data or "")
        submitted["card"][part] = flipped(submitted["card"][part], 20)
        return route.continue_(post_data=json.dumps(submitted))

    page.route("**/widget/api/enroll", change)
    widget.enroll(card)
    widget.refuses_card("This card isn't part of the program.")
    assert [event["statusCode"] for event in widget.ended()] == ["-44"]
    assert rewards.accounts_of(card) == []


def open_pair(pair: Pair, private_key: rsa.RSAPrivateKey) -> bytes:
    data = b64decode(pair["data"], validate=True)
    return AESGCM(unwrap(pair, private_key)).decrypt(data[:12], data[12:], None)


def unwrap(pair: Pair, private_key: rsa.RSAPrivateKey) -> bytes:
    key = private_key.decrypt(b64decode(pair["key"], validate=True), OAEP)
    assert len(key) == 256 // 8
    return key


def flipped(text: str, place: int) -> str:
    content = bytearray(b64decode(text))
    content[place] ^= 1
    return b64encode(bytes(content)).decode()
