"""The product's MRS client against third-party SOAP servers: JAX-WS, gSOAP and npm `soap`."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from interop.soap_servers import NAMES, OTHER_SCHEMA, Servers, call, serving
from local_system.stack import Stack


@pytest.fixture(scope="module")
def servers(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with serving(stack, tmp_path_factory.mktemp("soap")) as servers:
        yield servers


@pytest.fixture(params=NAMES)
def base(request: pytest.FixtureRequest, servers: Servers) -> str:
    return servers[request.param]


def test_card_is_enrolled_found_and_cancelled(stack: Stack, base: str) -> None:
    number = secrets.token_hex(10)
    reference = f"R-{number}"
    enrolled = call(stack, base, "enroll", number).outcome
    assert enrolled == {"outcome": "ok", "referenceId": reference, "customerId": 7}

    [account] = call(stack, base, "accounts", number).outcome["accounts"]
    account_id = account.pop("accountId")
    assert isinstance(account_id, int)
    assert account == {
        "referenceId": reference,
        "status": "GoodStanding",
        "last4": "0123",
        "customerId": 7,
        "product": "MRSDEMO",
        "program": "10765",
    }

    assert call(stack, base, "cancel", reference).outcome == {"outcome": "ok"}
    [cancelled] = call(stack, base, "accounts", number).outcome["accounts"]
    assert cancelled["status"] == "Cancelled"
    again = call(stack, base, "cancel", reference).outcome
    assert (again["outcome"], again["code"]) == ("fault", -10)


@pytest.mark.parametrize("code", [-45, -50, -1001])
def test_refused_enrollment_keeps_its_code(stack: Stack, base: str, code: int) -> None:
    refused = call(stack, base, "enroll", f"FAULT{code}")
    assert (refused.outcome["outcome"], refused.outcome["code"]) == ("fault", code)
    assert "Zoë's 5234 0000 0000 1450" in refused.outcome["text"], "the reason is there to be sealed"
    assert "5234" not in refused.log
    assert "Zo" not in refused.log


def test_refused_lookup_keeps_its_code(stack: Stack, base: str) -> None:
    refused = call(stack, base, "accounts", "FAULT-5").outcome
    assert (refused["outcome"], refused["code"]) == ("fault", -5)


def test_unknown_number_has_no_accounts(stack: Stack, base: str) -> None:
    assert call(stack, base, "accounts", "NOBODY").outcome == {"outcome": "ok", "accounts": []}


def test_echo_returns_unchanged(stack: Stack, base: str) -> None:
    # ISO-8859-1 is one of the returned encodings.
    text = "Good morning, Zoë & <André>"
    assert call(stack, base, "echo", text).outcome == {"outcome": "ok", "text": text}


def test_fault_without_code_leaves_outcome_open(stack: Stack, servers: Servers) -> None:
    """Calls a validating server with a schema that differs from the product's."""
    refused = call(stack, servers[OTHER_SCHEMA], "enroll", "B1")
    assert refused.outcome["outcome"] == "unknown"
    assert refused.outcome["text"]
    assert refused.outcome["text"] not in refused.log


@pytest.mark.parametrize("name", ["jaxws-qualified", "gsoap-1.1", "node-1.1-qualified"])
def test_server_certificate_is_refused(stack: Stack, servers: Servers, name: str) -> None:
    """The servers require a client certificate, like the real one; without it the other tests would prove less."""
    pki = Path(stack.local) / "pki"
    other = (pki / "server.pem", pki / "server.key.pem")
    assert call(stack, servers[name], "echo", "hello", certificate=other).outcome["outcome"] in ("unknown", "not_sent")
