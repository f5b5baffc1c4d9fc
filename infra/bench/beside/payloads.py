"""CPU time of Mastercard's Python package: arguments are certificate, batch and card; prints microseconds for each call."""

import json
import sys
import time
from collections.abc import Callable

from client_encryption import field_level_encryption, jwe_encryption
from client_encryption.field_level_encryption_config import FieldLevelEncryptionConfig
from client_encryption.jwe_encryption_config import JweEncryptionConfig

SHORTEST = 0.2
ROUNDS = 5


def microseconds(call: Callable[[], object]) -> float:
    """Least CPU time of a call, over rounds that are long enough to be measured."""
    call()
    least = float("inf")
    for _ in range(ROUNDS):
        calls, start = 0, time.process_time()
        while time.process_time() - start < SHORTEST:
            call()
            calls += 1
        least = min(least, (time.process_time() - start) / calls)
    return least * 1e6


def main(certificate: str, batch_file: str, card_file: str) -> None:
    with open(batch_file, encoding="utf-8") as file:
        batch = json.load(file)
    with open(card_file, encoding="utf-8") as file:
        card = json.load(file)
    jwe = JweEncryptionConfig(
        {
            "paths": {"$": {"toEncrypt": {"$": "$"}, "toDecrypt": {}}},
            "encryptedValueFieldName": "encryptedData",
            "encryptionCertificate": certificate,
        }
    )
    fields = FieldLevelEncryptionConfig(
        {
            "paths": {"$": {"toEncrypt": {"data": "encrypted"}, "toDecrypt": {}}},
            "encryptedValueFieldName": "encryptedValue",
            "encryptedKeyFieldName": "encryptedKey",
            "ivFieldName": "iv",
            "oaepPaddingDigestAlgorithmFieldName": "oaepPaddingDigestAlgorithm",
            "encryptionCertificateFingerprintFieldName": "encryptionCertificateFingerprint",
            "encryptionKeyFingerprintFieldName": "encryptionKeyFingerprint",
            "oaepPaddingDigestAlgorithm": "SHA-256",
            "dataEncoding": "hex",
            "encryptionCertificate": certificate,
        }
    )
    measured = {
        "jwe": microseconds(lambda: jwe_encryption.encrypt_payload(batch, jwe)),
        "field": microseconds(lambda: field_level_encryption.encrypt_payload(card, fields)),
    }
    print(json.dumps(measured))


main(*sys.argv[1:])
