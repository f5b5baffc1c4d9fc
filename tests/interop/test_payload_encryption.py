"""JWE and field-level encryption beside Mastercard's own packages and `jwcrypto`: each reads what the other encrypts.

The official packages verify less: Python's no tag, the npm package not that of A128CBC-HS256. `enrollctl` verifies all.
"""

import json
import random
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from jwcrypto import jwe, jwk

from interop.enrollctl import Result, enrollctl
from interop.official_encryption import (
    FieldForm,
    KeyFiles,
    fields_by_python,
    fields_read_by_python,
    jwe_by_python,
    jwe_read_by_python,
    npm,
    npm_fields,
    npm_jwe,
)

SEED = 34
COUNT = 12
FORMS = [FieldForm(encoding, name) for encoding in ["hex", "base64"] for name in ["SHA256", "SHA512"]]
READ = ["A128GCM", "A192GCM", "A256GCM", "A128CBC-HS256"]
TEXTS = ["5123450000000008", "Zoë Größe", 'a"b\\c/d', "line\nline", "日本", "😀", "+/=_-", "true story"]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyFiles:
    return KeyFiles.made(tmp_path_factory.mktemp("receiver"))


def value(source: random.Random, depth: int = 0) -> Any:
    """JSON of any shape; no empty or false value, which the npm package does not encrypt."""
    match source.randrange(3 if depth > 2 else 5):
        case 0:
            return source.choice(TEXTS)
        case 1:
            return source.randrange(1, 10**9)
        case 2:
            return True
        case 3:
            return [value(source, depth + 1) for _ in range(source.randrange(1, 4))]
        case _:
            return {source.choice(TEXTS): value(source, depth + 1) for _ in range(source.randrange(1, 4))}


def payloads() -> list[dict[str, Any]]:
    source = random.Random(SEED)
    cards = [{"externalCardId": f"c{index}", "primaryAccountNumber": "5123450000000008"} for index in range(250)]
    return [{"cards": cards}, *({"a": value(source), "b": value(source)} for _ in range(COUNT))]


def encrypted(keys: KeyFiles, payload: Any, *arguments: str) -> str:
    given = json.dumps(payload, ensure_ascii=False)
    ran = enrollctl("jwe", "encrypt", "--key", str(keys.certificate), *arguments, given=given)
    assert ran.code == 0, ran.err
    return ran.out.strip()


def decrypted(keys: KeyFiles, compact: str) -> Result:
    return enrollctl("jwe", "decrypt", "--key", str(keys.key), given=compact)


def jose_key(keys: KeyFiles) -> jwk.JWK:
    return jwk.JWK.from_pem(keys.key.read_bytes())


def jwe_by_jwcrypto(keys: KeyFiles, payload: Any, enc: str, **header: str) -> str:
    protected = json.dumps({"alg": "RSA-OAEP-256", "enc": enc, **header})
    made = jwe.JWE(json.dumps(payload).encode(), protected)
    made.add_recipient(jose_key(keys))
    return str(made.serialize(compact=True))


def header_of(compact: str) -> dict[str, str]:
    part = compact.split(".")[0]
    read: dict[str, str] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return read


