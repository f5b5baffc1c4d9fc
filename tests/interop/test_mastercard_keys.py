"""`enrollctl keys` beside OpenSSL, Python's `cryptography` and `jwcrypto`."""

import http.server
import json
import ssl
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwcrypto import jwk

from interop.enrollctl import enrollctl
from local_system.stack import Stack

PASSWORD = "keystorepassword"


def openssl(*arguments: str | Path, given: bytes = b"") -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def sha_256(content: bytes) -> str:
    return openssl("dgst", "-sha256", "-r", given=content).decode().split()[0]


def own_key(folder: Path) -> Path:
    file = folder / "key.pem"
    assert enrollctl("keys", "new", str(file), "--public", str(folder / "public.pem")).code == 0
    return file


def test_new_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = own_key(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    private = load_pem_private_key(file.read_bytes(), None)
    public = load_pem_public_key((tmp_path / "public.pem").read_bytes())
    assert private.public_key() == public
    before = file.read_bytes()
    again = enrollctl("keys", "new", str(file))
    assert (again.code, file.read_bytes()) == (1, before)
    assert "already exists" in again.err


def test_request_is_signed_by_its_key(tmp_path: Path) -> None:
    file = own_key(tmp_path)
    subject = ["--common-name", "Größe Bank", "--organization", "Demo", "--country", "DE"]
    request = enrollctl("keys", "csr", "--key", str(file), *subject).out
    parsed = x509.load_pem_x509_csr(request.encode())
    assert parsed.is_signature_valid
    assert parsed.subject.rfc4514_string() == "C=DE,O=Demo,CN=Größe Bank"
    assert parsed.public_key() == load_pem_public_key((tmp_path / "public.pem").read_bytes())
    openssl("req", "-verify", "-noout", given=request.encode())
    assert enrollctl("keys", "csr", "--key", str(file), "--common-name", "a", "--country", "Germany").code == 1


@pytest.mark.parametrize("algorithm", ["today", "RC2-40", "RC2-128"])
def test_fingerprints_are_those_of_openssl(tmp_path: Path, algorithm: str) -> None:
    file = own_key(tmp_path)
    certificate = openssl("req", "-x509", "-key", file, "-subj", "/CN=a", "-days", "9")
    (tmp_path / "certificate.pem").write_bytes(certificate)
    container, password = tmp_path / "key.p12", tmp_path / "password"
    password.write_text(PASSWORD)
    old = ["-legacy", "-macalg", "sha1"]
    old += ["-certpbe", f"PBE-SHA1-{algorithm}", "-keypbe", f"PBE-SHA1-{algorithm}"]
    openssl(
        *("pkcs12", "-export", "-inkey", file, "-in", tmp_path / "certificate.pem"),
        *("-passout", f"pass:{PASSWORD}", "-out", container),
        *([] if algorithm == "today" else old),
    )
    told = enrollctl("keys", "fingerprint", str(container), "--password-file", str(password))
    if algorithm == "RC2-128":
        assert (told.code, told.out) == (1, "")
        assert "openssl pkcs12 -legacy" in told.err
        return
    shown = dict(line.split("  ", 1) for line in told.out.splitlines())
    shown = {name.strip(): value.strip() for name, value in shown.items()}
    assert shown["key fingerprint"] == sha_256(openssl("pkey", "-in", file, "-pubout", "-outform", "DER"))
    assert shown["certificate fingerprint"] == sha_256(openssl("x509", "-outform", "DER", given=certificate))


@contextmanager
def serving(stack: Stack, folder: Path, content: str) -> Iterator[str]:
    """Serves a key list by https with the local system's certificate."""
    for name in ("server.pem", "server.key.pem"):
        (folder / name).write_bytes(stack.pem(f"pki/{name}"))

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content.encode())))
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}/keys"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_key_of_a_list_is_taken_by_its_fingerprint(stack: Stack, tmp_path: Path) -> None:
    used = jwk.JWK.generate(kty="RSA", size=2048, kid="20230207223521-fpan", use="enc", alg="RSA-OAEP-256")
    newer = jwk.JWK.generate(kty="RSA", size=2048, kid="20260101000000-fpan", use="enc", alg="RSA-OAEP-256")
    older = jwk.JWK.generate(kty="RSA", size=2048, kid="20200101000000-fpan", use="enc")
    other = jwk.JWK.generate(kty="EC", crv="P-256", kid="ec")
    keys = [json.loads(key.export_public()) for key in (older, other, used, newer)]
    (tmp_path / "ca.pem").write_bytes(stack.pem("pki/ca.pem"))
    pem = used.export_to_pem()
    fingerprint = sha_256(openssl("pkey", "-pubin", "-outform", "DER", given=pem))
    out = tmp_path / "taken.pem"
    trust = ["--authorities", str(tmp_path / "ca.pem")]
    with serving(stack, tmp_path, json.dumps({"keys": keys})) as address:
        table = enrollctl("keys", "fetch", address, *trust)
        assert (table.code, len(table.out.splitlines())) == (0, 3), table.err
        assert f"kid 20230207223521-fpan  use enc  alg RSA-OAEP-256  RSA 2048  fingerprint {fingerprint}" in table.out
        taken = enrollctl("keys", "fetch", address, *trust, "--fingerprint", fingerprint.upper(), "--out", str(out))
        assert taken.code == 0, taken.err
        assert out.read_bytes() == pem
        assert "newer key for encryption: kid 20260101000000-fpan" in taken.err
        assert "20200101000000" not in taken.err
        missing = enrollctl("keys", "fetch", address, *trust, "--fingerprint", "0" * 64)
        assert (missing.code, missing.out.partition(":")[0]) == (1, "no key of the list has this fingerprint")
        assert enrollctl("keys", "fetch", address, "--fingerprint", fingerprint).code == 2, "the server is not trusted"
    assert enrollctl("keys", "fetch", address.replace("https", "http")).code == 2
