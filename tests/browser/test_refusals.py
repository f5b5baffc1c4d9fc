"""Refusals of the service and of the network in front of it, each with its own text."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect

from browser.console import ConsoleWatch
from browser.network import Answer, Network, api_calls, is_submission
from browser.service import INCIDENT, answer
from browser.widget import FAILURE, FORM, FULL, LATER, SUCCESS, WAITING, Widget
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner

# Value in `infra/local/demo/client.toml`.
MAX_CARDS = 5
REFUSED = "the server responded with a status of"


def test_card_limit_is_reported_before_the_form(page: Page, partner: Partner, enroll_card: Callable[[], Card]) -> None:
    for _ in range(MAX_CARDS):
        enroll_card()
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FULL)
    widget.says("To add another card, replace or remove one first.")
    widget.shows_incident()
    expect(widget.card_number).to_be_hidden()
    expect(widget.try_again).to_be_hidden()
    assert widget.ended() == [{"status": "ERROR_ENROLLMENT", "parentId": partner.customer}]


def test_attempt_limit_offers_no_retry(widget: Widget, network: Network, card: Card) -> None:
    denied = answer(200, {"status": "ACCESS_DENIED"}, {"Attempts-Left": "0", "Ending-Reason": "limit"})
    network.answer(is_submission, lambda _: denied)
    widget.enroll(card)
    widget.shows(LATER)
    widget.says("You've tried too many times. Please come back in an hour and start again.")
    expect(widget.try_again).to_be_hidden()
    assert widget.ended() == [{"status": "ACCESS_DENIED"}], "the reason is in no event"


def test_suspended_client_is_reported(page: Page, partner: Partner, network: Network, console: ConsoleWatch) -> None:
    console.expect(f"{REFUSED} 401")
    network.answer(api_calls, lambda _: answer(401, {"status": "TOKEN_EXPIRED"}, {"Ending-Reason": "suspended"}))
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(LATER)
    widget.says("The program isn't available right now.")
    assert widget.ended() == [{"status": "TOKEN_EXPIRED"}]


def test_read_more_needs_a_link(page: Page, partner: Partner, network: Network) -> None:
    widget = Widget(page)
    page.goto(partner.open().location)
    widget.shows(FORM)
    widget.enroll(NOT_QUALIFIED)
    widget.refuses_card("This card isn't part of the program. Read more about how to join.")
    link = widget.error.get_by_role("link", name="Read more")
    expect(link).to_have_attribute("href", "https://demo-bank.example/terms")

    network.change_answers(api_calls, _with_terms_as_text)
    page.goto(partner.open().location)
    widget.shows(FORM)
    widget.enroll(NOT_QUALIFIED)
    widget.refuses_card("This card isn't part of the program. Please use another card.")
    expect(widget.error).not_to_contain_text("how to join")
    expect(link).to_be_hidden()


@pytest.mark.parametrize("status", [429, 503])
def test_busy_gateway_is_retried(
    widget: Widget, network: Network, console: ConsoleWatch, card: Card, status: int
) -> None:
    console.expect(f"{REFUSED} {status}")
    turns = iter([_of_a_gateway(status), _of_a_gateway(status)])
    network.change_answers(is_submission, lambda real: next(turns, real))
    widget.enroll(card)
    widget.shows(WAITING)
    widget.says("We're very busy right now. We'll keep trying, and nothing is lost.")
    widget.shows(SUCCESS)
    assert len(widget.ended()) == 1


@pytest.mark.parametrize("status", [403, 404, 413, 429, 500])
def test_gateway_refusal_is_no_outcome(
    widget: Widget, network: Network, console: ConsoleWatch, card: Card, status: int
) -> None:
    console.expect(f"{REFUSED} {status}")
    refusal = _of_a_gateway(status, {"Retry-After": "3600"})
    turns = iter([refusal])
    network.change_answers(is_submission, lambda real: next(turns, real))
    widget.enroll(card)
    widget.shows(LATER)
    widget.says("We're very busy right now. Please try again in a few minutes.")
    assert widget.ended() == []
    widget.try_again.click()
    widget.shows(SUCCESS)
    assert len({post.headers["idempotency-key"] for post in network.posts()}) == 1


def test_refusal_shows_its_incident(widget: Widget, network: Network, console: ConsoleWatch, card: Card) -> None:
    console.expect(f"{REFUSED} 413")
    problem = {"type": "about:blank", "title": "The body is too large.", "status": 413, "incident": INCIDENT}
    network.answer(is_submission, lambda _: answer(413, problem))
    widget.enroll(card)
    widget.shows(FAILURE)
    widget.says("We couldn't accept this information.")
    widget.shows_incident()
    assert [event["status"] for event in widget.ended()] == ["INVALID_PARAMETERS"]


def _of_a_gateway(status: int, headers: dict[str, str] | None = None) -> Answer:
    """Answer without a body that the page knows."""
    return Answer(status, "", [("Content-Type", "text/html"), *(headers or {}).items()], b"<html>Not now.</html>")


def _with_terms_as_text(real: Answer) -> Answer:
    body = json.loads(real.body)
    if "terms" in body:
        body["terms"] = {"version": body["terms"]["version"], "text": "Be kind."}
    return replace(real, body=json.dumps(body).encode())
