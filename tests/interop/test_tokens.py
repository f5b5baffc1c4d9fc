"""A token that another library signed opens the widget, and one that is forged by its means does not."""

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


def test_a_token_signed_by_pyjwt_opens_the_widget(partner: Partner, stack: Stack) -> None:
    opening = partner.open()
    assert opening.status == "OPENED"
    page = requests.get(opening.location.partition("#")[0], timeout=30)
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"

    bearer = {"Authorization": f"Bearer {opening.session}"}
    form = requests.get(f"{stack.api}/widget/api/enroll", headers=bearer, timeout=30)
    assert form.status_code == 200
    assert form.json()["action"] == "N"


def test_every_claim_may_be_there_that_the_source_document_names(partner: Partner, stack: Stack) -> None:
    opening = partner.open(language="en_US", last4="0123", nbf=0, aud=stack.api, extra={"a": [1, None]})
    assert opening.status == "OPENED"


@pytest.mark.parametrize("claim", ["language", "last4", "confirmationUrl", "ranac_url", "nbf", "aud", "jti"])
def test_an_optional_claim_that_is_null_is_absent(partner: Partner, stack: Stack, claim: str) -> None:
    token = jwt.encode(partner.claims() | {claim: None}, own_key(stack), algorithm="RS256")
    assert open_with(stack, token).status == "OPENED"


def test_a_token_for_this_service_or_for_several_opens_the_widget(partner: Partner, stack: Stack) -> None:
    for audience in (stack.api, f"{stack.api}/", ["https://other.example", stack.api]):
        assert partner.open(aud=audience).status == "OPENED"
    assert partner.open(aud="https://other.example").status == "INVALID_PARAMETERS"


def test_a_byte_order_mark_before_the_body_is_taken_away(partner: Partner, stack: Stack) -> None:
    body = json.dumps({"initializeWebsiteToken": partner.token()}).encode("utf-8-sig")
    answer = requests.post(
        f"{stack.api}/company/non_auth_initialize",
        data=body,
        headers={"Content-Type": "application/json"},
        allow_redirects=False,
        timeout=30,
    )
    assert (answer.status_code, answer.headers["Enrollment-Status"]) == (302, "OPENED")


def test_a_header_may_say_more(partner: Partner, stack: Stack) -> None:
    headers = {"kid": "not one of the client's", "x5t": "AAAA"}
    token = jwt.encode(partner.claims(), own_key(stack), algorithm="RS256", headers=headers)
    assert open_with(stack, token).status == "OPENED"


def test_a_token_signed_with_another_key_is_refused(partner: Partner, stack: Stack) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert refused(stack, jwt.encode(partner.claims(), other, algorithm="RS256"))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS512"])
def test_no_algorithm_but_rs256_is_taken_even_from_the_right_key(
    partner: Partner, stack: Stack, algorithm: str
) -> None:
    assert refused(stack, jwt.encode(partner.claims(), own_key(stack), algorithm=algorithm))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "HS256"])
def test_no_other_kind_of_key_is_taken(partner: Partner, stack: Stack, algorithm: str) -> None:
    keys: dict[str, Any] = {
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "HS256": "a secret that the partner and the product do not share",
    }
    assert refused(stack, jwt.encode(partner.claims(), keys[algorithm], algorithm=algorithm))


def test_an_unsigned_token_is_refused(partner: Partner, stack: Stack) -> None:
    assert refused(stack, jwt.encode(partner.claims(), "", algorithm="none"))


def test_the_public_key_is_no_secret_to_sign_with(partner: Partner, stack: Stack) -> None:
    # By hand: PyJWT itself refuses to make such a token.
    text = f"{segment({'typ': 'JWT', 'alg': 'HS256'})}.{segment(partner.claims())}"
    signature = hmac.digest(stack.pem("demo/public-key.pem"), text.encode(), hashlib.sha256)
    assert refused(stack, f"{text}.{base64url(signature)}")


def test_a_claim_that_was_changed_after_signing_is_refused(partner: Partner, stack: Stack) -> None:
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
