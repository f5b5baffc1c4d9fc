"""Confirmations sent by the deployed function to receivers in other languages."""

import base64
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interop.servers import PASSWORD, built, key_store, node, program, running
from local_system.cards import Card
from local_system.operator import Operator
from local_system.partner import Partner
from local_system.receiver import PATIENCE
from local_system.stack import Stack
from local_system.submission import Submission

SOURCES = Path(__file__).parent / "receivers"

Delivery = tuple[str, Any]
"""Id of the message, and its body."""
Receiver = tuple[int, Callable[[], list[Delivery]]]
"""Port, and received messages."""


@contextmanager
def by_node(stack: Stack, folder: Path, kind: str) -> Iterator[Receiver]:
    file = folder / "came"
    pki = stack.local / "pki"
    server = (node(), str(SOURCES / "receiver.mjs"), kind, str(pki / "server.pem"), str(pki / "server.key.pem"))

    def came() -> list[Delivery]:
        requests = [json.loads(line) for line in lines(file)]
        for request in requests:
            assert request["method"] == "POST"
            assert request["httpVersion"] == ("2.0" if kind == "http2" else "1.1")
        return [(request["headers"]["webhook-id"], json.loads(request["body"])) for request in requests]

    with running(folder, f"node-{kind}", *server, str(file)) as port:
        yield port, came


@contextmanager
def by_java(stack: Stack, folder: Path, _kind: str) -> Iterator[Receiver]:
    file = folder / "came"
    built(folder, program("javac"), "-encoding", "UTF-8", "-d", ".", str(SOURCES / "Receiver.java"))
    server = (program("java"), "-cp", ".", "Receiver", str(key_store(stack, folder)), PASSWORD)

    def came() -> list[Delivery]:
        parts = [line.split(" ") for line in lines(file)]
        return [(message, json.loads(base64.b64decode(body))) for message, body in parts]

    with running(folder, "java", *server, str(file)) as port:
        yield port, came


def lines(file: Path) -> list[str]:
    """Complete lines; the file appears with the first."""
    text = file.read_text() if file.exists() else ""
    return text.split("\n")[:-1]


@contextmanager
def by_python(stack: Stack, _folder: Path, _kind: str) -> Iterator[Receiver]:
    """HTTP/1.0 server: the answer's body ends with the connection, without `close_notify`."""
    pki = stack.local / "pki"
    with listening(pki / "server.pem", pki / "server.key.pem") as receiver:
        yield receiver


@contextmanager
def listening(chain: Path, key: Path) -> Iterator[Receiver]:
    came: list[Delivery] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            came.append((self.headers["webhook-id"], body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"received")

        def log_message(self, *_: object) -> None:
            """Logs nothing: test failures are enough."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1], lambda: came
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "serve, kind",
    [(by_node, "http1"), (by_node, "http2"), (by_node, "odd"), (by_java, "java"), (by_python, "python")],
)
def test_confirmation_is_delivered_once(
    stack: Stack, card: Card, tmp_path: Path, serve: Callable[..., Any], kind: str
) -> None:
    operator = Operator(stack)
    with serve(stack, tmp_path, kind) as (port, came):
        event = enroll(operator.new_client(f"localhost:{port}"), card, port)
        [(message, body), *_] = eventually(came, bool)
        shown = eventually(lambda: operator.enrollctl("confirmations", "show", message), lambda line: "due" not in line)
        assert "  delivered " in shown
        assert shown.rstrip().endswith("1 attempt")
        assert came() == [(message, event)] == [(message, body)]


@pytest.mark.parametrize("reason", ["tls_expired", "tls_wrong_name", "tls_missing_intermediate", "tls_unknown_issuer"])
def test_certificate_refusal_shows_reason(stack: Stack, card: Card, tmp_path: Path, reason: str) -> None:
    operator = Operator(stack)
    authority, certificate = made(tmp_path, reason)
    with listening(certificate, certificate) as (port, came):
        client = operator.new_client(f"localhost:{port}")
        trust = ("confirmations", "trust", "--client", client.client_id, "--reference", "request 7")
        operator.enrollctl(*trust, "--authorities", str(authority))
        enroll(client, card, port)
        listing = ("confirmations", "list", "--client", client.client_id, "--due")
        shown = eventually(lambda: operator.enrollctl(*listing), lambda lines: "last " in lines)
        assert shown.rstrip().endswith(f"last {reason}")
        assert came() == []


def made(folder: Path, reason: str) -> tuple[Path, Path]:
    """Returns an authority to trust, and a server certificate with its key that is refused for this reason."""
    now = datetime.now(timezone.utc)
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "intermediate", "server")}

    def issue(name: str, issuer: str, *hosts: str) -> x509.Certificate:
        end = now - timedelta(days=1) if reason == "tls_expired" and hosts else now + timedelta(days=9)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(keys[name].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=not hosts, path_length=None), critical=True)
        )
        if hosts:
            names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(keys[issuer], hashes.SHA256())

    host = "other.example" if reason == "tls_wrong_name" else "localhost"
    if reason == "tls_unknown_issuer":
        # Of an unknown authority, with the chain sent properly.
        chain = [issue("server", "intermediate", host), issue("intermediate", "intermediate")]
    else:
        chain = [issue("server", "intermediate", host), issue("intermediate", "root")]
    if reason == "tls_missing_intermediate":
        chain = chain[:1]
    authority, certificate = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(issue("root", "root").public_bytes(serialization.Encoding.PEM))
    key = keys["server"].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    certificate.write_bytes(
        b"".join(certificate.public_bytes(serialization.Encoding.PEM) for certificate in chain) + key
    )
    return authority, certificate


def eventually(look: Callable[[], Any], there: Callable[[Any], bool]) -> Any:
    """Waits for the wanted output; a wake-up may be lost, so this can take until the next sweep."""
    end = time.monotonic() + PATIENCE
    while not there(seen := look()):
        assert time.monotonic() < end, seen
        time.sleep(0.3)
    return seen


def enroll(client: Stack, card: Card, port: int) -> dict[str, Any]:
    opening = Partner(client).open(confirmationUrl=f"https://localhost:{port}/told")
    event: dict[str, Any] = Submission(client, opening, card).enroll()
    assert event["status"] == "SUCCESS_ENROLLMENT", event
    return event
