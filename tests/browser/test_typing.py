"""Card number field: typing, pasting and correcting."""

import pytest
from playwright.sync_api import Page, expect

from browser.network import Network
from browser.scripts import FULL_WIDTH, ZEROS, in_script
from browser.widget import SUCCESS, Widget
from local_system.cards import OF_ANOTHER_PROGRAM, Card

# Compositions of input methods: text in the field meanwhile, and the final text.
COMPOSED = {
    "Japanese": (
        [in_script(FULL_WIDTH, "5234"[:length]) for length in range(1, 5)],
        in_script(FULL_WIDTH, "5234"),
    ),
    "Chinese, committed as ASCII": (["5", "52", "523", "5234"], "5234"),
    "Korean, by a number's name": (["ㅇ", "오", "오이"], "5234"),
}
NOT_RIGHT = "Check your card number. One of the digits seems to be wrong."


def test_number_is_grouped_and_brand_shown(widget: Widget, card: Card) -> None:
    widget.card_number.press_sequentially(card.number[:7])
    expect(widget.card_number).to_have_value(f"{card.number[:4]} {card.number[4:7]}")
    expect(widget.root.locator(".control")).to_have_attribute("data-brand", "mastercard")
    widget.card_number.press_sequentially(card.number[7:])
    expect(widget.card_number).to_have_value(card.grouped)
    expect(widget.error).to_be_hidden()


@pytest.mark.parametrize("mark", ["", " ", "-", "\u00a0", "."])
def test_pasted_number_is_accepted_in_any_format(
    widget: Widget, page: Page, card: Card, network: Network, mark: str
) -> None:
    paste(page, widget, f" {card.grouped.replace(' ', mark)}\n")
    expect(widget.card_number).to_have_value(card.grouped)
    widget.terms.check()
    widget.privacy.check()
    widget.confirm.click()
    widget.shows(SUCCESS)


@pytest.mark.parametrize("script", ZEROS)
def test_digits_of_other_scripts_are_accepted(widget: Widget, page: Page, card: Card, script: str) -> None:
    paste(page, widget, in_script(ZEROS[script], card.grouped))
    expect(widget.card_number).to_have_value(card.grouped)


@pytest.mark.parametrize("method", COMPOSED)
def test_composition_is_not_changed_until_it_ends(widget: Widget, page: Page, method: str) -> None:
    steps, committed = COMPOSED[method]
    widget.card_number.focus()
    for step in steps:
        compose(page, step)
        expect(widget.card_number).to_have_value(step)
    commit(page, committed)
    expect(widget.card_number).to_have_value("5234")
    zero = chr(FULL_WIDTH)
    compose(page, zero)
    commit(page, zero)
    expect(widget.card_number).to_have_value("5234 0")


def test_composed_name_is_not_changed(widget: Widget, page: Page) -> None:
    widget.last_name.focus()
    for step in ["や", "やま", "山"]:
        compose(page, step)
        expect(widget.last_name).to_have_value(step)
    commit(page, "山田")
    expect(widget.last_name).to_have_value("山田")


def test_excess_digits_are_reported_and_kept(widget: Widget, page: Page, card: Card, network: Network) -> None:
    paste(page, widget, f"{card.number}0000")
    expect(widget.error).to_have_text("This card number is too long.")
    expect(widget.card_number).to_have_value(f"{card.grouped} 0000")
    widget.terms.check()
    widget.privacy.check()
    widget.confirm.click()
    expect(widget.card_number).to_be_focused()
    assert network.posts() == []


def test_number_set_without_event_is_sent(widget: Widget, card: Card) -> None:
    widget.card_number.evaluate("(input, number) => { input.value = number; }", card.number)
    widget.terms.evaluate("input => { input.checked = true; }")
    widget.privacy.evaluate("input => { input.checked = true; }")
    widget.confirm.click()
    widget.shows(SUCCESS)
    assert [event["last4"] for event in widget.ended()] == [card.last4]


def test_digit_in_the_middle_is_corrected_in_place(widget: Widget, page: Page, card: Card) -> None:
    typo = card.number[:6] + str((int(card.number[6]) + 1) % 10) + card.number[7:]
    widget.card_number.press_sequentially(typo)
    expect(widget.error).to_have_text(NOT_RIGHT)
    page.keyboard.press("Home")
    for _ in range(len("5234 000")):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Backspace")
    page.keyboard.type(card.number[6])
    expect(widget.card_number).to_have_value(card.grouped)
    expect(widget.error).to_be_hidden()


def test_luhn_failure_is_reported_and_not_sent(widget: Widget, card: Card, network: Network) -> None:
    wrong = card.number[:-1] + str((int(card.number[-1]) + 1) % 10)
    widget.enroll(Card(wrong))
    expect(widget.error).to_have_text(NOT_RIGHT)
    expect(widget.card_number).to_have_attribute("aria-invalid", "true")
    expect(widget.card_number).to_have_accessible_description(NOT_RIGHT)
    expect(widget.card_number).to_be_focused()
    assert network.posts() == []


def test_short_number_is_reported_on_blur(widget: Widget, card: Card) -> None:
    widget.card_number.press_sequentially(card.number[:-1])
    expect(widget.error).to_be_hidden()
    widget.card_number.blur()
    expect(widget.error).to_have_text("This card number is too short.")


def test_other_program_is_reported_while_typing(widget: Widget, network: Network) -> None:
    message = "This card isn't part of the program. Please try another card."
    widget.card_number.press_sequentially(OF_ANOTHER_PROGRAM.number[:5])
    # The first digits may be a slip.
    expect(widget.error).to_be_hidden()
    expect(widget.hint).to_be_visible()
    widget.card_number.press_sequentially(OF_ANOTHER_PROGRAM.number[5])
    expect(widget.error).to_have_text(message)
    expect(widget.hint).to_be_hidden()
    widget.card_number.press_sequentially(OF_ANOTHER_PROGRAM.number[6:])
    widget.terms.check()
    widget.privacy.check()
    widget.confirm.click()
    expect(widget.error).to_have_text(message)
    assert network.posts() == []


def test_change_events_contain_no_digit(widget: Widget, card: Card) -> None:
    widget.type_card(card)
    changes = widget.events("change")
    assert changes[0] == {"valid": False, "couldBecomeValid": True, "brand": "mastercard"}
    assert changes[-1] == {"valid": True, "couldBecomeValid": True, "brand": "mastercard"}
    assert not any(digit in str(changes) for digit in "0123456789")


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_whole_number_fits_the_narrowest_screen(widget: Widget, page: Page, card: Card, direction: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.evaluate("direction => { document.documentElement.dir = direction; }", direction)
    widget.type_card(card)
    assert not widget.card_number.evaluate("input => input.scrollWidth > input.clientWidth")


def paste(page: Page, widget: Widget, text: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("text => navigator.clipboard.writeText(text)", text)
    widget.card_number.focus()
    page.keyboard.press("Control+V")


def compose(page: Page, text: str) -> None:
    """Composes text like an open input method: the text is in the field, underlined."""
    session = page.context.new_cdp_session(page)
    session.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    session.detach()


def commit(page: Page, text: str) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Input.insertText", {"text": text})
    session.detach()
