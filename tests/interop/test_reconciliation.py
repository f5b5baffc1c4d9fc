"""`enrollctl reconcile`: where Mastercard and the tables differ, it tells so, and mends that only if it shall."""

import pytest

from interop.enrollctl import enrollctl
from interop.isolated_client import MANY, Customer, IsolatedClient
from local_system.cards import Card
from local_system.rewards import Rewards

DECLINED = Card("5234000000001450")
AGREED, DIFFERENT, NOT_TOLD, REFUSED = 0, 1, 2, 3
ACTIVE, GOOD_STANDING, CANCELLED = "NEW", "GOOD_STANDING", "CANCELLED"


@pytest.fixture
def customer(client: IsolatedClient) -> Customer:
    return client.customer()


def test_agreement_has_no_differences(client: IsolatedClient) -> None:
    assert client.reconcile().code == AGREED, "a client without customers"
    for customer in (client.customer(), client.customer()):
        client.enrolled(customer)
    removed, _ = client.enrolled(customer)
    assert customer.opt_out(removed).event()["status"] == "SUCCESS_REMOVAL"
    ran = client.reconcile()
    assert ran.code == AGREED, ran.everything
    [summary] = ran.out.splitlines()
    assert "2 customers: 2 cards agree, 0 differences" in summary


def test_card_missing_at_mrs_is_cancelled_here(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enrolled(customer)
    kept, other = client.enrolled(customer)
    client.change_status(event["ranac"], CANCELLED)

    told = client.reconcile()
    assert told.code == DIFFERENT, told.everything
    difference, summary = told.out.splitlines()
    assert difference.startswith("missing ")
    assert f"card ….{card.last4}" in difference
    assert "mended" not in difference
    assert "1 cards agree, 1 differences, 1 of them left" in summary
    assert states(client, customer) == {event["ranac"]: "active", other["ranac"]: "active"}

    mended = client.mend()
    assert mended.code == AGREED, mended.everything
    assert "; mended" in mended.out.splitlines()[0]
    assert states(client, customer) == {event["ranac"]: "cancelled", other["ranac"]: "active"}
    assert customer.on_file() == [kept.last4]
    assert agrees(client)


def test_card_still_active_at_mrs_is_cancelled_there(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enrolled(customer)
    assert customer.opt_out(card).event()["status"] == "SUCCESS_REMOVAL"
    client.change_status(event["ranac"], GOOD_STANDING)

    told = client.reconcile()
    assert told.code == DIFFERENT, told.everything
    assert told.out.startswith("still-active ")
    assert client.held(card)["status"] == GOOD_STANDING

    mended = client.mend("--accept-differences", "1")
    assert mended.code == AGREED, mended.everything
    assert "; mended" in mended.out.splitlines()[0]
    assert client.held(card)["status"] == CANCELLED
    assert agrees(client)


def test_stray_card_at_mrs_is_cancelled_there(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enrolled(customer)
    stray = client.rewards.fresh_card()
    client.put_in(bankCustomerNumber=client.held(card)["bankCustomerNumber"], last4=stray.last4)

    told = client.reconcile()
    assert told.code == DIFFERENT, told.everything
    difference, summary = told.out.splitlines()
    assert difference.startswith("stray ")
    assert f"card ….{stray.last4}" in difference
    assert "1 cards agree, 1 differences" in summary
    assert client.held(stray)["status"] == GOOD_STANDING

    mended = client.mend()
    assert mended.code == AGREED, mended.everything
    assert (client.held(stray)["status"], client.held(card)["status"]) == (CANCELLED, ACTIVE)
    assert states(client, customer) == {event["ranac"]: "active"}
    assert agrees(client)


def test_stray_card_of_failed_enrollment_is_found(client: IsolatedClient, customer: Customer) -> None:
    assert customer.enroll(DECLINED)["statusCode"] == "-45"
    [failed] = client.exported(customer)["interactions"]
    stray = client.rewards.fresh_card()
    client.put_in(bankCustomerNumber=failed["bankCustomerNumber"], last4=stray.last4)
    assert client.reconcile().code == DIFFERENT
    assert client.held(stray)["status"] == GOOD_STANDING
    assert client.mend("--accept-differences", "1").code == AGREED
    assert client.held(stray)["status"] == CANCELLED
    assert agrees(client)


def test_last4_of_mrs_is_stored(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enrolled(customer)
    other = client.rewards.fresh_card()
    number = client.held(card)["bankCustomerNumber"]
    client.take_away(event["ranac"])
    client.put_in(bankCustomerNumber=number, last4=other.last4, ranac=event["ranac"])

    told = client.reconcile()
    assert told.code == DIFFERENT, told.everything
    assert told.out.startswith("last4 ")
    assert client.exported(customer)["cards"][0]["last4"] == card.last4

    assert client.mend().code == AGREED
    assert client.exported(customer)["cards"][0]["last4"] == other.last4
    assert agrees(client)


def test_refused_cancellation_is_reported(client: IsolatedClient, customer: Customer, rewards: Rewards) -> None:
    card, event = client.enrolled(customer)
    customer.opt_out(card).event()
    client.change_status(event["ranac"], GOOD_STANDING)
    for fault, more in (("code-before", {"code": -10}), ("cut-before", {})):
        rewards.order(card, "updateCustomerAccount", fault, count=MANY, **more)
        ran = client.mend("--accept-differences", "1")
        rewards.forget_orders()
        assert ran.code == DIFFERENT, ran.everything
        assert "; could not be mended" in ran.out
    assert client.held(card)["status"] == GOOD_STANDING
    assert client.mend("--accept-differences", "1").code == AGREED


def test_repair_sends_no_confirmation(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enrolled(customer)
    client.receiver.next()
    client.change_status(event["ranac"], CANCELLED)
    stray = client.rewards.fresh_card()
    client.put_in(bankCustomerNumber=client.held(card)["bankCustomerNumber"], last4=stray.last4)
    assert client.mend("--accept-differences", "2").code == AGREED
    assert len(client.exported(customer)["confirmations"]) == 1
    assert client.receiver.came.empty()


def test_ranacs_are_shown_with_reveal_only(client: IsolatedClient, customer: Customer) -> None:
    card, event = client.enrolled(customer)
    number = client.held(card)["bankCustomerNumber"]
    client.change_status(event["ranac"], CANCELLED)
    for arguments, revealed in (((), False), (("--reveal", "--reference", "request 7"), True)):
        ran = client.reconcile(*arguments)
        assert (event["ranac"] in ran.out) is revealed
        assert event["ranac"] not in ran.err
        for secret in (customer.id, number, card.number):
            assert secret not in ran.everything


def test_silent_mrs_proves_nothing(client: IsolatedClient, customer: Customer, rewards: Rewards) -> None:
    card, _ = client.enrolled(customer)
    rewards.order(card, "getCustomerAccounts", "cut-before", count=MANY)
    for ran in (client.reconcile(), client.mend()):
        assert ran.code == NOT_TOLD, ran.everything
        unknown, summary = ran.out.splitlines()
        assert unknown.startswith("unknown ")
        assert "0 differences" in summary
        assert "of 1 records Mastercard's answers prove nothing" in summary
    rewards.forget_orders()
    assert list(states(client, customer).values()) == ["active"]
    assert agrees(client)


def test_total_disagreement_needs_acceptance(client: IsolatedClient, customer: Customer) -> None:
    events = [client.enrolled(customer)[1] for _ in range(2)]
    for event in events:
        client.change_status(event["ranac"], CANCELLED)
    for words in ((), ("--accept-differences", "1")):
        ran = client.mend(*words)
        assert ran.code == REFUSED, ran.everything
        assert "nothing agrees" in ran.err
        assert "--accept-differences 2" in ran.err
        assert "mended" not in ran.out
        assert list(states(client, customer).values()) == ["active", "active"]
    assert client.mend("--accept-differences", "2").code == AGREED
    assert list(states(client, customer).values()) == ["cancelled", "cancelled"]


def test_many_differences_need_acceptance(client: IsolatedClient) -> None:
    customers = [client.customer() for _ in range(5)]
    events = [client.enrolled(customer)[1] for customer in customers]
    for event in events[:4]:
        client.change_status(event["ranac"], CANCELLED)
    ran = client.mend()
    assert ran.code == REFUSED, ran.everything
    assert "1 cards agree, 4 differences, 4 of them left" in ran.out
    assert all(list(states(client, customer).values()) == ["active"] for customer in customers)


def test_number_unknown_at_mrs_proves_nothing(client: IsolatedClient, customer: Customer) -> None:
    _, event = client.enrolled(customer)
    client.enrolled(customer)
    client.take_away(event["ranac"])
    for ran in (client.reconcile(), client.mend(), client.mend("--accept-differences", "9")):
        assert ran.code == NOT_TOLD, ran.everything
        assert ran.out.startswith("unknown ")
    assert list(states(client, customer).values()) == ["active", "active"]


def test_customer_in_settlement_is_skipped(client: IsolatedClient, customer: Customer, rewards: Rewards) -> None:
    card, _ = client.enrolled(customer)
    opt_out = customer.opt_out(card)
    rewards.order(card, "updateCustomerAccount", "cut-before", count=MANY)
    assert opt_out.ask().status_code == 202
    ran = client.mend()
    assert ran.code == AGREED, ran.everything
    assert "1 customers are left to settlement" in ran.out
    assert client.held(card)["status"] == ACTIVE
    rewards.forget_orders()
    assert opt_out.event()["status"] == "SUCCESS_REMOVAL"
    assert agrees(client)


def test_unknown_client_is_refused() -> None:
    ran = enrollctl("reconcile", "nobody")
    assert (ran.code, ran.out, ran.err) == (NOT_TOLD, "", "enrollctl: there is no client 'nobody'\n")


def agrees(client: IsolatedClient) -> bool:
    ran = client.reconcile()
    return ran.code == AGREED and "0 differences" in ran.out


def states(client: IsolatedClient, customer: Customer) -> dict[str, str]:
    """Of the customer's cards as stored, in a word, by RANAC."""
    return {card["ranac"]: card["state"].split()[0] for card in client.exported(customer)["cards"]}
