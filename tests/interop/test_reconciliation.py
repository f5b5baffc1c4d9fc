"""`enrollctl reconcile`: reports differences between MRS and the tables, and repairs them on request."""

import pytest

from interop.enrollctl import enrollctl
from interop.isolated_client import ALL_CALLS, Customer, IsolatedClient
from local_system.cards import Card
from local_system.rewards import Rewards

DECLINED = Card("5234000000001450")
AGREED, DIFFERENT, UNKNOWN, REFUSED = 0, 1, 2, 3
ACTIVE, GOOD_STANDING, CANCELLED = "NEW", "GOOD_STANDING", "CANCELLED"


@pytest.fixture
def customer(client: IsolatedClient) -> Customer:
    return client.customer()


def test_agreement_has_no_differences(client: IsolatedClient) -> None:
    assert client.reconcile().code == AGREED, "a client without customers"
    for customer in (client.customer(), client.customer()):
        client.enroll_card(customer)
    removed, _ = client.enroll_card(customer)
    assert customer.opt_out(removed).event()["status"] == "SUCCESS_REMOVAL"
    ran = client.reconcile()
    assert ran.code == AGREED, ran.output
    [summary] = ran.out.splitlines()
    assert "2 customers: 2 cards agree, 0 differences" in summary


def test_card_missing_at_mrs_is_cancelled_here(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enroll_card(customer)
    kept, other = client.enroll_card(customer)
    client.change_status(event["ranac"], CANCELLED)

    report = client.reconcile()
    assert report.code == DIFFERENT, report.output
    difference, summary = report.out.splitlines()
    assert difference.startswith("missing ")
    assert f"card ….{card.last4}" in difference
    assert "repaired" not in difference
    assert "1 card agrees, 1 difference, 1 remaining; " in summary
    assert states(client, customer) == {event["ranac"]: "active", other["ranac"]: "active"}

    repaired = client.repair()
    assert repaired.code == AGREED, repaired.output
    assert "; repaired" in repaired.out.splitlines()[0]
    assert states(client, customer) == {event["ranac"]: "cancelled", other["ranac"]: "active"}
    assert customer.on_file() == [kept.last4]
    assert agrees(client)


def test_card_still_active_at_mrs_is_cancelled_there(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enroll_card(customer)
    assert customer.opt_out(card).event()["status"] == "SUCCESS_REMOVAL"
    client.change_status(event["ranac"], GOOD_STANDING)

    report = client.reconcile()
    assert report.code == DIFFERENT, report.output
    assert report.out.startswith("still-active ")
    assert client.account(card)["status"] == GOOD_STANDING

    repaired = client.repair("--accept-differences", "1")
    assert repaired.code == AGREED, repaired.output
    assert "; repaired" in repaired.out.splitlines()[0]
    assert client.account(card)["status"] == CANCELLED
    assert agrees(client)


def test_stray_card_at_mrs_is_cancelled_there(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enroll_card(customer)
    stray = client.rewards.fresh_card()
    client.add_account(bankCustomerNumber=client.account(card)["bankCustomerNumber"], last4=stray.last4)

    report = client.reconcile()
    assert report.code == DIFFERENT, report.output
    difference, summary = report.out.splitlines()
    assert difference.startswith("stray ")
    assert f"card ….{stray.last4}" in difference
    assert "1 card agrees, 1 difference, " in summary
    assert client.account(stray)["status"] == GOOD_STANDING

    repaired = client.repair()
    assert repaired.code == AGREED, repaired.output
    assert (client.account(stray)["status"], client.account(card)["status"]) == (CANCELLED, ACTIVE)
    assert states(client, customer) == {event["ranac"]: "active"}
    assert agrees(client)


def test_stray_card_of_failed_enrollment_is_found(client: IsolatedClient, customer: Customer) -> None:
    assert customer.enroll(DECLINED)["statusCode"] == "-45"
    [failed] = client.exported(customer)["interactions"]
    stray = client.rewards.fresh_card()
    client.add_account(bankCustomerNumber=failed["bankCustomerNumber"], last4=stray.last4)
    assert client.reconcile().code == DIFFERENT
    assert client.account(stray)["status"] == GOOD_STANDING
    assert client.repair("--accept-differences", "1").code == AGREED
    assert client.account(stray)["status"] == CANCELLED
    assert agrees(client)


def test_last4_of_mrs_is_stored(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enroll_card(customer)
    other = client.rewards.fresh_card()
    number = client.account(card)["bankCustomerNumber"]
    client.delete_account(event["ranac"])
    client.add_account(bankCustomerNumber=number, last4=other.last4, ranac=event["ranac"])

    report = client.reconcile()
    assert report.code == DIFFERENT, report.output
    assert report.out.startswith("last4 ")
    assert client.exported(customer)["cards"][0]["last4"] == card.last4

    assert client.repair().code == AGREED
    assert client.exported(customer)["cards"][0]["last4"] == other.last4
    assert agrees(client)


def test_refused_cancellation_is_reported(client: IsolatedClient, customer: Customer, rewards: Rewards) -> None:
    card, event = client.enroll_card(customer)
    customer.opt_out(card).event()
    client.change_status(event["ranac"], GOOD_STANDING)
    for fault, more in (("code-before", {"code": -10}), ("cut-before", {})):
        rewards.order(card, "updateCustomerAccount", fault, count=ALL_CALLS, **more)
        ran = client.repair("--accept-differences", "1")
        rewards.forget_orders()
        assert ran.code == DIFFERENT, ran.output
        assert "; repair failed" in ran.out
    assert client.account(card)["status"] == GOOD_STANDING
    assert client.repair("--accept-differences", "1").code == AGREED


def test_repair_sends_no_confirmation(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enroll_card(customer)
    client.receiver.next()
    client.change_status(event["ranac"], CANCELLED)
    stray = client.rewards.fresh_card()
    client.add_account(bankCustomerNumber=client.account(card)["bankCustomerNumber"], last4=stray.last4)
    assert client.repair("--accept-differences", "2").code == AGREED
    assert len(client.exported(customer)["confirmations"]) == 1
    assert client.receiver.came.empty()


def test_ranacs_are_shown_with_reveal_only(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enroll_card(customer)
    number = client.account(card)["bankCustomerNumber"]
    client.change_status(event["ranac"], CANCELLED)
    for arguments, revealed in (((), False), (("--reveal", "--reference", "request 7"), True)):
        ran = client.reconcile(*arguments)
        assert (event["ranac"] in ran.out) is revealed
        assert event["ranac"] not in ran.err
        for secret in (customer.id, number, card.number):
            assert secret not in ran.output


def test_silent_mrs_proves_nothing(client: IsolatedClient, customer: Customer, rewards: Rewards) -> None:
    card, _ = client.enroll_card(customer)
    rewards.order(card, "getCustomerAccounts", "cut-before", count=ALL_CALLS)
    for ran in (client.reconcile(), client.repair()):
        assert ran.code == UNKNOWN, ran.output
        unknown, summary = ran.out.splitlines()
        assert unknown.startswith("unknown ")
        assert "0 differences" in summary
        assert "1 record with unknown state at Mastercard" in summary
    rewards.forget_orders()
    assert list(states(client, customer).values()) == ["active"]
    assert agrees(client)


def test_total_disagreement_needs_acceptance(client: IsolatedClient, customer: Customer) -> None:
    events = [client.enroll_card(customer)[1] for _ in range(2)]
    for event in events:
        client.change_status(event["ranac"], CANCELLED)
    for words in ((), ("--accept-differences", "1")):
        ran = client.repair(*words)
        assert ran.code == REFUSED, ran.output
        assert "no card agrees" in ran.err
        assert "--accept-differences 2" in ran.err
        assert "repaired" not in ran.out
        assert list(states(client, customer).values()) == ["active", "active"]
    assert client.repair("--accept-differences", "2").code == AGREED
    assert list(states(client, customer).values()) == ["cancelled", "cancelled"]


def test_many_differences_need_acceptance(client: IsolatedClient) -> None:
    customers = [client.customer() for _ in range(5)]
    events = [client.enroll_card(customer)[1] for customer in customers]
    for event in events[:4]:
        client.change_status(event["ranac"], CANCELLED)
    ran = client.repair()
    assert ran.code == REFUSED, ran.output
    assert "1 card agrees, 4 differences, 4 remaining; " in ran.out
    assert all(list(states(client, customer).values()) == ["active"] for customer in customers)


def test_number_unknown_at_mrs_proves_nothing(client: IsolatedClient, customer: Customer) -> None:
    _, event = client.enroll_card(customer)
    client.enroll_card(customer)
    client.delete_account(event["ranac"])
    for ran in (client.reconcile(), client.repair(), client.repair("--accept-differences", "9")):
        assert ran.code == UNKNOWN, ran.output
        assert ran.out.startswith("unknown ")
    assert list(states(client, customer).values()) == ["active", "active"]


def test_customer_in_settlement_is_skipped(client: IsolatedClient, customer: Customer, rewards: Rewards) -> None:
    card, _ = client.enroll_card(customer)
    opt_out = customer.opt_out(card)
    rewards.order(card, "updateCustomerAccount", "cut-before", count=ALL_CALLS)
    assert opt_out.send().status_code == 202
    ran = client.repair()
    assert ran.code == AGREED, ran.output
    assert "1 customer being settled" in ran.out
    assert client.account(card)["status"] == ACTIVE
    rewards.forget_orders()
    assert opt_out.event()["status"] == "SUCCESS_REMOVAL"
    assert agrees(client)


def test_unknown_client_is_refused() -> None:
    ran = enrollctl("reconcile", "nobody")
    assert (ran.code, ran.out, ran.err) == (UNKNOWN, "", "enrollctl: client 'nobody' does not exist\n")


def agrees(client: IsolatedClient) -> bool:
    ran = client.reconcile()
    return ran.code == AGREED and "0 differences" in ran.out


def states(client: IsolatedClient, customer: Customer) -> dict[str, str]:
    """Stored states of the customer's cards, in one word, by RANAC."""
    return {card["ranac"]: card["state"].split()[0] for card in client.exported(customer)["cards"]}
