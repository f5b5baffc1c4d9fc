"""Way on from an end: back to the partner, with the status of the last event and nothing else added."""

import json
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from browser.console import ConsoleWatch
from browser.embedding import messages_to
from browser.engines import in_both
from browser.host import Host
from browser.network import Answer, Network, api_calls
from browser.service import answer
from browser.widget import EXPIRED, FORM, SUCCESS, Widget
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner

BACK = "Back to Demo Bank"
RETURN_URL = "https://demo-bank.example/rewards?from=a%20b&done#cards"


def expected(status: str) -> str:
    return f"https://demo-bank.example/rewards?from=a%20b&done&status={status}#cards"


@in_both
def test_success_leads_back(page: Page, partner: Partner, network: Network, card: Card) -> None:
    widget = open_with_return_url(page, partner, network)
    expect(widget.way_on).to_have_count(0)
    widget.enroll(card)
    widget.shows(SUCCESS)
    expect(page.get_by_role("link", name=BACK)).to_have_attribute("href", expected("SUCCESS_ENROLLMENT"))


def test_refused_card_leads_back_from_the_form(page: Page, partner: Partner, network: Network) -> None:
    widget = open_with_return_url(page, partner, network)
    widget.enroll(NOT_QUALIFIED)
    widget.refuses_card("This card isn't part of the program.")
    expect(page.get_by_role("link", name=BACK)).to_have_attribute("href", expected("ERROR_ENROLLMENT"))


def test_expired_form_leads_back(page: Page, partner: Partner, network: Network, console: ConsoleWatch) -> None:
    console.expect("the server responded with a status of 401")
    page.clock.install()
    widget = open_with_return_url(page, partner, network)
    network.answer(api_calls, lambda _: answer(401, {"status": "TOKEN_EXPIRED"}))
    page.clock.fast_forward("15:01")
    widget.shows(EXPIRED)
    expect(page.get_by_role("link", name=BACK)).to_have_attribute("href", expected("TOKEN_EXPIRED"))


def test_frame_emits_return_and_stays(page: Page, partner: Partner, network: Network, host: Host, card: Card) -> None:
    network.change_answers(api_calls, with_return_url)
    frame = host.frame(page, partner.open().location)
    widget = Widget(frame)
    widget.shows(FORM)
    widget.enroll(card)
    widget.shows(SUCCESS)
    address = frame.url
    frame.get_by_role("button", name=BACK).click()
    frame.wait_for_function("window.events.some(({ type }) => type === 'return')")
    assert widget.events("return") == [{"status": "SUCCESS_ENROLLMENT"}]
    assert frame.url == address
    widget.shows(SUCCESS)


def test_embedding_page_receives_return(page: Page, partner: Partner, network: Network, host: Host, card: Card) -> None:
    network.change_answers(api_calls, with_return_url)
    frame = host.frame(page, partner.open().location)
    widget = Widget(frame)
    widget.shows(FORM)
    widget.enroll(card)
    widget.shows(SUCCESS)
    frame.get_by_role("button", name=BACK).click()
    page.wait_for_function("window.messages.some(({ type }) => type === 'return')")
    [message] = [message for message in messages_to(page) if message["type"] == "return"]
    assert message["detail"] == {"status": "SUCCESS_ENROLLMENT"}


def test_end_without_an_address_can_be_closed(widget: Widget, card: Card) -> None:
    widget.enroll(card)
    widget.shows(SUCCESS)
    widget.says("You can close this page now.")
    expect(widget.root.get_by_role("link", name=BACK)).to_have_count(0)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "/elsewhere"])
def test_unusable_address_is_not_offered(page: Page, partner: Partner, network: Network, card: Card, url: str) -> None:
    widget = open_with_return_url(page, partner, network, url)
    widget.enroll(card)
    widget.shows(SUCCESS)
    expect(page.get_by_role("link", name=BACK)).to_have_count(0)


def open_with_return_url(page: Page, partner: Partner, network: Network, url: str = RETURN_URL) -> Widget:
    network.change_answers(api_calls, lambda real: with_return_url(real, url))
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FORM)
    return widget


def with_return_url(real: Answer, url: str = RETURN_URL) -> Answer:
    return replace(real, body=json.dumps(json.loads(real.body) | {"returnUrl": url}).encode())
