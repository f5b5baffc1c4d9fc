"""`enrollctl reconcile`: where Mastercard and the tables differ, it tells so, and mends that only if it shall."""

import pytest

from interop.bank import MANY, Bank, Customer
from interop.enrollctl import enrollctl
from local_system.cards import Card
from local_system.rewards import Rewards

DECLINED = Card("5234000000001450")
AGREED, DIFFERENT, NOT_TOLD, REFUSED = 0, 1, 2, 3
ACTIVE, GOOD_STANDING, CANCELLED = "NEW", "GOOD_STANDING", "CANCELLED"


@pytest.fixture
def customer(bank: Bank) -> Customer:
    return bank.customer()


def test_where_both_agree_there_is_nothing_to_tell(bank: Bank) -> None:
    assert bank.reconcile().code == AGREED, "a client without customers"
    for customer in (bank.customer(), bank.customer()):
        bank.enrolled(customer)
    removed, _ = bank.enrolled(customer)
    assert customer.opt_out(removed).event()["status"] == "SUCCESS_REMOVAL"
    ran = bank.reconcile()
    assert ran.code == AGREED, ran.everything
    [summary] = ran.out.splitlines()
    assert "2 customers: 2 cards agree, 0 differences" in summary


def test_a_card_that_mastercard_does_not_hold_is_cancelled_here(bank: Bank, customer: Customer) -> None:
    card, event = bank.enrolled(customer)
    kept, other = bank.enrolled(customer)
    bank.change_status(event["ranac"], CANCELLED)

    told = bank.reconcile()
    assert told.code == DIFFERENT, told.everything
    difference, summary = told.out.splitlines()
    assert difference.startswith("missing ")
    assert f"card ….{card.last4}" in difference
    assert "mended" not in difference
    assert "1 cards agree, 1 differences, 1 of them left" in summary
    assert states(bank, customer) == {event["ranac"]: "active", other["ranac"]: "active"}

    mended = bank.mend()
    assert mended.code == AGREED, mended.everything
    assert "; mended" in mended.out.splitlines()[0]
    assert states(bank, customer) == {event["ranac"]: "cancelled", other["ranac"]: "active"}
    assert customer.on_file() == [kept.last4]
    assert agrees(bank)


def test_a_card_that_mastercard_still_holds_is_cancelled_there(bank: Bank, customer: Customer) -> None:
    card, event = bank.enrolled(customer)
    assert customer.opt_out(card).event()["status"] == "SUCCESS_REMOVAL"
    bank.change_status(event["ranac"], GOOD_STANDING)

    told = bank.reconcile()
    assert told.code == DIFFERENT, told.everything
    assert told.out.startswith("still-active ")
    assert bank.held(card)["status"] == GOOD_STANDING

    mended = bank.mend("--accept-differences", "1")
    assert mended.code == AGREED, mended.everything
    assert "; mended" in mended.out.splitlines()[0]
    assert bank.held(card)["status"] == CANCELLED
    assert agrees(bank)


def test_a_card_that_nobody_enrolled_is_cancelled_there(bank: Bank, customer: Customer) -> None:
    card, event = bank.enrolled(customer)
    stray = bank.rewards.fresh_card()
    bank.put_in(bankCustomerNumber=bank.held(card)["bankCustomerNumber"], last4=stray.last4)

    told = bank.reconcile()
    assert told.code == DIFFERENT, told.everything
    difference, summary = told.out.splitlines()
    assert difference.startswith("stray ")
    assert f"card ….{stray.last4}" in difference
    assert "1 cards agree, 1 differences" in summary
    assert bank.held(stray)["status"] == GOOD_STANDING

    mended = bank.mend()
    assert mended.code == AGREED, mended.everything
    assert (bank.held(stray)["status"], bank.held(card)["status"]) == (CANCELLED, ACTIVE)
    assert states(bank, customer) == {event["ranac"]: "active"}
    assert agrees(bank)


def test_a_card_under_the_number_of_a_failed_enrollment_is_found_too(bank: Bank, customer: Customer) -> None:
    assert customer.enroll(DECLINED)["statusCode"] == "-45"
    [failed] = bank.exported(customer)["interactions"]
    stray = bank.rewards.fresh_card()
    bank.put_in(bankCustomerNumber=failed["bankCustomerNumber"], last4=stray.last4)
    assert bank.reconcile().code == DIFFERENT
    assert bank.held(stray)["status"] == GOOD_STANDING
    assert bank.mend("--accept-differences", "1").code == AGREED
    assert bank.held(stray)["status"] == CANCELLED
    assert agrees(bank)


def test_mastercard_s_last_four_digits_are_taken(bank: Bank, customer: Customer) -> None:
    card, event = bank.enrolled(customer)
    other = bank.rewards.fresh_card()
    number = bank.held(card)["bankCustomerNumber"]
    bank.take_away(event["ranac"])
    bank.put_in(bankCustomerNumber=number, last4=other.last4, ranac=event["ranac"])

    told = bank.reconcile()
    assert told.code == DIFFERENT, told.everything
    assert told.out.startswith("last4 ")
    assert bank.exported(customer)["cards"][0]["last4"] == card.last4

    assert bank.mend().code == AGREED
    assert bank.exported(customer)["cards"][0]["last4"] == other.last4
    assert agrees(bank)


