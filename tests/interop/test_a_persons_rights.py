"""`enrollctl customer`: what is stored of a person is shown, exported and erased, and the trail says by whom."""

import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from interop import tables
from interop.bank import MANY, Bank, Customer
from interop.enrollctl import Ran, enrollctl
from interop.tables import Item
from local_system.cards import Card
from local_system.rewards import Rewards

DECLINED = Card("5234000000001450")
ACTIVE, CANCELLED = "NEW", "CANCELLED"
NOBODY = "a customer whom nobody has seen"
PATIENCE = 90
# What a client has that is no customer's, by table and start of the key.
OF_THE_CLIENT = {
    ("Clients", "client"),
    ("Clients", "clients"),
    ("Clients", "slug"),
    ("Confirmations", "destination"),
    ("Enrollments", "audit"),
    ("Enrollments", "retention"),
    ("Keys", "key"),
    ("Limits", "client"),
}


@pytest.fixture
def customer(bank: Bank) -> Customer:
    return bank.customer()


def test_what_is_shown_names_nobody(bank: Bank, customer: Customer) -> None:
    enrolled = [bank.enrolled(customer), bank.enrolled(customer)]
    shown = bank.answer("show", customer.id)
    assert shown.code == 0, shown.err
    first, *lines = shown.out.splitlines()
    assert first == f"program {bank.stack.program_id}"
    for card, event in enrolled:
        assert count(lines, "card", f"{card.bin[:4]} XXXX XXXX {card.last4}", "active") == 1
        number = bank.held(card)["bankCustomerNumber"]
        for secret in (event["ranac"], number, customer.id, card.number, bank.receiver.host):
            assert secret not in shown.everything
    for document in ("Terms", "Privacy"):
        # One for each enrollment.
        assert count(lines, "consent", document, "version 2026-01", " en,") == 2
    assert count(lines, "interaction", "N  SUCCESS_ENROLLMENT", "incident ") == 2
    assert count(lines, "confirmation", "msg_") == 2
    assert count(lines, "session", "N  until ") == 2
    # Of two, unless the hour was full meanwhile.
    assert sum(count(lines, "attempts", f"{attempts} in this hour") for attempts in range(3)) == 1
    assert len(lines) == 13


def test_everything_is_exported(bank: Bank, customer: Customer) -> None:
    begun = datetime.now(timezone.utc)
    delivered_card, delivered = bank.enrolled(customer)
    bank.receiver.next()
    bank.receiver.status[0] = 410
    parked_card, parked = bank.enrolled(customer)
    wait_until_parked(bank)

    export = bank.export(customer)
    assert (export["client"], export["customerId"]) == (bank.id, customer.id)
    [program] = export["programs"]
    assert program["program"] == bank.stack.program_id
    enrollments = list(zip((delivered_card, parked_card), (delivered, parked), strict=True))
    numbers = [bank.held(card)["bankCustomerNumber"] for card, _ in enrollments]
    assert in_order(program["cards"], "enrolledAt", begun) == [
        {
            "card": f"{card.bin[:4]} XXXX XXXX {card.last4}",
            "bin": card.bin,
            "last4": card.last4,
            "designCode": event["designCode"],
            "ranac": event["ranac"],
            "bankCustomerNumber": number,
            "state": "active",
        }
        for (card, event), number in zip(enrollments, numbers, strict=True)
    ]
    consents = [{"document": name, "version": "2026-01", "language": "en"} for name in ("terms", "privacy")]
    assert in_order(program["consents"], "at", begun) == consents * 2
    interactions = in_order(program["interactions"], "at", begun)
    interactions = in_order(interactions, "finishedAt", begun)
    assert [in_order(interaction.pop("consents"), "at", begun) for interaction in interactions] == [consents] * 2
    assert len({interaction.pop("incident") for interaction in interactions}) == 2
    assert interactions == [
        {
            "actionCode": "N",
            "status": "SUCCESS_ENROLLMENT",
            "statusCode": None,
            "bin": card.bin,
            "last4": card.last4,
            "designCode": event["designCode"],
            "bankCustomerNumber": number,
            "ranac": event["ranac"],
            "oldCard": None,
            "confirmationUrl": customer.confirmation_url,
        }
        for (card, event), number in zip(enrollments, numbers, strict=True)
    ]
    by_state = {confirmation["state"]: confirmation for confirmation in program["confirmations"]}
    assert len(program["confirmations"]) == 2
    # What was delivered is forgotten, but for that it was.
    assert (by_state["delivered"]["url"], by_state["delivered"]["body"]) == (None, None)
    assert by_state["parked"]["url"] == customer.confirmation_url
    assert json.loads(by_state["parked"]["body"]) == parked
    assert [at(session.pop("expiresAt")) > begun for session in program["sessions"]] == [True, True]
    session = {
        "actionCode": "N",
        "language": "en",
        "last4": None,
        "confirmationUrl": customer.confirmation_url,
        "failures": 0,
        "finished": True,
    }
    assert program["sessions"] == [session, session]
    is_same_hour = begun.hour == datetime.now(timezone.utc).hour
    assert program["attemptsThisHour"] in ({2} if is_same_hour else {0, 1, 2})


