"""Tokens signed by another library: valid ones open the widget, forged ones do not."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from local_system.partner import Partner, open_with
from local_system.stack import Stack


def test_token_of_pyjwt_opens_the_widget(partner: Partner, stack: Stack) -> None:
    opening = partner.open()
    assert opening.status == "OPENED"
    page = requests.get(opening.location.partition("#")[0], timeout=30)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"

    bearer = {"Authorization": f"Bearer {opening.session}"}
    form = requests.get(f"{stack.api}/widget/api/enroll", headers=bearer, timeout=30)
    assert form.status_code == 200
    assert form.json()["action"] == "N"


def test_all_documented_claims_are_accepted(partner: Partner, stack: Stack) -> None:
    opening = partner.open(language="en_US", last4="0123", nbf=0, aud=stack.api, extra={"a": [1, None]})
    assert opening.status == "OPENED"


@pytest.mark.parametrize(
    "claim", ["language", "last4", "confirmationUrl", "ranac_url", "nbf", "aud", "jti", "returnUrl"]
)
def test_null_claim_counts_as_absent(partner: Partner, stack: Stack, claim: str) -> None:
    token = jwt.encode(partner.claims() | {claim: None}, own_key(stack), algorithm="RS256")
    assert open_with(stack, token).status == "OPENED"


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("{partner}/return?order=7", "{partner}/return?order=7"),
        ("HTTP://LOCALHOST:{port}/return", "{partner}/return"),
        ("com.example.demobank://return", "com.example.demobank://return"),
        (
            "intent://return#Intent;scheme=demobank;package=com.example.demobank;end",
            "intent://return#Intent;scheme=demobank;package=com.example.demobank;end",
        ),
    ],
)
def test_return_url_is_told_to_the_page(partner: Partner, stack: Stack, written: str, normal: str) -> None:
    names = {"partner": stack.partner, "port": stack.partner.rpartition(":")[2]}
    opening = partner.open(returnUrl=written.format(**names))
    bearer = {"Authorization": f"Bearer {opening.session}"}
    form = requests.get(f"{stack.api}/widget/api/enroll", headers=bearer, timeout=30)
    assert form.json()["returnUrl"] == normal.format(**names)


@pytest.mark.parametrize(
    "hostile",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "https://evil.example/",
        "//localhost/return",
        "{partner}@evil.example/",
        "http://localhost:1/",
        "https://localhost:{port}/",
        "http://localhost.:{port}/",
        "http://user@localhost:{port}/",
        "http://l\u043ecalhost:{port}/",
        "intent://return#Intent;scheme=demobank;end",
        "intent://return#Intent;package=com.example.demobank;package=com.evil;end",
        "com.example.demobank2:x",
    ],
)
def test_other_return_url_is_refused(partner: Partner, stack: Stack, hostile: str) -> None:
    names = {"partner": stack.partner, "port": stack.partner.rpartition(":")[2]}
    assert partner.open(returnUrl=hostile.format(**names)).status == "INVALID_PARAMETERS"


def test_audience_may_be_one_or_a_list(partner: Partner, stack: Stack) -> None:
    for audience in (stack.api, f"{stack.api}/", ["https://other.example", stack.api]):
        assert partner.open(aud=audience).status == "OPENED"
    assert partner.open(aud="https://other.example").status == "INVALID_PARAMETERS"


def test_byte_order_mark_is_removed(partner: Partner, stack: Stack) -> None:
    body = json.dumps({"initializeWebsiteToken": partner.token()}).encode("utf-8-sig")
    answer = requests.post(
        f"{stack.api}/company/non_auth_initialize",
        data=body,
        headers={"Content-Type": "application/json"},
        allow_redirects=False,
        timeout=30,
    )
    assert (answer.status_code, answer.headers["Enrollment-Status"]) == (302, "OPENED")


def test_extra_header_members_are_accepted(partner: Partner, stack: Stack) -> None:
    headers = {"kid": "not one of the client's", "x5t": "AAAA"}
    token = jwt.encode(partner.claims(), own_key(stack), algorithm="RS256", headers=headers)
    assert open_with(stack, token).status == "OPENED"


def test_other_key_is_refused(partner: Partner, stack: Stack) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert refused(stack, jwt.encode(partner.claims(), other, algorithm="RS256"))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS512"])
def test_only_rs256_is_accepted(partner: Partner, stack: Stack, algorithm: str) -> None:
    assert refused(stack, jwt.encode(partner.claims(), own_key(stack), algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "HS256"])
def test_other_key_types_are_refused(partner: Partner, stack: Stack, algorithm: str) -> None:
    keys: dict[str, Any] = {
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "HS256": "a secret that the partner and the product do not share",
    }
    assert refused(stack, jwt.encode(partner.claims(), keys[algorithm], algorithm=algorithm))


def test_unsigned_token_is_refused(partner: Partner, stack: Stack) -> None:
    assert refused(stack, jwt.encode(partner.claims(), "", algorithm="none"))


def test_public_key_is_no_hmac_secret(partner: Partner, stack: Stack) -> None:
    # By hand: PyJWT refuses to make such a token.
    text = f"{segment({'typ': 'JWT', 'alg': 'HS256'})}.{segment(partner.claims())}"
    signature = hmac.digest(stack.pem("demo/public-key.pem"), text.encode(), hashlib.sha256)
    assert refused(stack, f"{text}.{base64url(signature)}")


def test_changed_claim_is_refused(partner: Partner, stack: Stack) -> None:
    header, _, signature = partner.token().split(".")
    assert refused(stack, f"{header}.{segment(partner.claims(sub='somebody else'))}.{signature}")


def refused(stack: Stack, token: str) -> bool:
    opening = open_with(stack, token)
    return opening.status == "ACCESS_DENIED" and "#status=ACCESS_DENIED&incident=" in opening.location


def own_key(stack: Stack) -> bytes:
    return stack.pem("demo/private-key.pem")


def segment(content: dict[str, Any]) -> str:
    return base64url(json.dumps(content).encode())


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
