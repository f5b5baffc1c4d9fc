"""Audit trail: commands that reveal, repair or resend are recorded; MRS's fault text is shown only by them."""

import re
import time
from collections.abc import Callable

import pytest

from interop import tables
from interop.enrollctl import Result, enrollctl
from interop.isolated_client import Customer, IsolatedClient
from local_system.rewards import Rewards

WORDS = "cvc-pattern-valid: Value "
"""Prefix of each value that the stand-in quotes."""
REASON = ("--reference", "ticket 9")
DIFFERENT = 1
PATIENCE = 90


@pytest.fixture
def customer(client: IsolatedClient) -> Customer:
    return client.customer()


@pytest.fixture
def incident(client: IsolatedClient, customer: Customer, rewards: Rewards) -> str:
    """Incident of an enrollment that the stand-in refused, quoting everything it was sent."""
    return refused(customer, rewards, quote=True)


def refused(customer: Customer, rewards: Rewards, **more: int) -> str:
    """Has an enrollment refused, and returns the incident id."""
    card = rewards.fresh_card()
    rewards.order(card, "enroll", "code-before", code=-45, **more)
    answer = customer.enrollment(card)
    assert answer.json()["statusCode"] == "-45"
    return answer.headers["incident-id"]


def test_fault_text_is_sealed(client: IsolatedClient, customer: Customer, incident: str) -> None:
    [interaction] = client.exported(customer)["interactions"]
    assert any("last_fault" in item.attributes for item in tables.readable_items(incident))
    for secret in (WORDS, "facet-valid", interaction["bankCustomerNumber"]):
        assert tables.readable_items(secret) == [], "it stands in a table"


def test_fault_text_is_revealed_and_audited(client: IsolatedClient, customer: Customer, incident: str) -> None:
    [interaction] = client.exported(customer)["interactions"]
    before = client.audit()
    ran = enrollctl("incident", incident, "--reveal", *REASON)
    assert ran.code == 0, ran.err
    assert f"client    {client.id}  program {client.stack.program_id}" in ran.out
    assert "MRS -45" in ran.out
    assert "call      enroll" in ran.out
    message = field(ran, "message")
    assert WORDS in message
    assert interaction["bankCustomerNumber"] in message
    assert len(message) < 5000, "of 2 KB, escaped"
    # The stand-in wrote a card number instead of an id.
    assert field(ran, "id") == "none given"
    assert WORDS not in ran.err
    [line] = client.audit()[len(before) :]
    assert (line["action"], line["records"], line["reference"]) == ("reveal incident", incident, "ticket 9")
    assert line["by"].startswith("arn:aws:")


def test_correlation_id_is_shown(customer: Customer, rewards: Rewards) -> None:
    ran = enrollctl("incident", refused(customer, rewards), "--reveal", *REASON)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", field(ran, "id")), ran.out


def test_fault_text_is_hidden_without_reveal(client: IsolatedClient, incident: str) -> None:
    ran = enrollctl("incident", incident)
    assert ran.code == 0, ran.err
    assert field(ran, "message") == "kept: see --reveal"
    assert WORDS not in ran.output
    assert client.audit() == []


def test_reveal_and_repair_need_a_reference(client: IsolatedClient, customer: Customer, incident: str) -> None:
    _, event = client.enroll_card(customer)
    client.change_status(event["ranac"], "CANCELLED")
    commands = [("incident", incident, "--reveal"), ("reconcile", client.id, "--repair", "--accept-differences", "1")]
    for command in commands:
        for ran in (enrollctl(*command), enrollctl(*command, "--reference", " ")):
            assert ran.code != 0, ran.output
            assert "--reference" in ran.err
            assert WORDS not in ran.output
    assert client.audit() == []
    assert [card["state"] for card in client.exported(customer)["cards"]] == ["active"]


def test_repair_is_audited_before_it_starts(client: IsolatedClient, customer: Customer) -> None:
    _, event = client.enroll_card(customer)
    client.change_status(event["ranac"], "CANCELLED")
    assert client.reconcile().code == DIFFERENT
    assert client.audit() == [], "comparing alone changes and reveals nothing"
    ran = client.reconcile("--repair", "--accept-differences", "1", "--reveal", *REASON)
    assert ran.code == 0, ran.output
    assert event["ranac"] in ran.out
    lines = client.audit()
    assert [(line["action"], line["records"], line["reference"]) for line in lines] == [
        ("repair differences", "accepted differences 1", "ticket 9"),
        ("reveal differences", "", "ticket 9"),
    ]


def test_confirmation_commands_are_audited(client: IsolatedClient, customer: Customer) -> None:
    client.receiver.status[0] = 410
    client.enroll_card(customer)
    message = client.receiver.next().headers["webhook-id"]
    parked = wait_for(lambda: enrollctl("confirmations", "list", "--client", client.id), message)
    assert client.receiver.host not in parked.output
    assert client.receiver.host not in enrollctl("confirmations", "show", message).output
    assert client.audit() == []

    shown = enrollctl("confirmations", "show", message, "--reveal", *REASON)
    assert client.receiver.host in shown.out
    assert enrollctl("confirmations", "replay", message, *REASON).code == 0
    assert client.receiver.next().headers["webhook-id"] == message
    wait_for(lambda: enrollctl("confirmations", "list", "--client", client.id), message)
    assert enrollctl("confirmations", "drop", message, "--yes", *REASON).code == 0
    lines = client.audit()
    assert [(line["action"], line["records"]) for line in lines] == [
        (f"{what} confirmation", message) for what in ("reveal", "replay", "drop")
    ]
    assert {line["reference"] for line in lines} == {"ticket 9"}


def test_customer_commands_are_audited(client: IsolatedClient, customer: Customer) -> None:
    client.enroll_card(customer)
    for what in ("show", "export"):
        assert client.customer_command(what, customer.id, reference="ticket 9").code == 0
    assert [(line["action"], line["reference"]) for line in client.audit()] == [
        ("show", "ticket 9"),
        ("export", "ticket 9"),
    ]


def field(ran: Result, name: str) -> str:
    """Value after a word at the start of a line."""
    [value] = [line.removeprefix(name).strip() for line in ran.out.splitlines() if line.startswith(f"{name} ")]
    return value


def wait_for(command: Callable[[], Result], word: str) -> Result:
    """Waits: the result of a delivery is stored after its answer."""
    end = time.monotonic() + PATIENCE
    while word not in (ran := command()).out:
        assert time.monotonic() < end, ran.output
        time.sleep(0.3)
    return ran