def changed(compact: str, part: int) -> str:
    """Flips a bit in the middle of a part."""
    parts = compact.replace("/", "_").split(".")
    content = bytearray(urlsafe_b64decode(parts[part] + "=="))
    content[len(content) // 2] ^= 1
    parts[part] = urlsafe_b64encode(content).decode().rstrip("=")
    return ".".join(parts)


@pytest.mark.parametrize("enc", ["A128GCM", "A256GCM"])
def test_jwe_is_read_by_all(keys: KeyFiles, enc: str) -> None:
    made = [(payload, encrypted(keys, payload, "--enc", enc)) for payload in payloads()]
    by_npm = npm(keys, [npm_jwe("decrypt", {"encryptedData": compact}) for _, compact in made])
    for (payload, compact), answer in zip(made, by_npm, strict=True):
        opened = jwe.JWE()
        opened.deserialize(compact, jose_key(keys))
        assert json.loads(opened.payload) == payload
        assert jwe_read_by_python(keys, compact) == payload
        assert answer["body"] == payload


def test_header_is_the_configured_one(keys: KeyFiles, tmp_path: Path) -> None:
    listed = jwk.JWK.from_pem(keys.certificate.read_bytes()).export_public(as_dict=True)
    other = jwk.JWK.generate(kty="RSA", size=2048).export_public(as_dict=True)
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [other | {"kid": "x"}, listed | {"kid": "k", "use": "enc"}]}), "utf-8")
    ran = enrollctl("jwe", "encrypt", "--key", str(file), "--kid", "k", given="{}")
    assert ran.code == 0, ran.err
    assert header_of(ran.out) == {"kid": "k", "alg": "RSA-OAEP-256", "enc": "A128GCM"}
    assert decrypted(keys, ran.out).out == "{}"
    unchosen = enrollctl("jwe", "encrypt", "--key", str(file), given="{}")
    assert unchosen.code == 1
    assert "is a key list of 2 RSA keys; choose one with --kid" in unchosen.err

    # Without a name of its own a key is named by its fingerprint, as in the official packages.
    full = encrypted(keys, {}, "--key-id", "--enc", "A256GCM", "--cty", "application/json")
    fingerprint = header_of(jwe_by_python(keys, {}))["kid"]
    assert header_of(full) == {
        "keyId": fingerprint,
        "cty": "application/json",
        "alg": "RSA-OAEP-256",
        "enc": "A256GCM",
    }


def test_jwes_of_all_are_read(keys: KeyFiles) -> None:
    every = payloads()
    by_npm = npm(keys, [npm_jwe("encrypt", payload) for payload in every])
    slashes = 0
    for payload, answer in zip(every, by_npm, strict=True):
        compact = answer["body"]["encryptedData"]
        slashes += compact.count("/")
        for foreign in [
            compact,
            jwe_by_python(keys, payload),
            *(jwe_by_jwcrypto(keys, payload, enc) for enc in READ),
        ]:
            ran = decrypted(keys, foreign)
            assert ran.code == 0, ran.err
            assert json.loads(ran.out) == payload
    assert slashes > 0, "the npm package writes base64url now"


def test_headers_of_others_are_read(keys: KeyFiles) -> None:
    kid = "20230207223521-sandbox-fpan-encryption-src-mastercard-int"
    for header in [{"kid": kid}, {"keyId": kid, "iat": "1675808721"}, {"kid": kid, "cty": "application/json"}]:
        assert decrypted(keys, jwe_by_jwcrypto(keys, {"a": 1}, "A128GCM", **header)).out == '{"a": 1}'


def test_changed_jwes_are_refused(keys: KeyFiles) -> None:
    payload = {"a": "text"}
    by_npm = npm(keys, [npm_jwe("encrypt", payload)])[0]["body"]["encryptedData"]
    made = [by_npm, jwe_by_python(keys, payload), encrypted(keys, payload)]
    for compact in [*made, *(jwe_by_jwcrypto(keys, payload, enc) for enc in READ)]:
        assert decrypted(keys, compact).code == 0
        for part in [1, 2, 3, 4]:
            ran = decrypted(keys, changed(compact, part))
            assert (ran.code, ran.out) == (1, "")
            assert "can't be decrypted with this key" in ran.err


def test_python_package_verifies_no_tag(keys: KeyFiles) -> None:
    """The reason to verify it here: if it fails, ADR 34 has to change."""
    payload = {"a": "text"}
    assert jwe_read_by_python(keys, changed(encrypted(keys, payload), 4)) == payload


def fields(keys: KeyFiles, what: str, form: FieldForm, payload: Any, *arguments: str) -> Any:
    paths = {"encrypt": "$.data=$.encrypted", "decrypt": "$.encrypted=$.data"}
    key = keys.certificate if what == "encrypt" else keys.key
    hash_function = ["--hash", form.hash] if what == "encrypt" else []
    ran = enrollctl(
        *("field", what, "--key", str(key), "--path", paths[what], *form.arguments, *hash_function, *arguments),
        given=json.dumps(payload),
    )
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def field_payloads() -> list[dict[str, Any]]:
    source = random.Random(SEED)
    return [{"data": value(source), "other": 1} for _ in range(COUNT)]


