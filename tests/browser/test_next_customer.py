"""Reuse of a tab or frame by the next customer: no entry of the previous one is restored."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Frame, Locator, Page, expect

from browser.embedding import open_at_partner
from browser.engines import in_both
from browser.network import Network
from browser.widget import FAILURE, FORM, Widget
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner
from local_system.stack import Stack

Step = Callable[[Page, str], None]


def open_address(page: Page, location: str) -> None:
    page.goto(location)


def follow_link(page: Page, location: str) -> None:
    """Opens a page in the same tab; only the fragment differs, so the browser loads nothing by itself."""
    page.evaluate("location => { window.location.href = location; }", location)


def leave_and_come_back(page: Page, location: str) -> None:
    page.goto(location.partition("/widget/")[0] + "/widget/_/#status=ACCESS_DENIED")
    Widget(page).shows(FAILURE)
    page.evaluate("history.back()")


def reload(page: Page, location: str) -> None:
    page.reload()


WAYS: dict[str, Step] = {
    "another session is opened": open_address,
    "a link leads to another session": follow_link,
    "back from another page": leave_and_come_back,
    "reloaded": reload,
}


@in_both
@pytest.mark.parametrize("way", WAYS)
def test_reused_tab_shows_empty_form(
    page: Page, widget: Widget, partner: Partner, stack: Stack, card: Card, way: str
) -> None:
    enter_everything(widget, card)
    marked(page)
    next_session = Partner(stack).open().location
    WAYS[way](page, next_session)
    expect_empty(page, page)


@in_both
def test_reused_frame_shows_empty_form(page: Page, stack: Stack, card: Card) -> None:
    widget = open_at_partner(page, stack, "iframe")
    enter_everything(widget, card)
    assert isinstance(widget.root, Frame)
    marked(widget.root)
    location = Partner(stack).open().location
    page.evaluate("location => { document.querySelector('#widget').src = location; }", location)
    expect_empty(page.frames[1], page)


def test_last_refusal_clears_the_number(widget: Widget, network: Network) -> None:
    widget.enroll(NOT_QUALIFIED)
    for times in range(1, 5):
        widget.has_ended(times)
        widget.refuses_card("This card isn't part of the program.")
        expect(widget.card_number).to_have_value(NOT_QUALIFIED.grouped)
        widget.confirm.click()
    widget.shows(FAILURE)
    expect(widget.try_again).to_be_hidden()
    expect(widget.root.locator("#card-number")).to_have_value("")
    expect(widget.root.locator("#terms")).not_to_be_checked()


def enter_everything(widget: Widget, card: Card) -> None:
    widget.first_name.fill("Ada")
    widget.last_name.fill("Lovelace")
    widget.email.fill("ada@example.com")
    widget.fill(card)


def marked(root: Page | Frame) -> None:
    """Marks this document, to tell it from its successor."""
    root.evaluate("document.title = 'before'")


def expect_empty(root: Page | Frame, page: Page) -> None:
    expect(root.locator("title")).not_to_have_text("before")
    Widget(root).shows(FORM)
    root.wait_for_load_state()
    # Some browsers restore values after the load.
    page.wait_for_timeout(500)
    inputs: Locator = root.locator("#form input")
    kept = inputs.evaluate_all("inputs => inputs.filter(it => it.type === 'checkbox' ? it.checked : it.value)")
    assert kept == []
