"""Outcomes of an attempt, as shown to the customer and reported to the partner."""

from playwright.sync_api import expect

from browser.engines import in_both
from browser.network import Network
from browser.widget import FAILURE, FORM, SUCCESS, Widget
from local_system.cards import NOT_QUALIFIED, Card
from local_system.partner import Partner
from local_system.rewards import Rewards


@in_both
def test_card_is_enrolled(widget: Widget, partner: Partner, rewards: Rewards, card: Card) -> None:
    widget.first_name.fill("Ada")
    widget.last_name.fill("Lovelace")
    widget.email.fill("ada@example.com")
    widget.enroll(card)
    widget.shows(SUCCESS)
    widget.says(f"Card ending in •••• {card.last4}")
    [account] = rewards.accounts_of(card)
    assert widget.ended() == [
        {
            "status": "SUCCESS_ENROLLMENT",
            "parentId": partner.customer,
            "ranac": account["ranac"],
            "designCode": "Gold",
            "bin": card.bin,
            "last4": card.last4,
        }
    ]


def test_another_card_is_enrolled_after_refusal(widget: Widget, rewards: Rewards, card: Card, network: Network) -> None:
    widget.enroll(NOT_QUALIFIED)
    widget.refuses_card("This card isn't part of the program.")
    widget.shows(FORM)
    [refusal] = widget.ended()
    assert (refusal["status"], refusal["statusCode"]) == ("ERROR_ENROLLMENT", "-52")
    assert "ranac" not in refusal

    # The number is selected, so that typing replaces it.
    widget.type_card(card)
    widget.confirm.click()
    widget.shows(SUCCESS)
    assert [event["status"] for event in widget.ended()] == ["ERROR_ENROLLMENT", "SUCCESS_ENROLLMENT"]
    assert len(rewards.accounts_of(card)) == 1

    first, second = network.posts()
    assert first.headers["authorization"] == second.headers["authorization"]
    assert first.headers["idempotency-key"] != second.headers["idempotency-key"]


def test_already_enrolled_card_is_reported(widget: Widget, partner: Partner, rewards: Rewards, card: Card) -> None:
    widget.enroll(card)
    widget.shows(SUCCESS)

    again = Widget(widget.root)
    again.root.goto(Partner(partner.stack).open().location)
    again.shows(FORM)
    again.enroll(card)
    again.refuses_card("This card is already in the program. Enter a different one.")
    assert [event["statusCode"] for event in again.ended()] == ["-45"]
    assert len(rewards.accounts_of(card)) == 1


def test_technical_failure_is_reported(widget: Widget, rewards: Rewards, card: Card) -> None:
    rewards.order(card, "enroll", "code-before", code=-1001)
    widget.enroll(card)
    widget.shows(FAILURE)
    widget.says("We couldn't add your card because of a technical problem.")
    widget.shows_incident()
    assert [event["statusCode"] for event in widget.ended()] == ["-1001"]
    assert rewards.accounts_of(card) == []


def test_fifth_refusal_is_the_last(widget: Widget) -> None:
    widget.enroll(NOT_QUALIFIED)
    for left in (4, 3, 2, 1):
        widget.has_ended(5 - left)
        widget.refuses_card("This card isn't part of the program.")
        # Announced before the attempt.
        expect(widget.last_try).to_be_visible(visible=left == 1)
        widget.confirm.click()
    widget.shows(FAILURE)
    expect(widget.try_again).to_be_hidden()
    expect(widget.tries).to_have_text("That was your last try. Please go back and start again.")
    assert len(widget.ended()) == 5
