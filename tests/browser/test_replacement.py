"""Replacement through the page, the product and the Mastercard stand-in."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from browser.console import ConsoleWatch
from browser.embedding import messages_to, open_at_partner
from browser.engines import in_both
from browser.fixtures import ANOTHER_ACTION
from browser.mrs_accounts import ACTIVE, CANCELLED, statuses, wait_for_status
from browser.widget import FAILURE, NOTHING_TO, REPLACEMENT, SUCCESS, Widget
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner
from local_system.rewards import Rewards
from local_system.stack import Stack

EnrollCard = Callable[[], Card]
OpenForCustomer = Callable[..., Widget]


def masked(card: Card) -> str:
    return f"{card.number[:4]} XXXX XXXX {card.last4}"


def replace(widget: Widget, card: Card) -> None:
    widget.type_card(card)
    widget.replace.click()


@in_both
def test_card_is_replaced(
    enroll_card: EnrollCard, open_for_customer: OpenForCustomer, partner: Partner, rewards: Rewards, card: Card
) -> None:
    old = enroll_card()
    widget = open_for_customer("R")
    widget.shows(REPLACEMENT)
    expect(widget.root.locator(".masked")).to_have_text(masked(old))
    expect(widget.terms).to_be_hidden()
    widget.first_name.fill("Ada")
    replace(widget, card)
    widget.shows(SUCCESS)
    widget.says(f"Card ending in •••• {card.last4}")
    [account] = rewards.accounts_of(card)
    assert account["status"] == ACTIVE
    assert widget.ended() == [
        {
            "status": "SUCCESS_REPLACEMENT",
            "parentId": partner.customer,
            "ranac": account["ranac"],
            "designCode": "Gold",
            "bin": card.bin,
            "last4": card.last4,
        }
    ]
    wait_for_status(rewards, old, CANCELLED)


def test_chosen_card_of_several_is_replaced(
    enroll_card: EnrollCard, open_for_customer: OpenForCustomer, rewards: Rewards, card: Card
) -> None:
    kept, old = enroll_card(), enroll_card()
    widget = open_for_customer("R")
    widget.shows(REPLACEMENT)
    widget.card_on_file(old.last4).check()
    replace(widget, card)
    widget.shows(SUCCESS)
    wait_for_status(rewards, old, CANCELLED)
    assert statuses(rewards, kept) == [ACTIVE]

    again = open_for_customer("R")
    again.shows(REPLACEMENT)
    expect(again.choice.get_by_role("radio")).to_have_count(2)
    expect(again.card_on_file(kept.last4)).to_be_visible()
    expect(again.card_on_file(card.last4)).to_be_visible()


def test_only_the_card_in_the_token_is_shown(enroll_card: EnrollCard, open_for_customer: OpenForCustomer) -> None:
    enroll_card()
    named = enroll_card()
    widget = open_for_customer("R", last4=named.last4)
    widget.shows(REPLACEMENT)
    expect(widget.root.locator(".masked")).to_have_text(masked(named))


def test_refused_new_card_keeps_the_old_one(
    enroll_card: EnrollCard, open_for_customer: OpenForCustomer, rewards: Rewards, card: Card
) -> None:
    old = enroll_card()
    widget = open_for_customer("R")
    widget.shows(REPLACEMENT)
    replace(widget, NOT_QUALIFIED)
    widget.refuses_card("The new card isn't part of the program. Your old card hasn't been replaced.")
    [refusal] = widget.ended()
    assert (refusal["status"], refusal["statusCode"]) == ("ERROR_REPLACEMENT", "-52")
    assert "ranac" not in refusal
    assert statuses(rewards, old) == [ACTIVE]

    replace(widget, card)
    widget.shows(SUCCESS)
    assert [event["status"] for event in widget.ended()] == ["ERROR_REPLACEMENT", "SUCCESS_REPLACEMENT"]
    wait_for_status(rewards, old, CANCELLED)


def test_customer_without_card_has_nothing_to_replace(open_for_customer: OpenForCustomer, partner: Partner) -> None:
    widget = open_for_customer("R")
    widget.shows(NOTHING_TO["R"])
    assert widget.ended() == [{"status": "ERROR_REPLACEMENT", "parentId": partner.customer}]


def test_card_replaced_in_another_tab_is_gone(
    page: Page, enroll_card: EnrollCard, open_for_customer: OpenForCustomer, rewards: Rewards
) -> None:
    old = enroll_card()
    first, second = rewards.fresh_card(), rewards.fresh_card()
    tabs = [open_for_customer("R"), open_for_customer("R", page.context.new_page())]
    for tab, card in zip(tabs, (first, second), strict=True):
        tab.shows(REPLACEMENT)
        tab.type_card(card)
    tabs[0].replace.click()
    tabs[0].shows(SUCCESS)
    tabs[1].replace.click()
    tabs[1].shows(FAILURE)
    tabs[1].says("This card is no longer in the program.")
    [event] = tabs[1].ended()
    assert event["status"] == "ERROR_REPLACEMENT"
    assert "statusCode" not in event
    assert rewards.accounts_of(second) == []

    tabs[1].try_again.click()
    tabs[1].shows(REPLACEMENT)
    expect(tabs[1].root.locator(".masked")).to_have_text(masked(first))
    wait_for_status(rewards, old, CANCELLED)


def test_lost_mrs_answer_is_resolved_by_lookup(
    enroll_card: EnrollCard, open_for_customer: OpenForCustomer, rewards: Rewards, card: Card
) -> None:
    old = enroll_card()
    widget = open_for_customer("R")
    widget.shows(REPLACEMENT)
    rewards.order(card, "enroll", "cut-after")
    replace(widget, card)
    widget.shows(SUCCESS)
    [account] = rewards.accounts_of(card)
    assert [event["ranac"] for event in widget.ended()] == [account["ranac"]]
    wait_for_status(rewards, old, CANCELLED)


def test_reload_after_success_reports_it_again(
    page: Page, enroll_card: EnrollCard, open_for_customer: OpenForCustomer, rewards: Rewards, card: Card
) -> None:
    enroll_card()
    widget = open_for_customer("R")
    widget.shows(REPLACEMENT)
    replace(widget, card)
    widget.shows(SUCCESS)
    reported = widget.ended()
    page.reload()
    widget.shows(SUCCESS)
    widget.says(f"Card ending in •••• {card.last4}")
    assert widget.ended() == reported
    assert len(rewards.accounts_of(card)) == 1


def test_partner_page_receives_replacement(
    page: Page, stack: Stack, enroll_card: EnrollCard, partner: Partner, console: ConsoleWatch, card: Card
) -> None:
    console.expect(ANOTHER_ACTION)
    enroll_card()
    widget = open_at_partner(page, stack, "iframe", heading=REPLACEMENT, customer=partner.customer, action="R")
    replace(widget, card)
    widget.shows(SUCCESS)
    expect(page.locator("#outcome .badge")).to_have_text("SUCCESS_REPLACEMENT")
    reported = [message["detail"] for message in messages_to(page) if message["type"] == "enrollmentEnded"]
    assert reported == widget.ended()
