"""What reveals, mends or sends again leaves a line in the audit trail; Mastercard's words are shown by it alone."""

import re
import time
from collections.abc import Callable

import pytest

from interop import tables
from interop.bank import Bank, Customer
from interop.enrollctl import Ran, enrollctl
from local_system.rewards import Rewards

WORDS = "cvc-pattern-valid: Value "
"""As the stand-in begins each value that it quotes."""
REASON = ("--reference", "ticket 9")
DIFFERENT = 1
PATIENCE = 90


@pytest.fixture
def customer(bank: Bank) -> Customer:
    return bank.customer()


@pytest.fixture
def incident(bank: Bank, customer: Customer, rewards: Rewards) -> str:
    """Of an enrollment that Mastercard refused, quoting all that it was sent."""
    return refused(customer, rewards, quote=True)


def refused(customer: Customer, rewards: Rewards, **more: int) -> str:
    """The incident's id, as the page is given it."""
    card = rewards.fresh_card()
    rewards.order(card, "enroll", "code-before", code=-45, **more)
    answer = customer.enrollment(card)
    assert answer.json()["statusCode"] == "-45"
    return answer.headers["incident-id"]


def test_mastercard_words_are_sealed_with_their_incident(bank: Bank, customer: Customer, incident: str) -> None:
    [interaction] = bank.exported(customer)["interactions"]
    assert any("last_fault" in item.attributes for item in tables.in_clear(incident))
    for secret in (WORDS, "facet-valid", interaction["bankCustomerNumber"]):
        assert tables.in_clear(secret) == [], "it stands in a table"


def test_mastercard_words_are_shown_through_the_gate(bank: Bank, customer: Customer, incident: str) -> None:
    [interaction] = bank.exported(customer)["interactions"]
    before = bank.audit()
    ran = enrollctl("incident", incident, "--reveal", *REASON)
    assert ran.code == 0, ran.err
    assert f"client    {bank.id}  program {bank.stack.program_id}" in ran.out
    assert "MRS -45" in ran.out
    assert "call      enroll" in ran.out
    words = field(ran, "words")
    assert WORDS in words
    assert interaction["bankCustomerNumber"] in words
    assert len(words) < 5000, "of 2 KB, escaped"
    # Where the id should be it wrote a card number.
    assert field(ran, "id") == "none given"
    assert WORDS not in ran.err
    [line] = bank.audit()[len(before) :]
    assert (line["action"], line["records"], line["reference"]) == ("reveal incident", incident, "ticket 9")
    assert line["by"].startswith("arn:aws:")


def test_mastercard_id_of_the_call_is_shown_too(customer: Customer, rewards: Rewards) -> None:
    ran = enrollctl("incident", refused(customer, rewards), "--reveal", *REASON)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", field(ran, "id")), ran.out


def test_without_reveal_mastercard_words_are_not_shown(bank: Bank, incident: str) -> None:
    ran = enrollctl("incident", incident)
    assert ran.code == 0, ran.err
    assert field(ran, "words") == "kept: see --reveal"
    assert WORDS not in ran.everything
    assert bank.audit() == []


def test_without_a_reference_nothing_is_revealed_or_mended(bank: Bank, customer: Customer, incident: str) -> None:
    _, event = bank.enrolled(customer)
    bank.change_status(event["ranac"], "CANCELLED")
    commands = [("incident", incident, "--reveal"), ("reconcile", bank.id, "--mend", "--accept-differences", "1")]
    for command in commands:
        for ran in (enrollctl(*command), enrollctl(*command, "--reference", " ")):
            assert ran.code != 0, ran.everything
            assert "--reference" in ran.err
            assert WORDS not in ran.everything
    assert bank.audit() == []
    assert [card["state"] for card in bank.exported(customer)["cards"]] == ["active"]


def test_mending_leaves_a_line_before_it_compares(bank: Bank, customer: Customer) -> None:
    _, event = bank.enrolled(customer)
    bank.change_status(event["ranac"], "CANCELLED")
    assert bank.reconcile().code == DIFFERENT
    assert bank.audit() == [], "comparing alone changes and reveals nothing"
    ran = bank.reconcile("--mend", "--accept-differences", "1", "--reveal", *REASON)
    assert ran.code == 0, ran.everything
    assert event["ranac"] in ran.out
    lines = bank.audit()
    assert [(line["action"], line["records"], line["reference"]) for line in lines] == [
        ("mend differences", "accepted differences 1", "ticket 9"),
        ("reveal differences", "", "ticket 9"),
    ]


def test_confirmations_are_revealed_replayed_dropped_with_a_line(bank: Bank, customer: Customer) -> None:
    bank.receiver.status[0] = 410
    bank.enrolled(customer)
    message = bank.receiver.next().headers["webhook-id"]
    parked = wait_for(lambda: enrollctl("confirmations", "list", "--client", bank.id), message)
    assert bank.receiver.host not in parked.everything
    assert bank.receiver.host not in enrollctl("confirmations", "show", message).everything
    assert bank.audit() == []

    shown = enrollctl("confirmations", "show", message, "--reveal", *REASON)
    assert bank.receiver.host in shown.out
    assert enrollctl("confirmations", "replay", message, *REASON).code == 0
    assert bank.receiver.next().headers["webhook-id"] == message
    wait_for(lambda: enrollctl("confirmations", "list", "--client", bank.id), message)
    assert enrollctl("confirmations", "drop", message, "--yes", *REASON).code == 0
    lines = bank.audit()
    assert [(line["action"], line["records"]) for line in lines] == [
        (f"{what} confirmation", message) for what in ("reveal", "replay", "drop")
    ]
    assert {line["reference"] for line in lines} == {"ticket 9"}


def test_a_person_is_shown_and_exported_with_a_line(bank: Bank, customer: Customer) -> None:
    bank.enrolled(customer)
    for what in ("show", "export"):
        assert bank.answer(what, customer.id, reference="ticket 9").code == 0
    assert [(line["action"], line["reference"]) for line in bank.audit()] == [
        ("show", "ticket 9"),
        ("export", "ticket 9"),
    ]


def field(ran: Ran, name: str) -> str:
    """What stands behind a word at the start of a line."""
    [value] = [line.removeprefix(name).strip() for line in ran.out.splitlines() if line.startswith(f"{name} ")]
    return value


def wait_for(command: Callable[[], Ran], word: str) -> Ran:
    """What came of a delivery is noted after its answer."""
    end = time.monotonic() + PATIENCE
    while word not in (ran := command()).out:
        assert time.monotonic() < end, ran.everything
        time.sleep(0.3)
    return ran
