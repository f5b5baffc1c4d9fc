"""Replacement and opt-out in the page, for each possible answer of the service."""

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.bridges import BREAK, BRIDGES, KEEP, read
from browser.console import ConsoleWatch
from browser.embedding import messages_to, open_at_partner
from browser.fixtures import ANOTHER_ACTION
from browser.network import Network, api_calls, is_submission
from browser.service import BLUE, CUSTOMER, ERROR, GOLD, OPEN, PLAIN, Service, event_of
from browser.widget import (
    FAILURE,
    KEPT,
    NOTED,
    NOTHING_TO,
    REMOVAL,
    REMOVING,
    REPLACEMENT,
    REPLACING,
    SUCCESS,
    Widget,
)
from local_system.cards import Card
from local_system.stack import Stack

OpenPage = Callable[..., tuple[Widget, Service]]

FORMS = {"R": REPLACEMENT, "C": REMOVAL}
WAITINGS = {"R": REPLACING, "C": REMOVING}
BOTH = pytest.mark.parametrize("action", ["R", "C"])
CHOOSE = "Choose a card."


def submit(widget: Widget, action: str, card: Card) -> None:
    """Remaining fields, and the button."""
    if action == "R":
        widget.type_card(card)
        widget.replace.click()
    else:
        widget.remove.click()


def asked(network: Network) -> list[str]:
    return [f"{sent.method} {sent.path.rpartition('/')[2]}" for sent in network.sent if api_calls(sent)]


@pytest.mark.parametrize("action, path", [("R", "replace"), ("C", "cancel")])
def test_page_discovers_its_action(open_page: OpenPage, network: Network, card: Card, action: str, path: str) -> None:
    widget, service = open_page(action, GOLD)
    widget.shows(FORMS[action])
    service.will_answer(service.success())
    submit(widget, action, card)
    widget.shows(SUCCESS)
    assert asked(network) == ["GET enroll", f"GET {path}", f"POST {path}"]


def test_replacement_sends_old_card_id_and_new_pair(open_page: OpenPage, network: Network, card: Card) -> None:
    widget, service = open_page("R", GOLD, PLAIN)
    service.will_answer(service.success())
    widget.shows(REPLACEMENT)
    widget.card_on_file(PLAIN.last4).check()
    widget.first_name.fill("Ada")
    submit(widget, "R", card)
    widget.shows(SUCCESS)
    [sent] = network.posts()
    body = json.loads(sent.body)
    pair = body.pop("card")
    assert set(pair) == {"key", "data"}
    assert body == {"oldCard": PLAIN.id, "bin": card.bin, "last4": card.last4, "firstName": "Ada", "consents": []}
    assert 16 <= len(sent.headers["idempotency-key"]) <= 64


def test_removal_sends_only_the_card_id(open_page: OpenPage, network: Network) -> None:
    widget, service = open_page("C", GOLD, PLAIN)
    service.will_answer(service.success())
    widget.shows(REMOVAL)
    widget.card_on_file(GOLD.last4).check()
    widget.remove.click()
    widget.shows(SUCCESS)
    [sent] = network.posts()
    assert json.loads(sent.body) == {"oldCard": GOLD.id}


def test_removal_explains_itself_and_names_the_card(open_page: OpenPage) -> None:
    widget, _ = open_page("C", GOLD, PLAIN)
    widget.says("no longer counts toward the program")
    for hidden in (widget.card_number, widget.first_name, widget.terms, widget.privacy):
        expect(hidden).to_be_hidden()
    expect(widget.root.get_by_text("encrypted in your browser")).to_be_hidden()
    expect(widget.remove).to_have_accessible_name("Remove card")
    widget.card_on_file(PLAIN.last4).check()
    expect(widget.remove).to_have_accessible_name("Remove card 4567")
    widget.card_on_file(GOLD.last4).check()
    expect(widget.remove).to_have_accessible_name("Remove card 0123")


@BOTH
def test_single_card_needs_no_choice(open_page: OpenPage, network: Network, card: Card, action: str) -> None:
    widget, service = open_page(action, GOLD)
    service.will_answer(service.success())
    widget.shows(FORMS[action])
    expect(widget.root.get_by_role("radio")).to_have_count(0)
    expect(widget.root.get_by_role("group", name="Card to ")).to_contain_text("5234 XXXX XXXX 0123")
    submit(widget, action, card)
    widget.shows(SUCCESS)
    [sent] = network.posts()
    assert json.loads(sent.body)["oldCard"] == GOLD.id


