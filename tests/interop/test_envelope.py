"""Sealed values of the vault, opened by another implementation: Python's `cryptography`, from docs/envelope.md."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads((ROOT / "shared/platform/tests/vectors/envelope.json").read_text())


def length_prefixed(*fields: bytes) -> bytes:
    return b"".join(len(field).to_bytes(4, "big") + field for field in fields)


def record_key(vector: dict[str, Any], salt: bytes) -> bytes:
    info = length_prefixed(
        b"card-enrollment/sealed-value", b"\x01", vector["purpose"].encode(), vector["client"].encode()
    )
    return HKDF(hashes.SHA256(), 32, salt, info).derive(bytes.fromhex(vector["data_key"]))


def additional_data(vector: dict[str, Any]) -> bytes:
    return length_prefixed(*(vector[name].encode() for name in ("table", "pk", "sk", "attribute")), b"\x01")


def take_apart(sealed: bytes) -> tuple[str, bytes, bytes, bytes]:
    assert sealed[0] == 1
    end = 2 + sealed[1]
    return sealed[2:end].decode("ascii"), sealed[end : end + 32], sealed[end + 32 : end + 44], sealed[end + 44 :]


@pytest.mark.parametrize("vector", VECTORS["sealed_values"], ids=lambda vector: vector["attribute"])
def test_sealed_value_opens(vector: dict[str, Any]) -> None:
    period, salt, nonce, ciphertext = take_apart(bytes.fromhex(vector["sealed"]))
    assert (period, salt.hex(), nonce.hex()) == (vector["period"], vector["salt"], vector["nonce"])
    plain = AESGCM(record_key(vector, salt)).decrypt(nonce, ciphertext, additional_data(vector))
    assert plain.hex() == vector["plaintext"]


@pytest.mark.parametrize("vector", VECTORS["sealed_values"], ids=lambda vector: vector["attribute"])
@pytest.mark.parametrize("field", ["client", "purpose", "table", "pk", "sk", "attribute"])
def test_sealed_value_opens_nowhere_else(vector: dict[str, Any], field: str) -> None:
    moved = vector | {field: vector[field] + "x"}
    _, salt, nonce, ciphertext = take_apart(bytes.fromhex(vector["sealed"]))
    with pytest.raises(InvalidTag):
        AESGCM(record_key(moved, salt)).decrypt(nonce, ciphertext, additional_data(moved))


@pytest.mark.parametrize("vector", VECTORS["blind_indexes"], ids=lambda vector: vector["value"])
def test_blind_index_is_equal(vector: dict[str, Any]) -> None:
    mac = hmac.HMAC(bytes.fromhex(vector["data_key"]), hashes.SHA256())
    fields = (vector[name].encode() for name in ("version", "client", "field", "value"))
    mac.update(length_prefixed(b"card-enrollment/blind-index", *fields))
    assert mac.finalize().hex() == vector["index"]


def test_documentation_has_the_same_vectors() -> None:
    page = (ROOT / "docs/envelope.md").read_text()
    shown = set(re.findall(r"\b[0-9a-f]{64,}\b", page))
    expected = {vector["sealed"] for vector in VECTORS["sealed_values"]}
    expected |= {vector["index"] for vector in VECTORS["blind_indexes"]}
    assert expected <= shown, "docs/envelope.md shows other vectors than tests/vectors/envelope.json"
