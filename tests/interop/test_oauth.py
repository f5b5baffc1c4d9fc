"""OAuth 1.0a beside Mastercard's own signers: equal signatures for equal requests, each verified by the other side.

The official packages verify nothing, so their base strings and Python's `cryptography` do it.
"""

import json
import random
from base64 import b64decode
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from interop.enrollctl import Result, enrollctl
from interop.official_signers import CONSUMER_KEY, Request, Signed, by_npm, by_python

SEED = 12
COUNT = 60
ADDRESS = "https://sandbox.api.mastercard.com/a"
UNRESERVED = "abcXYZ019-._~"


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def folder(key: rsa.RSAPrivateKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the key pair."""
    made = tmp_path_factory.mktemp("oauth")
    (made / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (made / "public.pem").write_bytes(public)
    return made


def asked(request: Request, folder: Path) -> list[str]:
    """Arguments for a request."""
    arguments = ["--method", request.method, "--url", request.url]
    if request.body:
        body = folder / "body"
        body.write_bytes(request.body)
        arguments += ["--body", str(body)]
    return arguments


def caller(request: Request) -> list[str]:
    return [
        *("--consumer-key", CONSUMER_KEY, "--nonce", request.nonce, "--timestamp", str(request.timestamp)),
        *("--signature-method", "RSA-PSS" if request.pss else "RSA-SHA256"),
    ]


def by_enrollctl(request: Request, folder: Path) -> Signed:
    """Signs with `enrollctl`."""
    arguments = [*asked(request, folder), *caller(request)]
    base = enrollctl("oauth", "base-string", *arguments)
    assert base.code == 0, base.err
    header = enrollctl("oauth", "sign", *arguments, "--key", str(folder / "key.pem"))
    assert header.code == 0, header.err
    return Signed(header.out.strip(), base.out.strip())


def verified(request: Request, header: str, folder: Path) -> Result:
    """Verifies with `enrollctl`."""
    arguments = [*asked(request, folder), "--key", str(folder / "public.pem"), "--header", header]
    return enrollctl("oauth", "verify", *arguments)


def text(source: random.Random, letters: str, most: int) -> str:
    return "".join(source.choice(letters) for _ in range(source.randint(0, most)))


def generated() -> list[Request]:
    """Requests about which nobody disagrees: values that are unreserved or encoded throughout."""
    source = random.Random(SEED)
    requests = []
    for _ in range(COUNT):
        port = source.choice(["", ":8443"])
        path = "".join("/" + text(source, UNRESERVED, 6) for _ in range(source.randint(1, 3)))
        encoded = source.random() < 0.5
        letters = UNRESERVED + (" :/?#[]@!$&'()*+,;=%äß€" if encoded else "")
        # Names of one length: none begins with another.
        names = source.sample(range(100, 1000), source.randint(0, 4))
        pairs = [f"n{name}={quote(text(source, letters, 8), safe='')}" for name in names]
        if encoded and pairs:
            # At least one escape, so that all decide alike.
            pairs.append("x=%3A")
        query = "?" + "&".join(pairs) if pairs else ""
        body = source.choice([b"", source.randbytes(40), '{"größe":"7 €"}'.encode()])
        requests.append(
            Request(
                source.choice(["GET", "POST", "PUT", "DELETE", "PATCH"]),
                f"https://sandbox.api.mastercard.com{port}{path.replace('/.', '/x')}{query}",
                body,
                "n" + text(source, "abc123", 15),
                source.randint(10**9, 2 * 10**9),
            )
        )
    return requests


def test_signatures_are_those_of_the_official_signers(key: rsa.RSAPrivateKey, folder: Path) -> None:
    requests = generated()
    for request, npm in zip(requests, by_npm(requests, key), strict=True):
        ours, python = by_enrollctl(request, folder), by_python(request, key)
        assert ours.base == python.base, request
        assert ours.header == python.header, request
        if not npm_encodes_otherwise(request):
            assert npm.base == ours.base, request
            assert npm.parameter("oauth_signature") == ours.parameter("oauth_signature"), request


def npm_encodes_otherwise(request: Request) -> bool:
    """Whether the base string has a second `!` or `*`, or a character that encodeURIComponent leaves.

    Only the consumer key has a `!` here, and queries have such characters encoded.
    """
    return any(letter in unquote(request.url.partition("?")[0]) for letter in "!*'()")


def test_official_headers_are_verified(key: rsa.RSAPrivateKey, folder: Path) -> None:
    requests = generated()[:20]
    for request, npm in zip(requests, by_npm(requests, key), strict=True):
        for signed in (by_python(request, key), npm):
            assert verified(request, signed.header, folder).out == "valid\n", request


def test_pss_is_verified_in_both_directions(key: rsa.RSAPrivateKey, folder: Path) -> None:
    request = Request("POST", f"{ADDRESS}?x=1", b"{}", pss=True)
    for signed in (by_python(request, key), *by_npm([request], key)):
        assert verified(request, signed.header, folder).out == "valid\n"
    ours = by_enrollctl(request, folder)
    assert ours.base == by_python(request, key).base
    key.public_key().verify(
        b64decode(unquote(ours.parameter("oauth_signature"))),
        ours.base.encode(),
        padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32),
        hashes.SHA256(),
    )


# Queries on which the signers disagree: the query, then the parameters of ours, of Python and of npm (docs/adr/0033).
DISAGREEMENTS = {
    "one escape": ("a=x:y&b=%3A", "a=x%3Ay&b=%3A", "a=x%3Ay&b=%3A", "a=x:y&b=%3A"),
    "lower case": ("a=%2a", "a=%2A", "a=%2A", "a=%2a"),
    "plus with escape": ("a=x+y&b=%3A", "a=x%20y&b=%3A", "a=x%20y&b=%3A", "a=x+y&b=%3A"),
    "separator in a value": ("a=1%26b=2", "a=1%26b%3D2", "a=1%26b%3D2", "a=1%26b=2"),
    "name within a name": ("a-b=1&a=2", "a=2&a-b=1", "a-b=1&a=2", "a=2&a-b=1"),
}


@pytest.mark.parametrize("case", DISAGREEMENTS)
def test_disagreements_are_those_of_the_record(key: rsa.RSAPrivateKey, folder: Path, case: str) -> None:
    query, *expected = DISAGREEMENTS[case]
    request = Request("GET", f"{ADDRESS}?{query}")
    python, [npm] = by_python(request, key), by_npm([request], key)
    signed = [by_enrollctl(request, folder), python, npm]
    parameters = [unquote(one.base.split("&", 2)[2]) for one in signed]
    assert [one.partition("&oauth_")[0] for one in parameters] == expected
    for one in (python, npm):
        assert verified(request, one.header, folder).out == "valid\n", one.base


def test_repeated_parameter_is_kept(key: rsa.RSAPrivateKey, folder: Path) -> None:
    request = Request("GET", f"{ADDRESS}?a=1&a=1")
    assert by_enrollctl(request, folder).base == by_python(request, key).base
    [npm] = by_npm([request], key)
    assert verified(request, npm.header, folder).code == 1, "npm drops the second one"


def test_refusal_of_a_gateway_is_explained(key: rsa.RSAPrivateKey, folder: Path) -> None:
    request = Request("POST", f"{ADDRESS}?date=2020-09-01", b"{}")
    theirs = by_python(request, key).base.replace("2020", "2021")
    description = f"OAuth signatures did not match. Acceptable signature base string: {theirs}"
    error = {"Source": "Gateway", "ReasonCode": "AUTHENTICATION_FAILED", "Description": description}
    answer = json.dumps({"Errors": {"Error": [error]}})
    arguments = ["oauth", "base-string", *asked(request, folder), "--gateway", "-"]
    told = enrollctl(*arguments, given=answer)
    assert told.code == 1
    assert "date%3D202[1]-09-01" in told.out.splitlines()[0]
    assert "date%3D202[0]-09-01" in told.out.splitlines()[1]
    assert told.out.endswith("different in: date\n")
    assert enrollctl(*arguments, given=answer.replace("2021", "2020")).code == 0
    assert enrollctl(*arguments, given="{}").code == 2


def test_wrong_signature_is_explained(key: rsa.RSAPrivateKey, folder: Path) -> None:
    signed = by_python(Request("GET", ADDRESS), key)
    told = verified(Request("POST", ADDRESS), signed.header, folder)
    assert (told.code, told.out.splitlines()[0]) == (
        1,
        "not valid: the signature does not match: the method GET was signed",
    )
    told = verified(Request("GET", ADDRESS, b"{}"), signed.header, folder)
    assert (told.code, told.out.partition(":")[0]) == (1, "not valid")
    assert "the body hash does not match" in told.out
