"""Mastercard's own encryption of payloads, the Python and the npm package, and the keys of a test."""

import json
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from client_encryption import field_level_encryption, jwe_encryption
from client_encryption.field_level_encryption_config import FieldLevelEncryptionConfig
from client_encryption.jwe_encryption_config import JweEncryptionConfig
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from interop.servers import PATIENCE, node

OFFICIAL = Path(__file__).parent / "official"
VALUE = "encryptedData"


@dataclass(frozen=True)
class KeyFiles:
    """Private key and certificate of a receiver, in PEM files."""

    key: Path
    certificate: Path

    @staticmethod
    def made(folder: Path) -> "KeyFiles":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver")])
        now = datetime.now(timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        files = KeyFiles(folder / "key.pem", folder / "certificate.pem")
        files.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        return files


@dataclass(frozen=True)
class FieldForm:
    """Form of a payload with the encrypted member `encrypted`, made of the member `data`."""

    encoding: str = "hex"
    hash: str = "SHA256"

    @property
    def dashed_hash(self) -> str:
        return self.hash.replace("SHA", "SHA-")

    @property
    def arguments(self) -> list[str]:
        """Options of `enrollctl field` besides the paths."""
        return ["--encoding", self.encoding, "--name", f"value={VALUE}"]


def python_jwe(keys: KeyFiles) -> Any:
    return JweEncryptionConfig(
        {
            "paths": {"$": {"toEncrypt": {"$": "$"}, "toDecrypt": {VALUE: "$"}}},
            "encryptedValueFieldName": VALUE,
            "encryptionCertificate": str(keys.certificate),
            "decryptionKey": str(keys.key),
        }
    )


def jwe_by_python(keys: KeyFiles, payload: dict[str, Any]) -> str:
    return str(jwe_encryption.encrypt_payload(payload, python_jwe(keys))[VALUE])


def jwe_read_by_python(keys: KeyFiles, compact: str) -> Any:
    return jwe_encryption.decrypt_payload({VALUE: compact}, python_jwe(keys))


def python_fields(keys: KeyFiles, form: FieldForm) -> Any:
    return FieldLevelEncryptionConfig(
        {
            "paths": {"$": {"toEncrypt": {"data": "encrypted"}, "toDecrypt": {"encrypted": "data"}}},
            "encryptedValueFieldName": VALUE,
            "encryptedKeyFieldName": "encryptedKey",
            "ivFieldName": "iv",
            "oaepPaddingDigestAlgorithmFieldName": "oaepPaddingDigestAlgorithm",
            "encryptionCertificateFingerprintFieldName": "encryptionCertificateFingerprint",
            "encryptionKeyFingerprintFieldName": "encryptionKeyFingerprint",
            "oaepPaddingDigestAlgorithm": form.dashed_hash,
            "dataEncoding": form.encoding,
            "encryptionCertificate": str(keys.certificate),
            "decryptionKey": str(keys.key),
        }
    )


def fields_by_python(keys: KeyFiles, form: FieldForm, payload: dict[str, Any]) -> Any:
    return field_level_encryption.encrypt_payload(payload, python_fields(keys, form))


def fields_read_by_python(keys: KeyFiles, form: FieldForm, payload: dict[str, Any]) -> Any:
    return field_level_encryption.decrypt_payload(payload, python_fields(keys, form))


def npm(keys: KeyFiles, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs calls of the npm package, see `official/encrypt.mjs`."""
    asked = {"certificate": str(keys.certificate), "key": str(keys.key), "calls": calls}
    done = subprocess.run(
        [node(), str(OFFICIAL / "encrypt.mjs")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    for answer in answers:
        assert "error" not in answer, answer["error"]
    return answers


def npm_jwe(what: str, body: Any) -> dict[str, Any]:
    """Call of the npm package for a JWE."""
    paths = {
        "path": "/resource",
        "toEncrypt": [{"element": "$", "obj": "$"}],
        "toDecrypt": [{"element": VALUE, "obj": "$"}],
    }
    config = {"paths": [paths], "encryptedValueFieldName": VALUE}
    return {"kind": "jwe", "do": what, "config": config, "headers": {}, "body": body}


def npm_fields(what: str, form: FieldForm, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Call of the npm package for fields, with the values in header fields if some are given."""
    paths = {
        "path": "/resource",
        "toEncrypt": [{"element": "data", "obj": "encrypted"}],
        "toDecrypt": [{"element": "encrypted", "obj": "data"}],
    }
    config: dict[str, Any] = {
        "encryptedValueFieldName": VALUE,
        "oaepPaddingDigestAlgorithm": form.dashed_hash,
        "dataEncoding": form.encoding,
        "publicKeyFingerprintType": "publicKey",
    }
    if headers is None:
        config |= {
            "paths": [paths],
            "encryptedKeyFieldName": "encryptedKey",
            "ivFieldName": "iv",
            "oaepHashingAlgorithmFieldName": "oaepPaddingDigestAlgorithm",
            "publicKeyFingerprintFieldName": "encryptionKeyFingerprint",
        }
    else:
        paths["toDecrypt"] = [{"element": "encrypted", "obj": "$"}]
        config |= {
            "paths": [paths],
            "encryptedKeyHeaderName": "x-encrypted-key",
            "ivHeaderName": "x-iv",
            "oaepHashingAlgorithmHeaderName": "x-oaep-padding-digest-algorithm",
            "publicKeyFingerprintHeaderName": "x-encryption-key-fingerprint",
        }
    return {"kind": "field", "do": what, "config": config, "headers": headers or {}, "body": body}
