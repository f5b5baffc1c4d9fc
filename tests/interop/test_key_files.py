"""Public keys written by other tools: each is accepted and verifies tokens, or is refused by name."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from interop.client_files import ClientFile, run
from local_system.partner import Partner, open_with
from local_system.stack import Stack

Pairs = dict[str, rsa.RSAPrivateKey]
"""Signing keys, by the file name of their public half."""

JAVA = ("encoder", "mime", "pem", "pkcs1-label", "der")
PASSWORD = "changeit"


def new_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def private_pem(key: Any) -> bytes:
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def certificate(key: Any, days: int = 1) -> x509.Certificate:
    """Self-signed certificate; expired if `days` is negative."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Größe & Söhne")])
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )


def written_by_python(folder: Path) -> Pairs:
    pairs: Pairs = {}

    def write(name: str, key: rsa.RSAPrivateKey, content: bytes) -> None:
        (folder / name).write_bytes(content)
        pairs[name] = key

    forms = {"spki": PublicFormat.SubjectPublicKeyInfo, "pkcs1": PublicFormat.PKCS1}
    for suffix, encoding in {"pem": Encoding.PEM, "der": Encoding.DER}.items():
        for name, form in forms.items():
            key = new_key()
            write(f"python-{name}-{suffix}", key, key.public_key().public_bytes(encoding, form))
        key = new_key()
        write(f"python-certificate-{suffix}", key, certificate(key).public_bytes(encoding))
    key = new_key()
    write("python-ended", key, certificate(key, days=-2).public_bytes(Encoding.PEM))
    for name, codec, line_end in (
        ("windows-mark", "utf-8-sig", "\r\n"),
        ("windows-utf-16", "utf-16", "\r\n"),
        ("one-line", "utf-8", ""),
        ("trailing-blanks", "utf-8", "  \t\n"),
        ("blank-lines", "utf-8", "\n\n"),
        ("json-string", "utf-8", "\\n"),
    ):
        key = new_key(3072)
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        write(name, key, pem.replace("\n", line_end).encode(codec))
    return pairs


def written_by_openssl(folder: Path) -> Pairs:
    pairs: Pairs = {}
    commands = {
        "openssl-pubout": ("rsa", "-pubout"),
        "openssl-pubout-text": ("rsa", "-pubout", "-text"),
        "openssl-pubout-der": ("rsa", "-pubout", "-outform", "DER"),
        "openssl-RSAPublicKey": ("rsa", "-RSAPublicKey_out"),
        "openssl-RSAPublicKey-der": ("rsa", "-RSAPublicKey_out", "-outform", "DER"),
        "openssl-x509": ("req", "-x509", "-days", "7", "-subj", "/CN=bank", "-key", "/dev/stdin"),
        "openssl-x509-text": ("req", "-x509", "-days", "7", "-subj", "/CN=bank", "-key", "/dev/stdin", "-text"),
        "openssl-x509-der": (
            "req",
            "-x509",
            "-days",
            "7",
            "-subj",
            "/CN=bank",
            "-key",
            "/dev/stdin",
            "-outform",
            "DER",
        ),
    }
    for name, command in commands.items():
        pairs[name] = new_key()
        (folder / name).write_bytes(run("openssl", *command, given=private_pem(pairs[name])))
    key = pairs["openssl-bag-attributes"] = new_key()
    archive = pkcs12.serialize_key_and_certificates(
        b"bank", key, certificate(key), None, BestAvailableEncryption(PASSWORD.encode())
    )
    (folder / "bank.p12").write_bytes(archive)
    unpacked = run("openssl", "pkcs12", "-in", folder / "bank.p12", "-nokeys", "-passin", f"pass:{PASSWORD}")
    assert unpacked.startswith(b"Bag Attributes")
    (folder / "openssl-bag-attributes").write_bytes(unpacked)
    pairs["openssl-exponent-3"] = loaded(run("openssl", "genrsa", "-3", "2048"))
    (folder / "openssl-exponent-3").write_bytes(
        run("openssl", "rsa", "-pubout", given=private_pem(pairs["openssl-exponent-3"]))
    )
    return pairs


def written_by_java(folder: Path) -> Pairs:
    run("java", Path(__file__).parent / "java/KeyFiles.java", folder)
    pairs = {name: loaded((folder / f"{name}.pkcs8").read_bytes()) for name in JAVA}
    store = ("-keystore", folder / "store.p12", "-storepass", PASSWORD, "-alias", "bank")
    run("keytool", "-genkeypair", "-keyalg", "RSA", "-keysize", "4096", "-dname", "CN=bank", *store)
    key, *_ = pkcs12.load_key_and_certificates((folder / "store.p12").read_bytes(), PASSWORD.encode())
    assert isinstance(key, rsa.RSAPrivateKey)
    for name, command in {
        "keytool-rfc": ("-exportcert", "-rfc"),
        "keytool-der": ("-exportcert",),
        "keytool-list": ("-list", "-rfc"),
    }.items():
        (folder / name).write_bytes(run("keytool", *command, *store))
        pairs[name] = key
    return pairs


