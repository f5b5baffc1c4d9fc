"""Opt-out through the page, the product and the Mastercard stand-in."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from browser.console import ConsoleWatch
from browser.embedding import messages_to, open_at_partner
from browser.engines import in_both
from browser.fixtures import ANOTHER_ACTION
from browser.mrs_accounts import ACTIVE, CANCELLED, statuses, wait_for_status
from browser.widget import FAILURE, NOTED, NOTHING_TO, REMOVAL, REMOVING, SUCCESS, Widget
from local_system.cards import Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack

EnrollCard = Callable[[], Card]
OpenForCustomer = Callable[..., Widget]

# A removal stays open for 60 s before the page reports it as noted.
OPEN_FOR = 90_000


@in_both
def test_card_is_removed(
    enroll_card: EnrollCard, open_for_customer: OpenForCustomer, partner: Partner, rewards: Rewards
) -> None:
    card = enroll_card()
    [account] = rewards.accounts_of(card)
    widget = open_for_customer("C")
    widget.shows(REMOVAL)
    expect(widget.root.locator(".masked")).to_have_text(f"{card.number[:4]} XXXX XXXX {card.last4}")
    widget.remove.click()
    widget.shows(SUCCESS)
    widget.says("Your card has been removed from the program.")
    assert statuses(rewards, card) == [CANCELLED]
    assert widget.ended() == [
        {
            "status": "SUCCESS_REMOVAL",
            "parentId": partner.customer,
            "ranac": account["ranac"],
            "designCode": "Gold",
            "bin": card.bin,
            "last4": card.last4,
        }
    ]

    again = open_for_customer("C")
    again.shows(NOTHING_TO["C"])


def test_chosen_card_of_several_is_removed(
    enroll_card: EnrollCard, open_for_customer: OpenForCustomer, rewards: Rewards
) -> None:
    kept, card = enroll_card(), enroll_card()
    widget = open_for_customer("C")
    widget.shows(REMOVAL)
    widget.card_on_file(card.last4).check()
    widget.remove.click()
    widget.shows(SUCCESS)
    widget.says(f"Card ending in •••• {card.last4}")
    assert statuses(rewards, card) == [CANCELLED]
    assert statuses(rewards, kept) == [ACTIVE]


def test_only_the_card_in_the_token_is_shown(
    enroll_card: EnrollCard, open_for_customer: OpenForCustomer, rewards: Rewards
) -> None:
    kept, named = enroll_card(), enroll_card()
    widget = open_for_customer("C", last4=named.last4)
    widget.shows(REMOVAL)
    expect(widget.remove).to_have_accessible_name(f"Remove card {named.last4}")
    widget.remove.click()
    widget.shows(SUCCESS)
    assert statuses(rewards, named) == [CANCELLED]
    assert statuses(rewards, kept) == [ACTIVE]


def test_customer_without_card_has_nothing_to_remove(open_for_customer: OpenForCustomer, partner: Partner) -> None:
    widget = open_for_customer("C")
    widget.shows(NOTHING_TO["C"])
    assert widget.ended() == [{"status": "ERROR_REMOVAL", "parentId": partner.customer}]


def test_card_removed_in_another_tab_is_gone(
    page: Page, enroll_card: EnrollCard, open_for_customer: OpenForCustomer
) -> None:
    kept, card = enroll_card(), enroll_card()
    tabs = [open_for_customer("C"), open_for_customer("C", page.context.new_page())]
    for tab in tabs:
        tab.shows(REMOVAL)
        tab.card_on_file(card.last4).check()
    tabs[0].remove.click()
    tabs[0].shows(SUCCESS)
    tabs[1].remove.click()
    tabs[1].shows(FAILURE)
    tabs[1].says("This card is no longer in the program.")
    [event] = tabs[1].ended()
    assert event["status"] == "ERROR_REMOVAL"
    assert "statusCode" not in event

    tabs[1].try_again.click()
    tabs[1].shows(REMOVAL)
    expect(tabs[1].remove).to_have_accessible_name(f"Remove card {kept.last4}")


def test_declined_removal_can_be_retried(
    enroll_card: EnrollCard, open_for_customer: OpenForCustomer, rewards: Rewards
) -> None:
    card = enroll_card()
    widget = open_for_customer("C")
    widget.shows(REMOVAL)
    rewards.order(card, "updateCustomerAccount", "code-before", code=-10)
    widget.remove.click()
    widget.shows(FAILURE)
    widget.says("The program couldn't find this card.")
    widget.shows_incident()
    [refusal] = widget.ended()
    assert (refusal["status"], refusal["statusCode"]) == ("ERROR_REMOVAL", "-10")
    assert statuses(rewards, card) == [ACTIVE]

    widget.try_again.click()
    widget.shows(REMOVAL)
    widget.remove.click()
    widget.shows(SUCCESS)
    assert statuses(rewards, card) == [CANCELLED]
    assert [event["status"] for event in widget.ended()] == ["ERROR_REMOVAL", "SUCCESS_REMOVAL"]


def test_unanswered_removal_is_completed_later(
    page: Page, enroll_card: EnrollCard, open_for_customer: OpenForCustomer, rewards: Rewards
) -> None:
    card = enroll_card()
    widget = open_for_customer("C")
    widget.shows(REMOVAL)
    rewards.order(card, "updateCustomerAccount", "http500-before", count=1000)
    rewards.order(card, "getCustomerAccounts", "http500-before", count=1000)
    widget.remove.click()
    widget.waits(REMOVING)
    expect(widget.root.get_by_role("heading", level=1)).to_have_text(NOTED, timeout=OPEN_FOR)
    expect(widget.try_again).to_be_hidden()
    [event] = widget.ended()
    assert (event["status"], event["statusCode"]) == ("ERROR_REMOVAL", "-1001")
    assert statuses(rewards, card) == [ACTIVE]

    rewards.forget_orders()
    wait_for_status(rewards, card, CANCELLED)
    page.reload()
    widget.shows(SUCCESS)
    assert [event["status"] for event in widget.ended()] == ["SUCCESS_REMOVAL"]


def test_reload_after_success_reports_it_again(
    page: Page, enroll_card: EnrollCard, open_for_customer: OpenForCustomer
) -> None:
    card = enroll_card()
    widget = open_for_customer("C")
    widget.shows(REMOVAL)
    widget.remove.click()
    widget.shows(SUCCESS)
    reported = widget.ended()
    page.reload()
    widget.shows(SUCCESS)
    widget.says(f"Card ending in •••• {card.last4}")
    assert widget.ended() == reported


def test_partner_page_receives_removal(
    page: Page, stack: Stack, enroll_card: EnrollCard, partner: Partner, console: ConsoleWatch
) -> None:
    console.expect(ANOTHER_ACTION)
    enroll_card()
    widget = open_at_partner(page, stack, "iframe", heading=REMOVAL, customer=partner.customer, action="C")
    widget.remove.click()
    widget.shows(SUCCESS)
    expect(page.locator("#outcome .badge")).to_have_text("SUCCESS_REMOVAL")
    reported = [message["detail"] for message in messages_to(page) if message["type"] == "enrollmentEnded"]
    assert reported == widget.ended()
