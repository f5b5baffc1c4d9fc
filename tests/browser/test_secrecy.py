"""Secrecy of the card number: it never leaves the browser (checked after every other test too) and is not stored."""

import base64
import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Error, Page

from browser.console import ConsoleWatch
from browser.network import Network, Sent
from browser.secrecy import leaks
from browser.widget import SUCCESS, Widget
from local_system.cards import NOT_QUALIFIED, Card


def test_no_request_contains_the_number_in_any_form(widget: Widget, network: Network, card: Card) -> None:
    widget.enroll(NOT_QUALIFIED)
    widget.refuses_card("This card isn't part of the program.")
    widget.type_card(card)
    widget.confirm.click()
    widget.shows(SUCCESS)
    assert len(network.posts()) == 2, "they went past the recorder"
    assert leaks(network.sent, card.number) == []
    assert leaks(network.sent, NOT_QUALIFIED.number) == []


# Sent by the page itself, to prove that the recorder sees what a mistake in the page would send.
PLANTED = {
    "in a body": "number => fetch('/widget/api/enroll', { method: 'POST', body: JSON.stringify({ number }) })",
    "in an address": "number => fetch('/widget/assets/' + number)",
    "in a header": "number => fetch('/widget/api/enroll', { headers: { 'X-Trace': number } })",
    "in a picture's address": "number => { new Image().src = '/widget/demo/pictures/' + number; }",
    "in a beacon": "number => { navigator.sendBeacon('/widget/csp-report', number); }",
    "in the address of another page": "number => { location.search = '?' + number; }",
}
WRITTEN: dict[str, Callable[[Card], str]] = {
    "plain": lambda card: card.number,
    "in groups": lambda card: card.grouped,
    "with hyphens": lambda card: card.grouped.replace(" ", "-"),
    "as a list of digits": lambda card: str([int(digit) for digit in card.number]),
    "the first eight digits": lambda card: card.number[:8],
    "all but the first six": lambda card: card.number[6:],
    "in base64": lambda card: base64.b64encode(card.number.encode()).decode(),
    "in base64, behind something": lambda card: base64.b64encode(b"x" + card.grouped.encode()).decode(),
    "in base64url, in UTF-16": lambda card: base64.urlsafe_b64encode(card.number.encode("utf-16")).decode(),
    "in hexadecimal": lambda card: card.number.encode().hex().upper(),
    "as a hexadecimal number": lambda card: f"{int(card.number):x}",
    "backwards": lambda card: card.number[::-1],
    "percent-encoded": lambda card: "".join(f"%{ord(digit):X}" for digit in card.number),
}


@pytest.mark.parametrize("way", PLANTED)
def test_planted_number_is_found_anywhere(
    widget: Widget, network: Network, console: ConsoleWatch, card: Card, way: str
) -> None:
    console.expect("the server responded with a status of")
    widget.root.evaluate(PLANTED[way], card.number)
    widget.root.wait_for_timeout(1000)
    assert leaks(network.sent, card.number)
    network.sent.clear()


@pytest.mark.parametrize("form", WRITTEN)
def test_number_is_found_in_any_form(form: str) -> None:
    card = Card.random()
    body = json.dumps({"note": f"x{WRITTEN[form](card)}y"}).encode()
    assert leaks([Sent("POST", "http://localhost/", {}, body)], card.number)


def test_permitted_digits_are_no_leak() -> None:
    card = Card.random()
    body = json.dumps({"bin": card.bin, "last4": card.last4}).encode()
    assert leaks([Sent("POST", "http://localhost/", {}, body)], card.number) == []


def test_request_to_foreign_host_is_detected(page: Page, network: Network, console: ConsoleWatch) -> None:
    console.expect("the server responded with a status of")
    with pytest.raises(Error, match="ERR_HTTP_RESPONSE_CODE_FAILURE"):
        page.goto("http://elsewhere.example/")
    assert [sent.url for sent in network.foreign()] == ["http://elsewhere.example/"]
    network.sent.clear()


def test_browser_stores_nothing(page: Page, widget: Widget, card: Card) -> None:
    widget.enroll(card)
    widget.shows(SUCCESS)
    kept = page.evaluate(
        """async () => JSON.stringify({
            local: { ...localStorage }, session: { ...sessionStorage }, cookies: document.cookie,
            databases: await indexedDB.databases(), caches: await caches.keys(),
            values: [...document.querySelectorAll("input[type=text]")].map((input) => input.value),
        })"""
    )
    assert kept == '{"local":{},"session":{},"cookies":"","databases":[],"caches":[],"values":["","",""]}'
    assert card.number not in page.evaluate("JSON.stringify(history.state)")
    assert page.context.cookies() == []