def test_what_became_of_a_card_is_exported(bank: Bank, customer: Customer) -> None:
    card, enrolled = bank.enrolled(customer)
    removed = customer.opt_out(card).event()
    assert removed["status"] == "SUCCESS_REMOVAL"
    declined = customer.enroll(DECLINED)
    assert declined["statusCode"] == "-45"

    program = bank.exported(customer)
    [exported] = program["cards"]
    assert (exported["ranac"], exported["state"].split()[0]) == (enrolled["ranac"], "cancelled")
    assert [
        (interaction["actionCode"], interaction["status"], interaction["statusCode"])
        for interaction in program["interactions"]
    ] == [
        ("N", "SUCCESS_ENROLLMENT", None),
        ("C", "SUCCESS_REMOVAL", None),
        ("N", "ERROR_ENROLLMENT", "-45"),
    ]
    old = {"ranac": enrolled["ranac"], "bankCustomerNumber": exported["bankCustomerNumber"]}
    assert [interaction["oldCard"] for interaction in program["interactions"]] == [None, old, None]


def test_a_customer_is_named_by_a_file_or_by_standard_input(bank: Bank, customer: Customer, tmp_path: Path) -> None:
    bank.enrolled(customer)
    other, _ = bank.enrolled(bank.customer())
    file = tmp_path / "customer"
    file.write_text(f"{customer.id}\n")
    request = ("--client", bank.id, "--customer-file", str(file), "--reference", "request 7")
    by_file = enrollctl("customer", "export", *request)
    assert by_file.code == 0, by_file.err
    by_input = bank.answer("export", customer.id)
    assert json.loads(by_file.out) == json.loads(by_input.out)
    assert other.last4 not in by_file.out, "another customer's card"


@pytest.mark.parametrize("what", ["show", "export", "erase"])
def test_what_can_t_be_answered_is_told_in_a_sentence(bank: Bank, customer: Customer, what: str) -> None:
    bank.enrolled(customer)
    no_reference = "--reference must be your name of the request, of 1 to 200 characters in one line"
    names_the_person = "--reference must name the request, and not the person"
    no_id = "customer id must be 1 to 256 characters without control characters"
    request = ("--customer-file", "-", "--reference", "request 7")
    refusals = [
        (bank.answer(what, customer.id, reference=""), no_reference),
        (bank.answer(what, customer.id, reference=" "), no_reference),
        (bank.answer(what, customer.id, reference=f"the wish of {customer.id}"), names_the_person),
        (bank.answer(what, customer.id, "--program", "4711"), f"client '{bank.id}' has never had the program '4711'"),
        (enrollctl("customer", what, "--client", "nobody", *request, given=customer.id), "there is no client 'nobody'"),
        (bank.answer(what, ""), f"the customer's id in -: {no_id}"),
    ]
    for ran, why in refusals:
        assert (ran.code, ran.out, ran.err) == (1, "", f"enrollctl: {why}\n")
    assert bank.audit() == [], "nothing was looked at"
    assert len(bank.exported(customer)["cards"]) == 1


def test_a_file_that_is_not_there_is_named(bank: Bank, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    request = ("--client", bank.id, "--customer-file", str(missing), "--reference", "request 7")
    ran = enrollctl("customer", "show", *request)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"enrollctl: the customer's id in {missing}: ")


