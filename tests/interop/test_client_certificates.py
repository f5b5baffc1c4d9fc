"""Mutual TLS with the Mastercard stand-in: a client without a certificate of its CA gets a JSON error."""

from datetime import datetime, timedelta, timezone
from pathlib import Path
from xml.etree import ElementTree

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from local_system.stack import Stack

DIAGNOSTIC = "http://diagnostic.ws.mcrewards.mastercard.com/"
ECHO = f"""<?xml version="1.0" encoding="UTF-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"
            xmlns:d="{DIAGNOSTIC}"
            xmlns:c="http://common.ws.mcrewards.mastercard.com/">
  <s:Header><c:identity><c:appID></c:appID><c:institutionName>Demo</c:institutionName></c:identity></s:Header>
  <s:Body><d:doEcho>Good morning</d:doEcho></s:Body>
</s:Envelope>"""

Certificate = tuple[str, str]
"""Paths of the chain and the key, in PEM."""


@pytest.fixture
def own_certificate(stack: Stack) -> Certificate:
    return str(stack.local / "pki/client.pem"), str(stack.local / "pki/client.key.pem")


@pytest.fixture
def foreign_certificate(tmp_path: Path) -> Certificate:
    """Valid client certificate of an unknown authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, private = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(chain), str(private)


def test_client_certificate_is_accepted(stack: Stack, own_certificate: Certificate) -> None:
    answer = echo(stack, own_certificate)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    assert "Good morning" in "".join(ElementTree.fromstring(answer.content).itertext())


def test_missing_certificate_is_reported(stack: Stack) -> None:
    refuses(echo(stack, None))


def test_foreign_certificate_is_reported(stack: Stack, foreign_certificate: Certificate) -> None:
    refuses(echo(stack, foreign_certificate))


def test_server_certificate_is_refused(stack: Stack) -> None:
    refuses(echo(stack, (str(stack.local / "pki/server.pem"), str(stack.local / "pki/server.key.pem"))))


def refuses(answer: requests.Response) -> None:
    """The flat shape of the mutual TLS guide (`docs/sources.md#mutual-tls`)."""
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json"
    fault = answer.json()
    assert set(fault) == {"Source", "ReasonCode", "Description", "Recoverable"}
    assert (fault["Source"], fault["ReasonCode"]) == ("Gateway", "INVALID_CLIENT_CERT")
    assert fault["Recoverable"] is False
    assert "Good morning" not in answer.text


def echo(stack: Stack, certificate: Certificate | None) -> requests.Response:
    return requests.post(
        f"{stack.mastercard}/MRS/DiagnosticService",
        data=ECHO.encode(),
        headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{DIAGNOSTIC}doEcho"'},
        cert=certificate,
        verify=stack.authority,
        timeout=30,
    )
