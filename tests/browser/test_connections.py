"""Lost answers on both sides of the product: the page keeps waiting, and one card is enrolled."""

from datetime import datetime, timedelta

from playwright.sync_api import Page, expect

from browser.console import ConsoleWatch
from browser.network import Network, is_submission
from browser.widget import FORM, SUCCESS, UNREACHABLE, UNSETTLED, WAITING, Widget
from local_system.cards import Card
from local_system.rewards import Rewards

LOST = "net::ERR_"
KEPT_TRYING = "The connection dropped. We'll keep trying, and nothing is lost."


def test_lost_answer_is_repeated_with_first_outcome(
    widget: Widget, rewards: Rewards, network: Network, console: ConsoleWatch, card: Card
) -> None:
    console.expect(LOST)
    network.cut_answers(2, is_submission)
    widget.enroll(card)
    widget.says(KEPT_TRYING)
    widget.shows(SUCCESS)
    assert len(rewards.accounts_of(card)) == 1
    assert [event["status"] for event in widget.ended()] == ["SUCCESS_ENROLLMENT"]

    first, *repeats = network.posts()
    assert len(repeats) == 2
    for repeat in repeats:
        assert repeat.headers["idempotency-key"] == first.headers["idempotency-key"]
        assert repeat.body == first.body, "the very same encrypted pair"


def test_retry_starts_when_back_online(
    page: Page, widget: Widget, rewards: Rewards, network: Network, console: ConsoleWatch, card: Card
) -> None:
    console.expect(LOST)
    page.clock.install()
    page.reload()
    widget.shows(FORM)
    widget.fill(card)
    page.clock.pause_at(datetime.now() + timedelta(seconds=30))
    page.context.set_offline(True)
    widget.confirm.click()
    widget.says(KEPT_TRYING)
    # The page's clock stands still: only the browser's `online` event ends the delay between two calls.
    page.context.set_offline(False)
    widget.shows(SUCCESS)
    assert len(rewards.accounts_of(card)) == 1


def test_lost_mrs_answer_is_resolved_by_lookup(widget: Widget, rewards: Rewards, card: Card) -> None:
    rewards.order(card, "enroll", "cut-after")
    widget.enroll(card)
    # The look-up may answer before a test can see that the page waits.
    widget.shows(SUCCESS)
    [account] = rewards.accounts_of(card)
    assert [event["ranac"] for event in widget.ended()] == [account["ranac"]]


def test_page_waits_for_silent_mrs(widget: Widget, rewards: Rewards, card: Card) -> None:
    rewards.order(card, "enroll", "slow-after", delayMs=12_000)
    widget.enroll(card)
    widget.waits(WAITING)
    widget.shows(FORM)
    widget.shows(WAITING)
    widget.shows(SUCCESS)
    [account] = rewards.accounts_of(card)
    assert [event["ranac"] for event in widget.ended()] == [account["ranac"]]


def test_open_outcome_is_not_reported(page: Page, widget: Widget, rewards: Rewards, card: Card) -> None:
    page.clock.install()
    page.reload()
    widget.shows(FORM)
    rewards.order(card, "enroll", "cut-after")
    rewards.order(card, "getCustomerAccounts", "http500-before", count=100)
    widget.enroll(card)
    widget.waits(WAITING)
    widget.shows_in_time(UNSETTLED, page)
    assert widget.ended() == []

    rewards.forget_orders()
    widget.try_again.click()
    page.clock.resume()
    widget.shows(SUCCESS)
    assert len(rewards.accounts_of(card)) == 1
    assert len(widget.ended()) == 1


def test_same_attempt_can_be_retried_after_outage(
    page: Page, widget: Widget, rewards: Rewards, network: Network, console: ConsoleWatch, card: Card
) -> None:
    console.expect(LOST)
    page.clock.install()
    page.reload()
    widget.shows(FORM)
    widget.fill(card)
    network.cut_all()
    widget.confirm.click()
    widget.shows_in_time(UNREACHABLE, page)
    assert widget.ended() == []

    network.resume()
    widget.try_again.click()
    widget.shows(SUCCESS)
    assert len(rewards.accounts_of(card)) == 1
    assert len({post.headers["idempotency-key"] for post in network.posts()}) == 1
    expect(widget.try_again).to_be_hidden()
