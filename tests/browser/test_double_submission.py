"""Repeated submissions enroll a card once."""

from playwright.sync_api import Page

from browser.console import ConsoleWatch
from browser.network import Network
from browser.widget import FORM, SUCCESS, WAITING, Widget
from local_system.cards import Card
from local_system.partner import Partner
from local_system.rewards import Rewards


def test_double_click_enrolls_once(widget: Widget, rewards: Rewards, network: Network, card: Card) -> None:
    widget.fill(card)
    widget.confirm.dblclick()
    widget.shows(SUCCESS)
    assert len(network.posts()) == 1
    assert len(rewards.accounts_of(card)) == 1
    assert len(widget.ended()) == 1


def test_double_enter_enrolls_once(widget: Widget, page: Page, rewards: Rewards, network: Network, card: Card) -> None:
    widget.fill(card)
    widget.card_number.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    widget.shows(SUCCESS)
    assert len(network.posts()) == 1
    assert len(rewards.accounts_of(card)) == 1


def test_two_tabs_of_one_session_enroll_once(
    page: Page, partner: Partner, rewards: Rewards, console: ConsoleWatch, card: Card
) -> None:
    console.expect("the server responded with a status of 409")
    location = partner.open().location
    tabs = [Widget(page), Widget(page.context.new_page())]
    for tab in tabs:
        tab.root.goto(location)
        tab.shows(FORM)
    other = rewards.fresh_card()
    tabs[0].fill(card)
    tabs[1].fill(other)

    rewards.order(card, "enroll", "slow-before", delayMs=5000)
    tabs[0].confirm.click()
    tabs[0].waits(WAITING)
    # Until the first tab's attempt is open.
    page.wait_for_timeout(2000)
    tabs[1].confirm.click()
    for tab in tabs:
        tab.shows(SUCCESS)
        tab.says(f"Card ending in •••• {card.last4}")
    assert len(rewards.accounts_of(card)) == 1
    assert rewards.accounts_of(other) == []


def test_second_tab_shows_outcome_of_the_first(
    page: Page, partner: Partner, rewards: Rewards, console: ConsoleWatch, card: Card
) -> None:
    console.expect("the server responded with a status of 401")
    location = partner.open().location
    first, second = Widget(page), Widget(page.context.new_page())
    for tab in (first, second):
        tab.root.goto(location)
        tab.shows(FORM)
    first.enroll(card)
    first.shows(SUCCESS)
    other = rewards.fresh_card()
    second.enroll(other)
    second.shows(SUCCESS)
    second.says(f"Card ending in •••• {card.last4}")
    assert [event["status"] for event in second.ended()] == ["SUCCESS_ENROLLMENT"]
    assert rewards.accounts_of(other) == []
