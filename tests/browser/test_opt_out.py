"""Opting out, through the page, the product and its stand-in for Mastercard."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from browser.embedding import heard_by, open_at_partner
from browser.engines import in_both
from browser.fixtures import ANOTHER_ACTION
from browser.mrs_accounts import ACTIVE, CANCELLED, becomes, statuses
from browser.watch import Watch
from browser.widget import FAILURE, NOTED, REMOVAL, REMOVING, SUCCESS, Widget
from local_system.cards import Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack

OnFile = Callable[[], Card]
OpensFor = Callable[..., Widget]

# A removal is open for 60 s before it is only noted.
OPEN_FOR = 90_000


@in_both
def test_card_is_removed(on_file: OnFile, opens_for: OpensFor, partner: Partner, rewards: Rewards) -> None:
    card = on_file()
    [account] = rewards.accounts_of(card)
    widget = opens_for("C")
    widget.shows(REMOVAL)
    expect(widget.place.locator(".masked")).to_have_text(f"{card.number[:4]} XXXX XXXX {card.last4}")
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

    again = opens_for("C")
    again.shows(FAILURE)
    again.says("You have no card in the program to remove.")


def test_chosen_card_of_several_is_removed(on_file: OnFile, opens_for: OpensFor, rewards: Rewards) -> None:
    kept, card = on_file(), on_file()
    widget = opens_for("C")
    widget.shows(REMOVAL)
    widget.card_on_file(card.last4).check()
    widget.remove.click()
    widget.shows(SUCCESS)
    widget.says(f"Card ending in •••• {card.last4}")
    assert statuses(rewards, card) == [CANCELLED]
    assert statuses(rewards, kept) == [ACTIVE]


def test_only_the_card_in_the_token_is_shown(on_file: OnFile, opens_for: OpensFor, rewards: Rewards) -> None:
    kept, named = on_file(), on_file()
    widget = opens_for("C", last4=named.last4)
    widget.shows(REMOVAL)
    expect(widget.remove).to_have_accessible_name(f"Remove card {named.last4}")
    widget.remove.click()
    widget.shows(SUCCESS)
    assert statuses(rewards, named) == [CANCELLED]
    assert statuses(rewards, kept) == [ACTIVE]


def test_customer_without_card_has_nothing_to_remove(opens_for: OpensFor, partner: Partner) -> None:
    widget = opens_for("C")
    widget.shows(FAILURE)
    widget.says("You have no card in the program to remove.")
    assert widget.ended() == [{"status": "ERROR_REMOVAL", "parentId": partner.customer}]


def test_card_removed_in_another_tab_is_gone(page: Page, on_file: OnFile, opens_for: OpensFor) -> None:
    kept, card = on_file(), on_file()
    tabs = [opens_for("C"), opens_for("C", page.context.new_page())]
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


def test_declined_removal_can_be_retried(on_file: OnFile, opens_for: OpensFor, rewards: Rewards) -> None:
    card = on_file()
    widget = opens_for("C")
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
    page: Page, on_file: OnFile, opens_for: OpensFor, rewards: Rewards
) -> None:
    card = on_file()
    widget = opens_for("C")
    widget.shows(REMOVAL)
    rewards.order(card, "updateCustomerAccount", "http500-before", count=1000)
    rewards.order(card, "getCustomerAccounts", "http500-before", count=1000)
    widget.remove.click()
    widget.shows(REMOVING)
    expect(widget.place.get_by_role("heading", level=1)).to_have_text(NOTED, timeout=OPEN_FOR)
    expect(widget.try_again).to_be_hidden()
    [event] = widget.ended()
    assert (event["status"], event["statusCode"]) == ("ERROR_REMOVAL", "-1001")
    assert statuses(rewards, card) == [ACTIVE]

    rewards.forget_orders()
    becomes(rewards, card, CANCELLED)
    page.reload()
    widget.shows(SUCCESS)
    assert [event["status"] for event in widget.ended()] == ["SUCCESS_REMOVAL"]


def test_reload_after_success_reports_it_again(page: Page, on_file: OnFile, opens_for: OpensFor) -> None:
    card = on_file()
    widget = opens_for("C")
    widget.shows(REMOVAL)
    widget.remove.click()
    widget.shows(SUCCESS)
    told = widget.ended()
    page.reload()
    widget.shows(SUCCESS)
    widget.says(f"Card ending in •••• {card.last4}")
    assert widget.ended() == told


def test_partner_page_receives_removal(
    page: Page, stack: Stack, on_file: OnFile, partner: Partner, watch: Watch
) -> None:
    watch.expect(ANOTHER_ACTION)
    on_file()
    widget = open_at_partner(page, stack, "iframe", heading=REMOVAL, customer=partner.customer, action="C")
    widget.remove.click()
    widget.shows(SUCCESS)
    expect(page.locator("#outcome .badge")).to_have_text("SUCCESS_REMOVAL")
    told = [message["detail"] for message in heard_by(page) if message["type"] == "enrollmentEnded"]
    assert told == widget.ended()