def test_of_an_unknown_customer_there_is_nothing(bank: Bank) -> None:
    for what in (("show",), ("export",), ("erase", "--yes"), ("erase", "--opt-out", "--yes")):
        ran = bank.answer(what[0], NOBODY, *what[1:])
        assert (ran.code, ran.out) == (1, "")
        assert sentence(ran) == "enrollctl: nothing is stored of this customer"
    assert [line["action"] for line in bank.audit()] == ["nothing found"] * 4
    assert NOBODY not in json.dumps(bank.audit())


def test_nothing_is_erased_while_cards_are_in_the_program(bank: Bank, customer: Customer) -> None:
    card, _ = bank.enrolled(customer)
    bank.enrolled(customer)
    bank.receiver.next()
    bank.receiver.next()
    stored = all_but_the_trail(bank)
    ran = bank.answer("erase", customer.id, "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "--opt-out" in sentence(ran)
    assert sentence(ran).endswith(": 2 of the customer's cards are in the program")
    unasked = bank.answer("erase", customer.id, "--opt-out")
    assert (unasked.code, unasked.out) == (1, "")
    assert "--yes" in unasked.err
    assert bank.held(card)["status"] == ACTIVE
    assert all_but_the_trail(bank) == stored


def test_not_one_item_of_the_person_is_left(bank: Bank, customer: Customer) -> None:
    before = all_of(bank)
    first, first_event = bank.enrolled(customer)
    bank.receiver.next()
    bank.receiver.status[0] = 410
    second, second_event = bank.enrolled(customer)
    wait_until_parked(bank)
    customer.enroll(DECLINED)
    stays = bank.customer()
    kept, _ = bank.enrolled(stays)
    of_stays = bank.exported(stays)
    key = key_of(customer, bank, [first, second])
    stored = tables.naming(key)
    # Two cards and the count under the key, three attempts, three sessions, three confirmations, the hour's attempts.
    kinds = sorted({kind_of(item) for item in stored})
    assert kinds == [
        ("Confirmations", "confirmation"),
        ("Enrollments", "customer"),
        ("Enrollments", "intent"),
        ("Limits", "customer"),
        ("Sessions", "session"),
    ]
    assert len(stored) == 3 + 3 + 3 + 3 + 1

    ran = bank.answer("erase", customer.id, "--opt-out", "--yes")
    assert ran.code == 0, ran.err
    told = "cards 2 (2 cancelled first), interactions 3, confirmations 3, sessions 3"
    assert ran.out == f"program {bank.stack.program_id}: erased {told}\n"
    assert [bank.held(card)["status"] for card in (first, second, kept)] == [CANCELLED, CANCELLED, ACTIVE]
    names = {part for item in stored for part in item.pk.split("#") if len(part) > len(bank.id)}
    names |= {customer.id, first_event["ranac"], second_event["ranac"], key}
    assert tables.naming(*names) == []
    # And seen from the other side: what there is more than before is of the client, or of the customer who stays.
    key_of_stays = key_of(stays, bank, [kept])
    more = [item for item in all_of(bank) if item not in before and key_of_stays not in item.raw]
    assert [item for item in more if of_the_client(item) is None] == []
    for kind in ("cards", "consents", "interactions", "sessions"):
        assert bank.exported(stays)[kind] == of_stays[kind]
    assert sentence(bank.answer("show", customer.id)) == "enrollctl: nothing is stored of this customer"


def test_an_erased_customer_can_enroll_anew(bank: Bank, customer: Customer) -> None:
    card, before = bank.enrolled(customer)
    assert bank.answer("erase", customer.id, "--opt-out", "--yes").code == 0
    event = customer.enroll(card)
    assert event["status"] == "SUCCESS_ENROLLMENT"
    assert event["ranac"] != before["ranac"]
    program = bank.exported(customer)
    assert [exported["ranac"] for exported in program["cards"]] == [event["ranac"]]
    assert [len(program[kind]) for kind in ("consents", "interactions", "sessions")] == [2, 1, 1]


def test_a_customer_who_has_left_is_erased_without_mastercard(bank: Bank, customer: Customer, rewards: Rewards) -> None:
    card, _ = bank.enrolled(customer)
    assert customer.opt_out(card).event()["status"] == "SUCCESS_REMOVAL"
    rewards.order(card, "updateCustomerAccount", "cut-before", count=MANY)
    ran = bank.answer("erase", customer.id, "--yes")
    assert ran.code == 0, ran.err
    assert "cards 1 (0 cancelled first), interactions 2" in ran.out


@pytest.mark.parametrize(
    "fault, more, why",
    [
        ("cut-before", {}, "MRS gave no usable answer to the cancellation of a card"),
        ("http500-before", {}, "MRS gave no usable answer to the cancellation of a card"),
        ("code-before", {"code": -10}, "MRS does not cancel a card: -10"),
    ],
)
def test_while_mastercard_does_not_cancel_nothing_is_erased(
    bank: Bank, customer: Customer, rewards: Rewards, fault: str, more: dict[str, int], why: str
) -> None:
    card, _ = bank.enrolled(customer)
    bank.receiver.next()
    before = bank.exported(customer)
    rewards.order(card, "updateCustomerAccount", fault, count=MANY, **more)
    ran = bank.answer("erase", customer.id, "--opt-out", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert sentence(ran).startswith(f"enrollctl: program {bank.stack.program_id}: nothing was erased; ")
    assert ("Mastercard may have cancelled a card" in sentence(ran)) == (fault != "code-before")
    assert "; try again: " in sentence(ran)
    assert why in sentence(ran)
    rewards.forget_orders()
    assert bank.held(card)["status"] == ACTIVE
    assert bank.exported(customer)["cards"] == before["cards"]

    assert bank.answer("erase", customer.id, "--opt-out", "--yes").code == 0
    assert bank.held(card)["status"] == CANCELLED
    trail = [line["action"] for line in bank.audit()]
    assert trail == ["export", "erase begun", "erase failed", "export", "erase begun", "erase"]


def test_a_cancellation_whose_answer_was_lost_is_gone_on_with(bank: Bank, customer: Customer, rewards: Rewards) -> None:
    cards = [bank.enrolled(customer)[0] for _ in range(2)]
    for card in cards:
        rewards.order(card, "updateCustomerAccount", "cut-after")
    ran = bank.answer("erase", customer.id, "--opt-out", "--yes")
    assert ran.code == 1
    assert "nothing was erased; Mastercard may have cancelled a card; try again" in sentence(ran)
    assert sorted(bank.held(card)["status"] for card in cards) == [CANCELLED, ACTIVE]
    assert len(bank.exported(customer)["cards"]) == 2
    rewards.forget_orders()
    assert bank.answer("erase", customer.id, "--opt-out", "--yes").code == 0
    assert [bank.held(card)["status"] for card in cards] == [CANCELLED, CANCELLED]


def test_a_program_that_the_client_has_given_up_is_not_forgotten(bank: Bank, customer: Customer) -> None:
    card, event = bank.enrolled(customer)
    file = bank.stack.local / "demo" / f"{bank.id}.toml"
    file.write_text(file.read_text().replace(f'id = "{bank.stack.program_id}"', 'id = "10766"'))
    applied = enrollctl("client", "apply", str(file), "--yes", "--reference", "request 7")
    assert applied.code == 0, applied.err
    assert [exported["ranac"] for exported in bank.exported(customer)["cards"]] == [event["ranac"]]
    in_the_other = bank.answer("show", customer.id, "--program", "10766")
    assert sentence(in_the_other) == "enrollctl: nothing is stored of this customer"
    assert bank.answer("erase", customer.id, "--opt-out", "--yes").code == 0
    assert bank.held(card)["status"] == CANCELLED
    assert sentence(bank.answer("show", customer.id)) == "enrollctl: nothing is stored of this customer"


def test_while_something_is_not_settled_nothing_is_erased(bank: Bank, customer: Customer, rewards: Rewards) -> None:
    card, _ = bank.enrolled(customer)
    opt_out = customer.opt_out(card)
    rewards.order(card, "updateCustomerAccount", "cut-before", count=MANY)
    assert opt_out.ask().status_code == 202
    ran = bank.answer("erase", customer.id, "--opt-out", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "nothing was erased" in sentence(ran)
    assert "not settled yet" in sentence(ran)
    rewards.forget_orders()
    assert opt_out.event()["status"] == "SUCCESS_REMOVAL"
    assert bank.answer("erase", customer.id, "--yes").code == 0


def test_what_is_under_way_to_the_partner_goes_too_and_no_cancellation_is_told(bank: Bank, customer: Customer) -> None:
    bank.receiver.status[0] = 503
    bank.enrolled(customer)
    bank.receiver.next()
    assert bank.answer("erase", customer.id, "--opt-out", "--yes").code == 0
    ran = enrollctl("confirmations", "list", "--client", bank.id, "--due")
    assert (ran.code, "msg_" in ran.out) == (0, False), ran.everything
    assert bank.receiver.came.empty()


def test_the_trail_says_who_did_what_and_never_to_whom(bank: Bank, customer: Customer) -> None:
    card, event = bank.enrolled(customer)
    begun = datetime.now(timezone.utc)
    runs = [
        bank.answer("show", customer.id, reference="request 1"),
        bank.answer("export", customer.id, reference="request 2"),
        bank.answer("erase", customer.id, "--yes", reference="request 3"),
        bank.answer("erase", customer.id, "--opt-out", "--yes", reference=" request 4 "),
        bank.answer("export", customer.id, reference="request 5"),
    ]
    trail = bank.audit()
    assert [(line["action"], line["reference"], line.get("program")) for line in trail] == [
        ("show", "request 1", None),
        ("export", "request 2", None),
        ("erase begun", "request 3", bank.stack.program_id),
        ("erase failed", "request 3", bank.stack.program_id),
        ("erase begun", "request 4", bank.stack.program_id),
        ("erase", "request 4", bank.stack.program_id),
        ("nothing found", "request 5", None),
    ]
    records = "cards 1, interactions 1, confirmations 1, sessions 1"
    assert [line["records"] for line in trail[:2]] == [records, records]
    times = [at(line["at"]) for line in trail]
    assert times == sorted(times)
    assert begun <= times[0] <= times[-1] <= begun + timedelta(seconds=PATIENCE)
    # Each run prints its own lines, besides what it answers.
    printed = [text for ran in runs for text in ran.err.splitlines() if text.startswith("audit: ")]
    assert [json.loads(text.removeprefix("audit: ")) for text in printed] == trail
    for line in trail:
        assert line["by"].startswith("arn:aws:")
        for secret in (customer.id, event["ranac"], card.last4, card.number):
            assert secret not in json.dumps(line)


def sentence(ran: Ran) -> str:
    """What it says at last, after the line of the trail."""
    return ran.err.splitlines()[-1]


def count(lines: list[str], kind: str, *words: str) -> int:
    """How many lines of a kind have all of these words."""
    return sum(line.split()[0] == kind and all(word in line for word in words) for line in lines)


def at(text: str) -> datetime:
    """Python 3.10 reads no nanoseconds."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(seconds).replace(microsecond=int(f"{fraction:0<6}"[:6]), tzinfo=timezone.utc)


def in_order(entries: list[dict[str, Any]], time_of: str, begun: datetime) -> list[dict[str, Any]]:
    """By their time, which is that of this test; without it, as nobody can foretell it."""
    entries = sorted(entries, key=lambda entry: str(entry[time_of]))
    for entry in entries:
        assert begun <= at(entry[time_of]) <= begun + timedelta(seconds=PATIENCE)
    return [{name: value for name, value in entry.items() if name != time_of} for entry in entries]


def wait_until_parked(bank: Bank) -> None:
    """What came of a delivery is noted after its answer."""
    bank.receiver.next()
    end = time.monotonic() + PATIENCE
    while "msg_" not in (listed := enrollctl("confirmations", "list", "--client", bank.id).out):
        assert time.monotonic() < end, listed
        time.sleep(0.3)


def all_of(bank: Bank) -> list[Item]:
    return tables.naming(bank.id)


def all_but_the_trail(bank: Bank) -> list[Item]:
    return [item for item in all_of(bank) if of_the_client(item) != "Enrollments audit"]


def of_the_client(item: Item) -> str | None:
    """What it is, in two words, where it is no customer's."""
    kind = kind_of(item)
    return " ".join(kind) if kind in OF_THE_CLIENT else None


def kind_of(item: Item) -> tuple[str, str]:
    """Its table, and what it is; of a counter, whose."""
    return (item.table, item.pk.removeprefix("attempts#").partition("#")[0])


def key_of(customer: Customer, bank: Bank, cards: list[Card]) -> str:
    """What the tables know a customer by, found by the last four digits of cards that nobody else has."""
    last4 = {card.last4 for card in cards}
    [key] = {item.pk for item in all_of(bank) if item.sk.startswith("card#") and item.attributes["last4"]["S"] in last4}
    assert customer.id not in key
    return key
