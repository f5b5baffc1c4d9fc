"""Mastercard's own OAuth signers, the Python and the npm package, with a nonce and a time of the test's choice."""

import json
import re
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import oauth1.coreutils as util
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from oauth1.oauth import OAuth, SignatureMethod

from interop.servers import PATIENCE, node

OFFICIAL = Path(__file__).parent / "official"
CONSUMER_KEY = "uLXKmWNmIkzIGKfA2injnNQqpZaxaBSKxa3ixEVu2f283c95!33b9b2bd960147e387fa6f3f238f07170000000000000000"


@dataclass(frozen=True)
class Request:
    """Request to sign."""

    method: str
    url: str
    body: bytes = b""
    nonce: str = "Wpe3LF09z1e3xQRI"
    timestamp: int = 1626728330
    pss: bool = False


@dataclass(frozen=True)
class Signed:
    """Header of a request, and the signature base string behind it."""

    header: str
    base: str

    def parameter(self, name: str) -> str:
        parameters: dict[str, str] = dict(re.findall(r'(\w+)="([^"]*)"', self.header))
        return parameters[name]


def by_python(request: Request, key: rsa.RSAPrivateKey) -> Signed:
    """Signs with the package `mastercard-oauth1-signer` of PyPI."""
    bases: list[str] = []
    sign = OAuth.sign_message

    def kept(message: str, *rest: object, **named: object) -> str:
        bases.append(message)
        return str(sign(message, *rest, **named))

    scheme = SignatureMethod.RSA_PSS_SHA256 if request.pss else SignatureMethod.RSA_SHA256
    with (
        mock.patch.object(util, "get_nonce", return_value=request.nonce),
        mock.patch.object(util, "get_timestamp", return_value=request.timestamp),
        mock.patch.object(OAuth, "sign_message", kept),
    ):
        header = OAuth.get_authorization_header(
            request.url, request.method, request.body, CONSUMER_KEY, key, signature_method=scheme
        )
    return Signed(header, bases[0])


def by_npm(requests: list[Request], key: rsa.RSAPrivateKey) -> list[Signed]:
    """Signs with the package `mastercard-oauth1-signer` of npm."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    asked = [
        {
            "method": request.method,
            "url": request.url,
            "body": b64encode(request.body).decode(),
            "consumerKey": CONSUMER_KEY,
            "nonce": request.nonce,
            "timestamp": request.timestamp,
            "pss": request.pss,
        }
        for request in requests
    ]
    done = subprocess.run(
        [node(), str(OFFICIAL / "sign.mjs")],
        input=json.dumps({"key": pem, "requests": asked}),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return [Signed(**signed) for signed in json.loads(done.stdout)]