def loaded(private: bytes) -> rsa.RSAPrivateKey:
    load = serialization.load_der_private_key if private[:1] == b"\x30" else serialization.load_pem_private_key
    key = load(private, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("keys")
    yield folder
    shutil.rmtree(folder)


def test_key_of_any_tool_verifies_tokens(stack: Stack, folder: Path) -> None:
    pairs = written_by_python(folder) | written_by_openssl(folder) | written_by_java(folder)
    file = ClientFile.like_demo(stack, folder).with_keys({name: name for name in pairs})
    applied = file.apply()
    assert applied.code == 0, applied.err
    again = file.apply()
    assert again.out == f"client '{file.name}': nothing to change\n", again.output
    # Keytool's three files belong to one pair, and the certificates' dates are shown.
    certificates = {name for name in pairs if "certificate" in name or "x509" in name or "keytool" in name}
    certificates |= {"python-ended", "openssl-bag-attributes"}
    names = list(pairs)
    reported = {
        names[int(line.split("[")[1].split("]")[0])] for line in applied.err.splitlines() if "its dates" in line
    }
    assert reported == certificates

    partner = Partner(replace(stack, client_id=file.name))
    for name, key in pairs.items():
        signed = jwt.encode(partner.claims(), key, algorithm="RS256", headers={"kid": name})
        assert open_with(stack, signed).status == "OPENED", name
    forged = jwt.encode(partner.claims(), new_key(), algorithm="RS256", headers={"kid": names[0]})
    assert open_with(stack, forged).status == "ACCESS_DENIED"


def refused_files(folder: Path) -> dict[str, tuple[bytes, str]]:
    """Contents with the beginning of their error messages, by kind."""
    key, small, ended = new_key(), new_key(1024), certificate(new_key(), days=-2)
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    of_certificate = ended.public_bytes(Encoding.PEM)

    def public(other: Any, encoding: Encoding = Encoding.PEM) -> bytes:
        content: bytes = other.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        return content

    request = x509.CertificateSigningRequestBuilder(ended.subject).sign(key, hashes.SHA256())
    archive = pkcs12.serialize_key_and_certificates(
        b"bank", key, certificate(key), None, BestAvailableEncryption(PASSWORD.encode())
    )
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    traditional = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x"))
    pss = run("openssl", "genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")
    (folder / "chain.pem").write_bytes(of_certificate)
    pkcs7 = run("openssl", "crl2pkcs7", "-nocrl", "-certfile", folder / "chain.pem")
    elliptic = ec.generate_private_key(ec.SECP256R1())
    return {
        "private key": (private_pem(key), "is a private key"),
        "private key in DER": (
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            "is a private key",
        ),
        "private key of PKCS#1": (
            key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
            "is a private key",
        ),
        "elliptic private key": (private_pem(elliptic), "is a private key"),
        "both halves": (pem + private_pem(key), "is a private key"),
        "encrypted private key": (encrypted, "is an encrypted private key"),
        "encrypted private key in DER": (
            key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
            "is an encrypted private key",
        ),
        "encrypted as OpenSSL did": (traditional, "is an encrypted private key"),
        "two keys": (pem + public(new_key()), "contains 2 keys or certificates"),
        "key and certificate": (of_certificate + pem, "contains 2 keys or certificates"),
        "chain": (of_certificate * 3, "contains 3 keys or certificates"),
        "short key": (public(small), "has 1024 bits"),
        "elliptic curve": (public(elliptic), "is an elliptic-curve key"),
        "certificate of an elliptic curve": (
            certificate(elliptic).public_bytes(Encoding.DER),
            "is an elliptic-curve key",
        ),
        "Ed25519": (public(ed25519.Ed25519PrivateKey.generate()), "is an Ed25519 key"),
        "DSA": (public(dsa.generate_private_key(2048)), "is a DSA key"),
        "RSASSA-PSS": (run("openssl", "pkey", "-pubout", given=pss), "is an RSASSA-PSS key"),
        "certificate request": (request.public_bytes(Encoding.PEM), "is a certificate request"),
        "certificate request in DER": (request.public_bytes(Encoding.DER), "is a certificate request"),
        "PKCS#12": (archive, "is a PKCS#12 file"),
        "PKCS#7": (pkcs7, "is a PKCS#7 file"),
        "OpenSSH": (key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH), "is an OpenSSH key"),
        "JWK": (jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()).encode(), "is JSON, perhaps a JWK"),
        "cut": (pem[:-40], "has a section PUBLIC KEY without an end"),
        "damaged": (pem.replace(b"\nMII", b"\nM!I"), "has a section PUBLIC KEY that is not base64"),
        "cut DER": (public(key, Encoding.DER)[:-1], "is damaged"),
        "UTF-16 without its mark": (pem.decode().encode("utf-16-le"), "has zero bytes"),
        "nothing": (b"", "contains no public key"),
    }


def test_other_content_is_refused_by_name(stack: Stack, folder: Path) -> None:
    for what, (content, start) in refused_files(folder).items():
        (folder / "refused").write_bytes(content)
        ran = ClientFile.like_demo(stack, folder).with_keys({"1": "refused"}).diff()
        assert (ran.code, ran.out) == (2, ""), what
        assert ran.err.startswith(f"keys[0]: {start}"), f"{what}: {ran.err}"
