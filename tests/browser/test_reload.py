"""Reload of the page in each state."""

from playwright.sync_api import Page, expect

from browser.network import Network
from browser.widget import FORM, SUCCESS, WAITING, Widget
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner
from local_system.rewards import Rewards


def test_reload_of_form_keeps_session(page: Page, partner: Partner, rewards: Rewards, card: Card) -> None:
    opening = partner.open()
    page.goto(opening.location)
    widget = Widget(page)
    widget.shows(FORM)
    assert page.url == opening.location.partition("#")[0]
    page.reload()
    widget.shows(FORM)
    widget.enroll(card)
    widget.shows(SUCCESS)
    assert len(rewards.accounts_of(card)) == 1


def test_reload_while_waiting_shows_outcome(
    widget: Widget, page: Page, rewards: Rewards, network: Network, card: Card
) -> None:
    rewards.order(card, "enroll", "slow-before", delayMs=5000)
    widget.enroll(card)
    widget.waits(WAITING)
    # Until the product processes it.
    page.wait_for_timeout(1500)
    assert len(network.posts()) == 1
    page.reload()
    widget.shows(WAITING)
    widget.shows(SUCCESS)
    assert len(network.posts()) == 1
    assert len(rewards.accounts_of(card)) == 1
    assert [event["status"] for event in widget.ended()] == ["SUCCESS_ENROLLMENT"]


def test_reload_after_success_reports_it_again(widget: Widget, page: Page, rewards: Rewards, card: Card) -> None:
    widget.enroll(card)
    widget.shows(SUCCESS)
    reported = widget.ended()
    page.reload()
    widget.shows(SUCCESS)
    widget.says(f"Card ending in •••• {card.last4}")
    assert widget.ended() == reported
    assert len(rewards.accounts_of(card)) == 1


def test_reload_after_refusal_shows_form(widget: Widget, page: Page) -> None:
    widget.enroll(NOT_QUALIFIED)
    widget.refuses_card("This card isn't part of the program.")
    page.reload()
    widget.shows(FORM)
    expect(widget.confirm).to_be_enabled()