def test_what_mastercard_does_not_cancel_is_left_and_said(bank: Bank, customer: Customer, rewards: Rewards) -> None:
    card, event = bank.enrolled(customer)
    customer.opt_out(card).event()
    bank.change_status(event["ranac"], GOOD_STANDING)
    for fault, more in (("code-before", {"code": -10}), ("cut-before", {})):
        rewards.order(card, "updateCustomerAccount", fault, count=MANY, **more)
        ran = bank.mend("--accept-differences", "1")
        rewards.forget_orders()
        assert ran.code == DIFFERENT, ran.everything
        assert "; could not be mended" in ran.out
    assert bank.held(card)["status"] == GOOD_STANDING
    assert bank.mend("--accept-differences", "1").code == AGREED


def test_mending_tells_the_partner_nothing(bank: Bank, customer: Customer) -> None:
    card, event = bank.enrolled(customer)
    bank.receiver.next()
    bank.change_status(event["ranac"], CANCELLED)
    stray = bank.rewards.fresh_card()
    bank.put_in(bankCustomerNumber=bank.held(card)["bankCustomerNumber"], last4=stray.last4)
    assert bank.mend("--accept-differences", "2").code == AGREED
    assert len(bank.exported(customer)["confirmations"]) == 1
    assert bank.receiver.came.empty()


def test_ranacs_are_told_on_purpose_only(bank: Bank, customer: Customer) -> None:
    card, event = bank.enrolled(customer)
    number = bank.held(card)["bankCustomerNumber"]
    bank.change_status(event["ranac"], CANCELLED)
    for arguments, revealed in (((), False), (("--reveal", "--reference", "request 7"), True)):
        ran = bank.reconcile(*arguments)
        assert (event["ranac"] in ran.out) is revealed
        assert event["ranac"] not in ran.err
        for secret in (customer.id, number, card.number):
            assert secret not in ran.everything


def test_where_mastercard_does_not_answer_it_can_t_be_told(bank: Bank, customer: Customer, rewards: Rewards) -> None:
    card, _ = bank.enrolled(customer)
    rewards.order(card, "getCustomerAccounts", "cut-before", count=MANY)
    for ran in (bank.reconcile(), bank.mend()):
        assert ran.code == NOT_TOLD, ran.everything
        unknown, summary = ran.out.splitlines()
        assert unknown.startswith("unknown ")
        assert "0 differences" in summary
        assert "of 1 records Mastercard's answers prove nothing" in summary
    rewards.forget_orders()
    assert list(states(bank, customer).values()) == ["active"]
    assert agrees(bank)


def test_where_nothing_agrees_nothing_is_mended_without_a_word(bank: Bank, customer: Customer) -> None:
    events = [bank.enrolled(customer)[1] for _ in range(2)]
    for event in events:
        bank.change_status(event["ranac"], CANCELLED)
    for words in ((), ("--accept-differences", "1")):
        ran = bank.mend(*words)
        assert ran.code == REFUSED, ran.everything
        assert "nothing agrees" in ran.err
        assert "--accept-differences 2" in ran.err
        assert "mended" not in ran.out
        assert list(states(bank, customer).values()) == ["active", "active"]
    assert bank.mend("--accept-differences", "2").code == AGREED
    assert list(states(bank, customer).values()) == ["cancelled", "cancelled"]


def test_more_than_a_few_differences_are_not_mended_without_a_word(bank: Bank) -> None:
    customers = [bank.customer() for _ in range(5)]
    events = [bank.enrolled(customer)[1] for customer in customers]
    for event in events[:4]:
        bank.change_status(event["ranac"], CANCELLED)
    ran = bank.mend()
    assert ran.code == REFUSED, ran.everything
    assert "1 cards agree, 4 differences, 4 of them left" in ran.out
    assert all(list(states(bank, customer).values()) == ["active"] for customer in customers)


def test_a_number_that_mastercard_does_not_know_is_no_proof(bank: Bank, customer: Customer) -> None:
    _, event = bank.enrolled(customer)
    bank.enrolled(customer)
    bank.take_away(event["ranac"])
    for ran in (bank.reconcile(), bank.mend(), bank.mend("--accept-differences", "9")):
        assert ran.code == NOT_TOLD, ran.everything
        assert ran.out.startswith("unknown ")
    assert list(states(bank, customer).values()) == ["active", "active"]


def test_a_customer_whom_settlement_is_at_is_left_to_it(bank: Bank, customer: Customer, rewards: Rewards) -> None:
    card, _ = bank.enrolled(customer)
    opt_out = customer.opt_out(card)
    rewards.order(card, "updateCustomerAccount", "cut-before", count=MANY)
    assert opt_out.ask().status_code == 202
    ran = bank.mend()
    assert ran.code == AGREED, ran.everything
    assert "1 customers are left to settlement" in ran.out
    assert bank.held(card)["status"] == ACTIVE
    rewards.forget_orders()
    assert opt_out.event()["status"] == "SUCCESS_REMOVAL"
    assert agrees(bank)


def test_a_client_that_there_is_not_can_t_be_compared() -> None:
    ran = enrollctl("reconcile", "nobody")
    assert (ran.code, ran.out, ran.err) == (NOT_TOLD, "", "enrollctl: there is no client 'nobody'\n")


def agrees(bank: Bank) -> bool:
    ran = bank.reconcile()
    return ran.code == AGREED and "0 differences" in ran.out


def states(bank: Bank, customer: Customer) -> dict[str, str]:
    """Of the customer's cards as stored, in a word, by RANAC."""
    return {card["ranac"]: card["state"].split()[0] for card in bank.exported(customer)["cards"]}