def misread(part: Any) -> Any:
    """Part as the npm package reads it: it takes UTF-8 for Latin-1. JSON is in ASCII for its sake; a text can't be."""
    return part.encode().decode("latin-1") if isinstance(part, str) else part


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_fields_are_read_by_all(keys: KeyFiles, form: FieldForm) -> None:
    made = [(payload, fields(keys, "encrypt", form, payload)) for payload in field_payloads()]
    by_npm = npm(keys, [npm_fields("decrypt", form, body) for _, body in made])
    for (payload, body), answer in zip(made, by_npm, strict=True):
        assert fields_read_by_python(keys, form, body) == payload
        assert answer["body"]["data"] == misread(payload["data"])


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_fields_of_all_are_read(keys: KeyFiles, form: FieldForm) -> None:
    every = field_payloads()
    by_npm = npm(keys, [npm_fields("encrypt", form, payload) for payload in every])
    for payload, answer in zip(every, by_npm, strict=True):
        for body in [answer["body"], fields_by_python(keys, form, payload)]:
            assert set(body["encrypted"]) >= {"encryptedData", "encryptedKey", "iv", "oaepPaddingDigestAlgorithm"}
            assert fields(keys, "decrypt", form, body) == payload


def test_fingerprints_are_those_of_python(keys: KeyFiles) -> None:
    form = FieldForm()
    ours = fields(keys, "encrypt", form, {"data": "text"})["encrypted"]
    theirs = fields_by_python(keys, form, {"data": "text"})["encrypted"]
    assert set(ours) == set(theirs)
    for name in ["encryptionCertificateFingerprint", "encryptionKeyFingerprint", "oaepPaddingDigestAlgorithm"]:
        assert ours[name] == theirs[name]


def test_values_in_header_fields(keys: KeyFiles, tmp_path: Path) -> None:
    form, payload = FieldForm(), {"data": {"a": "text"}}
    file = tmp_path / "headers"
    arguments = ["--names", "headers", "--headers", str(file)]
    body = fields(keys, "encrypt", form, payload, *arguments)
    assert list(body["encrypted"]) == ["encryptedData"]
    headers = dict(line.split(": ") for line in file.read_text("utf-8").splitlines())
    assert npm(keys, [npm_fields("decrypt", form, body, headers)])[0]["body"] == payload["data"]

    answer = npm(keys, [npm_fields("encrypt", form, payload, {"accept": "a"})])[0]
    file.write_text("".join(f"{name}: {value}\r\n" for name, value in answer["headers"].items()), "utf-8")
    assert fields(keys, "decrypt", form, answer["body"], *arguments) == payload


def test_changed_key_of_fields_is_refused(keys: KeyFiles) -> None:
    body = fields(keys, "encrypt", FieldForm(), {"data": {"a": "text"}})
    wrapped = body["encrypted"]["encryptedKey"]
    body["encrypted"]["encryptedKey"] = wrapped[:-1] + ("0" if wrapped[-1] != "0" else "1")
    arguments = ["--key", str(keys.key), "--path", "$.encrypted=$.data", *FieldForm().arguments]
    ran = enrollctl("field", "decrypt", *arguments, given=json.dumps(body))
    assert (ran.code, ran.out) == (1, "")
    assert "can't be decrypted with this key" in ran.err


def test_text_that_reads_as_json_returns_as_json(keys: KeyFiles) -> None:
    form = FieldForm()
    body = fields(keys, "encrypt", form, {"data": "5123"})
    assert fields(keys, "decrypt", form, body) == {"data": 5123}
    assert npm(keys, [npm_fields("decrypt", form, body)])[0]["body"]["data"] == 5123
    assert fields_read_by_python(keys, form, body) == {"data": 5123}
