"""Each state of the page that replaces or removes a card, as in `test_states.py`; the service behind it is the test."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.network import Answer
from browser.pictures import Pictures
from browser.service import BLUE, GOLD, OPEN, PLAIN, Service
from browser.views import faults
from browser.widget import FAILURE, NOTED, REMOVAL, REMOVING, REPLACEMENT, REPLACING, SUCCESS, Widget
from local_system.cards import Card

Opens = Callable[..., tuple[Widget, Service]]


def replace_one_of_several(opens: Opens, card: Card) -> None:
    widget, _ = opens("R", GOLD, PLAIN, BLUE)
    widget.shows(REPLACEMENT)


def replace_the_only_one(opens: Opens, card: Card) -> None:
    widget, _ = opens("R", GOLD)
    widget.shows(REPLACEMENT)


def replace_filled(opens: Opens, card: Card) -> None:
    widget, _ = opens("R", GOLD, PLAIN)
    widget.shows(REPLACEMENT)
    widget.card_on_file(PLAIN.last4).check()
    widget.type_card(card)


def replace_invalid(opens: Opens, card: Card) -> None:
    widget, _ = opens("R", GOLD, PLAIN)
    widget.shows(REPLACEMENT)
    widget.replace.click()
    expect(widget.choice).to_have_attribute("aria-invalid", "true")


def replacing(opens: Opens, card: Card) -> None:
    widget, _ = _replace(opens, card, lambda _: OPEN)
    widget.shows(REPLACING)


def replaced(opens: Opens, card: Card) -> None:
    widget, _ = _replace(opens, card, Service.success)
    widget.shows(SUCCESS)


def replace_refused(opens: Opens, card: Card) -> None:
    _fails(*_replace(opens, card, lambda service: service.error("-52")))


def replace_card_gone(opens: Opens, card: Card) -> None:
    _fails(*_replace(opens, card, Service.error))


def replace_no_card(opens: Opens, card: Card) -> None:
    _fails(*opens("R"))


def remove_one_of_several(opens: Opens, card: Card) -> None:
    widget, _ = opens("C", GOLD, PLAIN, BLUE)
    widget.shows(REMOVAL)


def remove_chosen(opens: Opens, card: Card) -> None:
    widget, _ = opens("C", GOLD, PLAIN)
    widget.shows(REMOVAL)
    widget.card_on_file(PLAIN.last4).check()


def remove_invalid(opens: Opens, card: Card) -> None:
    widget, _ = opens("C", GOLD, PLAIN)
    widget.shows(REMOVAL)
    widget.remove.click()
    expect(widget.choice).to_have_attribute("aria-invalid", "true")


def remove_the_only_one(opens: Opens, card: Card) -> None:
    widget, _ = opens("C", GOLD)
    widget.shows(REMOVAL)


def removing(opens: Opens, card: Card) -> None:
    widget, _ = _remove(opens, lambda _: OPEN)
    widget.shows(REMOVING)


def removed(opens: Opens, card: Card) -> None:
    widget, _ = _remove(opens, Service.success)
    widget.shows(SUCCESS)


def remove_noted(opens: Opens, card: Card) -> None:
    widget, _ = _remove(opens, lambda service: service.error("-1001", attempts_left=0))
    widget.shows(NOTED)


def remove_declined(opens: Opens, card: Card) -> None:
    _fails(*_remove(opens, lambda service: service.error("-85")))


def remove_card_gone(opens: Opens, card: Card) -> None:
    _fails(*_remove(opens, Service.error))


def remove_no_card(opens: Opens, card: Card) -> None:
    _fails(*opens("C"))


def _replace(opens: Opens, card: Card, ending: Callable[[Service], Answer]) -> tuple[Widget, Service]:
    widget, service = opens("R", GOLD)
    service.will_answer(ending(service))
    widget.shows(REPLACEMENT)
    widget.type_card(card)
    widget.replace.click()
    return widget, service


def _remove(opens: Opens, ending: Callable[[Service], Answer]) -> tuple[Widget, Service]:
    widget, service = opens("C", GOLD)
    service.will_answer(ending(service))
    widget.shows(REMOVAL)
    widget.remove.click()
    return widget, service


def _fails(widget: Widget, _: Service) -> None:
    widget.shows(FAILURE)


STATES: list[Callable[[Opens, Card], None]] = [
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
    removing,
    removed,
    remove_noted,
    remove_declined,
    remove_card_gone,
    remove_no_card,
]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.replace("_", "-"))
def test_state_is_accessible(
    page: Page, opens: Opens, pictures: Pictures, card: Card, state: Callable[[Opens, Card], None]
) -> None:
    state(opens, card)
    assert faults(page, pictures, state.__name__.replace("_", "-")) == []
