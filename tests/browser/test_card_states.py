"""States of replacement and opt-out, as in `test_states.py`; the test answers for the service."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.network import Answer
from browser.pictures import Pictures
from browser.service import BLUE, GOLD, OPEN, PLAIN, Service
from browser.views import faults
from browser.widget import FAILURE, KEPT, NOTED, NOTHING_TO, REMOVAL, REMOVING, REPLACEMENT, REPLACING, SUCCESS, Widget
from local_system.cards import Card

OpenPage = Callable[..., tuple[Widget, Service]]


def replace_one_of_several(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("R", GOLD, PLAIN, BLUE)
    widget.shows(REPLACEMENT)


def replace_the_only_one(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("R", GOLD)
    widget.shows(REPLACEMENT)


def replace_filled(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("R", GOLD, PLAIN)
    widget.shows(REPLACEMENT)
    widget.card_on_file(PLAIN.last4).check()
    widget.type_card(card)


def replace_invalid(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("R", GOLD, PLAIN)
    widget.shows(REPLACEMENT)
    widget.replace.click()
    expect(widget.choice).to_have_attribute("aria-invalid", "true")


def replacing(open_page: OpenPage, card: Card) -> None:
    widget, _ = _replace(open_page, card, lambda _: OPEN)
    widget.shows(REPLACING)


def replaced(open_page: OpenPage, card: Card) -> None:
    widget, _ = _replace(open_page, card, Service.success)
    widget.shows(SUCCESS)


def replace_refused(open_page: OpenPage, card: Card) -> None:
    widget, _ = _replace(open_page, card, lambda service: service.error("-52"))
    widget.refuses_card("The new card isn't part of the program.")


def replace_card_gone(open_page: OpenPage, card: Card) -> None:
    _fails(*_replace(open_page, card, Service.error))


def replace_no_card(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("R")
    widget.shows(NOTHING_TO["R"])


def remove_one_of_several(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("C", GOLD, PLAIN, BLUE)
    widget.shows(REMOVAL)


def remove_chosen(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("C", GOLD, PLAIN)
    widget.shows(REMOVAL)
    widget.card_on_file(PLAIN.last4).check()


def remove_invalid(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("C", GOLD, PLAIN)
    widget.shows(REMOVAL)
    widget.remove.click()
    expect(widget.choice).to_have_attribute("aria-invalid", "true")


def remove_the_only_one(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("C", GOLD)
    widget.shows(REMOVAL)


def remove_kept(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("C", GOLD)
    widget.keep.click()
    widget.shows(KEPT)


def removing(open_page: OpenPage, card: Card) -> None:
    widget, _ = _remove(open_page, lambda _: OPEN)
    widget.shows(REMOVING)


def removed(open_page: OpenPage, card: Card) -> None:
    widget, _ = _remove(open_page, Service.success)
    widget.shows(SUCCESS)


def remove_noted(open_page: OpenPage, card: Card) -> None:
    widget, _ = _remove(open_page, lambda service: service.error("-1001", attempts_left=0))
    widget.shows(NOTED)


def remove_declined(open_page: OpenPage, card: Card) -> None:
    _fails(*_remove(open_page, lambda service: service.error("-85")))


def remove_card_gone(open_page: OpenPage, card: Card) -> None:
    _fails(*_remove(open_page, Service.error))


def remove_no_card(open_page: OpenPage, card: Card) -> None:
    widget, _ = open_page("C")
    widget.shows(NOTHING_TO["C"])


def _replace(open_page: OpenPage, card: Card, ending: Callable[[Service], Answer]) -> tuple[Widget, Service]:
    widget, service = open_page("R", GOLD)
    service.will_answer(ending(service))
    widget.shows(REPLACEMENT)
    widget.type_card(card)
    widget.replace.click()
    return widget, service


def _remove(open_page: OpenPage, ending: Callable[[Service], Answer]) -> tuple[Widget, Service]:
    widget, service = open_page("C", GOLD)
    service.will_answer(ending(service))
    widget.shows(REMOVAL)
    widget.remove.click()
    return widget, service


def _fails(widget: Widget, _: Service) -> None:
    widget.shows(FAILURE)


STATES: list[Callable[[OpenPage, Card], None]] = [
    replace_one_of_several,
    replace_the_only_one,
    replace_filled,
    replace_invalid,
    replacing,
    replaced,
    replace_refused,
    replace_card_gone,
    replace_no_card,
    remove_one_of_several,
    remove_chosen,
    remove_invalid,
    remove_the_only_one,
    remove_kept,
    removing,
    removed,
    remove_noted,
    remove_declined,
    remove_card_gone,
    remove_no_card,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.replace("_", "-"))
def test_state_is_accessible(
    page: Page, open_page: OpenPage, pictures: Pictures, card: Card, state: Callable[[OpenPage, Card], None]
) -> None:
    state(open_page, card)
    assert faults(page, pictures, state.__name__.replace("_", "-")) == []