@BOTH
def test_several_cards_have_no_default(open_page: OpenPage, network: Network, card: Card, action: str) -> None:
    widget, _ = open_page(action, GOLD, PLAIN, BLUE)
    widget.shows(FORMS[action])
    radios = widget.choice.get_by_role("radio")
    expect(radios).to_have_count(3)
    for radio in radios.all():
        expect(radio).not_to_be_checked()
    submit(widget, action, card)
    expect(radios.first).to_be_focused()
    expect(widget.choice).to_have_accessible_description(CHOOSE)
    expect(widget.choice).to_have_attribute("aria-invalid", "true")
    assert network.posts() == []
    widget.card_on_file(BLUE.last4).check()
    expect(widget.root.get_by_text(CHOOSE).first).to_be_hidden()


def test_card_is_masked_and_read_by_last_digits(open_page: OpenPage) -> None:
    widget, _ = open_page("R", GOLD, PLAIN)
    expect(widget.choice).to_have_accessible_name("Card to replace")
    expect(widget.card_on_file(GOLD.last4)).to_have_accessible_name("Card ending in 0123 Gold")
    expect(widget.card_on_file(PLAIN.last4)).to_have_accessible_name("Card ending in 4567")
    masked = widget.choice.get_by_text("5234 XXXX XXXX 0123", exact=True)
    expect(masked).to_be_visible()
    expect(masked).to_have_attribute("dir", "ltr")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_masked_number_fits_the_narrowest_screen(page: Page, open_page: OpenPage, direction: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    widget, _ = open_page("C", GOLD, PLAIN)
    widget.shows(REMOVAL)
    page.evaluate("direction => { document.documentElement.dir = direction; }", direction)
    for masked in page.locator(".masked").all():
        box = masked.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
        assert box["height"] < 40, "on one line"


def test_card_is_replaced_by_keyboard(page: Page, open_page: OpenPage, network: Network, card: Card) -> None:
    widget, service = open_page("R", GOLD, PLAIN)
    service.will_answer(service.success(last4=card.last4))
    widget.shows(REPLACEMENT)
    keys = page.keyboard
    keys.press("Tab")
    expect(widget.card_on_file(GOLD.last4)).to_be_focused()
    keys.press("ArrowDown")
    expect(widget.card_on_file(PLAIN.last4)).to_be_checked()
    assert outlined(page), "the focus can't be seen"
    keys.press("Tab")
    expect(widget.card_number).to_be_focused()
    keys.type(card.number)
    for field in (widget.first_name, widget.last_name, widget.replace):
        keys.press("Tab")
        expect(field).to_be_focused()
    keys.press("Enter")
    widget.shows(SUCCESS)
    expect(widget.root.get_by_role("heading", level=1)).to_be_focused()
    expect(widget.root.get_by_role("status")).to_contain_text(f"Card ending in {card.last4}")
    assert json.loads(network.posts()[0].body)["oldCard"] == PLAIN.id


def test_card_is_removed_by_keyboard(page: Page, open_page: OpenPage, network: Network) -> None:
    widget, service = open_page("C", GOLD, PLAIN)
    service.will_answer(service.success())
    widget.shows(REMOVAL)
    keys = page.keyboard
    keys.press("Tab")
    keys.press("Space")
    expect(widget.card_on_file(GOLD.last4)).to_be_checked()
    keys.press("Tab")
    expect(widget.remove).to_be_focused()
    keys.press("Enter")
    widget.shows(SUCCESS)
    expect(widget.root.get_by_role("status")).to_contain_text("Your card has been removed from the program.")
    assert json.loads(network.posts()[0].body) == {"oldCard": GOLD.id}


@BOTH
def test_missing_card_is_shown_and_reported(open_page: OpenPage, action: str) -> None:
    widget, _ = open_page(action)
    widget.shows(NOTHING_TO[action])
    widget.says("You have no card in the program")
    expect(widget.root.locator(".incident")).to_be_hidden()
    expect(widget.try_again).to_be_hidden()
    assert widget.ended() == [{"status": ERROR[action], "parentId": CUSTOMER}]


@BOTH
def test_another_card_can_be_chosen_if_one_is_gone(
    open_page: OpenPage, network: Network, card: Card, action: str
) -> None:
    widget, service = open_page(action, GOLD, PLAIN)
    service.will_answer(service.error(), service.success())
    widget.shows(FORMS[action])
    widget.card_on_file(GOLD.last4).check()
    submit(widget, action, card)
    widget.shows(FAILURE)
    widget.says("This card is no longer in the program.")

    service.cards = [PLAIN, BLUE]
    network.sent.clear()
    widget.try_again.click()
    widget.shows(FORMS[action])
    expect(widget.card_on_file(GOLD.last4)).to_have_count(0)
    widget.card_on_file(BLUE.last4).check()
    if action == "R":
        # Values already entered are kept.
        expect(widget.card_number).to_have_value(card.grouped)
        widget.replace.click()
    else:
        widget.remove.click()
    widget.shows(SUCCESS)
    assert [call.partition(" ")[0] for call in asked(network)] == ["GET", "POST"]
    assert json.loads(network.posts()[0].body)["oldCard"] == BLUE.id
    assert [event["status"].partition("_")[0] for event in widget.ended()] == ["ERROR", "SUCCESS"]


@BOTH
def test_retry_ends_if_the_only_card_is_gone(open_page: OpenPage, card: Card, action: str) -> None:
    widget, service = open_page(action, GOLD)
    service.will_answer(service.error())
    widget.shows(FORMS[action])
    submit(widget, action, card)
    widget.says("This card is no longer in the program.")
    service.cards = []
    widget.try_again.click()
    widget.shows(NOTHING_TO[action])
    expect(widget.try_again).to_be_hidden()


@pytest.mark.parametrize(
    "code, text",
    [
        ("-52", "The new card isn't part of the program. Your old card hasn't been replaced."),
        ("-45", "The new card is already in the program. Enter a different one."),
    ],
)
def test_refused_new_card_is_an_error_of_its_field(open_page: OpenPage, card: Card, code: str, text: str) -> None:
    widget, service = open_page("R", GOLD)
    service.will_answer(service.error(code))
    widget.shows(REPLACEMENT)
    submit(widget, "R", card)
    widget.refuses_card(text)
    widget.shows(REPLACEMENT)
    assert widget.ended() == [{"status": "ERROR_REPLACEMENT", "statusCode": code, "parentId": CUSTOMER}]


def test_failed_replacement_has_its_own_text(open_page: OpenPage, card: Card) -> None:
    widget, service = open_page("R", GOLD)
    service.will_answer(service.error("-1001"))
    widget.shows(REPLACEMENT)
    submit(widget, "R", card)
    widget.shows(FAILURE)
    widget.says("We couldn't replace your card because of a technical problem.")
    widget.shows_incident()
    expect(widget.try_again).to_be_visible()
    assert widget.ended() == [{"status": "ERROR_REPLACEMENT", "statusCode": "-1001", "parentId": CUSTOMER}]


@pytest.mark.parametrize(
    "code, text",
    [
        ("-5", "The program couldn't find this card"),
        ("-10", "The program couldn't find this card"),
        ("-85", "The program couldn't find this card"),
        ("-1", "We couldn't remove your card because of a technical problem."),
    ],
)
def test_failed_removal_has_its_own_text(open_page: OpenPage, card: Card, code: str, text: str) -> None:
    widget, service = open_page("C", GOLD)
    service.will_answer(service.error(code))
    widget.shows(REMOVAL)
    submit(widget, "C", card)
    widget.shows(FAILURE)
    widget.says(text)
    assert widget.ended() == [{"status": "ERROR_REMOVAL", "statusCode": code, "parentId": CUSTOMER}]


def test_kept_card_ends_without_a_call(open_page: OpenPage, network: Network) -> None:
    widget, _ = open_page("C", GOLD, PLAIN)
    widget.card_on_file(PLAIN.last4).check()
    widget.keep.click()
    widget.shows(KEPT)
    widget.says("Your card is still in the program.")
    widget.says("You can close this page now.")
    assert network.posts() == []
    assert widget.ended() == []


def test_unanswered_removal_is_noted(page: Page, open_page: OpenPage, card: Card) -> None:
    widget, service = open_page("C", GOLD)
    noted = service.error("-1001", attempts_left=0)
    service.will_answer(OPEN, OPEN, noted)
    widget.shows(REMOVAL)
    submit(widget, "C", card)
    widget.waits(REMOVING)
    widget.shows(NOTED)
    widget.says("Your card will be removed as soon as it does")
    expect(widget.try_again).to_be_hidden()
    assert widget.ended() == [event_of(noted)]

    # Later, after the removal.
    service.standing = service.success()
    page.reload()
    widget.shows(SUCCESS)
    widget.says("Your card has been removed from the program.")
    assert widget.ended() == [event_of(service.standing)]


@BOTH
def test_waiting_screen_names_the_action(open_page: OpenPage, card: Card, action: str) -> None:
    widget, service = open_page(action, GOLD)
    service.will_answer(OPEN)
    widget.shows(FORMS[action])
    submit(widget, action, card)
    widget.waits(WAITINGS[action])
    widget.shows(FORMS[action])
    # After some seconds on a screen of its own.
    widget.shows(WAITINGS[action])
    assert widget.ended() == []
    service.will_answer(service.success())
    widget.shows(SUCCESS)


@BOTH
def test_reload_while_waiting_keeps_waiting(
    page: Page, open_page: OpenPage, network: Network, card: Card, action: str
) -> None:
    widget, service = open_page(action, GOLD)
    service.will_answer(OPEN)
    widget.shows(FORMS[action])
    submit(widget, action, card)
    widget.waits(WAITINGS[action])
    page.wait_for_timeout(500)
    page.reload()
    widget.shows(WAITINGS[action])
    service.standing = service.success()
    widget.shows(SUCCESS)
    assert widget.ended() == [event_of(service.standing)]
    assert "POST" not in asked(network)[-1]


@BOTH
def test_reload_after_success_reports_it_again(page: Page, open_page: OpenPage, card: Card, action: str) -> None:
    widget, service = open_page(action, GOLD)
    service.will_answer(service.success())
    widget.shows(FORMS[action])
    submit(widget, action, card)
    widget.shows(SUCCESS)
    page.reload()
    widget.shows(SUCCESS)
    widget.says(f"Card ending in •••• {GOLD.last4}")
    assert widget.ended() == [event_of(service.success())]


@BOTH
def test_reload_of_form_loads_cards_again(page: Page, open_page: OpenPage, action: str) -> None:
    widget, service = open_page(action, GOLD, PLAIN)
    widget.shows(FORMS[action])
    service.cards = [PLAIN]
    page.reload()
    widget.shows(FORMS[action])
    expect(page.locator(".masked")).to_have_text(PLAIN.masked)


@BOTH
def test_event_has_all_members_of_the_answer(open_page: OpenPage, card: Card, action: str) -> None:
    widget, service = open_page(action, GOLD)
    service.will_answer(service.success())
    widget.shows(FORMS[action])
    submit(widget, action, card)
    widget.shows(SUCCESS)
    [event] = widget.ended()
    assert event == event_of(service.success())
    assert set(event) == {"status", "parentId", "ranac", "designCode", "bin", "last4"}


@BOTH
def test_embedding_page_receives_event(
    page: Page, stack: Stack, network: Network, console: ConsoleWatch, card: Card, action: str
) -> None:
    console.expect(ANOTHER_ACTION)
    service = Service(network, action, GOLD)
    service.will_answer(service.success())
    widget = open_at_partner(page, stack, "iframe", heading=FORMS[action])
    submit(widget, action, card)
    widget.shows(SUCCESS)
    messages = [message for message in messages_to(page) if message["type"] == "enrollmentEnded"]
    assert [message["detail"] for message in messages] == [event_of(service.success())]
    assert {message["origin"] for message in messages} == {stack.api}


@BOTH
@pytest.mark.parametrize("bridge", BRIDGES)
def test_native_app_receives_event(page: Page, open_page: OpenPage, card: Card, bridge: str, action: str) -> None:
    for name, script in BRIDGES.items():
        page.add_init_script(script % (KEEP if name == bridge else BREAK))
    widget, service = open_page(action, GOLD)
    service.will_answer(service.success())
    widget.shows(FORMS[action])
    submit(widget, action, card)
    widget.shows(SUCCESS)
    [message] = page.evaluate("window.bridged")
    assert read(bridge, message) == event_of(service.success())


def test_missing_webcrypto_fails_replacement(page: Page, open_page: OpenPage, network: Network) -> None:
    page.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
    widget, _ = open_page("R", GOLD)
    # Before the form is shown.
    widget.shows(FAILURE)
    expect(widget.card_number).to_be_hidden()
    widget.says("This browser can't encrypt your card number.")
    assert widget.ended() == [{"status": "ERROR_REPLACEMENT"}]
    assert network.posts() == []


@BOTH
def test_double_click_submits_once(open_page: OpenPage, network: Network, card: Card, action: str) -> None:
    widget, service = open_page(action, GOLD)
    service.will_answer(service.success())
    widget.shows(FORMS[action])
    if action == "R":
        widget.type_card(card)
    (widget.replace if action == "R" else widget.remove).dblclick()
    widget.shows(SUCCESS)
    assert len(network.posts()) == 1


@BOTH
def test_lost_answer_is_repeated_with_same_submission(
    open_page: OpenPage, network: Network, console: ConsoleWatch, card: Card, action: str
) -> None:
    console.expect("net::ERR_")
    widget, service = open_page(action, GOLD)
    service.will_answer(service.success())
    widget.shows(FORMS[action])
    network.cut_answers(1, is_submission)
    submit(widget, action, card)
    widget.shows(SUCCESS)
    first, second = network.posts()
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


def test_unknown_action_is_denied(open_page: OpenPage, network: Network) -> None:
    widget, _ = open_page("P", GOLD)
    widget.shows(FAILURE)
    widget.says("We couldn't open this page.")
    assert asked(network) == ["GET enroll"]
    assert widget.ended() == [{"status": "ACCESS_DENIED"}]


def outlined(page: Page) -> bool:
    """Row of the focused radio button."""
    style: str = page.evaluate("getComputedStyle(document.activeElement.closest('label')).outlineStyle")
    return style != "none"
