"""`enrollctl customer`: shows, exports and erases the data of a person, and records it in the audit trail."""

import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from interop import tables
from interop.enrollctl import Result, enrollctl
from interop.isolated_client import ALL_CALLS, Customer, IsolatedClient
from interop.tables import Item
from local_system.cards import Card
from local_system.rewards import Rewards

DECLINED = Card("5234000000001450")
ACTIVE, CANCELLED = "NEW", "CANCELLED"
NOBODY = "a customer whom nobody has seen"
PATIENCE = 90
# Items of a client that belong to no customer, by table and start of the key.
CLIENT_KINDS = {
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
def customer(client: IsolatedClient) -> Customer:
    return client.customer()


def test_show_has_no_personal_data(client: IsolatedClient, customer: Customer) -> None:
    enrolled = [client.enroll_card(customer), client.enroll_card(customer)]
    shown = client.customer_command("show", customer.id)
    assert shown.code == 0, shown.err
    first, *lines = shown.out.splitlines()
    assert first == f"program {client.stack.program_id}"
    for card, event in enrolled:
        assert count(lines, "card", f"{card.bin[:4]} XXXX XXXX {card.last4}", "active") == 1
        number = client.account(card)["bankCustomerNumber"]
        for secret in (event["ranac"], number, customer.id, card.number, client.receiver.host):
            assert secret not in shown.output
    for document in ("Terms", "Privacy"):
        # One for each enrollment.
        assert count(lines, "consent", document, "version 2026-01", " en,") == 2
    assert count(lines, "interaction", "N  SUCCESS_ENROLLMENT", "incident ") == 2
    assert count(lines, "confirmation", "msg_") == 2
    assert count(lines, "session", "N  until ") == 2
    # Two, unless a new hour has begun.
    assert sum(count(lines, "attempts", f"{attempts} in this hour") for attempts in range(3)) == 1
    assert len(lines) == 13


def test_export_has_everything(client: IsolatedClient, customer: Customer) -> None:
    begun = datetime.now(timezone.utc)
    delivered_card, delivered = client.enroll_card(customer)
    client.receiver.next()
    client.receiver.status[0] = 410
    parked_card, parked = client.enroll_card(customer)
    wait_until_parked(client)

    export = client.export(customer)
    assert (export["client"], export["customerId"]) == (client.id, customer.id)
    [program] = export["programs"]
    assert program["program"] == client.stack.program_id
    enrollments = list(zip((delivered_card, parked_card), (delivered, parked), strict=True))
    numbers = [client.account(card)["bankCustomerNumber"] for card, _ in enrollments]
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
    # Of a delivered confirmation only its state is kept.
    assert (by_state["delivered"]["url"], by_state["delivered"]["body"]) == (None, None)
    assert by_state["parked"]["url"] == customer.confirmation_url
    assert json.loads(by_state["parked"]["body"]) == parked
    assert [at(session.pop("expiresAt")) > begun for session in program["sessions"]] == [True, True]
    session = {
        "actionCode": "N",
        "language": "en",
        "last4": None,
        "confirmationUrl": customer.confirmation_url,
        "returnUrl": None,
        "failures": 0,
        "finished": True,
    }
    assert program["sessions"] == [session, session]
    is_same_hour = begun.hour == datetime.now(timezone.utc).hour
    assert program["attemptsThisHour"] in ({2} if is_same_hour else {0, 1, 2})


def test_export_has_card_history(client: IsolatedClient, customer: Customer) -> None:
    card, enrolled = client.enroll_card(customer)
    removed = customer.opt_out(card).event()
    assert removed["status"] == "SUCCESS_REMOVAL"
    declined = customer.enroll(DECLINED)
    assert declined["statusCode"] == "-45"

    program = client.exported(customer)
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


def test_customer_id_from_file_or_standard_input(client: IsolatedClient, customer: Customer, tmp_path: Path) -> None:
    client.enroll_card(customer)
    other, _ = client.enroll_card(client.customer())
    file = tmp_path / "customer"
    file.write_text(f"{customer.id}\n")
    request = ("--client", client.id, "--customer-file", str(file), "--reference", "request 7")
    by_file = enrollctl("customer", "export", *request)
    assert by_file.code == 0, by_file.err
    by_input = client.customer_command("export", customer.id)
    assert json.loads(by_file.out) == json.loads(by_input.out)
    assert other.last4 not in by_file.out, "another customer's card"


@pytest.mark.parametrize("what", ["show", "export", "erase"])
def test_refusal_is_one_sentence(client: IsolatedClient, customer: Customer, what: str) -> None:
    client.enroll_card(customer)
    no_reference = "--reference must be 1 to 200 characters in one line"
    names_the_person = "--reference must name the request, not the person"
    no_id = "customer id must be 1 to 256 characters without control characters"
    request = ("--customer-file", "-", "--reference", "request 7")
    refusals = [
        (client.customer_command(what, customer.id, reference=""), no_reference),
        (client.customer_command(what, customer.id, reference=" "), no_reference),
        (client.customer_command(what, customer.id, reference=f"the wish of {customer.id}"), names_the_person),
        (
            client.customer_command(what, customer.id, "--program", "4711"),
            f"client '{client.id}' has never had the program '4711'",
        ),
        (
            enrollctl("customer", what, "--client", "nobody", *request, given=customer.id),
            "client 'nobody' does not exist",
        ),
        (client.customer_command(what, ""), f"the customer's id in -: {no_id}"),
    ]
    for ran, why in refusals:
        assert (ran.code, ran.out, ran.err) == (1, "", f"enrollctl: {why}\n")
    assert client.audit() == [], "nothing was looked at"
    assert len(client.exported(customer)["cards"]) == 1


def test_missing_file_is_named(client: IsolatedClient, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    request = ("--client", client.id, "--customer-file", str(missing), "--reference", "request 7")
    ran = enrollctl("customer", "show", *request)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"enrollctl: the customer's id in {missing}: ")


def test_unknown_customer_has_no_data(client: IsolatedClient) -> None:
    for what in (("show",), ("export",), ("erase", "--yes"), ("erase", "--opt-out", "--yes")):
        ran = client.customer_command(what[0], NOBODY, *what[1:])
        assert (ran.code, ran.out) == (1, "")
        assert sentence(ran) == "enrollctl: nothing is stored about this customer"
    assert [line["action"] for line in client.audit()] == ["nothing found"] * 4
    assert NOBODY not in json.dumps(client.audit())


def test_active_cards_block_erasure(client: IsolatedClient, customer: Customer) -> None:
    card, _ = client.enroll_card(customer)
    client.enroll_card(customer)
    client.receiver.next()
    client.receiver.next()
    stored = items_except_audit(client)
    ran = client.customer_command("erase", customer.id, "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "--opt-out" in sentence(ran)
    assert sentence(ran).endswith(": 2 of the customer's cards are in the program")
    unasked = client.customer_command("erase", customer.id, "--opt-out")
    assert (unasked.code, unasked.out) == (1, "")
    assert "--yes" in unasked.err
    assert client.account(card)["status"] == ACTIVE
    assert items_except_audit(client) == stored


def test_erasure_leaves_no_item(client: IsolatedClient, customer: Customer) -> None:
    before = items_of(client)
    first, first_event = client.enroll_card(customer)
    client.receiver.next()
    client.receiver.status[0] = 410
    second, second_event = client.enroll_card(customer)
    wait_until_parked(client)
    customer.enroll(DECLINED)
    stays = client.customer()
    kept, _ = client.enroll_card(stays)
    of_stays = client.exported(stays)
    key = key_of(customer, client, [first, second])
    stored = tables.items_containing(key)
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

    ran = client.customer_command("erase", customer.id, "--opt-out", "--yes")
    assert ran.code == 0, ran.err
    counts = "cards 2 (2 cancelled first), interactions 3, confirmations 3, sessions 3"
    assert ran.out == f"program {client.stack.program_id}: erased {counts}\n"
    assert [client.account(card)["status"] for card in (first, second, kept)] == [CANCELLED, CANCELLED, ACTIVE]
    names = {part for item in stored for part in item.pk.split("#") if len(part) > len(client.id)}
    names |= {customer.id, first_event["ranac"], second_event["ranac"], key}
    assert tables.items_containing(*names) == []
    # Conversely, all additional items belong to the client or to the remaining customer.
    key_of_stays = key_of(stays, client, [kept])
    more = [item for item in items_of(client) if item not in before and key_of_stays not in item.raw]
    assert [item for item in more if client_kind(item) is None] == []
    for kind in ("cards", "consents", "interactions", "sessions"):
        assert client.exported(stays)[kind] == of_stays[kind]
    assert sentence(client.customer_command("show", customer.id)) == "enrollctl: nothing is stored about this customer"


def test_erased_customer_can_enroll_again(client: IsolatedClient, customer: Customer) -> None:
    card, before = client.enroll_card(customer)
    assert client.customer_command("erase", customer.id, "--opt-out", "--yes").code == 0
    event = customer.enroll(card)
    assert event["status"] == "SUCCESS_ENROLLMENT"
    assert event["ranac"] != before["ranac"]
    program = client.exported(customer)
    assert [exported["ranac"] for exported in program["cards"]] == [event["ranac"]]
    assert [len(program[kind]) for kind in ("consents", "interactions", "sessions")] == [2, 1, 1]


def test_erasure_after_opt_out_needs_no_mrs(client: IsolatedClient, customer: Customer, rewards: Rewards) -> None:
    card, _ = client.enroll_card(customer)
    assert customer.opt_out(card).event()["status"] == "SUCCESS_REMOVAL"
    rewards.order(card, "updateCustomerAccount", "cut-before", count=ALL_CALLS)
    ran = client.customer_command("erase", customer.id, "--yes")
    assert ran.code == 0, ran.err
    assert "cards 1 (0 cancelled first), interactions 2" in ran.out


@pytest.mark.parametrize(
    "fault, more, why",
    [
        ("cut-before", {}, "MRS gave no usable answer to the cancellation of a card"),
        ("http500-before", {}, "MRS gave no usable answer to the cancellation of a card"),
        ("code-before", {"code": -10}, "MRS declined to cancel a card: -10"),
    ],
)
def test_failed_cancellation_blocks_erasure(
    client: IsolatedClient, customer: Customer, rewards: Rewards, fault: str, more: dict[str, int], why: str
) -> None:
    card, _ = client.enroll_card(customer)
    client.receiver.next()
    before = client.exported(customer)
    rewards.order(card, "updateCustomerAccount", fault, count=ALL_CALLS, **more)
    ran = client.customer_command("erase", customer.id, "--opt-out", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert sentence(ran).startswith(f"enrollctl: program {client.stack.program_id}: nothing was erased; ")
    assert ("Mastercard may have cancelled a card" in sentence(ran)) == (fault != "code-before")
    assert "; try again: " in sentence(ran)
    assert why in sentence(ran)
    rewards.forget_orders()
    assert client.account(card)["status"] == ACTIVE
    assert client.exported(customer)["cards"] == before["cards"]

    assert client.customer_command("erase", customer.id, "--opt-out", "--yes").code == 0
    assert client.account(card)["status"] == CANCELLED
    trail = [line["action"] for line in client.audit()]
    assert trail == ["export", "erase begun", "erase failed", "export", "erase begun", "erase"]


def test_erasure_resumes_after_lost_answer(client: IsolatedClient, customer: Customer, rewards: Rewards) -> None:
    cards = [client.enroll_card(customer)[0] for _ in range(2)]
    for card in cards:
        rewards.order(card, "updateCustomerAccount", "cut-after")
    ran = client.customer_command("erase", customer.id, "--opt-out", "--yes")
    assert ran.code == 1
    assert "nothing was erased; Mastercard may have cancelled a card; try again" in sentence(ran)
    assert sorted(client.account(card)["status"] for card in cards) == [CANCELLED, ACTIVE]
    assert len(client.exported(customer)["cards"]) == 2
    rewards.forget_orders()
    assert client.customer_command("erase", customer.id, "--opt-out", "--yes").code == 0
    assert [client.account(card)["status"] for card in cards] == [CANCELLED, CANCELLED]


def test_erasure_covers_former_programs(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enroll_card(customer)
    file = client.stack.local / "demo" / f"{client.id}.toml"
    file.write_text(file.read_text().replace(f'id = "{client.stack.program_id}"', 'id = "10766"'))
    applied = enrollctl("client", "apply", str(file), "--yes", "--reference", "request 7")
    assert applied.code == 0, applied.err
    assert [exported["ranac"] for exported in client.exported(customer)["cards"]] == [event["ranac"]]
    in_the_other = client.customer_command("show", customer.id, "--program", "10766")
    assert sentence(in_the_other) == "enrollctl: nothing is stored about this customer"
    assert client.customer_command("erase", customer.id, "--opt-out", "--yes").code == 0
    assert client.account(card)["status"] == CANCELLED
    assert sentence(client.customer_command("show", customer.id)) == "enrollctl: nothing is stored about this customer"


def test_open_intent_blocks_erasure(client: IsolatedClient, customer: Customer, rewards: Rewards) -> None:
    card, _ = client.enroll_card(customer)
    opt_out = customer.opt_out(card)
    rewards.order(card, "updateCustomerAccount", "cut-before", count=ALL_CALLS)
    assert opt_out.send().status_code == 202
    ran = client.customer_command("erase", customer.id, "--opt-out", "--yes")
    assert (ran.code, ran.out) == (1, "")
    assert "nothing was erased" in sentence(ran)
    assert "an enrollment, replacement or opt-out is still in progress" in sentence(ran)
    rewards.forget_orders()
    assert opt_out.event()["status"] == "SUCCESS_REMOVAL"
    assert client.customer_command("erase", customer.id, "--yes").code == 0


def test_erasure_deletes_due_confirmations(client: IsolatedClient, customer: Customer) -> None:
    client.receiver.status[0] = 503
    client.enroll_card(customer)
    client.receiver.next()
    assert client.customer_command("erase", customer.id, "--opt-out", "--yes").code == 0
    ran = enrollctl("confirmations", "list", "--client", client.id, "--due")
    assert (ran.code, "msg_" in ran.out) == (0, False), ran.output
    assert client.receiver.came.empty()


def test_audit_trail_has_no_personal_data(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enroll_card(customer)
    begun = datetime.now(timezone.utc)
    runs = [
        client.customer_command("show", customer.id, reference="request 1"),
        client.customer_command("export", customer.id, reference="request 2"),
        client.customer_command("erase", customer.id, "--yes", reference="request 3"),
        client.customer_command("erase", customer.id, "--opt-out", "--yes", reference=" request 4 "),
        client.customer_command("export", customer.id, reference="request 5"),
    ]
    trail = client.audit()
    assert [(line["action"], line["reference"], line.get("program")) for line in trail] == [
        ("show", "request 1", None),
        ("export", "request 2", None),
        ("erase begun", "request 3", client.stack.program_id),
        ("erase failed", "request 3", client.stack.program_id),
        ("erase begun", "request 4", client.stack.program_id),
        ("erase", "request 4", client.stack.program_id),
        ("nothing found", "request 5", None),
    ]
    records = "cards 1, interactions 1, confirmations 1, sessions 1"
    assert [line["records"] for line in trail[:2]] == [records, records]
    times = [at(line["at"]) for line in trail]
    assert times == sorted(times)
    assert begun <= times[0] <= times[-1] <= begun + timedelta(seconds=PATIENCE)
    # Each run prints its own audit lines, in addition to its answer.
    printed = [text for ran in runs for text in ran.err.splitlines() if text.startswith("audit: ")]
    assert [json.loads(text.removeprefix("audit: ")) for text in printed] == trail
    for line in trail:
        assert line["by"].startswith("arn:aws:")
        for secret in (customer.id, event["ranac"], card.last4, card.number):
            assert secret not in json.dumps(line)


def sentence(ran: Result) -> str:
    """Last line of the error output, after the lines of the audit trail."""
    return ran.err.splitlines()[-1]


def count(lines: list[str], kind: str, *words: str) -> int:
    """Counts the lines of a kind that contain all of these words."""
    return sum(line.split()[0] == kind and all(word in line for word in words) for line in lines)


def at(text: str) -> datetime:
    """Parses a time with nanoseconds, which Python 3.10 does not accept."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(seconds).replace(microsecond=int(f"{fraction:0<6}"[:6]), tzinfo=timezone.utc)


def in_order(entries: list[dict[str, Any]], time_of: str, begun: datetime) -> list[dict[str, Any]]:
    """Returns the entries by time, without it; asserts that the times are within this test."""
    entries = sorted(entries, key=lambda entry: str(entry[time_of]))
    for entry in entries:
        assert begun <= at(entry[time_of]) <= begun + timedelta(seconds=PATIENCE)
    return [{name: value for name, value in entry.items() if name != time_of} for entry in entries]


def wait_until_parked(client: IsolatedClient) -> None:
    """Waits: the result of a delivery is stored after its answer."""
    client.receiver.next()
    end = time.monotonic() + PATIENCE
    while "msg_" not in (listed := enrollctl("confirmations", "list", "--client", client.id).out):
        assert time.monotonic() < end, listed
        time.sleep(0.3)


def items_of(client: IsolatedClient) -> list[Item]:
    return tables.items_containing(client.id)


def items_except_audit(client: IsolatedClient) -> list[Item]:
    return [item for item in items_of(client) if client_kind(item) != "Enrollments audit"]


def client_kind(item: Item) -> str | None:
    """Table and kind of an item that belongs to the client, not to a customer."""
    kind = kind_of(item)
    return " ".join(kind) if kind in CLIENT_KINDS else None


def kind_of(item: Item) -> tuple[str, str]:
    """Table and kind of the item; for a counter, the kind of its owner."""
    return (item.table, item.pk.removeprefix("attempts#").partition("#")[0])


def key_of(customer: Customer, client: IsolatedClient, cards: list[Card]) -> str:
    """Key of the customer in the tables, found by the last four digits of cards that no one else has."""
    last4 = {card.last4 for card in cards}
    [key] = {
        item.pk for item in items_of(client) if item.sk.startswith("card#") and item.attributes["last4"]["S"] in last4
    }
    assert customer.id not in key
    return key
