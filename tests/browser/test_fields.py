"""Names, email and consents: optional or required, and by keyboard only."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.network import Answer, Network, api_calls
from browser.scripts import ASCII, ZEROS, in_script
from browser.widget import FORM, SUCCESS, Widget
from local_system.cards import Card
from local_system.partner import Partner


def test_empty_optional_field_is_not_sent(widget: Widget, network: Network, card: Card) -> None:
    expect(widget.root.get_by_text("First name (optional)")).to_be_visible()
    widget.enroll(card)
    widget.shows(SUCCESS)
    [sent] = network.posts()
    submitted = json.loads(sent.body)
    assert set(submitted) == {"card", "bin", "last4", "consents"}
    assert (submitted["bin"], submitted["last4"]) == (card.bin, card.last4)
    assert set(submitted["card"]) == {"key", "data"}
    assert [consent["document"] for consent in submitted["consents"]] == ["terms", "privacy"]


@pytest.mark.parametrize("name, document", [("terms", "Terms & Conditions"), ("privacy", "Privacy Notice")])
def test_missing_consent_blocks_submission(
    widget: Widget, network: Network, card: Card, name: str, document: str
) -> None:
    box = getattr(widget, name)
    widget.fill(card)
    box.uncheck()
    widget.confirm.click()
    expect(box).to_be_focused()
    expect(box).to_have_accessible_description(f"Accept the {document} to continue.")
    assert network.posts() == []
    box.check()
    expect(box).not_to_have_attribute("aria-invalid", "true")


def test_invalid_email_is_reported(widget: Widget, network: Network, card: Card) -> None:
    widget.email.fill("ada@example")
    widget.enroll(card)
    expect(widget.email).to_be_focused()
    expect(widget.email).to_have_accessible_description("Enter an email address such as name@example.com.")
    assert network.posts() == []


@pytest.mark.parametrize("name", ["first_name", "last_name", "email"])
@pytest.mark.parametrize("zero", [ASCII, *ZEROS.values()])
def test_card_number_in_other_field_is_not_sent(
    widget: Widget, network: Network, card: Card, name: str, zero: int
) -> None:
    field: Locator = getattr(widget, name)
    number = in_script(zero, card.grouped)
    # At once, like autofill.
    field.fill(f"{number.replace(' ', '-')}@example.com" if name == "email" else number)
    message = "This looks like a card number. Enter it in the card number field only."
    expect(field).to_have_accessible_description(message)
    widget.enroll(card)
    expect(field).to_be_focused()
    assert network.posts() == []


@pytest.mark.parametrize("character", ["\\ufffe", "\\ud835", "\\u0007"])
def test_unusable_character_is_reported(widget: Widget, network: Network, card: Card, character: str) -> None:
    # A driver cannot type an unpaired surrogate.
    widget.last_name.evaluate(f"input => {{ input.value = 'Love{character}lace'; }}")
    widget.enroll(card)
    expect(widget.last_name).to_be_focused()
    message = "This contains a character we can't use. Please type it again."
    expect(widget.last_name).to_have_accessible_description(message)
    assert network.posts() == []


def test_terms_open_in_new_window(widget: Widget) -> None:
    link = widget.root.get_by_role("link", name="Terms & Conditions")
    expect(link).to_have_accessible_description("opens in a new tab")
    expect(link).to_have_attribute("href", "https://demo-bank.example/terms")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer")


def test_card_is_enrolled_by_keyboard(page: Page, widget: Widget, card: Card) -> None:
    keys = page.keyboard
    entries: list[tuple[Locator, Callable[[], None]]] = [
        (widget.card_number, lambda: keys.type(card.number)),
        (widget.first_name, lambda: keys.type("Ada")),
        (widget.last_name, lambda: keys.type("Lovelace")),
        (widget.email, lambda: keys.type("ada@example.com")),
        (widget.terms, lambda: keys.press("Space")),
        (widget.root.get_by_role("link", name="Terms & Conditions"), lambda: None),
        (widget.privacy, lambda: keys.press("Space")),
        (widget.root.get_by_role("link", name="Privacy Notice"), lambda: None),
        (widget.confirm, lambda: keys.press("Enter")),
    ]
    for element, enter in entries:
        keys.press("Tab")
        expect(element).to_be_focused()
        assert outlined(element), "the focus can't be seen"
        enter()
    widget.shows(SUCCESS)
    # Screen readers read the focused heading.
    expect(widget.root.get_by_role("heading", level=1)).to_be_focused()
    expect(widget.root.get_by_role("status")).to_contain_text(f"Card ending in {card.last4}")


def test_fields_follow_client_configuration(page: Page, partner: Partner, network: Network, card: Card) -> None:
    # The demo client's names are optional, so the server's answer is changed in transit.
    def change(answer: Answer) -> Answer:
        form = json.loads(answer.body)
        form["fields"] |= {"firstName": "required", "lastName": "hidden", "privacy": "optional"}
        form["terms"] = {"version": "7", "text": "Be kind.\n\nPay back."}
        return replace(answer, body=json.dumps(form).encode())

    network.change_answers(api_calls, change)
    page.goto(partner.open().location)
    widget = Widget(page)
    widget.shows(FORM)
    expect(widget.last_name).to_be_hidden()
    widget.type_card(card)

    unfold = page.get_by_role("button", name="Terms & Conditions")
    unfold.click()
    expect(page.get_by_role("region", name="Terms & Conditions")).to_have_text("Be kind.\n\nPay back.")
    expect(unfold).to_have_attribute("aria-expanded", "true")
    expect(widget.terms).not_to_be_checked()
    unfold.press("Enter")
    expect(unfold).to_have_attribute("aria-expanded", "false")

    widget.terms.check()
    widget.confirm.click()
    expect(widget.first_name).to_be_focused()
    expect(widget.first_name).to_have_accessible_description("Enter your first name.")
    assert network.posts() == []


def outlined(element: Locator) -> bool:
    style: list[str] = element.evaluate("it => [getComputedStyle(it).outlineStyle, getComputedStyle(it).boxShadow]")
    return style != ["none", "none"]
